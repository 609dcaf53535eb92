use super::*;

fn place(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tollgate-files-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

fn change(service: &str, from: i64, to: i64) -> CostChange {
    CostChange {
        country_id: "61".into(),
        country_key: "pakistan".into(),
        service_id: "ds".into(),
        service_name: service.into(),
        pool_id: None,
        from: Usd(from),
        to: Usd(to),
    }
}

fn all() -> ChangesOf {
    ChangesOf {
        limit: 100,
        ..ChangesOf::default()
    }
}

const MONTH: History = History {
    days: 30,
    bytes: 1 << 30,
};

#[test]
fn a_listing_is_replaced_whole_and_thrown_away_when_broken() {
    let path = place("listing");
    let files = CatalogueFiles::new(&path, MONTH);
    assert_eq!(files.kept().unwrap(), Vec::<Vec<u8>>::new());
    files.keep("peter1", b"one").unwrap();
    files.keep("peter1", b"two").unwrap();
    files.keep("paul", b"three").unwrap();
    let mut kept = files.kept().unwrap();
    kept.sort();
    assert_eq!(kept, [b"three".to_vec(), b"two".to_vec()]);
    let broken = path.join("listings/paul.bin");
    let mut bytes = fs::read(&broken).unwrap();
    bytes[40 - DIGEST] ^= 1;
    fs::write(&broken, bytes).unwrap();
    assert_eq!(files.kept().unwrap(), [b"two".to_vec()]);
    assert!(!broken.exists());
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn changes_come_newest_first_filtered_and_bounded() {
    let path = place("history");
    let files = CatalogueFiles::new(&path, MONTH);
    let note = |at, changes: &[CostChange]| files.note("paul", Timestamp(at), changes).unwrap();
    note(DAY_MS, &[change("Discord", 1, 2)]);
    note(2 * DAY_MS, &[change("Tele\tgram\n", 3, 4)]);
    note(2 * DAY_MS + 1, &[change("Discord", 2, 5)]);
    let found = files.changes(&all()).unwrap();
    let costs: Vec<i64> = found.iter().map(|noted| noted.change.to.0).collect();
    assert_eq!(costs, [5, 4, 2]);
    assert_eq!(&*found[1].change.service_name, "Tele gram ");
    let discord = ChangesOf {
        service: Some("DISCORD".into()),
        since: Timestamp(2 * DAY_MS),
        ..all()
    };
    assert_eq!(files.changes(&discord).unwrap(), [found[0].clone()]);
    assert_eq!(
        files
            .changes(&ChangesOf { limit: 1, ..all() })
            .unwrap()
            .len(),
        1
    );
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn history_ends_where_it_is_too_old_or_too_long() {
    let path = place("bounds");
    let short = CatalogueFiles::new(&path, History { days: 2, ..MONTH });
    for day in 0..5 {
        short
            .note(
                "paul",
                Timestamp(day * DAY_MS),
                &[change("Discord", day, 9)],
            )
            .unwrap();
    }
    let left = short.changes(&all()).unwrap();
    let days: Vec<i64> = left.iter().map(|noted| noted.at.0 / DAY_MS).collect();
    assert_eq!(days, [4, 3]);
    let small = CatalogueFiles::new(&path, History { bytes: 1, ..MONTH });
    small
        .note("paul", Timestamp(5 * DAY_MS), &[change("Discord", 5, 9)])
        .unwrap();
    assert_eq!(small.changes(&all()).unwrap().len(), 1);
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn the_latest_class_of_a_service_holds() {
    let path = place("classes");
    let files = CatalogueFiles::new(&path, MONTH);
    assert_eq!(files.classes().unwrap(), []);
    files.classify("Chatty", OtpClass::Dating).unwrap();
    files.classify("Chatty", OtpClass::SocialMessaging).unwrap();
    let expected = [("Chatty".to_owned(), OtpClass::SocialMessaging)];
    assert_eq!(files.classes().unwrap(), expected);
    fs::remove_dir_all(path).unwrap();
}
