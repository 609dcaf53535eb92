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
        .filter(|account| account.server != "panel")
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
    for torn in [r#"{"event":"number_so"#, "\0\0\0\0", "{\"event\":\n"] {
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
    let time_ms = Arc::new(AtomicI64::new(0));
    let world = World {
        time_ms,
        router: router(Arc::new(sandbox)),
    };
    assert_eq!(world.status("paul", &id).await, code);
}
