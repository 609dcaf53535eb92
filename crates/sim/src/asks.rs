//! Cancels and refills of SMM orders: a panel that takes them and does nothing, does them and is not
//! heard, or refuses them; and what must hold of those that are asked.

use crate::checks::Found;
use crate::world::{PANEL, State};
use domain::smm_order::SmmState;
use domain::smm_request::{RequestKind, RequestState, SmmRequest};
use domain::time::{Millis, Timestamp};
use domain::upstream::{
    CancelReply, Progress, ReadFailure, RefillProgress, RefillReply, RefillRow,
};
use std::collections::VecDeque;

/// A refill as the panel knows it.
pub struct Refill {
    id: String,
    order: String,
    ends_at: Timestamp,
    end: RefillProgress,
}

/// What becomes of a cancel where that is arranged, instead of drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It never arrives.
    Lost,
    /// It is taken, and comes true.
    Taken,
    /// It is refused.
    Refused,
}

/// What was asked of a panel.
#[derive(Default)]
pub struct Asks {
    /// Calls: the panel's order id, what for, and when.
    pub calls: Vec<(String, RequestKind, Timestamp)>,
    /// What becomes of the next cancels.
    pub arranged: VecDeque<Answer>,
    refills: Vec<Refill>,
}

/// How a call goes: it is lost, heard and answered, or heard and its answer lost.
fn heard(state: &mut State) -> (bool, bool) {
    state
        .random
        .weighted(&[(8, (true, true)), (1, (false, false)), (1, (true, false))])
}

/// The panel is asked to cancel. That it says yes is no promise.
pub fn cancel(state: &mut State, id: &str, now: Timestamp) -> CancelReply {
    let call = (id.to_owned(), RequestKind::Cancel, now);
    state.panel.asks.calls.push(call);
    let (heard, answered) = heard(state);
    let (obeys, refuses) = (state.random.chance(600), state.random.chance(100));
    let (heard, answered, obeys, refuses) = match state.panel.asks.arranged.pop_front() {
        None => (heard, answered, obeys, refuses),
        Some(Answer::Lost) => (false, false, false, false),
        Some(Answer::Taken) => (true, true, true, false),
        Some(Answer::Refused) => (true, true, false, true),
    };
    let found = state.panel.placed.iter_mut().find(|one| one.id == id);
    if let Some(one) = found
        && heard
        && obeys
        && !refuses
    {
        one.story.cancel(now);
    }
    let (how, reply) = match (heard, answered) {
        (false, _) => ("lost", CancelReply::Unknown),
        (true, false) => ("answer lost", CancelReply::Unknown),
        (true, true) if refuses => ("refused", CancelReply::BadTransition),
        (true, true) => ("asked", CancelReply::Cancelled),
    };
    state.reach("panel cancel", how);
    reply
}

/// The panel is asked for a refill; one at a time for an order.
pub fn refill(state: &mut State, id: &str, now: Timestamp) -> RefillReply {
    let call = (id.to_owned(), RequestKind::Refill, now);
    state.panel.asks.calls.push(call);
    let (heard, answered) = heard(state);
    let open = |one: &Refill| one.order == id && one.ends_at > now;
    let refuses = state.random.chance(200) || state.panel.asks.refills.iter().any(open);
    let mut taken = String::new();
    if heard && !refuses {
        taken = format!("{}", 9001 + state.panel.asks.refills.len());
        let ends = [
            (3, RefillProgress::Completed),
            (1, RefillProgress::Rejected),
        ];
        let made = Refill {
            id: taken.clone(),
            order: id.to_owned(),
            ends_at: now + Millis::seconds(state.random.between(20, 600)),
            end: state.random.weighted(&ends),
        };
        state.panel.asks.refills.push(made);
    }
    let (how, reply) = match (heard, answered) {
        (false, _) => ("lost", RefillReply::Unknown),
        (true, false) => ("answer lost", RefillReply::Unknown),
        (true, true) if refuses => ("refused", RefillReply::Refused),
        (true, true) => ("taken", RefillReply::Taken(taken)),
    };
    state.reach("panel refill", how);
    reply
}

/// Where refills stand.
pub fn refill_rows(
    state: &mut State,
    ids: &[String],
    now: Timestamp,
) -> Result<Vec<RefillRow>, ReadFailure> {
    if state.faults && state.random.chance(60) {
        state.reach("refill status", "failed");
        return Err(ReadFailure::Fault("reset".into()));
    }
    let mut rows = Vec::new();
    for id in ids {
        if state.faults && state.random.chance(50) {
            state.reach("refill status", "id missing");
            continue;
        }
        let found = state.panel.asks.refills.iter().find(|one| one.id == *id);
        let Some(one) = found else {
            rows.push((id.clone(), Err(ReadFailure::UnknownOrder)));
            continue;
        };
        let said = if one.ends_at <= now {
            one.end
        } else {
            RefillProgress::InProgress
        };
        rows.push((id.clone(), Ok(said)));
    }
    state.reach("refill status", "answered");
    Ok(rows)
}

/// All rules about requests.
pub fn all(state: &mut State, found: &mut Found) {
    let ends: Vec<&'static str> = state.truth.requests.values().map(end_of).collect();
    for end in ends {
        state.reach("request", end);
    }
    for request in state.truth.requests.values() {
        ended_as_its_order(state, request, found);
    }
    looked_before_repeating(state, found);
}

fn end_of(request: &SmmRequest) -> &'static str {
    match (request.kind, request.state) {
        (RequestKind::Cancel, RequestState::Done) => "cancel came true",
        (RequestKind::Cancel, RequestState::Refused) => "cancel came to nothing",
        (RequestKind::Refill, RequestState::Done) => "refilled",
        (RequestKind::Refill, RequestState::Refused) => "refill refused",
        _ => "open",
    }
}

/// A cancel came true only if its order ended short; none stays open for ever.
fn ended_as_its_order(state: &State, request: &SmmRequest, found: &mut Found) {
    let Some(row) = state.truth.smm_orders.get(&request.order) else {
        return;
    };
    let id = request.id;
    if request.state.is_open() && row.state != SmmState::Review {
        found.push(("I-20", format!("request {id} never ended")));
    }
    let short = matches!(
        row.public_progress(),
        Progress::Canceled | Progress::Partial
    );
    let came_true = (request.kind, request.state) == (RequestKind::Cancel, RequestState::Done);
    if came_true && !short {
        let word = row.public_progress();
        found.push(("7.5", format!("cancel {id} came true of an order {word:?}")));
    }
}

/// A request whose answer was lost is sent again only after a look at the order's status.
fn looked_before_repeating(state: &State, found: &mut Found) {
    let calls = &state.panel.asks.calls;
    for (place, (id, kind, at)) in calls.iter().enumerate() {
        let before = calls[..place]
            .iter()
            .rfind(|(of, what, _)| of == id && what == kind);
        let Some((_, _, last)) = before else { continue };
        let linked = state.truth.links.get(&(PANEL.to_owned(), id.clone()));
        let order = linked.and_then(|all| all.first()?.0);
        let row = order.and_then(|order| state.truth.smm_orders.get(&order));
        // what is nobody's has no row of its own
        let Some(row) = row else { continue };
        let placed = state.panel.placed.iter().find(|one| one.id == *id);
        let looked = placed.is_some_and(|one| {
            let mut answers = one.answers.iter();
            answers.any(|(when, _)| when > last && when <= at)
        });
        let mut requests = state.truth.requests.values();
        let anew =
            requests.any(|one| one.order == row.id && one.kind == *kind && one.created_at > *last);
        if !looked && !anew {
            let detail = format!("{kind:?} of {id} was repeated without a look");
            found.push(("7.5", detail));
        }
    }
}
