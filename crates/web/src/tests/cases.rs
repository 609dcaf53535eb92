//! Cases against accounts, from the signal to the end: at the API, at the holder's page and at the console.

use super::console::at_work;
use super::dashboard::browser::{Browser, between, code, customer, location};
use super::world::{BUY, CANCEL, DISCORD, PLACE, World};
use app::KeyOrder;
use domain::audit_log::LinesOf;
use domain::people::Role;
use domain::policy::{AccountCase, Measure, Signal};
use domain::time::Millis;

const SMM: &str = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500}"#;

async fn told(world: &World, path: &str, body: &str) -> (u16, String) {
    let answer = world.post(path, &[], body).await;
    (answer.status, answer.code())
}

async fn only_case(world: &World) -> AccountCase {
    let cases = world.door.lawful.account_cases(None, false).await.unwrap();
    assert_eq!(cases.len(), 1, "{cases:?}");
    cases.into_iter().next().unwrap()
}

/// Requests with a key of the account that was revoked.
async fn keys_fail(world: &World) {
    let engine = &world.door.engine;
    let key = world.new_key(world.account, KeyOrder::default()).await;
    let keys = engine.store().keys(world.account).await.unwrap();
    engine.revoke_key(keys.last().unwrap().id).await.unwrap();
    for _ in 0..20 {
        let known = engine.authenticate(&key, &world.door.pepper).await;
        assert!(known.unwrap().is_none());
    }
}

async fn of_tier_one(world: &World) {
    let lawful = &world.door.lawful;
    world.door.engine.set_tier(world.account, 1).await.unwrap();
    let attested = lawful.attest(world.account, "testing our own sign-up");
    attested.await.unwrap();
}

#[tokio::test]
async fn failed_keys_ask_for_the_second_factor_and_it_ends_that() {
    let world = World::start().await;
    let order = world.buy().await;
    of_tier_one(&world).await;
    keys_fail(&world).await;
    world.door.lawful.look_at_accounts().await;
    let case = only_case(&world).await;
    assert_eq!(
        (case.signal, case.measure),
        (Signal::FailedKeys, Measure::Challenge)
    );
    let asked = (403, "challenge_required".to_owned());
    assert_eq!(told(&world, BUY, DISCORD).await, asked);
    assert_eq!(told(&world, PLACE, SMM).await, asked);
    let answer = world.post(BUY, &[], DISCORD).await;
    assert!(answer.text.contains("/account/standing"), "{}", answer.text);
    let status = format!("/api/v1/otp?action=get_status&order_id={order}");
    assert_eq!(world.get(&status).await.status, 200);
    assert_eq!(world.books().await.open_holds, 1, "nothing more is held");

    let mut ana = customer(&world).await;
    let page = ana.get("/account/standing").await.text;
    assert!(page.contains("two-step sign-in"), "{page}");
    let none = ana
        .post("/account/standing/challenge", &[("code", "1")])
        .await;
    assert_eq!(none.status, 401, "{}", none.text);
    ana.get("/account").await;
    ana.post("/account/totp/begin", &[]).await;
    let page = ana.get("/account").await.text;
    let secret = between(&page, "<code class=\"break\">", "</code>").to_owned();
    let first = code(&world, &secret);
    ana.post("/account/totp/confirm", &[("code", &first)]).await;
    let again = ana
        .post("/account/standing/challenge", &[("code", &first)])
        .await;
    assert_eq!(again.status, 401, "a code counts once");
    assert_eq!(told(&world, BUY, DISCORD).await, asked);
    world.clock.advance(Millis::seconds(30));
    let next = code(&world, &secret);
    let met = ana
        .post("/account/standing/challenge", &[("code", &next)])
        .await;
    assert_eq!(location(&met), "/account/standing?notice=challenge-met");
    assert_eq!(told(&world, BUY, DISCORD).await.0, 200);
    world.door.lawful.look_at_accounts().await;
    assert_eq!(told(&world, BUY, DISCORD).await.0, 200, "not raised again");
}

#[tokio::test]
async fn what_nobody_decides_within_a_day_is_held_for_review() {
    let world = World::start().await;
    of_tier_one(&world).await;
    keys_fail(&world).await;
    let lawful = &world.door.lawful;
    lawful.look_at_accounts().await;
    world.clock.advance(Millis::minutes(24 * 60 - 1));
    lawful.look_at_accounts().await;
    assert_eq!(only_case(&world).await.measure, Measure::Challenge);
    world.clock.advance(Millis::minutes(1));
    lawful.look_at_accounts().await;
    assert_eq!(only_case(&world).await.measure, Measure::Review);
    let held = (403, "review_required".to_owned());
    assert_eq!(told(&world, BUY, DISCORD).await, held);
    let open = world.door.engine.store().tickets(true, 9).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].kind.slug(), "account_case");
    let system = LinesOf {
        actor: Some("system".to_owned()),
        limit: 9,
        ..LinesOf::default()
    };
    let lines = world.door.audit.lines(&system).await.unwrap();
    let did: Vec<&str> = lines.iter().map(|line| &*line.note.action).collect();
    assert_eq!(did, ["case_timed_out", "raise_case"]);

    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let case = only_case(&world).await.id;
    let decide = format!("/console/cases/{case}/decide");
    let end = [
        ("deed", "dismiss"),
        ("reason", "their deploy had an old key"),
    ];
    let done = owner.post(&decide, &end).await;
    assert_eq!(
        location(&done),
        format!("/console/cases/{case}?notice=decided")
    );
    assert_eq!(told(&world, BUY, DISCORD).await.0, 200);
    let open = world.door.engine.store().tickets(true, 9).await.unwrap();
    assert_eq!(open, [], "the ticket is closed with the decision");
}

#[tokio::test]
async fn a_customer_by_contract_is_written_down_and_goes_on() {
    let world = World::start().await;
    keys_fail(&world).await;
    world.door.lawful.look_at_accounts().await;
    let case = only_case(&world).await;
    assert_eq!((case.measure, case.due_at), (Measure::Log, None));
    assert_eq!(told(&world, BUY, DISCORD).await.0, 200);
    let mut ana = customer(&world).await;
    let page = ana.get("/account/standing").await.text;
    assert!(page.contains("In good standing"), "{page}");
}

const WHY: &str = "sells numbers on to others";

/// A case that staff opened by hand; gives the path of its page.
async fn opened(world: &World, owner: &mut Browser<'_>) -> String {
    let account = world.account.0.to_string();
    let open = [("account", account.as_str()), ("reason", WHY)];
    let opened = owner.post("/console/cases/open", &open).await;
    let there = "/console/cases?notice=case-opened";
    assert_eq!(location(&opened), there, "{}", opened.text);
    let listed = owner.get("/console/cases").await.text;
    assert!(listed.contains(WHY), "{listed}");
    format!("/console/cases/{}", only_case(world).await.id)
}

#[tokio::test]
async fn who_may_not_buy_reads_why_and_appeals_once() {
    let world = World::start().await;
    let order = world.buy().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let case = opened(&world, &mut owner).await;
    assert_eq!(told(&world, PLACE, SMM).await.0, 200, "only written down");

    let step = [("deed", "suspend_buys"), ("reason", WHY)];
    owner.post(&format!("{case}/decide"), &step).await;
    let refused = (403, "account_suspended".to_owned());
    assert_eq!(told(&world, BUY, DISCORD).await, refused);
    world.clock.advance(Millis::minutes(3));
    let cancel = format!(r#"{{"order_id":"{order}"}}"#);
    assert_eq!(told(&world, CANCEL, &cancel).await.0, 200, "all else works");

    let mut ana = customer(&world).await;
    let page = ana.get("/account/standing").await.text;
    assert!(page.contains("Purchases are suspended"), "{page}");
    assert!(!page.contains(WHY), "what staff wrote is not shown");
    let appeal = format!("/account/standing/{}/appeal", only_case(&world).await.id);
    let said = [("appeal", "we test <b>our own</b> apps")];
    let sent = ana.post(&appeal, &said).await;
    let there = "/account/standing?notice=appealed";
    assert_eq!(location(&sent), there, "{}", sent.text);
    assert_eq!(ana.post(&appeal, &said).await.status, 409, "once");
    let page = owner.get(&case).await.text;
    assert!(page.contains("&lt;b&gt;our own"), "{page}");
    assert!(page.contains("Menu of owner@example.com"), "{page}");
}

#[tokio::test]
async fn two_persons_close_an_account_and_its_money_stays() {
    let world = World::start().await;
    let order = world.buy().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let case = opened(&world, &mut owner).await;
    let decide = format!("{case}/decide");
    let before = world.wallet().await;
    let deed = |deed| [("deed", deed), ("reason", WHY)];
    let alone = owner.post(&decide, &deed("close")).await;
    assert_eq!(alone.status, 403, "{}", alone.text);
    owner.post(&decide, &deed("propose_closure")).await;
    let refused = (403, "account_suspended".to_owned());
    assert_eq!(told(&world, BUY, DISCORD).await, refused);
    let grant = deed("grant_closure");
    let own = owner.post(&decide, &grant).await;
    assert_eq!(own.status, 403, "it takes another one");
    let mut auditor = at_work(&world, "auditor", Role::Auditor).await;
    let looks = auditor.post(&decide, &grant).await;
    assert_eq!(looks.status, 403, "they only look");
    let mut support = at_work(&world, "support", Role::Support).await;
    let page = support.get(&case).await.text;
    assert!(page.contains("Close the account"), "{page}");
    assert_eq!(support.post(&decide, &grant).await.status, 303);
    assert_eq!(only_case(&world).await.measure, Measure::Close);
    let engine = &world.door.engine;
    let resumed = engine.suspend_account(world.account, false).await;
    assert!(resumed.unwrap_err().to_string().contains("closed"));
    assert_eq!(world.wallet().await, before, "no balance is taken");

    // what was open settles, and what was held comes back
    world.clock.advance(Millis::minutes(21));
    engine.run_due_activations().await;
    let after = world.wallet().await;
    assert!(after.available > before.available, "{order} is refunded");
    assert_eq!(world.books().await.open_holds, 0);
}

#[tokio::test]
async fn who_is_resumed_is_held_by_no_case_any_longer() {
    let world = World::start().await;
    let (lawful, engine) = (&world.door.lawful, &world.door.engine);
    lawful
        .open_account_case(world.account, "sells numbers on")
        .await
        .unwrap();
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let decide = format!("/console/cases/{}/decide", only_case(&world).await.id);
    let step = [("deed", "suspend"), ("reason", "sells numbers on")];
    owner.post(&decide, &step).await;
    let refused = (403, "account_suspended".to_owned());
    assert_eq!(told(&world, BUY, DISCORD).await, refused);
    engine.suspend_account(world.account, false).await.unwrap();
    assert_eq!(told(&world, BUY, DISCORD).await.0, 200);
    assert!(only_case(&world).await.closed_at.is_none());
}

#[tokio::test]
async fn the_end_of_a_case_lets_nobody_go_on_who_is_suspended() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let case = opened(&world, &mut owner).await;
    let decide = format!("{case}/decide");
    let suspend = format!("/console/accounts/{}/suspend", world.account);
    let by_hand = [("suspended", "yes"), ("reason", "a card of somebody else")];
    assert_eq!(owner.post(&suspend, &by_hand).await.status, 303);
    let is_suspended = async || {
        let account = world.door.engine.store().account(world.account).await;
        account.unwrap().unwrap().suspended
    };
    for deed in ["suspend", "throttle", "propose_closure", "dismiss"] {
        let done = owner
            .post(&decide, &[("deed", deed), ("reason", WHY)])
            .await;
        assert_eq!(done.status, 303, "{}", done.text);
        assert!(is_suspended().await, "{deed}");
        let page = owner.get(&case).await.text;
        let told = page.contains("until somebody resumes it");
        assert_eq!(told, deed != "dismiss", "{page}");
    }
    let resume = [("suspended", "no"), ("reason", "it was their own card")];
    assert_eq!(owner.post(&suspend, &resume).await.status, 303);
    assert!(!is_suspended().await);
}

#[tokio::test]
async fn whoever_is_resumed_is_not_about_to_be_closed() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let mut support = at_work(&world, "support", Role::Support).await;
    let case = opened(&world, &mut owner).await;
    let decide = format!("{case}/decide");
    let propose = [("deed", "propose_closure"), ("reason", WHY)];
    assert_eq!(owner.post(&decide, &propose).await.status, 303);
    let resume = format!("/console/accounts/{}/suspend", world.account);
    let goes_on = [("suspended", "no"), ("reason", "it was a mistake")];
    assert_eq!(owner.post(&resume, &goes_on).await.status, 303);
    assert_eq!(told(&world, BUY, DISCORD).await.0, 200);
    let grant = [("deed", "grant_closure"), ("reason", WHY)];
    let late = support.post(&decide, &grant).await;
    assert_eq!(late.status, 409, "{}", late.text);
    assert_eq!(only_case(&world).await.closure, None);
}

#[tokio::test]
async fn nobody_lets_an_account_of_their_own_go_on() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let mut herself = at_work(&world, "ana", Role::Owner).await;
    let case = opened(&world, &mut owner).await;
    let suspend = [("deed", "suspend"), ("reason", WHY)];
    let path = format!("/console/accounts/{}/suspend", world.account);
    let resume = [("suspended", "no"), ("reason", "I am sure of myself")];
    let decide = format!("{case}/decide");
    assert_eq!(owner.post(&decide, &suspend).await.status, 303);
    let own = herself.post(&path, &resume).await;
    assert_eq!(own.status, 403, "{}", own.text);
    let sentence = "an account of your own: somebody else decides on it";
    assert!(own.text.contains(sentence), "{}", own.text);
    let page = herself.get(&case).await.text;
    assert!(page.contains(sentence), "{page}");
    assert!(!page.contains(&decide), "there is no form: {page}");
    let page = owner.get(&case).await.text;
    assert!(page.contains(&decide) && !page.contains(sentence), "{page}");
    assert_eq!(herself.post(&decide, &suspend).await.status, 403);
    let refused = (403, "account_suspended".to_owned());
    assert_eq!(told(&world, BUY, DISCORD).await, refused);
    assert_eq!(owner.post(&path, &resume).await.status, 303);
    let stopped = [("suspended", "yes"), ("reason", "my key is out there")];
    assert_eq!(herself.post(&path, &stopped).await.status, 303);
}

#[tokio::test]
async fn who_is_throttled_has_the_keys_of_a_new_account() {
    let world = World::start().await;
    of_tier_one(&world).await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let case = opened(&world, &mut owner).await;
    let engine = &world.door.engine;
    let issue = async || {
        let order = KeyOrder {
            name: "one more".to_owned(),
            ..KeyOrder::default()
        };
        let making = (app::api_key::Environment::Live, &world.door.pepper);
        let issued = engine.issue_key(world.account, order, making).await;
        issued.map(drop).map_err(|why| why.to_string())
    };
    assert_eq!(issue().await, Ok(()), "tier 1 has three");
    let throttle = [("deed", "throttle"), ("reason", WHY)];
    owner.post(&format!("{case}/decide"), &throttle).await;
    let said = issue().await.unwrap_err();
    let may = "this account, of tier 1, may have 1 keys that work: revoke one first";
    assert_eq!(said, may);
}

#[tokio::test]
async fn the_export_has_the_cases_without_what_was_seen() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let case = opened(&world, &mut owner).await;
    let mut ana = customer(&world).await;
    let step = [("deed", "suspend_buys"), ("reason", "seen at a market")];
    owner.post(&format!("{case}/decide"), &step).await;
    let id = only_case(&world).await.id;
    ana.get("/account/standing").await;
    let appeal = [("appeal", "we test our own apps")];
    ana.post(&format!("/account/standing/{id}/appeal"), &appeal)
        .await;
    ana.get("/account").await;
    let export = ana.post("/account/export", &[]).await;
    let data = export.json();
    let told = &data["cases"][0];
    assert_eq!(told["id"], id, "{data}");
    assert_eq!(told["why"], Signal::Staff.explained());
    assert_eq!(told["means"], Measure::SuspendBuys.explained());
    assert_eq!(told["appeal"]["text"], "we test our own apps");
    assert!(told["since"].is_string() && told["closed_at"].is_null());
    for kept_back in [WHY, "seen at a market"] {
        assert!(!export.text.contains(kept_back), "{}", export.text);
    }
}
