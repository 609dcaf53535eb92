//! Buying numbers in the page, their live list, the story of an order, and the search.

use super::browser::{Browser, PASSWORD, customer, location, signed_in};
use crate::tests::world::{Answered, World};
use axum::body::Body;
use axum::http::Request;
use domain::time::Millis;
use domain::upstream::Refusal;
use futures_util::StreamExt;
use std::sync::atomic::Ordering;
use tower::ServiceExt;

fn value<'t>(text: &'t str, name: &str) -> &'t str {
    let before = format!("name=\"{name}\" value=\"");
    let start = text.find(&before).unwrap() + before.len();
    &text[start..start + text[start..].find('"').unwrap()]
}

/// The form of the first route that the page offers, as its fields.
fn first_route(page: &str) -> Vec<(String, String)> {
    let route = value(page, "route").replace("&amp;", "&");
    let chosen = form_urlencoded::parse(route.as_bytes()).into_owned();
    let names = ["once", "country"];
    let form = names.map(|name| (name.to_owned(), value(page, name).to_owned()));
    form.into_iter().chain(chosen).collect()
}

fn fields(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

async fn orders(world: &World) -> usize {
    world.books().await.orders
}

#[tokio::test]
async fn a_number_is_bought_once_however_often_the_form_is_sent() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let page = browser.get("/numbers?country=pakistan").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let form = first_route(&page.text);
    let answer = browser.post("/numbers/buy", &fields(&form)).await;
    let there = "/numbers?country=pakistan&notice=number-bought";
    assert_eq!(location(&answer), there, "{}", answer.text);
    let again = browser.post("/numbers/buy", &fields(&form)).await;
    assert_eq!(location(&again), there);
    assert_eq!(orders(&world).await, 1);

    let live = browser.get("/numbers/live").await;
    assert!(live.text.contains("Waiting for the code"), "{}", live.text);
    let list = browser.get("/orders").await;
    let id = list.text.split("href=\"/orders/").nth(1).unwrap();
    let id = id[..id.find('"').unwrap()].to_owned();
    let order = browser.get(&format!("/orders/{id}")).await;
    assert!(order.text.contains("Set aside") && order.text.contains("assigned"));
    let phone = order.text.split("data-copy=\"+").nth(1).unwrap();
    let phone = phone[..phone.find('"').unwrap()].to_owned();
    for text in [id.clone(), format!("%2B{phone}"), phone] {
        let hit = browser.get(&format!("/search?q={text}")).await;
        assert_eq!(location(&hit), format!("/orders/{id}"), "{text}");
    }

    let early = [("order", id.as_str()), ("back", "/numbers")];
    assert_eq!(browser.post("/numbers/cancel", &early).await.status, 409);
    world.clock.advance(Millis::seconds(121));
    let answer = browser.post("/numbers/cancel", &early).await;
    assert_eq!(location(&answer), "/numbers?notice=number-cancelled");
    let order = browser.get(&format!("/orders/{id}")).await;
    assert!(order.text.contains("Given back") && order.text.contains("Cancelled on your request"));
}

#[tokio::test]
async fn a_service_is_found_before_a_country_is_chosen() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let all = browser.get("/numbers").await;
    assert!(!all.text.contains("Countries that sell"), "{}", all.text);
    let typed = browser.get("/numbers?q=DISC").await;
    let there = "href=\"/numbers?country=pakistan&amp;q=Discord\"";
    assert!(typed.text.contains(there), "{}", typed.text);
    // by its price there, as the page of the country has it
    let tile = typed.text.split(there).nth(1).unwrap();
    let price = tile.split("<strong>").nth(1).unwrap();
    let price = &price[..price.find("</strong>").unwrap()];
    let country = browser.get("/numbers?country=pakistan&q=Discord").await;
    assert!(
        country.text.contains(&format!("<strong>{price}</strong>")),
        "{price}"
    );
    let whole = browser.get("/numbers?service=Discord").await;
    assert!(whole.text.contains("Sold in") && whole.text.contains(there));
    let none = browser.get("/numbers?q=no-such-thing").await;
    assert!(none.text.contains("Nothing found"), "{}", none.text);
    let gone = browser.get("/numbers?service=%3Cb%3Enone").await;
    assert!(gone.text.contains("Not sold now") && !gone.text.contains("<b>none"));
}

#[tokio::test]
async fn what_is_sent_by_hand_is_checked_like_any_request() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let page = browser.get("/numbers?country=pakistan").await;
    let form = first_route(&page.text);
    for (name, wrong, status) in [
        ("once", "short", 400),
        ("max_price", "cheap", 400),
        ("max_price", "0.000001", 409),
        ("server", "nobody", 400),
        ("service", "no-such-service", 404),
    ] {
        let mut changed = form.clone();
        for pair in &mut changed {
            if pair.0 == name {
                wrong.clone_into(&mut pair.1);
            }
        }
        let answer = browser.post("/numbers/buy", &fields(&changed)).await;
        assert_eq!(answer.status, status, "{name}={wrong}: {}", answer.text);
    }
    assert_eq!(orders(&world).await, 0);
}

#[tokio::test]
async fn others_orders_do_not_exist() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let page = browser.get("/numbers?country=pakistan").await;
    browser
        .post("/numbers/buy", &fields(&first_route(&page.text)))
        .await;
    let list = browser.get("/orders").await;
    let id = list.text.split("href=\"/orders/").nth(1).unwrap();
    let id = id[..id.find('"').unwrap()].to_owned();

    let (other, _) = world.new_account("bob@example.com").await;
    let mut stranger = signed_in(&world, other).await;
    stranger.get("/orders").await;
    assert_eq!(stranger.get(&format!("/orders/{id}")).await.status, 404);
    let hit = stranger.get(&format!("/search?q={id}")).await;
    assert!(hit.status == 200 && hit.text.contains("No order found"));
    let theirs = [("order", id.as_str()), ("back", "/numbers")];
    assert_eq!(stranger.post("/numbers/cancel", &theirs).await.status, 404);
    for bad in ["0", "x", "99999999999999999999", "%3Cscript%3E"] {
        assert_eq!(stranger.get(&format!("/orders/{bad}")).await.status, 404);
    }
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let hostile = "%3Cscript%3Ealert(1)%3C/script%3E";
    for path in [
        format!("/search?q={hostile}"),
        format!("/numbers?q={hostile}"),
        format!("/numbers?country={hostile}"),
        format!("/orders?status={hostile}&since=2026-01-01"),
        format!("/orders?since={hostile}"),
        format!("/orders?notice={hostile}"),
    ] {
        let page = browser.get(&path).await;
        assert!(!page.text.contains("<script>alert"), "{path}");
        assert!(page.status < 500, "{path}: {}", page.text);
    }
    let page = browser.get("/numbers").await;
    assert!(page.status == 200 && page.text.contains("country=pakistan"));
}

#[tokio::test]
async fn a_waiting_number_stays_in_sight_however_many_come_after_it() {
    let world = World::start().await;
    let first = world.buy().await;
    for _ in 0..51 {
        world.buy().await;
    }
    let mut browser = customer(&world).await;
    let live = browser.get("/numbers/live").await.text;
    assert!(live.contains(&format!("/orders/{first}\"")), "{live}");
    assert_eq!(live.matches("Waiting for the code").count(), 52);
}

#[tokio::test]
async fn a_number_that_was_too_dear_is_bought_by_the_same_form_after_a_top_up() {
    let world = World::start().await;
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut browser = signed_in(&world, bob).await;
    let page = browser.get("/numbers?country=pakistan").await;
    let form = first_route(&page.text);
    let refused = browser.post("/numbers/buy", &fields(&form)).await;
    assert_eq!(refused.status, 402);
    assert!(refused.text.contains("Top up"), "{}", refused.text);
    let engine = &world.door.engine;
    let credit = engine.credit_wallet(bob, domain::usd::Usd(1_000_000), "x");
    credit.await.unwrap();
    for _ in 0..2 {
        let bought = browser.post("/numbers/buy", &fields(&form)).await;
        let there = "/numbers?country=pakistan&notice=number-bought";
        assert_eq!(location(&bought), there, "{}", bought.text);
    }
    let holds = world.door.pages.open_holds(bob, 10).await.unwrap();
    assert_eq!(holds.len(), 1, "and once");
}

#[tokio::test]
async fn news_end_with_the_session_that_asked_for_them() {
    let world = World::start().await;
    let ana = customer(&world).await;
    world.buy().await;
    let request = Request::get("/numbers/events").header("cookie", &ana.cookie);
    let request = request.body(Body::empty()).unwrap();
    let answer = world.router.clone().oneshot(request).await.unwrap();
    let mut news = answer.into_body().into_data_stream();
    let first = news.next().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: live"), "{first:?}");

    let mut elsewhere = Browser::new(&world);
    elsewhere.sign_in("ana@example.com", PASSWORD).await;
    elsewhere.get("/account").await;
    elsewhere.post("/account/sessions/end-all", &[]).await;
    world.buy().await;
    assert!(
        news.next().await.is_none(),
        "a stranger's browser sees no number"
    );
}

/// Sends the form of a page's first route.
async fn sent(browser: &mut Browser<'_>, page: &str) -> Answered {
    let form = first_route(&browser.get(page).await.text);
    browser.post("/numbers/buy", &fields(&form)).await
}

#[tokio::test]
async fn a_form_whose_purchase_failed_buys_when_it_is_sent_again() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let page = browser.get("/numbers?country=pakistan&q=discord").await;
    let mut form = first_route(&page.text);
    for (name, value) in [
        ("server", "peter"),
        ("service", "306343"),
        ("country_id", "61"),
    ] {
        for pair in form.iter_mut().filter(|pair| pair.0 == name) {
            value.clone_into(&mut pair.1);
        }
    }
    *world.numbers.refusal.lock().unwrap() = Some(Refusal::NoStock);
    for calls in 1..=3 {
        let refused = browser.post("/numbers/buy", &fields(&form)).await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert!(refused.text.contains("Nothing was charged"));
        let asked = world.numbers.calls.load(Ordering::SeqCst);
        assert_eq!(asked, calls, "each time it is tried");
    }
    *world.numbers.refusal.lock().unwrap() = None;
    for _ in 0..2 {
        let bought = browser.post("/numbers/buy", &fields(&form)).await;
        let there = "/numbers?country=pakistan&notice=number-bought";
        assert_eq!(location(&bought), there, "{}", bought.text);
    }
    assert_eq!(
        world.numbers.sold.load(Ordering::SeqCst),
        1,
        "and bought once"
    );
}

#[tokio::test]
async fn a_purchase_whose_outcome_is_unknown_leads_to_its_order() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let lost = "/numbers?country=pakistan&q=answer%20lost";
    let answer = sent(&mut browser, lost).await;
    let (order, notice) = location(&answer).split_once('?').unwrap();
    assert_eq!(notice, "notice=order-pending", "{}", answer.text);
    let page = browser.get(order).await;
    assert!(
        page.text.contains("Pending") && page.text.contains("every 2s"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn each_button_of_a_form_buys_once_and_its_own_route() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let page = browser
        .get("/numbers?country=pakistan&q=discord")
        .await
        .text;
    let routes: Vec<String> = page
        .split("name=\"route\" value=\"")
        // what stands before the first button
        .skip(1)
        .map(|rest| rest[..rest.find('"').unwrap()].replace("&amp;", "&"))
        .collect();
    assert!(routes.len() > 1, "{page}");
    let once = value(&page, "once");
    for bought in 1..=2 {
        let route = routes[bought - 1].as_str();
        let form = [("once", once), ("country", "pakistan"), ("route", route)];
        for _ in 0..2 {
            let answer = browser.post("/numbers/buy", &form).await;
            let there = "/numbers?country=pakistan&notice=number-bought";
            assert_eq!(location(&answer), there, "{}", answer.text);
        }
        assert_eq!(orders(&world).await, bought);
    }
}
