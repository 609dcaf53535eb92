//! What somebody else's page, somebody else's customer and a cookie planted beforehand achieve: nothing.

use super::browser::{Browser, PASSWORD, customer, signed_in};
use crate::tests::world::World;
use axum::body::Body;
use axum::http::Request;

/// Every form of a signed-in customer that changes something.
const FORMS: [&str; 23] = [
    "/numbers/buy",
    "/numbers/cancel",
    "/sign-out",
    "/smm/order",
    "/smm/mass",
    "/smm/cancel",
    "/smm/refill",
    "/account/password",
    "/account/purpose",
    "/account/totp/begin",
    "/account/totp/confirm",
    "/account/totp/end",
    "/account/sessions/end",
    "/account/sessions/end-all",
    "/confirm-password",
    "/keys",
    "/keys/access",
    "/keys/change",
    "/keys/rotate",
    "/keys/revoke",
    "/wallet/low-balance",
    "/wallet/top-up",
    "/wallet/redeem",
];

#[tokio::test]
async fn no_form_counts_without_the_token_of_its_reader() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut bob = signed_in(&world, bob).await;
    bob.get("/keys").await;
    let before = world.books().await;
    for path in FORMS {
        let bare = ana.post_bare(path, &[("on", "0")]).await;
        assert_eq!(bare.status, 403, "{path} without a token");
        let foreign = [("on", "0"), ("form_token", bob.form_token.as_str())];
        let foreign = ana.post_bare(path, &foreign).await;
        assert_eq!(foreign.status, 403, "{path} with another reader's token");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let request = Request::post(path)
                .header("cookie", &ana.cookie)
                .header("host", "127.0.0.1:8080")
                .header("content-type", "application/x-www-form-urlencoded")
                .header(name, value);
            let body = Body::from(format!("on=0&form_token={}", ana.form_token));
            let answer = world.send(request.body(body).unwrap()).await;
            assert_eq!(answer.status, 403, "{path} with {name}: {value}");
            let says = answer.text.contains("nothing was changed (csrf)");
            assert!(says, "{path} with {name}: {}", answer.text);
        }
    }
    assert_eq!(world.books().await, before);
    assert_eq!(ana.get("/account").await.status, 200, "still signed in");
}

#[tokio::test]
async fn a_session_that_was_planted_is_nobodys_after_signing_in() {
    let world = World::start().await;
    customer(&world).await;
    let mut ana = Browser::new(&world);
    let planted = format!("__Host-tollgate={}", "a".repeat(43));
    ana.cookie.clone_from(&planted);
    assert_eq!(ana.sign_in("ana@example.com", PASSWORD).await.status, 303);
    assert_ne!(ana.cookie, planted);
    let mut stranger = Browser::new(&world);
    stranger.cookie = planted;
    assert_eq!(
        stranger.get("/account").await.status,
        303,
        "to the sign-in page"
    );
}

#[tokio::test]
async fn what_belongs_to_others_is_as_unknown_as_what_never_was() {
    let world = World::start().await;
    let number = world.buy().await;
    let mut ana = customer(&world).await;
    let card = [("method", "stripe"), ("currency", "USD"), ("amount", "25")];
    ana.get("/wallet/top-up").await;
    let begun = ana.tops_up(&card).await;
    let top_up = begun.header("location").unwrap().to_owned();
    let own = ana.get("/account").await.text;
    let session = own.split("name=\"id\" value=\"").nth(1);
    let session = session
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("1");

    let (bob, _) = world.new_account("bob@example.com").await;
    let mut bob = signed_in(&world, bob).await;
    bob.get("/account").await;
    let before = world.books().await;
    for path in [format!("/orders/{number}"), top_up.clone()] {
        assert_eq!(bob.get(&path).await.status, 404, "{path}");
    }
    let withdraw = format!("{top_up}/withdraw");
    for (path, id) in [
        ("/numbers/cancel", number.as_str()),
        ("/account/sessions/end", session),
        ("/keys/revoke", "1"),
        ("/keys/rotate", "1"),
        (withdraw.as_str(), ""),
    ] {
        bob.post(path, &[("id", id), ("order", id)]).await;
    }
    assert_eq!(world.books().await, before);
    assert_eq!(ana.get(&top_up).await.status, 200);
    assert_eq!(ana.get("/account").await.status, 200, "her session goes on");
    assert_eq!(
        world.get("/api/v1/otp?action=balance").await.status,
        200,
        "and her key"
    );
}
