//! The audit finds what an intruder changes past the store, and the triggers stand in the way.

use domain::ports::Store;
use domain::usd::Usd;

use super::{intruder, private};
use crate::Database;
use crate::contract::{NOW, PRICE, World, wait};

#[test]
fn an_intruder_is_found() {
    let settings = private().database();
    let store = Database::connect(&settings).unwrap();
    let world = World::new(&store);
    let ana = world.customer(Usd(PRICE.0 * 3));
    world.calling(ana);
    world.audited();
    let intruder = intruder(&settings);
    for sql in [
        "UPDATE entry SET amount = amount + 1",
        "DELETE FROM hold",
        "TRUNCATE credit",
    ] {
        let refused = intruder.batch(sql).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    let found = |tampering: &str| -> Vec<&'static str> {
        intruder.batch(tampering).unwrap();
        let found = wait(store.audit(NOW)).unwrap().violations;
        found.iter().map(|found| found.rule).collect()
    };
    let wallet = found("UPDATE wallet SET available = available + 1");
    assert_eq!(wallet, ["I-04"]);
    let off = found("ALTER TABLE entry DISABLE TRIGGER entry_append_only");
    assert_eq!(off, ["I-02", "I-04"]);
    let gone = found("DROP TRIGGER hold_kept ON hold; ALTER TABLE entry ENABLE TRIGGER ALL");
    assert_eq!(gone, ["I-02", "I-04"]);
    let hollow = "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql \
                  AS 'BEGIN RETURN NULL; END'";
    assert_eq!(found(hollow), ["I-02", "I-02", "I-04"]);
}
