//! Legal holds, retention and deletion: what is kept although its time is over, and what goes.

use domain::change::{Refused, Write};
use domain::ids::{AccountId, OrderId};
use domain::policy::{AbuseCase, Behind, BlockedKind, Harm, Held, LegalHold, PolicyWrite};
use domain::ports::{PolicyRows, Store};
use domain::usd::Usd;

use super::{NOW, World, number, refused, wait};

const FUNDS: Usd = Usd(10_000_000);

fn policy(write: PolicyWrite) -> Vec<Write> {
    vec![Write::Policy(write)]
}

fn hold<S: Store>(store: &S, held: Held, why: &str, case: Option<i64>) -> PolicyWrite {
    PolicyWrite::Hold(Box::new(LegalHold {
        id: store.next_row_id(),
        held,
        why: why.to_owned(),
        at: NOW,
        case,
    }))
}

/// A report about an order with its hold, as one change.
fn report<S: Store>(store: &S, (order, account): (OrderId, AccountId)) -> (i64, Vec<Write>) {
    let id = store.next_row_id();
    let receipt = format!("receipt{id}");
    let why = format!("evidence of report {receipt}");
    let open = PolicyWrite::OpenCase(Box::new(AbuseCase {
        id,
        receipt,
        kind: BlockedKind::Number,
        subject: "923001234567".into(),
        harm: Harm::Other,
        what: "somebody ordered in my name".into(),
        contact: "eve@example.com".into(),
        happened_at: None,
        behind: Some(Behind {
            order,
            account,
            class: "social_messaging/otp.limit".into(),
        }),
        suspended: false,
        opened_at: NOW,
        closed_at: None,
        note: None,
    }));
    let held = hold(store, Held::Order(order), &why, Some(id));
    (id, vec![Write::Policy(held), Write::Policy(open)])
}

pub(crate) fn each_hold_ends_by_itself<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let order = world.active(account, &number("u1", "+923001234567")).id;
    let held = Held::Order(order);
    let reasons = || {
        let holds = wait(store.legal_holds(9)).unwrap();
        let mut reasons: Vec<_> = holds.into_iter().map(|one| (one.case, one.why)).collect();
        reasons.sort();
        reasons
    };
    let close = |case| {
        let note = "settled".to_owned();
        world.commit(policy(PolicyWrite::CloseCase { case, note }))
    };
    let release = || world.commit(policy(PolicyWrite::Release(held)));
    let police = (None, "the police".to_owned());
    for first_is_closed_first in [true, false] {
        let (first, writes) = report(store, (order, account));
        world.commit(writes).unwrap();
        assert_eq!(release(), refused(Refused::Stale), "it is the report's");
        for _asked_twice in 0..2 {
            let asked = hold(store, held, &police.1, None);
            world.commit(policy(asked)).unwrap();
        }
        let (second, writes) = report(store, (order, account));
        world.commit(writes).unwrap();
        assert_eq!(reasons().len(), 3);
        let (one, other) = match first_is_closed_first {
            true => (first, second),
            false => (second, first),
        };
        close(one).unwrap();
        let left: Vec<_> = reasons().into_iter().map(|(case, _)| case).collect();
        assert_eq!(left, [None, Some(other)]);
        close(other).unwrap();
        assert_eq!(reasons(), std::slice::from_ref(&police));
        release().unwrap();
        assert_eq!(reasons(), []);
    }
}
