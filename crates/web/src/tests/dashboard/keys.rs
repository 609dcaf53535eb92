//! API access and keys as their owner handles them.

use super::browser::{Browser, PASSWORD, customer, location};
use super::smm::value;
use crate::tests::world::{Answered, World};
use domain::time::Millis;

fn shown_key(text: &str) -> String {
    let start = text.find("tg_demo_").unwrap();
    let key = &text[start..];
    key[..key.find(['"', '<']).unwrap()].to_owned()
}

/// Sends the form for a new key as its page has it.
async fn make(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Answered {
    let page = browser.get("/keys").await;
    let once = value(&page.text, "once").unwrap();
    let fields = [fields, &[("once", once.as_str())]].concat();
    browser.post("/keys", &fields).await
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
    let page = make(&mut browser, &fields).await;
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
    let page = make(&mut browser, &[("name", "shop")]).await;
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
    assert_eq!(balance(&world, &old).await, 401, "rotated out, B-043");
    assert_eq!(balance(&world, &new).await, 200);
}

#[tokio::test]
async fn an_overlap_that_is_no_number_of_hours_replaces_nothing() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let page = make(&mut browser, &[("name", "shop")]).await;
    let old = shown_key(&page.text);
    let id = newest_id(&world).await;
    for hours in [
        "-1",
        "abc",
        "0.5",
        "169",
        "99999999999",
        "9223372036854775807",
    ] {
        let fields = [("id", id.as_str()), ("overlap_hours", hours)];
        let page = browser.post("/keys/rotate", &fields).await;
        assert_eq!(page.status, 400, "{hours}");
        let says = ["0 to 168 hours", "not a whole number"];
        assert!(says.iter().any(|why| page.text.contains(why)), "{hours}");
    }
    assert_eq!(newest_id(&world).await, id, "no key was made");
    assert_eq!(balance(&world, &old).await, 200);
}

#[tokio::test]
async fn a_customer_limits_a_key_and_never_lifts_the_operators_limit() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let general = world.door.settings.requests_per_minute.get();
    let (above, most) = ((general + 1).to_string(), general.to_string());
    let page = make(&mut browser, &[("name", "shop"), ("rate_limit", &above)]).await;
    assert_eq!(page.status, 400);
    let why = format!("may ask {general} times a minute");
    assert!(page.text.contains(&why), "{}", page.text);
    let page = make(&mut browser, &[("name", "shop"), ("rate_limit", &most)]).await;
    assert_eq!(page.status, 200);

    let mut change = async |id: &str, limit: &str| {
        let fields = [("id", id), ("name", "shop"), ("rate_limit", limit)];
        browser.post("/keys/change", &fields).await.status
    };
    let id = newest_id(&world).await;
    for (limit, status) in [(&*above, 400), ("5", 303), (&*most, 303), ("0", 400)] {
        assert_eq!(change(&id, limit).await, status, "{limit}");
    }
    // what the operator gave above it stays when something else of the key is changed
    let given = app::KeyOrder {
        rate_limit: Some(general * 10),
        ..app::KeyOrder::default()
    };
    world.new_key(world.account, given).await;
    let id = newest_id(&world).await;
    for (limit, status) in [(general * 10, 303), (general * 10 + 1, 400)] {
        assert_eq!(change(&id, &limit.to_string()).await, status, "{limit}");
    }
}

#[tokio::test]
async fn a_key_is_replaced_once_and_its_successor_lasts() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    for (hours, old_works) in [("0", 401), ("1", 200)] {
        let page = make(&mut browser, &[("name", "shop")]).await;
        let old = shown_key(&page.text);
        let id = newest_id(&world).await;
        let fields = [("id", id.as_str()), ("overlap_hours", hours)];
        let page = browser.post("/keys/rotate", &fields).await;
        let new = shown_key(&page.text);
        assert_eq!(balance(&world, &old).await, old_works);
        let keys = world.door.engine.store().keys(world.account).await.unwrap();
        assert_eq!(keys.last().unwrap().expires_at, None);
        let again = browser.post("/keys/rotate", &fields).await;
        assert_eq!(again.status, 409, "{}", again.text);
        let after = world.door.engine.store().keys(world.account).await.unwrap();
        assert_eq!(after.len(), keys.len(), "refused, it makes no key");
        assert_eq!(balance(&world, &new).await, 200);
    }
}

#[tokio::test]
async fn a_form_makes_one_key_however_often_it_is_sent() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let page = browser.get("/keys").await;
    let once = value(&page.text, "once").unwrap();
    let fields = [("name", "shop"), ("once", once.as_str())];
    assert_eq!(browser.post("/keys", &fields).await.status, 200);
    let keys = world.door.engine.store().keys(world.account).await.unwrap();
    for _ in 0..3 {
        let again = browser.post("/keys", &fields).await;
        assert_eq!(again.status, 409, "{}", again.text);
        assert!(!again.text.contains("tg_demo_"));
    }
    let after = world.door.engine.store().keys(world.account).await.unwrap();
    assert_eq!(after.len(), keys.len());
}

#[tokio::test]
async fn an_end_that_is_no_number_of_days_makes_no_key() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let keys = world.door.engine.store().keys(world.account).await.unwrap();
    for days in ["-1", "0", "30x", "99999999999", "3651", "1.5"] {
        let page = make(&mut browser, &[("name", "shop"), ("days", days)]).await;
        assert_eq!(page.status, 400, "{days}");
        assert!(page.text.contains("1 to 3650 days"), "{days}");
    }
    let after = world.door.engine.store().keys(world.account).await.unwrap();
    assert_eq!(after.len(), keys.len());
}

/// B-146.
#[tokio::test]
async fn a_key_is_restricted_by_its_owner() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/keys").await;
    let page = make(&mut browser, &[("name", "shop")]).await;
    let key = shown_key(&page.text);
    let id = newest_id(&world).await;
    let bad = [
        ("id", id.as_str()),
        ("name", "shop"),
        ("addresses", "300.1.2.3"),
    ];
    let page = browser.post("/keys/change", &bad).await;
    assert_eq!(page.status, 400);
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
    let answer = make(&mut browser, &[("name", "late")]).await;
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
    assert_eq!(make(&mut browser, &[("name", "late")]).await.status, 200);

    let answer = browser.post("/keys/revoke", &[("id", "999999")]).await;
    assert_eq!(answer.status, 404);
}

/// B-143.
#[tokio::test]
async fn a_keys_name_is_only_text_and_neither_empty_nor_endless() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/keys").await;
    for name in ["", " ", "a\nb", &"a".repeat(10 * 1024)] {
        let page = make(&mut browser, &[("name", name)]).await;
        assert_eq!(page.status, 400, "{name:.20?}");
    }
    let page = make(&mut browser, &[("name", "<b>shop</b>")]).await;
    assert_eq!(page.status, 200);
    let page = browser.get("/keys").await;
    assert!(!page.text.contains("<b>shop"), "{}", page.text);
    assert!(page.text.contains("&lt;b&gt;shop"), "{}", page.text);
}

/// B-144.
#[tokio::test]
async fn the_key_after_the_hundredth_is_refused() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/keys").await;
    // the world's own key is one of them
    for _ in 1..100 {
        world.new_key(world.account, app::KeyOrder::default()).await;
    }
    let page = make(&mut browser, &[("name", "one more")]).await;
    assert_eq!(page.status, 409, "{}", page.text);
    assert!(page.text.contains("100 keys"), "{}", page.text);
}

/// B-146.
#[tokio::test]
async fn a_list_of_addresses_is_bounded_and_holds_addresses() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/keys").await;
    let many = vec!["192.0.2.1"; 10_000].join("\n");
    for addresses in ["300.1.1.1", "192.0.2.0/33", "::/129", "example.org", &many] {
        let fields = [("name", "shop"), ("addresses", addresses)];
        let page = make(&mut browser, &fields).await;
        assert!([400, 413].contains(&page.status), "{addresses:.20}");
    }
}

#[tokio::test]
async fn a_form_that_is_refused_comes_back_as_it_was_filled_in() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let fields = [
        ("name", "shop"),
        ("scope", "smm"),
        ("rate_limit", "many"),
        ("addresses", "203.0.113.7"),
        ("days", "90"),
    ];
    let page = make(&mut browser, &fields).await;
    assert_eq!(page.status, 400, "{}", page.text);
    let (_, form) = page.text.split_once("<h2>New key</h2>").unwrap();
    for kept in [
        "value=\"shop\"",
        "value=\"smm\" checked",
        "value=\"many\" placeholder=\"1000000\" aria-invalid",
        "value=\"203.0.113.7\"",
        "value=\"90\" selected",
    ] {
        assert!(form.contains(kept), "{kept}: {form}");
    }
    let long = "x".repeat(65);
    for (field, value) in [
        ("name", long.as_str()),
        ("addresses", "300.1.1.1"),
        ("scope", "gold"),
        ("days", "0"),
        ("rate_limit", "0"),
    ] {
        let mut fields = fields.to_vec();
        fields.retain(|(known, _)| *known != field && *known != "rate_limit");
        fields.push((field, value));
        let page = make(&mut browser, &fields).await;
        assert_eq!(page.status, 400, "{field}: {}", page.text);
        let marked = page
            .text
            .split('<')
            .filter(|tag| tag.contains("aria-invalid"));
        let named = format!("name=\"{field}\"");
        let marked: Vec<bool> = marked.map(|tag| tag.contains(&named)).collect();
        assert!(
            !marked.is_empty() && !marked.contains(&false),
            "{field}: {}",
            page.text
        );
    }
}
