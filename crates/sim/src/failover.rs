//! What must hold of purchases that go on to another route: each call under an attempt of its own,
//! none after a doubt, no route twice, and the price of the route that sold.

use crate::checks::Found;
use crate::client::{Purchase, Told, Wish};
use crate::node;
use crate::numbers::quote;
use crate::panel::{self, ROUTES};
use crate::truth::Try;
use crate::world::{NUMBER_UPSTREAMS, State};
use domain::activation::Activation;
use domain::attempt::AttemptState;
use domain::ids::OrderId;
use domain::smm_order::SmmOrder;
use domain::usd::{Rate, Usd};
use std::collections::BTreeSet;

/// Classes of refusal after which another upstream may be asked.
const PASSED_ON: [&str; 3] = ["no_stock", "upstream_funds", "unreachable"];

/// I-12 at the very call: as many attempts of this purchase are durable there as calls were made.
pub fn call_has_its_attempt(state: &mut State, purchase: usize, (upstream, calls): (&str, u32)) {
    let orders = &state.purchases[purchase].orders;
    let begun = state
        .truth
        .tries
        .iter()
        .filter(|((order, _), one)| one.upstream == upstream && orders.contains(order));
    let begun = begun.count();
    if calls as usize > begun {
        let detail = format!("purchase {purchase}: call {calls} at {upstream}, {begun} attempts");
        state.violate("I-12", detail);
    }
}

/// All purchases.
pub fn all(state: &mut State, found: &mut Found) {
    let (mut reached, mut services) = (Vec::new(), Vec::new());
    for (index, purchase) in state.purchases.iter().enumerate() {
        for order in &purchase.orders {
            let tries = tries_of(state, *order);
            if let Some(row) = state.truth.smm_orders.get(order) {
                in_turn(*order, &tries, found);
                price_of_order(state, purchase, row, found);
                services.extend(service_cells(row, &tries));
            }
            let Some(row) = state.truth.activations.get(order) else {
                continue;
            };
            upstreams_differ(*order, &tries, found);
            in_turn(*order, &tries, found);
            price(state, (index, purchase), row, found);
            reached.extend(cells(purchase, &tries));
        }
    }
    for cell in reached {
        state.reach("fail-over", cell);
    }
    for cell in services {
        state.reach("service fail-over", cell);
    }
}

fn tries_of(state: &State, order: OrderId) -> Vec<&Try> {
    let of_order = state
        .truth
        .tries
        .range((order, i64::MIN)..=(order, i64::MAX));
    of_order.map(|(_, one)| one).collect()
}

fn upstreams_differ(order: OrderId, tries: &[&Try], found: &mut Found) {
    let mut upstreams = BTreeSet::new();
    for one in tries {
        if !upstreams.insert(&one.upstream) {
            let detail = format!("order {order} was sent to {} twice", one.upstream);
            found.push(("I-12", detail));
        }
    }
}

/// Each attempt but the last ended in a refusal that may be passed on, before the next began.
fn in_turn(order: OrderId, tries: &[&Try], found: &mut Found) {
    for pair in tries.windows(2) {
        let (before, next) = (pair[0], pair[1]);
        let in_order = match before.ends.as_slice() {
            [(AttemptState::Refused, at)] => *at <= next.begun_at,
            _ => false,
        };
        if !in_order {
            let detail = format!("order {order} went on after {:?}", before.ends);
            found.push(("I-13", detail));
        }
        if !PASSED_ON.contains(&before.evidence.as_str()) {
            let detail = format!("order {order} went on after {:?}", before.evidence);
            found.push(("5.1", detail));
        }
    }
}

/// I-22: price, hold and what the client is told are the route's that was tried last, and never
/// above what the client accepts.
fn price(
    state: &State,
    (index, purchase): (usize, &Purchase),
    row: &Activation,
    found: &mut Found,
) {
    let place = NUMBER_UPSTREAMS
        .iter()
        .position(|name| *name == row.upstream);
    let cost = Usd(quote(place.unwrap_or(0), &row.wanted.service_id));
    // one server before several upstreams has one price: the first one's
    let priced = match row.wanted.server.as_str() {
        "both" => Usd(quote(0, &row.wanted.service_id)),
        _ => cost,
    };
    let due = node::markup().price(priced);
    let held = state.truth.money.get(&row.id).map(|money| money.held);
    if due != Some(row.price) || held != Some(row.price) || row.cost_quote != cost {
        let detail = format!(
            "order {} at {}: price {}, due {due:?}, held {held:?}, quoted {}",
            row.id, row.upstream, row.price, row.cost_quote
        );
        found.push(("I-22", detail));
    }
    if purchase.max_price.is_some_and(|most| most < row.price) {
        let detail = format!("order {} is above {:?}", row.id, purchase.max_price);
        found.push(("I-22", detail));
    }
    for (_, told) in &purchase.told {
        if let Told::Bought(order, _, price) = told
            && *order == row.id
            && *price != row.price
        {
            let detail = format!("purchase {index} was told {price}, pays {}", row.price);
            found.push(("I-22", detail));
        }
    }
}

/// I-22 of an SMM order: the price it began with, whatever service sold it, and the quote of the one
/// that was tried last.
fn price_of_order(state: &State, purchase: &Purchase, row: &SmmOrder, found: &mut Found) {
    let Wish::Order(service, _, quantity) = &purchase.wish else {
        return;
    };
    let cost = |service: &str| panel::cost(service, *quantity);
    let due = match *service {
        flat @ "2" => node::markup().price(cost(flat)),
        first => {
            let rate = node::markup().price(panel::cost(first, 1_000));
            rate.and_then(|rate| Rate::per_1000(rate)?.charge(*quantity))
        }
    };
    let held = state.truth.money.get(&row.id).map(|money| money.held);
    let quoted = cost(&row.upstream_service);
    if due != Some(row.price) || held != due || row.cost_quote != quoted {
        let detail = format!(
            "order {} as {}: price {}, due {due:?}, held {held:?}, quoted {} for {quoted}",
            row.id, row.upstream_service, row.price, row.cost_quote
        );
        found.push(("I-22", detail));
    }
}

/// What an SMM order shows of failing over.
fn service_cells(row: &SmmOrder, tries: &[&Try]) -> Option<&'static str> {
    let last = tries.last()?;
    let doubted = |end: &(AttemptState, _)| end.0 == AttemptState::InDoubt;
    let doubted = last.ends.iter().any(doubted);
    let end = last.ends.last().map(|(end, _)| *end)?;
    let has_routes = row.service_id == ROUTES[0];
    Some(match (tries.len(), end) {
        (1, _) if doubted && has_routes => "none after an unknown outcome",
        (1, AttemptState::Refused) if has_routes && last.evidence == "our_fault" => {
            "none after a refusal that others share"
        }
        (1, _) => return None,
        (_, AttemptState::Linked) => "the next service sold, found later",
        (_, _) if doubted => "the next service is in doubt",
        (_, AttemptState::Refused) => "all services refused",
        (_, AttemptState::Done) => "the next service sold",
        _ => return None,
    })
}

/// What a purchase shows of failing over.
fn cells(purchase: &Purchase, tries: &[&Try]) -> Option<&'static str> {
    let Wish::Number(_, service) = &purchase.wish else {
        return None;
    };
    let last = tries.last()?;
    let doubted = last
        .ends
        .iter()
        .any(|(end, _)| *end == AttemptState::InDoubt);
    let end = last.ends.last().map(|(end, _)| *end)?;
    let quoted = |one: &Try| {
        let place = NUMBER_UPSTREAMS
            .iter()
            .position(|name| *name == one.upstream);
        quote(place.unwrap_or(0), service)
    };
    Some(match (tries.len(), end) {
        (1, _) if doubted && purchase.wish.has_routes() => "none after an unknown outcome",
        (1, AttemptState::Refused) if last.evidence == "our_fault" => {
            "none after a refusal that others share"
        }
        (1, _) => return None,
        (_, _) if doubted => "the next route is in doubt",
        (_, AttemptState::Refused) => "all routes refused",
        (_, AttemptState::Done) if quoted(last) > quoted(tries[0]) => "the next route sold, dearer",
        (_, AttemptState::Done) if quoted(last) < quoted(tries[0]) => {
            "the next route sold, cheaper"
        }
        _ => return None,
    })
}
