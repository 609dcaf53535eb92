//! Bounds of accounts, attestations, and what is not to be used: all decided inside the change.

use domain::change::{Refused, Write};
use domain::ids::{AccountId, OrderId, PersonId};
use domain::policy::velocity::{Exceeded, Ordered, Velocity};
use domain::policy::{
    AbuseCase, Attestation, Behind, Blocked, BlockedKind, Counters, Harm, Held, LegalHold,
    Loosening, LooseningState, PaceCheck, PolicyWrite, RuleChange,
};
use domain::ports::{PolicyRows, Store};
use domain::time::Millis;
use domain::upstream::Sms;
use domain::usd::Usd;

use super::{NOW, PLAN, PRICE, World, api_key, number, refused, smm_plan, wait};

const FUNDS: Usd = Usd(10_000_000);

fn pace(account: AccountId, ordered: Ordered, attestation: Option<u32>) -> Write {
    Write::Policy(PolicyWrite::KeepPace(Box::new(PaceCheck {
        account,
        velocity: Velocity::of_tier(1),
        ordered,
        attestation,
    })))
}

fn discord() -> Ordered {
    Ordered::Number {
        service: "Discord".into(),
        country: "pk".into(),
        price: PRICE,
    }
}

fn too_fast(bound: &'static str, after: Millis) -> super::Outcome {
    refused(Refused::TooFast(Exceeded {
        bound,
        again_at: NOW + after,
    }))
}

pub(crate) fn sixty_four_at_once_never_pass_a_bound(store: &dyn Store) {
    sixty_four_over(&[store]);
}

/// P-4: so many clients at once, spread over these nodes of one database.
pub(crate) fn sixty_four_over(nodes: &[&dyn Store]) {
    let world = World::new(nodes[0]);
    let account = world.customer(FUNDS);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..64)
            .map(|client: usize| {
                let node = nodes[client % nodes.len()];
                scope.spawn(move || {
                    let world = World::new(node);
                    let open = world.new_activation(account).open(&PLAN);
                    let writes = [pace(account, discord(), None)].into_iter().chain(open);
                    world.commit(writes.collect())
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let sold = outcomes.iter().filter(|one| one.is_ok()).count();
    assert_eq!(sold, 5, "five may be open at tier 1");
    let over = too_fast("open_activations", Millis::seconds(60));
    assert!(outcomes.iter().all(|one| one.is_ok() || *one == over));
    assert_eq!(world.money(account).1, 5 * PRICE.0);
    world.audited();
}

pub(crate) fn the_past_counts_as_it_was(store: &dyn Store) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let opened = |after: i64| {
        let at = NOW + Millis::minutes(after);
        let open = world.new_activation(account);
        let (id, open) = (open.id, open.open(&PLAN));
        let writes = [pace(account, discord(), None)].into_iter().chain(open);
        world.commit_at(at, writes.collect()).map(|()| id)
    };
    for one in 0..10 {
        let id = opened(one).unwrap();
        let closed = world
            .activation(id)
            .closed_upstream(domain::change::Reason::Expired);
        world.commit_at(NOW + Millis::minutes(one), closed).unwrap();
    }
    // all of them were ordered at NOW, whenever they were committed
    let over = opened(10).unwrap_err();
    let domain::change::CommitError::Refused(Refused::TooFast(over)) = over else {
        panic!("{over:?}");
    };
    assert_eq!(over.bound, "same_offer_per_day");
    assert_eq!(over.again_at, NOW + Millis::minutes(24 * 60));
    assert!(opened(24 * 60).is_ok(), "a day later there is room");
}

pub(crate) fn a_purpose_is_asked_for_once<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let open = || {
        let open = world.new_activation(account).open(&PLAN);
        let asked = [pace(account, discord(), Some(2))];
        world.commit(asked.into_iter().chain(open).collect())
    };
    let attest = |version: u32| {
        let attestation = Attestation {
            id: store.next_row_id(),
            account,
            version,
            purpose: "testing our own sign-up".into(),
            at: NOW,
        };
        let write = PolicyWrite::Attest(Box::new(attestation.clone()));
        world.commit(vec![Write::Policy(write)]).unwrap();
        attestation
    };
    assert_eq!(open(), refused(Refused::NotAttested));
    let old = attest(1);
    assert_eq!(open(), refused(Refused::NotAttested), "an older statement");
    let new = attest(2);
    assert_eq!(open(), Ok(()));
    assert_eq!(wait(store.attestations(account)).unwrap(), [new, old]);
    let nobody = PolicyWrite::Attest(Box::new(Attestation {
        id: store.next_row_id(),
        account: AccountId(987_654),
        version: 1,
        purpose: "nobody".into(),
        at: NOW,
    }));
    let written = world.commit(vec![Write::Policy(nobody)]);
    assert_eq!(written, refused(Refused::NoSuchAccount));
}

fn block(world: &World<'_>, kind: BlockedKind, value: &str) -> Blocked {
    let blocked = Blocked {
        id: world.store.next_row_id(),
        kind,
        value: value.into(),
        why: "its owner asked".into(),
        at: NOW,
    };
    let write = PolicyWrite::Block(Box::new(blocked.clone()));
    world.commit(vec![Write::Policy(write)]).unwrap();
    blocked
}

pub(crate) fn nobody_is_given_what_is_blocked<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let number_row = block(&world, BlockedKind::Number, "923001234567");
    let target = block(&world, BlockedKind::Target, "instagram.com/owner");
    block(&world, BlockedKind::Target, "instagram.com/owner");
    assert_eq!(
        wait(store.blocked(10)).unwrap(),
        [target, number_row],
        "once, however often it is asked for"
    );

    let sold = number("77", "+92 300 1234567");
    let calling = world.calling(account);
    let shown = calling.clone().bought(&sold, &PLAN, NOW, "raw".into());
    assert_eq!(world.commit(shown), refused(Refused::NumberTaken));

    let order = || world.new_smm_order(account, "https://www.instagram.com/owner/");
    let placed = world.commit(order().open(&smm_plan()));
    assert_eq!(placed, refused(Refused::TargetBlocked));
    let unblock = || {
        let (kind, value) = (BlockedKind::Target, "instagram.com/owner".into());
        let write = PolicyWrite::Unblock {
            kind,
            value,
            at: NOW,
        };
        world.commit(vec![Write::Policy(write)])
    };
    assert_eq!(unblock(), Ok(()));
    assert_eq!(unblock(), refused(Refused::Stale));
    assert_eq!(world.commit(order().open(&smm_plan())), Ok(()));
    world.audited();
}

pub(crate) fn there_is_room_for_so_many_keys(store: &dyn Store) {
    let world = World::new(store);
    let account = world.customer(Usd::ZERO);
    let add = |most: u32| {
        let key = api_key(store.next_row_id(), account);
        let id = key.id;
        let room = PolicyWrite::RoomForKey { account, most };
        let writes = vec![Write::Policy(room), Write::InsertKey(Box::new(key))];
        world.commit(writes).map(|()| id)
    };
    let first = add(2).unwrap();
    add(2).unwrap();
    assert_eq!(add(2).map(|_| ()), refused(Refused::TooManyKeys));
    world
        .commit(vec![Write::RevokeKey {
            account,
            key: first,
        }])
        .unwrap();
    assert!(add(2).is_ok());
}

fn policy(write: PolicyWrite) -> Vec<Write> {
    vec![Write::Policy(write)]
}

pub(crate) fn what_a_later_version_loosened_is_passed_over<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let asked = RuleChange {
        id: store.next_row_id(),
        what: Loosening::Bound {
            tier: 9,
            bound: "keys",
            to: 5,
        },
        reason: "a contract".into(),
        asked_by: PersonId(1),
        asked_at: NOW,
        state: LooseningState::Asked,
        decided_by: None,
        decided_at: None,
    };
    let (subject, figure) = asked.what.parts();
    assert_eq!(Loosening::parse(&subject, figure), None, "{subject}");
    let id = asked.id;
    let granted = RuleChange {
        state: LooseningState::Granted,
        decided_by: Some(PersonId(2)),
        decided_at: Some(NOW),
        ..asked.clone()
    };
    let unknown = || {
        let known = wait(store.in_force()).unwrap().loosened;
        let listed = wait(store.rule_changes(99)).unwrap();
        let mut all = known.into_iter().chain(listed);
        assert!(all.all(|change| change.id != id));
        assert_eq!(wait(store.rule_change(id)).unwrap(), None);
    };
    let ask = PolicyWrite::AskLoosening(Box::new(asked));
    world.commit(policy(ask)).unwrap();
    unknown();
    let grant = PolicyWrite::DecideLoosening(Box::new(granted));
    world.commit(policy(grant)).unwrap();
    unknown();
}

pub(crate) fn a_report_is_kept_closed_once_and_counted<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let case = AbuseCase {
        id: store.next_row_id(),
        receipt: "abcdefgh".into(),
        kind: BlockedKind::Number,
        subject: "923001234567".into(),
        harm: Harm::Health,
        what: "somebody ordered in my name".into(),
        contact: "eve@example.com".into(),
        happened_at: Some(NOW),
        behind: Some(Behind {
            order: OrderId(7),
            account: AccountId(8),
            class: "unclassified/otp.unclassified_sold".into(),
        }),
        suspended: true,
        opened_at: NOW,
        closed_at: None,
        note: None,
    };
    let open = PolicyWrite::OpenCase(Box::new(case.clone()));
    world.commit(policy(open)).unwrap();
    assert_eq!(wait(store.abuse_case(case.id)).unwrap(), Some(case.clone()));
    assert_eq!(
        wait(store.abuse_cases(true, 9)).unwrap(),
        std::slice::from_ref(&case)
    );
    let close = || {
        policy(PolicyWrite::CloseCase {
            case: case.id,
            note: "settled".into(),
        })
    };
    world.commit_at(NOW + Millis::minutes(90), close()).unwrap();
    assert_eq!(world.commit(close()), refused(Refused::Stale));
    assert!(wait(store.abuse_cases(true, 9)).unwrap().is_empty());
    assert_eq!(
        wait(store.abuse_cases(false, 9)).unwrap()[0]
            .note
            .as_deref(),
        Some("settled")
    );
    for more in [2, 3] {
        let denials = vec![("money".to_owned(), more), ("dating".to_owned(), 1)];
        world
            .commit(policy(PolicyWrite::CountDenials(denials)))
            .unwrap();
    }
    let counters = Counters {
        orders: 0,
        denials: vec![("dating".into(), 2), ("money".into(), 5)],
        reports: 1,
        suspensions: 1,
        response: Some(Millis::minutes(90)),
    };
    assert_eq!(wait(store.policy_counters()).unwrap(), counters);
}

pub(crate) fn a_number_is_forgotten_unless_it_is_held<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let order = world.active(account, &number("u1", "+923001234567"));
    let number = order.phone.clone().unwrap();
    let holding = |at| wait(store.activation_holding(number.digits(), at)).unwrap();
    for at in [Some(NOW), None] {
        let found = holding(at).unwrap();
        assert_eq!((found.order, found.account), (order.id, account));
    }
    assert_eq!(holding(Some(NOW - Millis::minutes(60))), None);
    assert_eq!(holding(Some(NOW + Millis::minutes(60))), None);
    let later = NOW + Millis::minutes(60);
    let due = |account| wait(store.numbers_to_forget(account, later, 9)).unwrap();
    assert_eq!(due(None), [], "what is open keeps its number");

    let bank = Sms {
        code: "Harbor Bank: 1234".into(),
        text: None,
    };
    let ended = order.clone().message_seen(bank, &PLAN, NOW);
    world.commit(ended).unwrap();
    assert_eq!(due(None).len(), 1);
    assert_eq!(due(Some(AccountId(account.0 + 1))), []);
    for held in [Held::Order(order.id), Held::Account(account)] {
        let hold = LegalHold {
            id: store.next_row_id(),
            held,
            why: "a court".into(),
            at: NOW,
            case: None,
        };
        world
            .commit(policy(PolicyWrite::Hold(Box::new(hold.clone()))))
            .unwrap();
        assert_eq!(wait(store.legal_holds(9)).unwrap(), [hold]);
        assert_eq!(due(Some(account)), []);
        world.commit(policy(PolicyWrite::Release(held))).unwrap();
        let again = world.commit(policy(PolicyWrite::Release(held)));
        assert_eq!(again, refused(Refused::Stale));
    }
    let forgotten = vec![(order.id, "5ea1ed".to_owned())];
    world
        .commit(policy(PolicyWrite::ForgetNumbers(forgotten)))
        .unwrap();
    let kept = wait(store.activation(order.id)).unwrap().unwrap();
    assert_eq!(kept.phone, None);
    assert_eq!(due(None), []);
    world.audited();
}
