//! Top-ups at the console: who decides, once, with a second person, and what is tried again.

use super::super::dashboard::browser::location;
use super::super::payments::{begun_by, completed, deliver, row};
use super::super::world::World;
use super::{at_work, lines};
use domain::people::Role;
use domain::top_up::{EventState, TopUp, TopUpState};
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
    owner.get(&format!("/console/top-ups/{}", top_up.id)).await;
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
    assert_eq!(
        row(&world, top_up.id).await.reversed.amount,
        Usd(240_000_000)
    );
    world.books().await;
}

#[tokio::test]
async fn an_event_that_fitted_nothing_is_tried_again_once_it_fits() {
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
