//! Files that show transfers: kept with their top-up, forgotten in time, never more than there is room for.

use domain::change::{Refused, Write};
use domain::ids::AccountId;
use domain::policy::{Held, LegalHold, PolicyWrite};
use domain::ports::{PolicyRows, Store, TopUpRows};
use domain::time::Millis;
use domain::top_up::{
    PROOFS_OF_ACCOUNT, Processor, Proof, ProofKind, TopUp, TopUpState, TopUpWrite,
};
use domain::usd::Usd;

use super::top_up::row;
use super::{NOW, Outcome, World, refused, wait};

pub(crate) const FILE: &[u8] = b"%PDF-1.7 from the bank of Ana";

fn declared(world: &World<'_>, account: AccountId) -> (TopUp, Outcome) {
    let row = TopUp {
        processor: Processor::Manual,
        state: TopUpState::Pending,
        processor_ref: None,
        due_at: None,
        ..row(world, account)
    };
    let proof = Proof {
        top_up: row.id,
        account,
        kind: ProofKind::Pdf,
        size: i64::try_from(FILE.len()).unwrap(),
        bytes: FILE.to_vec(),
        at: NOW,
    };
    let insert = TopUpWrite::Insert(Box::new(row.clone()));
    let prove = TopUpWrite::Prove(Box::new(proof));
    let done = world.commit(vec![Write::TopUp(insert), Write::TopUp(prove)]);
    (row, done)
}

/// A transfer with its file.
pub(crate) fn with_file(world: &World<'_>, account: AccountId) -> TopUp {
    let (row, done) = declared(world, account);
    done.unwrap();
    row
}

fn decided(world: &World<'_>, row: &TopUp) {
    let rejected = row.closed(TopUpState::Rejected, "never arrived");
    let update = TopUpWrite::Update(Box::new(rejected));
    world.commit(vec![Write::TopUp(update)]).unwrap();
}

fn policy(write: PolicyWrite) -> Vec<Write> {
    vec![Write::Policy(write)]
}

pub(crate) fn a_file_is_kept_with_its_transfer<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let row = with_file(&world, ana);
    let kept = wait(store.proof(row.id)).unwrap().unwrap();
    assert_eq!((kept.top_up, kept.account, kept.at), (row.id, ana, NOW));
    assert_eq!((kept.kind, &kept.bytes[..]), (ProofKind::Pdf, FILE));
    let line = wait(store.proof_line(row.id)).unwrap().unwrap();
    assert_eq!((line.size, line.bytes), (kept.size, Vec::new()));
    assert_eq!(wait(store.proof(row.id + 1)).unwrap(), None);
    let reseal =
        |proof: Proof| world.commit(vec![Write::TopUp(TopUpWrite::ResealProof(Box::new(proof)))]);
    assert_eq!(reseal(kept.clone()), Ok(()));
    assert_eq!(wait(store.proof(row.id)).unwrap().unwrap().bytes, FILE);
    let gone = Proof {
        top_up: row.id + 1,
        ..kept
    };
    assert_eq!(reseal(gone), refused(Refused::Stale));
}

pub(crate) fn there_is_room_for_so_many_files<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd::ZERO), world.customer(Usd::ZERO));
    for _ in 0..PROOFS_OF_ACCOUNT {
        with_file(&world, ana);
    }
    let (row, full) = declared(&world, ana);
    assert_eq!(full, refused(Refused::TooManyProofs));
    assert_eq!(
        wait(store.top_up(row.id)).unwrap(),
        None,
        "nothing of it is there"
    );
    with_file(&world, bob);
}

pub(crate) fn a_file_is_forgotten_in_time<S: Store + TopUpRows + PolicyRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd::ZERO), world.customer(Usd::ZERO));
    let (open, over) = (with_file(&world, ana), with_file(&world, ana));
    let held = with_file(&world, bob);
    decided(&world, &over);
    decided(&world, &held);
    let hold = LegalHold {
        id: store.next_row_id(),
        held: Held::Account(bob),
        why: "a court".into(),
        at: NOW,
        case: None,
    };
    world
        .commit(policy(PolicyWrite::Hold(Box::new(hold))))
        .unwrap();
    let there = |row: &TopUp| wait(store.proof_line(row.id)).unwrap().is_some();
    let forget = |age| {
        world
            .commit(policy(PolicyWrite::ForgetBefore(NOW + age)))
            .unwrap()
    };
    forget(Millis(0));
    assert!(there(&over), "not over yet");
    assert!(wait(store.is_overdue(NOW + Millis(1))).unwrap());
    forget(Millis(1));
    assert_eq!([&open, &over, &held].map(there), [true, false, true]);
    assert!(!wait(store.is_overdue(NOW + Millis(1))).unwrap());
    world
        .commit(policy(PolicyWrite::Release(Held::Account(bob))))
        .unwrap();
    decided(&world, &open);
    world
        .commit(policy(PolicyWrite::ForgetAccount(ana)))
        .unwrap();
    assert!(!there(&open), "it goes with its account");
    assert!(there(&held));
}
