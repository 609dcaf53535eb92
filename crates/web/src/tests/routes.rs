//! Every route that there is, read from the sources, so that none can be forgotten: what its answers
//! carry, and that nothing is there that the description does not know.

use super::dashboard::customer;
use super::world::{World, generous};
use crate::DoorSettings;
use crate::docs::endpoints;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A path and the methods that it is called with.
pub(super) type Routes = BTreeMap<String, Vec<&'static str>>;

/// Every `.route("…", …)` of the public listener.
pub(super) fn all() -> Routes {
    let mut routes = Routes::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for place in text.split(".route(").skip(1) {
            let Some(rest) = place.trim_start().strip_prefix('"') else {
                // the payment processors' hooks, whose paths are made: the tests of hooks have them
                continue;
            };
            let (path, rest) = rest.split_once('"').unwrap();
            let (handlers, _) = at_closing(rest);
            routes.insert(path.to_owned(), methods(handlers));
        }
    }
    assert!(routes.len() > 50, "{routes:?}");
    routes
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // the admin listener has routes of its own
        if path.is_dir() && name != "tests" {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && !["admin.rs", "tests.rs"].contains(&name) {
            found.push(path);
        }
    }
    found
}

/// The text up to the bracket that ends the call, and the rest.
fn at_closing(text: &str) -> (&str, &str) {
    let mut open = 1;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return text.split_at(at);
        }
    }
    (text, "")
}

fn methods(handlers: &str) -> Vec<&'static str> {
    let words: Vec<_> = handlers
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .collect();
    if words.contains(&"any") {
        return vec!["GET", "POST"];
    }
    let known = [("get", "GET"), ("post", "POST"), ("put", "PUT")];
    let named = known.iter().filter(|(word, _)| words.contains(word));
    named.map(|(_, method)| *method).collect()
}

/// A path with its gaps filled in.
pub(super) fn filled(path: &str, id: &str) -> String {
    path.replace("{name}", "app.css").replace("{id}", id)
}

/// What every answer carries, and what none does.
pub(super) fn locked_down(answer: &super::world::Answered, path: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{path}: {name}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action '",
    ] {
        assert!(policy.contains(part), "{path}: {part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert!(answer.header("x-request-id").is_some(), "{path}");
    assert_eq!(answer.header("server"), None, "{path}");
    assert_eq!(answer.header("strict-transport-security"), None, "{path}");
    assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
}

#[tokio::test]
async fn every_answer_of_every_route_is_locked_down() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let routes = all();
    let unending = |path: &str| path.ends_with("/events");
    for path in routes.keys().filter(|path| !unending(path)) {
        let target = filled(path, "1");
        let answers = [
            world.get(&target).await,
            ana.get(&target).await,
            ana.post(&target, &[]).await,
            world.send(world.request("DELETE", &target, &[], "")).await,
        ];
        for answer in answers {
            assert_ne!(answer.status, 500, "{path}: {}", answer.text);
            locked_down(&answer, path);
        }
    }
}

#[tokio::test]
async fn only_who_came_over_tls_is_told_to_use_nothing_else() {
    let told = |answer: super::world::Answered| {
        let value = answer.header("strict-transport-security");
        value.map(str::to_owned)
    };
    let public = DoorSettings {
        public_url: Some("https://gate.example".to_owned()),
        ..generous()
    };
    let world = World::with(public).await;
    let year = Some("max-age=31536000; includeSubDomains".to_owned());
    assert_eq!(told(world.get("/healthz").await), year);
    assert_eq!(told(world.get("/nowhere").await), year);
    let behind = DoorSettings {
        trusted_proxies: vec![("127.0.0.0".parse().unwrap(), 8)],
        ..generous()
    };
    let world = World::with(behind).await;
    for (scheme, peer, expected) in [
        ("https", "127.0.0.1:4000", year.clone()),
        ("http", "127.0.0.1:4000", None),
        ("https", "192.0.2.1:4000", None),
    ] {
        let said = [("x-forwarded-proto", scheme)];
        let request = world.request("GET", "/healthz", &said, "");
        assert_eq!(told(world.send_from(peer, request).await), expected);
    }
}

/// What programs and scanners look for, and what frameworks leave open.
const GUESSES: [&str; 64] = [
    "/.env",
    "/.git/HEAD",
    "/.git/config",
    "/.well-known/security",
    "/actuator",
    "/actuator/env",
    "/actuator/health",
    "/admin",
    "/admin/",
    "/admin/login",
    "/api",
    "/api/",
    "/api/v1",
    "/api/v1/",
    "/api/v1/admin",
    "/api/v1/users",
    "/api/v1/keys",
    "/api/v1/otp/",
    "/api/v1/smm/",
    "/api/v1/otp/admin",
    "/api/v2/",
    "/api/v3",
    "/api/docs",
    "/api/swagger.json",
    "/backup",
    "/backup.sql",
    "/config",
    "/config.json",
    "/cron",
    "/cron/sync",
    "/db",
    "/debug",
    "/debug/pprof/",
    "/debug/vars",
    "/dump",
    "/env",
    "/graphql",
    "/heapdump",
    "/index.php",
    "/install",
    "/internal",
    "/internal/sync",
    "/info",
    "/jobs",
    "/logs",
    "/manage",
    "/metrics",
    "/openapi.json",
    "/phpinfo.php",
    "/private",
    "/server-status",
    "/setup",
    "/socket",
    "/sql",
    "/status",
    "/swagger",
    "/swagger-ui/",
    "/sync",
    "/test",
    "/tollgate.toml",
    "/trace",
    "/upload",
    "/user",
    "/wp-login.php",
];

#[tokio::test]
async fn nothing_is_there_that_nobody_described() {
    let world = World::start().await;
    for guess in GUESSES {
        for method in ["GET", "POST"] {
            let answer = world.send(world.request(method, guess, &[], "")).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (404, "not_found"),
                "{method} {guess}"
            );
        }
    }
    let described: Vec<_> = endpoints::all().map(|endpoint| endpoint.path).collect();
    let of_programs = ["/api/v1", "/healthz", "/readyz"];
    for path in all().keys() {
        let is_api = of_programs.iter().any(|start| path.starts_with(start));
        let is_known = described.contains(&path.as_str());
        assert_eq!(is_api, is_known, "{path} and the API description");
    }
}

#[tokio::test]
async fn reports_of_browsers_are_taken_bounded_and_not_kept() {
    let world = World::start().await;
    let report = r#"{"csp-report":{"effective-directive":"script-src","blocked-uri":"x"}}"#;
    let json = [("content-type", "application/csp-report")];
    let send = async |body: &str| {
        let request = world.request("POST", "/csp-report", &json, body);
        world.send(request).await.status
    };
    assert_eq!(send(report).await, 204);
    assert_eq!(send("not json").await, 204);
    assert_eq!(send(&"x".repeat(20_000)).await, 413);
    for _ in 3..20 {
        assert_eq!(send(report).await, 204);
    }
    assert_eq!(send(report).await, 429);
    world.clock.advance(domain::time::Millis::seconds(61));
    assert_eq!(send(report).await, 204);
}
