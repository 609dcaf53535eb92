//! Deaths of a node around an SMM order: at which commit, after which kind of answer to its purchase,
//! and who else asked for it meanwhile. Each combination is a cell of its own.

use crate::world::State;
use domain::change::{Change, Write};
use domain::ids::OrderId;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What the cells are called.
pub const WHAT: &str = "smm death";

/// Those that a run must reach: all but the rarest.
pub const CELLS: [&str; 75] = [
    "after in_doubt, answer lost, alone",
    "after in_doubt, answered slowly, alone",
    "after in_doubt, lost before, alone",
    "after in_doubt, no stock, alone",
    "after in_doubt, not sent, alone",
    "after in_doubt, processed late, alone",
    "after next_route, no stock, alone",
    "after next_route, no stock, asked twice at once",
    "after next_route, not sent, alone",
    "after order_accepted, answered slowly, alone",
    "after order_accepted, made twice, alone",
    "after order_accepted, number in use, alone",
    "after order_accepted, sold, alone",
    "after order_refused, no stock, alone",
    "after order_refused, not sent, alone",
    "after order_refused, our fault, alone",
    "after order_refused, our funds there, alone",
    "after place_order, not called, alone",
    "after place_order, not called, asked twice at once",
    "after smm_linked, answer lost, alone",
    "after smm_linked, answered slowly, alone",
    "after smm_status, above the quote, alone",
    "after smm_status, answer lost, alone",
    "after smm_status, answered slowly, alone",
    "after smm_status, id linked before, alone",
    "after smm_status, made twice, alone",
    "after smm_status, number in use, alone",
    "after smm_status, sold, alone",
    "after smm_status, sold, asked twice at once",
    "after smm_status, wrong country, alone",
    "after smm_still_in_doubt, answer lost, alone",
    "after smm_still_in_doubt, answer lost, asked twice at once",
    "after smm_still_in_doubt, lost before, alone",
    "after smm_still_in_doubt, no stock, alone",
    "after smm_still_in_doubt, not sent, alone",
    "after smm_still_in_doubt, processed after the window, alone",
    "after smm_still_in_doubt, processed late, alone",
    "after smm_still_in_doubt, unlisted error, alone",
    "after smm_still_in_doubt, unreadable, alone",
    "before in_doubt, answer lost, alone",
    "before in_doubt, lost before, alone",
    "before in_doubt, no stock, alone",
    "before in_doubt, not sent, alone",
    "before in_doubt, processed late, alone",
    "before next_route, no stock, alone",
    "before next_route, no stock, asked twice at once",
    "before next_route, not sent, alone",
    "before order_accepted, made twice, alone",
    "before order_accepted, number in use, alone",
    "before order_accepted, sold, alone",
    "before order_refused, no stock, alone",
    "before order_refused, not sent, alone",
    "before order_refused, our fault, alone",
    "before order_refused, our funds there, alone",
    "before place_order, not called, alone",
    "before place_order, not called, asked twice at once",
    "before smm_linked, answer lost, alone",
    "before smm_linked, answered slowly, alone",
    "before smm_linked, processed late, alone",
    "before smm_status, above the quote, alone",
    "before smm_status, answered slowly, alone",
    "before smm_status, made twice, alone",
    "before smm_status, number in use, alone",
    "before smm_status, sold, alone",
    "before smm_status, sold, asked twice at once",
    "before smm_status, wrong country, alone",
    "before smm_still_in_doubt, answer lost, alone",
    "before smm_still_in_doubt, id cut short, alone",
    "before smm_still_in_doubt, lost before, alone",
    "before smm_still_in_doubt, no stock, alone",
    "before smm_still_in_doubt, not sent, alone",
    "before smm_still_in_doubt, processed after the window, alone",
    "before smm_still_in_doubt, processed late, alone",
    "before smm_still_in_doubt, unlisted error, alone",
    "before smm_still_in_doubt, unreadable, alone",
];

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
