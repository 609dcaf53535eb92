//! Headers, pages, readiness, panics: what surrounds the endpoints.

use super::world::{BUY, DISCORD, World, generous};
use crate::DoorSettings;
use std::sync::atomic::Ordering;

const BALANCE: &str = "/api/v1/otp?action=balance";

#[tokio::test]
async fn every_answer_carries_the_common_headers() {
    let world = World::start().await;
    for target in [
        BALANCE,
        "/api/v1/otp",
        "/nowhere",
        "/healthz",
        "/docs",
        "/assets/docs.css",
        "/",
    ] {
        let answer = world.get(target).await;
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{target}"
        );
        assert_eq!(
            answer.header("x-request-id").map(str::len),
            Some(32),
            "{target}"
        );
    }
    let own = world.request("GET", BALANCE, &[("x-request-id", "order-1")], "");
    let answer = world.send(own).await;
    assert_eq!(answer.header("x-request-id"), Some("order-1"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let odd = world.request("GET", BALANCE, &[("x-request-id", "a b")], "");
    assert_eq!(
        world.send(odd).await.header("x-request-id").map(str::len),
        Some(32)
    );
}

#[tokio::test]
async fn refusals_of_authenticated_requests_carry_the_limit() {
    let world = World::start().await;
    for target in [
        "/api/v1/otp",
        BUY,
        "/api/v1/otp?action=get_status&order_id=7",
    ] {
        let answer = world.get(target).await;
        assert!(answer.status >= 400);
        for name in ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"] {
            assert!(answer.header(name).is_some(), "{target}: {name}");
        }
    }
}

#[tokio::test]
async fn health_and_readiness() {
    let world = World::start().await;
    let ok = r#"{"success":true,"data":{"status":"ok"}}"#;
    assert_eq!(world.get("/healthz").await.text, ok);
    assert_eq!(world.get("/readyz").await.text, ok);
    world.door.ready.store(false, Ordering::Release);
    assert_eq!(world.get("/healthz").await.status, 200);
    let answer = world.get("/readyz").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "not_ready"));
}

#[tokio::test]
async fn pages_are_locked_down_and_know_the_readers_address() {
    let world = World::start().await;
    let page = world
        .send(world.request("GET", "/docs", &[("host", "otp.example:8443")], ""))
        .await;
    assert!(page.text.contains("otp.example:8443"));
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    let hostile = [("host", "x$(reboot)")];
    let page = world
        .send(world.request("GET", "/docs", &hostile, ""))
        .await;
    assert!(!page.text.contains("reboot"));
    let home = world.get("/").await;
    assert!(home.status == 200 && home.text.contains("href=\"/docs\""));
    let lost = [("accept", "text/html,*/*;q=0.8")];
    let page = world
        .send(world.request("GET", "/nowhere", &lost, ""))
        .await;
    assert!(page.status == 404 && page.text.contains("nothing at this address"));
    assert_eq!(world.get("/nowhere").await.code(), "not_found");
    assert_eq!(
        world.get("/assets/docs.css").await.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let document = world.get("/api/v1/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn the_public_address_and_trusted_proxies_are_believed() {
    let settings = DoorSettings {
        public_url: Some("https://gate.example".to_owned()),
        trusted_proxies: vec![("127.0.0.0".parse().unwrap(), 8)],
        failed_auth_per_minute: 1.into(),
        ..generous()
    };
    let world = World::with(settings).await;
    let page = world
        .send(world.request("GET", "/docs", &[("host", "other.example")], ""))
        .await;
    assert!(page.text.contains("gate.example") && !page.text.contains("other.example"));
    for (hop, status) in [("192.0.2.1", 401), ("192.0.2.2", 401), ("192.0.2.1", 429)] {
        let headers = [("x-api-key", "wrong"), ("x-forwarded-for", hop)];
        let answer = world
            .send(world.request("GET", BALANCE, &headers, ""))
            .await;
        assert_eq!(answer.status, status, "{hop}");
    }
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let world = World::start().await;
    let broken = world.router.clone().route(
        "/broken",
        axum::routing::get(|| async {
            if true {
                panic!("on purpose");
            }
        }),
    );
    // routes added later are not surrounded, so the same layers are put around this one
    let broken = broken
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            crate::around::panicked,
        ))
        .layer(axum::middleware::from_fn(crate::around::every_request));
    let request = axum::http::Request::get("/broken")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = tower::ServiceExt::oneshot(broken, request).await.unwrap();
    assert_eq!(response.status(), 500);
    assert!(response.headers().contains_key("x-request-id"));
    let body = axum::body::to_bytes(response.into_body(), 1 << 16)
        .await
        .unwrap();
    let text = std::str::from_utf8(&body).unwrap();
    assert!(
        text.contains("internal_error") && !text.contains("on purpose"),
        "{text}"
    );
    assert_eq!(world.post(BUY, &[], DISCORD).await.status, 200);
}

#[tokio::test]
async fn what_people_read_is_compressed_and_what_programs_read_is_as_it_was() {
    let world = World::start().await;
    let wish = [("accept-encoding", "gzip, br")];
    let encoded = async |path: &str| {
        let mut request = world.request("GET", path, &wish, "");
        let peer: std::net::SocketAddr = "127.0.0.1:4000".parse().unwrap();
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        let router = world.router.clone();
        let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
        let encoding = response.headers().get("content-encoding").cloned();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX);
        let encoding = encoding.map(|value| value.to_str().unwrap().to_owned());
        (encoding, bytes.await.unwrap().len())
    };
    for path in ["/docs", "/docs/reference.md", "/sign-in", "/assets/app.css"] {
        let plain = world.get(path).await;
        let (encoding, length) = encoded(path).await;
        assert_eq!(encoding.as_deref(), Some("br"), "{path}");
        assert!(length * 2 < plain.text.len(), "{path}: {length}");
    }
    let (encoding, _) = encoded("/assets/flags.png").await;
    assert_eq!(encoding, None);
    let (encoding, _) = encoded("/api/v1/otp?action=balance").await;
    assert_eq!(encoding, None);
}

#[tokio::test]
async fn the_docs_know_who_reads_them_and_keep_nothing_of_it() {
    let world = World::start().await;
    let open = world.get("/docs").await;
    assert!(open.text.contains("/sign-in") && !open.text.contains("API log</a>"));
    assert_eq!(open.header("cache-control"), Some("no-cache"));
    let mut reader = super::dashboard::customer(&world).await;
    let signed = reader.get("/docs").await;
    assert!(signed.text.contains("API log</a>") && signed.text.contains("class=\"side\""));
    assert!(signed.text.contains("Make a key") && !signed.text.contains("/sign-in"));
    assert_eq!(signed.header("cache-control"), Some("no-store"));
    for who in [
        world.get("/docs/changelog").await,
        reader.get("/docs/changelog").await,
    ] {
        assert!(
            who.text.contains("<code>tollgate demo</code>: everything"),
            "{}",
            who.text
        );
    }
    for (path, media_type) in [
        ("/docs/guide.md", "text/markdown; charset=utf-8"),
        ("/docs/reference.md", "text/markdown; charset=utf-8"),
        ("/llms.txt", "text/plain; charset=utf-8"),
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(media_type));
    }
}
