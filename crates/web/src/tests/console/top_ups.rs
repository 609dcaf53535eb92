//! Top-ups at the console: who decides, once, with a second person, and what is tried again.

use super::super::dashboard::browser::{between, customer, location};
use super::super::payments::{begun_by, completed, deliver, row};
use super::super::world::World;
use super::{at_work, lines};
use domain::change::{Change, Write};
use domain::people::Role;
use domain::ports::{Clock, Store};
use domain::time::Timestamp;
use domain::top_up::{
    EventState, Processor, Reconciliation, TopUp, TopUpEvent, TopUpState, TopUpWrite,
};
use domain::usd::Usd;

async fn paid(world: &World, amount: &str) -> TopUp {
    let top_up = begun_by(world, world.account, amount).await;
    let session = world.payments.pay(&top_up);
    let event = format!("evt_{}", top_up.id);
    assert_eq!(deliver(world, &completed(&event, &session)).await, 200);
    top_up
}

#[tokio::test]
async fn a_refund_at_the_console_counts_once_and_leaves_a_line() {
    let world = World::start().await;
    let top_up = paid(&world, "25.00").await;
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let page = fin.get(&format!("/console/top-ups/{}", top_up.id)).await;
    assert!(
        page.text.contains("Return money to the payer"),
        "{}",
        page.text
    );
    let path = format!("/console/top-ups/{}/refund", top_up.id);
    let form = [("usd", "10"), ("seen", "0"), ("reason", "asked for it")];
    let done = fin.post(&path, &form).await;
    assert!(
        location(&done).ends_with("top-up-refunded"),
        "{}",
        done.text
    );
    let again = fin.post(&path, &form).await;
    assert_eq!(again.status, 409, "a double click");
    assert_eq!(world.wallet().await.available, Usd(65_000_000));
    let line = lines(&world, 2).await;
    let kept = line.iter().find(|line| line.note.action == "refund_top_up");
    assert_eq!(kept.unwrap().note.reason, "asked for it");
    let more = [
        ("usd", "65"),
        ("seen", "1"),
        ("reason", "more than is left"),
    ];
    assert_eq!(fin.post(&path, &more).await.status, 400);
    world.books().await;
}

#[tokio::test]
async fn a_large_refund_needs_two_people_who_want_the_same() {
    let world = World::start().await;
    let top_up = paid(&world, "300.00").await;
    let (mut fin, mut owner) = (
        at_work(&world, "finance", Role::Finance).await,
        at_work(&world, "owner", Role::Owner).await,
    );
    let path = format!("/console/top-ups/{}/refund", top_up.id);
    let form = |usd: &'static str| [("usd", usd), ("seen", "0"), ("reason", "asked for it")];
    for _ in 0..2 {
        let asked = fin.post(&path, &form("250")).await;
        assert!(
            location(&asked).ends_with("second-person"),
            "{}",
            asked.text
        );
    }
    let before = row(&world, top_up.id).await;
    assert_eq!(before.reversed.amount, Usd::ZERO, "it waits");
    let page = format!("/console/top-ups/{}", top_up.id);
    let wanted = owner.get(&page).await.text;
    assert!(wanted.contains("wants $250.00 under refund-"), "{wanted}");
    let other = owner.post(&path, &form("240")).await;
    assert!(
        location(&other).ends_with("second-person"),
        "another amount"
    );
    let same = fin.post(&path, &form("240")).await;
    assert!(
        location(&same).ends_with("top-up-refunded"),
        "{}",
        same.text
    );
    let after = owner.get(&page).await.text;
    assert!(!after.contains(" wants $"), "it was made: {after}");
    assert_eq!(
        row(&world, top_up.id).await.reversed.amount,
        Usd(240_000_000)
    );
    world.books().await;
}

#[tokio::test]
async fn what_the_first_person_typed_stands_in_the_form_of_the_second() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let transfer = [
        ("method", "manual"),
        ("currency", "USD"),
        ("amount", "300"),
        ("note", "Ana, DE00 1"),
    ];
    let announced = ana.tops_up(&transfer).await;
    let id = location(&announced).rsplit('/').next().unwrap().to_owned();
    let (mut fin, mut owner) = (
        at_work(&world, "finance", Role::Finance).await,
        at_work(&world, "owner", Role::Owner).await,
    );
    let path = format!("/console/top-ups/{id}");
    // as long as the form takes, and longer in bytes
    let why = "ä".repeat(500);
    let approve = |usd| [("usd", usd), ("reference", "B1"), ("reason", &why)];
    let asked = fin
        .post(&format!("{path}/approve"), &approve("1234.50"))
        .await;
    assert!(
        location(&asked).ends_with("second-person"),
        "{}",
        asked.text
    );
    let page = owner.get(&path).await.text;
    assert!(page.contains("$1,234.50 under B1"), "{page}");
    let form = between(&page, "/approve\"", "</form>");
    let typed = between(form, "autocomplete=\"off\" value=\"", "\"");
    assert_eq!(typed, "1234.50", "{form}");
    let agreed = owner
        .post(&format!("{path}/approve"), &approve(typed))
        .await;
    assert!(
        location(&agreed).ends_with("top-up-credited"),
        "{}",
        agreed.text
    );
    let page = owner.get(&path).await.text;
    assert!(!page.contains("under B1"), "it is credited: {page}");
    world.books().await;
}

fn parked(id: i64, body: &str) -> Write {
    let event = TopUpEvent {
        id,
        processor: Processor::Stripe,
        event_id: format!("evt_{id}"),
        kind: "charge.refunded".to_owned(),
        top_up: None,
        payment_ref: None,
        raw: body.as_bytes().to_vec(),
        state: EventState::Parked,
        verdict: "it names a payment of nobody".to_owned(),
        received_at: Timestamp(0),
        due_at: Some(Timestamp(0)),
        tries: 0,
    };
    Write::TopUp(TopUpWrite::InsertEvent(Box::new(event)))
}

#[tokio::test]
async fn a_list_is_bounded_and_a_day_is_the_same_day_everywhere() {
    let world = World::start().await;
    let day = Reconciliation {
        processor: Processor::Stripe,
        day: Timestamp(1_700_006_400_000),
        listed: 0,
        credited: 0,
        amount: Usd::ZERO,
        fees: Usd(1_030_000),
        paid_out: Usd(80_000_000),
        unexplained: Vec::new(),
        failure: None,
        at: Timestamp(1_700_100_000_000),
    };
    let day = Write::TopUp(TopUpWrite::Reconciled(Box::new(day)));
    let events = (1..=25).map(|id| parked(id, &format!("body of {id}.")));
    let change = Change::new("test", world.clock.now(), events.chain([day]).collect());
    world.store.commit(change).await.unwrap();
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let page = fin.get("/console/top-ups").await.text;
    assert_eq!(page.matches("evt_").count(), 25, "{page}");
    assert_eq!(page.matches("body of ").count(), 20, "{page}");
    assert!(page.contains("body of 25."), "the newest: {page}");
    // a browser would show a moment in its reader's own time: the day before, in the west
    assert!(page.contains("<td>2023-11-15</td>"), "{page}");
    assert!(page.contains("$1.03") && page.contains("$80.00"), "{page}");
}

#[tokio::test]
async fn an_event_is_tried_again_once_and_credits_nothing_that_stands_in_review() {
    let world = World::start().await;
    let top_up = begun_by(&world, world.account, "25.00").await;
    let session = world.payments.pay(&top_up);
    let rows = world.door.top_ups.rows();
    // other money than was asked, as the processor says at first
    let mut odd = session.clone();
    odd.amount_total = Some(1);
    world.payments.say(&odd);
    assert_eq!(deliver(&world, &completed("evt_odd", &odd)).await, 200);
    assert_eq!(row(&world, top_up.id).await.state, TopUpState::Review);
    let events = rows.top_up_events_of(top_up.id, 10).await.unwrap();
    assert_eq!(events[0].state, EventState::Review);
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let page = fin.get("/console/top-ups").await;
    assert!(page.text.contains("evt_odd"), "{}", page.text);
    let one = fin.get(&format!("/console/top-ups/{}", top_up.id)).await;
    assert!(one.text.contains("<pre"), "{}", one.text);
    assert!(!page.text.contains("<pre"), "its body is at its top-up");
    let path = format!("/console/top-up-events/{}/replay", events[0].id);
    let replayed = fin.post(&path, &[("reason", "look once more")]).await;
    assert_eq!(replayed.status, 303, "{}", replayed.text);
    // only an operator goes on from review: nothing is credited by it
    assert_eq!(row(&world, top_up.id).await.state, TopUpState::Review);
    let after = rows.top_up_event_row(events[0].id).await.unwrap().unwrap();
    assert_eq!(after.state, EventState::Done);
    let settled = fin.post(&path, &[("reason", "and again")]).await;
    assert_eq!(settled.status, 409, "{}", settled.text);
    world.books().await;
}
