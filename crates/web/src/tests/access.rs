//! Who may do what to whose: every role on every route with every object, against one table that
//! denies what it does not name.

use super::dashboard::{Browser, customer, signed_in};
use super::routes::{self, filled};
use super::world::{Answered, BUY, Books, DISCORD, PLACE, World};
use crate::api_v1::Service;
use app::KeyOrder;
use axum::body::Body;
use axum::http::Request;
use domain::access::{ApiKey, Scope};
use domain::ids::AccountId;
use domain::ports::{Store, TopUpRows};

/// Who may open a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Anybody.
    Everyone,
    /// Whoever has an API key; the other half of this file.
    KeyHolders,
    /// Whoever can sign what is sent.
    Signers,
    /// Who is signed in; what is shown is theirs alone.
    Customers,
}

/// A route that is not in here fails the test: somebody has to say who may.
const ROUTES: &[(&str, Who)] = &[
    ("/", Who::Everyone),
    ("/account", Who::Customers),
    ("/account/export", Who::Customers),
    ("/account/password", Who::Customers),
    ("/account/purpose", Who::Customers),
    ("/account/sessions/end", Who::Customers),
    ("/account/sessions/end-all", Who::Customers),
    ("/account/standing", Who::Customers),
    ("/account/standing/challenge", Who::Customers),
    ("/account/standing/{id}/appeal", Who::Customers),
    ("/account/totp/begin", Who::Customers),
    ("/account/totp/confirm", Who::Customers),
    ("/account/totp/end", Who::Customers),
    ("/api/v1/openapi.json", Who::Everyone),
    ("/api/v1/otp", Who::KeyHolders),
    ("/api/v1/smm", Who::KeyHolders),
    ("/assets/{name}", Who::Everyone),
    ("/confirm-password", Who::Customers),
    ("/csp-report", Who::Everyone),
    ("/docs", Who::Everyone),
    ("/docs/changelog", Who::Everyone),
    ("/docs/guide.md", Who::Everyone),
    ("/docs/reference.md", Who::Everyone),
    ("/forgot", Who::Everyone),
    ("/healthz", Who::Everyone),
    ("/hooks/telnyx/sms", Who::Signers),
    ("/hooks/twilio/sms", Who::Signers),
    ("/keys", Who::Customers),
    ("/keys/access", Who::Customers),
    ("/keys/change", Who::Customers),
    ("/keys/revoke", Who::Customers),
    ("/keys/rotate", Who::Customers),
    ("/llms.txt", Who::Everyone),
    ("/log", Who::Customers),
    // for staff, by a sealed link of the console
    ("/look", Who::Everyone),
    ("/look/end", Who::Everyone),
    // only there in a demo, which has one owner
    ("/mailbox", Who::Everyone),
    ("/numbers", Who::Customers),
    ("/numbers/buy", Who::Customers),
    ("/numbers/cancel", Who::Customers),
    ("/numbers/events", Who::Customers),
    ("/numbers/live", Who::Customers),
    ("/orders", Who::Customers),
    ("/orders/{id}", Who::Customers),
    ("/policy", Who::Everyone),
    ("/readyz", Who::Everyone),
    ("/report-abuse", Who::Everyone),
    ("/reset", Who::Everyone),
    ("/search", Who::Customers),
    ("/sign-in", Who::Everyone),
    ("/sign-in/code", Who::Everyone),
    ("/sign-out", Who::Everyone),
    ("/sign-up", Who::Everyone),
    ("/sign-up/strength", Who::Everyone),
    ("/smm", Who::Customers),
    ("/smm/cancel", Who::Customers),
    ("/smm/mass", Who::Customers),
    ("/smm/order", Who::Customers),
    ("/smm/quote", Who::Customers),
    ("/smm/refill", Who::Customers),
    ("/verify", Who::Everyone),
    ("/wallet", Who::Customers),
    ("/wallet/low-balance", Who::Customers),
    ("/wallet/redeem", Who::Customers),
    ("/wallet/statement.csv", Who::Customers),
    ("/wallet/top-up", Who::Customers),
    ("/wallet/top-up/{id}", Who::Customers),
    ("/wallet/top-up/{id}/open", Who::Customers),
    ("/wallet/top-up/{id}/receipt", Who::Customers),
    ("/wallet/top-up/{id}/receipt.pdf", Who::Customers),
    ("/wallet/top-up/{id}/withdraw", Who::Customers),
];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What belongs to Ana, and what only she may see of it.
struct Belongings {
    activations: Vec<String>,
    smm_orders: Vec<String>,
    refill: String,
    top_up: String,
    session: String,
    marks: Vec<String>,
}

/// Everything of hers that others must leave alone.
#[derive(Debug, PartialEq)]
struct State {
    books: Books,
    keys: Vec<ApiKey>,
    statuses: Vec<String>,
    sessions: usize,
    top_up: String,
}

impl Belongings {
    async fn of(world: &World, ana: &mut Browser<'_>) -> Self {
        let mut activations = Vec::new();
        let marks = vec!["ana@example.com".to_owned(), "anas-own-target".to_owned()];
        for _ in 0..2 {
            let bought = world.post(BUY, &[], DISCORD).await.data();
            activations.push(bought["order_id"].as_str().unwrap().to_owned());
        }
        let place = |service: &str, user: &str| {
            format!(
                r#"{{"service_id":{service},"link":"https://instagram.com/{user}","quantity":500}}"#
            )
        };
        let mut smm_orders = Vec::new();
        for user in ["anas-own-target", "anas-own-target2"] {
            let placed = world.post(PLACE, &[], &place("1", user)).await.data();
            smm_orders.push(placed["order_id"].as_str().unwrap().to_owned());
        }
        ana.get("/wallet/top-up").await;
        let wish = [
            ("method", "stripe"),
            ("currency", "USD"),
            ("amount", "25.00"),
        ];
        let begun = ana.tops_up(&wish).await;
        let top_up = begun.header("location").unwrap().rsplit('/').next();
        let rows = world.door.people.rows();
        let person = rows.person_of(world.account).await.unwrap().unwrap();
        let sessions = rows.sessions(person.id).await.unwrap();
        Self {
            activations,
            smm_orders,
            refill: "1".to_owned(),
            top_up: top_up.unwrap().to_owned(),
            session: sessions[0].id.to_string(),
            marks,
        }
    }

    async fn state(&self, world: &World) -> State {
        let mut statuses = Vec::new();
        for order in &self.activations {
            let target = format!("/api/v1/otp?action=get_status&order_id={order}");
            statuses.push(world.get(&target).await.data()["status"].to_string());
        }
        for order in &self.smm_orders {
            let target = format!("/api/v1/smm?action=order_status&order_id={order}");
            statuses.push(world.get(&target).await.text);
        }
        let rows = world.door.people.rows();
        let person = rows.person_of(world.account).await.unwrap().unwrap();
        let id = self.top_up.trim_start_matches("tu_").parse().unwrap();
        State {
            books: world.books().await,
            keys: world.store.keys(world.account).await.unwrap(),
            statuses,
            sessions: rows.sessions(person.id).await.unwrap().len(),
            top_up: format!("{:?}", world.store.top_up(id).await.unwrap()),
        }
    }

    fn hides_from(&self, answer: &Answered, what: &str) {
        for mark in &self.marks {
            assert!(!answer.text.contains(mark), "{what} shows {mark}");
        }
    }
}

/// A key's holder, and what a key like theirs is refused with everywhere.
struct Holder {
    name: &'static str,
    key: Option<String>,
    refused: Option<&'static str>,
    scopes: Vec<Scope>,
}

/// Keys of an account that is suspended, and of one whose API access is off.
async fn shut_out(world: &World) -> (String, String) {
    let engine = &world.door.engine;
    let (suspended, suspended_key) = world.new_account("sus@example.com").await;
    engine.suspend_account(suspended, true).await.unwrap();
    let (shut, shut_key) = world.new_account("shut@example.com").await;
    engine.set_api_access(shut, false).await.unwrap();
    (suspended_key, shut_key)
}

async fn holders(world: &World) -> Vec<Holder> {
    let ana = world.account;
    let (other, others_key) = world.new_account("bo@example.com").await;
    let restricted = async |scopes: &[Scope]| {
        let order = KeyOrder {
            scopes: scopes.to_vec(),
            ..KeyOrder::default()
        };
        world.new_key(other, order).await
    };
    let odd = async |change: fn(&mut ApiKey)| world.odd_key(ana, change).await;
    let (suspended_key, shut_key) = shut_out(world).await;
    let holder = |name, key: String, refused| Holder {
        name,
        key: Some(key),
        refused,
        scopes: Vec::new(),
    };
    let scoped = |name, key: String, scopes: &[Scope]| Holder {
        scopes: scopes.to_vec(),
        ..holder(name, key, None)
    };
    let mut wrong = world.key.clone();
    wrong.replace_range(12..14, "zz");
    vec![
        Holder {
            name: "nobody",
            key: None,
            refused: Some("401 invalid_api_key"),
            scopes: Vec::new(),
        },
        holder("garbage", "x".to_owned(), Some("401 invalid_api_key")),
        holder("a guess", wrong, Some("401 invalid_api_key")),
        holder(
            "revoked",
            odd(|key| key.revoked = true).await,
            Some("401 invalid_api_key"),
        ),
        holder(
            "disabled",
            odd(|key| key.disabled = true).await,
            Some("403 key_disabled"),
        ),
        holder(
            "expired",
            odd(|key| key.expires_at = Some(key.created_at)).await,
            Some("403 key_expired"),
        ),
        holder(
            "elsewhere",
            odd(|key| key.allowed_addresses = vec!["192.0.2.7".to_owned()]).await,
            Some("403 ip_not_allowed"),
        ),
        holder("suspended", suspended_key, Some("403 account_suspended")),
        holder("shut out", shut_key, Some("403 api_access_disabled")),
        scoped(
            "other, reads",
            restricted(&[Scope::Read]).await,
            &[Scope::Read],
        ),
        scoped(
            "other, numbers",
            restricted(&[Scope::Otp]).await,
            &[Scope::Otp],
        ),
        scoped("other, SMM", restricted(&[Scope::Smm]).await, &[Scope::Smm]),
        holder("other", others_key, None),
    ]
}

/// What a holder's call has to be answered with; nothing where it is for the action to say.
fn refusal(holder: &Holder, service: &Service, write: bool, method: &str) -> Option<&'static str> {
    if holder.refused.is_some() {
        return holder.refused;
    }
    let fits = |scope: &Scope| match scope {
        Scope::Read => !write,
        other => *other == service.scope,
    };
    if !holder.scopes.is_empty() && !holder.scopes.iter().any(fits) {
        return Some("403 insufficient_scope");
    }
    let right = if write { "POST" } else { "GET" };
    (method != right).then_some("405 method_not_allowed")
}

async fn call(
    world: &World,
    key: Option<&str>,
    (method, target): (&str, &str),
    body: &str,
) -> Answered {
    let mut request = Request::builder().method(method).uri(target);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    if method != "GET" {
        request = request
            .header("content-type", "application/json")
            .header("content-length", body.len());
    }
    let body = if method == "GET" { "" } else { body };
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

fn verdict(answer: &Answered) -> String {
    format!("{} {}", answer.status, answer.code())
}

/// Every holder on every action with every object; gives how many were looked at.
async fn api(world: &World, own: &Belongings) -> usize {
    let objects: Vec<&str> = own
        .activations
        .iter()
        .chain(&own.smm_orders)
        .chain([&own.refill, &own.session])
        .map(String::as_str)
        .chain(["999999999", "9007199254740991"])
        .collect();
    let mut looked_at = 0;
    for holder in holders(world).await {
        for service in [&Service::OTP, &Service::SMM] {
            for action in service.action_names() {
                let write = writes(service, action);
                for object in &objects {
                    for method in ["GET", "POST", "DELETE", "PUT"] {
                        let target = target(service, action, object);
                        let body = format!(r#"{{"order_id":"{object}","refill_id":"{object}"}}"#);
                        let key = holder.key.as_deref();
                        let answer = call(world, key, (method, &target), &body).await;
                        let what = format!("{}: {method} {target} {body}", holder.name);
                        own.hides_from(&answer, &what);
                        let expected = refusal(&holder, service, write, method);
                        let found = verdict(&answer);
                        match (expected, names_an_object(action)) {
                            (Some(expected), _) => assert_eq!(found, expected, "{what}"),
                            (None, true) => assert!(
                                found == "404 order_not_found" || found == "404 refill_not_found",
                                "{what}: {found}"
                            ),
                            (None, false) => assert!(
                                !found.starts_with("401") && !found.starts_with("403"),
                                "{what}: {found}"
                            ),
                        }
                        looked_at += 1;
                    }
                }
            }
        }
    }
    looked_at
}

fn writes(service: &Service, action: &str) -> bool {
    crate::docs::endpoints::all().any(|one| {
        one.path == service.path
            && one.action == Some(action)
            && one.method == crate::docs::endpoints::Method::Post
    })
}

fn names_an_object(action: &str) -> bool {
    let named = [
        "get_status",
        "cancel",
        "order_status",
        "cancel_order",
        "refill",
        "refill_status",
    ];
    named.contains(&action)
}

fn target(service: &Service, action: &str, object: &str) -> String {
    let path = service.path;
    match action {
        "get_status" | "order_status" => format!("{path}?action={action}&order_id={object}"),
        "refill_status" => format!("{path}?action={action}&refill_id={object}"),
        _ => format!("{path}?action={action}"),
    }
}

/// Whether an answer only asks to sign in.
fn asks_to_sign_in(answer: &Answered) -> bool {
    let to = answer.header("location").unwrap_or_default();
    answer.status == 303 && to.starts_with("/sign-in")
}

async fn as_guest(world: &World, cookie: &str, key: &str, method: &str, path: &str) -> Answered {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", cookie)
        .header("x-api-key", key)
        .header("content-type", "application/x-www-form-urlencoded");
    world.send(request.body(Body::empty()).unwrap()).await
}

/// Everybody who is not signed in on every page.
async fn guests(world: &World, own: &Belongings, ended: &str) -> usize {
    let forged = format!("__Host-tollgate={}", "A".repeat(43));
    let mut looked_at = 0;
    let routes = routes::all();
    for (cookie, key) in [
        ("", ""),
        ("", world.key.as_str()),
        (&forged, ""),
        (ended, ""),
    ] {
        for (path, who) in ROUTES.iter().filter(|(_, who)| *who != Who::KeyHolders) {
            for id in ids(path, own) {
                for method in METHODS {
                    let target = filled(path, &id);
                    let answer = as_guest(world, cookie, key, method, &target).await;
                    let what = format!("{cookie}{key}: {method} {target}: {}", answer.status);
                    // the demo's mailbox holds the mails of all
                    if *path != "/mailbox" {
                        own.hides_from(&answer, &what);
                    }
                    let asked = if method == "HEAD" { "GET" } else { method };
                    let known = routes[*path].contains(&asked);
                    match (known, who) {
                        (false, _) => assert!([404, 405].contains(&answer.status), "{what}"),
                        (true, Who::Customers) => assert!(asks_to_sign_in(&answer), "{what}"),
                        (true, Who::Signers) => assert!(answer.status >= 400, "{what}"),
                        // nobody gets in without a password, which is no question of access
                        (true, _) if path.starts_with("/sign-in") => {}
                        (true, _) => assert!(![401, 403].contains(&answer.status), "{what}"),
                    }
                    looked_at += 1;
                }
            }
        }
    }
    looked_at
}

/// What a path's gap is filled with.
fn ids(path: &str, own: &Belongings) -> Vec<String> {
    if !path.contains("{id}") {
        return vec![String::new()];
    }
    let orders = own.activations.iter().chain(&own.smm_orders);
    let all = orders.chain([&own.refill, &own.top_up]).cloned();
    all.chain(["tu_999999".to_owned(), "999999999".to_owned()])
        .collect()
}

/// What forms name things with, filled in with Ana's.
fn forms(own: &Belongings, keys: &[ApiKey]) -> Vec<Vec<(&'static str, String)>> {
    let orders = own.activations.iter().chain(&own.smm_orders);
    let mut forms: Vec<_> = orders
        .map(|order| vec![("order", order.clone()), ("once", "1".repeat(32))])
        .collect();
    let named = keys.iter().map(|key| key.id.to_string());
    forms.extend(
        named
            .chain([own.session.clone()])
            .map(|id| vec![("id", id)]),
    );
    forms.push(Vec::new());
    forms
}

/// Another customer on every page, with Ana's things in paths and forms.
async fn another(world: &World, own: &Belongings, keys: &[ApiKey], id: AccountId) -> usize {
    let mut bo = signed_in(world, id).await;
    let mut looked_at = 0;
    let routes = routes::all();
    let of_customers = ROUTES.iter().filter(|(_, who)| *who == Who::Customers);
    for (path, _) in of_customers.filter(|(path, _)| !path.ends_with("/events")) {
        for id in ids(path, own) {
            let target = filled(path, &id);
            for form in forms(own, keys) {
                let fields = form.iter().map(|(name, value)| (*name, value.as_str()));
                let fields: Vec<_> = fields.collect();
                let read = bo.get(&target).await;
                own.hides_from(&read, &format!("bo: GET {target}"));
                if routes[*path].contains(&"GET") && path.contains("{id}") {
                    assert_eq!(read.status, 404, "bo: GET {target}");
                }
                if routes[*path].contains(&"POST") {
                    let sent = bo.post(&target, &fields).await;
                    own.hides_from(&sent, &format!("bo: POST {target} {form:?}"));
                    if path.contains("{id}") {
                        assert_eq!(sent.status, 404, "bo: POST {target}");
                    }
                }
                looked_at += 2;
            }
        }
        // some of these end Bo's own session, which is his to end
        if asks_to_sign_in(&bo.get("/account").await) {
            bo = signed_in(world, id).await;
        }
    }
    looked_at
}

#[tokio::test]
async fn nobody_does_what_they_may_not_to_what_is_not_theirs() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let ended = {
        let mut before = signed_in(&world, world.account).await;
        let cookie = before.cookie.clone();
        before.get("/account").await;
        before.post("/sign-out", &[]).await;
        cookie
    };
    let own = Belongings::of(&world, &mut ana).await;
    let keys = world.store.keys(world.account).await.unwrap();
    let (bo, _) = world.new_account("bo2@example.com").await;
    let mut looked_at = api(&world, &own).await;
    let before = own.state(&world).await;
    looked_at += guests(&world, &own, &ended).await;
    looked_at += another(&world, &own, &keys, bo).await;
    assert_eq!(own.state(&world).await, before);
    assert_eq!(before.books.orders, 4);
    for path in [
        "/account", "/keys", "/orders", "/wallet", "/numbers", "/smm", "/log",
    ] {
        assert_eq!(ana.get(path).await.status, 200, "ana: {path}");
    }
    for order in own.activations.iter().chain(&own.smm_orders) {
        assert_eq!(ana.get(&format!("/orders/{order}")).await.status, 200);
    }
    assert_eq!(
        ana.get(&format!("/wallet/top-up/{}", own.top_up))
            .await
            .status,
        200
    );
    assert!(looked_at >= 5_000, "{looked_at}");
}

#[test]
fn somebody_has_said_of_every_route_who_may() {
    let routes = routes::all();
    let known: Vec<_> = ROUTES.iter().map(|(path, _)| (*path).to_owned()).collect();
    let there: Vec<_> = routes.keys().cloned().collect();
    assert_eq!(there, known, "give each route its line in ROUTES, in order");
}

/// The benchmark of pages asks every page there is for what it costs.
#[test]
fn the_benchmark_of_pages_knows_every_page() {
    let text = include_str!("../../../../bench/benches/pages.rs");
    let asked: Vec<&str> = text
        .split('"')
        .filter(|one| one.starts_with('/'))
        .map(|one| one.split('?').next().unwrap())
        .collect();
    let part = |one: &str, other: &str| one == other || one.starts_with('{');
    let fits = |route: &str, page: &str| {
        route.split('/').count() == page.split('/').count()
            && route
                .split('/')
                .zip(page.split('/'))
                .all(|(one, other)| part(one, other))
    };
    // programs, a stream without end, and a file that does not change
    let others = [
        "/api/",
        "/hooks/",
        "/healthz",
        "/readyz",
        "/numbers/events",
        "/assets/",
    ];
    for (route, methods) in routes::all() {
        let is_page = methods.contains(&"GET") && !others.iter().any(|one| route.starts_with(one));
        let known = asked.iter().any(|page| fits(&route, page));
        assert!(
            known || !is_page,
            "{route}: not in PAGES of bench/benches/pages.rs"
        );
    }
}
