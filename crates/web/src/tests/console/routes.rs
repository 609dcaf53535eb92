//! Every route of the console, as the console lists them: what its answers carry, whose forms count, and
//! which deeds ask why.

use super::super::dashboard::browser::location;
use super::super::dashboard::customer;
use super::super::routes::locked_down;
use super::super::world::World;
use super::at_work;
use crate::console::{Listed, all};
use domain::people::Role;

/// Deeds that ask for no reason: their own words, or the log itself, say all.
const WITHOUT_REASON: [&str; 9] = [
    "/console/accounts/{id}/note",
    "/console/announcements",
    "/console/announcements/{id}/end",
    "/console/audit/checkpoint",
    "/console/audit/verify",
    "/console/new-upstream",
    "/console/prices/preview",
    "/console/top-ups/import",
    "/console/upstreams/{name}/test",
];

/// What the forms ask for beside the reason.
const FIELDS: [(&str, &str); 15] = [
    ("suspended", "yes"),
    ("on", "no"),
    ("tier", "2"),
    ("key", "1"),
    ("direction", "in"),
    ("usd", "1"),
    ("once", "00112233445566778899aabbccddeeff"),
    ("decision", "grant"),
    ("count", "1"),
    ("undelivered", "1"),
    ("role", "support"),
    ("email", "new@example.com"),
    ("kind", "number"),
    ("reference", "BANK-1"),
    ("seen", "0"),
];

/// A route's path with an order or account that is there.
fn target(world: &World, route: &Listed, order: &str) -> String {
    let id = match route.path.starts_with("/console/orders/") {
        true => order.to_owned(),
        false => world.account.to_string(),
    };
    route.path.replace("{id}", &id).replace("{name}", "peter")
}

#[tokio::test]
async fn answers_are_locked_down_and_forms_of_other_pages_count_for_nothing() {
    let world = World::start().await;
    let order = world.buy().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let mut ana = customer(&world).await;
    let cookie = ana.cookie.clone();
    let as_staff = cookie.replace("__Host-tollgate=", "__Host-tollgate-console=");
    let mut forms = 0;
    for route in all().listed {
        let path = target(&world, &route, &order);
        if route.method == "POST" {
            let forged = owner.post_bare(&path, &[("reason", "a good one")]).await;
            assert_eq!(forged.status, 403, "{path}: {}", forged.text);
            locked_down(&forged, &path);
            forms += 1;
            continue;
        }
        let page = owner.get(&path).await;
        locked_down(&page, &path);
        assert_ne!(page.status, 500, "{path}");
        if route.deed.is_none() {
            continue;
        }
        for cookie in [&cookie, &as_staff] {
            ana.cookie.clone_from(cookie);
            let sent_away = ana.get(&path).await;
            let to = location(&sent_away);
            assert!(to.starts_with("/console/sign-in"), "{path}: {to}");
        }
    }
    assert!(forms > 25, "{forms}");
}

#[tokio::test]
async fn every_deed_but_a_few_asks_why() {
    let world = World::start().await;
    let order = world.buy().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let before = world.books().await;
    let mut asked = 0;
    let deeds = all()
        .listed
        .into_iter()
        .filter(|route| route.deed.is_some());
    for route in deeds.filter(|route| route.method == "POST") {
        let path = target(&world, &route, &order);
        let answer = owner.post(&path, &FIELDS).await;
        let why = answer.status == 400 && answer.text.contains("Say why");
        let needs = !WITHOUT_REASON.contains(&route.path);
        assert_eq!(why, needs, "{path}: {} {}", answer.status, answer.text);
        asked += usize::from(why);
    }
    assert!(asked >= 15, "{asked}");
    assert_eq!(world.books().await, before);
}
