//! Each route as each role: what the table does not allow is refused, and nothing else is.

use super::super::dashboard::browser::{Browser, PASSWORD, location};
use super::super::dashboard::browser::{between, code};
use super::super::world::World;
use super::{at_work, lines};
use crate::console::{Listed, all};
use domain::audit_log::{Actor, By};
use domain::desk::Deed;
use domain::people::Role;
use domain::time::Millis;

const REFUSED: &str = "Your role may not do this.";

async fn ask(
    browser: &mut Browser<'_>,
    world: &World,
    route: &Listed,
) -> crate::tests::world::Answered {
    let path = route.path.replace("{id}", &world.account.to_string());
    let path = path.replace("{name}", "peter");
    match route.method {
        "GET" => browser.get(&path).await,
        _ => browser.post(&path, &[]).await,
    }
}

#[tokio::test]
async fn every_route_is_for_the_roles_of_the_table_and_for_nobody_else() {
    let world = World::start().await;
    let routes = all().listed;
    assert!(routes.len() > 45, "{}", routes.len());
    let mut asked = 0;
    for role in Role::ALL.into_iter().filter(|role| role.is_staff()) {
        let mut browser = at_work(&world, role.slug(), role).await;
        for route in &routes {
            let Some(deed) = route.deed else { continue };
            let answer = ask(&mut browser, &world, route).await;
            let refused = answer.status == 403 && answer.text.contains(REFUSED);
            let (method, path) = (route.method, route.path);
            assert_eq!(
                refused,
                !deed.is_for(role),
                "{role:?} {method} {path}: {} {}",
                answer.status,
                answer.text
            );
            assert!(
                answer.status < 500,
                "{role:?} {method} {path}: {}",
                answer.text
            );
            asked += 1;
        }
    }
    assert!(asked > 150, "{asked}");
    let mut stranger = Browser::new(&world);
    for route in routes.iter().filter(|route| route.deed.is_some()) {
        let answer = ask(&mut stranger, &world, route).await;
        let to = location(&answer);
        assert!(to.starts_with("/console/sign-in"), "{}: {to}", route.path);
    }
}

/// The page that tells operators who may do what.
const MANUAL: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/console.md"
));

/// What the table of the manual calls a deed.
fn told(deed: Deed) -> &'static str {
    match deed {
        Deed::SeeOverview => "overview",
        Deed::SeeAccounts => "overview, accounts",
        Deed::SeeOrders => "accounts, orders",
        Deed::ReadMessages => "messages and codes of an order: read",
        Deed::SeeTickets => "orders, tickets",
        Deed::SeeLedger => "ledger",
        Deed::SeeReports => "reports",
        Deed::SeeAudit => "audit log: look",
        Deed::SeeCodes => "redeem codes, audit",
        Deed::SeeTopUps => "top-ups: look",
        Deed::ReadProofs => "save the file that shows a transfer",
        Deed::SeeUpstreams => "upstreams, servers",
        Deed::SeeCatalogue => "catalogue, prices",
        Deed::SeePolicy => "policy",
        Deed::SeeAnnouncements => "announcements",
        Deed::SeeCases => "policy, cases",
        Deed::DecideCases => "open and decide on cases",
        Deed::SeeStaff => "staff: look",
        Deed::NoteAccounts => "notes",
        Deed::SuspendAccounts => "suspend accounts",
        Deed::SetTiers => "tiers",
        Deed::SetApiAccess => "API access",
        Deed::RevokeKeys => "revoke keys",
        Deed::Impersonate => "look as the customer",
        Deed::TryUpstreams => "test upstreams",
        Deed::CloseTickets => "close tickets",
        Deed::PayTickets => "pay tickets",
        Deed::MoveMoney => "credit and debit wallets",
        Deed::DecideMoney => "decide on such",
        Deed::MakeCodes => "make redeem codes",
        Deed::DecideTopUps => "credit, reject and refund top-ups",
        Deed::ChangeUpstreams => "add, pause and resume upstreams",
        Deed::ChangeCatalogue => "classify services",
        Deed::ChangePrices => "preview other markup rules",
        Deed::ChangePolicy => "the do-not-use list",
        Deed::Announce => "announce |",
        Deed::VerifyAudit => "the whole audit log: verify",
        Deed::ManageStaff => "tiers, staff",
    }
}

#[test]
fn the_manual_tells_whose_each_deed_is() {
    let table = |line: &&str| line.starts_with("| ") && line.matches('|').count() == 6;
    let rows: Vec<&str> = MANUAL.lines().filter(table).collect();
    let columns = [Role::Owner, Role::Finance, Role::Support, Role::Auditor];
    let head = "| | owner | finance | support | auditor |";
    assert_eq!(rows.first(), Some(&head), "{rows:?}");
    for deed in Deed::ALL {
        let found: Vec<&&str> = rows.iter().filter(|row| row.contains(told(deed))).collect();
        let [row] = found[..] else {
            panic!("{deed:?} is told in {} rows: {found:?}", found.len());
        };
        let said: Vec<bool> = row
            .split(" | ")
            .skip(1)
            .map(|cell| cell.contains("yes"))
            .collect();
        let may: Vec<bool> = columns.iter().map(|role| deed.is_for(*role)).collect();
        assert_eq!(said, may, "{deed:?}: {row}");
    }
}

#[tokio::test]
async fn customers_and_staff_have_doors_of_their_own() {
    let world = World::start().await;
    let mut ana = super::super::dashboard::customer(&world).await;
    let dashboard = ana.cookie.clone();
    // the customer's token, under the console's name
    ana.cookie = dashboard.replace("__Host-tollgate=", "__Host-tollgate-console=");
    assert_eq!(ana.get("/console").await.status, 303);
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    owner.cookie = owner.cookie.replace("-console=", "=");
    assert_eq!(
        location(&owner.get("/wallet").await),
        "/sign-in?next=%2Fwallet"
    );
}

#[tokio::test]
async fn a_newcomer_sets_password_and_second_factor_before_anything_else() {
    let world = World::start().await;
    let people = &world.door.people;
    let joining = people
        .add_staff("eve@example.com", Role::Support)
        .await
        .unwrap();
    let link = joining
        .link
        .strip_prefix("http://127.0.0.1:8080")
        .unwrap()
        .to_owned();
    let mut eve = Browser::new(&world);
    let page = eve.get(&link).await;
    assert!(page.text.contains("eve@example.com"), "{}", page.text);
    let token = link.split("token=").nth(1).unwrap().to_owned();
    let weak = [("token", token.as_str()), ("password", "password")];
    assert_eq!(eve.post("/console/join", &weak).await.status, 400);
    let fields = [("token", token.as_str()), ("password", PASSWORD)];
    let set = eve.post("/console/join", &fields).await;
    assert_eq!(set.status, 303, "{}", set.text);
    assert_eq!(eve.get(&link).await.status, 400, "the link is for one use");

    let fields = [("email", "eve@example.com"), ("password", PASSWORD)];
    eve.get("/console/sign-in").await;
    assert_eq!(
        location(&eve.post("/console/sign-in", &fields).await),
        "/console"
    );
    for path in ["/console", "/console/accounts"] {
        assert_eq!(
            location(&eve.get(path).await),
            "/console/second-factor",
            "{path}"
        );
    }
    eve.get("/console/second-factor").await;
    eve.post("/console/second-factor", &[]).await;
    let page = eve.get("/console/second-factor").await.text;
    let secret = between(&page, "<code class=\"break\">", "</code>").to_owned();
    let code = code(&world, &secret);
    let confirmed = eve
        .post("/console/second-factor/confirm", &[("code", &code)])
        .await;
    assert!(
        confirmed.text.contains("Recovery codes"),
        "{}",
        confirmed.text
    );
    assert_eq!(eve.get("/console/accounts").await.status, 200);
    let kept: Vec<String> = lines(&world, 20)
        .await
        .into_iter()
        .map(|line| line.note.action)
        .collect();
    for action in ["reset_password", "sign_in", "confirm_totp"] {
        assert!(kept.iter().any(|one| one == action), "{action}: {kept:?}");
    }
}

#[tokio::test]
async fn a_session_ends_after_a_quarter_of_an_hour_and_with_the_access() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    world.clock.advance(Millis::minutes(14));
    assert_eq!(owner.get("/console").await.status, 200);
    world.clock.advance(Millis::minutes(16));
    assert_eq!(owner.get("/console").await.status, 303);

    let mut support = at_work(&world, "support", Role::Support).await;
    let people = &world.door.people;
    let id = people.member_by_email("support@example.com").await.unwrap();
    people.suspend_staff(id, true).await.unwrap();
    assert_eq!(support.get("/console").await.status, 303);
    let owner = people.member_by_email("owner@example.com").await.unwrap();
    assert!(
        people.suspend_staff(owner, true).await.is_err(),
        "the last owner"
    );
    assert!(
        people.set_role(owner, Role::Auditor).await.is_err(),
        "the last owner"
    );
    // somebody whose own access ended as they were about to lock the last owner out
    let by = By::new(Actor::Staff(id));
    assert!(app::acting(by, people.reset_staff(owner)).await.is_err());
    assert!(people.reset_staff(owner).await.is_ok(), "at the machine");
}

#[tokio::test]
async fn wrong_answers_are_uniform_and_counted() {
    let world = World::start().await;
    super::hire(&world, "owner", Role::Owner).await;
    let mut stranger = Browser::new(&world);
    let wrong = async |stranger: &mut Browser<'_>, email: &str| {
        stranger.get("/console/sign-in").await;
        let fields = [("email", email), ("password", "not this one at all")];
        stranger.post("/console/sign-in", &fields).await
    };
    let known = wrong(&mut stranger, "owner@example.com").await;
    let unknown = wrong(&mut stranger, "nobody@example.com").await;
    assert_eq!((known.status, unknown.status), (401, 401));
    let of = |text: &str| between(text, "role=\"alert\">", "<").to_owned();
    assert_eq!(of(&known.text), of(&unknown.text));
    let mut last = 401;
    for _ in 0..30 {
        last = wrong(&mut stranger, "owner@example.com").await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
}
