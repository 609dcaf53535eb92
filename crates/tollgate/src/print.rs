//! What a command prints: one JSON object, or lines for a person.

use serde_json::Value;
use std::io::Write;

/// One line for whoever asked; a reader that has gone is no failure.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The result of a command.
pub fn print(result: &Value, json: bool) {
    if json {
        say(&result.to_string());
        return;
    }
    let Some(members) = result.as_object() else {
        say(&result.to_string());
        return;
    };
    for (name, value) in members {
        match value {
            Value::Array(rows) => {
                say(&format!(
                    "{name}: {}",
                    if rows.is_empty() { "none" } else { "" }
                ));
                rows.iter().for_each(|row| say(&format!("  {}", line(row))));
            }
            value => say(&format!("{name}: {}", line(value))),
        }
    }
}

/// One value on one line, for a person.
fn line(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let parts = members
                .iter()
                .map(|(name, value)| format!("{name}={}", line(value)));
            parts.collect::<Vec<_>>().join("  ")
        }
        Value::Array(rows) if rows.is_empty() => "-".to_owned(),
        Value::Array(rows) => rows.iter().map(line).collect::<Vec<_>>().join(","),
        Value::Null => "-".to_owned(),
        plain => plain.to_string(),
    }
}
