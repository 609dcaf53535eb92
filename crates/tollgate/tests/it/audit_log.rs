//! Who did what is kept, and whoever changes it afterwards is found out.

use crate::world::{Scratch, World, command_output, start_demo};
use serde_json::Value;

/// Deeds of the operator on one account.
fn deeds(data: &std::path::Path) -> String {
    let cli = |args: &[&str]| World::command(data, args);
    let id = cli(&["account", "create", "--email", "ana@example.com"])["account_id"].to_string();
    cli(&[
        "wallet",
        "credit",
        "--account",
        &id,
        "--usd",
        "12.50",
        "--note",
        "paid in cash",
    ]);
    cli(&["account", "tier", "--account", &id, "--tier", "2"]);
    let key = cli(&["key", "create", "--account", &id])["key_id"].to_string();
    cli(&["key", "revoke", &key]);
    cli(&["account", "suspend", &id]);
    cli(&["account", "export", &id]);
    cli(&[
        "block",
        "add",
        "--number",
        "+14155550123",
        "--why",
        "its owner asked for it",
    ]);
    cli(&[
        "redeem",
        "create",
        "--usd",
        "5",
        "--count",
        "2",
        "--note",
        "for the fair",
    ]);
    id
}

/// What the look at a log that was changed says.
fn found(data: &std::path::Path, args: &[&str]) -> Value {
    let output = command_output(data, args);
    assert!(!output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn actions(lines: &Value) -> Vec<&str> {
    let lines = lines["lines"].as_array().unwrap().iter();
    lines.map(|line| line["action"].as_str().unwrap()).collect()
}

#[test]
fn what_an_operator_does_is_kept_and_tampering_is_named() {
    let scratch = Scratch::new();
    let data = scratch.path();
    let mut demo = start_demo(data, &[]);
    let id = deeds(data);
    let cli = |args: &[&str]| World::command(data, args);
    let of_account = cli(&["audit", "list", "--account", &id]);
    assert_eq!(
        actions(&of_account),
        [
            "export_account",
            "suspend_account",
            "revoke_key",
            "issue_key",
            "set_tier",
            "credit_wallet",
            "create_account"
        ]
    );
    let credit = &of_account["lines"][5];
    assert_eq!(credit["reason"], "paid in cash");
    assert!(
        credit["actor"].as_str().unwrap().starts_with("cli:"),
        "{credit}"
    );
    assert!(
        credit["details"].as_str().unwrap().contains("12.500000"),
        "{credit}"
    );
    let all = cli(&["audit", "list", "--actor", "cli:"]);
    assert_eq!(actions(&all)[..2], ["create_redeem_codes", "block"]);

    let kept = data.join("elsewhere.json");
    let kept = kept.to_str().unwrap();
    assert_eq!(cli(&["audit", "export", "--to", kept])["ok"], true);
    let sound = cli(&["audit", "verify", "--checkpoint", kept]);
    assert_eq!(sound["ok"], true, "{sound}");
    let line = credit["line"].as_i64().unwrap();
    demo.terminate();

    // past the program, as whoever holds the file can
    let intruder = rusqlite::Connection::open(data.join("tollgate.db")).unwrap();
    let forget = format!(
        "DROP TRIGGER audit_log_no_update; DROP TRIGGER audit_log_no_delete;
         DROP TRIGGER audit_checkpoint_no_delete; DELETE FROM audit_checkpoint;
         DELETE FROM audit_log WHERE id > {line};"
    );
    intruder.execute_batch(&forget).unwrap();
    drop(intruder);
    let told = found(data, &["audit", "verify", "--checkpoint", kept]);
    assert_eq!(told["ok"], false);
    assert_eq!(told["first_bad_line"], line + 1, "{told}");
    let intruder = rusqlite::Connection::open(data.join("tollgate.db")).unwrap();
    let edit = format!("UPDATE audit_log SET details = 'credit of $1' WHERE id = {line}");
    intruder.execute_batch(&edit).unwrap();
    drop(intruder);
    let told = found(data, &["audit", "verify"]);
    assert_eq!(told["first_bad_line"], line, "{told}");
}
