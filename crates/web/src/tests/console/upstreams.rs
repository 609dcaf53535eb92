//! Upstreams at the console: what is seen of them, the trial, and the pause.

use super::super::dashboard::browser::location;
use super::super::world::{BUY, World};
use super::{at_work, lines};
use app::UpstreamLimits;
use domain::audit_log::{Actor, By};
use domain::people::Role;
use domain::ports::Store;
use domain::upstream::Refusal;
use domain::usd::Usd;
use std::sync::atomic::Ordering;

/// Bought behind `peter`, where `mark` stands as well.
const ORDER: &str =
    r#"{"service_id":"306343","country_id":"61","server":"peter","provider_type":1}"#;

/// Bought where nobody but `peter` stands.
const ALONE: &str =
    r#"{"service_id":"306343","country_id":"61","server":"peter","provider_type":2}"#;

#[tokio::test]
async fn a_paused_upstream_is_skipped_and_goes_on_serving_what_was_bought() {
    let world = World::with_two_upstreams(UpstreamLimits::default()).await;
    let before = world.post(BUY, &[], ALONE).await.data();
    let bought_at = async |order: &serde_json::Value| {
        let id: i64 = order["order_id"].as_str().unwrap().parse().unwrap();
        let row = world.store.activation(domain::ids::OrderId(id)).await;
        row.unwrap().unwrap().upstream
    };
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let pause = "/console/upstreams/peter/pause";
    let bare = owner.post(pause, &[]).await;
    assert_eq!(bare.status, 400, "{}", bare.text);
    let why = [("reason", "numbers come dead")];
    let paused = owner.post(pause, &why).await;
    let there = "/console/upstreams/peter?notice=upstream-paused";
    assert_eq!(location(&paused), there, "{}", paused.text);
    assert_eq!(owner.post(pause, &why).await.status, 409, "it is paused");
    let line = lines(&world, 1).await.remove(0).note;
    assert_eq!(line.action, "pause_upstream");
    assert_eq!(line.object, "upstream peter");
    assert_eq!(line.reason, "numbers come dead");

    let calls = world.numbers.calls.load(Ordering::SeqCst);
    assert_eq!(world.post(BUY, &[], ALONE).await.status, 503);
    assert_eq!(world.numbers.calls.load(Ordering::SeqCst), calls);
    let elsewhere = world.post(BUY, &[], ORDER).await.data();
    assert_eq!(bought_at(&elsewhere).await, "mark");
    let order = before["order_id"].as_str().unwrap();
    world.receive(order, "482913").await;
    let status = format!("/api/v1/otp?action=get_status&order_id={order}");
    assert_eq!(world.get(&status).await.data()["status"], "received");

    let page = owner.get("/console/upstreams/peter").await.text;
    assert!(page.contains("numbers come dead"), "{page}");
    assert!(
        owner
            .get("/console/upstreams")
            .await
            .text
            .contains("Paused")
    );
    let resume = "/console/upstreams/peter/resume";
    let resumed = owner.post(resume, &[("reason", "mended there")]).await;
    assert_eq!(resumed.status, 303, "{}", resumed.text);
    assert_eq!(owner.post(resume, &why).await.status, 409, "it is not");
    assert_eq!(world.post(BUY, &[], ALONE).await.status, 200);
    world.books().await;
}

#[tokio::test]
async fn an_account_in_another_currency_is_told_as_that() {
    let world = World::start().await;
    *world.numbers.refusal.lock().unwrap() = Some(Refusal::WrongCurrency);
    assert_eq!(world.post(BUY, &[], ALONE).await.status, 503);
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let page = owner.get("/console/upstreams/peter").await.text;
    let why = "its account is in another currency than the setting currency says.</p>";
    assert!(page.contains(why), "{page}");
}

#[tokio::test]
async fn a_pause_can_be_seen_and_ended_once_the_settings_lack_its_upstream() {
    // the settings of this world have sheets for others
    let world = World::with_two_upstreams(UpstreamLimits::default()).await;
    let engine = &world.door.engine;
    engine.pause_upstream("mark", "too dear").await.unwrap();
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let page = owner.get("/console/upstreams").await.text;
    assert!(page.contains("too dear"), "{page}");
    let resume = "/console/upstreams/mark/resume";
    assert!(page.contains(resume), "{page}");
    let bare = owner.post(resume, &[]).await;
    assert_eq!(bare.status, 400, "{}", bare.text);
    assert!(bare.text.contains("Say why"), "{}", bare.text);
    let resumed = owner.post(resume, &[("reason", "gone for good")]).await;
    let list = "/console/upstreams?notice=upstream-resumed";
    assert_eq!(location(&resumed), list, "{}", resumed.text);
    assert!(!owner.get(list).await.text.contains("too dear"));
    // what nothing uses cannot be paused
    let used = owner.get("/console/upstreams/peter").await.text;
    assert!(used.contains("/peter/pause"), "{used}");
    let unused = owner.get("/console/upstreams/unused").await.text;
    assert!(!unused.contains("/unused/pause"), "{unused}");
}

#[tokio::test]
async fn a_pause_outlives_what_the_process_remembers() {
    let world = World::start().await;
    let engine = &world.door.engine;
    engine.pause_upstream("peter", "too dear").await.unwrap();
    // what the next process reads at its first purchase
    let stored = world.store.in_force().await.unwrap().pauses;
    assert_eq!(stored.len(), 1);
    assert_eq!(
        (&*stored[0].upstream, &*stored[0].why),
        ("peter", "too dear")
    );
    assert!(engine.pause_upstream("nobody", "too dear").await.is_err());
    assert!(engine.pause_upstream("paul", " x ").await.is_err());
    // a row that another process took away is read anew with the next change
    engine.resume_upstream("peter", "cheaper").await.unwrap();
    assert!(engine.in_force().await.unwrap().pauses.is_empty());
}

#[tokio::test]
async fn a_test_says_what_each_step_found_and_shows_no_key() {
    let world = World::start().await;
    world.numbers.balance.store(12_340_000, Ordering::SeqCst);
    let mut support = at_work(&world, "support", Role::Support).await;
    support.get("/console/upstreams").await;
    let tried = support.post("/console/upstreams/peter/test", &[]).await;
    assert_eq!(tried.status, 200, "{}", tried.text);
    for found in ["It answers as it should", "12.340000 USD", "Listing", " ms"] {
        assert!(tried.text.contains(found), "{found}: {}", tried.text);
    }
    assert_eq!(lines(&world, 1).await[0].note.action, "try_upstream");
    let lines_before = lines(&world, 100).await.len();
    let gone = support.post("/console/upstreams/paul/test", &[]).await;
    assert!(gone.text.contains("has no address"), "{}", gone.text);
    assert!(gone.text.contains("upstreams.paul.url"), "{}", gone.text);
    let unused = support.post("/console/upstreams/unused/test", &[]).await;
    assert!(unused.text.contains("nothing uses it"), "{}", unused.text);
    let nobody = support.post("/console/upstreams/nobody/test", &[]).await;
    assert_eq!(nobody.status, 404);
    // the command line asks the same use case
    let by = By::new(Actor::CommandLine("ana".to_owned()));
    let asked = app::acting(by, world.door.stock.try_out("peter")).await;
    assert!(asked.unwrap().is_ok());
    let kept = lines(&world, 100).await;
    assert_eq!(
        kept.len(),
        lines_before + 3,
        "one each, and none for nobody"
    );
    assert_eq!(kept[0].note.object, "upstream peter");
    assert_eq!(kept[0].note.actor, "cli:ana");
    // reading is no purchase, and support pauses nothing
    assert_eq!(world.wallet().await.available, Usd(50_000_000));
    let pause = "/console/upstreams/peter/pause";
    let refused = support.post(pause, &[("reason", "a test")]).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_draft_is_tried_out_and_its_key_is_shown_nowhere() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let form = |name| {
        [
            ("name", name),
            ("protocol", "handler_api"),
            ("url", "https://new.example.com/api"),
            ("key", "k3y-of-nobody"),
            ("key_place", "file"),
            ("key_name", "/etc/tollgate/new.key"),
            ("server", "paul"),
        ]
    };
    let there = "/console/new-upstream";
    let tried = owner.post(there, &form("new")).await;
    assert_eq!(tried.status, 200, "{}", tried.text);
    for told in [
        "It answers as it should",
        "[upstreams.new]",
        "/etc/tollgate/new.key",
        "[[servers.paul.routes]]",
        "Nothing was kept",
    ] {
        let shown = tried.text.replace("&#x2f;", "/").replace("&quot;", "\"");
        assert!(shown.contains(told), "{told}: {}", tried.text);
    }
    let odd = owner.post(there, &form("odd")).await;
    assert_eq!(odd.status, 400, "{}", odd.text);
    assert!(
        odd.text.contains("pstreams.odd.url: is none"),
        "{}",
        odd.text
    );
    let taken = owner.post(there, &form("peter")).await;
    assert!(
        taken.text.contains("upstream peter already"),
        "{}",
        taken.text
    );
    // an address as providers show it, with the key in it
    let mut pasted = form("pasted");
    pasted[2].1 = "https://new.example.com/api?api_key=k3y-of-nobody";
    assert_eq!(owner.post(there, &pasted).await.status, 200);
    let kept = lines(&world, 10).await;
    let drafts = kept.iter().filter(|line| line.note.action == "try_draft");
    let drafts: Vec<&str> = drafts.map(|line| line.note.object.as_str()).collect();
    // what was refused was not tried
    let at = "at new.example.com:443";
    let tried_out = ["pasted", "new"].map(|name| format!("draft of upstream {name} {at}"));
    assert_eq!(drafts, tried_out);
    let kept = format!("{kept:?}");
    for text in [&tried.text, &odd.text, &taken.text, &kept] {
        assert!(!text.contains("k3y-of-nobody"), "{text}");
    }
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    assert_eq!(fin.get(there).await.status, 403);
}
