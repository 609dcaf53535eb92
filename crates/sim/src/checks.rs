//! What must hold once a schedule is quiet: every invariant of the money page that applies, against
//! the simulation's own record and the upstreams' own books.

use crate::asks;
use crate::client::{Purchase, Told, Wish};
use crate::failover;
use crate::node::{SMM_WINDOW, WINDOW};
use crate::numbers::{LIST_LAG, NumberMarket};
use crate::rented::Origin;
use crate::schedule::{Tally, at_once};
use crate::settled;
use crate::tickets;
use crate::truth::Linked;
use crate::world::{PANEL, State, World};
use domain::activation::{Activation, ActivationState};
use domain::attempt::AttemptState;
use domain::ids::{AccountId, OrderId};
use domain::ports::Store;
use domain::time::Timestamp;
use std::sync::Arc;

/// The store's own audit, and its wallets against the record.
pub fn books(world: &Arc<World>, store: &Arc<dyn Store>) {
    let now = world.now();
    match at_once(store.audit(now)) {
        Ok(audit) => world.with(|state| {
            for violation in audit.violations {
                state.violate(violation.rule, format!("audit: {}", violation.detail));
            }
        }),
        Err(error) => world.with(|state| state.violate("store", error.to_string())),
    }
    let accounts: Vec<AccountId> = world.with(|state| {
        state
            .callers
            .iter()
            .map(|caller| caller.account.id)
            .collect()
    });
    for account in accounts {
        let wallet = at_once(store.wallet(account))
            .ok()
            .flatten()
            .unwrap_or_default();
        world.with(|state| {
            let (mut available, mut held) = (state.truth.credits.get(&account).copied(), 0);
            for money in state
                .truth
                .money
                .values()
                .filter(|money| money.account == account)
            {
                let posted: i64 = money.resolved.iter().map(|(posted, _)| posted.0).sum();
                let back: i64 = money.adjusted.iter().map(|(amount, _)| amount.0).sum();
                let open = if money.resolved.is_empty() {
                    money.held.0
                } else {
                    0
                };
                available = available.map(|sum| sum - posted + back - open);
                held += open;
            }
            if available != Some(wallet.available.0) || held != wallet.held.0 {
                let detail =
                    format!("account {account}: {wallet:?}, should be {available:?} and {held}");
                state.violate("I-08", detail);
            }
        });
    }
}

/// All other checks.
pub fn all(state: &mut State, now: Timestamp) {
    let broken = std::mem::take(&mut state.truth.broken);
    state.violations.extend(broken);
    let mut found = Vec::new();
    holds(state, &mut found);
    attempts(state, &mut found);
    links(state, &mut found);
    numbers_shown(state, &mut found);
    failover::all(state, &mut found);
    for index in 0..state.purchases.len() {
        purchase(state, index, &mut found);
    }
    tickets::all(state, &mut found);
    settled::balances(state, now, &mut found);
    settled::upstream_books(state, &mut found);
    settled::smm_refunds(state, &mut found);
    asks::all(state, &mut found);
    state.violations.extend(found);
}

/// Violations as they are found.
pub type Found = Vec<(&'static str, String)>;

fn holds(state: &State, found: &mut Found) {
    for (order, money) in &state.truth.money {
        let contradicts = settled::may_stay_in_review(state, *order);
        match money.resolved.as_slice() {
            [] if contradicts => {}
            [] => found.push(("I-20", format!("order {order} was never resolved"))),
            [(posted, _)] => {
                let back: i64 = money.adjusted.iter().map(|(amount, _)| amount.0).sum();
                if posted.0 < 0 || *posted > money.held || back > posted.0 {
                    let detail = format!("order {order}: posted {posted}, then back {back}");
                    found.push(("I-07", detail));
                }
            }
            many => found.push((
                "I-06",
                format!("order {order} was resolved {} times", many.len()),
            )),
        }
    }
}

fn attempts(state: &State, found: &mut Found) {
    for market in &state.numbers {
        for (purchase, calls) in market.calls.iter().filter(|(_, calls)| **calls > 1) {
            found.push((
                "I-12",
                format!("purchase {purchase}: {calls} calls at {}", market.name),
            ));
        }
    }
    for ((purchase, service), calls) in state.panel.calls.iter().filter(|(_, calls)| **calls > 1) {
        let detail = format!("purchase {purchase}: {calls} calls for the panel's {service}");
        found.push(("I-12", detail));
    }
    for ((order, _), one) in &state.truth.tries {
        let window = if one.upstream == PANEL {
            SMM_WINDOW
        } else {
            WINDOW
        };
        let until = one.begun_at + window;
        for (end, at) in &one.ends {
            let silent = matches!(end, AttemptState::Absent | AttemptState::LatePossible);
            if silent && *at < until {
                let early = (until - *at).0;
                let detail = format!("order {order} was given up {early} ms before its window");
                found.push(("I-18", detail));
            }
            let market = state
                .numbers
                .iter()
                .find(|market| market.name == one.upstream);
            if let (AttemptState::Absent, Some(market)) = (end, market)
                && !market
                    .lists_shown
                    .iter()
                    .any(|(seen, _)| *seen >= until - LIST_LAG && *seen <= *at)
            {
                let detail =
                    format!("order {order}: absent, but no list was read after the window");
                found.push(("I-18", detail));
            }
            if let (AttemptState::Absent, Some(market)) = (end, market) {
                passed_over(state, (*order, until, *at), market, found);
            }
        }
    }
}

/// What a purchase made was given up, and is nobody's since, although every list after its window
/// held it.
fn passed_over(
    state: &State,
    (order, until, at): (OrderId, Timestamp, Timestamp),
    market: &NumberMarket,
    found: &mut Found,
) {
    let mut purchases = state.purchases.iter();
    let purchase = purchases.position(|known| known.orders.contains(&order));
    let listed = market.rented.iter().filter(|one| {
        let mine = one.purchase.is_some() && one.purchase == purchase;
        let open = one.created_at <= until - LIST_LAG && one.closed_at.is_none_or(|end| end > at);
        let place = (market.name.to_owned(), one.id.clone());
        let linked = state.truth.links.get(&place);
        // another purchase in doubt may have taken it then, and be linked to it only later
        let nobodys = |(order, linked_at): &Linked| order.is_none() && *linked_at > at;
        let free = linked.is_none_or(|all| all.iter().all(nobodys));
        mine && open && free && one.phone.digits().starts_with("92")
    });
    for one in listed {
        let detail = format!("order {order} was given up while {} was listed", one.id);
        found.push(("G-11", detail));
    }
}

fn links(state: &State, found: &mut Found) {
    for ((upstream, id), linked) in &state.truth.links {
        if linked.len() > 1 {
            found.push((
                "I-14",
                format!("{upstream} {id} is linked {} times", linked.len()),
            ));
        }
        let market = state.numbers.iter().find(|market| market.name == upstream);
        let one = market.and_then(|market| market.rented.iter().find(|one| one.id == *id));
        let exists = match market {
            Some(_) => one.is_some(),
            None => state.panel.placed.iter().any(|placed| placed.id == *id),
        };
        if !exists {
            found.push((
                "I-14",
                format!("{upstream} {id} was linked and does not exist"),
            ));
        }
        let foreign = |one: &&crate::panel::Placed| one.id == *id && one.foreign;
        if upstream == PANEL && state.panel.placed.iter().any(|one| foreign(&one)) {
            let detail = format!("the panel's {id} of another program was linked");
            found.push(("F-031", detail));
        }
        let to_order = linked.iter().any(|(order, _)| order.is_some());
        if to_order && one.is_some_and(|one| one.origin == Origin::Foreign) {
            found.push(("F-031", format!("{id} of another program was linked")));
        }
    }
    let mut seen = std::collections::BTreeMap::new();
    for row in state.truth.activations.values() {
        if let Some(id) = &row.upstream_id
            && let Some(other) = seen.insert((row.upstream.clone(), id.clone()), row.id)
        {
            found.push(("I-14", format!("orders {other} and {} share {id}", row.id)));
        }
    }
}

/// How long a shown number is its customer's.
fn reign(state: &State, row: &Activation) -> Option<(Timestamp, Timestamp)> {
    let from = row.disclosed_at?;
    let resolved = state
        .truth
        .money
        .get(&row.id)?
        .resolved
        .first()
        .map(|(_, at)| *at);
    let until = match row.state {
        ActivationState::Received => row.expires_at,
        _ => resolved,
    };
    Some((from, until.unwrap_or(Timestamp(i64::MAX))))
}

fn numbers_shown(state: &State, found: &mut Found) {
    let rows: Vec<&Activation> = state
        .truth
        .activations
        .values()
        .filter(|row| row.disclosed_at.is_some())
        .collect();
    for (place, one) in rows.iter().enumerate() {
        for other in &rows[place + 1..] {
            if one.phone != other.phone || one.account == other.account {
                continue;
            }
            if let (Some(a), Some(b)) = (reign(state, one), reign(state, other))
                && a.0 < b.1
                && b.0 < a.1
            {
                let detail = format!("orders {} and {} show one number", one.id, other.id);
                found.push(("I-29", detail));
            }
        }
    }
}

fn posted(state: &State, order: OrderId) -> i64 {
    let money = state.truth.money.get(&order);
    money.map_or(0, |money| {
        money.resolved.iter().map(|(posted, _)| posted.0).sum()
    })
}

/// An attempt counts as refused only where its upstream refused it, or where nothing was sent.
fn refusals(state: &State, index: usize, known: &Purchase, found: &mut Found) {
    for ((order, _), one) in &state.truth.tries {
        let refused = one
            .ends
            .last()
            .is_some_and(|(end, _)| *end == AttemptState::Refused);
        let harmless = ["not_sent", "id_already_linked"].contains(&one.evidence.as_str());
        let by_upstream =
            |(purchase, name): &(usize, &str)| *purchase == index && *name == one.upstream;
        if refused
            && known.orders.contains(order)
            && !harmless
            && !state.refusals.iter().any(by_upstream)
        {
            let detail = format!("order {order} was released on {:?}", one.evidence);
            found.push(("G-11", detail));
        }
    }
}

fn purchase(state: &State, index: usize, found: &mut Found) {
    let known = &state.purchases[index];
    refusals(state, index, known, found);
    told_ids(state, index, known, found);
    match known.key {
        Some(_) => keyed(state, index, known, found),
        None => keyless(state, index, known, found),
    }
    if matches!(known.wish, Wish::Number(..)) {
        codes(state, index, known, found);
    }
}

/// I-34: what was acknowledged is there.
fn told_ids(state: &State, index: usize, known: &Purchase, found: &mut Found) {
    for (_, told) in &known.told {
        let (Told::Bought(order, ..) | Told::Pending(order)) = told else {
            continue;
        };
        if !state.truth.money.contains_key(order) || !known.orders.contains(order) {
            found.push((
                "I-34",
                format!("purchase {index}: order {order} was told and is not there"),
            ));
        }
    }
}

fn keyless(state: &State, index: usize, known: &Purchase, found: &mut Found) {
    if known.was_told() {
        return;
    }
    for order in &known.orders {
        if state.untellable.contains(order) {
            continue;
        }
        let amount = posted(state, *order);
        if amount > 0 {
            let told = known.told.last();
            found.push((
                "I-17",
                format!("purchase {index}: {amount} charged after {told:?}"),
            ));
        }
    }
}

/// Refusals that are not the outcome of the request.
fn is_passing(code: &str) -> bool {
    ["storage_unavailable", "idempotency_in_progress"].contains(&code)
}

fn keyed(state: &State, index: usize, known: &Purchase, found: &mut Found) {
    if known.orders.len() > 1 {
        found.push((
            "I-24",
            format!("purchase {index}: one key, orders {:?}", known.orders),
        ));
    }
    let Some(order) = known.orders.first() else {
        return;
    };
    // what was refused before the order was written left the key free
    let row = state.truth.activations.get(order).map(|row| row.created_at);
    let written = row.or(state.truth.smm_orders.get(order).map(|row| row.created_at));
    let since = written.unwrap_or(Timestamp(0));
    let told = known.told.iter().filter(|(at, _)| *at > since);
    let finals: Vec<&Told> = told
        .map(|(_, told)| told)
        .filter(|told| match told {
            Told::Bought(..) => true,
            Told::Refused(code) => !is_passing(code),
            _ => false,
        })
        .collect();
    if finals.windows(2).any(|pair| pair[0] != pair[1]) {
        found.push((
            "I-24",
            format!("purchase {index}: two final answers, {finals:?}"),
        ));
    }
    let refused = finals.iter().any(|told| matches!(told, Told::Refused(_)));
    if refused && posted(state, *order) > 0 {
        found.push((
            "I-17",
            format!("purchase {index}: charged after {finals:?}"),
        ));
    }
    let review = settled::may_stay_in_review(state, *order);
    if finals.is_empty() && !review && !known.told.is_empty() {
        found.push((
            "I-20",
            format!("purchase {index}: the key has no final answer"),
        ));
    }
}

fn codes(state: &State, index: usize, known: &Purchase, found: &mut Found) {
    let Some(order) = known.orders.last() else {
        return;
    };
    let Some(row) = state.truth.activations.get(order) else {
        return;
    };
    let money = posted(state, *order);
    let messages = state.truth.messages.get(order).map_or(0, Vec::len);
    if (money > 0) != (messages > 0) || (money > 0) != (row.state == ActivationState::Received) {
        let state = row.state;
        found.push((
            "I-16",
            format!("order {order} {state:?}: {messages} codes, posted {money}"),
        ));
    }
    if money > row.price.0 {
        found.push((
            "I-22",
            format!("order {order}: {money} of {} posted", row.price),
        ));
    }
    if let Some(back) = known.refunded
        && (money > 0 || !known.codes.is_empty() || back != row.price)
    {
        let codes = known.codes.len();
        let detail = format!("purchase {index}: {back} refunded, {codes} codes, posted {money}");
        found.push(("I-16", detail));
    }
    for (at, code) in &known.codes {
        let one = state
            .numbers
            .iter()
            .flat_map(|market| &market.rented)
            .find(|one| one.messages.iter().any(|(_, text)| text == code));
        let Some(one) = one else {
            found.push(("I-28", format!("order {order}: code {code} does not exist")));
            continue;
        };
        if Some(&one.id) != row.upstream_id.as_ref() {
            found.push(("I-28", format!("order {order} shows a code of {}", one.id)));
        }
        if one.foreign_message && one.messages[0].1 == *code {
            found.push((
                "I-28",
                format!("order {order} shows code {code} of somebody else"),
            ));
        }
        if row.disclosed_at.is_none_or(|shown| shown > *at) {
            found.push((
                "I-28",
                format!("order {order} shows a code, but never its number"),
            ));
        }
    }
}

/// Counts of what went on.
pub fn tally(state: &State) -> Tally {
    let calls: usize = state.numbers.iter().map(|market| market.calls_total).sum();
    let doubtful = |one: &&crate::truth::Try| {
        one.ends
            .iter()
            .any(|(end, _)| *end == AttemptState::InDoubt)
    };
    let crashes: u64 = state
        .reached
        .iter()
        .filter(|((_, how), _)| how.starts_with("crash"))
        .map(|(_, count)| count)
        .sum();
    Tally {
        orders: state.truth.money.len() as u64,
        crashes,
        calls: (calls + state.panel.calls_total) as u64,
        in_doubt: state.truth.tries.values().filter(doubtful).count() as u64,
        lost: state.truth.books.get("writeoff").copied().unwrap_or(0),
        invisible: settled::invisible(state).0,
    }
}
