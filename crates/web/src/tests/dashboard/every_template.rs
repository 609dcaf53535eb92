//! Every template is rendered, with nothing undefined in it: filled, empty, and with what was wrong.

use super::browser::{Browser, PASSWORD, customer, location, signed_in};
use super::browser::{between, code};
use crate::dashboard::templates::{RENDERED, TEMPLATES};
use crate::tests::console::at_work;
use crate::tests::payments::plain;
use crate::tests::world::World;
use domain::people::Role;
use domain::time::Millis;
use domain::top_up::TopUpsOf;
use domain::usd::Usd;

/// Pages of a customer, before and after there is something on them.
const PAGES: [&str; 19] = [
    "/",
    "/numbers",
    "/numbers?country=pakistan",
    "/numbers?q=d",
    "/numbers?service=Discord",
    "/numbers/live",
    "/smm",
    "/smm/order?service=1",
    "/smm/order?service=2",
    "/smm/mass",
    "/orders",
    "/orders?kind=smm",
    "/search?q=nothing",
    "/wallet",
    "/wallet/top-up",
    "/keys",
    "/account/standing",
    "/log",
    "/confirm-password",
];

async fn look(browser: &mut Browser<'_>, paths: &[&str]) {
    for path in paths {
        let page = browser.get(path).await;
        assert_ne!(page.status, 500, "{path}: {}", page.text);
    }
}

async fn strangers_pages(world: &World) {
    let mut stranger = Browser::new(world);
    look(
        &mut stranger,
        &[
            "/",
            "/sign-in",
            "/sign-up",
            "/forgot",
            "/mailbox",
            "/reset?token=x",
            "/verify?token=x",
            "/policy",
            "/report-abuse",
        ],
    )
    .await;
    let fields = [("email", "eve@example.com"), ("password", PASSWORD)];
    stranger.post("/sign-up/strength", &fields).await;
    stranger.post("/sign-up", &fields).await;
    stranger.post("/report-abuse", &[("subject", "x")]).await;
    let report = [
        ("subject", "+923001234567"),
        ("harm", "other"),
        ("what", "unwanted messages"),
    ];
    stranger.post("/report-abuse", &report).await;
    let link = stranger.newest_link().await;
    look(&mut stranger, &[&link, "/mailbox"]).await;
    stranger.sign_in("nobody@example.com", "wrong").await;
}

/// Two-step sign-in on, and the page that asks for its code.
async fn second_factor(world: &World, ana: &mut Browser<'_>) {
    ana.get("/account").await;
    ana.post("/account/totp/begin", &[]).await;
    let page = ana.get("/account").await.text;
    let secret = between(&page, "<code class=\"break\">", "</code>").to_owned();
    let code = code(world, &secret);
    ana.post("/account/totp/confirm", &[("code", &code)]).await;
    let asked = Browser::new(world)
        .sign_in("ana@example.com", PASSWORD)
        .await;
    assert!(asked.text.contains("Two-step sign-in"), "{}", asked.text);
}

/// Top-ups by card and by bank transfer, each on the page of its own.
async fn top_ups(world: &World, ana: &mut Browser<'_>) {
    let card = [("method", "stripe"), ("currency", "USD"), ("amount", "25")];
    let transfer = [
        ("method", "manual"),
        ("currency", "USD"),
        ("amount", "25"),
        ("note", "Ana, DE00 1"),
    ];
    for fields in [card.as_slice(), transfer.as_slice()] {
        let begun = ana.tops_up(fields).await;
        assert_eq!(begun.status, 303, "{}", begun.text);
        let own = location(&begun).to_owned();
        look(ana, &[&own, "/wallet/top-up"]).await;
        let id = own.rsplit('/').next().unwrap().parse().unwrap();
        let top_ups = &world.door.top_ups;
        if top_ups.approve(id, None, "BANK-1", "there").await.is_ok() {
            look(ana, &[&own, &format!("{own}/receipt")]).await;
        }
        let order = plain(Usd(1_000_000), "asked");
        // one of them was paid
        let _ = top_ups.refund(id, order).await;
    }
}

/// A case that is being decided on, and an appeal against it.
async fn cases(world: &World, owner: &mut Browser<'_>) {
    let (bo, _) = world.new_account("bo@example.com").await;
    let account = bo.0.to_string();
    let open = [("account", account.as_str()), ("reason", "resells numbers")];
    owner.post("/console/cases/open", &open).await;
    let cases = world.door.lawful.account_cases(None, true).await.unwrap();
    let case = format!("/console/cases/{}", cases[0].id);
    let decide = format!("{case}/decide");
    for deed in ["challenge", "propose_closure"] {
        let fields = [("deed", deed), ("reason", "resells numbers")];
        let page = owner.post(&decide, &fields).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let mut bo = signed_in(world, bo).await;
        look(&mut bo, &["/account/standing", "/account"]).await;
        look(owner, &[&case]).await;
    }
}

/// Pages of the console.
const DESK: [&str; 35] = [
    "/console",
    "/console/accounts",
    "/console/accounts?q=nobody",
    "/console/orders",
    "/console/orders?state=review",
    "/console/tickets",
    "/console/upstreams",
    "/console/upstreams/peter",
    "/console/upstreams/unused",
    "/console/new-upstream",
    "/console/servers",
    "/console/servers/peter",
    "/console/catalogue",
    "/console/catalogue/dead",
    "/console/catalogue/names",
    "/console/catalogue/history?service=Discord",
    "/console/prices",
    "/console/policy",
    "/console/cases",
    "/console/cases?show=all",
    "/console/tickets?show=all",
    "/console/top-ups",
    "/console/top-ups?show=all",
    "/console/top-ups/import",
    "/console/top-ups/processors",
    "/console/money",
    "/console/codes",
    "/console/ledger",
    "/console/ledger?totals=yes&kind=hold",
    "/console/ledger/upstreams",
    "/console/reports",
    "/console/reports?by=account",
    "/console/announcements",
    "/console/audit",
    "/console/staff",
];

/// The way into the console.
async fn way_in(world: &World) {
    let mut newcomer = Browser::new(world);
    look(
        &mut newcomer,
        &["/console/sign-in", "/console/join?token=x"],
    )
    .await;
    let people = &world.door.people;
    let joining = people
        .add_staff("new@example.com", Role::Support)
        .await
        .unwrap();
    let link = joining
        .link
        .strip_prefix("http://127.0.0.1:8080")
        .unwrap()
        .to_owned();
    look(&mut newcomer, &[&link]).await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    let fields = [("token", token.as_str()), ("password", PASSWORD)];
    newcomer.post("/console/join", &fields).await;
    let fields = [("email", "new@example.com"), ("password", PASSWORD)];
    newcomer.get("/console/sign-in").await;
    newcomer.post("/console/sign-in", &fields).await;
    look(&mut newcomer, &["/console/second-factor"]).await;
    newcomer.post("/console/second-factor", &[]).await;
    let page = newcomer.get("/console/second-factor").await.text;
    let secret = between(&page, "<code class=\"break\">", "</code>").to_owned();
    let code = code(world, &secret);
    newcomer
        .post("/console/second-factor/confirm", &[("code", &code)])
        .await;
}

/// The console's page of each top-up.
async fn pages_of_top_ups(world: &World) -> Vec<String> {
    let all = TopUpsOf {
        limit: 10,
        ..TopUpsOf::default()
    };
    let rows = world.door.top_ups.rows().top_ups(&all).await.unwrap();
    let pages = rows
        .iter()
        .map(|row| format!("/console/top-ups/{}", row.id));
    pages.collect()
}

/// The console as an owner sees it.
async fn desk(world: &World, orders: &[&str]) {
    let mut owner = at_work(world, "owner", Role::Owner).await;
    look(&mut owner, &DESK).await;
    let account = format!("/console/accounts/{}", world.account);
    look(&mut owner, &[&account]).await;
    let suspend = format!("{account}/suspend");
    for (path, fields) in [
        (
            suspend.as_str(),
            vec![("suspended", "no"), ("reason", "a test")],
        ),
        (suspend.as_str(), vec![]),
        (
            "/console/codes/make",
            vec![("usd", "5"), ("count", "2"), ("reason", "a test")],
        ),
        (
            "/console/staff/add",
            vec![
                ("email", "x@example.com"),
                ("role", "auditor"),
                ("reason", "a test"),
            ],
        ),
        ("/console/announcements", vec![("text", "a test")]),
        ("/console/audit/verify", vec![]),
        ("/console/upstreams/peter/test", vec![]),
        ("/console/upstreams/paul/test", vec![]),
        ("/console/upstreams/peter/pause", vec![("reason", "a test")]),
        (
            "/console/new-upstream",
            vec![
                ("name", "new"),
                ("protocol", "handler_api"),
                ("key", "k3y"),
                ("key_name", "KEY"),
                ("server", "peter"),
            ],
        ),
        (
            "/console/prices/preview",
            vec![("rules", "25"), ("tier", "3")],
        ),
        (
            "/console/prices/preview",
            vec![("rules", "x"), ("tier", "3")],
        ),
        (
            "/console/policy/block",
            vec![
                ("kind", "number"),
                ("value", "+923001234567"),
                ("reason", "asked for by its holder"),
            ],
        ),
    ] {
        let page = owner.post(path, &fields).await;
        assert!(page.status < 500, "{path}: {}", page.text);
    }
    cases(world, &mut owner).await;
    let note = format!("{account}/note");
    owner.post(&note, &[("note", "a good customer")]).await;
    look(&mut owner, &DESK).await;
    let orders = orders.iter().map(|id| format!("/console/orders/{id}"));
    let orders: Vec<String> = orders.collect();
    let top_ups = pages_of_top_ups(world).await;
    for page in orders.iter().chain(&top_ups).chain([&account]) {
        look(&mut owner, &[page]).await;
    }
}

#[tokio::test]
async fn every_template_is_rendered_with_nothing_undefined() {
    let world = World::start().await;
    strangers_pages(&world).await;
    let mut ana = customer(&world).await;
    look(&mut ana, &PAGES).await;

    let number = world.buy().await;
    let body = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500}"#;
    let placed = world
        .post(crate::tests::world::PLACE, &[], body)
        .await
        .data();
    let order = placed["order_id"].as_str().unwrap();
    world.clock.advance(Millis::seconds(1));
    world.door.log.write_down().await;
    look(&mut ana, &PAGES).await;
    let own = [format!("/orders/{number}"), format!("/orders/{order}")];
    look(
        &mut ana,
        &[
            &own[0],
            &own[1],
            "/orders/1",
            "/search?q=instagram.com/user",
        ],
    )
    .await;
    for (path, fields) in [
        ("/keys", vec![("name", "one")]),
        ("/keys", vec![("name", "")]),
        ("/smm/quote", vec![("service", "1"), ("link", "x")]),
        (
            "/smm/mass",
            vec![("lines", "1 | https://instagram.com/a | 500\nx")],
        ),
        ("/wallet/low-balance", vec![("threshold", "x")]),
        ("/wallet/redeem", vec![("code", "x")]),
    ] {
        let page = ana.post(path, &fields).await;
        assert_ne!(page.status, 500, "{path}: {}", page.text);
    }
    top_ups(&world, &mut ana).await;
    second_factor(&world, &mut ana).await;
    way_in(&world).await;
    desk(&world, &[&number, order]).await;

    // parts of others are rendered with them
    let is_part = |name: &str| {
        let named = format!("\"{name}\"");
        TEMPLATES.iter().any(|(_, source)| source.contains(&named))
    };
    let rendered = RENDERED.with_borrow(Clone::clone);
    let missing: Vec<&str> = TEMPLATES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !rendered.contains(*name) && !is_part(name))
        .collect();
    assert_eq!(missing, [""; 0], "have this test ask for it");
}
