//! The proof as part of the test command: schedules, coverage, mutants, one seed one run.

use crate::campaign::{self, Kept, Order, Report};
use crate::contested::Contested;
use crate::corners::Corner;
use crate::evidence::Evidence;
use crate::undone::Undone;
use crate::{cases, coverage, hanging, mutants, race, restored};
use domain::smm_order::SmmState;
use domain::time::Millis;
use std::fs;
use std::path::Path;
use std::time::Instant;

fn run(schedules: u64, seed: u64, kept: Kept) -> Report {
    let order = Order {
        kept,
        schedules,
        seed,
        mutant: None,
        trace: false,
        threads: 2,
    };
    let started = Instant::now();
    let report = campaign::run(&order);
    println!("{}", report.summary(started.elapsed()));
    report
}

#[test]
fn twenty_thousand_schedules_lose_nothing_and_reach_every_cell() {
    let report = run(20_000, 1, Kept::InDatabase);
    let told: Vec<String> = report
        .failures
        .iter()
        .take(5)
        .map(ToString::to_string)
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    let missing = coverage::missing(&report.reached, 1);
    assert!(missing.is_empty(), "never reached: {missing:?}");
}

/// Every mutant that is noticed by cases of its own, or every one that schedules notice.
fn all_are_noticed(by_cases: bool) {
    let cases = [
        &mutants::BY_CASES[..],
        &mutants::BY_CONTEST,
        &mutants::BY_UNDOING,
        &mutants::BY_CORNERS,
        &mutants::BY_RACES,
    ];
    let cases = cases.concat();
    let wanted = mutants::MUTANTS.iter();
    let wanted = wanted.filter(|(number, _)| cases.contains(number) == by_cases);
    let survivors: Vec<String> = wanted
        .filter(|(number, rule)| {
            let killed = campaign::first_kill(*number, 1, 12_000, Kept::InMaps);
            println!("{} {killed:?}: {rule}", mutants::name(*number));
            killed.is_none()
        })
        .map(|(number, _)| mutants::name(*number))
        .collect();
    assert!(
        survivors.is_empty(),
        "a check is missing: {survivors:?} survive"
    );
}

#[test]
fn every_mutant_is_noticed() {
    assert!(mutants::MUTANTS.len() >= 25);
    all_are_noticed(false);
}

#[test]
fn every_mutant_of_a_rare_rule_is_noticed_by_its_cases() {
    all_are_noticed(true);
}

#[test]
fn one_seed_gives_one_run() {
    let over = |seed| run(40, seed, Kept::InDatabase);
    let (first, second, other) = (over(7), over(7), over(8));
    assert_eq!(first.digest, second.digest);
    assert_eq!(first.reached, second.reached);
    assert_ne!(first.digest, other.digest);
}

/// Both stores answer every question of every engine alike, or the draws would part.
#[test]
fn one_seed_gives_one_run_over_either_store() {
    for seed in [1, 1_001, 2_001] {
        let database = run(100, seed, Kept::InDatabase);
        let maps = run(100, seed, Kept::InMaps);
        assert_eq!(database.digest, maps.digest);
        assert_eq!(database.reached, maps.reached);
    }
}

#[test]
fn only_the_simulation_can_take_rules_out() {
    let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let root = rooms.parent().unwrap();
    let rooms = fs::read_dir(rooms)
        .unwrap()
        .map(|room| room.unwrap().path());
    let others = rooms.chain([root.to_owned(), root.join("bench")]);
    for room in others.filter(|room| !room.ends_with("sim")) {
        let manifest = fs::read_to_string(room.join("Cargo.toml")).unwrap();
        for line in manifest.lines() {
            let declares = line == "mutants = []" || line == "simulation = []";
            let enables = line.contains("\"mutants\"") || line.contains("\"simulation\"");
            let about = line.contains("/mutants") || line.contains("/simulation");
            assert!(
                declares || !(enables || about),
                "{}: {line}",
                room.display()
            );
            assert!(
                !line.starts_with("sim."),
                "{} uses the simulation",
                room.display()
            );
        }
    }
}

#[test]
fn a_panel_that_hangs_keeps_no_other_waiting() {
    for seed in 1..=20 {
        let seen = hanging::run(seed);
        let (made, paid) = seen.paid.expect("the other panel's order is paid");
        assert!(paid - made < Millis::minutes(10), "seed {seed}: {seen:?}");
        assert_eq!(seen.waits, Some(SmmState::Active), "seed {seed}");
    }
}

#[test]
fn two_thousand_cancels_race_a_code_and_one_of_refund_and_code_wins() {
    let races = race::run(2_000, 1, None);
    let told: Vec<_> = races.failures.iter().take(5).collect();
    println!("{:#?}", races.ends);
    assert!(told.is_empty(), "{told:#?}");
    for cell in race::CELLS {
        assert!(races.ends.contains_key(&cell), "never happened: {cell:?}");
    }
    let strange: Vec<_> = races
        .ends
        .keys()
        .filter(|cell| !race::CELLS.contains(cell))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn a_balance_shows_an_order_only_where_nothing_else_of_ours_can_have_moved_it() {
    let cases = cases::run::<Evidence>(300, 1, None);
    let told: Vec<_> = cases.failures.iter().take(5).collect();
    assert!(told.is_empty(), "{told:#?}");
    let seen = cases.seen.iter();
    let wrong: Vec<_> = seen.filter(|(_, placed, said)| *said && !placed).collect();
    assert!(wrong.is_empty(), "nothing was placed: {wrong:?}");
    let shown = ("completed", true, true);
    assert!(cases.seen.contains(&shown), "an order alone is seen");
}

#[test]
fn a_listed_number_is_taken_at_the_end_of_its_window_whatever_else_is_being_bought() {
    let cases = cases::run::<Contested>(300, 1, None);
    let told: Vec<_> = cases.failures.iter().take(5).collect();
    assert!(told.is_empty(), "{told:#?}");
    let taken = cases.seen.iter().filter(|taken| **taken).count();
    assert!(taken > 250, "{taken}");
}

#[test]
fn what_must_not_stay_at_a_panel_is_cancelled_until_the_panel_answers() {
    let cases = cases::run::<Undone>(60, 1, None);
    let told: Vec<_> = cases.failures.iter().take(5).collect();
    assert!(told.is_empty(), "{told:#?}");
    for nobodys in [true, false] {
        for taken in [true, false] {
            assert!(cases.seen.contains(&(nobodys, taken)), "{nobodys} {taken}");
        }
    }
}

#[test]
fn the_corners_of_the_table_of_cases_come_out_as_they_must() {
    let cases = cases::run::<Corner>(60, 1, None);
    let told: Vec<_> = cases.failures.iter().take(5).collect();
    assert!(told.is_empty(), "{told:#?}");
    for corner in Corner::ALL {
        assert!(cases.seen.contains(&corner), "never drawn: {corner:?}");
    }
}

/// Schedules in which something else took exactly the cost of an order that was not placed.
#[test]
fn schedules_that_once_failed_are_fine() {
    for seed in [4_043_682, 4_260_088] {
        let report = run(1, seed, Kept::InMaps);
        assert!(report.failures.is_empty(), "{}", report.failures[0]);
    }
}

#[test]
fn a_backup_that_is_brought_back_buys_nothing_again_and_shows_no_number_of_before() {
    let restored = restored::run(400, 1, None);
    let told: Vec<_> = restored.failures.iter().take(5).collect();
    println!("{:?}", restored.ends);
    assert!(told.is_empty(), "{told:#?}");
    let ends = restored.ends;
    assert!(ends.given_back > 50 && ends.not_found > 50, "{ends:?}");
    // M-25
    let noticed = !restored::run(20, 1, Some(25)).failures.is_empty();
    assert!(noticed, "a backup that sends its open calls again survives");
}
