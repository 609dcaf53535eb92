//! Secrets: where they may come from, and that they never show.

use super::*;

fn with_key(key: &str) -> String {
    upstream("").replace("key='k'", key)
}

#[test]
fn a_secret_never_shows() {
    let place = Place::new();
    let settings = place.read(&with_key("key='geheim'")).unwrap();
    assert_eq!(settings.upstream("p1").unwrap().key.expose(), "geheim");
    let debug = format!("{settings:?} {}", settings.keys.pepper);
    assert!(debug.contains("***") && !debug.contains("geheim") && !debug.contains(PEPPER));
    let entry = settings
        .describe()
        .iter()
        .find(|entry| entry.key == "upstreams.p1.key")
        .unwrap();
    assert_eq!((entry.value.as_str(), entry.origin), ("***", Origin::File));
}

#[test]
fn a_secret_comes_from_a_private_file_or_the_environment() {
    let place = Place::new();
    place.file("own.key", "geheim", 0o600);
    place.file("group.key", "geheim\r\n", 0o640);
    for (key, value, origin) in [
        ("key_file='own.key'", "geheim", Origin::SecretFile),
        ("key_file='group.key'", "geheim", Origin::SecretFile),
        ("key_env='PEER_KEY'", "from-outside", Origin::Environment),
    ] {
        let settings = place.read(&with_key(key)).unwrap();
        assert_eq!(settings.upstream("p1").unwrap().key.expose(), value);
        let mut entries = settings.describe().iter();
        let entry = entries
            .find(|entry| entry.key == "upstreams.p1.key")
            .unwrap();
        assert_eq!((entry.value.as_str(), entry.origin), ("***", origin));
    }
}

#[test]
fn a_secret_that_others_can_reach_is_refused_with_the_way_out() {
    let place = Place::new();
    for mode in [0o644, 0o604, 0o602, 0o620, 0o666] {
        let path = place.file("open.key", "geheim", mode).display().to_string();
        let expected = format!(
            "upstreams.p1.key_file: names {path}, which is open to other users of this machine \
             (mode {mode:04o}); run: chmod 600 {path}"
        );
        place.refuses(&with_key("key_file='open.key'"), &expected);
    }
}

#[test]
fn a_secret_that_is_none_is_refused() {
    let place = Place::new();
    place.file("empty.key", "\n", 0o600);
    place.file("two.key", "one\ntwo\n", 0o600);
    place.file("long.key", &"x".repeat(5000), 0o600);
    fs::create_dir(place.0.join("directory")).unwrap();
    fs::set_permissions(place.0.join("directory"), fs::Permissions::from_mode(0o700)).unwrap();
    for (key, setting, part) in [
        (
            "key_file='none.key'",
            "key_file",
            "which cannot be read: No such file",
        ),
        (
            "key_file='directory'",
            "key_file",
            "not a file of at most 4096 bytes",
        ),
        ("key_file='empty.key'", "key_file", "gives an empty secret"),
        ("key_file='two.key'", "key_file", "must be one line"),
        (
            "key_file='long.key'",
            "key_file",
            "not a file of at most 4096 bytes",
        ),
        (
            "key_file=7",
            "key_file",
            "must be text in quotes, not a whole number",
        ),
        (
            "key_env='NOBODY'",
            "key_env",
            "variable NOBODY, which is not set",
        ),
        ("key=''", "key", "gives an empty secret"),
        ("key='a b'", "key", "must be one line of visible ASCII"),
        (
            "key='a'\nkey_env='PEER_KEY'",
            "key",
            "give only one of key, key_file and key_env",
        ),
    ] {
        let problems = place.problems(&with_key(key));
        assert_eq!(problems.len(), 1, "{key}: {problems:?}");
        assert!(
            problems[0].starts_with(&format!("upstreams.p1.{setting}: ")),
            "{problems:?}"
        );
        assert!(problems[0].contains(part), "{problems:?}");
    }
}

#[test]
fn a_pepper_is_long_and_has_to_be_there() {
    let place = Place::new();
    place.refuses(
        "keys.pepper='short'",
        "keys.pepper: must be at least 32 characters long",
    );
    fs::remove_file(place.0.join("tollgate.pepper")).unwrap();
    let problems = place.problems("");
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("keys.pepper_file: names "),
        "{problems:?}"
    );
    assert!(
        problems[0].contains("which cannot be read: No such file"),
        "{problems:?}"
    );
}
