//! The file that shows a transfer: taken by what is in it, seen by staff alone, part of the export.

use super::browser::{Browser, Part, customer, fresh_key, location};
use crate::tests::console::{at_work, lines};
use crate::tests::world::{Answered, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::people::Role;
use domain::ports::TopUpRows;
use domain::time::Millis;
use domain::top_up::{PROOF_MAX, PROOFS_OF_ACCOUNT};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nwhat the bank shows";
const PDF: &[u8] = b"%PDF-1.7 what the bank shows";
const PATH: &str = "/wallet/top-up";

/// The fields of a declared transfer, with more parts behind them.
async fn declare(ana: &mut Browser<'_>, more: &[Part<'_>]) -> Answered {
    let key = fresh_key();
    declare_as(ana, &key, more).await
}

async fn declare_as(ana: &mut Browser<'_>, key: &str, more: &[Part<'_>]) -> Answered {
    let fields: [Part<'_>; 5] = [
        ("once", None, key.as_bytes()),
        ("method", None, b"manual"),
        ("currency", None, b"USD"),
        ("amount", None, b"5"),
        ("note", None, b"Ana, DE00 1"),
    ];
    ana.post_parts(PATH, &[&fields, more].concat()).await
}

fn number(path: &str) -> i64 {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_file_comes_with_a_transfer_and_only_who_decides_on_money_gets_it() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let form = ana.get(PATH).await.text;
    assert!(form.contains("enctype=\"multipart/form-data\""), "{form}");
    let begun = declare(&mut ana, &[("proof", Some("a<b>.exe"), PDF)]).await;
    assert_eq!(begun.status, 303, "{}", begun.text);
    let path = location(&begun).to_owned();
    let id = number(&path);
    let page = ana.get(&path).await.text;
    assert!(page.contains("Proof that you sent"), "{page}");
    assert_eq!(ana.get(&format!("{path}/proof")).await.status, 404);
    let console = format!("/console/top-ups/{id}");
    assert_ne!(ana.get(&format!("{console}/proof")).await.status, 200);

    let why = [("reason", "is it the amount?")];
    for (name, role) in [("support", Role::Support), ("auditor", Role::Auditor)] {
        let mut other = at_work(&world, name, role).await;
        let page = other.get(&console).await.text;
        assert!(page.contains("Proof from the customer"), "{page}");
        assert!(!page.contains(&format!("{console}/proof")), "{page}");
        let refused = other.post(&format!("{console}/proof"), &why).await;
        assert_eq!(refused.status, 403, "{name}");
    }
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let page = fin.get(&console).await.text;
    assert!(page.contains(&format!("{console}/proof")), "{page}");
    let asked = fin.get(&format!("{console}/proof")).await;
    assert_eq!(asked.status, 405, "a link saves nothing");
    let silent = fin.post(&format!("{console}/proof"), &[]).await;
    assert_eq!(silent.status, 400, "{}", silent.text);
    let seen = async || {
        let lines = lines(&world, 10).await;
        let mut seen = lines.into_iter();
        seen.find(|line| line.note.action == "see_proof")
    };
    assert_eq!(seen().await, None);
    let file = fin.post(&format!("{console}/proof"), &why).await;
    assert_eq!((file.status, file.text.as_bytes()), (200, PDF));
    for (name, value) in [
        ("content-type", "application/pdf".to_owned()),
        (
            "content-disposition",
            format!("attachment; filename=\"tu_{id}-proof.pdf\""),
        ),
        ("x-content-type-options", "nosniff".to_owned()),
        ("cache-control", "no-store".to_owned()),
    ] {
        assert_eq!(file.header(name), Some(value.as_str()));
    }
    let policy = file.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("sandbox; default-src 'none'"),
        "{policy}"
    );
    let noted = seen().await.unwrap().note;
    assert_eq!(noted.reason, why[0].1);
    assert_eq!(noted.account, Some(world.account));
    let none = fin.post("/console/top-ups/999/proof", &why).await;
    assert_eq!(none.status, 404);

    let export = ana.post("/account/export", &[]).await.json();
    let proof = &export["top_ups"][0]["proof"];
    assert_eq!(proof["media_type"], "application/pdf", "{export}");
    assert_eq!(proof["base64"], STANDARD.encode(PDF));
}

/// B-153, and malformed files: too large, of another type, empty, two, in another form.
#[tokio::test]
async fn a_file_that_is_not_taken_is_named_and_nothing_is_begun() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get(PATH).await;
    let mut large = PNG.to_vec();
    large.resize(PROOF_MAX + 1, 0);
    let endless = vec![b'x'; 9 * 1024 * 1024];
    let named = Some("proof.png");
    for (parts, status, why) in [
        (&[("proof", named, &large[..])][..], 413, "at most 2 MiB"),
        (&[("proof", named, &endless[..])], 413, "too large"),
        (&[("proof", named, b"GIF89a")], 400, "neither a PNG"),
        (&[("proof", named, b"<svg onload=x>")], 400, "neither a PNG"),
        (
            &[("proof", named, b"<!DOCTYPE html>")],
            400,
            "neither a PNG",
        ),
        (&[("proof", named, b"PK\x03\x04")], 400, "neither a PNG"),
        (&[("proof", named, b"")], 400, "The file is empty"),
        (
            &[("proof", named, PNG), ("proof", named, PNG)],
            400,
            "one file only",
        ),
        (&[("other", named, PNG)], 400, "in its own field"),
        (&[("more", None, &large[..])], 413, "too large"),
        (&[("more", None, b"\xff\xfe")], 400, "did not arrive whole"),
    ] {
        let answer = declare(&mut ana, parts).await;
        assert_eq!(answer.status, status, "{why}: {}", answer.text);
        assert!(answer.text.contains(why), "{why}: {}", answer.text);
    }
    // the form of another way to pay has no such field
    let key = fresh_key();
    let card: [Part<'_>; 5] = [
        ("once", None, key.as_bytes()),
        ("method", None, b"stripe"),
        ("currency", None, b"USD"),
        ("amount", None, b"25"),
        ("proof", named, PNG),
    ];
    let answer = ana.post_parts(PATH, &card).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("Only a bank transfer"));
    let whole = ana.post_parts_bare(PATH, &card).await;
    assert_eq!(whole.status, 403, "without the token of the page");
    for (media_type, body) in [
        ("multipart/form-data", &b"x"[..]),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Dispo"),
        ("multipart/form-data; boundary=b", b""),
    ] {
        let answer = ana.post_bytes(PATH, media_type, body.to_vec()).await;
        assert_eq!(answer.status, 400, "{media_type}: {}", answer.text);
    }
    assert_eq!(world.door.top_ups.of(world.account).await.unwrap(), []);
    // a field that was left empty is no file
    let none = declare(&mut ana, &[("proof", Some(""), b"")]).await;
    assert_eq!(none.status, 303, "{}", none.text);
    let id = number(location(&none));
    assert_eq!(world.store.proof_line(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_form_sent_twice_is_one_file_and_there_is_room_for_so_many() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get(PATH).await;
    let key = fresh_key();
    let file: &[Part<'_>] = &[("proof", Some("a.png"), PNG)];
    let first = declare_as(&mut ana, &key, file).await;
    let again = declare_as(&mut ana, &key, file).await;
    assert_eq!(location(&first), location(&again));
    let other: &[Part<'_>] = &[("proof", Some("a.pdf"), b"%PDF-1.7 other")];
    let other = declare_as(&mut ana, &key, other).await;
    assert_eq!(other.status, 400, "another file under the same key");
    assert!(other.text.contains("sent before"), "{}", other.text);
    for _ in 1..PROOFS_OF_ACCOUNT {
        world.clock.advance(Millis::minutes(1));
        assert_eq!(declare(&mut ana, file).await.status, 303);
    }
    world.clock.advance(Millis::minutes(1));
    let full = declare(&mut ana, file).await;
    assert_eq!(full.status, 400);
    let why = "each is kept for 30 days after its transfer is decided on";
    assert!(full.text.contains(why), "{}", full.text);
    assert_eq!(declare(&mut ana, &[]).await.status, 303);
}
