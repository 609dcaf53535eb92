//! The audit log: one line for each deed, in the transaction of the deed, chained and witnessed.

use domain::audit_log::{AuditWrite, Checkpoint, LinesOf, Note, START, Witness};
use domain::change::{Refused, Write};
use domain::ids::{AccountId, KeyId};
use domain::ports::{AuditRows, Store};
use domain::time::Millis;

use super::{NOW, World, refused, wait};

fn note(account: Option<i64>, actor: &str, action: &str) -> Write {
    Write::Audit(AuditWrite::Note(Box::new(Note {
        account: account.map(AccountId),
        actor: actor.into(),
        action: action.into(),
        object: "wallet 7".into(),
        reason: "because".into(),
        details: "credit of $5".into(),
    })))
}

fn all() -> LinesOf {
    LinesOf {
        limit: 1000,
        ..LinesOf::default()
    }
}

pub(crate) fn lines_are_chained_and_questions_find_them<S: Store + AuditRows>(store: &S) {
    let world = World::new(store);
    for (account, actor, action) in [
        (Some(7), "cli:root", "credit"),
        (None, "staff:3", "block"),
        (Some(7), "staff:3", "suspend"),
        (Some(8), "staff:31", "suspend"),
    ] {
        world.commit(vec![note(account, actor, action)]).unwrap();
    }
    let later = NOW + Millis::minutes(1);
    // two lines of one change follow each other too
    world
        .commit_at(
            later,
            vec![note(None, "system", "a"), note(None, "system", "b")],
        )
        .unwrap();
    let lines = wait(store.audit_lines(&all())).unwrap();
    let ids: Vec<_> = lines.iter().map(|line| (line.id, line.seq)).collect();
    assert_eq!(ids, [(6, 3), (5, 2), (4, 1), (3, 2), (2, 1), (1, 1)]);
    assert_eq!(lines[3].previous, lines[5].hash, "the second of account 7");
    assert_eq!(lines[2].previous, START);
    assert_eq!(lines[0].at, later);

    let found = |wanted: LinesOf| -> Vec<i64> {
        let lines = wait(store.audit_lines(&wanted)).unwrap();
        lines.iter().map(|line| line.id).collect()
    };
    let account = Some(AccountId(7));
    assert_eq!(found(LinesOf { account, ..all() }), [3, 1]);
    let actor = Some("staff:3".to_owned());
    assert_eq!(found(LinesOf { actor, ..all() }), [4, 3, 2]);
    let action = Some("suspend".to_owned());
    assert_eq!(found(LinesOf { action, ..all() }), [4, 3]);
    assert_eq!(
        found(LinesOf {
            since: Some(later),
            ..all()
        }),
        [6, 5]
    );
    assert_eq!(
        found(LinesOf {
            until: Some(later),
            limit: 1,
            ..all()
        }),
        [4]
    );
    assert_eq!(
        found(LinesOf {
            before: Some(3),
            ..all()
        }),
        [2, 1]
    );
    let verified = wait(store.verify_audit_log(Vec::new())).unwrap();
    assert_eq!((verified.lines, verified.bad), (6, None));
    world.audited();
}

pub(crate) fn a_refused_change_leaves_no_line<S: Store + AuditRows>(store: &S) {
    let world = World::new(store);
    let revoked = Write::RevokeKey {
        account: AccountId(7),
        key: KeyId(777),
    };
    let outcome = world.commit(vec![note(Some(7), "cli:root", "revoke"), revoked]);
    assert_eq!(outcome, refused(Refused::Stale));
    assert_eq!(wait(store.audit_lines(&all())).unwrap(), []);
    assert_eq!(wait(store.audit_head()).unwrap().0, 0);
}

pub(crate) fn checkpoints_are_kept_once_and_compared<S: Store + AuditRows>(store: &S) {
    let world = World::new(store);
    let mut witnesses = Vec::new();
    for number in 0..7 {
        world
            .commit(vec![note(Some(number % 2), "cli:root", "a")])
            .unwrap();
        let (size, root) = wait(store.audit_head()).unwrap();
        let checkpoint = Checkpoint {
            size,
            root,
            at: NOW,
        };
        let write = Write::Audit(AuditWrite::Checkpoint(checkpoint.clone()));
        world.commit(vec![write.clone()]).unwrap();
        assert_eq!(world.commit(vec![write]), refused(Refused::Stale));
        assert_eq!(
            wait(store.audit_checkpoint()).unwrap().as_ref(),
            Some(&checkpoint)
        );
        let hashes = wait(store.audit_hashes(size.saturating_sub(2), 100)).unwrap();
        witnesses.push(Witness { checkpoint, hashes });
    }
    let verified = wait(store.verify_audit_log(witnesses.clone())).unwrap();
    assert_eq!((verified.lines, verified.checkpoints), (7, 14));
    assert_eq!(verified.bad, None);
    // one from outside that counts more lines than there are
    let mut ahead = witnesses[6].clone();
    ahead.checkpoint.size = 9;
    let verified = wait(store.verify_audit_log(vec![ahead])).unwrap();
    assert_eq!(verified.bad.map(|bad| bad.id), Some(8));
    let mut other = witnesses[4].clone();
    other.checkpoint.root = [9; 32];
    let verified = wait(store.verify_audit_log(vec![other])).unwrap();
    assert_eq!(verified.bad.map(|bad| bad.id), Some(5));
}

pub(crate) fn many_at_once_make_one_log<S: Store + AuditRows>(store: &S) {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let world = World::new(store);
            scope.spawn(move || {
                for _ in 0..10 {
                    world
                        .commit(vec![note(Some(thread % 3), "cli:root", "a")])
                        .unwrap();
                }
            });
        }
    });
    let verified = wait(store.verify_audit_log(Vec::new())).unwrap();
    assert_eq!((verified.lines, verified.bad), (80, None));
}
