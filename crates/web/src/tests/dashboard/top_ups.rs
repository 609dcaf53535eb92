//! Top-ups on the pages: what is taken, what is refused, and that coming back credits nothing.

use super::browser::{Browser, customer, location, signed_in};
use crate::tests::payments::plain;
use crate::tests::world::World;
use app::Matched;
use domain::audit_log::{Actor, By};
use domain::ids::PersonId;
use domain::people::Role;
use domain::ports::Store;
use domain::ticket::{Ticket, TicketKind};
use domain::top_up::{BankLine, Sum, TopUpState};
use domain::usd::Usd;

const STRIPE: [(&str, &str); 2] = [("method", "stripe"), ("currency", "USD")];

fn with(amount: &str) -> Vec<(&str, &str)> {
    STRIPE.into_iter().chain([("amount", amount)]).collect()
}

/// B-122, B-123.
#[tokio::test]
async fn unusable_amounts_currencies_and_ways_are_refused() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    for amount in [
        "0",
        "-5",
        "0.0000001",
        "1e308",
        "NaN",
        "",
        "4.99",
        "500.01",
        "5.001",
        "5,00",
    ] {
        let answer = ana.tops_up(&with(amount)).await;
        assert_eq!(answer.status, 400, "{amount}");
    }
    for (method, currency) in [
        ("stripe", "EUR"),
        ("stripe", "usd "),
        ("stripe", ""),
        ("gold", "USD"),
        ("btcpay", "USD"),
    ] {
        let fields = [("method", method), ("currency", currency), ("amount", "25")];
        let answer = ana.tops_up(&fields).await;
        assert_eq!(answer.status, 400, "{method} {currency:?}");
    }
    assert_eq!(
        ana.post_bare("/wallet/top-up", &with("25")).await.status,
        403
    );
}

#[tokio::test]
async fn a_top_up_is_paid_elsewhere_and_coming_back_credits_nothing() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let begun = ana.tops_up(&with("25.00")).await;
    assert_eq!(begun.status, 303, "{}", begun.text);
    let path = location(&begun).to_owned();
    let page = ana.get(&path).await;
    assert!(
        page.text.contains("data-state=\"created\""),
        "{}",
        page.text
    );
    assert!(
        page.text
            .contains("https:&#x2f;&#x2f;pay.example&#x2f;cs_tu_"),
        "{}",
        page.text
    );
    for _ in 0..2 {
        ana.get(&path).await;
    }
    assert_eq!(world.wallet().await.available.0, 50_000_000);
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut bob = signed_in(&world, bob).await;
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(ana.get("/wallet/top-up/x").await.status, 404);
}

/// Announces a transfer; gives its number.
async fn announced(ana: &mut Browser<'_>, amount: &str) -> i64 {
    let fields = [
        ("method", "manual"),
        ("currency", "USD"),
        ("amount", amount),
        ("note", "Ana, DE00 1"),
    ];
    let begun = ana.tops_up(&fields).await;
    let id = location(&begun).rsplit('/').next().unwrap();
    id.parse().unwrap()
}

#[tokio::test]
async fn a_large_transfer_needs_two_people_who_want_the_same() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let secret = ("violet anchor seven", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
    let staff = world
        .door
        .people
        .create_staff("ana@example.com", Role::Finance, secret);
    let herself = staff.await.unwrap().0;
    let (large, small) = (
        announced(&mut ana, "300").await,
        announced(&mut ana, "50").await,
    );
    let top_ups = &world.door.top_ups;
    let approve = async |who: i64, id: i64, reference: &str| {
        let by = By::new(Actor::Staff(PersonId(who)));
        let approved = app::acting(by, top_ups.approve(id, None, reference, "there")).await;
        approved.ok().map(|row| row.state)
    };
    let pending = Some(TopUpState::Pending);
    assert_eq!(approve(herself, small, "B0").await, None, "it is her own");
    assert_eq!(approve(9001, small, "B0").await, Some(TopUpState::Credited));
    let by = By::new(Actor::Staff(PersonId(herself)));
    let order = plain(Usd(10_000_000), "she asked for it");
    let refund = top_ups.refund(small, order);
    let refused = app::acting(by, refund).await.unwrap_err().to_string();
    assert!(refused.contains("of your own"), "{refused}");
    assert_eq!(approve(9001, large, "B1").await, pending);
    assert_eq!(
        approve(9001, large, "B1").await,
        pending,
        "the same person again"
    );
    assert_eq!(approve(9002, large, "B2").await, None, "another reference");
    assert_eq!(world.wallet().await.available.0, 100_000_000);
    assert_eq!(approve(9002, large, "B1").await, Some(TopUpState::Credited));
    assert_eq!(approve(9003, large, "B1").await, None);
    // 5 % from 100 dollars on
    assert_eq!(world.wallet().await.available.0, 415_000_000);
}

#[tokio::test]
async fn a_statement_is_never_the_second_person_and_a_rejection_ends_it() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let top_ups = &world.door.top_ups;
    let by = |who: i64| By::new(Actor::Staff(PersonId(who)));
    let import = async |who: i64, id: i64| {
        let line = BankLine {
            id: format!("L{id}"),
            sum: Sum::read("300.00", "USD"),
            is_reversal: false,
            text: format!("tu_{id}"),
        };
        let matched = app::acting(by(who), top_ups.import(&[line])).await;
        matched.unwrap().remove(0)
    };
    let approve = async |who: i64, id: i64, usd: i64| {
        let (amount, line) = (Some(Usd(usd * 1_000_000)), format!("L{id}"));
        let approved = top_ups.approve(id, amount, &line, "there");
        app::acting(by(who), approved)
            .await
            .ok()
            .map(|row| row.state)
    };
    let (pending, credited) = (Some(TopUpState::Pending), Some(TopUpState::Credited));
    let first = announced(&mut ana, "300").await;
    for who in [9001, 9002] {
        assert_eq!(import(who, first).await, Matched::Proposed(first));
    }
    assert_eq!(approve(9001, first, 300).await, pending, "the importer");
    assert_eq!(approve(9002, first, 299).await, None, "another amount");
    assert_eq!(approve(9002, first, 300).await, credited);
    let second = announced(&mut ana, "300").await;
    assert_eq!(approve(9001, second, 300).await, pending);
    assert_eq!(import(9002, second).await, Matched::Proposed(second));
    let rejected = app::acting(by(9002), top_ups.reject(second, "not ours"));
    assert_eq!(rejected.await.unwrap().state, TopUpState::Rejected);
    assert_eq!(approve(9002, second, 300).await, None);
    assert_eq!(approve(9003, second, 300).await, None);
    // once, and 5 % from 100 dollars on
    assert_eq!(world.wallet().await.available.0, 365_000_000);
}

#[tokio::test]
async fn a_form_sent_twice_is_one_top_up() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let page = ana.get("/wallet/top-up").await.text;
    let mark = "name=\"once\" value=\"";
    let keys = page.split(mark).skip(1).map(|rest| &rest[..32]);
    let [card, transfer] = keys.collect::<Vec<_>>()[..] else {
        panic!("each way has a form with a key: {page}");
    };
    assert_ne!(card, transfer);
    let announce = |amount| {
        let way = [("method", "manual"), ("currency", "USD"), ("note", "Ana")];
        let rest = [("amount", amount), ("once", transfer)];
        way.into_iter().chain(rest).collect::<Vec<_>>()
    };
    let path = "/wallet/top-up";
    let first = ana.post(path, &announce("40")).await;
    assert_eq!(first.status, 303, "{}", first.text);
    let again = ana.post(path, &announce("40")).await;
    assert_eq!(location(&again), location(&first));
    let other = ana.post(path, &announce("41")).await;
    assert_eq!(other.status, 400);
    assert!(other.text.contains("sent before"), "{}", other.text);
    let pay: Vec<_> = with("25").into_iter().chain([("once", card)]).collect();
    let begun = ana.post(path, &pay).await;
    assert_eq!(location(&ana.post(path, &pay).await), location(&begun));
    assert_eq!(ana.post(path, &with("25")).await.status, 400, "no key");
    let own = world.door.top_ups.of(world.account).await.unwrap();
    assert_eq!(own.len(), 2);
    // somebody else's form may have the same key
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut bob = signed_in(&world, bob).await;
    bob.get(path).await;
    let his = bob.post(path, &announce("40")).await;
    assert_eq!(his.status, 303);
    assert_ne!(location(&his), location(&first));
}

#[tokio::test]
async fn a_statement_credits_by_reference_and_leaves_the_rest_to_people() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let mut ids = Vec::new();
    for amount in ["25", "30", "35", "250"] {
        ids.push(announced(&mut ana, amount).await);
    }
    let line = |id: &str, amount: &str, currency: &str, text: String| BankLine {
        id: id.into(),
        sum: Sum::read(amount, currency),
        is_reversal: false,
        text,
    };
    let lines = [
        line("L1", "25.00", "USD", format!("Ana TU_{} thanks", ids[0])),
        line("L2", "29.99", "USD", format!("tu_{}", ids[1])),
        line("L3", "35.00", "EUR", format!("tu_{}", ids[2])),
        line("L4", "250.00", "USD", format!("(tu_{})", ids[3])),
        line("L5", "25.00", "USD", format!("tu_{} tu_{}", ids[1], ids[2])),
        line("L6", "25.00", "USD", "from ana@example.com".into()),
        line("L7", "25.00", "USD", format!("tu_{}", ids[0])),
        line("L8", "25.00", "USD", "tu_999999".into()),
        BankLine {
            sum: None,
            ..line("L9", "1", "USD", format!("tu_{}", ids[1]))
        },
    ];
    let top_ups = &world.door.top_ups;
    let foreseen = top_ups.preview(&lines).await.unwrap();
    assert_eq!(foreseen, top_ups.preview(&lines).await.unwrap());
    assert_eq!(world.wallet().await.available.0, 50_000_000);
    let first = top_ups.import(&lines).await.unwrap();
    assert_eq!(first, foreseen, "what is shown before is what is done");
    assert_eq!(first[0], Matched::Credited(ids[0]));
    assert!(matches!(first[1], Matched::Review(id, _) if id == ids[1]));
    assert!(matches!(first[2], Matched::Review(id, _) if id == ids[2]));
    assert_eq!(first[3], Matched::Proposed(ids[3]));
    assert!(matches!(first[4], Matched::Unmatched(_)));
    assert!(matches!(first[5], Matched::Unmatched(_)));
    assert!(matches!(first[6], Matched::Review(id, _) if id == ids[0]));
    assert!(matches!(first[7], Matched::Unmatched(_)));
    assert_eq!(first[8], Matched::Outgoing);
    let back = BankLine {
        sum: None,
        is_reversal: true,
        ..lines[0].clone()
    };
    for _ in 0..2 {
        let reversed = top_ups.import(std::slice::from_ref(&back)).await.unwrap();
        assert!(matches!(reversed[0], Matched::Review(id, _) if id == ids[0]));
    }
    let tickets = world.store.tickets(true, 20).await.unwrap();
    let told = |ticket: &&Ticket| ticket.kind == TicketKind::TopUpReturned;
    assert_eq!(tickets.iter().filter(told).count(), 1, "{tickets:?}");
    let stranger = BankLine {
        id: "L99".into(),
        text: "tu_999999".into(),
        ..back
    };
    let reversed = top_ups.import(&[stranger]).await.unwrap();
    assert!(matches!(reversed[0], Matched::Unmatched(_)), "{reversed:?}");
    let again = top_ups.import(&lines).await.unwrap();
    assert_eq!(again[0], Matched::Before(ids[0]));
    assert_eq!(world.wallet().await.available.0, 75_000_000);
}

#[tokio::test]
async fn a_bank_transfer_is_declared_withdrawn_and_approved_once() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let declare = |note| {
        [
            ("method", "manual"),
            ("currency", "USD"),
            ("amount", "40.00"),
            ("note", note),
        ]
    };
    assert_eq!(ana.tops_up(&declare(" ")).await.status, 400);
    let mut ids = Vec::new();
    for note in ["Ana, DE00 1", "Ana, DE00 2", "Ana, DE00 3"] {
        let begun = ana.tops_up(&declare(note)).await;
        let path = location(&begun).to_owned();
        let page = ana.get(&path).await;
        assert!(page.text.contains("IBAN DE00 0000"), "{}", page.text);
        ids.push(path.rsplit('/').next().unwrap().parse::<i64>().unwrap());
    }
    let withdraw = format!("/wallet/top-up/{}/withdraw", ids[0]);
    assert_eq!(ana.post(&withdraw, &[]).await.status, 303);
    assert_eq!(ana.post(&withdraw, &[]).await.status, 409);
    let top_ups = &world.door.top_ups;
    assert_eq!(top_ups.list(true).await.unwrap().len(), 2);
    let approve = async |id| {
        top_ups
            .approve(id, None, "BANK-1", "statement of today")
            .await
    };
    assert!(approve(ids[0]).await.is_err(), "it is withdrawn");
    assert!(approve(ids[1]).await.is_ok());
    assert!(approve(ids[1]).await.is_err(), "it is credited");
    assert!(
        approve(ids[2]).await.is_err(),
        "the transfer has credited another one"
    );
    assert!(top_ups.reject(ids[2], "never came").await.is_ok());
    assert_eq!(world.wallet().await.available.0, 90_000_000);
    let statement = ana.get("/wallet").await;
    assert!(statement.text.contains("Top-up"), "{}", statement.text);
    let receipt = |id: i64, end: &str| format!("/wallet/top-up/{id}/receipt{end}");
    let page = ana.get(&receipt(ids[1], "")).await;
    for words in ["Example Ltd", "ana@example.com", "$40.00 USD", "BANK-1"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let pdf = ana.get(&receipt(ids[1], ".pdf")).await;
    assert_eq!(pdf.header("content-type"), Some("application/pdf"));
    assert!(pdf.text.starts_with("%PDF-") && pdf.text.contains("BANK-1"));
    for missing in [
        receipt(ids[0], ""),
        receipt(ids[2], ".pdf"),
        receipt(ids[1], "?refund=1"),
        receipt(999_999, ""),
    ] {
        assert_eq!(ana.get(&missing).await.status, 404, "{missing}");
    }
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut bob = signed_in(&world, bob).await;
    assert_eq!(bob.get(&receipt(ids[1], ".pdf")).await.status, 404);
}
