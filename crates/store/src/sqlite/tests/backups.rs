//! Backups made while orders are written, and what is done to one that is brought back.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::activation::ActivationState;
use domain::change::{CommitError, Refused};
use domain::ids::OrderId;
use domain::ports::Store;
use domain::usd::Usd;

use super::Folder;
use crate::contract::{NOW, PLAN, PRICE, World, number, wait};
use crate::{BackupError, Database};

fn copy_in(folder: &Folder) -> PathBuf {
    folder.path().join("copy.db")
}

#[test]
fn a_backup_under_load_is_one_moment_of_the_books() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    let ana = world.customer(Usd(PRICE.0 * 100_000));
    let stop = AtomicBool::new(false);
    let file = copy_in(&folder);
    let copied = std::thread::scope(|scope| {
        let buyer = scope.spawn(|| {
            let world = World::new(&store);
            let mut bought = 0;
            while !stop.load(Ordering::Relaxed) || bought < 50 {
                world.calling(ana);
                bought += 1;
            }
            bought
        });
        while wait(store.wallet(ana)).unwrap().unwrap().held == Usd::ZERO {
            std::thread::yield_now();
        }
        let copied = store.back_up(&file, NOW);
        stop.store(true, Ordering::Relaxed);
        assert!(buyer.join().unwrap() >= 50);
        copied.unwrap()
    });
    assert!(copied.audit.open_holds > 0);
    assert_eq!(copied.bytes, file.metadata().unwrap().len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = store.back_up(&file, NOW).unwrap_err();
    assert!(matches!(again, BackupError::Exists(_)), "{again}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("copy.db"))
        .collect();
    assert_eq!(left, ["copy.db"], "nothing else stays behind");
}

#[test]
fn what_is_brought_back_cannot_be_written_by_those_of_before() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    let ana = world.customer(Usd(PRICE.0 * 10));
    let calling = world.calling(ana);
    let active = world.active(ana, &number("u1", "+923001234567"));
    let file = copy_in(&folder);
    store.back_up(&file, NOW).unwrap();
    // what the backup does not know
    let lost = world.calling(ana);
    drop(store);

    let in_use = Database::restore(folder.path(), &file, NOW, false).unwrap_err();
    assert!(matches!(in_use, BackupError::InUse(_)), "{in_use}");
    let restored = Database::restore(folder.path(), &file, NOW, true).unwrap();
    assert_eq!(restored.audit.open_holds, 2);
    assert!(restored.kept_aside.unwrap().exists());

    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    assert_eq!(store.restored_at(), Some(NOW));
    assert_eq!(wait(store.activation(lost.id)).unwrap(), None);
    assert_eq!(world.money(ana), (PRICE.0 * 8, PRICE.0 * 2));
    let OrderId(next) = store.next_order_id();
    assert!(
        next > lost.id.0 + 1_000_000,
        "{next} may have been given out"
    );
    assert!(next > restored.orders_after);
    let number = number("u2", "+923001234568");
    let stale = world.commit(calling.bought(&number, &PLAN, NOW, String::new()));
    assert_eq!(stale, Err(CommitError::Refused(Refused::Stale)));
    assert!(world.activation(active.id).version > active.version);
    assert_eq!(world.activation(active.id).state, ActivationState::Active);
    world.audited();
}

#[test]
fn what_is_no_backup_is_not_brought_back() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let file = copy_in(&folder);
    store.back_up(&file, NOW).unwrap();
    drop(store);
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is no database at all, not by far").unwrap();
    for wrong in [empty, text] {
        let refused = Database::restore(folder.path(), &wrong, NOW, true).unwrap_err();
        assert!(matches!(refused, BackupError::NoBackup { .. }), "{refused}");
    }
    // a wallet that somebody made richer
    let intruder = rusqlite::Connection::open(&file).unwrap();
    let sql = "INSERT INTO account VALUES (9, 'x@example.com', 3, 1, 0, 0); \
               INSERT INTO wallet (account_id, available, held, receivable, chain) \
               VALUES (9, 5, 0, 0, zeroblob(32))";
    intruder.execute_batch(sql).unwrap();
    drop(intruder);
    let refused = Database::restore(folder.path(), &file, NOW, true).unwrap_err();
    assert!(matches!(refused, BackupError::Books(_)), "{refused}");
    let store = Database::open(folder.path()).unwrap();
    assert_eq!(store.restored_at(), None, "what was there is there still");
    let locked = Database::restore(folder.path(), &file, NOW, true).unwrap_err();
    assert!(locked.to_string().contains("in use"), "{locked}");
}
