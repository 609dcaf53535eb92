//! Reports, legal holds and deletion, as their operators meet them.

use super::dashboard::browser::{Browser, PASSWORD, customer, location};
use super::world::{Answered, World};
use app::Report;
use domain::change::{Change, Write};
use domain::ids::OrderId;
use domain::policy::{Harm, Held};
use domain::ports::{Clock, Store};
use domain::time::Millis;

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

#[tokio::test]
async fn a_report_that_names_no_time_finds_who_had_the_number_last() {
    let world = World::start().await;
    let (order, number) = bought(&world).await;
    world.clock.advance(Millis::minutes(25 * 24 * 60));
    let lawful = &world.door.lawful;
    lawful.report(report(&number)).await.unwrap();
    let case = lawful.cases(true).await.unwrap().remove(0);
    assert_eq!(case.behind.map(|it| it.order), Some(order));
    let timed = Report {
        at: Some(world.clock.now()),
        ..report(&number)
    };
    lawful.report(timed).await.unwrap();
    let case = lawful.cases(true).await.unwrap().remove(0);
    assert_eq!(case.behind, None, "nobody had it at that time");
}

async fn takes_out(world: &World) {
    let debit = Write::Debit {
        account: world.account,
        row: world.store.next_row_id(),
        amount: world.wallet().await.available,
        note: "paid out".to_owned(),
    };
    let change = Change::new("pay_out", world.clock.now(), vec![debit]);
    world.store.commit(change).await.unwrap();
}

#[tokio::test]
async fn an_account_is_deleted_once_nothing_is_left_of_it() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let (order, number) = bought(&world).await;
    let (lawful, people) = (&world.door.lawful, &world.door.people);
    let delete = || lawful.delete_account(world.account, people);
    let refused = |why: &'static str| async move {
        let said = lawful.delete_account(world.account, people).await;
        let said = said.unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    };
    refused("has open orders").await;
    world.receive(&order.to_string(), "123456").await;
    world.clock.advance(Millis::minutes(60));
    world.door.engine.run_due_activations().await;
    refused("has money left").await;
    takes_out(&world).await;
    lawful.report(report(&number)).await.unwrap();
    refused("is under legal hold").await;
    let case = lawful.cases(true).await.unwrap().remove(0);
    let closed = lawful.close_case(case.id, "looked into; resolved");
    closed.await.unwrap();
    assert_eq!(browser.get("/account").await.status, 200);

    delete().await.unwrap();
    let account = world.store.account(world.account).await.unwrap().unwrap();
    assert!(account.suspended && account.email.ends_with("@deleted.invalid"));
    let out = browser.get("/account").await;
    assert_eq!(location(&out).split('?').next(), Some("/sign-in"));
    let mut again = Browser::new(&world);
    let answer = again.sign_in("ana@example.com", PASSWORD).await;
    assert_ne!(answer.status, 303, "{}", answer.text);
    assert_eq!(world.get("/api/v1/otp?action=balance").await.status, 401);
    let kept = world.store.activation(order).await.unwrap().unwrap();
    assert_eq!(kept.phone, None);
    world.books().await;
}

#[tokio::test]
async fn who_is_suspended_is_signed_out_and_may_sign_in_to_look() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    assert_eq!(browser.get("/account").await.status, 200);
    let engine = &world.door.engine;
    engine.suspend_account(world.account, true).await.unwrap();
    let out = browser.get("/account").await;
    assert_eq!(location(&out).split('?').next(), Some("/sign-in"));
    let refused = world.get("/api/v1/otp?action=balance").await;
    assert_eq!(refused.code(), "account_suspended");
    let answer = browser.sign_in("ana@example.com", PASSWORD).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(browser.get("/account").await.status, 200);
}
