//! What is left to a person: nothing that could be settled, and nothing without a ticket.

use crate::checks::Found;
use crate::node::{CONFIRMATION, CORRECTION_MAX};
use crate::rented::Origin;
use crate::world::{PANEL, State};
use domain::orphan::{Orphan, OrphanState};
use domain::smm_order::{Observation, SmmState};
use domain::ticket::TicketKind;
use domain::upstream::Progress;
use domain::usd::Usd;

/// All rules about tickets.
pub fn all(state: &mut State, found: &mut Found) {
    orphans(state, found);
    reviews(state, found);
    corrections(state, found);
    reversals(state, found);
    placed_without_id(state, found);
    let kinds: Vec<TicketKind> = state.truth.tickets.values().map(|one| one.kind).collect();
    for kind in kinds {
        state.reach("ticket", kind.slug());
    }
    let by: Vec<&'static str> = state
        .truth
        .orphans
        .values()
        .filter_map(|row| settled_by(state, row))
        .collect();
    for how in by {
        state.reach("orphan", how);
    }
}

fn is_ticketed(state: &State, kind: TicketKind, reference: i64) -> bool {
    let about = |one: &&domain::ticket::Ticket| one.kind == kind && one.reference == reference;
    state.truth.tickets.values().any(|one| about(&one))
}

/// Whether an activation at an upstream is left to a person although it is ours.
pub fn left_alone(state: &State, upstream: &str, id: &str) -> bool {
    let mut rows = state.truth.orphans.values();
    rows.any(|row| {
        let same = row.upstream == upstream && row.upstream_id == id;
        same && row.state == OrphanState::Foreign
    })
}

/// F-031: what may be another program's is left alone with a ticket; what is told to be ours is not.
fn orphans(state: &State, found: &mut Found) {
    for row in state.truth.orphans.values() {
        let foreign = row.state == OrphanState::Foreign;
        if foreign != is_ticketed(state, TicketKind::ForeignNumber, row.id) {
            let (id, state) = (&row.upstream_id, row.state);
            found.push((
                "F-031",
                format!("orphan {id} is {state:?}, ticket and state differ"),
            ));
        }
        let market = state.numbers.iter().find(|one| one.name == row.upstream);
        let Some((market, one)) = market.and_then(|market| {
            let one = market.rented.iter().find(|one| one.id == row.upstream_id)?;
            Some((market, one))
        }) else {
            continue;
        };
        if foreign && market.tells_age && one.origin != Origin::Foreign {
            found.push(("F-031", format!("orphan {} is ours and left alone", one.id)));
        }
        if !foreign && one.origin == Origin::Foreign {
            found.push(("F-031", format!("orphan {} is not ours", one.id)));
        }
    }
}

/// How it was known whose an orphan is.
fn settled_by(state: &State, row: &Orphan) -> Option<&'static str> {
    let market = state.numbers.iter().find(|one| one.name == row.upstream)?;
    Some(
        match (row.state == OrphanState::Foreign, market.tells_age) {
            (false, true) => "cancelled, its age is told",
            (false, false) => "cancelled, its age is known by sight",
            (true, true) => "left alone, it is told to be older",
            (true, false) => "left alone, its age is not known",
        },
    )
}

/// REF-6: an order that a person may have to settle has a ticket.
fn reviews(state: &State, found: &mut Found) {
    for order in &state.truth.reviewed {
        if !is_ticketed(state, TicketKind::OrderInReview, order.0) {
            found.push(("REF-6", format!("order {order} waits without a ticket")));
        }
    }
}

/// REF-13: a panel that says twice that it delivered after all what went back is told of.
fn reversals(state: &State, found: &mut Found) {
    for row in state.truth.smm_orders.values() {
        let since = row.resolved_at.filter(|_| row.state == SmmState::Resolved);
        let Some(since) = since else { continue };
        // the second one on record is the one that confirms the first
        let seen = state.truth.observed.get(&row.id).into_iter().flatten();
        let done = |one: &&Observation| one.at > since && one.progress == Some(Progress::Completed);
        let mut later = seen.filter(done).map(|one| one.at);
        let first = later.next();
        let confirmed = first
            .zip(later.next_back())
            .is_some_and(|(first, last)| last - first >= CONFIRMATION);
        let ticketed = is_ticketed(state, TicketKind::OutcomeReversed, row.id.0);
        if confirmed && row.returned > Usd::ZERO && !ticketed {
            let detail = format!("order {}: the panel took its word back unseen", row.id);
            found.push(("REF-13", detail));
        }
        if ticketed && first.is_none() {
            let detail = format!("order {}: nothing was taken back", row.id);
            found.push(("REF-13", detail));
        }
    }
}

/// E3: where the balance is said to show an order, the panel has one that nobody linked, or linked
/// later. Whose it is, and what it keeps by then, no balance can tell.
fn placed_without_id(state: &State, found: &mut Found) {
    let tickets = state.truth.tickets.values();
    for ticket in tickets.filter(|one| one.kind == TicketKind::PlacedWithoutId) {
        let there = state.panel.placed.iter().any(|placed| {
            let place = (PANEL.to_owned(), placed.id.clone());
            let linked = state.truth.links.get(&place).and_then(|all| all.first());
            let unknown_then = linked.is_none_or(|(_, at)| *at > ticket.opened_at);
            // the panel may have given its id to another order since
            let mine = placed.purchase.is_some_and(|index| {
                let orders = &state.purchases[index].orders;
                orders.iter().any(|order| order.0 == ticket.reference)
            });
            placed.created_at <= ticket.opened_at && (unknown_then || mine)
        });
        // where a charge is not told, what is under way there is counted by its quote
        let told = state
            .panel
            .placed
            .iter()
            .all(|placed| placed.story.tells_charge);
        if told && !there {
            found.push(("E3", format!("nothing was placed: {}", ticket.detail)));
        }
    }
}

/// REF-12: nothing above the limit goes back by itself.
fn corrections(state: &State, found: &mut Found) {
    for (order, money) in &state.truth.money {
        for (amount, _) in money
            .adjusted
            .iter()
            .filter(|(sum, _)| *sum > CORRECTION_MAX)
        {
            found.push((
                "REF-12",
                format!("order {order}: {amount} went back by itself"),
            ));
        }
    }
    let tickets = state.truth.tickets.values();
    let large = tickets.filter(|one| one.kind == TicketKind::LargeAdjustment);
    for ticket in large.filter(|one| one.amount <= CORRECTION_MAX || one.amount == Usd::ZERO) {
        found.push((
            "REF-12",
            format!("{} is no large correction", ticket.detail),
        ));
    }
}
