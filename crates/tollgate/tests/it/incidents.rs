//! The list of known attacks and faults names the test that holds against each: the tests have to be
//! there.

use std::collections::BTreeSet;
use std::path::Path;

fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text
                .split("fn ")
                .skip(1)
                .filter_map(|rest| rest.split('(').next());
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
fn every_known_attack_has_its_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).unwrap();
    let mut known = BTreeSet::new();
    functions(&root.join("crates"), &mut known);
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("| S"))
        .collect();
    let numbers: Vec<_> = rows
        .iter()
        .filter_map(|row| row.split(' ').nth(1))
        .collect();
    let all: Vec<_> = (1..=60).map(|number| format!("S{number:02}")).collect();
    assert_eq!(numbers, all);
    let words = page.split('`').skip(1).step_by(2);
    let is_name = |word: &&str| {
        let mut letters = word.bytes();
        let plain =
            letters.all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'_');
        plain && word.matches('_').count() > 1
    };
    let named = words.filter(is_name);
    for name in named {
        assert!(
            known.contains(name),
            "docs/security.md names {name}, which is no test"
        );
    }
    for row in rows {
        let says = row.contains('`') || row.contains("there are no");
        assert!(says, "{row}");
    }
}
