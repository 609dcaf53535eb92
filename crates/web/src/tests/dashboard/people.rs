//! Signing up, in and out; passwords, second factor, sessions.

use super::browser::{Browser, PASSWORD, customer, location};
use crate::tests::world::World;
use domain::time::Millis;

pub(super) const EMAIL: &str = "eva@example.org";

pub(super) async fn signed_up(world: &World) -> Browser<'_> {
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

#[tokio::test]
async fn who_is_signed_in_and_lost_keeps_the_frame() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let guest = Browser::new(&world);
    for (method, path, status) in [("GET", "/no/such/page", 404), ("POST", "/orders", 405)] {
        for (cookie, is_known) in [(&ana.cookie, true), (&guest.cookie, false)] {
            let headers = [("accept", "text/html"), ("cookie", cookie.as_str())];
            let answer = world.send(world.request(method, path, &headers, "")).await;
            assert_eq!(answer.status, status, "{path}");
            let frame = answer.text.contains("action=\"/sign-out\"");
            assert_eq!(frame, is_known, "{path}: {}", answer.text);
        }
    }
    assert_eq!(ana.get("/orders").await.status, 200);
}
