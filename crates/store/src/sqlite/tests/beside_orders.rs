//! The audit finds rows beside an order that are missing, changed or contradict it.

use domain::time::Millis;

use super::books::{found_after, rules_broken_by};
use crate::contract::NOW;

/// The details of what an audit finds after `tampering`.
fn details_after(tampering: &str) -> String {
    let found = found_after(tampering);
    let details: Vec<_> = found.into_iter().map(|found| found.detail).collect();
    details.join("\n")
}

#[test]
fn a_hold_without_its_order_is_found() {
    // open, posted, released: activations; then an SMM order
    for order in [100_002, 100_001, 100_003] {
        let gone = format!(
            "DROP TRIGGER message_no_delete; DELETE FROM message WHERE order_id = {order}; \
             DELETE FROM activation WHERE id = {order}"
        );
        let rules = rules_broken_by(&gone);
        let wanted: &[_] = if order == 100_001 {
            &["I-04", "I-12", "I-18"]
        } else {
            &["I-12"]
        };
        assert_eq!(rules, wanted, "order {order}");
    }
    let gone = "DELETE FROM smm_order WHERE id = 100005";
    assert_eq!(rules_broken_by(gone), ["I-12"]);
    let details = details_after(gone);
    for part in ["0.04", "account 1", "100005", "missing"] {
        assert!(details.contains(part), "{details}");
    }
}

#[test]
fn a_missing_or_contradicting_attempt_is_found() {
    for order in 100_001..=100_005 {
        let gone = format!("DELETE FROM attempt WHERE order_id = {order}");
        assert_eq!(rules_broken_by(&gone), ["I-12"], "order {order}");
        let word = |word: &str| {
            rules_broken_by(&format!(
                "UPDATE attempt SET state = '{word}' WHERE order_id = {order}"
            ))
        };
        assert_eq!(word("linked"), [""; 0], "order {order}");
        for wrong in ["calling", "in_doubt", "refused", "absent", "late_possible"] {
            assert_eq!(word(wrong), ["I-15"], "order {order} {wrong}");
        }
        assert_eq!(word("dreamt"), ["I-15"], "order {order}");
    }
    let earlier = "UPDATE activation SET attempt = 2 WHERE id = 100001";
    assert_eq!(rules_broken_by(earlier), ["I-12"]);
}

#[test]
fn an_unknown_state_is_found_and_ends_nothing() {
    let both = "UPDATE activation SET state = 'lost' WHERE id = 100003; \
         UPDATE smm_order SET state = 'lost' WHERE id = 100004";
    assert_eq!(rules_broken_by(both), ["I-15"]);
    let details = details_after(both);
    for part in ["100003", "100004", "\"lost\""] {
        assert!(details.contains(part), "{details}");
    }
}

#[test]
fn messages_that_do_not_count_up_are_found() {
    let more = "UPDATE activation SET messages = 2 WHERE id = 100001";
    assert_eq!(rules_broken_by(more), ["I-16"]);
    let gone = "DROP TRIGGER message_no_delete; DELETE FROM message";
    assert_eq!(rules_broken_by(gone), ["I-16"]);
    let covered = format!("{gone}; UPDATE activation SET messages = 0");
    assert_eq!(rules_broken_by(&covered), ["I-16"]);
    let foreign = "INSERT INTO message VALUES (100002, 1, '9', NULL, 1)";
    assert_eq!(rules_broken_by(foreign), ["I-16"]);
}

#[test]
fn what_went_back_of_an_smm_order_must_be_what_it_says() {
    let returned = "UPDATE smm_order SET returned = returned + 1 WHERE id = 100004";
    assert_eq!(rules_broken_by(returned), ["I-07"]);
    let open = "UPDATE smm_order SET returned = 1 WHERE id = 100005";
    assert_eq!(rules_broken_by(open), ["I-07"]);
    let number = "UPDATE smm_order SET adjustments = 0 WHERE id = 100004";
    assert_eq!(rules_broken_by(number), ["I-07"]);
    let details = details_after(returned);
    for part in ["100004", "0.020001", "0.01"] {
        assert!(details.contains(part), "{details}");
    }
}

#[test]
fn an_smm_outcome_that_nobody_saw_is_found() {
    let number = "UPDATE smm_order SET observations = observations + 1 WHERE id = 100004";
    assert_eq!(rules_broken_by(number), ["I-21"]);
    let gone = "DROP TRIGGER observation_no_delete; DELETE FROM observation";
    assert_eq!(rules_broken_by(gone), ["I-21"]);
    let covered = format!("{gone}; UPDATE smm_order SET observations = 0");
    assert_eq!(rules_broken_by(&covered), ["I-21"]);
    let renumbered = "DROP TRIGGER observation_no_update; UPDATE observation SET seq = seq + 10";
    assert_eq!(rules_broken_by(renumbered), ["I-21"]);
    let remains = "UPDATE smm_order SET remains = 251 WHERE id = 100004";
    assert_eq!(rules_broken_by(remains), ["I-21"]);
    let claim = "DROP TRIGGER observation_no_update; \
                 UPDATE observation SET remains = 249 WHERE remains = 250";
    assert_eq!(rules_broken_by(claim), ["I-21"]);
    // what came after the resolution is what the adjustment rests on
    let later = "DROP TRIGGER observation_no_update; \
                 UPDATE observation SET remains = 249 WHERE at > \
                 (SELECT resolved_at FROM smm_order WHERE id = 100004)";
    assert_eq!(rules_broken_by(later), ["I-21"]);
}

#[test]
fn what_went_back_must_follow_from_what_the_panel_said() {
    let seen = |set: &str, seq: i64| {
        let rest = format!("UPDATE observation SET {set} WHERE seq = {seq}");
        rules_broken_by(&format!("DROP TRIGGER observation_no_update; {rest}"))
    };
    for seq in [2, 4] {
        assert_eq!(seen("progress = 'Completed'", seq), ["I-21"]);
        assert_eq!(seen("progress = 'Canceled', charge = 0", seq), ["I-21"]);
        assert_eq!(seen("remains = 1001", seq), ["I-21"], "cannot be");
        assert_eq!(seen("remains = NULL", seq), ["I-21"]);
        // from before a word's meaning was kept
        assert_eq!(seen("progress = NULL", seq), [""; 0]);
    }
    assert_eq!(
        seen("progress = 'Completed'", 3),
        [""; 0],
        "nothing rests on it"
    );
    let rests_on = |what: &str| {
        let rest = format!("UPDATE adjustment SET observation = {what}");
        format!("DROP TRIGGER adjustment_no_update; {rest}")
    };
    assert_eq!(rules_broken_by(&rests_on("1")), ["I-21"]);
    assert_eq!(rules_broken_by(&rests_on("9")), ["I-21"]);
    assert_eq!(rules_broken_by(&rests_on("0")), [""; 0], "from before");
    let by_hand = rests_on("NULL");
    assert_eq!(rules_broken_by(&by_hand), ["I-21"], "nobody was asked");
    let asked = "INSERT INTO ticket VALUES (1, 'large_adjustment', 'p', 100004, 1, '', 1, 1, 'n')";
    assert_eq!(rules_broken_by(&format!("{by_hand}; {asked}")), [""; 0]);
    let details = details_after(&rests_on("1"));
    for part in ["100004", "adjustment 1", "0.02", "0.01"] {
        assert!(details.contains(part), "{details}");
    }
}

#[test]
fn a_booked_cost_must_be_what_the_upstream_took() {
    for column in ["cost", "cost_quote"] {
        let cost = format!("UPDATE activation SET {column} = {column} + 1 WHERE id = 100001");
        assert_eq!(rules_broken_by(&cost), ["I-18"], "{column}");
    }
    let upstream = "DROP TRIGGER upstream_link_no_update; \
         UPDATE upstream_link SET upstream = 'paul1' WHERE upstream_id = 'u1'; \
         UPDATE activation SET upstream = 'paul1' WHERE id = 100001";
    assert_eq!(rules_broken_by(upstream), ["I-18"]);
    let gone = "DROP TRIGGER entry_no_delete; DROP TRIGGER journal_no_delete; \
         DELETE FROM entry WHERE journal_id IN (SELECT id FROM journal \
           WHERE kind = 'upstream_cost' AND reference = 100001); \
         DELETE FROM journal WHERE kind = 'upstream_cost' AND reference = 100001";
    assert_eq!(rules_broken_by(gone), ["I-18"]);
    let nobody = "INSERT INTO journal (kind, reference, seq, at) VALUES ('upstream_cost', 7, 0, 1)";
    assert_eq!(rules_broken_by(nobody), ["I-18"]);
    let early = "INSERT INTO journal (kind, reference, seq, at) \
                 VALUES ('upstream_cost', 100002, 0, 1)";
    assert_eq!(rules_broken_by(early), ["I-18"]);
}

#[test]
fn an_open_order_that_nobody_looks_at_is_found() {
    let limit = (NOW - Millis::minutes(15)).0;
    for (table, order) in [("activation", 100_002), ("smm_order", 100_005)] {
        let due = |due_at: &str| {
            rules_broken_by(&format!(
                "UPDATE {table} SET due_at = {due_at} WHERE id = {order}"
            ))
        };
        assert_eq!(due("NULL"), ["I-20"], "{table}");
        assert_eq!(due(&(limit - 1).to_string()), ["I-20"], "{table}");
        assert_eq!(due(&limit.to_string()), [""; 0], "{table}");
    }
    // a final order may be watched on, and late
    let ended = "UPDATE activation SET due_at = 1 WHERE id = 100001; \
         UPDATE smm_order SET due_at = NULL WHERE id = 100004";
    assert_eq!(rules_broken_by(ended), [""; 0]);
}

#[test]
fn a_dropped_or_hollowed_trigger_is_found() {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let conn = crate::sqlite::open::in_memory().unwrap();
    let mut statement = conn.prepare(names).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0));
    let names: Vec<_> = names.unwrap().map(Result::unwrap).collect();
    assert_eq!(names.len(), 38);
    let dropped: Vec<_> = names
        .iter()
        .map(|name| format!("DROP TRIGGER {name};"))
        .collect();
    let details = details_after(&dropped.concat());
    for name in &names {
        assert!(details.contains(&format!("trigger {name} is missing")));
    }
    let hollow = "DROP TRIGGER entry_no_update; \
         CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry WHEN 0 BEGIN SELECT 1; END";
    let details = details_after(hollow);
    assert!(details.contains("trigger entry_no_update was changed"));
    let foreign = "CREATE TRIGGER helpful AFTER INSERT ON credit BEGIN SELECT 1; END";
    let found = found_after(foreign);
    assert_eq!((found.len(), found[0].rule), (1, "I-02"));
}
