//! Reports, legal holds and deletion, as their operators meet them.

use super::world::{Answered, World};
use app::Report;
use domain::ids::OrderId;
use domain::policy::{Harm, Held};

/// A number that was bought, and its order.
async fn bought(world: &World) -> (OrderId, String) {
    let order = world.buy().await;
    let path = format!("/api/v1/otp?action=get_status&order_id={order}");
    let shown: Answered = world.get(&path).await;
    let number = shown.json()["data"]["phone_number"]
        .as_str()
        .unwrap()
        .to_owned();
    (OrderId(order.parse().unwrap()), number)
}

fn report(number: &str) -> Report {
    Report {
        subject: number.to_owned(),
        at: None,
        harm: Harm::Other,
        what: "they tried to open an account in my name".to_owned(),
        contact: "eve@example.com".to_owned(),
    }
}

#[tokio::test]
async fn what_the_police_asked_for_outlives_the_report() {
    let world = World::start().await;
    let (order, number) = bought(&world).await;
    let lawful = &world.door.lawful;
    lawful.report(report(&number)).await.unwrap();
    let evidence = Held::Order(order);
    let none = lawful.release(evidence).await.unwrap_err();
    assert!(
        none.to_string().contains("hold of an operator on order"),
        "{none}"
    );
    let police = lawful.hold(evidence, "asked for by the police");
    police.await.unwrap();
    let case = lawful.cases(true).await.unwrap().remove(0);
    let closed = lawful.close_case(case.id, "looked into; resolved");
    closed.await.unwrap();
    let left = lawful.holds().await.unwrap();
    assert_eq!(
        (left.len(), left[0].why.as_str()),
        (1, "asked for by the police")
    );
    lawful.release(evidence).await.unwrap();
    assert!(lawful.holds().await.unwrap().is_empty());
}
