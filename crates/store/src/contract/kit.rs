//! The sixteen checks of the public ledger conformance kit. Each is also put to ledgers with one planted
//! defect: it has to notice its own and no other.

mod ledger;

use std::collections::BTreeMap;

use domain::access::{KeptAnswer, KeyClaim};
use domain::change::{CommitError, Refused, Write};
use domain::desk::JournalEvent;
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Book, Cause, Entry, Posting};
use domain::order::Failure;
use domain::time::{Millis, Timestamp};
use domain::top_up::Sum;
use domain::usd::Usd;

use self::ledger::{Defect, Ledger};
use super::pages::partial;
use super::{NOW, PLAN, PRICE, World, number, refused};
use crate::Database;
use crate::chain::{Event, Link, START, extend};

type Found = Result<(), String>;
type Check = fn(&Ledger<'_>) -> Found;

fn equal<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, is: &T, should: &T) -> Found {
    match is == should {
        true => Ok(()),
        false => Err(format!("{what}: {is:?} instead of {should:?}")),
    }
}

fn debit(ledger: &Ledger<'_>, account: AccountId, amount: Usd) -> Write {
    Write::Debit {
        account,
        row: ledger.world.store.next_row_id(),
        amount,
        note: "taken back".into(),
    }
}

/// A change that opens an order.
fn buy(ledger: &Ledger<'_>, account: AccountId) -> (OrderId, Vec<Write>) {
    let order = ledger.world.new_activation(account);
    (order.id, order.open(&PLAN))
}

/// A customer of everything: a credit, an order that failed, one that is open, and one that was
/// received.
fn busy_customer(ledger: &Ledger<'_>) -> Result<AccountId, String> {
    let world = &ledger.world;
    let ana = world.customer(Usd::ZERO);
    let done = |writes| equal("written", &ledger.apply(writes), &Ok(()));
    done(vec![world.credit(ana, Usd(PRICE.0 * 4))])?;
    let (failed, opened) = buy(ledger, ana);
    done(opened)?;
    done(
        world
            .activation(failed)
            .refused(Failure::NoNumbers, "no_stock", "raw".into()),
    )?;
    done(buy(ledger, ana).1)?;
    let (received, opened) = buy(ledger, ana);
    done(opened)?;
    let bought = number(
        &format!("kit{received}"),
        &format!("+92300{:07}", received.0),
    );
    done(
        world
            .activation(received)
            .bought(&bought, &PLAN, NOW, "raw".into()),
    )?;
    let sms = domain::upstream::Sms {
        code: "1234".into(),
        text: None,
    };
    done(world.activation(received).message_seen(sms, &PLAN, NOW))?;
    Ok(ana)
}

/// What the legs of a customer sum up to: available and held.
fn sums(events: &[JournalEvent]) -> (i64, i64) {
    let of = |book: &str| {
        let legs = events.iter().flat_map(|event| &event.legs);
        let legs = legs.filter(|(name, _, _)| name == book);
        legs.map(|(_, _, amount)| amount.0).sum()
    };
    (of("available"), of("held"))
}

/// Check 1: no entry whose legs do not sum to zero.
fn transactions_balance(ledger: &Ledger<'_>) -> Found {
    let ana = busy_customer(ledger)?;
    let lopsided = Entry {
        cause: Cause::UpstreamCost(OrderId(ledger.world.store.next_row_id()), 0),
        postings: vec![Posting {
            book: Book::Sales,
            amount: Usd(1),
        }],
    };
    let outcome = ledger.apply(vec![Write::Book(lopsided)]);
    let faulty = matches!(outcome, Err(CommitError::Storage(_)));
    equal("an entry that does not balance is refused", &faulty, &true)?;
    for event in ledger.events(ana) {
        let sum: i64 = event.legs.iter().map(|leg| leg.2.0).sum();
        equal(&format!("sum of event {}", event.id), &sum, &0)?;
    }
    Ok(())
}

/// Check 2: what was written stays as it was.
fn history_is_only_appended_to(ledger: &Ledger<'_>) -> Found {
    let ana = busy_customer(ledger)?;
    let before = ledger.events(ana);
    let credit = ledger.world.credit(ana, Usd(9));
    equal("credit", &ledger.apply(vec![credit]), &Ok(()))?;
    let after = ledger.events(ana);
    equal("events", &after.len(), &(before.len() + 1))?;
    equal("what was there", &after[..before.len()], &before[..])
}

/// The chain over a customer's legs of these events.
fn chained(ana: AccountId, events: &[JournalEvent]) -> Link {
    let mut link = START;
    for event in events {
        let head = Event {
            kind: &event.kind,
            reference: event.reference,
            seq: event.seq,
            at: event.at,
        };
        for (book, _, amount) in &event.legs {
            let book = match book.as_str() {
                "available" => Book::Available(ana),
                "held" => Book::Held(ana),
                _ => continue,
            };
            let leg = Posting {
                book,
                amount: *amount,
            };
            link = extend(&link, head, ana, &leg);
        }
    }
    link
}

/// Check 3: the stored chain is that of the events, and of no others.
fn events_are_chained(ledger: &Ledger<'_>) -> Found {
    let ana = busy_customer(ledger)?;
    let (events, stored) = (ledger.events(ana), ledger.link(ana));
    equal("the chain", &chained(ana, &events), &stored)?;
    for place in 0..events.len() {
        let (mut edited, mut missing) = (events.clone(), events.clone());
        edited[place].at = edited[place].at + Millis(1);
        missing.remove(place);
        for forged in [edited, missing] {
            equal("unnoticed", &(chained(ana, &forged) == stored), &false)?;
        }
    }
    Ok(())
}

/// Check 4: what comes again counts once.
fn repeats_change_nothing(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd::ZERO);
    let credit = ledger.world.credit(ana, Usd(7));
    equal("first", &ledger.apply(vec![credit.clone()]), &Ok(()))?;
    for _ in 0..3 {
        let again = ledger.apply(vec![credit.clone()]).is_ok();
        equal("counted again", &again, &false)?;
    }
    equal("available", &ledger.money(ana), &(7, 0))
}

/// Check 5: of 64 equal changes at once one counts.
fn duplicates_at_once(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd::ZERO);
    let credit = ledger.world.credit(ana, Usd(7));
    let outcomes = ledger.at_once(64, |_| vec![credit.clone()]);
    let applied = outcomes.iter().filter(|one| one.is_ok()).count();
    equal(
        "applied, available",
        &(applied, ledger.money(ana)),
        &(1, (7, 0)),
    )
}

/// Check 6: 500 credits of one account at once are all there.
fn a_hot_account(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd::ZERO);
    let outcomes = ledger.at_once(500, |_| vec![ledger.world.credit(ana, Usd(3))]);
    let applied = outcomes.iter().filter(|one| one.is_ok()).count();
    let expected = (500, (1_500, 0));
    equal(
        "applied, available",
        &(applied, ledger.money(ana)),
        &expected,
    )
}

/// Check 7: 400 transfers among eight accounts at once keep what there is.
fn transfers_conserve_value(ledger: &Ledger<'_>) -> Found {
    let people: Vec<_> = (0..8).map(|_| ledger.world.customer(Usd(1_000))).collect();
    let outcomes = ledger.at_once(400, |place| {
        let (from, to) = (people[place % 8], people[(place * 3 + 1) % 8]);
        let amount = Usd(i64::try_from(place).unwrap() % 90 + 2);
        vec![debit(ledger, from, amount), ledger.world.credit(to, amount)]
    });
    let known = |one: &_| *one == Ok(()) || *one == refused(Refused::InsufficientFunds);
    equal("outcomes are known", &outcomes.iter().all(known), &true)?;
    let wallets: Vec<_> = people.iter().map(|one| ledger.money(*one).0).collect();
    equal("nobody owes", &wallets.iter().all(|one| *one >= 0), &true)?;
    equal("in all", &wallets.iter().sum(), &8_000)
}

/// Check 8: what is shown is what the journal sums up to.
fn the_balance_is_the_journal(ledger: &Ledger<'_>) -> Found {
    let ana = busy_customer(ledger)?;
    let writes = vec![debit(ledger, ana, Usd(11))];
    equal("debit", &ledger.apply(writes), &Ok(()))?;
    partial(&ledger.world, ana, |at, writes| ledger.apply_at(at, writes));
    equal("wallet", &ledger.money(ana), &sums(&ledger.events(ana)))
}

/// Check 9: of 20 withdrawals at once from funds for 10, ten are paid.
fn withdrawals_stop_at_the_funds(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd(1_000));
    let outcomes = ledger.at_once(20, |_| vec![debit(ledger, ana, Usd(100))]);
    let paid = outcomes.iter().filter(|one| one.is_ok()).count();
    equal("paid", &paid, &10)?;
    let short = refused(Refused::InsufficientFunds);
    let refusals = outcomes.iter().filter(|one| **one == short).count();
    equal("refused", &refusals, &10)?;
    equal("left", &ledger.money(ana), &(0, 0))
}

/// Check 10: 1,000 movements of one micro-dollar are a thousand micro-dollars.
fn small_amounts_are_exact(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd::ZERO);
    for _ in 0..10 {
        let hundred = (0..100).map(|_| ledger.world.credit(ana, Usd(1)));
        equal("credits", &ledger.apply(hundred.collect()), &Ok(()))?;
    }
    equal("available", &ledger.money(ana), &(1_000, 0))
}

/// Check 11: what is no dollars is not counted as dollars.
fn currencies_do_not_mix(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd::ZERO);
    for currency in ["usd", "eur", "jpy", "USDT"] {
        let sum = Sum {
            minor: 500,
            currency: currency.into(),
        };
        if let Some(amount) = ledger.dollars(&sum) {
            let credit = ledger.world.credit(ana, amount);
            equal("credit", &ledger.apply(vec![credit]), &Ok(()))?;
        }
    }
    equal("available", &ledger.money(ana), &(5_000_000, 0))
}

/// Check 12: a reversal is a movement of its own; what it reverses stays.
fn reversals_compensate(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd::ZERO);
    let credit = ledger.world.credit(ana, Usd(77));
    equal("credit", &ledger.apply(vec![credit]), &Ok(()))?;
    let back = debit(ledger, ana, Usd(77));
    equal("reversal", &ledger.apply(vec![back]), &Ok(()))?;
    let events = ledger.events(ana);
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    equal("events", &kinds, &vec!["credit", "debit"])?;
    let sums = (sums(&events[..1]), sums(&events));
    equal("before and after", &sums, &((77, 0), (0, 0)))
}

/// Check 13: wallet and open holds follow from the events alone.
fn the_journal_rebuilds_all(ledger: &Ledger<'_>) -> Found {
    let ana = busy_customer(ledger)?;
    let mut open = BTreeMap::new();
    let events = ledger.events(ana);
    for event in &events {
        match event.kind.as_str() {
            "hold" => {
                open.insert(event.reference, sums(std::slice::from_ref(event)).1);
            }
            "resolution" => {
                open.remove(&event.reference);
            }
            _ => {}
        }
    }
    let holds = ledger.open_holds(ana);
    let shown = holds.iter().map(|hold| (hold.order.0, hold.amount.0));
    equal("open holds", &shown.collect::<BTreeMap<_, _>>(), &open)?;
    let held: i64 = open.values().sum();
    equal("wallet", &ledger.world.money(ana), &(sums(&events).0, held))
}

/// Check 14: movements of an account stand in the order in which they were written.
fn an_account_has_one_order(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd::ZERO);
    for amount in 1..=20 {
        let credit = ledger.world.credit(ana, Usd(amount + 1));
        equal("credit", &ledger.apply(vec![credit]), &Ok(()))?;
    }
    let rows = ledger.statement(ana);
    let amounts: Vec<i64> = rows.iter().rev().map(|row| row.available.0).collect();
    equal("order", &amounts, &(2..=21).collect())?;
    let follows = |pair: &[domain::ports::Movement]| pair[0].previous == Some(pair[1].event);
    equal(
        "each names the one before",
        &rows.windows(2).all(follows),
        &true,
    )
}

fn claim(account: AccountId, key: &str, answer: KeptAnswer) -> Write {
    Write::Claim(KeyClaim {
        account,
        endpoint: "/otp buy".into(),
        key: key.into(),
        fingerprint: [1; 32],
        answer,
        expires_at: NOW + Millis(1),
    })
}

/// Check 15: 32 duplicates of a purchase without funds stay refused, at once and after the money
/// came, for its key remembers the refusal.
fn duplicates_of_a_refusal(ledger: &Ledger<'_>) -> Found {
    let world = &ledger.world;
    let ana = world.customer(Usd(PRICE.0 - 1));
    let (id, opened) = buy(ledger, ana);
    let mut purchase = vec![claim(ana, "once", KeptAnswer::Order(id))];
    purchase.extend(opened);
    let outcomes = ledger.at_once(32, |_| purchase.clone());
    let without_funds = refused(Refused::InsufficientFunds);
    let refusals = outcomes.iter().filter(|one| **one == without_funds).count();
    equal("refused at once", &refusals, &32)?;
    let kept = vec![claim(ana, "once", KeptAnswer::InsufficientFunds)];
    equal("kept", &ledger.apply(kept), &Ok(()))?;
    let pay = vec![world.credit(ana, PRICE)];
    equal("paid in", &ledger.apply(pay), &Ok(()))?;
    let outcomes = ledger.at_once(32, |_| purchase.clone());
    let taken = refused(Refused::KeyTaken);
    let refusals = outcomes.iter().filter(|one| **one == taken).count();
    equal("refused with funds", &refusals, &32)?;
    equal("untouched", &ledger.money(ana), &(2 * PRICE.0 - 1, 0))
}

/// Check 16: a claim on a key goes with a change that is refused, and ends at its time.
fn claims_end(ledger: &Ledger<'_>) -> Found {
    let ana = ledger.world.customer(Usd(PRICE.0 - 1));
    let (id, opened) = buy(ledger, ana);
    let mut purchase = vec![claim(ana, "again", KeptAnswer::Order(id))];
    purchase.extend(opened);
    let short = refused(Refused::InsufficientFunds);
    equal("refused", &ledger.apply(purchase.clone()), &short)?;
    let pay = vec![ledger.world.credit(ana, Usd(2 * PRICE.0))];
    equal("paid in", &ledger.apply(pay), &Ok(()))?;
    equal("its key is free", &ledger.apply(purchase), &Ok(()))?;
    let repeat = |at: Timestamp| {
        let (id, opened) = buy(ledger, ana);
        let mut purchase = vec![claim(ana, "again", KeptAnswer::Order(id))];
        purchase.extend(opened);
        ledger.apply_at(at, purchase)
    };
    equal("taken", &repeat(NOW), &refused(Refused::KeyTaken))?;
    equal("over", &repeat(NOW + Millis(1)), &Ok(()))
}

const CHECKS: [(Check, Defect); 16] = [
    (transactions_balance, Defect::TakesWhatDoesNotBalance),
    (history_is_only_appended_to, Defect::RewritesHistory),
    (events_are_chained, Defect::ForgetsTheChain),
    (repeats_change_nothing, Defect::CountsRepeats),
    (duplicates_at_once, Defect::CountsDuplicates),
    (a_hot_account, Defect::LosesUnderLoad),
    (transfers_conserve_value, Defect::HalvesATransfer),
    (the_balance_is_the_journal, Defect::LeavesOutAdjustments),
    (withdrawals_stop_at_the_funds, Defect::Lends),
    (small_amounts_are_exact, Defect::LosesSmallAmounts),
    (currencies_do_not_mix, Defect::MixesCurrencies),
    (reversals_compensate, Defect::ErasesWhatWasReversed),
    (the_journal_rebuilds_all, Defect::ForgetsAHold),
    (an_account_has_one_order, Defect::SwapsNeighbours),
    (duplicates_of_a_refusal, Defect::ForgetsRefusals),
    (claims_end, Defect::KeepsClaims),
];

pub(crate) fn the_kits_checks_hold(store: &Database) {
    for (number, (check, _)) in (1..).zip(CHECKS) {
        assert_eq!(check(&Ledger::new(store, None)), Ok(()), "check {number}");
    }
    World::new(store).audited();
}

pub(crate) fn each_planted_defect_breaks_its_own_check(store: &Database) {
    for (planted, (_, defect)) in (1..).zip(CHECKS) {
        for (number, (check, _)) in (1..).zip(CHECKS) {
            let found = check(&Ledger::new(store, Some(defect)));
            let broken = found.is_err();
            assert_eq!(
                broken,
                number == planted,
                "check {number} of {defect:?}: {found:?}"
            );
        }
    }
}
