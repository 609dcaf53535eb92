//! The console over the real router: who gets in, whose each route is, and what deeds leave behind.

mod codes;
mod deeds;
mod doors;
mod loosen;
mod roles;
mod routes;
mod statements;
mod stock;
mod top_ups;
mod upstreams;

use super::dashboard::browser::code;
use super::dashboard::browser::{Browser, PASSWORD, location};
use super::world::World;
use domain::audit_log::{Line, LinesOf};
use domain::ids::PersonId;
use domain::people::Role;

/// The shared secret of everybody here.
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// A member of staff with a second factor.
pub(super) async fn hire(world: &World, name: &str, role: Role) -> PersonId {
    let email = format!("{name}@example.com");
    let people = &world.door.people;
    let hired = people.create_staff(&email, role, (PASSWORD, SECRET)).await;
    hired.unwrap()
}

/// The same, signed in.
pub(in crate::tests) async fn at_work<'w>(world: &'w World, name: &str, role: Role) -> Browser<'w> {
    hire(world, name, role).await;
    let mut browser = Browser::new(world);
    let email = format!("{name}@example.com");
    browser.get("/console/sign-in").await;
    let fields = [("email", email.as_str()), ("password", PASSWORD)];
    let asked = browser.post("/console/sign-in", &fields).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    let ticket = asked.text.split("name=\"ticket\" value=\"").nth(1).unwrap();
    let ticket = ticket.split('"').next().unwrap().to_owned();
    let code = code(world, SECRET);
    let fields = [("ticket", ticket.as_str()), ("code", code.as_str())];
    let entered = browser.post("/console/sign-in/code", &fields).await;
    assert_eq!(location(&entered), "/console", "{}", entered.text);
    let page = browser.get("/console").await;
    assert_eq!(page.status, 200, "{}", page.text);
    // a page that every role opens carries the token of its forms
    browser
}

/// The newest lines of the audit log.
pub(in crate::tests) async fn lines(world: &World, limit: u32) -> Vec<Line> {
    let wanted = LinesOf {
        limit,
        ..LinesOf::default()
    };
    world.door.audit.lines(&wanted).await.unwrap()
}
