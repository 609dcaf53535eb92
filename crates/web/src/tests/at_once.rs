//! Many at the same time for what is there once.

use super::dashboard::{Browser, signed_in};
use super::world::{BUY, DISCORD, World};
use domain::ports::Store;
use domain::usd::Usd;
use futures_util::future::join_all;

#[tokio::test]
async fn fifty_orders_at_once_spend_what_is_there_and_no_more() {
    let world = World::start().await;
    let price = world.post(BUY, &[], DISCORD).await.data()["charged_usd"].to_string();
    let price = Usd::parse(&price).unwrap();
    let (account, key) = world.new_account("poor@example.com").await;
    let engine = &world.door.engine;
    let ten = Usd(10 * price.0);
    engine.credit_wallet(account, ten, "test").await.unwrap();
    let headers = [("x-api-key", key.as_str())];
    let orders = (0..50).map(|_| world.post(BUY, &headers, DISCORD));
    let answers = join_all(orders).await;
    let count = |status: u16| answers.iter().filter(|one| one.status == status).count();
    assert_eq!((count(200), count(402)), (10, 40));
    let wallet = world.store.wallet(account).await.unwrap().unwrap();
    assert_eq!((wallet.available, wallet.held), (Usd::ZERO, ten));
    world.books().await;
}

#[tokio::test]
async fn ten_top_ups_at_once_stay_within_the_bound_of_a_day() {
    let world = World::start().await;
    let (account, _) = world.new_account("hasty@example.com").await;
    let mut visitor = signed_in(&world, account).await;
    visitor.get("/wallet/top-up").await;
    let form = [("method", "stripe"), ("currency", "USD"), ("amount", "250")];
    let begun = (0..10).map(|_| {
        let mut again = Browser {
            cookie: visitor.cookie.clone(),
            form_token: visitor.form_token.clone(),
            ..Browser::new(&world)
        };
        async move { again.tops_up(&form).await.status }
    });
    let statuses = join_all(begun).await;
    let count = |status: u16| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(303), count(400)), (4, 6), "1000 dollars a day");
}

#[tokio::test]
async fn twenty_takers_at_once_and_one_has_the_code() {
    let world = World::start().await;
    let order = app::CodeOrder {
        amount: Usd(5_000_000),
        count: 1,
        expires_days: None,
        source: domain::redeem::CodeSource::Gift,
        note: String::new(),
    };
    let code = world.door.redeem.create(order, None).await.unwrap().codes[0].clone();
    let mut takers = Vec::new();
    for number in 0..20 {
        let (account, _) = world.new_account(&format!("t{number}@example.com")).await;
        let mut taker = signed_in(&world, account).await;
        taker.get("/wallet/top-up").await;
        takers.push((account, taker));
    }
    let taking = takers.iter_mut().map(|(_, taker)| {
        let code = code.clone();
        async move {
            taker
                .post("/wallet/redeem", &[("code", &code)])
                .await
                .status
        }
    });
    let statuses = join_all(taking).await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1);
    let mut credited = Vec::new();
    for (account, _) in &takers {
        let wallet = world.store.wallet(*account).await.unwrap().unwrap();
        credited.extend(Some(wallet.available).filter(|available| *available != Usd::ZERO));
    }
    assert_eq!(credited, [Usd(5_000_000)]);
}
