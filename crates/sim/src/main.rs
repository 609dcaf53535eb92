//! `sim`: runs schedules.

fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1);
    let (n, seed): (u64, u64) = (
        args.next().and_then(|a| a.parse().ok()).unwrap_or(100),
        args.next().and_then(|a| a.parse().ok()).unwrap_or(1),
    );
    let mutant = args.next().and_then(|m| m.parse().ok());
    let trace = args.next().is_some();
    let store = std::sync::Arc::new(store::Sqlite::in_memory_rewindable().expect("opens"));
    let started = std::time::Instant::now();
    let mut bad = 0;
    let mut counts = std::collections::BTreeMap::new();
    let mut reached = sim::world::Reached::new();
    let mut lost = 0;
    let mut orders = 0;
    for s in seed..seed + n {
        store.rewind().expect("rewinds");
        let out = sim::schedule::run(&store, s, mutant, trace);
        lost += out.tally.lost;
        orders += out.tally.orders;
        for (k, v) in out.reached {
            *reached.entry(k).or_default() += v;
        }
        if trace {
            for line in &out.trace {
                println!("{line}");
            }
        }
        if !out.violations.is_empty() {
            bad += 1;
            for (rule, detail) in &out.violations {
                let c = counts.entry(*rule).or_insert(0u64);
                *c += 1;
                if *c <= 4 || n == 1 {
                    println!("seed {s}: {rule}: {detail}");
                }
            }
        }
    }
    let t = started.elapsed();
    println!(
        "{n} schedules, {bad} bad, {orders} orders, lost {lost}, {:?}, {:?}",
        t, counts
    );
    if n >= 50 && std::env::var("COV").is_ok() {
        for ((a, b), c) in reached {
            println!("{a:25} {b:30} {c}");
        }
    }
    if bad > 0 {
        std::process::ExitCode::FAILURE
    } else {
        std::process::ExitCode::SUCCESS
    }
}
