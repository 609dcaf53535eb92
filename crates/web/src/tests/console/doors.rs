//! The console's own listener, who finds it, and the ways between the doors.

use super::super::dashboard::browser::{Browser, PASSWORD, location};
use super::super::world::{World, generous};
use super::at_work;
use crate::{ConsoleDoor, DoorSettings, console_router};
use domain::people::Role;
use domain::time::Millis;
use std::sync::Arc;

async fn within(beside_customers: bool) -> World {
    let console = ConsoleDoor {
        beside_customers,
        allowed: vec![("10.0.0.0".parse().unwrap(), 8)],
    };
    World::with(DoorSettings {
        console,
        ..generous()
    })
    .await
}

/// B-142.
#[tokio::test]
async fn who_is_not_allowed_finds_nothing_at_the_consoles_listener() {
    let mut world = within(false).await;
    world.router = console_router(Arc::clone(&world.door));
    for path in [
        "/",
        "/assets/app.css",
        "/csp-report",
        "/console",
        "/console/sign-in",
        "/console/money/1/decide",
        "/nowhere",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            let request = || world.request(method, path, &[], "");
            let away = world.send_from("192.0.2.7:4000", request()).await;
            assert_eq!(away.status, 404, "{method} {path}");
        }
        let inside = world.request("GET", path, &[], "");
        let inside = world.send_from("10.1.2.3:4000", inside).await.status;
        let found = !["/nowhere"].contains(&path);
        assert_eq!(inside != 404, found, "{path}: {inside}");
    }
}

/// B-142.
#[tokio::test]
async fn nor_does_anybody_where_customers_are() {
    let world = within(true).await;
    for method in ["GET", "POST", "PUT", "DELETE"] {
        for path in ["/console", "/console/sign-in", "/console/money/1/decide"] {
            let request = world.request(method, path, &[], "");
            let away = world.send_from("192.0.2.7:4000", request).await;
            assert_eq!(away.status, 404, "{method} {path}");
        }
    }
    let mut inside = Browser::at(&world, "10.1.2.3:4000");
    assert_eq!(inside.get("/console/sign-in").await.status, 200);
    assert_eq!(world.get("/healthz").await.status, 200, "all else is there");
}

#[tokio::test]
async fn a_form_after_the_session_leads_back_to_its_page() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    world.clock.advance(Millis::minutes(16));
    let late = owner.post("/console/accounts/7/tier", &[]).await;
    let page = "/console/sign-in?next=%2Fconsole%2Faccounts%2F7";
    assert_eq!(location(&late), page);
}

#[tokio::test]
async fn a_link_for_staff_is_good_at_their_door_only() {
    let world = World::start().await;
    let people = &world.door.people;
    let joining = people.add_staff("eve@example.com", Role::Support);
    let link = joining.await.unwrap().link;
    let token = link.split("token=").nth(1).unwrap();
    let fields = [("token", token), ("password", PASSWORD)];
    let mut eve = Browser::new(&world);
    assert_eq!(eve.post("/reset", &fields).await.status, 400);
    assert_eq!(eve.post("/console/join", &fields).await.status, 303);
}

#[tokio::test]
async fn each_door_shows_its_own_notices() {
    let world = World::start().await;
    let at = "?notice=money-moved";
    let said = "The money has moved.";
    let mut ana = super::super::dashboard::customer(&world).await;
    assert!(!ana.get(&format!("/wallet{at}")).await.text.contains(said));
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let page = owner.get(&format!("/console/money{at}")).await;
    assert!(page.text.contains(said), "{}", page.text);
}

#[tokio::test]
async fn a_day_that_is_none_is_refused_instead_of_meaning_all_days() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let wrong = owner.get("/console/audit?since=2026-13-01").await;
    assert_eq!(wrong.status, 400);
    let export = owner.get("/console/ledger.csv?until=tomorrow").await;
    assert_eq!(export.status, 400);
}
