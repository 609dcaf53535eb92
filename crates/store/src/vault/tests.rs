//! Sealed cells open for their own row and key, and for nothing else.

use super::chain::day_of;
use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

const DAY: Millis = Millis::minutes(24 * 60);
const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A directory of its own, removed at the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tollgate-vault-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn vault(&self, keys: &str, now: Timestamp) -> Vault {
        Vault::open(keys, &self.0, DAY, now).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn cell(row: &str) -> Cell {
    Cell {
        table: "message",
        column: "code",
        row: row.to_owned(),
    }
}

fn plain(text: &str) -> Found {
    Found::Plain(text.as_bytes().to_vec())
}

#[test]
fn a_sealed_cell_opens_in_its_own_row_only() {
    let (place, keys) = (Place::new(), fresh_keys().unwrap());
    let vault = place.vault(&keys, NOW);
    let text = vault.seal(&cell("1"), b"415127").unwrap();
    assert!(!text.contains("415127"));
    assert_ne!(text, vault.seal(&cell("1"), b"415127").unwrap());
    assert_eq!(vault.unseal(&cell("1"), &text), plain("415127"));
    let elsewhere = [
        cell("2"),
        Cell {
            column: "text",
            ..cell("1")
        },
        Cell {
            table: "person",
            ..cell("1")
        },
    ];
    for other in &elsewhere {
        assert!(matches!(vault.unseal(other, &text), Found::Wrong(_)));
    }
    let forged = [
        text.replace("k1", "k9"),
        text[..text.len() - 4].to_owned(),
        "415127".to_owned(),
    ];
    for bad in &forged {
        assert!(
            matches!(vault.unseal(&cell("1"), bad), Found::Wrong(_)),
            "{bad}"
        );
    }
}

#[test]
fn a_code_is_gone_once_its_day_is_and_nobody_gets_it_back() {
    let (place, keys) = (Place::new(), fresh_keys().unwrap());
    let vault = place.vault(&keys, NOW);
    let today = day_of(NOW);
    let text = vault
        .seal_for(today, &cell("1"), b"415127")
        .unwrap()
        .unwrap();
    let later = vault
        .seal_for(today + 1, &cell("1"), b"later")
        .unwrap()
        .unwrap();
    assert_eq!(vault.unseal(&cell("1"), &text), plain("415127"));
    assert!(
        !vault.forget(NOW + Millis(DAY.0 - 1)).unwrap()
            || vault.unseal(&cell("1"), &text) != Found::Gone
    );
    assert!(vault.forget(NOW + Millis(2 * DAY.0)).unwrap());
    assert_eq!(vault.unseal(&cell("1"), &text), Found::Gone);
    assert_eq!(vault.unseal(&cell("1"), &later), plain("later"));
    // what comes for a day that is forgotten is kept as long as what comes now
    let late = vault.seal_for(today, &cell("1"), b"x").unwrap().unwrap();
    assert!(late.starts_with(&format!("sealed:d{}-", vault.oldest_day())));
    // whoever has the database, the lasting keys and today's file
    let again = place.vault(&keys, NOW + Millis(2 * DAY.0));
    assert_eq!(again.unseal(&cell("1"), &text), Found::Gone);
    assert_eq!(again.unseal(&cell("1"), &later), plain("later"));
}

#[test]
fn nodes_that_began_with_one_file_have_the_same_keys() {
    let (first, second, keys) = (Place::new(), Place::new(), fresh_keys().unwrap());
    let one = first.vault(&keys, NOW);
    std::fs::create_dir_all(&second.0).unwrap();
    std::fs::copy(first.0.join("chain"), second.0.join("chain")).unwrap();
    let other = second.vault(&keys, NOW);
    one.forget(NOW + Millis(3 * DAY.0)).unwrap();
    let day = day_of(NOW) + 5;
    let text = one.seal_for(day, &cell("1"), b"415127").unwrap().unwrap();
    assert_eq!(other.unseal(&cell("1"), &text), plain("415127"));
    let stranger = Place::new();
    let foreign = stranger.vault(&keys, NOW).unseal(&cell("1"), &text);
    assert!(matches!(foreign, Found::Wrong(why) if why.contains("another directory")));
}

#[test]
fn new_keys_seal_and_old_ones_still_open() {
    let (place, keys) = (Place::new(), fresh_keys().unwrap());
    let vault = place.vault(&keys, NOW);
    let (text, hashed) = (
        vault.seal(&cell("1"), b"seed").unwrap(),
        vault.hashed("14155550100"),
    );
    let more = with_new_key(&keys).unwrap();
    assert_eq!(vault.take_keys(&more).unwrap(), 2);
    assert!(!vault.is_outdated(&text));
    vault.seal_with_newest();
    assert!(vault.is_outdated(&text));
    assert_eq!(vault.unseal(&cell("1"), &text), plain("seed"));
    let again = vault.seal(&cell("1"), b"seed").unwrap();
    assert!(!vault.is_outdated(&again) && again.starts_with("sealed:k2:"));
    assert_eq!(vault.hashed("14155550100"), hashed);
    assert_ne!(vault.hashed("14155550101"), hashed);
    for bad in [
        "",
        "1:00",
        &keys.replace("index", "2"),
        &format!("{keys},1:{}", "0".repeat(64)),
    ] {
        assert!(vault.take_keys(bad).is_err(), "{bad}");
    }
}

#[test]
fn while_a_key_goes_round_every_node_opens_what_any_of_them_seals() {
    let (place, keys) = (Place::new(), fresh_keys().unwrap());
    let (one, other) = (place.vault(&keys, NOW), place.vault(&keys, NOW));
    let more = with_new_key(&keys).unwrap();
    let opened_by_both = |by: &Vault| {
        let text = by.seal(&cell("1"), b"seed").unwrap();
        for vault in [&one, &other] {
            assert_eq!(vault.unseal(&cell("1"), &text), plain("seed"), "{text}");
        }
        text
    };
    one.take_keys(&more).unwrap();
    opened_by_both(&one);
    opened_by_both(&other);
    other.take_keys(&more).unwrap();
    one.seal_with_newest();
    let newer = opened_by_both(&one);
    // it is not taken for one that has to be sealed anew
    assert!(newer.starts_with("sealed:k2:") && !other.is_outdated(&newer));
    opened_by_both(&other);
    // a file of before would lock out whoever was sealed meanwhile
    assert!(one.take_keys(&keys).is_err());
}

#[cfg(unix)]
#[test]
fn a_file_of_keys_that_others_can_open_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (place, keys) = (Place::new(), fresh_keys().unwrap());
    drop(place.vault(&keys, NOW));
    let file = place.0.join("chain");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&place.0)), (0o600, 0o700));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let opened = Vault::open(&keys, &place.0, DAY, NOW);
    assert!(matches!(opened, Err(VaultError::Open { .. })));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&file, "nonsense").unwrap();
    assert!(matches!(
        Vault::open(&keys, &place.0, DAY, NOW),
        Err(VaultError::NoChain { .. })
    ));
}

#[test]
fn a_clock_that_was_ahead_once_loses_no_code_afterwards() {
    let (place, keys) = (Place::new(), fresh_keys().unwrap());
    let ahead = NOW + Millis(30 * DAY.0);
    assert!(place.vault(&keys, NOW).forget(ahead).unwrap());
    let vault = place.vault(&keys, NOW);
    let sealed = vault.seal_for(day_of(NOW), &cell("7"), b"1234").unwrap();
    let sealed = sealed.expect("there is a key for it");
    assert_eq!(
        vault.unseal(&cell("7"), &sealed),
        Found::Plain(b"1234".to_vec())
    );
    // and ends with the day whose key it was sealed under
    assert!(vault.forget(ahead + Millis(2 * DAY.0)).unwrap());
    assert_eq!(vault.unseal(&cell("7"), &sealed), Found::Gone);
}

#[test]
fn a_key_that_stayed_in_the_file_is_thrown_away_later() {
    let (place, keys) = (Place::new(), fresh_keys().unwrap());
    let vault = place.vault(&keys, NOW);
    let later = NOW + Millis(3 * DAY.0);
    std::fs::remove_dir_all(&place.0).unwrap();
    assert!(vault.forget(later).is_err());
    std::fs::create_dir(&place.0).unwrap();
    assert!(vault.forget(later).unwrap());
    assert!(!vault.forget(later).unwrap());
    assert_eq!(place.vault(&keys, later).oldest_day(), vault.oldest_day());
}
