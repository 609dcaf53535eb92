use super::*;
use crate::ledger::Wallet;
use proptest::prelude::*;

const PLAIN: OddAmounts = OddAmounts {
    credit_surplus: false,
    credit_part: false,
};
const NOW: Timestamp = Timestamp(1_767_225_600_000);

fn usd(text: &str) -> Usd {
    Usd::parse(text).unwrap()
}

fn row() -> TopUp {
    TopUp {
        processor_ref: Some("cs_1".into()),
        ..TopUp::begun(
            42,
            AccountId(7),
            (Processor::Stripe, usd("25")),
            NOW,
            NOW + Millis::minutes(60),
        )
    }
}

#[test]
fn a_person_decides_on_announced_transfers_and_on_what_stands_in_review() {
    for processor in Processor::ALL {
        for state in TopUpState::ALL {
            let one = TopUp {
                processor,
                state,
                ..row()
            };
            let announced = (processor, state) == (Processor::Manual, TopUpState::Pending);
            assert_eq!(one.is_announced(), announced, "{processor:?} {state:?}");
            let waits = announced || state == TopUpState::Review;
            assert_eq!(one.waits(), waits, "{processor:?} {state:?}");
        }
    }
}

#[test]
fn a_place_is_asked_for_again_while_the_processor_takes_the_rest_of_the_time() {
    let one = |processor| TopUp {
        processor,
        processor_ref: None,
        ..row()
    };
    let after = |minutes| NOW + Millis::minutes(minutes);
    let card = one(Processor::Stripe);
    assert!(card.can_reopen(after(29)));
    assert!(
        !card.can_reopen(after(29) + Millis(1)),
        "half an hour, and the way there"
    );
    let coins = one(Processor::BtcPay);
    assert!(coins.can_reopen(after(59)));
    assert!(!coins.can_reopen(after(60)));
    assert!(!row().can_reopen(NOW), "it has a place");
    assert!(!one(Processor::Manual).can_reopen(NOW), "it needs none");
    assert!(card.lacks_place() && !card.was_never_opened(after(60)));
    assert!(card.was_never_opened(after(60) + Millis(1)));
}

#[test]
fn what_was_wanted_before_a_top_up_moved_counts_for_nothing() {
    let credited = |reversals| TopUp {
        state: TopUpState::Credited,
        reversals,
        ..row()
    };
    let wanted = |reference: String| Proposal {
        top_up: 42,
        proposer: "staff:1".into(),
        amount: usd("25"),
        reference,
        reason: "asked for it".into(),
        at: NOW,
    };
    for may_owe in [false, true] {
        let first = wanted(next_refund(&credited(0), may_owe));
        assert!(first.stands(&credited(0)), "{first:?}");
        assert!(!first.stands(&credited(1)), "it was made");
        // the tenth begins as the first does
        let tenth = wanted(next_refund(&credited(9), may_owe));
        assert!(!tenth.stands(&credited(0)), "{tenth:?}");
    }
    let transfer = wanted("B1".into());
    assert!(!transfer.stands(&credited(0)), "it is in the wallet");
    let review = TopUp {
        state: TopUpState::Review,
        ..row()
    };
    assert!(transfer.stands(&review));
}

fn fact() -> Fact {
    Fact {
        reference: Some("tu_42".into()),
        contradicts: false,
        processor_ref: Some("cs_1".into()),
        payment_ref: Some("pi_1".into()),
        live: Some(true),
        sum: Some(Sum {
            minor: 2500,
            currency: "usd".into(),
        }),
        received: None,
        stand: Stand::Paid,
    }
}

fn credit() -> Verdict {
    Verdict::Credit {
        payment: "pi_1".into(),
        amount: usd("25"),
        odd: None,
    }
}

fn sum(minor: i64, currency: &str) -> Option<Sum> {
    let currency = currency.to_owned();
    Some(Sum { minor, currency })
}

#[test]
fn only_a_fact_that_fits_in_everything_credits() {
    assert_eq!(judge(&row(), &fact(), PLAIN), credit());
    let bad: [fn(&mut Fact); 11] = [
        |fact| fact.reference = Some("tu_43".into()),
        |fact| fact.reference = None,
        |fact| fact.contradicts = true,
        |fact| fact.processor_ref = Some("cs_2".into()),
        |fact| fact.live = Some(false),
        |fact| fact.sum = sum(2499, "usd"),
        |fact| fact.sum = sum(2500, "eur"),
        |fact| fact.sum = sum(2500, "jpy"),
        |fact| fact.sum = sum(-2500, "usd"),
        |fact| fact.sum = None,
        |fact| fact.payment_ref = None,
    ];
    for spoil in bad {
        let mut fact = fact();
        spoil(&mut fact);
        assert!(
            matches!(judge(&row(), &fact, PLAIN), Verdict::Review(_)),
            "{fact:?}"
        );
    }
    for stand in [Stand::Open, Stand::Pending, Stand::Expired, Stand::Failed] {
        let verdict = judge(
            &row(),
            &Fact {
                stand: stand.clone(),
                ..fact()
            },
            PLAIN,
        );
        assert!(!matches!(verdict, Verdict::Credit { .. }), "{stand:?}");
    }
    let over = judge(
        &row(),
        &Fact {
            sum: sum(2600, "USD"),
            ..fact()
        },
        PLAIN,
    );
    assert!(matches!(over, Verdict::Credit { odd: Some(_), .. }));
}

#[test]
fn odd_amounts_are_credited_where_the_operator_says_so() {
    let both = OddAmounts {
        credit_surplus: true,
        credit_part: true,
    };
    let credited = |fact: &Fact, odd| match judge(&row(), fact, odd) {
        Verdict::Credit { amount, odd, .. } => Some((amount, odd.is_some())),
        Verdict::Review(_) => None,
        other => panic!("{other:?}"),
    };
    let over = Fact {
        received: sum(3001, "usd"),
        stand: Stand::PaidOver,
        ..fact()
    };
    assert_eq!(credited(&over, PLAIN), Some((usd("25"), true)));
    assert_eq!(credited(&over, both), Some((usd("30.01"), true)));
    let unknown = Fact {
        received: None,
        ..over.clone()
    };
    assert_eq!(credited(&unknown, both), Some((usd("25"), true)));
    // what a processor rounds down is still paid
    let rounded = Fact {
        received: sum(2499, "usd"),
        stand: Stand::Paid,
        ..fact()
    };
    assert_eq!(credited(&rounded, both), Some((usd("25"), false)));
    let part = |cents, currency| Fact {
        received: sum(cents, currency),
        stand: Stand::PaidPart,
        ..fact()
    };
    assert_eq!(credited(&part(1000, "usd"), PLAIN), None);
    assert_eq!(credited(&part(1000, "usd"), both), Some((usd("10"), true)));
    for strange in [part(0, "usd"), part(1000, "eur"), part(2500, "usd")] {
        assert_eq!(credited(&strange, both), None, "{strange:?}");
    }
    let foreign = Fact {
        processor_ref: Some("cs_2".into()),
        ..part(1000, "usd")
    };
    assert_eq!(credited(&foreign, both), None);
    // the rest of it, later: a person looks
    let short = row().paid("pi_1", usd("10"), NOW);
    assert!(matches!(judge(&short, &fact(), both), Verdict::Review(_)));
}

#[test]
fn a_row_is_credited_once_and_a_second_payment_is_nobodys() {
    let credited = row().paid("pi_1", usd("25"), NOW);
    assert_eq!(judge(&credited, &fact(), PLAIN), Verdict::Nothing);
    let second = Fact {
        payment_ref: Some("pi_2".into()),
        ..fact()
    };
    assert!(matches!(
        judge(&credited, &second, PLAIN),
        Verdict::Review(_)
    ));
    let review = row().closed(TopUpState::Review, "amount");
    assert_eq!(judge(&review, &fact(), PLAIN), Verdict::Nothing);
    let closed = row().moved(TopUpState::Rejected);
    assert!(matches!(judge(&closed, &fact(), PLAIN), Verdict::Review(_)));
    // a payment that came after the offer had ended is still the customer's
    assert_eq!(
        judge(&row().moved(TopUpState::Expired), &fact(), PLAIN),
        credit()
    );
    let void = Fact {
        stand: Stand::Void,
        ..fact()
    };
    assert_eq!(judge(&credited, &void, PLAIN), Verdict::TakeBack);
    assert_eq!(
        judge(&row(), &void, PLAIN),
        Verdict::Move(TopUpState::Failed)
    );
}

/// The published example: 25.00 credited, 20.00 of it spent.
#[test]
fn reversals_follow_the_published_table() {
    let mut row = row().paid("pi_1", usd("25"), NOW);
    let mut wallet = Wallet {
        available: usd("5"),
        ..Wallet::default()
    };
    let mut refund = |total: &str, cause, name: &str| {
        if let Some((next, reversal)) = row.reverse(usd(total), (cause, name)) {
            row = next;
            let write = TopUpWrite::Reverse {
                row: Box::new(row.clone()),
                reversal,
            };
            let entry = write.entry(&wallet, Usd::ZERO).unwrap();
            assert!(entry.balances());
            wallet = wallet.after(row.account, &entry).unwrap();
        }
        (wallet.available.to_string(), wallet.receivable.to_string())
    };
    let shown = |available: &str, debt: &str| (available.to_owned(), debt.to_owned());
    let refunded = ReversalCause::Refund;
    assert_eq!(refund("10", refunded, "e1"), shown("0.000000", "5.000000"));
    assert_eq!(refund("10", refunded, "e1"), shown("0.000000", "5.000000"));
    assert_eq!(refund("25", refunded, "e2"), shown("0.000000", "20.000000"));
    let disputed = ReversalCause::Dispute;
    assert_eq!(refund("50", disputed, "d1"), shown("0.000000", "20.000000"));
    let next = TopUp {
        id: 43,
        amount: usd("30"),
        ..super::tests::row()
    };
    let write = TopUpWrite::Credit {
        row: Box::new(next.paid("pi_2", usd("30"), NOW)),
        payment: "pi_2".into(),
    };
    let wallet = wallet
        .after(next.account, &write.entry(&wallet, Usd::ZERO).unwrap())
        .unwrap();
    assert_eq!(
        (wallet.available, wallet.receivable),
        (usd("10"), Usd::ZERO)
    );
}

#[test]
fn a_won_dispute_gives_back_what_it_took_and_no_refund_twice() {
    let credited = row().paid("pi_1", usd("25"), NOW);
    let (after, taken) = credited
        .reverse(usd("25"), (ReversalCause::Dispute, "d1"))
        .unwrap();
    let dispute = Dispute {
        processor: Processor::Stripe,
        id: "d1".into(),
        top_up: 42,
        version: 1,
        withdrawn: usd("25"),
        posted: taken.parts.amount,
        reinstated: false,
    };
    let (won, back) = after.reinstate(Usd::ZERO, &dispute).unwrap();
    assert_eq!(won.reversed, Parts::default());
    assert_eq!(back.parts.amount, Usd(-25_000_000));
    // refunded to the card while it was disputed: the payer keeps that
    assert_eq!(after.reinstate(usd("25"), &dispute), None);
    let (part, back) = after.reinstate(usd("10"), &dispute).unwrap();
    assert_eq!(
        (part.reversed.amount, back.parts.amount),
        (usd("10"), -usd("15"))
    );
    let again = Dispute {
        reinstated: true,
        ..dispute
    };
    assert_eq!(after.reinstate(Usd::ZERO, &again), None);
}

#[test]
fn fee_and_bonus_go_back_in_proportion() {
    let row = TopUp {
        fee: usd("1"),
        bonus: usd("5"),
        ..row()
    };
    let credited = row.paid("pi_1", usd("25"), NOW);
    let (half, moved) = credited
        .reverse(usd("13"), (ReversalCause::Refund, "e1"))
        .unwrap();
    let parts = Parts {
        amount: usd("12.5"),
        fee: usd("0.5"),
        bonus: usd("2.5"),
    };
    assert_eq!(moved.parts, parts);
    let (whole, rest) = half
        .reverse(usd("26"), (ReversalCause::Refund, "e2"))
        .unwrap();
    assert_eq!(rest.parts, parts);
    assert_eq!(whole.reversed.of_customer(), usd("30"));
}

#[test]
fn amounts_fit_the_terms() {
    let terms = Terms {
        min: usd("5"),
        max: usd("500"),
        daily: [Some(usd("20")), Some(usd("100")), Some(usd("1000")), None],
        hold: [Millis::minutes(24 * 60), Millis(0), Millis(0), Millis(0)],
        fee_parts_per_million: 29_000,
        fee_fixed: usd("0.30"),
        bonuses: vec![
            BonusRule {
                from: usd("100"),
                parts_per_million: 50_000,
            },
            BonusRule {
                from: usd("50"),
                parts_per_million: 20_000,
            },
        ],
    };
    for bad in [
        "0",
        "-5",
        "0.0000001",
        "1e308",
        "NaN",
        "",
        " 5",
        "5,00",
        "5.001",
        "+5",
        "0x10",
    ] {
        let refused = terms.amount(bad);
        assert_eq!(refused, Err(BadAmount::NotAnAmount), "{bad:?}");
    }
    assert_eq!(terms.amount("500"), Ok(usd("500")));
    assert_eq!(
        (terms.hold(0), terms.hold(1)),
        (Millis::minutes(1440), Millis(0))
    );
    assert_eq!(terms.hold(9), Millis(0), "as the highest tier");
    assert_eq!(terms.amount("4.99"), Err(BadAmount::BelowMin(usd("5"))));
    assert_eq!(terms.amount("500.01"), Err(BadAmount::AboveMax(usd("500"))));
    assert_eq!((terms.daily(0), terms.daily(3)), (Some(usd("20")), None));
    assert_eq!(terms.fee(usd("25")), usd("1.03"));
    assert_eq!(terms.bonus(usd("49.99")), Usd::ZERO);
    assert_eq!(terms.bonus(usd("60")), usd("1.2"));
    assert_eq!(terms.bonus(usd("100.10")), usd("5"));
}

#[test]
fn sums_are_read_by_their_currency() {
    let read = |text, currency| Sum::read(text, currency).map(|sum| sum.minor);
    assert_eq!(read("25.00", "USD"), Some(2500));
    assert_eq!(read("25", "usd"), Some(2500));
    assert_eq!(read("25.009", "usd"), Some(2500));
    assert_eq!(read("2500", "JPY"), Some(2500));
    assert_eq!(read("2.5", "kwd"), Some(2500));
    for bad in ["", "-1", "1e3", ".5", "NaN", "1,0", "9999999999999"] {
        assert_eq!(read(bad, "USD"), None, "{bad:?}");
    }
    let shown = |minor, currency: &str| {
        Sum {
            minor,
            currency: currency.into(),
        }
        .to_string()
    };
    assert_eq!(shown(2500, "usd"), "25.00 USD");
    assert_eq!(shown(2500, "JPY"), "2500 JPY");
    assert_eq!(shown(5, "kwd"), "0.005 KWD");
}

#[test]
fn a_refund_is_told_no_longer_than_its_key_is_known() {
    let asked_at = Timestamp(1_000);
    let last = asked_at + Millis::minutes(20 * 60);
    let mut refund = Refund::new(7, 1, usd("4.00"), asked_at);
    for _ in 0..20 {
        let due = refund.due_at.unwrap();
        if refund.may_be_forgotten(due) {
            break;
        }
        refund = refund.told(RefundState::Open, due);
    }
    assert_eq!(refund.due_at, Some(last), "then it ends, and not later");
    assert!(!refund.may_be_forgotten(Timestamp(last.0 - 1)));
    assert_eq!(refund.told(RefundState::ByHand, last).due_at, None);
}

#[test]
fn references_are_canonical() {
    assert_eq!(read_reference(&reference(42)), Some(42));
    for bad in [
        "tu_042", "tu_", "tu_-1", "tu_+1", "42", "TU_42", "tu_42 ", "tu_0",
    ] {
        assert_eq!(read_reference(bad), None, "{bad}");
    }
}

#[test]
fn a_paid_top_up_without_a_webhook_is_seen_within_a_quarter_of_an_hour() {
    let mut row = row().opened(
        &Opened {
            processor_ref: "cs_1".into(),
            pay_url: "https://pay".into(),
        },
        NOW,
    );
    let mut now = NOW;
    while let Some(due) = row.due_at {
        assert!(due - now <= Millis::minutes(15));
        now = due;
        row = row.looked_at(now);
    }
    assert!(now > row.expires_at + Millis::minutes(2 * 24 * 60));
}

proptest! {
    /// Whatever comes in whatever order: never more goes back than was credited, `available` is
    /// never negative, and a debt and what is there never exceed what was taken.
    #[test]
    fn no_order_of_refunds_and_disputes_takes_more_than_was_credited(
        amount in 1..1_000_000_i64, fee in 0..10_000_i64, bonus in 0..10_000_i64,
        spent in 0..100_u8, totals in prop::collection::vec(0..2_000_000_i64, 0..20),
    ) {
        let cent = |cents: i64| Usd(cents * 10_000);
        let row = TopUp { amount: cent(amount), fee: cent(fee), bonus: cent(bonus), ..row() };
        let mut row = row.paid("pi_1", cent(amount), NOW);
        let all = Usd(row.credited.0 + row.bonus.0);
        let left = Usd(all.0 * i64::from(spent) / 100);
        let mut wallet = Wallet { available: left, ..Wallet::default() };
        for (number, total) in totals.iter().enumerate() {
            let cause = (ReversalCause::Refund, number.to_string());
            let Some((next, reversal)) = row.reverse(cent(*total), (cause.0, &cause.1)) else {
                continue;
            };
            let write = TopUpWrite::Reverse { row: Box::new(next.clone()), reversal };
            let entry = write.entry(&wallet, Usd::ZERO).unwrap();
            prop_assert!(entry.balances());
            wallet = wallet.after(row.account, &entry).unwrap();
            row = next;
            prop_assert!(row.reversed.of_customer() <= all);
            let taken = left.0 - wallet.available.0 + wallet.receivable.0;
            prop_assert_eq!(taken, row.reversed.of_customer().0);
        }
    }
}
