//! A bounded run that needs no special compiler: every kept input, then seeded mutations of them. The
//! same inputs at every run; `PROPTEST_CASES` makes it longer.

use super::*;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::fs;
use std::path::{Path, PathBuf};

/// Mutated inputs of each target for each case that is asked for.
const FACTOR: u32 = 8;

/// What strangers' bodies break on, spliced in whole.
const TOKENS: [&str; 24] = [
    "null",
    "[]",
    "{}",
    "[[[[",
    "]]",
    "\"\"",
    ":",
    ",",
    "-1",
    "1e30",
    "1e-400",
    "NaN",
    "99999999999999999999",
    "0.0000000000000000000000000001",
    "\u{feff}",
    "\u{0}",
    "\\ud800",
    "<html>",
    "STATUS_OK:",
    "ACCESS_NUMBER:",
    "BANNED:",
    "&",
    "=%",
    "é",
];

/// One change of an input.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index),
    Drop(Index, Index),
    Repeat(Index, Index),
    Insert(Index, usize),
    Join(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, by)| Mutation::Flip(at, by)),
        at().prop_map(Mutation::Cut),
        (at(), at()).prop_map(|(a, b)| Mutation::Drop(a, b)),
        (at(), at()).prop_map(|(a, b)| Mutation::Repeat(a, b)),
        (at(), 0..TOKENS.len()).prop_map(|(at, token)| Mutation::Insert(at, token)),
        (at(), at()).prop_map(|(seed, at)| Mutation::Join(seed, at)),
    ]
}

fn mutated(mut bytes: Vec<u8>, change: &Mutation, seeds: &[Vec<u8>]) -> Vec<u8> {
    let place = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
    let span = |a: &Index, b: &Index, bytes: &[u8]| {
        let (a, b) = (place(a, bytes), place(b, bytes));
        a.min(b)..a.max(b)
    };
    match change {
        Mutation::Flip(at, by) if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= by;
        }
        Mutation::Flip(..) => {}
        Mutation::Cut(at) => bytes.truncate(place(at, &bytes)),
        Mutation::Drop(a, b) => drop(bytes.drain(span(a, b, &bytes))),
        Mutation::Repeat(a, b) => {
            let span = span(a, b, &bytes);
            let again = bytes[span.clone()].to_vec();
            bytes.splice(span.end..span.end, again);
        }
        Mutation::Insert(at, token) => {
            let at = place(at, &bytes);
            bytes.splice(at..at, TOKENS[*token].bytes());
        }
        Mutation::Join(seed, at) => {
            bytes.truncate(place(at, &bytes));
            let other = &seeds[seed.index(seeds.len())];
            bytes.extend_from_slice(&other[place(at, other)..]);
        }
    }
    bytes
}

/// The inputs kept for a target: those found by fuzzing, and its recorded answers.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = [
        here.join("../../fuzz/corpus").join(target),
        here.join("fixtures").join(target),
    ];
    let files = |place: &PathBuf| fs::read_dir(place).ok();
    let mut paths: Vec<PathBuf> = places
        .iter()
        .filter_map(files)
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no inputs in fuzz/corpus");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn run(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let seeds = kept(name);
    seeds.iter().for_each(|seed| target(seed));
    let asked = ProptestConfig::default();
    let config = ProptestConfig {
        cases: asked.cases.saturating_mul(FACTOR),
        failure_persistence: None,
        ..asked
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let changes = (any::<Index>(), prop::collection::vec(mutation(), 1..6));
    TestRunner::new_with_rng(config, random)
        .run(&changes, |(seed, changes)| {
            let start = seeds[seed.index(seeds.len())].clone();
            let change = |bytes, change: &Mutation| mutated(bytes, change, &seeds);
            let input = changes.iter().fold(start, change);
            let read = std::panic::catch_unwind(|| target(&input));
            read.map_err(|_| TestCaseError::fail(String::from_utf8_lossy(&input).into_owned()))
        })
        .unwrap_or_else(|failure| panic!("keep this input in fuzz/corpus/{name}: {failure}"));
}

#[test]
fn handler_api_survives() {
    run("handler_api");
}

#[test]
fn panel_v2_survives() {
    run("panel_v2");
}

#[test]
fn fivesim_survives() {
    run("fivesim");
}

#[test]
fn webhooks_survive() {
    run("webhooks");
}

#[test]
fn payments_survive() {
    run("payments");
}

#[test]
fn statements_survive() {
    run("statements");
}

#[test]
fn smspool_survives() {
    run("smspool");
}

#[test]
fn requests_survive() {
    run("requests");
}

#[test]
fn values_survive() {
    run("values");
}

/// Every parser in these sources: its type or module, and its name.
fn parsers(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(parsers(&path).into_iter().filter(|_| stem != "fuzz"));
            continue;
        }
        if stem == "tests" || stem == "fuzz" {
            continue;
        }
        let mut owner = String::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(of) = line.strip_prefix("impl") {
                let of = of.trim_start_matches("<'a>").trim();
                owner = of.split([' ', '<']).next().unwrap().to_owned();
            }
            let Some(rest) = line.trim_start().strip_prefix("pub fn ") else {
                continue;
            };
            if !line.starts_with(' ') {
                owner = String::new();
            }
            let name = rest.split(['(', '<']).next().unwrap();
            let begins = ["parse", "read", "notice", "verify", "canonical"];
            if begins.iter().any(|begin| name.starts_with(begin)) {
                found.push((owner.clone(), name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_parser_has_a_target() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let targets = fs::read_to_string(here.join("src/fuzz.rs")).unwrap();
    let parsers = parsers(&here.join("src"));
    assert!(parsers.len() > 50, "{parsers:?}");
    for (owner, name) in parsers {
        let call = match owner.as_str() {
            "" => format!("{name}("),
            of => format!("{of}::{name}"),
        };
        assert!(
            targets.contains(&call),
            "{call} is in no target of src/fuzz.rs"
        );
    }
    for (name, _) in TARGETS {
        let its = here.join(format!("../../fuzz/fuzz_targets/{name}.rs"));
        assert!(its.exists(), "fuzz/fuzz_targets/{name}.rs is missing");
        let manifest = fs::read_to_string(here.join("../../fuzz/Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
