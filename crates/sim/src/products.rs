//! Deaths of a node around an SMM order: at which commit, after which kind of answer to its purchase,
//! and who else asked for it meanwhile. Each combination is a cell of its own.

use crate::world::State;
use domain::change::{Change, Write};
use domain::ids::OrderId;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What the cells are called.
pub const WHAT: &str = "smm death";

/// The order that a change moves on, if it is an SMM order.
fn order_of(change: &Change) -> Option<OrderId> {
    change.writes.iter().find_map(|write| match write {
        Write::InsertSmmOrder(row) | Write::UpdateSmmOrder(row) => Some(row.id),
        _ => None,
    })
}

/// Counts a death before or after a commit.
pub fn count(state: &mut State, change: &Change, way: &str, served: Option<usize>) {
    let Some(order) = order_of(change) else {
        return;
    };
    let mut known = state.purchases.iter();
    let index = known.position(|one| one.orders.contains(&order));
    let Some(index) = index.or(served) else {
        return;
    };
    let answer = state.panel.answered.get(&index).copied();
    let race = state.purchases[index].race();
    let (name, answer) = (change.name, answer.unwrap_or("not called"));
    let cell = lasting(format!("{way} {name}, {answer}, {race}"));
    state.reach(WHAT, cell);
}

/// The same text for as long as the program runs: there are few, and each is kept once.
fn lasting(text: String) -> &'static str {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = known.get(text.as_str()) {
        return text;
    }
    let text: &'static str = Box::leak(text.into_boxed_str());
    known.insert(text);
    text
}
