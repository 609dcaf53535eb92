//! Top-ups: one credit for each payment whatever comes in, debts paid first, an inbox that forgets
//! nothing.

use domain::change::{Refused, Write};
use domain::ids::AccountId;
use domain::ledger::Wallet;
use domain::ports::{Store, TopUpRows};
use domain::time::{Millis, Timestamp};
use domain::top_up::{
    Dispute, EventState, Processor, Reconciliation, Refund, RefundState, Reversal, ReversalCause,
    TopUp, TopUpEvent, TopUpState, TopUpWrite,
};
use domain::usd::Usd;

use super::top_up_lists::filters_narrow;
use super::{NOW, World, refused, wait};

const DOLLAR: i64 = 1_000_000;

pub(super) fn row(world: &World<'_>, account: AccountId) -> TopUp {
    let id = world.store.next_row_id();
    TopUp {
        fee: Usd(DOLLAR),
        processor_ref: Some(format!("cs_{id}")),
        pay_url: Some("https://pay.example".into()),
        due_at: Some(NOW + Millis::seconds(20)),
        ..TopUp::begun(
            id,
            account,
            (Processor::Stripe, Usd(25 * DOLLAR)),
            NOW,
            NOW + Millis::minutes(60),
        )
    }
}

fn event(world: &World<'_>, event_id: &str, row: &TopUp) -> TopUpEvent {
    TopUpEvent {
        id: world.store.next_row_id(),
        processor: row.processor,
        event_id: event_id.to_owned(),
        kind: "checkout.session.completed".into(),
        top_up: Some(row.id),
        payment_ref: None,
        raw: b"{\"id\":\"evt\"}".to_vec(),
        state: EventState::Seen,
        verdict: String::new(),
        received_at: NOW,
        due_at: Some(NOW),
        tries: 0,
    }
}

pub(super) fn insert(world: &World<'_>, row: &TopUp) {
    let write = Write::TopUp(TopUpWrite::Insert(Box::new(row.clone())));
    world.commit(vec![write]).unwrap();
}

pub(super) fn credit(row: &TopUp, payment: &str) -> Write {
    Write::TopUp(TopUpWrite::Credit {
        row: Box::new(row.paid(payment, row.amount, NOW)),
        payment: payment.to_owned(),
    })
}

fn wallet(available: i64, receivable: i64) -> Wallet {
    Wallet {
        available: Usd(available * DOLLAR),
        held: Usd::ZERO,
        receivable: Usd(receivable * DOLLAR),
        ..Wallet::default()
    }
}

/// Events of many payments, duplicated, shuffled and some of them delayed, to several nodes and
/// from several threads at once.
fn storm<S: Store + TopUpRows>(nodes: &[&S], payments: usize, deliveries: usize, threads: usize) {
    let world = World::new(nodes[0]);
    let people: Vec<AccountId> = (0..10).map(|_| world.customer(Usd::ZERO)).collect();
    let rows: Vec<TopUp> = (0..payments)
        .map(|number| row(&world, people[number % people.len()]))
        .collect();
    for some in rows.chunks(100) {
        let insert = |row: &TopUp| Write::TopUp(TopUpWrite::Insert(Box::new(row.clone())));
        world.commit(some.iter().map(insert).collect()).unwrap();
    }
    // half of the deliveries of a payment are one event again, the others are events of their own
    let mut order: Vec<(usize, usize)> = (0..payments * deliveries)
        .map(|place| (place % payments, place / payments))
        .collect();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for place in (1..order.len()).rev() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let other = usize::try_from(seed % (place as u64 + 1)).unwrap();
        order.swap(place, other);
    }
    let share = order.len().div_ceil(threads);
    std::thread::scope(|scope| {
        for (thread, part) in order.chunks(share).enumerate() {
            let (rows, node) = (&rows, nodes[thread % nodes.len()]);
            scope.spawn(move || {
                let world = World::new(node);
                for (place, (number, delivery)) in part.iter().enumerate() {
                    let kept = keep(&world, node, &rows[*number], delivery / 2);
                    // a node that dies here leaves the event to whoever takes up what is due
                    if place % 7 != 0 {
                        settle(&world, node, &rows[*number], &kept);
                    }
                }
            });
        }
    });
    std::thread::scope(|scope| {
        for node in nodes {
            let rows = &rows;
            scope.spawn(move || take_up_due(*node, rows));
        }
    });
    for who in people {
        let (mine, money) = (
            rows.iter().filter(|row| row.account == who),
            world.money(who),
        );
        let expected = i64::try_from(mine.count()).unwrap() * 25 * DOLLAR;
        assert_eq!(money, (expected, 0));
    }
    world.audited();
}

fn keep<S: Store + TopUpRows>(
    world: &World<'_>,
    store: &S,
    row: &TopUp,
    event_number: usize,
) -> TopUpEvent {
    let name = format!("evt_{}_{event_number}", row.id);
    let kept = event(world, &name, row);
    let insert = TopUpWrite::InsertEvent(Box::new(kept));
    let _ = world.commit(vec![Write::TopUp(insert)]);
    let kept = wait(store.top_up_event(row.processor, &name));
    kept.unwrap().unwrap()
}

/// Settles what was kept and is due, until nothing is.
fn take_up_due<S: Store + TopUpRows>(store: &S, rows: &[TopUp]) {
    let world = World::new(store);
    loop {
        let due = wait(store.top_up_events_due(NOW, 50)).unwrap();
        if due.is_empty() {
            return;
        }
        for event in due {
            let row = rows.iter().find(|row| event.top_up == Some(row.id));
            settle(&world, store, row.unwrap(), &event);
        }
    }
}

fn settle<S: Store + TopUpRows>(world: &World<'_>, store: &S, row: &TopUp, kept: &TopUpEvent) {
    let now = wait(store.top_up(row.id)).unwrap().unwrap();
    let done = Write::TopUp(TopUpWrite::UpdateEvent(Box::new(
        kept.settled(EventState::Done, "credited"),
    )));
    let mut writes = vec![done];
    if now.state != TopUpState::Credited {
        writes.push(credit(&now, &format!("pi_{}", row.id)));
    }
    // whoever loses a race finds the row credited at the next delivery
    let _ = world.commit(writes);
}

/// Twenty thousand deliveries.
pub(crate) fn a_storm_of_events_credits_each_payment_once<S: Store + TopUpRows>(nodes: &[&S]) {
    storm(nodes, 2_000, 10, 32);
}

pub(crate) fn a_shower_of_events_credits_each_payment_once<S: Store + TopUpRows>(store: &S) {
    storm(&[store], 40, 10, 8);
}

pub(crate) fn one_payment_is_credited_once<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd::ZERO), world.customer(Usd::ZERO));
    let (first, second) = (row(&world, ana), row(&world, bob));
    insert(&world, &first);
    insert(&world, &second);
    world.commit(vec![credit(&first, "pi_1")]).unwrap();
    // the same row again, from an old read and from a new one
    assert_eq!(
        world.commit(vec![credit(&first, "pi_1")]),
        refused(Refused::Stale)
    );
    let now = wait(store.top_up(first.id)).unwrap().unwrap();
    assert_eq!(now.state, TopUpState::Credited);
    assert_eq!(
        world.commit(vec![credit(&now, "pi_2")]),
        refused(Refused::Stale)
    );
    // the same payment for another row
    assert_eq!(
        world.commit(vec![credit(&second, "pi_1")]),
        refused(Refused::Stale)
    );
    assert_eq!((world.money(ana).0, world.money(bob).0), (25 * DOLLAR, 0));
    assert_eq!(
        wait(store.top_up_paid(Processor::Stripe, "pi_1")).unwrap(),
        Some(now.clone())
    );
    assert_eq!(
        wait(store.top_up_paid(Processor::BtcPay, "pi_1")).unwrap(),
        None
    );
    let opened = first.processor_ref.clone().unwrap();
    let found = wait(store.top_up_opened(Processor::Stripe, &opened)).unwrap();
    assert_eq!(found, Some(now));
    world.audited();
}

pub(crate) fn a_debt_grows_blocks_and_is_paid_first<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let first = row(&world, ana);
    insert(&world, &first);
    world.commit(vec![credit(&first, "pi_1")]).unwrap();
    let order = world.new_activation(ana);
    let writes = order.open(&super::PLAN);
    world.commit(writes).unwrap();
    let credited = wait(store.top_up(first.id)).unwrap().unwrap();
    let cause = (ReversalCause::Refund, "evt_1");
    let (after, reversal) = credited.reverse(Usd(26 * DOLLAR), cause).unwrap();
    let back = |row: &TopUp, reversal: &Reversal| {
        Write::TopUp(TopUpWrite::Reverse {
            row: Box::new(row.clone()),
            reversal: reversal.clone(),
        })
    };
    world.commit(vec![back(&after, &reversal)]).unwrap();
    let again = TopUp {
        version: after.version + 1,
        ..after.clone()
    };
    let twice = world.commit(vec![back(&again, &reversal)]);
    assert_eq!(twice, refused(Refused::Stale));
    let owed = super::PRICE;
    assert_eq!(world.wallet(ana).receivable, owed);
    assert_eq!(world.wallet(ana).available, Usd::ZERO);
    world.commit(vec![world.credit(ana, Usd(DOLLAR))]).unwrap();
    let blocked = world.commit(world.new_activation(ana).open(&super::PLAN));
    assert_eq!(blocked, refused(Refused::InDebt));
    let next = row(&world, ana);
    insert(&world, &next);
    world.commit(vec![credit(&next, "pi_2")]).unwrap();
    let now = world.wallet(ana);
    assert_eq!(now.receivable, Usd::ZERO);
    assert_eq!(now.available, Usd(26 * DOLLAR - owed.0));
    world
        .commit(world.new_activation(ana).open(&super::PLAN))
        .unwrap();
    world.audited();
}

pub(crate) fn a_won_dispute_comes_back_once<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let first = TopUp {
        bonus: Usd(5 * DOLLAR),
        ..row(&world, ana)
    };
    insert(&world, &first);
    let bonus = Write::TopUp(TopUpWrite::Bonus {
        row: Box::new(first.clone()),
        payment: "pi_1".into(),
    });
    world
        .commit(vec![credit(&first, "pi_1"), bonus.clone()])
        .unwrap();
    assert_eq!(world.commit(vec![bonus]), refused(Refused::Stale));
    assert_eq!(world.wallet(ana), wallet(30, 0));
    let credited = wait(store.top_up(first.id)).unwrap().unwrap();
    let cause = (ReversalCause::Dispute, "dp_1");
    let (after, reversal) = credited.reverse(Usd(26 * DOLLAR), cause).unwrap();
    let dispute = Dispute {
        processor: Processor::Stripe,
        id: "dp_1".into(),
        top_up: first.id,
        version: 1,
        withdrawn: Usd(26 * DOLLAR),
        posted: reversal.parts.amount,
        reinstated: false,
    };
    let known = |dispute: &Dispute| Write::TopUp(TopUpWrite::Dispute(Box::new(dispute.clone())));
    let take = Write::TopUp(TopUpWrite::Reverse {
        row: Box::new(after.clone()),
        reversal,
    });
    world.commit(vec![known(&dispute), take]).unwrap();
    assert_eq!(world.wallet(ana), wallet(0, 0));
    assert_eq!(world.commit(vec![known(&dispute)]), refused(Refused::Stale));
    assert_eq!(
        wait(store.disputes(first.id)).unwrap(),
        std::slice::from_ref(&dispute)
    );
    let (won, back) = after.reinstate(Usd::ZERO, &dispute).unwrap();
    let closed = Dispute {
        version: 2,
        reinstated: true,
        ..dispute
    };
    let give = Write::TopUp(TopUpWrite::Reverse {
        row: Box::new(won),
        reversal: back,
    });
    let both = vec![known(&closed), give];
    world.commit(both.clone()).unwrap();
    assert_eq!(world.commit(both), refused(Refused::Stale));
    assert_eq!(world.wallet(ana), wallet(30, 0));
    world.audited();
}

pub(crate) fn new_money_is_spent_only_once_it_is_cleared<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd::ZERO), world.customer(Usd::ZERO));
    let held = |account| TopUp {
        hold: Millis::minutes(60),
        bonus: Usd(5 * DOLLAR),
        ..row(&world, account)
    };
    let (first, second) = (held(ana), held(bob));
    for (one, payment) in [(&first, "pi_1"), (&second, "pi_2")] {
        insert(&world, one);
        let bonus = Write::TopUp(TopUpWrite::Bonus {
            row: Box::new(one.paid(payment, one.amount, NOW)),
            payment: payment.into(),
        });
        world.commit(vec![credit(one, payment), bonus]).unwrap();
    }
    let uncleared = |account| {
        let wallet = world.wallet(account);
        (wallet.available.0 / DOLLAR, wallet.uncleared.0 / DOLLAR)
    };
    assert_eq!((uncleared(ana), uncleared(bob)), ((0, 30), (0, 30)));
    let poor = world.commit(world.new_activation(ana).open(&super::PLAN));
    assert_eq!(poor, refused(Refused::InsufficientFunds));
    // what goes back is taken from what cannot be spent before anything else
    let now = wait(store.top_up(first.id)).unwrap().unwrap();
    let cause = (ReversalCause::Refund, "evt_1");
    let (after, reversal) = now.reverse(Usd(13 * DOLLAR), cause).unwrap();
    let back = Write::TopUp(TopUpWrite::Reverse {
        row: Box::new(after),
        reversal,
    });
    world.commit(vec![back]).unwrap();
    assert_eq!(uncleared(ana), (0, 15));
    assert_eq!(wait(store.uncleared(first.id)).unwrap(), Usd(15 * DOLLAR));
    // of bob's nothing is left to be cleared
    let now = wait(store.top_up(second.id)).unwrap().unwrap();
    let (after, reversal) = now.reverse(Usd(26 * DOLLAR), cause).unwrap();
    let back = Write::TopUp(TopUpWrite::Reverse {
        row: Box::new(after),
        reversal,
    });
    world.commit(vec![back]).unwrap();
    assert_eq!(world.wallet(bob), wallet(0, 0));
    let hour = NOW + Millis::minutes(60);
    assert_eq!(wait(store.next_clearing(ana)).unwrap(), Some(hour));
    assert_eq!(wait(store.top_ups_to_clear(NOW, 10)).unwrap(), []);
    let due = wait(store.top_ups_to_clear(hour, 10)).unwrap();
    assert_eq!(due.len(), 2);
    for one in due {
        let clear = || Write::TopUp(TopUpWrite::Clear(Box::new(one.cleared())));
        world.commit(vec![clear()]).unwrap();
        assert_eq!(world.commit(vec![clear()]), refused(Refused::Stale));
    }
    assert_eq!((uncleared(ana), uncleared(bob)), ((15, 0), (0, 0)));
    assert_eq!(wait(store.next_clearing(ana)).unwrap(), None);
    world
        .commit(world.new_activation(ana).open(&super::PLAN))
        .unwrap();
    world.audited();
}

pub(crate) fn what_we_return_ourselves_is_there<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let row = row(&world, ana);
    insert(&world, &row);
    world.commit(vec![credit(&row, "pi_1")]).unwrap();
    // what is spent between the look and the change
    let spent = Write::Debit {
        account: ana,
        row: store.next_row_id(),
        amount: Usd(20 * DOLLAR),
        note: "spent".into(),
    };
    world.commit(vec![spent]).unwrap();
    let now = wait(store.top_up(row.id)).unwrap().unwrap();
    let back = |dollars: i64, cause| {
        let (after, reversal) = now.reverse(Usd(dollars * DOLLAR), cause).unwrap();
        vec![Write::TopUp(TopUpWrite::Reverse {
            row: Box::new(after),
            reversal,
        })]
    };
    let own = (ReversalCause::OwnRefund, "refund-1");
    let short = refused(Refused::InsufficientFunds);
    assert_eq!(world.commit(back(26, own)), short);
    assert_eq!(world.wallet(ana), wallet(5, 0));
    world.commit(back(5, own)).unwrap();
    assert_eq!(world.wallet(ana).receivable, Usd::ZERO);
    world.audited();
}

/// Two refunds of one top-up, told to nobody yet.
pub(crate) fn due_refunds(world: &World<'_>) -> [Refund; 2] {
    let row = row(world, world.customer(Usd::ZERO));
    insert(world, &row);
    [1, 2].map(|seq| {
        let refund = Refund {
            reason: "asked for it".into(),
            ..Refund::new(row.id, seq, Usd(seq * DOLLAR), NOW + Millis(seq))
        };
        let write = TopUpWrite::Refund(Box::new(refund.clone()));
        world.commit(vec![Write::TopUp(write)]).unwrap();
        refund
    })
}

pub(crate) fn a_refund_is_told_until_it_is_answered<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let first = row(&world, ana);
    insert(&world, &first);
    let refund = Refund {
        reason: "asked for it".into(),
        ..Refund::new(first.id, 1, Usd(4 * DOLLAR), NOW)
    };
    let put = |refund: &Refund| {
        let write = TopUpWrite::Refund(Box::new(refund.clone()));
        world.commit(vec![Write::TopUp(write)])
    };
    put(&refund).unwrap();
    assert_eq!(put(&refund), refused(Refused::Stale));
    let later = NOW + Millis::minutes(60);
    assert_eq!(wait(store.refunds_due(NOW, 10)).unwrap(), []);
    let due = wait(store.refunds_due(later, 10)).unwrap();
    assert_eq!(due, std::slice::from_ref(&refund));
    let tried = refund.told(RefundState::Open, NOW);
    put(&tried).unwrap();
    assert_eq!(put(&tried), refused(Refused::Stale));
    let sent = tried.told(RefundState::Sent, NOW);
    put(&sent).unwrap();
    let by_hand = sent.told(RefundState::ByHand, NOW);
    assert_eq!(put(&by_hand), refused(Refused::Stale), "it was answered");
    assert_eq!(wait(store.refunds_due(later, 10)).unwrap(), []);
    assert_eq!(wait(store.refunds(first.id)).unwrap(), [sent]);
    world.audited();
}

pub(crate) fn a_compared_day_is_kept_once<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let compared = |unexplained: &[&str]| Reconciliation {
        processor: Processor::Stripe,
        day: Timestamp(0),
        listed: 3,
        credited: 2,
        amount: Usd(50 * DOLLAR),
        fees: Usd(2 * DOLLAR),
        paid_out: Usd(-3 * DOLLAR),
        unexplained: unexplained.iter().map(|line| (*line).to_owned()).collect(),
        failure: unexplained.is_empty().then(|| "away".to_owned()),
        at: NOW,
    };
    for one in [compared(&[]), compared(&["a", "b"])] {
        let keep = TopUpWrite::Reconciled(Box::new(one.clone()));
        world.commit(vec![Write::TopUp(keep)]).unwrap();
        let kept = wait(store.reconciliations(100)).unwrap();
        let kept: Vec<_> = kept
            .into_iter()
            .filter(|kept| kept.day == one.day)
            .collect();
        assert_eq!(kept, [one]);
    }
}

pub(crate) fn the_inbox_keeps_each_event_once<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let first = row(&world, ana);
    insert(&world, &first);
    let seen = event(&world, "evt_1", &first);
    let insert_event =
        |event: &TopUpEvent| Write::TopUp(TopUpWrite::InsertEvent(Box::new(event.clone())));
    let update = |event: TopUpEvent| Write::TopUp(TopUpWrite::UpdateEvent(Box::new(event)));
    world.commit(vec![insert_event(&seen)]).unwrap();
    let other = event(&world, "evt_1", &first);
    assert_eq!(
        world.commit(vec![insert_event(&other)]),
        refused(Refused::Stale)
    );
    let due = || wait(store.top_up_events_due(NOW, 10)).unwrap();
    assert_eq!(due(), std::slice::from_ref(&seen));
    let parked = TopUpEvent {
        payment_ref: Some("pi_1".into()),
        top_up: None,
        ..seen.waits(EventState::Parked, "no such payment yet", NOW)
    };
    world.commit(vec![update(parked.clone())]).unwrap();
    assert_eq!(due(), []);
    let paid = first.paid("pi_1", first.amount, NOW);
    let found = wait(store.top_up_events_parked(&paid, 10)).unwrap();
    assert_eq!(found, std::slice::from_ref(&parked));
    let done = parked.settled(EventState::Done, "credited");
    world.commit(vec![update(done.clone())]).unwrap();
    assert_eq!(world.commit(vec![update(done)]), refused(Refused::Stale));
    assert_eq!(wait(store.top_up_events_parked(&paid, 10)).unwrap(), []);
    world.audited();
}

pub(crate) fn lists_say_what_is_waiting<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd::ZERO), world.customer(Usd::ZERO));
    let card = row(&world, ana);
    let bank = TopUp {
        processor: Processor::Manual,
        state: TopUpState::Pending,
        processor_ref: None,
        due_at: None,
        note: "invoice 7".into(),
        ..row(&world, ana)
    };
    let failed = TopUp {
        state: TopUpState::Failed,
        due_at: None,
        ..row(&world, ana)
    };
    for one in [&card, &bank, &failed] {
        insert(&world, one);
    }
    let ids = |rows: Vec<TopUp>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(
        ids(wait(store.top_ups_of(ana, 10)).unwrap()),
        [failed.id, bank.id, card.id]
    );
    assert_eq!(ids(wait(store.top_ups_of(bob, 10)).unwrap()), []);
    filters_narrow(store, (ana, bob), [card.id, bank.id, failed.id]);
    let tomorrow = NOW + Millis::minutes(24 * 60);
    assert_eq!(ids(wait(store.top_ups_due(NOW, 10)).unwrap()), []);
    let due = wait(store.top_ups_due(NOW + Millis::seconds(20), 10)).unwrap();
    assert_eq!(ids(due), [card.id]);
    let later = card.looked_at(NOW + Millis::seconds(20));
    let update = |row: &TopUp| Write::TopUp(TopUpWrite::Update(Box::new(row.clone())));
    world.commit(vec![update(&later)]).unwrap();
    assert_eq!(world.commit(vec![update(&later)]), refused(Refused::Stale));
    world.commit(vec![credit(&later, "pi_1")]).unwrap();
    let credited = |until| {
        let found = store.top_ups_credited(Processor::Stripe, NOW, until);
        ids(wait(found).unwrap())
    };
    assert_eq!(credited(tomorrow), [card.id]);
    assert_eq!(credited(NOW), []);
    world.audited();
}
