//! Rules that two persons loosen: nothing before the second agrees, at once afterwards, for anybody to read.

use super::super::world::{BUY, DISCORD, World};
use super::{at_work, lines};
use domain::change::{Change, Write};
use domain::ids::PersonId;
use domain::people::Role;
use domain::policy::{Loosening, LooseningState, OtpClass, PolicyWrite, RuleChange};
use domain::ports::{Clock, Store};

const LOOSEN: &str = "/console/policy/loosen";
const WHY: &str = "a contract with the city's theatre";

async fn decide_path(world: &World) -> String {
    let changes = world.door.lawful.rule_changes().await.unwrap();
    format!("{LOOSEN}/{}/decide", changes[0].id)
}

#[tokio::test]
async fn a_denial_is_lifted_by_two_owners_and_anybody_reads_why() {
    let world = World::start().await;
    let mut ona = at_work(&world, "ona", Role::Owner).await;
    let mut oto = at_work(&world, "oto", Role::Owner).await;
    let mut support = at_work(&world, "support", Role::Support).await;
    let lifted = || {
        let classes = world.door.engine.otp_classes();
        let dating = classes.into_iter().find(|one| one.class == "dating");
        dating.is_some_and(|one| one.lifted && one.sold)
    };
    let ask = [("class", "otp.dating"), ("reason", WHY)];
    assert_eq!(support.post(LOOSEN, &ask).await.status, 403);
    for class in [
        "otp.money",
        "otp.nothing",
        "smm.fake_reviews",
        "otp.social_messaging",
    ] {
        let hard = ona.post(LOOSEN, &[("class", class), ("reason", WHY)]).await;
        assert_eq!(hard.status, 400, "{class}: {}", hard.text);
    }
    assert_eq!(ona.post(LOOSEN, &ask).await.status, 303);
    assert_eq!(
        ona.post(LOOSEN, &ask).await.status,
        409,
        "asked for already"
    );
    assert!(!lifted());
    assert!(!world.get("/policy").await.text.contains(WHY));
    let path = decide_path(&world).await;
    let grant = [("decision", "grant"), ("reason", "agreed by both")];
    let own = ona.post(&path, &grant).await;
    assert_eq!(own.status, 403, "{}", own.text);
    assert!(!lifted());
    let done = oto.post(&path, &grant).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(lifted());
    let public = world.get("/policy").await.text;
    assert!(public.contains("numbers: dating is sold"), "{public}");
    assert!(public.contains("theatre"), "{public}");
    let line = lines(&world, 1).await.remove(0).note;
    assert_eq!(
        (&*line.action, &*line.reason),
        ("decide_loosening", "agreed by both")
    );
    assert_eq!(
        oto.post(&path, &grant).await.status,
        409,
        "decided on already"
    );
    let end = [("decision", "end"), ("reason", "the contract is over")];
    assert_eq!(
        ona.post(&path, &end).await.status,
        303,
        "tightening takes one"
    );
    assert!(!lifted());
}

/// Two persons loosened a class before the gateway was started.
async fn lifted_before(world: &World) {
    let asked = RuleChange {
        id: world.store.next_row_id(),
        what: Loosening::Otp(OtpClass::Dating),
        reason: WHY.to_owned(),
        asked_by: PersonId(1),
        asked_at: world.clock.now(),
        state: LooseningState::Asked,
        decided_by: None,
        decided_at: None,
    };
    let granted = RuleChange {
        state: LooseningState::Granted,
        decided_by: Some(PersonId(2)),
        decided_at: Some(world.clock.now()),
        ..asked.clone()
    };
    for write in [
        PolicyWrite::AskLoosening(Box::new(asked)),
        PolicyWrite::DecideLoosening(Box::new(granted)),
    ] {
        let writes = vec![Write::Policy(write)];
        let change = Change::new("before", world.clock.now(), writes);
        world.store.commit(change).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_loosened_before_the_start_is_noted_with_the_rules() {
    let world = World::start().await;
    lifted_before(&world).await;
    let (_, audit) = world.started_anew();
    audit.note_rules().await.unwrap();
    let noted = lines(&world, 1).await.remove(0).note.object;
    assert!(noted.contains("lifted: dating"), "{noted}");
}

#[tokio::test]
async fn what_is_loosened_already_is_not_asked_for() {
    let world = World::start().await;
    lifted_before(&world).await;
    let (lawful, _) = world.started_anew();
    let asked = lawful.ask_loosening(PersonId(1), Loosening::Otp(OtpClass::Dating), WHY);
    let said = asked.await.unwrap_err().to_string();
    assert!(said.contains("changes nothing"), "{said}");
}

#[tokio::test]
async fn a_bound_is_raised_by_two_owners_and_holds_for_the_next_purchase() {
    let world = World::start().await;
    let (engine, lawful) = (&world.door.engine, &world.door.lawful);
    engine.set_tier(world.account, 1).await.unwrap();
    let attested = lawful.attest(world.account, "testing our own sign-up");
    attested.await.unwrap();
    let mut ona = at_work(&world, "ona", Role::Owner).await;
    let mut oto = at_work(&world, "oto", Role::Owner).await;
    for _ in 0..5 {
        assert_eq!(world.post(BUY, &[], DISCORD).await.status, 200);
    }
    assert_eq!(world.post(BUY, &[], DISCORD).await.code(), "velocity_limit");
    let ask = |figure| {
        [
            ("tier", "1"),
            ("bound", "open_activations"),
            ("figure", figure),
            ("reason", WHY),
        ]
    };
    let lower = ona.post(LOOSEN, &ask("4")).await;
    assert_eq!(lower.status, 400, "{}", lower.text);
    assert_eq!(ona.post(LOOSEN, &ask("6")).await.status, 303);
    assert_eq!(world.post(BUY, &[], DISCORD).await.code(), "velocity_limit");
    let grant = [("decision", "grant"), ("reason", "agreed by both")];
    let path = decide_path(&world).await;
    assert_eq!(oto.post(&path, &grant).await.status, 303);
    assert_eq!(world.post(BUY, &[], DISCORD).await.status, 200);
    assert_eq!(world.post(BUY, &[], DISCORD).await.code(), "velocity_limit");
}
