//! By when background work must have come to something: what is older needs a person.

use crate::activation::{Activation, ActivationState, Plan};
use crate::orphan::Orphan;
use crate::smm_order::{SmmOrder, SmmState};
use crate::time::{Millis, Timestamp};

/// Time for the list that follows the end of a window: with it a purchase in doubt is settled.
const OF_DOUBT: Millis = Millis::minutes(5);

/// Time after the end of a lifetime in which its upstream has to say how it ended.
const OF_CLOSING: Millis = Millis::minutes(15);

/// Time for an orphan: it outlives its lifetime at its upstream by far.
const OF_ORPHAN: Millis = Millis::minutes(60);

/// Time for a panel to answer the cancel of what is undone, and to say anything of an order at all.
const OF_PANEL: Millis = Millis::minutes(60);

/// By when a purchase whose window ends at this moment must be settled.
pub fn of_doubt(window_ends: Timestamp) -> Timestamp {
    window_ends + OF_DOUBT
}

/// By when what an activation waits for must have come to something; nothing where it waits for its
/// customer, or for nothing.
pub fn of_activation(activation: &Activation, plan: &Plan) -> Option<Timestamp> {
    use ActivationState as S;
    match activation.state {
        S::InDoubt => activation.in_doubt_until.map(of_doubt),
        S::CancelRequested | S::Undo => {
            let usual = activation.created_at + plan.lifetime;
            Some(activation.expires_at.unwrap_or(usual) + OF_CLOSING)
        }
        S::Calling | S::Active | S::Received | S::Cancelled | S::Failed => None,
    }
}

/// By when an orphan must be cancelled or known to be lost.
pub fn of_orphan(orphan: &Orphan) -> Timestamp {
    orphan.found_at + OF_ORPHAN
}

/// By when what an SMM order waits for must have come to something: its evidence, or the answer to
/// the cancel of what is undone. One that is delivered may take as long as it takes.
pub fn of_smm_order(order: &SmmOrder) -> Option<Timestamp> {
    match order.state {
        SmmState::InDoubt => order.in_doubt_until.map(of_doubt),
        SmmState::Undo => order.resolved_at.map(|undone_at| undone_at + OF_PANEL),
        _ => None,
    }
}

/// By when a panel that was last heard of an unsettled order then has to say something of it again.
pub fn of_silence(since: Timestamp) -> Timestamp {
    since + OF_PANEL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::tests::shown;
    use crate::smm_order::tests::order;

    #[test]
    fn an_smm_order_is_late_where_its_panel_owes_an_answer() {
        let at = Timestamp(5_000_000);
        for state in SmmState::ALL {
            let row = SmmOrder {
                state,
                in_doubt_until: Some(at),
                resolved_at: Some(at),
                ..order()
            };
            let after = match state {
                SmmState::InDoubt => Some(Millis::minutes(5)),
                SmmState::Undo => Some(Millis::minutes(60)),
                _ => None,
            };
            assert_eq!(of_smm_order(&row), after.map(|span| at + span), "{state:?}");
        }
    }

    #[test]
    fn what_waits_for_an_upstream_has_a_deadline_and_what_waits_for_a_customer_has_none() {
        use ActivationState as S;
        let plan = Plan {
            lease: Millis(1),
            in_doubt_window: Millis(1),
            min_cancel_age: Millis(1),
            lifetime: Millis::minutes(20),
            retry: Millis(1),
        };
        let ends = Timestamp(5_000_000);
        let of = |state| {
            let mut row = shown();
            (row.state, row.in_doubt_until, row.expires_at) = (state, Some(ends), None);
            let made = row.created_at;
            of_activation(&row, &plan).map(|at| (at - made, at - ends))
        };
        let closing = Millis::minutes(35);
        assert_eq!(of(S::InDoubt).unwrap().1, Millis::minutes(5));
        for state in [S::CancelRequested, S::Undo] {
            assert_eq!(of(state).unwrap().0, closing);
        }
        for state in [S::Calling, S::Active, S::Received, S::Cancelled, S::Failed] {
            assert_eq!(of(state), None);
        }
    }
}
