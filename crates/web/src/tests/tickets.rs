//! What waits for a person: the operator sees it, and only the operator moves its money.

use super::console::at_work;
use super::world::{PLACE, World};
use domain::ids::OrderId;
use domain::people::Role;
use domain::ticket::{Ticket, TicketKind};
use domain::time::Millis;
use domain::upstream::Progress;
use domain::usd::Usd;

fn says(world: &World, progress: Progress, remains: i64, charge: i64) {
    world.panel.says(progress, |status| {
        (status.remains, status.charge) = (Some(remains), Some(Usd(charge)));
    });
}

/// Places an order for ten thousand units, 10.80 dollars.
async fn placed(world: &World) -> OrderId {
    let body = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":10000}"#;
    let order = world.post(PLACE, &[], body).await.data()["order_id"].clone();
    OrderId(order.as_str().unwrap().parse().unwrap())
}

/// Lets the background work of half an hour happen.
async fn later(world: &World) {
    for _ in 0..60 {
        world.clock.advance(Millis::seconds(30));
        world.run_smm_orders().await;
    }
}

async fn tickets(world: &World) -> Vec<Ticket> {
    let engine = &world.door.engine;
    engine.store().tickets(true, 10).await.unwrap()
}

#[tokio::test]
async fn a_large_correction_waits_until_the_operator_pays_it_once() {
    let world = World::start().await;
    let order = placed(&world).await;
    says(&world, Progress::Completed, 0, 9_000_000);
    later(&world).await;
    assert_eq!(world.wallet().await.available, Usd(39_200_000));
    says(&world, Progress::Partial, 9_999, 900);
    later(&world).await;
    assert_eq!(world.wallet().await.available, Usd(39_200_000));
    let open = tickets(&world).await;
    let [ticket] = open.as_slice() else {
        panic!("one ticket, however often the panel says it: {open:?}");
    };
    assert_eq!(ticket.kind, TicketKind::LargeAdjustment);
    assert_eq!(
        (ticket.reference, ticket.amount),
        (order.0, Usd(10_798_920))
    );
    let engine = &world.door.engine;
    assert!(engine.pay_ticket(ticket.id, " ").await.is_err(), "a reason");
    let paid = engine.pay_ticket(ticket.id, "the panel is right").await;
    assert_eq!(paid.unwrap(), (order, Usd(10_798_920)));
    assert_eq!(world.wallet().await.available, Usd(49_998_920));
    let again = engine.pay_ticket(ticket.id, "once more").await;
    assert!(again.is_err());
    later(&world).await;
    assert_eq!(world.wallet().await.available, Usd(49_998_920));
    assert_eq!(tickets(&world).await, []);
}

#[tokio::test]
async fn nobody_pays_a_ticket_about_an_order_of_their_own() {
    let world = World::start().await;
    placed(&world).await;
    says(&world, Progress::Completed, 0, 9_000_000);
    later(&world).await;
    says(&world, Progress::Partial, 9_999, 900);
    later(&world).await;
    let pay = format!("/console/tickets/{}/pay", tickets(&world).await[0].id);
    let why = [("reason", "the panel is right")];
    let store = world.door.engine.store();
    let own = store.account(world.account).await.unwrap().unwrap();
    let (name, _) = own.email.split_once('@').unwrap();
    let mut herself = at_work(&world, name, Role::Owner).await;
    herself.get("/console/tickets").await;
    let refused = herself.post(&pay, &why).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("of your own"), "{}", refused.text);
    assert_eq!(world.wallet().await.available, Usd(39_200_000));
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    owner.get("/console/tickets").await;
    assert_eq!(owner.post(&pay, &why).await.status, 303);
    assert_eq!(world.wallet().await.available, Usd(49_998_920));
}

#[tokio::test]
async fn more_left_than_was_ordered_keeps_the_hold_and_asks_for_a_person() {
    let world = World::start().await;
    let order = placed(&world).await;
    says(&world, Progress::Partial, 10_001, 9_000_000);
    later(&world).await;
    assert_eq!(world.wallet().await.held, Usd(10_800_000));
    let open = tickets(&world).await;
    let about: Vec<_> = open.iter().map(|one| (one.kind, one.reference)).collect();
    assert_eq!(about, [(TicketKind::OrderInReview, order.0)]);
    let engine = &world.door.engine;
    let withheld = engine.pay_ticket(open[0].id, "pay").await;
    assert!(withheld.is_err(), "nothing is withheld there");
    assert_eq!(world.wallet().await.held, Usd(10_800_000));
}
