//! API access and keys as their owner handles them.

use super::browser::{PASSWORD, customer, location};
use crate::tests::world::World;
use domain::time::Millis;

fn shown_key(text: &str) -> String {
    let start = text.find("tg_demo_").unwrap();
    let key = &text[start..];
    key[..key.find(['"', '<']).unwrap()].to_owned()
}

async fn balance(world: &World, key: &str) -> u16 {
    let target = "/api/v1/otp?action=balance";
    let request = world.request("GET", target, &[("x-api-key", key)], "");
    world.send(request).await.status
}

#[tokio::test]
async fn access_is_switched_and_keys_are_made_shown_once_and_revoked() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/keys").await;
    let fields = [("name", "shop <b>"), ("scope", "otp"), ("rate_limit", "7")];
    let page = browser.post("/keys", &fields).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("shop &lt;b&gt;") && !page.text.contains("shop <b>"));
    let key = shown_key(&page.text);
    assert_eq!(balance(&world, &key).await, 200);
    let page = browser.get("/keys").await;
    assert!(!page.text.contains(&key), "a key is shown once");

    browser.post("/keys/access", &[("on", "0")]).await;
    assert_eq!(balance(&world, &key).await, 403);
    let answer = browser.post("/keys/access", &[("on", "1")]).await;
    assert_eq!(location(&answer), "/keys?notice=api-on");
    assert_eq!(balance(&world, &key).await, 200);

    let id = newest_id(&world).await;
    let answer = browser.post("/keys/revoke", &[("id", &id)]).await;
    assert_eq!(location(&answer), "/keys?notice=key-revoked");
    assert_eq!(balance(&world, &key).await, 401);
}

async fn newest_id(world: &World) -> String {
    let keys = world.door.engine.store().keys(world.account).await.unwrap();
    keys.last().unwrap().id.to_string()
}

#[tokio::test]
async fn a_replaced_key_works_on_for_its_overlap() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/keys").await;
    let page = browser.post("/keys", &[("name", "shop")]).await;
    let old = shown_key(&page.text);
    let id = newest_id(&world).await;
    let fields = [("id", id.as_str()), ("overlap_hours", "1")];
    let page = browser.post("/keys/rotate", &fields).await;
    let new = shown_key(&page.text);
    assert_eq!(
        (balance(&world, &old).await, balance(&world, &new).await),
        (200, 200)
    );
    world.clock.advance(Millis::minutes(61));
    assert_eq!(balance(&world, &old).await, 403);
    assert_eq!(balance(&world, &new).await, 200);
}

#[tokio::test]
async fn a_key_is_restricted_by_its_owner() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/keys").await;
    let page = browser.post("/keys", &[("name", "shop")]).await;
    let key = shown_key(&page.text);
    let id = newest_id(&world).await;
    let bad = [
        ("id", id.as_str()),
        ("name", "shop"),
        ("addresses", "300.1.2.3"),
    ];
    let page = browser.post("/keys/change", &bad).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("300.1.2.3"));
    let away = [
        ("id", id.as_str()),
        ("name", "shop"),
        ("addresses", "203.0.113.0/24"),
    ];
    browser.post("/keys/change", &away).await;
    assert_eq!(balance(&world, &key).await, 403);
    let warning = "lets everybody in";
    assert!(!browser.get("/keys").await.text.contains(warning));
    let anywhere = [
        ("id", id.as_str()),
        ("name", "shop"),
        ("addresses", "203.0.113.7, ::/0"),
    ];
    browser.post("/keys/change", &anywhere).await;
    assert!(browser.get("/keys").await.text.contains(warning));
    let off = [("id", id.as_str()), ("name", "shop"), ("disabled", "1")];
    browser.post("/keys/change", &off).await;
    assert_eq!(balance(&world, &key).await, 403);
    let on = [("id", id.as_str()), ("name", "shop")];
    browser.post("/keys/change", &on).await;
    assert_eq!(balance(&world, &key).await, 200);
}

#[tokio::test]
async fn a_key_needs_a_password_shown_lately_and_others_keys_do_not_exist() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/keys").await;
    world.clock.advance(Millis::minutes(16));
    let answer = browser.post("/keys", &[("name", "late")]).await;
    assert_eq!(location(&answer), "/confirm-password?next=%2Fkeys");
    let id = newest_id(&world).await;
    for path in ["/keys/change", "/keys/rotate"] {
        let fields = [("id", id.as_str()), ("name", "wider")];
        let answer = browser.post(path, &fields).await;
        assert_eq!(
            location(&answer),
            "/confirm-password?next=%2Fkeys",
            "{path}"
        );
    }
    let fields = [("password", PASSWORD), ("next", "/keys")];
    let answer = browser.post("/confirm-password", &fields).await;
    assert_eq!(location(&answer), "/keys");
    assert_eq!(browser.post("/keys", &[("name", "late")]).await.status, 200);

    let answer = browser.post("/keys/revoke", &[("id", "999999")]).await;
    assert_eq!(answer.status, 404);
}
