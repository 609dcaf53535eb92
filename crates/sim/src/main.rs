//! `sim`: runs schedules and mutants, prints what was reached, fails with a seed to run again.

use clap::{Parser, Subcommand};
use sim::campaign::{self, Kept, Order};
use sim::{coverage, mutants, race};
use std::process::ExitCode;

/// The simulation of the purchase engine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs schedules; each must keep every invariant.
    Sim {
        /// How many.
        #[arg(long, default_value_t = 20_000)]
        schedules: u64,
        /// Seed of the first; the others follow.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Takes a rule out, by its name: `M-08`.
        #[arg(long)]
        mutant: Option<String>,
        /// Tells everything that happens.
        #[arg(long)]
        trace: bool,
        /// Threads; each runs its own share of the seeds.
        #[arg(long, default_value_t = 2)]
        threads: u64,
        /// The engines share maps instead of the product's store: several times as fast.
        #[arg(long)]
        pure: bool,
        /// Every cell of the coverage table must be reached so often.
        #[arg(long, default_value_t = 0)]
        at_least: u64,
    },
    /// Races cancels with codes; each must end in a refund or in a code, never in both.
    Races {
        /// How many.
        #[arg(long, default_value_t = 2_000)]
        races: u64,
        /// Seed of the first; the others follow.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Runs every mutant; each must be noticed.
    Mutants {
        /// Most schedules for each.
        #[arg(long, default_value_t = 20_000)]
        schedules: u64,
        /// Seed of the first schedule.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// As above.
        #[arg(long)]
        pure: bool,
    },
}

fn main() -> ExitCode {
    let fine = match Arguments::parse().command {
        Command::Sim {
            schedules,
            seed,
            mutant,
            trace,
            threads,
            pure,
            at_least,
        } => {
            let Some(mutant) = mutant
                .map(|name| mutants::from_name(&name))
                .map_or(Some(None), |m| m.map(Some))
            else {
                eprintln!("there is no such mutant");
                return ExitCode::from(2);
            };
            let order = Order {
                schedules,
                seed,
                mutant,
                trace,
                threads,
                kept: kept(pure),
            };
            run(&order, at_least)
        }
        Command::Races { races, seed } => run_races(races, seed),
        Command::Mutants {
            schedules,
            seed,
            pure,
        } => run_mutants(schedules, seed, kept(pure)),
    };
    if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(order: &Order, at_least: u64) -> bool {
    let started = std::time::Instant::now();
    let report = campaign::run(order);
    for line in report.trace() {
        println!("{line}");
    }
    for failure in report.failures.iter().take(20) {
        println!("{failure}");
    }
    print!("{}", coverage::table(&report.reached));
    let missing = coverage::missing(&report.reached, at_least);
    for cell in &missing {
        println!("not reached {at_least} times: {} / {}", cell.0, cell.1);
    }
    println!("{}", report.summary(started.elapsed()));
    report.failures.is_empty() && missing.is_empty()
}

fn run_races(count: u64, seed: u64) -> bool {
    let started = std::time::Instant::now();
    let races = race::run(count, seed, None);
    for (seed, what) in races.failures.iter().take(20) {
        println!("seed {seed}: {what}");
    }
    for ((order, end), times) in &races.ends {
        println!("{order:42} {end:8} {times:>9}");
    }
    let (failed, took) = (races.failures.len(), started.elapsed().as_secs());
    println!("{count} races from seed {seed} in {took} s, {failed} failed");
    races.failures.is_empty()
}

fn kept(pure: bool) -> Kept {
    if pure { Kept::InMaps } else { Kept::InDatabase }
}

fn run_mutants(schedules: u64, seed: u64, kept: Kept) -> bool {
    let mut all_killed = true;
    for (number, rule) in mutants::MUTANTS {
        let killed = campaign::first_kill(number, seed, schedules, kept);
        let name = mutants::name(number);
        match killed {
            Some((after, by)) => println!("{name} killed by {by:16} after {after:5}: {rule}"),
            None => {
                all_killed = false;
                println!("{name} SURVIVED {schedules} schedules: {rule}");
            }
        }
    }
    all_killed
}
