//! Servers, catalogue, prices and policy at the console.

use super::super::dashboard::browser::location;
use super::super::world::{PLACE, World};
use super::{at_work, lines};
use domain::ids::AccountId;
use domain::markup::{Markup, Markups, Payer, Rule};
use domain::people::Role;
use domain::time::Millis;
use domain::usd::Usd;

#[tokio::test]
async fn servers_show_whom_they_buy_from_and_what_was_measured() {
    let world = World::start().await;
    for _ in 0..6 {
        let order = world.buy().await;
        world.receive(&order, "1234").await;
        world.clock.advance(Millis::seconds(1));
    }
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let page = owner.get("/console/servers").await.text;
    for told in ["/console/upstreams/peter", "100 %", " of 6", "price"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let one = owner.get("/console/servers/peter").await.text;
    for told in ["6 of 6", "Type 1", "Margin"] {
        assert!(one.contains(told), "{told}: {one}");
    }
    let mut support = at_work(&world, "support", Role::Support).await;
    let one = support.get("/console/servers/peter").await.text;
    assert!(!one.contains("Margin"), "money is not for support");
    assert_eq!(support.get("/console/servers/nobody").await.status, 404);
}

#[tokio::test]
async fn an_offer_without_a_code_is_dead() {
    let world = World::start().await;
    for _ in 0..5 {
        world.buy().await;
        world.clock.advance(Millis::minutes(21));
        world.door.engine.run_due_activations().await;
    }
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let page = owner.get("/console/catalogue/dead").await.text;
    assert!(page.contains("no code in 5 numbers"), "{page}");
    assert!(page.contains("306343"), "{page}");
}

#[tokio::test]
async fn a_preview_counts_and_changes_nothing() {
    let world = World::start().await;
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let page = fin.get("/console/prices").await.text;
    assert!(page.contains("20 %"), "{page}");
    let before = world.door.stock.markups();
    let tried = [("rules", "50"), ("tier", "3")];
    let dearer = fin.post("/console/prices/preview", &tried).await;
    assert_eq!(dearer.status, 200, "{}", dearer.text);
    assert!(
        dearer.text.contains("Nothing has changed"),
        "{}",
        dearer.text
    );
    assert!(dearer.text.contains("<dt>Cheaper</dt><dd>0</dd>"));
    assert!(!dearer.text.contains("<dt>Dearer</dt><dd>0</dd>"));
    let tried = [("rules", "-10"), ("tier", "3")];
    let loses = fin.post("/console/prices/preview", &tried).await;
    assert!(loses.text.contains("<dt>Dearer</dt><dd>0</dd>"));
    assert!(!loses.text.contains("<dt>Below cost</dt><dd>0</dd>"));
    let wrong = [("rules", "many"), ("tier", "3")];
    let wrong = fin.post("/console/prices/preview", &wrong).await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.text.contains("arkup.percent: is no number"),
        "{}",
        wrong.text
    );
    assert!(
        wrong.text.contains(">many</textarea>"),
        "what was typed stays"
    );
    assert_eq!(before, world.door.stock.markups());
    let mut support = at_work(&world, "support", Role::Support).await;
    let refused = support.post("/console/prices/preview", &tried).await;
    assert_eq!(refused.status, 403);
}

/// Sells to an account at so many percent on top of cost.
fn sells_at(world: &World, account: AccountId, percent: i64) {
    let own = Rule {
        account: Some(account),
        markup: Markup {
            parts_per_million: percent * 10_000,
            ..Markup::default()
        },
        ..Rule::default()
    };
    let markups = Markups {
        rules: vec![own],
        ..Markups::clone(&world.door.stock.markups())
    };
    world.door.engine.set_markups(markups);
}

async fn price_for(world: &World, key: &str) -> f64 {
    let path = "/api/v1/otp?action=services&server=peter&country_id=61";
    let request = world.request("GET", path, &[("x-api-key", key)], "");
    let list = world.send(request).await.data();
    let services = list["services"].as_array().unwrap();
    let discord = services.iter().find(|one| one["name"] == "Discord");
    discord.unwrap()["your_price_usd"].as_f64().unwrap()
}

#[tokio::test]
async fn an_account_has_prices_of_its_own_and_nobody_else_has_them() {
    let world = World::start().await;
    let (_, bob) = world.new_account("bob@example.com").await;
    let general = price_for(&world, &bob).await;
    assert!((price_for(&world, &world.key).await - general).abs() < 1e-9);
    sells_at(&world, world.account, 80);
    // asked for by turns: neither list is kept for the other one
    for _ in 0..2 {
        let own = price_for(&world, &world.key).await;
        assert!((own - general * 1.5).abs() < 1e-6, "{own} {general}");
        assert!((price_for(&world, &bob).await - general).abs() < 1e-9);
    }
    let before = world.wallet().await.available;
    world.buy().await;
    let paid = before.0 - world.wallet().await.available.0;
    let paid = Usd(paid).to_string();
    assert!((paid.parse::<f64>().unwrap() - general * 1.5).abs() < 1e-6);

    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let page = format!("/console/accounts/{}", world.account);
    let shown = owner.get(&page).await.text;
    assert!(shown.contains("Prices of its own"), "{shown}");
    assert!(shown.contains("80 %"), "{shown}");
    let rules = owner.get("/console/prices").await.text;
    assert!(rules.contains(&format!("href=\"{page}\"")), "{rules}");
}

#[tokio::test]
async fn a_preview_shows_the_prices_of_an_account() {
    let world = World::start().await;
    sells_at(&world, world.account, 80);
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let mut preview = async |account: &str| {
        let tried = [("rules", "20"), ("tier", "0"), ("account", account)];
        fin.post("/console/prices/preview", &tried).await
    };
    let id = world.account.to_string();
    let cheaper = preview(&id).await.text;
    let title = format!("would change for account {id}, of tier 3");
    assert!(cheaper.contains(&title), "{cheaper}");
    assert!(!cheaper.contains("<dt>Cheaper</dt><dd>0</dd>"), "{cheaper}");
    let same = preview(&bob.to_string()).await.text;
    assert!(same.contains("<dt>Cheaper</dt><dd>0</dd>"), "{same}");
    let none = preview("987654").await;
    assert_eq!(none.status, 404, "{}", none.text);
    let wrong = preview("ana").await;
    assert_eq!(wrong.status, 400, "{}", wrong.text);
}

/// An offer that has no price today and would have one is not taken for its neighbour.
#[tokio::test]
async fn a_preview_finds_each_offer_whatever_its_neighbours_cost() {
    let world = World::start().await;
    let free = Rule {
        service: Some("306343".to_owned()),
        markup: Markup {
            parts_per_million: -1_000_000,
            below_cost: true,
            ..Markup::default()
        },
        ..Rule::default()
    };
    let markups = Markups {
        rules: vec![free],
        ..Markups::clone(&world.door.stock.markups())
    };
    let payer = Payer::of_tier(3);
    let before = world.door.stock.preview("20", payer, 5).await.unwrap();
    world.door.engine.set_markups(markups);
    let compared = world.door.stock.preview("20", payer, 5).await.unwrap();
    assert!(
        (1..before.offers).contains(&compared.offers),
        "some are free now"
    );
    assert_eq!((compared.unsold, compared.examples), (0, Vec::new()));
}

#[tokio::test]
async fn what_is_blocked_stands_on_the_page_until_it_is_taken_off() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let form = |kind, value, reason| [("kind", kind), ("value", value), ("reason", reason)];
    let block = "/console/policy/block";
    let why = "its holder asked for it";
    let wrong = owner.post(block, &form("number", "12", why)).await;
    assert_eq!(wrong.status, 400, "{}", wrong.text);
    let odd = owner.post(block, &form("mail", "+923001234567", why)).await;
    assert_eq!(odd.status, 400, "{}", odd.text);
    let done = owner
        .post(block, &form("number", "+923001234567", why))
        .await;
    assert_eq!(
        location(&done),
        "/console/policy?notice=blocked",
        "{}",
        done.text
    );
    let page = owner.get("/console/policy").await.text;
    assert!(
        page.contains("923001234567") && page.contains(why),
        "{page}"
    );
    let line = lines(&world, 1).await.remove(0).note;
    assert_eq!((&*line.action, &*line.reason), ("block", why));
    let off = form("number", "923001234567", "they sold the phone");
    let off = owner.post("/console/policy/unblock", &off).await;
    assert_eq!(off.status, 303, "{}", off.text);
    assert!(
        !owner
            .get("/console/policy")
            .await
            .text
            .contains("923001234567")
    );
}

#[tokio::test]
async fn a_denied_sale_and_a_start_are_told() {
    let world = World::start().await;
    let audit = &world.door.audit;
    audit.note_rules().await.unwrap();
    audit.note_rules().await.unwrap();
    let noted = lines(&world, 10).await;
    let noted: Vec<_> = noted
        .iter()
        .filter(|line| line.note.action == "rules_in_force")
        .collect();
    assert_eq!(noted.len(), 1, "the same rules are noted once");
    assert!(
        noted[0].note.object.contains("nothing lifted"),
        "{:?}",
        noted[0]
    );
    let report = r#"{"service_id":3,"link":"https://instagram.com/user","quantity":500}"#;
    let denied = world.post(PLACE, &[], report).await;
    assert_eq!(denied.code(), "service_restricted", "{}", denied.text);
    let mut auditor = at_work(&world, "auditor", Role::Auditor).await;
    let page = auditor.get("/console/policy").await.text;
    assert!(page.contains("rules version"), "{page}");
    for told in ["Mass report", "smm.hard_deny", "mass reports"] {
        assert!(page.contains(told), "{told}: {page}");
    }
}
