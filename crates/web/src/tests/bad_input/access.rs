//! Keys, accounts and limits.

use super::{BALANCE, JSON, refuses};
use crate::DoorSettings;
use crate::tests::world::{BUY, DISCORD, World, generous};
use app::KeyOrder;
use domain::access::Scope;
use domain::time::Millis;

#[tokio::test]
async fn keys() {
    let world = World::start().await;
    let (other, sound) = (world.key.clone(), world.key.clone());
    let mut wrong_sum = sound.clone();
    wrong_sum.replace_range(
        wrong_sum.len() - 1..,
        if sound.ends_with('0') { "1" } else { "0" },
    );
    let random = app::api_key::fresh_random().unwrap();
    let never_issued = app::api_key::generate(app::api_key::Environment::Live, &random);
    for key in ["", "x", &wrong_sum, never_issued.reveal(), "tg_live_é"] {
        let headers = [("x-api-key", key)];
        let row = (
            "B-041, B-042, B-046",
            "GET",
            BALANCE,
            &headers[..],
            "",
            401,
            "invalid_api_key",
        );
        refuses(&world, &[row]).await;
    }
    let mut bare = world.request("GET", BALANCE, &[], "");
    bare.headers_mut().clear();
    let answer = world.send(bare).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "invalid_api_key"),
        "B-039"
    );
    let limit = answer.header("ratelimit-limit");
    assert_eq!(limit, Some("1000000"), "that of the address");
    let twice = [("x-api-key", sound.as_str()), ("x-api-key", other.as_str())];
    refuses(
        &world,
        &[("B-044", "GET", BALANCE, &twice, "", 400, "duplicate_header")],
    )
    .await;
    let in_query = format!("{BALANCE}&api_key={sound}");
    let none = [("x-api-key", "")];
    refuses(
        &world,
        &[("query", "GET", &in_query, &none, "", 401, "invalid_api_key")],
    )
    .await;
}

#[tokio::test]
async fn keys_and_accounts_that_may_not() {
    let world = World::start().await;
    let now = domain::ports::Clock::now(world.clock.as_ref());
    let account = world.account;
    let revoked = world.odd_key(account, |key| key.revoked = true).await;
    let expired = world
        .odd_key(account, |key| key.expires_at = Some(now))
        .await;
    let disabled = world.odd_key(account, |key| key.disabled = true).await;
    let elsewhere = |entry: &'static str| {
        move |key: &mut domain::access::ApiKey| {
            key.allowed_addresses = vec![entry.to_owned()];
        }
    };
    let far = world.odd_key(account, elsewhere("192.0.2.0/24")).await;
    let near = world.odd_key(account, elsewhere("::ffff:127.0.0.1")).await;
    let (read_only, smm_only) = (
        scoped_key(&world, &[Scope::Read]).await,
        scoped_key(&world, &[Scope::Smm]).await,
    );
    for (number, key, target, status, code) in [
        ("B-043", &revoked, BALANCE, 401, "invalid_api_key"),
        ("B-043", &expired, BALANCE, 403, "key_expired"),
        ("B-043", &disabled, BALANCE, 403, "key_disabled"),
        ("B-048", &smm_only, BALANCE, 403, "insufficient_scope"),
        ("B-049", &far, BALANCE, 403, "ip_not_allowed"),
    ] {
        refuses(
            &world,
            &[(
                number,
                "GET",
                target,
                &[("x-api-key", key)],
                "",
                status,
                code,
            )],
        )
        .await;
    }
    let reading = [("x-api-key", read_only.as_str()), JSON[0]];
    refuses(
        &world,
        &[(
            "B-048",
            "POST",
            BUY,
            &reading,
            DISCORD,
            403,
            "insufficient_scope",
        )],
    )
    .await;
    for peer in ["127.0.0.1:1", "[::ffff:127.0.0.1]:1"] {
        let request = world.request("GET", BALANCE, &[("x-api-key", &near)], "");
        assert_eq!(
            world.send_from(peer, request).await.status,
            200,
            "B-051 {peer}"
        );
    }
}

#[tokio::test]
async fn accounts_that_may_not() {
    let world = World::start().await;
    let account = world.account;
    world
        .change_account(|account| account.suspended = true)
        .await;
    // the change went past the engine, which knows callers by their keys: so a new one each time
    let fresh = world.new_key(account, KeyOrder::default()).await;
    let headers = [("x-api-key", fresh.as_str()), JSON[0]];
    let row = (
        "B-052",
        "POST",
        BUY,
        &headers[..],
        DISCORD,
        403,
        "account_suspended",
    );
    refuses(&world, &[row]).await;
    world
        .change_account(|account| account.api_access = false)
        .await;
    let fresh = world.new_key(account, KeyOrder::default()).await;
    let headers = [("x-api-key", fresh.as_str())];
    let row = (
        "B-047",
        "GET",
        BALANCE,
        &headers[..],
        "",
        403,
        "api_access_disabled",
    );
    refuses(&world, &[row]).await;
}

#[tokio::test]
async fn limits() {
    let world = World::with(limited(3)).await;
    for (left, target) in [(2, "&a=1"), (1, "&server=peter"), (0, "&source=paul")] {
        let answer = world.get(&format!("{BALANCE}{target}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-limit"), Some("3"));
        assert_eq!(
            answer.header("ratelimit-remaining"),
            Some(left.to_string().as_str())
        );
        assert!(answer.header("ratelimit-reset").is_some());
    }
    world.clock.advance(Millis::seconds(10));
    for target in [
        BALANCE,
        "/api/v1/otp?x=y&action=balance",
        "/api/v1/otp?source=a&action=balance",
    ] {
        let answer = world.get(target).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (429, "rate_limited"),
            "B-053, B-054"
        );
        assert_eq!(answer.header("retry-after"), Some("50"));
        assert_eq!(answer.header("ratelimit-remaining"), Some("0"));
    }
    let second = world.new_key(world.account, KeyOrder::default()).await;
    let request = world.request("GET", BALANCE, &[("x-api-key", &second)], "");
    assert_eq!(
        world.send(request).await.status,
        200,
        "a second key has its own window"
    );
    for (target, status) in [
        ("", 400),
        ("?action=x", 400),
        ("?action=BALANCE", 400),
        ("?action=y", 429),
    ] {
        let answer = world.get(&format!("/api/v1/otp{target}")).await;
        assert_eq!(
            answer.status, status,
            "what is no action shares one window: {target}"
        );
    }
    world.clock.advance(Millis::seconds(50));
    assert_eq!(world.get(BALANCE).await.status, 200);
}

#[tokio::test]
async fn failures_to_authenticate_count_for_the_address_and_never_for_a_key() {
    let world = World::with(DoorSettings {
        failed_auth_per_minute: 2.into(),
        ..generous()
    })
    .await;
    let wrong = || world.request("GET", BALANCE, &[("x-api-key", "wrong")], "");
    for (status, left) in [(401, "1"), (401, "0"), (429, "0")] {
        let answer = world.send(wrong()).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("ratelimit-limit"), Some("2"));
        assert_eq!(answer.header("ratelimit-remaining"), Some(left));
        assert!(answer.header("ratelimit-reset").is_some());
        assert_eq!(answer.header("retry-after").is_some(), status == 429);
    }
    assert_eq!(world.get(BALANCE).await.status, 200);
    let from_elsewhere = world.send_from("192.0.2.9:1", wrong()).await;
    assert_eq!(from_elsewhere.status, 401);
}

fn limited(requests_per_minute: u32) -> DoorSettings {
    DoorSettings {
        requests_per_minute: requests_per_minute.into(),
        ..generous()
    }
}

/// B-054: a second key has a window of its own, under what the operator gave the account.
#[tokio::test]
async fn an_accounts_own_figure_binds_all_its_keys_together() {
    let world = World::with(limited(60)).await;
    let figures = &world.door.settings.account_requests_per_minute;
    figures.set([(world.account, 5)]);
    let limited = KeyOrder {
        rate_limit: Some(3),
        ..KeyOrder::default()
    };
    let few = world.new_key(world.account, limited).await;
    let second = world.new_key(world.account, KeyOrder::default()).await;
    let (_, other) = world.new_account("bob@example.com").await;
    let ask = async |key: &str| {
        let request = world.request("GET", BALANCE, &[("x-api-key", key)], "");
        let answer = world.send(request).await;
        let figure = |name| answer.header(name).unwrap().to_owned();
        let told = (figure("ratelimit-limit"), figure("ratelimit-remaining"));
        (answer.status, told.0, told.1)
    };
    let told = |status, limit: &str, left: &str| (status, limit.to_owned(), left.to_owned());
    for left in ["2", "1", "0"] {
        assert_eq!(ask(&few).await, told(200, "3", left));
    }
    assert_eq!(ask(&few).await, told(429, "3", "0"));
    // what was refused did not count against the account
    assert_eq!(ask(&second).await, told(200, "5", "1"));
    assert_eq!(ask(&second).await, told(200, "5", "0"));
    assert_eq!(ask(&second).await, told(429, "5", "0"));
    assert_eq!(ask(&other).await, told(200, "60", "59"));
    world.clock.advance(Millis::seconds(61));
    assert_eq!(ask(&second).await, told(200, "5", "4"));
    // taken back, the general figure counts; given, it may be above that, too
    figures.set([]);
    assert_eq!(ask(&second).await.1, "60");
    figures.set([(world.account, 600)]);
    assert_eq!(ask(&second).await.1, "600");
}

async fn scoped_key(world: &World, scopes: &[Scope]) -> String {
    let order = KeyOrder {
        scopes: scopes.to_vec(),
        ..KeyOrder::default()
    };
    world.new_key(world.account, order).await
}

#[tokio::test]
async fn checks_come_in_their_order() {
    let world = World::with(limited(8)).await;
    let reading = scoped_key(&world, &[Scope::Read]).await;
    let wrong = [("x-api-key", "wrong"), ("content-type", "text/plain")];
    let scoped = [
        ("x-api-key", reading.as_str()),
        ("content-type", "text/plain"),
    ];
    let plain = [("content-type", "text/plain")];
    let keyed = [JSON[0], ("idempotency-key", "k-1")];
    assert_eq!(world.post(BUY, &keyed[1..], DISCORD).await.status, 200);
    let nobody = r#"{"service_id":"nothing","country_id":61}"#;
    let bad = r#"{"service_id":[],"country_id":61}"#;
    refuses(
        &world,
        &[
            ("path", "DELETE", "/nowhere", &wrong, "x", 404, "not_found"),
            (
                "key",
                "DELETE",
                "/api/v1/otp",
                &wrong,
                "x",
                401,
                "invalid_api_key",
            ),
            (
                "scope",
                "POST",
                BUY,
                &scoped,
                "x",
                403,
                "insufficient_scope",
            ),
            ("method", "PUT", BUY, &plain, "x", 405, "method_not_allowed"),
            (
                "type",
                "POST",
                BUY,
                &plain,
                "x",
                415,
                "unsupported_media_type",
            ),
            ("body", "POST", BUY, &keyed, "x", 400, "malformed_json"),
            ("member", "POST", BUY, &keyed, bad, 400, "invalid_parameter"),
            (
                "key",
                "POST",
                BUY,
                &keyed,
                nobody,
                422,
                "idempotency_key_reused",
            ),
            (
                "service",
                "POST",
                BUY,
                JSON,
                nobody,
                404,
                "service_not_found",
            ),
            ("last", "POST", BUY, JSON, nobody, 404, "service_not_found"),
            ("limit", "PUT", BUY, &plain, "x", 429, "rate_limited"),
        ],
    )
    .await;
}
