//! The house's side: what upstreams took against what the books say, and SMM refunds against what
//! the panel said.

use crate::checks::Found;
use crate::node::{CONFIRMATION, REMAINS_PATIENCE};
use crate::panel::Placed;
use crate::rented::{Origin, Rented};
use crate::story::Plot;
use crate::tickets;
use crate::truth::Truth;
use crate::world::{NUMBER_UPSTREAMS, PANEL, State};
use domain::balance::{BalanceReading, BookedAs};
use domain::ids::OrderId;
use domain::smm_order::{SmmOrder, SmmState};
use domain::time::Timestamp;
use domain::upstream::{PanelStatus, Progress};
use domain::usd::Usd;

/// What the books say was taken under an upstream id; nothing where it is not linked.
fn booked(truth: &Truth, upstream: &str, id: &str) -> Option<i64> {
    let linked = truth.links.get(&(upstream.to_owned(), id.to_owned()))?;
    let (order, _) = linked.first()?;
    Some(match order {
        Some(order) => truth.taken_for_order.get(order).copied().unwrap_or(0),
        None => {
            let same =
                |row: &&domain::orphan::Orphan| row.upstream == upstream && row.upstream_id == id;
            let row = truth.orphans.values().find(same);
            row.and_then(|row| truth.taken_for_orphan.get(&row.id))
                .copied()
                .unwrap_or(0)
        }
    })
}

/// I-18, activation by activation and order by order.
pub fn upstream_books(state: &State, found: &mut Found) {
    for market in &state.numbers {
        for one in market
            .rented
            .iter()
            .filter(|one| one.origin != Origin::Foreign)
        {
            let booked = booked(&state.truth, market.name, &one.id);
            let kept = one.kept().0;
            let explained = booked.unwrap_or(0) == kept
                || hidden_keep(one)
                || tickets::left_alone(state, market.name, &one.id)
                || (booked.is_none() && !market.lists);
            if !explained {
                let detail = format!("{} {}: kept {kept}, booked {booked:?}", market.name, one.id);
                found.push(("I-18", detail));
            }
            avoidable(state, market.name, one, found);
        }
    }
    for placed in state.panel.placed.iter().filter(|one| !one.foreign) {
        let booked = booked(&state.truth, PANEL, &placed.id);
        let kept = placed.story.kept_at(Timestamp(i64::MAX)).0;
        let order = state
            .truth
            .links
            .get(&(PANEL.to_owned(), placed.id.clone()));
        let in_review = order
            .and_then(|linked| linked.first()?.0)
            .is_some_and(|order| may_stay_in_review(state, order));
        let to_nobody = order.is_some_and(|linked| linked[0].0.is_none());
        let explained = booked.unwrap_or(0) == kept
            // an order of nobody is looked at until it ends, not for what follows
            || (to_nobody && booked.is_some_and(|sum| placed.story.ever_kept(Usd(sum))))
            || !placed.story.tells_charge
            || in_review
            // what is listed without its age may be another program's
            || (booked.is_none() && (!state.panel.lists || state.panel.undated));
        if !explained {
            let detail = format!("panel {}: kept {kept}, booked {booked:?}", placed.id);
            found.push(("I-18", detail));
        }
    }
}

/// The upstream confirmed a cancel and kept the money: only its balance shows that.
fn hidden_keep(one: &Rented) -> bool {
    one.keeps_money && one.closed_at.is_some()
}

/// A loss on an order whose customer had the number before its code came.
fn avoidable(state: &State, market: &str, one: &Rented, found: &mut Found) {
    let place = (market.to_owned(), one.id.clone());
    let order = state
        .truth
        .links
        .get(&place)
        .and_then(|linked| linked.first()?.0);
    let Some(row) = order.and_then(|order| state.truth.activations.get(&order)) else {
        return;
    };
    let lost = state
        .truth
        .lost_for_order
        .get(&row.id)
        .copied()
        .unwrap_or(0);
    let (Some(shown), Some((came, _))) = (row.disclosed_at, one.messages.first()) else {
        return;
    };
    let told_failed = row.told == domain::order::Told::Failed;
    if lost > 0 && *came > shown && !told_failed {
        found.push((
            "G-11",
            format!("order {}: {lost} lost without need", row.id),
        ));
    }
}

/// I-18 for the house's money at each upstream: once all is quiet, the books are what the upstream
/// reports, and no more was called missing than is missing.
pub fn balances(state: &mut State, now: Timestamp, found: &mut Found) {
    let mut reported: Vec<(&str, Usd)> = Vec::new();
    for market in &mut state.numbers {
        reported.push((market.name, market.balance(now)));
    }
    reported.push((PANEL, state.panel.balance(now)));
    for (name, balance) in reported {
        let prepaid = state.truth.books.get(&format!("prepaid:{name}"));
        let difference = balance.0 - prepaid.copied().unwrap_or(0);
        let open: i64 = state
            .truth
            .smm_orders
            .values()
            .filter(|row| row.state == SmmState::Review && name == PANEL)
            .map(|row| {
                // the panel may have named an order of another size
                let placed = placed_of(state, row);
                let kept = placed.map_or(0, |one| one.story.kept_at(Timestamp(i64::MAX)).0);
                row.cost_quote.0.max(kept)
            })
            .sum();
        if difference > 0 || difference < -open {
            let detail = format!("{name} holds {balance}, the books are off by {difference}");
            found.push(("I-18", detail));
        }
    }
    on_one_sight(state, found);
}

/// A difference is booked only where the reading before showed it as well: a refund on its way is
/// no loss.
fn on_one_sight(state: &State, found: &mut Found) {
    for name in NUMBER_UPSTREAMS.into_iter().chain([PANEL]) {
        let mut pending = 0;
        let of_name = |reading: &&BalanceReading| reading.upstream == name;
        for reading in state.truth.readings.iter().filter(of_name) {
            let booked = reading.booked.0;
            let opening = reading.booked_as == Some(BookedAs::Opening);
            let shown = if booked > 0 {
                booked <= pending
            } else {
                booked >= pending
            };
            if booked != 0 && !opening && !shown {
                let detail =
                    format!("{name}: {booked} booked, the reading before showed {pending}");
                found.push(("CAN-10", detail));
            }
            let beyond_doubt = reading.least.0.max(0) + reading.most.0.min(0);
            pending = beyond_doubt - booked;
        }
    }
}

/// What upstreams took that no call but a reading of their balance can show.
pub fn invisible(state: &State) -> Usd {
    let mut sum = 0;
    for market in &state.numbers {
        for one in market
            .rented
            .iter()
            .filter(|one| one.origin != Origin::Foreign)
        {
            sum += one.kept().0 - booked(&state.truth, market.name, &one.id).unwrap_or(0);
        }
    }
    for placed in state.panel.placed.iter().filter(|one| !one.foreign) {
        let booked = booked(&state.truth, PANEL, &placed.id).unwrap_or(0);
        sum += placed.story.kept_at(Timestamp(i64::MAX)).0 - booked;
    }
    Usd(sum)
}

fn placed_of<'a>(state: &'a State, row: &SmmOrder) -> Option<&'a Placed> {
    let id = row.upstream_id.as_ref()?;
    state.panel.placed.iter().find(|placed| placed.id == *id)
}

/// Whether the panel contradicts itself about this order for ever: a person has to decide.
pub fn may_stay_in_review(state: &State, order: OrderId) -> bool {
    let row = state
        .truth
        .smm_orders
        .get(&order)
        .filter(|row| row.state == SmmState::Review);
    let placed = row.and_then(|row| placed_of(state, row));
    // an id that belongs to another order says nothing of this one's units
    let fits = |placed: &Placed| {
        let same = |row: &&SmmOrder| row.upstream_service == placed.service;
        row.filter(same)
            .is_some_and(|row| row.quantity == placed.quantity)
    };
    let for_ever = |placed: &Placed| match placed.story.plot {
        Plot::TooManyRemainForEver => true,
        // a charge of nothing, or for what is left, would settle it
        Plot::TooManyRemainFree | Plot::RemainsMissingForEver => !placed.story.tells_charge,
        _ => false,
    };
    placed.is_some_and(|placed| for_ever(placed) || !fits(placed))
}

/// What goes back for a status, by the published rule; nothing where a person has to decide.
fn refund_for(row: &SmmOrder, status: &PanelStatus) -> Option<i64> {
    let (price, quantity) = (row.price.0, i64::try_from(row.quantity).ok()?);
    let share = |left: i64| {
        let part = i128::from(price) * i128::from(left.clamp(0, quantity)) / i128::from(quantity);
        i64::try_from(part).ok()
    };
    match (status.progress?, status.remains) {
        (word, Some(left)) if left > quantity && word.is_final() && row.service_id != "2" => {
            (status.charge == Some(Usd::ZERO)).then_some(price)
        }
        (Progress::Completed, _) => Some(0),
        (Progress::Canceled, Some(left))
            if left < quantity && status.charge.is_some_and(|kept| kept > Usd::ZERO) =>
        {
            share(left)
        }
        (Progress::Canceled, _) => Some(price),
        (Progress::Partial, Some(left)) => share(left),
        (Progress::Partial, None) => {
            let (kept, quoted) = (status.charge?.0, row.cost_quote.0);
            let back = i128::from(price) * i128::from((quoted - kept).max(0));
            i64::try_from(back / i128::from(quoted)).ok()
        }
        _ => None,
    }
}

/// Each refund against what the panel said, seen twice and far enough apart.
pub fn smm_refunds(state: &State, found: &mut Found) {
    for row in state.truth.smm_orders.values() {
        let (Some(placed), Some(money)) = (placed_of(state, row), state.truth.money.get(&row.id))
        else {
            continue;
        };
        let Some((posted, at)) = money.resolved.first().copied() else {
            continue;
        };
        let another = placed.quantity != row.quantity || placed.service != row.upstream_service;
        let undone = row.told == domain::order::Told::Failed || row.state == SmmState::Failed;
        if another || undone {
            continue;
        }
        let seen: Vec<_> = placed
            .answers
            .iter()
            .filter(|(when, _)| *when <= at)
            .collect();
        let Some((last_at, last)) = seen.last() else {
            found.push((
                "I-21",
                format!("order {} was resolved before any status", row.id),
            ));
            continue;
        };
        let quantity = i64::try_from(row.quantity).unwrap_or(i64::MAX);
        let charge_counts = last.progress == Some(Progress::Canceled)
            || last.remains.is_none_or(|left| left > quantity);
        let same = |status: &PanelStatus| {
            let charge = !charge_counts || status.charge == last.charge;
            charge && status.progress == last.progress && status.remains == last.remains
        };
        let twice = seen
            .iter()
            .any(|(when, status)| same(status) && *last_at - *when >= CONFIRMATION);
        let patient = !matches!(
            (last.progress, last.remains),
            (Some(Progress::Partial), None)
        ) || seen
            .iter()
            .any(|(when, status)| same(status) && *last_at - *when >= REMAINS_PATIENCE);
        if !patient && row.service_id != "2" {
            let detail = format!("order {} did not wait for its units", row.id);
            found.push(("REF-8", detail));
        }
        if !twice {
            found.push((
                "REF-9",
                format!("order {} was resolved on one sight", row.id),
            ));
        }
        let expected = refund_for(row, last).map(|back| row.price.0 - back);
        if expected != Some(posted.0) {
            let detail = format!("order {}: posted {posted}, should be {expected:?}", row.id);
            found.push(("I-07", detail));
        }
        adjusted(row, placed, (posted, money.adjusted.as_slice()), found);
    }
}

fn adjusted(
    row: &SmmOrder,
    placed: &Placed,
    (posted, adjusted): (Usd, &[(Usd, Timestamp)]),
    found: &mut Found,
) {
    let mut returned = row.price.0 - posted.0;
    for (amount, at) in adjusted {
        let last = placed.answers.iter().rfind(|(when, _)| when <= at);
        returned += amount.0;
        let expected = last.and_then(|(_, status)| refund_for(row, status));
        if expected != Some(returned) {
            let detail = format!(
                "order {}: {returned} went back, should be {expected:?}",
                row.id
            );
            found.push(("I-07", detail));
        }
    }
}
