use super::*;
use std::path::PathBuf;
use std::{fs, process};

/// A state file that is removed at the end of the test.
struct StateFile(PathBuf);

impl StateFile {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sandbox-{}-{name}.jsonl", process::id()));
        // a leftover of an earlier run with the same process id would be replayed
        drop(fs::remove_file(&path));
        Self(path)
    }

    fn open(&self, at_ms: i64) -> World {
        World::open(Some(&self.0), at_ms)
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// Everything one can see of the books.
async fn seen(world: &World) -> (Vec<Value>, Vec<String>, Value, Vec<String>) {
    let mut balances = Vec::new();
    for account in accounts()
        .iter()
        .filter(|account| account.protocol == Protocol::HandlerApi)
    {
        balances.push(world.balance(account.name).await);
    }
    balances.push(world.panel("action=balance").await.to_string());
    let orders = world.panel("action=orders").await;
    (
        world.sold().await,
        balances,
        orders,
        world.active("paul").await,
    )
}

#[tokio::test]
async fn a_restarted_sandbox_goes_on_with_orders_ids_codes_and_balances() {
    let file = StateFile::new("goes-on");
    let world = file.open(START_MS);
    let (received, _) = world.buy("paul", "6", "tg").await;
    let (second, _) = world.buy("paul", "6", "sbsecond").await;
    let (cancelled, _) = world.buy("romeo", "13", "sbnever").await;
    world.buy("paul", "6", "sbcancelled").await;
    let (partial, regress) = (
        world.place("partial%3A157").await,
        world.place("regress").await,
    );
    let dropped = world.place("never").await;
    world.pass(10_000);
    world.set_status("romeo", &cancelled, 8).await;
    world.set_status("paul", &second, 3).await;
    world.order(regress).await;
    world.panel(&format!("action=cancel&order={dropped}")).await;
    let code = world.status("paul", &received).await;
    world
        .control(
            "POST",
            "/_sandbox/balance",
            r#"{"upstream":"mark","balance":"7.5"}"#,
        )
        .await;
    world.pass(2_000);
    let before = seen(&world).await;
    drop(world);

    let world = file.open(START_MS + 12_000);
    assert_eq!(seen(&world).await, before);
    assert_eq!(world.status("paul", &received).await, code);
    assert_eq!(
        world.order(partial).await["status"].as_str(),
        Some("Partial")
    );
    assert_eq!(
        world.order(regress).await["status"].as_str(),
        Some("In progress")
    );
    assert_eq!(world.balance("mark").await, "7.5000");
    world.pass(6_000);
    assert!(
        world
            .status("paul", &second)
            .await
            .starts_with("STATUS_OK:")
    );
    let (next, _) = world.buy("paul", "6", "tg").await;
    assert!(next.parse::<u64>().unwrap() > cancelled.parse().unwrap());
    assert!(world.place("").await > dropped);
}

#[tokio::test]
async fn what_falls_due_while_it_is_down_has_happened_after_the_start() {
    let file = StateFile::new("due");
    let world = file.open(START_MS);
    world.buy("paul", "6", "sbnever").await;
    world.place("canceled").await;
    drop(world);
    let world = file.open(START_MS + 3_600_000);
    assert_eq!(world.balance("paul").await, "100000.0000");
    assert!(world.panel("action=balance").await["balance"].as_str() == Some("100000.00"));
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off_and_writing_goes_on_behind_it() {
    let file = StateFile::new("torn");
    file.open(START_MS).buy("paul", "6", "tg").await;
    let whole = fs::read_to_string(&file.0).unwrap();
    let long = format!("{{\"event\":\"{}", "x".repeat(500));
    for torn in [
        "{\"event\":\"number_so",
        "\0\0\0\0",
        "{\"event\":
",
        &long,
    ] {
        fs::write(&file.0, format!("{whole}{torn}")).unwrap();
        let world = file.open(START_MS + 1);
        assert_eq!(world.sold().await.len(), 1);
        world.buy("paul", "6", "tg").await;
        drop(world);
        assert_eq!(file.open(START_MS + 2).sold().await.len(), 2, "{torn:?}");
    }
}

#[tokio::test]
async fn a_damaged_line_in_the_middle_is_an_error_that_names_it() {
    let file = StateFile::new("damaged");
    let world = file.open(START_MS);
    world.buy("paul", "6", "tg").await;
    world.buy("paul", "6", "tg").await;
    drop(world);
    let damaged = fs::read_to_string(&file.0)
        .unwrap()
        .replacen("number_sold", "number_eaten", 1);
    fs::write(&file.0, damaged).unwrap();
    let clock: Clock = Arc::new(|| START_MS);
    let error = Sandbox::open(Some(&file.0), 1, clock).err().unwrap();
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[tokio::test]
async fn the_seed_of_the_file_holds() {
    let file = StateFile::new("seed");
    let world = file.open(START_MS);
    let (id, _) = world.buy("paul", "6", "tg").await;
    world.pass(4_000);
    let code = world.status("paul", &id).await;
    drop(world);
    let clock: Clock = Arc::new(|| START_MS + 5_000);
    let sandbox = Sandbox::open(Some(&file.0), 999, clock).unwrap();
    let world = World::around(sandbox, Arc::new(AtomicI64::new(0)));
    assert_eq!(world.status("paul", &id).await, code);
}

#[tokio::test]
async fn a_file_that_is_in_use_is_refused() {
    let file = StateFile::new("in-use");
    let world = file.open(START_MS);
    let clock: Clock = Arc::new(|| START_MS);
    let error = Sandbox::open(Some(&file.0), 1, clock).err().unwrap();
    assert!(error.to_string().contains("in use"), "{error}");
    drop(world);
    file.open(START_MS);
}

/// One step of a random walk: buys, wishes, orders, cancels, reads, or lets time pass.
async fn step(world: &World, bits: u64, numbers: &mut Vec<String>, orders: &mut Vec<u64>) {
    const SERVICES: [&str; 6] = [
        "tg",
        "sbnever",
        "sblate",
        "sbcancelled",
        "sbsecond",
        "sblostafter",
    ];
    const SCRIPTS: [&str; 5] = ["", "partial%3A157", "canceled", "remains%3A-5", "never"];
    let choice = |count: usize| usize::try_from(bits >> 8).unwrap() % count;
    match bits % 8 {
        0 | 1 => {
            let service = SERVICES[choice(SERVICES.len())];
            let query = format!("action=getNumber&country=6&service={service}");
            let response = world.raw("paul", &query).await;
            if !hung_up(&response) {
                let answer = text_of(response).await;
                numbers.push(answer.split(':').nth(1).unwrap().to_owned());
            }
        }
        2 | 3 if !numbers.is_empty() => {
            let status = [1, 3, 6, 8][choice(4)];
            world
                .set_status("paul", &numbers[choice(numbers.len())], status)
                .await;
        }
        4 => orders.push(world.place(SCRIPTS[choice(SCRIPTS.len())]).await),
        5 if !orders.is_empty() => {
            world
                .panel(&format!(
                    "action=cancel&order={}",
                    orders[choice(orders.len())]
                ))
                .await;
        }
        6 if !orders.is_empty() => {
            world.order(orders[choice(orders.len())]).await;
        }
        _ => world.pass(i64::try_from(choice(20_000)).unwrap()),
    }
}

/// What is missing from the balances is what the sold things cost: refunds are exact.
async fn assert_books_balance(world: &World) {
    let micros = |text: &str| domain::usd::Usd::parse(text).unwrap().0;
    let start = 100_000_000_000;
    let sold = world.sold().await;
    let kept: i64 = sold
        .iter()
        .filter(|row| {
            row["kind"] == "otp" && row["status"] != "cancelled" && row["status"] != "expired"
        })
        .map(|row| micros(row["cost"].as_str().unwrap()))
        .sum();
    assert_eq!(micros(&world.balance("paul").await), start - kept);
    let orders = world.panel("action=orders").await;
    let charges = orders.as_array().unwrap().iter();
    let charged: i64 = charges
        .map(|row| micros(row["charge"].as_str().unwrap()))
        .sum();
    let balance = world.panel("action=balance").await;
    assert_eq!(
        micros(balance["balance"].as_str().unwrap()),
        start - charged
    );
}

#[tokio::test]
async fn a_random_day_survives_restarts_and_its_books_balance() {
    for seed in 0..6 {
        let file = StateFile::new(&format!("walk-{seed}"));
        let mut world = file.open(START_MS);
        let (mut numbers, mut orders) = (Vec::new(), Vec::new());
        for round in 0..8 {
            for turn in 0..40 {
                let bits = crate::mix::mix(&[seed, round, turn]);
                step(&world, bits, &mut numbers, &mut orders).await;
            }
            assert_books_balance(&world).await;
            let before = seen(&world).await;
            let now = world.time_ms.load(Ordering::SeqCst);
            drop(world);
            world = file.open(now);
            assert_eq!(seen(&world).await, before, "seed {seed}, round {round}");
        }
        assert!(numbers.len() > 30 && orders.len() > 15);
    }
}
