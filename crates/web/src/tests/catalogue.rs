//! Lists of what is on sale: kept as bytes, told apart by tags, never older than their prices.

use super::world::{Answered, World};
use domain::time::Millis;
use std::sync::atomic::Ordering;

const SERVICES: &str = "/api/v1/otp?action=services&server=peter&country_id=61";
const COUNTRIES: &str = "/api/v1/otp?action=countries";

async fn get(world: &World, target: &str, headers: &[(&str, &str)]) -> Answered {
    world.send(world.request("GET", target, headers, "")).await
}

fn price(answer: &Answered) -> String {
    answer.data()["services"][0]["your_price_usd"].to_string()
}

#[tokio::test]
async fn a_list_that_is_known_is_not_sent_again() {
    let world = World::start().await;
    for target in [SERVICES, COUNTRIES] {
        let first = get(&world, target, &[]).await;
        let tag = first.header("etag").unwrap().to_owned();
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        assert_eq!(first.header("vary"), Some("accept-encoding, x-api-key"));
        let again = get(&world, target, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""));
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        assert!(again.header("ratelimit-remaining").is_some());
        let other = get(&world, target, &[("if-none-match", "\"other\"")]).await;
        assert_eq!((other.status, &other.text), (200, &first.text));
    }
    let refused = get(
        &world,
        "/api/v1/otp?action=services&country_id=999",
        &[("if-none-match", "*")],
    );
    assert_eq!(refused.await.status, 404);
}

#[tokio::test]
async fn a_list_longer_than_any_honest_one_is_not_believed() {
    let world = World::start().await;
    let engine = &world.door.engine;
    let before = get(&world, SERVICES, &[]).await;
    world.numbers.surcharge.store(-10_000, Ordering::SeqCst);
    world.numbers.more_services.store(50_000, Ordering::SeqCst);
    let why = engine.refresh_upstream("peter").await.outcome.unwrap_err();
    assert_eq!(
        why,
        "50007 services are listed; more than 50000 are not believed"
    );
    let states = engine.listing_states();
    let peter = states.iter().find(|one| one.upstream == "peter").unwrap();
    assert_eq!(peter.trouble, Some(why));
    assert_eq!(get(&world, SERVICES, &[]).await.text, before.text);
    world.numbers.more_services.store(49_000, Ordering::SeqCst);
    engine.refresh_upstream("peter").await.outcome.unwrap();
    assert_eq!(price(&get(&world, SERVICES, &[]).await), "0.028");
}

#[tokio::test]
async fn a_rise_shows_when_its_grace_ends_and_a_fall_at_once() {
    let world = World::start().await;
    let engine = &world.door.engine;
    let before = get(&world, SERVICES, &[]).await;
    assert_eq!(price(&before), "0.04");
    world.numbers.surcharge.store(10_000, Ordering::SeqCst);
    engine.refresh_upstream("peter").await.outcome.unwrap();
    assert_eq!(get(&world, SERVICES, &[]).await.text, before.text);
    world.clock.advance(Millis(59_999));
    assert_eq!(get(&world, SERVICES, &[]).await.text, before.text);
    // the list was made a millisecond ago and still ends with its price
    world.clock.advance(Millis(1));
    assert_eq!(price(&get(&world, SERVICES, &[]).await), "0.052");
    world.numbers.surcharge.store(-10_000, Ordering::SeqCst);
    engine.refresh_upstream("peter").await.outcome.unwrap();
    assert_eq!(price(&get(&world, SERVICES, &[]).await), "0.028");
}

#[tokio::test]
async fn a_listing_that_suddenly_lost_much_is_believed_the_third_time() {
    let world = World::start().await;
    let engine = &world.door.engine;
    // behind both routes of its server
    let offers = || engine.catalogue().size().0;
    let all = offers();
    world.numbers.listed.store(1, Ordering::SeqCst);
    for _ in 0..2 {
        let outcome = engine.refresh_upstream("peter").await.outcome;
        assert!(outcome.unwrap_err().contains("lost 3 of 4 offers"));
        assert_eq!(offers(), all);
    }
    let states = engine.listing_states();
    let peter = states.iter().find(|state| state.upstream == "peter");
    assert!(peter.unwrap().trouble.is_some());
    assert_eq!(engine.refresh_upstream("peter").await.outcome, Ok(1));
    assert_eq!(offers(), all - 6);
    world.numbers.listed.store(0, Ordering::SeqCst);
    for _ in 0..4 {
        assert!(engine.refresh_upstream("peter").await.outcome.is_err());
    }
    assert_eq!(offers(), all - 6);
}

#[tokio::test]
async fn prices_that_are_too_old_are_not_sold_from() {
    let world = World::start().await;
    world.numbers.listed.store(0, Ordering::SeqCst);
    world.clock.advance(Millis::minutes(24 * 60 - 1));
    let engine = &world.door.engine;
    engine.refresh_upstream("peter").await.outcome.unwrap_err();
    assert_eq!(get(&world, SERVICES, &[]).await.status, 200);
    world.clock.advance(Millis::minutes(1));
    engine.refresh_upstream("peter").await.outcome.unwrap_err();
    assert_eq!(get(&world, SERVICES, &[]).await.status, 503);
    world.numbers.listed.store(9, Ordering::SeqCst);
    engine.refresh_upstream("peter").await.outcome.unwrap();
    assert_eq!(get(&world, SERVICES, &[]).await.status, 200);
}
