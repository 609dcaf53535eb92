//! How an upstream answers a cancel.

use crate::rented::Origin;
use crate::world::State;
use domain::time::{Millis, Timestamp};
use domain::upstream::CancelReply;

/// The upstream processes a cancel.
pub fn cancel(state: &mut State, index: usize, id: &str, now: Timestamp) -> CancelReply {
    let market = &state.numbers[index];
    let (forgives, vague, locked) = (market.forgives, market.vague, market.locked);
    let says_how_long = state.random.chance(500);
    if !state.numbers[index].cancels {
        state.violate("F-047", format!("{id} was cancelled where nothing is"));
    }
    let Some(found) = state.numbers[index].find(id, now) else {
        return CancelReply::UnknownOrder;
    };
    let foreign = found.origin == Origin::Foreign;
    let young = found.created_at + Millis::seconds(120) - now;
    let has_message = found.message_by(now).is_some();
    let reply = if locked {
        CancelReply::TooEarly(None)
    } else if found.closed_at.is_some() {
        let over = has_message && !found.refunded && !found.keeps_money;
        if over || vague {
            CancelReply::BadTransition
        } else {
            CancelReply::Cancelled
        }
    } else if has_message && !forgives {
        CancelReply::BadTransition
    } else if young > Millis(0) {
        CancelReply::TooEarly(says_how_long.then_some(young))
    } else {
        found.close(now, true);
        CancelReply::Cancelled
    };
    if foreign {
        state.violate(
            "F-031",
            format!("activation {id} of another program was cancelled"),
        );
    }
    let name = match reply {
        CancelReply::Cancelled if has_message => "taken, with code",
        CancelReply::Cancelled => "taken",
        CancelReply::TooEarly(_) => "too early",
        CancelReply::BadTransition if has_message => "code was there",
        CancelReply::BadTransition => "over already",
        CancelReply::UnknownOrder | CancelReply::Unknown => "unknown id",
    };
    state.reach("cancel", name);
    match name {
        "taken, with code" => state.reach("race", "cancel against code, refunded"),
        "code was there" => state.reach("race", "cancel against code, code won"),
        _ => {}
    }
    reply
}
