//! The audit finds what an intruder changes past the store.

use domain::ids::AccountId;
use domain::ports::{Store, Violation};
use domain::time::Millis;
use domain::upstream::{PanelStatus, Progress, Sms};
use domain::usd::Usd;

use super::Folder;
use crate::Database;
use crate::contract::{NOW, PLAN, World, number, smm_plan, wait};

/// What an audit finds after `tampering` in a store that was furnished.
pub(super) fn found_after(tampering: &str) -> Vec<Violation> {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let ana = furnish(&store);
    assert_eq!(ana, AccountId(1));
    World::new(&store).audited();
    folder
        .intruder()
        .execute_batch(&format!("PRAGMA foreign_keys = OFF; {tampering}"))
        .unwrap();
    wait(store.audit(NOW)).unwrap().violations
}

/// The rules that are violated, not counting the triggers an intruder had to drop.
pub(super) fn rules_broken_by(tampering: &str) -> Vec<&'static str> {
    let found = found_after(tampering);
    let rules = found
        .iter()
        .filter(|found| !found.detail.starts_with("trigger "))
        .map(|found| found.rule);
    let mut rules: Vec<_> = rules.collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Activations 100001 (received), 100002 (active), 100003 (cancelled); SMM orders 100004 (partial,
/// then corrected) and 100005 (active).
fn furnish(store: &dyn Store) -> AccountId {
    let world = World::new(store);
    let ana = world.customer(Usd(1_000_000));
    let received = world.active(ana, &number("u1", "+923001234561"));
    let sms = Sms {
        code: "1234".into(),
        text: None,
    };
    world
        .commit(received.message_seen(sms, &PLAN, NOW))
        .unwrap();
    world.active(ana, &number("u2", "+923001234562"));
    let closed = world.active(ana, &number("u3", "+923001234563"));
    world
        .commit(closed.closed_upstream(domain::change::Reason::Cancelled))
        .unwrap();
    furnish_smm(&world, ana);
    ana
}

fn furnish_smm(world: &World<'_>, ana: AccountId) {
    let partial = world.accepted(ana, "https://example.com/a", "501").id;
    for (seconds, remains) in [(0, 250), (3, 250), (6, 500), (9, 500)] {
        let now = NOW + Millis::seconds(seconds);
        let status = PanelStatus {
            progress: Some(Progress::Partial),
            raw_status: "Partial".into(),
            remains: Some(remains),
            start_count: Some(12),
            charge: Some(Usd(20_000)),
            children: Vec::new(),
            child_ids: Vec::new(),
        };
        let seen = world
            .smm_order(partial)
            .observed(&status, &smm_plan(), 77, now);
        world.commit_at(now, seen).unwrap();
    }
    assert_eq!(world.smm_order(partial).adjustments, 1);
    world.accepted(ana, "https://example.com/b", "502");
}

#[test]
fn a_changed_balance_is_found() {
    let rules = rules_broken_by("UPDATE wallet SET available = available + 1");
    assert_eq!(rules, ["I-04"]);
    let rules = rules_broken_by("UPDATE wallet SET held = 0, available = available + held");
    assert_eq!(rules, ["I-04", "I-05"]);
    for sum in ["amount = amount + 1", "orders = orders - 1"] {
        let rules = rules_broken_by(&format!("UPDATE spending SET {sum}"));
        assert_eq!(rules, ["I-04"]);
    }
    assert_eq!(
        rules_broken_by("DELETE FROM wallet; DELETE FROM account"),
        ["I-04"]
    );
    let broken = "PRAGMA ignore_check_constraints = ON; UPDATE wallet SET receivable = -1";
    assert_eq!(rules_broken_by(broken), ["I-03", "I-04"]);
}

#[test]
fn an_edited_leg_is_found() {
    let edit = "DROP TRIGGER entry_no_update; UPDATE entry SET amount = amount + 5 \
                WHERE book = 'available' AND journal_id = 1";
    assert_eq!(rules_broken_by(edit), ["I-01", "I-02", "I-04", "I-09"]);
    // Both legs of a credit and the balance to match: only the chain and the row tell.
    let covered = "DROP TRIGGER entry_no_update; \
         UPDATE entry SET amount = amount + 5 WHERE journal_id = 1 AND amount > 0; \
         UPDATE entry SET amount = amount - 5 WHERE journal_id = 1 AND amount < 0; \
         UPDATE wallet SET available = available + 5";
    assert_eq!(rules_broken_by(covered), ["I-02", "I-09"]);
    let everywhere = format!(
        "{covered}; DROP TRIGGER credit_no_update; \
         UPDATE credit SET amount = amount + 5"
    );
    assert_eq!(rules_broken_by(&everywhere), ["I-02"]);
    let moved = "DROP TRIGGER journal_no_update; UPDATE journal SET at = at + 1 WHERE id = 2";
    assert_eq!(rules_broken_by(moved), ["I-02"]);
}

#[test]
fn a_deleted_leg_is_found() {
    let leg = "DROP TRIGGER entry_no_delete; \
               DELETE FROM entry WHERE journal_id = 2 AND book = 'held'";
    assert_eq!(rules_broken_by(leg), ["I-01", "I-02", "I-04", "I-09"]);
    // The last event of the chain with all that hangs on it.
    let event = "DROP TRIGGER entry_no_delete; DROP TRIGGER journal_no_delete; \
         DELETE FROM entry WHERE journal_id = (SELECT MAX(id) FROM journal); \
         DELETE FROM journal WHERE id = (SELECT MAX(id) FROM journal)";
    assert_eq!(rules_broken_by(event), ["I-02", "I-04", "I-09"]);
    let events = "DROP TRIGGER journal_no_delete; DELETE FROM journal WHERE id = 1";
    assert_eq!(rules_broken_by(events), ["I-02", "I-04", "I-09"]);
}

#[test]
fn a_hold_or_resolution_that_does_not_add_up_is_found() {
    let resolution = "DROP TRIGGER resolution_no_update; \
         UPDATE resolution SET released = released + 1 WHERE order_id = 100001";
    assert_eq!(rules_broken_by(resolution), ["I-06"]);
    let posted = "DROP TRIGGER resolution_no_update; \
         UPDATE resolution SET posted = 0, released = 40000 WHERE order_id = 100001";
    assert_eq!(rules_broken_by(posted), ["I-04", "I-09", "I-15"]);
    let adjustment = "INSERT INTO adjustment VALUES (100003, 1, 1, 1, NULL)";
    assert_eq!(rules_broken_by(adjustment), ["I-07", "I-09"]);
    let hold = "DROP TRIGGER hold_no_delete; DELETE FROM hold WHERE order_id = 100002";
    assert_eq!(rules_broken_by(hold), ["I-05", "I-09", "I-12"]);
}

#[test]
fn an_order_that_contradicts_its_money_or_link_is_found() {
    let cancelled = "UPDATE activation SET state = 'received' WHERE id = 100003";
    assert_eq!(rules_broken_by(cancelled), ["I-15", "I-16", "I-18"]);
    let received = "UPDATE activation SET state = 'cancelled' WHERE id = 100001";
    assert_eq!(rules_broken_by(received), ["I-15", "I-18"]);
    let price = "UPDATE activation SET price = price + 1 WHERE id = 100002";
    assert_eq!(rules_broken_by(price), ["I-12"]);
    let unlinked = "UPDATE activation SET upstream_id = NULL WHERE id = 100002";
    assert_eq!(rules_broken_by(unlinked), ["I-15"]);
    let stolen = "UPDATE activation SET upstream_id = 'u1' WHERE id = 100002";
    assert_eq!(rules_broken_by(stolen), ["I-14"]);
    let twice = "DROP INDEX attempt_live; UPDATE attempt SET state = 'calling'; \
         INSERT INTO attempt (order_id, seq, upstream, state, sent_at) \
         VALUES (100002, 2, 'x', 'in_doubt', 1)";
    assert_eq!(rules_broken_by(twice), ["I-12", "I-13", "I-15"]);
    let cause = "DROP INDEX journal_cause; \
         INSERT INTO journal (kind, reference, seq, at) SELECT kind, reference, seq, at \
         FROM journal WHERE kind = 'upstream_cost'";
    assert_eq!(rules_broken_by(cause), ["I-09", "I-18"]);
}

#[test]
fn a_step_without_owner_is_found() {
    let never = "UPDATE activation SET state = 'undo', due_at = NULL WHERE id = 100002";
    assert_eq!(rules_broken_by(never), ["I-20"]);
    let limit = NOW - Millis::minutes(15);
    let due = |at: i64| {
        rules_broken_by(&format!(
            "UPDATE activation SET state = 'cancel_requested', due_at = {at} WHERE id = 100002"
        ))
    };
    assert_eq!(due(limit.0 - 1), ["I-20"]);
    assert_eq!(due(limit.0), [""; 0]);
    let orphan = "INSERT INTO orphan (id, version, upstream, upstream_id, state, cost, found_at, tries) \
                  VALUES (9, 1, 'peter1', 'x', 'open', 1, 1, 0)";
    assert_eq!(rules_broken_by(orphan), ["I-20"]);
}

/// From the wallet back through all events of its customer, as a statement reads them.
#[test]
fn a_customers_events_are_a_list() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let ana = furnish(&store);
    World::new(&store).customer(Usd(1));
    let sql = "WITH RECURSIVE statement (id, kind, previous) AS ( \
         SELECT j.id, j.kind, j.previous FROM wallet w JOIN journal j ON j.id = w.last_event \
         WHERE w.account_id = ?1 UNION ALL \
         SELECT j.id, j.kind, j.previous FROM statement s JOIN journal j ON j.id = s.previous) \
         SELECT kind FROM statement ORDER BY id";
    let conn = folder.intruder();
    let mut statement = conn.prepare(sql).unwrap();
    let kinds = statement
        .query_map([ana.0], |row| row.get::<_, String>(0))
        .unwrap();
    let kinds: Vec<_> = kinds.map(Result::unwrap).collect();
    let otp = ["credit", "hold", "resolution", "hold", "hold", "resolution"];
    let smm = ["hold", "resolution", "adjustment", "hold"];
    assert_eq!(kinds, [&otp[..], &smm].concat());
}
