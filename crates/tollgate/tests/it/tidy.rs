//! Rules about files and dependencies that no lint knows.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// Every source file below a room, as path and text.
fn sources(room: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![room.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

fn rooms() -> Vec<String> {
    let names = fs::read_dir(root().join("crates")).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Names in a manifest's section.
fn dependencies(manifest: &str, section: &str) -> Vec<String> {
    let table: toml::Table = manifest.parse().unwrap();
    let names = table.get(section).and_then(toml::Value::as_table);
    names
        .map(|names| names.keys().cloned().collect())
        .unwrap_or_default()
}

/// Which rooms may use which. What is not listed is not allowed.
const ARROWS: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("wire", &["domain"]),
    ("app", &["domain"]),
    ("store", &["domain"]),
    ("upstream", &["domain", "wire"]),
    ("web", &["app", "domain", "wire"]),
    ("sandbox", &["domain", "wire"]),
    ("sim", &["app", "domain", "store"]),
    (
        "tollgate",
        &["app", "domain", "sandbox", "store", "upstream", "web"],
    ),
];

#[test]
fn rooms_use_only_what_the_arrows_allow() {
    let rooms = rooms();
    for room in &rooms {
        let (_, allowed) = ARROWS
            .iter()
            .find(|(name, _)| name == room)
            .unwrap_or_else(|| {
                panic!("{room}: give this room its arrows here and in ARCHITECTURE.md")
            });
        let manifest = fs::read_to_string(root().join("crates").join(room).join("Cargo.toml"));
        for used in dependencies(&manifest.unwrap(), "dependencies") {
            let fits = !rooms.contains(&used) || allowed.contains(&used.as_str());
            assert!(fits, "{room} must not use {used}");
        }
    }
}

/// The lints of the workspace forbid unsafe code, which no crate can lift for itself.
#[test]
fn no_room_has_unsafe_code() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let lints: toml::Table = manifest.parse().unwrap();
    let of_rust = &lints["workspace"]["lints"]["rust"];
    assert_eq!(of_rust["unsafe_code"].as_str(), Some("forbid"));
    let rooms = rooms().into_iter().map(|room| format!("crates/{room}"));
    for folder in rooms.chain(["bench".to_owned()]) {
        let manifest = fs::read_to_string(root().join(&folder).join("Cargo.toml")).unwrap();
        let table: toml::Table = manifest.parse().unwrap();
        let takes_over = table
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        assert_eq!(takes_over, Some(true), "{folder}: [lints] workspace = true");
    }
}

#[test]
fn domain_stands_on_std_alone() {
    let manifest = fs::read_to_string(root().join("crates/domain/Cargo.toml")).unwrap();
    assert_eq!(
        dependencies(&manifest, "dependencies"),
        Vec::<String>::new()
    );
}

#[test]
fn dependencies_are_declared_once_with_a_reason() {
    for room in rooms() {
        let path = root().join("crates").join(&room).join("Cargo.toml");
        let table: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        for section in ["dependencies", "dev-dependencies"] {
            let Some(names) = table.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, value) in names {
                let shared = value.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(
                    shared,
                    Some(true),
                    "{room}: declare {name} in the root Cargo.toml"
                );
            }
        }
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let declared = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let declared = declared.split("\n[").next().unwrap();
    let outside = declared.split("# our rooms").nth(1).unwrap();
    for line in outside
        .lines()
        .filter(|line| line.contains('=') && !line.contains("path = "))
    {
        let name = line.split([' ', '.', '=']).next().unwrap();
        let reason = outside
            .lines()
            .any(|line| line.starts_with('#') && line.contains(name));
        assert!(reason, "Cargo.toml: say why {name} is there");
    }
}

#[test]
fn only_the_store_speaks_sql() {
    for room in rooms().iter().filter(|room| *room != "store") {
        for (path, text) in sources(&root().join("crates").join(room).join("src")) {
            for word in ["INSERT INTO", "SELECT ", "DELETE FROM"] {
                assert!(
                    !text.contains(word),
                    "{}: move this query to crates/store",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn only_the_doors_and_the_practice_providers_speak_axum() {
    for room in rooms() {
        let manifest = fs::read_to_string(root().join("crates").join(&room).join("Cargo.toml"));
        let uses = dependencies(&manifest.unwrap(), "dependencies").contains(&"axum".to_owned());
        assert_eq!(
            uses,
            ["web", "sandbox"].contains(&room.as_str()),
            "{room} and axum"
        );
    }
}

#[test]
fn money_never_meets_a_float() {
    for room in ["domain", "app", "store", "wire", "upstream"] {
        for (path, text) in sources(&root().join("crates").join(room).join("src")) {
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                let float = line.contains("f64") || line.contains("f32");
                assert!(!float, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn files_stay_short_and_say_what_they_are_for() {
    for room in rooms() {
        for (path, text) in sources(&root().join("crates").join(&room)) {
            let is_test = path
                .components()
                .any(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs") == "tests");
            let says = is_test || text.starts_with("//!");
            assert!(says, "{}: begin with what it is for", path.display());
            let lines = text.split("#[cfg(test)]").next().unwrap().lines().count();
            assert!(is_test || lines <= 600, "{}: {lines} lines", path.display());
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    for room in rooms() {
        for (path, text) in sources(&root().join("crates").join(&room).join("src")) {
            for mark in ["TODO", "FIXME", "XXX:", "#[allow("] {
                assert!(!text.contains(mark), "{}: {mark}", path.display());
            }
        }
    }
}

/// The docs promise that nothing in the product can be made to die on purpose.
#[test]
fn only_the_mortal_program_knows_where_to_die() {
    let allowed = [
        "failpoints = []",
        "failpoints = [\"domain/failpoints\"]",
        "required-features = [\"failpoints\"]",
    ];
    let crates = rooms()
        .into_iter()
        .map(|room| root().join("crates").join(room));
    for folder in crates.chain([root(), root().join("bench")]) {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for line in manifest.lines() {
            let harmless = !line.contains("failpoints") || allowed.contains(&line);
            assert!(harmless, "{}: {line}", folder.display());
            assert!(
                !line.starts_with("default ="),
                "{}: {line}",
                folder.display()
            );
        }
    }
}

/// Every row of the catalogue of bad input that concerns what is there: messages to customers' own
/// addresses (147 to 149) are not.
#[test]
fn every_row_of_bad_input_is_named_by_a_test() {
    let absent = |row: &u32| [147, 148, 149].contains(row);
    let web = root().join("crates").join("web").join("src");
    let tests: String = sources(&web).into_iter().map(|(_, text)| text).collect();
    // each fifth number is kept free
    let there = |row: &u32| !row.is_multiple_of(5) && !absent(row);
    for row in (1..=156).filter(there) {
        assert!(tests.contains(&format!("B-{row:03}")), "B-{row:03}");
    }
}
