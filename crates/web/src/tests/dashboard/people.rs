//! Signing up, in and out; passwords, second factor, sessions.

use super::browser::{Browser, PASSWORD, customer, location};
use crate::tests::world::{PLACE, World};
use domain::time::Millis;

const EMAIL: &str = "eva@example.org";

async fn signed_up(world: &World) -> Browser<'_> {
    let mut browser = Browser::new(world);
    browser.get("/sign-up").await;
    let answer = browser
        .post("/sign-up", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    assert!(answer.text.contains("Check your mail"), "{}", answer.text);
    let link = browser.newest_link().await;
    let page = browser.get(&link).await;
    assert!(page.text.contains("Confirm my e-mail address"));
    let token = link.split_once('=').unwrap().1.to_owned();
    let confirming = [("token", token.as_str()), ("password", PASSWORD)];
    let answer = browser.post("/verify", &confirming).await;
    assert_eq!(location(&answer), "/sign-in?notice=verified");
    let again = browser.post("/verify", &confirming).await;
    assert_eq!(again.status, 400, "a link is good for one use");
    let answer = browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!((answer.status, location(&answer)), (303, "/"));
    browser
}

#[tokio::test]
async fn a_customer_signs_up_confirms_and_signs_in() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    let page = browser.get("/").await;
    assert!(page.text.contains(EMAIL) && page.text.contains("Overview"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
}

#[tokio::test]
async fn who_signs_up_starts_at_the_lowest_tier_without_api_access() {
    let world = World::start().await;
    signed_up(&world).await;
    let accounts = world.door.engine.store().accounts().await.unwrap();
    let account = accounts.iter().find(|one| one.email == EMAIL).unwrap();
    assert_eq!((account.tier, account.api_access), (0, false));
}

#[tokio::test]
async fn mails_are_shown_in_the_demo_only() {
    let demo = World::start().await;
    assert_eq!(Browser::new(&demo).get("/mailbox").await.status, 200);
    let world = World::that_sends_mail().await;
    assert_eq!(Browser::new(&world).get("/mailbox").await.status, 404);
}

/// B-131.
#[tokio::test]
async fn strangers_learn_nothing_about_who_has_an_account() {
    let world = World::start().await;
    signed_up(&world).await;
    let mut stranger = Browser::new(&world);
    let known = stranger
        .post("/sign-up", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    let unknown = stranger
        .post(
            "/sign-up",
            &[("email", "bob@example.com"), ("password", PASSWORD)],
        )
        .await;
    let blank = |text: &str| text.replace(EMAIL, "").replace("bob@example.com", "");
    assert_eq!(blank(&known.text), blank(&unknown.text));
    let wrong = stranger.sign_in(EMAIL, "not the password").await;
    let nobody = stranger
        .sign_in("nobody@example.com", "not the password")
        .await;
    assert_eq!((wrong.status, nobody.status), (401, 401));
    let blank = |text: &str| text.replace(EMAIL, "").replace("nobody@example.com", "");
    assert_eq!(blank(&wrong.text), blank(&nobody.text));
    for email in [EMAIL, "nobody@example.com"] {
        let answer = stranger.post("/forgot", &[("email", email)]).await;
        assert_eq!(location(&answer), "/sign-in?notice=link-sent");
    }
}

#[tokio::test]
async fn an_address_opens_only_to_who_reads_its_mail_and_knows_the_password() {
    let world = World::start().await;
    let theirs = "a stranger's own password 9";
    let mut stranger = Browser::new(&world);
    let sign_up = [("email", EMAIL), ("password", theirs)];
    stranger.post("/sign-up", &sign_up).await;
    let answer = stranger.sign_in(EMAIL, theirs).await;
    assert_eq!(answer.status, 401, "nobody has confirmed the address");
    let nobody = stranger.sign_in("nobody@example.com", theirs).await;
    let blank = |text: &str| text.replace(EMAIL, "").replace("nobody@example.com", "");
    assert_eq!(
        blank(&answer.text),
        blank(&nobody.text),
        "and nobody learns it"
    );

    // the owner opens the stranger's mail, and types a password of their own
    let mut owner = Browser::new(&world);
    let link = owner.newest_link().await;
    let token = link.split_once('=').unwrap().1.to_owned();
    let confirming = [("token", token.as_str()), ("password", PASSWORD)];
    let answer = owner.post("/verify", &confirming).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(owner.sign_in(EMAIL, PASSWORD).await.status, 401);

    // whoever signs up last has the password
    owner
        .post("/sign-up", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    let link = owner.newest_link().await;
    let token = link.split_once('=').unwrap().1.to_owned();
    let confirming = [("token", token.as_str()), ("password", PASSWORD)];
    assert_eq!(owner.post("/verify", &confirming).await.status, 303);
    assert_eq!(owner.sign_in(EMAIL, PASSWORD).await.status, 303);
    assert_eq!(stranger.sign_in(EMAIL, theirs).await.status, 401);
}

/// B-134.
#[tokio::test]
async fn guessing_is_slowed_down() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    browser.cookie.clear();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(browser.sign_in(EMAIL, "guess").await.status);
    }
    assert_eq!(statuses.last(), Some(&429));
    let right = browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(right.status, 429, "even the right one waits");
    world.clock.advance(Millis::seconds(61));
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 303);
}

/// B-134.
#[tokio::test]
async fn guesses_of_strangers_do_not_lock_the_owner_out() {
    let world = World::start().await;
    let home = signed_up(&world).await;
    let mut stranger = Browser::at(&world, "198.51.100.7:1");
    let mut last = stranger.sign_in(EMAIL, "guess").await;
    for _ in 0..8 {
        last = stranger.sign_in(EMAIL, "guess").await;
    }
    assert_eq!(last.status, 429);
    let wait_s: u32 = last.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait_s));
    let mut away = Browser::at(&world, "203.0.113.9:1");
    assert_eq!(away.sign_in(EMAIL, PASSWORD).await.status, 303);

    // from many addresses at once there is an end, but not where the owner is signed in
    for number in 1..=30 {
        let mut one = Browser::at(&world, &format!("192.0.2.{number}:1"));
        one.sign_in(EMAIL, "guess").await;
    }
    let mut elsewhere = Browser::at(&world, "203.0.113.10:1");
    assert_eq!(elsewhere.sign_in(EMAIL, PASSWORD).await.status, 429);
    let mut again = Browser::at(&world, &home.peer);
    assert_eq!(again.sign_in(EMAIL, PASSWORD).await.status, 303);
}

#[tokio::test]
async fn right_passwords_are_no_guesses() {
    let world = World::start().await;
    signed_up(&world).await;
    for _ in 0..8 {
        let mut browser = Browser::new(&world);
        assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 303);
    }
}

#[tokio::test]
async fn a_form_sent_after_the_session_leads_back_to_its_page() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    for (path, page) in [
        ("/numbers/buy", "/numbers"),
        ("/keys", "/keys"),
        ("/keys/rotate", "/keys"),
        ("/wallet/redeem", "/wallet/top-up"),
        ("/wallet/top-up/7/withdraw", "/wallet/top-up/7"),
        ("/wallet/low-balance", "/wallet"),
        ("/smm/quote", "/smm"),
        ("/smm/mass", "/smm/mass"),
        ("/smm/refill", "/orders?kind=smm"),
        ("/account/totp/begin", "/account"),
    ] {
        browser.cookie.clear();
        let answer = browser.post(path, &[("x", "y")]).await;
        let (_, next) = location(&answer).split_once("next=").unwrap();
        let next: String = form_urlencoded::parse(format!("n={next}").as_bytes())
            .map(|(_, value)| value.into_owned())
            .collect();
        assert_eq!(next, page, "{path}");
    }
}

#[tokio::test]
async fn an_address_that_takes_forms_says_so_to_whoever_opens_it() {
    let world = World::start().await;
    for path in [
        "/numbers/buy",
        "/keys/revoke",
        "/sign-out",
        "/wallet/redeem",
    ] {
        for (accept, media_type) in [("text/html", "text/html"), ("*/*", "application/json")] {
            let request = world.request("GET", path, &[("accept", accept)], "");
            let answer = world.send(request).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
            let said = answer.header("content-type").unwrap();
            assert!(said.starts_with(media_type), "{path} {said}");
        }
    }
}

#[tokio::test]
async fn easy_passwords_are_refused_with_the_reason() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    for easy in ["12345678", "password1", "eva@example.org", "short"] {
        let answer = browser
            .post("/sign-up", &[("email", EMAIL), ("password", easy)])
            .await;
        assert_eq!(answer.status, 400, "{easy}");
        assert!(answer.text.contains("too easy to guess"));
        world.clock.advance(Millis::seconds(61));
    }
    let part = browser
        .post("/sign-up/strength", &[("password", "password1")])
        .await;
    assert!(part.text.contains("<meter") && part.text.contains("Too easy"));
}

/// B-138.
#[tokio::test]
async fn a_reset_ends_every_session_and_the_link_works_once() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    let mut other = Browser::new(&world);
    other.post("/forgot", &[("email", EMAIL)]).await;
    let link = other.newest_link().await;
    let token = link.split_once('=').unwrap().1.to_owned();
    let fields = [
        ("token", token.as_str()),
        ("password", "another lantern drifts north"),
    ];
    let answer = other.post("/reset", &fields).await;
    assert_eq!(location(&answer), "/sign-in?notice=password-set");
    assert_eq!(other.post("/reset", &fields).await.status, 400);
    let page = browser.get("/keys").await;
    assert_eq!(
        (page.status, location(&page)),
        (303, "/sign-in?next=%2Fkeys")
    );
    assert_eq!(other.sign_in(EMAIL, PASSWORD).await.status, 401);
    let answer = other.sign_in(EMAIL, "another lantern drifts north").await;
    assert_eq!(answer.status, 303);
}

/// B-138.
#[tokio::test]
async fn a_reset_link_ends_after_an_hour() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    browser.post("/forgot", &[("email", EMAIL)]).await;
    let link = browser.newest_link().await;
    let token = link.split_once('=').unwrap().1.to_owned();
    world.clock.advance(Millis::minutes(61));
    let fields = [
        ("token", token.as_str()),
        ("password", "another lantern drifts north"),
    ];
    assert_eq!(browser.post("/reset", &fields).await.status, 400);
}

/// The code that an authenticator app shows now.
pub(in crate::tests) fn code(world: &World, secret: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = u64::try_from(world.door.engine.now().0 / 1000).unwrap();
    totp.generate(now).to_string()
}

pub(in crate::tests) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let start = text.find(before).unwrap() + before.len();
    let end = text[start..].find(after).unwrap();
    &text[start..start + end]
}

/// B-136.
#[tokio::test]
async fn the_second_factor_is_asked_for_once_it_is_on_and_no_code_works_twice() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    browser.get("/account").await;
    let answer = browser.post("/account/totp/begin", &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = browser.get("/account").await;
    let secret = between(&page.text, "<code class=\"break\">", "</code>").to_owned();
    assert!(page.text.contains("<svg"), "a QR code to scan");
    let first = code(&world, &secret);
    let page = browser
        .post("/account/totp/confirm", &[("code", &first)])
        .await;
    assert!(page.text.contains("recovery codes"), "{}", page.text);
    let recovery = between(&page.text, "<ul class=\"codes\"><li><code>", "</code>").to_owned();

    let mut other = Browser::new(&world);
    let asked = other.sign_in(EMAIL, PASSWORD).await;
    assert!(asked.text.contains("Two-step sign-in") && other.cookie.is_empty());
    let ticket = between(&asked.text, "name=\"ticket\" value=\"", "\"").to_owned();
    let spent = [("ticket", ticket.as_str()), ("code", first.as_str())];
    let answer = other.post("/sign-in/code", &spent).await;
    assert_eq!(answer.status, 401, "a code is good for one use");
    world.clock.advance(Millis::seconds(30));
    let fresh = code(&world, &secret);
    let fields = [("ticket", ticket.as_str()), ("code", fresh.as_str())];
    let answer = other.post("/sign-in/code", &fields).await;
    assert_eq!((answer.status, location(&answer)), (303, "/"));
    let again = other.post("/sign-in/code", &fields).await;
    assert_ne!(again.status, 303, "neither code nor ticket work twice");

    let mut third = Browser::new(&world);
    for (try_, status) in [(1, 303), (2, 401)] {
        world.clock.advance(Millis::seconds(61));
        let asked = third.sign_in(EMAIL, PASSWORD).await;
        let ticket = between(&asked.text, "name=\"ticket\" value=\"", "\"").to_owned();
        let fields = [("ticket", ticket.as_str()), ("code", recovery.as_str())];
        let answer = third.post("/sign-in/code", &fields).await;
        assert_eq!(answer.status, status, "recovery code, try {try_}");
        third.cookie.clear();
    }
}

#[tokio::test]
async fn forged_and_old_tickets_are_refused() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    for ticket in [
        "",
        "1.0.9999999999999.00",
        "1.0.9999999999999.",
        "x.y.z.w",
        "1.0",
    ] {
        let fields = [("ticket", ticket), ("code", "000000")];
        let answer = browser.post("/sign-in/code", &fields).await;
        assert!(answer.text.contains("Sign in again") && browser.cookie.is_empty());
    }
}

#[tokio::test]
async fn sessions_are_listed_and_end_one_by_one_or_all() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    let mut other = Browser::new(&world);
    other.sign_in(EMAIL, PASSWORD).await;
    let page = browser.get("/account").await;
    assert_eq!(page.text.matches("/account/sessions/end\"").count(), 1);
    browser.post("/account/sessions/end-all", &[]).await;
    assert_eq!(other.get("/account").await.status, 303);
    assert_eq!(browser.get("/account").await.status, 200);
    let answer = browser.post("/sign-out", &[]).await;
    assert_eq!(location(&answer), "/sign-in?notice=signed-out");
    assert_eq!(browser.get("/account").await.status, 303);
}

#[tokio::test]
async fn idle_sessions_end() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    world.clock.advance(Millis::minutes(6 * 24 * 60));
    assert_eq!(browser.get("/account").await.status, 200);
    world.clock.advance(Millis::minutes(8 * 24 * 60));
    assert_eq!(browser.get("/account").await.status, 303);
}

#[tokio::test]
async fn sessions_in_use_end_after_thirty_days() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    for _ in 0..5 {
        world.clock.advance(Millis::minutes(6 * 24 * 60 - 60));
        assert_eq!(browser.get("/account").await.status, 200);
    }
    world.clock.advance(Millis::minutes(24 * 60));
    assert_eq!(browser.get("/account").await.status, 303);
}

/// B-139.
#[tokio::test]
async fn forms_from_elsewhere_are_refused() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    let answer = browser.post_bare("/keys/access", &[("on", "1")]).await;
    assert_eq!(answer.status, 403);
    browser.form_token = "0".repeat(64);
    let answer = browser.post("/keys/access", &[("on", "1")]).await;
    assert_eq!(answer.status, 403);
    let request = axum::http::Request::post("/sign-in")
        .header("host", "127.0.0.1:8080")
        .header("origin", "https://evil.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from("email=a&password=b"));
    assert_eq!(world.send(request.unwrap()).await.status, 403);
}

/// B-141.
#[tokio::test]
async fn nobody_is_led_away_after_signing_in() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        world.clock.advance(Millis::seconds(61));
        browser.cookie.clear();
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        let answer = browser.post("/sign-in", &fields).await;
        assert_eq!(location(&answer), "/", "{next}");
    }
}

#[tokio::test]
async fn a_second_factor_makes_a_new_account_tier_1_and_a_purpose_is_stated_on_its_page() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    let tier = async |browser: &mut Browser<'_>| {
        let page = browser.get("/account").await.text;
        between(&page, "<dt>Tier</dt><dd>", "</dd>").to_owned()
    };
    assert_eq!(tier(&mut browser).await, "0");
    browser.post("/account/totp/begin", &[]).await;
    let page = browser.get("/account").await.text;
    let secret = between(&page, "<code class=\"break\">", "</code>").to_owned();
    let first = code(&world, &secret);
    browser
        .post("/account/totp/confirm", &[("code", &first)])
        .await;
    assert_eq!(tier(&mut browser).await, "1");

    let purpose = [("purpose", "testing our own <b>sign-up</b>")];
    let unagreed = browser.post("/account/purpose", &purpose).await;
    assert!(unagreed.text.contains("Tick the box"), "{}", unagreed.text);
    let agreed = [purpose[0], ("agreed", "yes")];
    let stated = browser.post("/account/purpose", &agreed).await;
    assert_eq!(location(&stated), "/account?notice=purpose-stated");
    let page = browser.get("/account").await.text;
    assert!(
        page.contains("Stated") && page.contains("&lt;b&gt;"),
        "{page}"
    );

    world.clock.advance(Millis::seconds(30));
    let second = code(&world, &secret);
    let off = browser
        .post("/account/totp/end", &[("code", &second)])
        .await;
    assert_eq!(location(&off), "/account?notice=totp-off");
    assert_eq!(tier(&mut browser).await, "0");
}

#[tokio::test]
async fn a_customer_takes_their_data_along_once_they_have_shown_who_they_are() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let order = world.buy().await;
    world.receive(&order, "482913").await;
    world.get("/api/v1/otp?action=balance").await;
    world.door.log.write_down().await;
    let gift = app::CodeOrder {
        amount: domain::usd::Usd(5_000_000),
        count: 1,
        expires_days: None,
        source: domain::redeem::CodeSource::Gift,
        note: String::new(),
    };
    let made = world.door.redeem.create(gift, None).await.unwrap();
    ana.get("/wallet/top-up").await;
    ana.post("/wallet/redeem", &[("code", &made.codes[0])])
        .await;
    let wish = [
        ("method", "stripe"),
        ("currency", "USD"),
        ("amount", "25.00"),
        ("once", "00112233445566778899aabbccddeeff"),
    ];
    ana.post("/wallet/top-up", &wish).await;
    let order = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500}"#;
    let order = world.post(PLACE, &[], order).await.data();
    let cancel = format!("{{\"order_id\":{}}}", order["order_id"]);
    let cancel = world
        .post("/api/v1/smm?action=cancel_order", &[], &cancel)
        .await;
    assert_eq!(cancel.status, 200, "{}", cancel.text);
    ana.get("/account").await;
    let taken = ana.post("/account/export", &[]).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let data: serde_json::Value = serde_json::from_str(&taken.text).unwrap();
    assert_eq!(data["account"]["email"], "ana@example.com");
    assert!(
        data["statement"]
            .as_array()
            .is_some_and(|rows| !rows.is_empty())
    );
    assert_eq!(data["wallet"]["uncleared"], "0.000000");
    assert_eq!(data["activations"][0]["messages"][0]["code"], "482913");
    let smm = &data["smm_orders"][0];
    assert_eq!(smm["link"], "https://instagram.com/user", "{data}");
    assert_eq!(smm["requests"][0]["kind"], "cancel", "{data}");
    assert_eq!(data["sessions"][0]["address"], "127.0.0.1");
    assert_eq!(data["top_ups"][0]["amount"], "25.000000", "{data}");
    assert_eq!(data["redeemed_codes"][0]["amount"], "5.000000", "{data}");
    let calls = data["api_log"].as_array().unwrap();
    assert!(
        calls.iter().any(|call| call["action"] == "balance"),
        "{data}"
    );
    assert!(!taken.text.contains("argon2"));
    world.clock.advance(Millis::minutes(60));
    let later = ana.post("/account/export", &[]).await;
    assert_eq!(location(&later), "/confirm-password?next=%2Faccount");
}

/// B-132.
#[tokio::test]
async fn what_is_no_address_is_refused() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let long = format!("{}@example.org", "a".repeat(300));
    for email in [
        "eva@example.org\r\nBcc: all@example.org",
        "eva\n@example.org",
        &long,
        "eva@ex\u{430}mple.org",
        "ev\u{430}@example.org",
        "eva@eva@example.org",
        "eva",
        "@example.org",
        "eva@",
        "",
    ] {
        let fields = [("email", email), ("password", PASSWORD)];
        let answer = browser.post("/sign-up", &fields).await;
        assert_eq!(answer.status, 400, "{email:?}");
        world.clock.advance(Millis::seconds(61));
    }
}

/// B-133.
#[tokio::test]
async fn long_passwords_of_any_characters_are_taken_and_short_ones_are_not() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let mut sign_up = async |password: &str| {
        world.clock.advance(Millis::seconds(61));
        let fields = [("email", EMAIL), ("password", password)];
        browser.post("/sign-up", &fields).await.status
    };
    assert_eq!(sign_up("q7#Lw2z").await, 400, "seven characters");
    let long =
        "Ω≈ç√∫˜µ≤ <b>'\";--% четыре слова и ещё несколько \u{1f511} beside them, in all over 64";
    assert!(long.chars().count() > 64);
    assert_eq!(sign_up(long).await, 200);
    assert_eq!(sign_up(&"x".repeat(1024 * 1024)).await, 413);
}

/// B-137.
#[tokio::test]
async fn between_password_and_code_there_is_no_session() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    browser.get("/account").await;
    browser.post("/account/totp/begin", &[]).await;
    let page = browser.get("/account").await;
    let secret = between(&page.text, "<code class=\"break\">", "</code>").to_owned();
    let first = code(&world, &secret);
    browser
        .post("/account/totp/confirm", &[("code", &first)])
        .await;
    let mut other = Browser::new(&world);
    let asked = other.sign_in(EMAIL, PASSWORD).await;
    assert!(asked.text.contains("Two-step sign-in"), "{}", asked.text);
    for path in ["/wallet", "/keys", "/account"] {
        let answer = other.get(path).await;
        assert!(location(&answer).starts_with("/sign-in"), "{path}");
    }
    assert_eq!(other.post("/keys/access", &[("on", "1")]).await.status, 303);
}
