//! Reads of panels: each request counted before it leaves, and what came of it noted.

use crate::engine::Engine;
use crate::place_order::RUNS_MAX;
use domain::time::Timestamp;
use domain::upstream::{ListedPanelOrder, PanelStatus, PanelUpstream, ReadFailure, RefillProgress};
use std::collections::{BTreeSet, HashMap};

/// Orders into which one may be split: the runs that one may have. One that claims more is not judged.
const CHILDREN_MAX: usize = RUNS_MAX as usize;

/// An id and what was said of it.
type Row<T> = (String, Result<T, ReadFailure>);

/// What a panel said of the ids it was asked for.
pub(crate) struct Told<T> {
    asked: HashMap<String, Timestamp>,
    rows: HashMap<String, Result<T, ReadFailure>>,
}

impl<T> Told<T> {
    fn nothing() -> Self {
        Self {
            asked: HashMap::new(),
            rows: HashMap::new(),
        }
    }

    /// When the request for this id left; nothing where it may not be asked for now and stays due.
    pub fn asked_at(&self, id: &str) -> Option<Timestamp> {
        self.asked.get(id).copied()
    }

    /// Its word on an id; nothing where it said nothing of it.
    pub fn row(&self, id: &str) -> Option<&Result<T, ReadFailure>> {
        self.rows.get(id)
    }

    /// Takes the right to one more request.
    fn may_ask(&mut self, engine: &Engine, panel: &str, ids: &[String]) -> bool {
        let may = engine.may_read(panel);
        if may {
            let now = engine.now();
            self.asked.extend(ids.iter().map(|id| (id.clone(), now)));
        }
        may
    }

    /// Of two answers for one id the first counts, and none for an id that was not asked for.
    fn hear(&mut self, engine: &Engine, panel: &str, read: Result<Vec<Row<T>>, ReadFailure>) {
        engine.read_came_to(panel, &read);
        match read {
            Ok(rows) => {
                for (id, row) in rows {
                    if self.asked.contains_key(&id) {
                        self.rows.entry(id).or_insert(row);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(upstream = panel, %error, "statuses could not be read");
            }
        }
    }
}

impl Engine {
    /// States of orders at a panel, those of the orders into which it has split them included.
    pub(crate) async fn panel_statuses(
        &self,
        name: &str,
        panel: &dyn PanelUpstream,
        ids: &[String],
    ) -> Told<PanelStatus> {
        let mut told = self.own_statuses(name, panel, ids).await;
        let split = told.rows.values().filter_map(|row| row.as_ref().ok());
        let judged = split.filter(|status| status.child_ids.len() <= CHILDREN_MAX);
        let children: BTreeSet<&String> = judged.flat_map(|status| &status.child_ids).collect();
        let children: Vec<String> = children.into_iter().cloned().collect();
        let states = self.own_statuses(name, panel, &children).await;
        for row in told.rows.values_mut() {
            join(row, &states);
        }
        told
    }

    async fn own_statuses(
        &self,
        name: &str,
        panel: &dyn PanelUpstream,
        ids: &[String],
    ) -> Told<PanelStatus> {
        let mut told = Told::nothing();
        for batch in ids.chunks(panel.capabilities().ids_per_call.max(1)) {
            if !told.may_ask(self, name, batch) {
                break;
            }
            told.hear(self, name, panel.statuses(batch).await);
        }
        told
    }

    /// States of refills at a panel, by its refill ids.
    pub(crate) async fn panel_refills(
        &self,
        name: &str,
        panel: &dyn PanelUpstream,
        ids: &[String],
    ) -> Told<RefillProgress> {
        let mut told = Told::nothing();
        for batch in ids.chunks(panel.capabilities().ids_per_call.max(1)) {
            if !told.may_ask(self, name, batch) {
                break;
            }
            told.hear(self, name, panel.refill_statuses(batch).await);
        }
        told
    }

    /// Our orders at a panel that lists them; nothing where it may not be asked now.
    pub(crate) async fn panel_orders(
        &self,
        name: &str,
        panel: &dyn PanelUpstream,
    ) -> Option<Result<Vec<ListedPanelOrder>, ReadFailure>> {
        if !self.may_read(name) {
            return None;
        }
        let read = panel.orders().await;
        self.read_came_to(name, &read);
        Some(read)
    }
}

/// Puts the states of its parts into the state of a whole; a part whose state is missing is no
/// reason to judge the whole.
fn join(row: &mut Result<PanelStatus, ReadFailure>, states: &Told<PanelStatus>) {
    let Ok(status) = row else { return };
    let state = |id: &String| states.row(id)?.as_ref().ok().cloned();
    match status.child_ids.iter().map(state).collect() {
        Some(children) => status.children = children,
        None => {
            let missing = "the state of a child order is missing".to_owned();
            *row = Err(ReadFailure::Fault(missing));
        }
    }
}
