//! A bank statement at the console: looked at first, taken then, once, by who may.

use super::super::dashboard::browser::{Browser, Part, between, customer, location};
use super::super::world::World;
use super::{at_work, lines};
use domain::people::Role;
use domain::top_up::TopUpState;
use domain::usd::Usd;

const PATH: &str = "/console/top-ups/import";
const TAKE: &str = "/console/top-ups/import/take";

async fn announced(ana: &mut Browser<'_>) -> i64 {
    let form = [
        ("method", "manual"),
        ("currency", "USD"),
        ("amount", "25"),
        ("note", "Ana"),
    ];
    let begun = ana.tops_up(&form).await;
    location(&begun)
        .rsplit('/')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

fn statement(id: i64) -> String {
    format!(
        "id,amount,currency,text\nL1,25.00,USD,tu_{id} <script>\nL2,5.00,USD,for nobody\n\
         L3,-9.00,USD,fees\n"
    )
}

fn file(text: &str) -> [Part<'_>; 1] {
    [("statement", Some("july.csv"), text.as_bytes())]
}

#[tokio::test]
async fn a_statement_is_shown_before_it_is_taken_and_taken_once() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let id = announced(&mut ana).await;
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    fin.get(PATH).await;
    let seen = fin.post_parts(PATH, &file(&statement(id))).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    for shown in [
        "What would be done",
        "Credited",
        "Not matched: it names no top-up",
        "Money that went out",
    ] {
        assert!(seen.text.contains(shown), "{shown}: {}", seen.text);
    }
    assert!(!seen.text.contains("<script>"), "{}", seen.text);
    assert_eq!(world.wallet().await.available, Usd(50_000_000));
    let looked_at = between(&seen.text, "name=\"looked_at\" value=\"", "\"").replace("&#x2f;", "/");
    let take: [Part<'_>; 2] = [
        ("looked_at", None, looked_at.as_bytes()),
        ("reason", None, b"statement of today"),
    ];
    assert_eq!(
        fin.post_parts(TAKE, &take[..1]).await.status,
        400,
        "no reason"
    );
    assert_eq!(world.wallet().await.available, Usd(50_000_000));
    for outcome in ["Credited", "Taken before"] {
        let done = fin.post_parts(TAKE, &take).await;
        assert_eq!(done.status, 200, "{}", done.text);
        assert!(done.text.contains("What was done"), "{}", done.text);
        assert!(done.text.contains(outcome), "{}", done.text);
        assert_eq!(world.wallet().await.available, Usd(75_000_000));
    }
    let row = world.door.top_ups.one(id).await.unwrap();
    assert_eq!(row.state, TopUpState::Credited);
    let kept = lines(&world, 10).await;
    let of = |action: &str| {
        kept.iter()
            .filter(|line| line.note.action == action)
            .count()
    };
    assert_eq!((of("import_statement"), of("approve_top_up")), (2, 1));
    let noted = kept
        .iter()
        .find(|line| line.note.action == "import_statement");
    assert_eq!(noted.unwrap().note.reason, "statement of today");
    world.books().await;
}

#[tokio::test]
async fn what_is_no_statement_is_named_and_only_who_decides_imports() {
    let world = World::start().await;
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    fin.get(PATH).await;
    let large = "x".repeat(2 * 1024 * 1024 + 1);
    for (text, status, why) in [
        ("nothing of this kind", 400, "This is no statement"),
        ("<Document>", 400, "This is no statement"),
        (large.as_str(), 413, "too large"),
    ] {
        let answer = fin.post_parts(PATH, &file(text)).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains(why), "{}", answer.text);
    }
    let binary: [Part<'_>; 1] = [("statement", Some("a.csv"), b"id,\xff\xfe")];
    let answer = fin.post_parts(PATH, &binary).await;
    assert!(answer.text.contains("no text in UTF-8"), "{}", answer.text);
    let none = fin.post_parts(PATH, &[]).await;
    assert!(none.text.contains("Choose a file"), "{}", none.text);
    let bare = fin.post_parts_bare(PATH, &file(&statement(1))).await;
    assert_eq!(bare.status, 403, "without the token of the page");
    let garbled: [Part<'_>; 2] = [("looked_at", None, b"!"), ("reason", None, b"none at all")];
    assert_eq!(fin.post_parts(TAKE, &garbled).await.status, 400);
    for role in [Role::Support, Role::Auditor] {
        let mut other = at_work(&world, role.slug(), role).await;
        other.get("/console/top-ups").await;
        assert_eq!(other.get(PATH).await.status, 403);
        let tried = other.post_parts(PATH, &file(&statement(1))).await;
        assert_eq!(tried.status, 403);
        assert_eq!(other.post_parts(TAKE, &garbled).await.status, 403);
    }
}
