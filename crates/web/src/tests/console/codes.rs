//! Redeem codes made at the console: a form makes one batch, within bounds that it names.

use super::super::dashboard::browser::Browser;
use super::super::dashboard::browser::between;
use super::super::world::World;
use super::at_work;
use domain::people::Role;

const MAKE: &str = "/console/codes/make";

/// Sends the form with these fields instead of its usual ones; gives status and shown codes.
async fn make(browser: &mut Browser<'_>, other: &[(&str, &str)]) -> (u16, String) {
    let usual = [
        ("usd", "2.50"),
        ("count", "3"),
        ("expires_days", "90"),
        ("reason", "for the shop"),
        ("once", "00112233445566778899aabbccddeeff"),
    ];
    let fields = usual.map(|(name, value)| {
        let found = other.iter().find(|(known, _)| *known == name);
        (name, found.map_or(value, |(_, value)| value))
    });
    let answer = browser.post(MAKE, &fields).await;
    let codes = match answer.text.contains("aria-label=\"Codes\"") {
        true => between(&answer.text, "aria-label=\"Codes\">", "</textarea>").to_owned(),
        false => answer.text.clone(),
    };
    (answer.status, codes)
}

#[tokio::test]
async fn a_form_sent_twice_makes_and_shows_one_batch() {
    let world = World::start().await;
    let mut finance = at_work(&world, "finance", Role::Finance).await;
    let page = finance.get("/console/codes").await.text;
    let once = between(&page, "name=\"once\" value=\"", "\"");
    assert_eq!(once.len(), 32);
    let (status, codes) = make(&mut finance, &[]).await;
    assert_eq!((status, codes.lines().count()), (200, 3), "{codes}");
    assert_eq!(make(&mut finance, &[]).await, (200, codes.clone()));
    let shown = super::lines(&world, 1).await;
    assert_eq!(shown[0].note.action, "show_redeem_codes");
    let (other, why) = make(&mut finance, &[("expires_days", "30")]).await;
    assert_eq!(other, 409, "{why}");
    let list = async || world.door.redeem.list().await.unwrap();
    assert_eq!(list().await.len(), 3);
    let (other, why) = make(&mut finance, &[("usd", "3")]).await;
    assert_eq!(other, 409, "{why}");
    assert_eq!(list().await.len(), 3);
    let next = [("once", "ffeeddccbbaa99887766554433221100")];
    let (status, fresh) = make(&mut finance, &next).await;
    assert_eq!(status, 200);
    assert!(fresh.lines().all(|code| !codes.contains(code)), "{fresh}");
    assert_eq!(list().await.len(), 6);
    let code = codes.lines().nth(1).unwrap();
    let redeemed = world.door.redeem.redeem(world.account, code, "127.0.0.1");
    assert_eq!(redeemed.await.unwrap().amount.0, 2_500_000);
}

#[tokio::test]
async fn what_is_no_number_is_refused_by_its_name() {
    let world = World::start().await;
    let mut finance = at_work(&world, "finance", Role::Finance).await;
    finance.get("/console/codes").await;
    for (field, bad, said) in [
        ("expires_days", "90d", "90d is not a whole number"),
        ("expires_days", "30.5", "30.5 is not a whole number"),
        ("expires_days", "0", "1 to 3650 days"),
        ("count", "many", "many is not a whole number"),
        ("count", "", "how many"),
        ("count", "0", "1 to 1000 codes"),
        ("usd", "34", "$100"),
        ("usd", "0", "above zero"),
        ("once", "short", "incomplete"),
        ("reason", "", "Say why"),
    ] {
        let (status, page) = make(&mut finance, &[(field, bad)]).await;
        assert_eq!(status, 400, "{field}={bad}");
        assert!(page.contains(said), "{field}={bad}: {page}");
    }
    assert_eq!(world.door.redeem.list().await.unwrap(), []);
}
