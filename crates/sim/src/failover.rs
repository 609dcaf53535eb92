//! What must hold of purchases that go on to another route: each call under an attempt of its own,
//! none after a doubt, no route twice, and the price of the route that sold.

use crate::checks::Found;
use crate::client::{Purchase, Told, Wish};
use crate::node;
use crate::numbers::quote;
use crate::truth::Try;
use crate::world::{NUMBER_UPSTREAMS, State};
use domain::activation::Activation;
use domain::attempt::AttemptState;
use domain::ids::OrderId;
use domain::usd::Usd;
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

/// All purchases of numbers.
pub fn all(state: &mut State, found: &mut Found) {
    let mut reached = Vec::new();
    for (index, purchase) in state.purchases.iter().enumerate() {
        for order in &purchase.orders {
            let Some(row) = state.truth.activations.get(order) else {
                continue;
            };
            let tries = tries_of(state, *order);
            in_turn(*order, &tries, found);
            price(state, (index, purchase), row, found);
            reached.extend(cells(purchase, &tries));
        }
    }
    for cell in reached {
        state.reach("fail-over", cell);
    }
}

fn tries_of(state: &State, order: OrderId) -> Vec<&Try> {
    let of_order = state
        .truth
        .tries
        .range((order, i64::MIN)..=(order, i64::MAX));
    of_order.map(|(_, one)| one).collect()
}

/// Each attempt but the last ended in a refusal that may be passed on, before the next began.
fn in_turn(order: OrderId, tries: &[&Try], found: &mut Found) {
    let mut upstreams = BTreeSet::new();
    for one in tries {
        if !upstreams.insert(&one.upstream) {
            let detail = format!("order {order} was sent to {} twice", one.upstream);
            found.push(("I-12", detail));
        }
    }
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
