//! What a wallet tells of itself.

use domain::ids::AccountId;
use domain::ports::PageRows;
use domain::time::Timestamp;
use domain::usd::Usd;

use super::{PRICE, World, wait};
use crate::Database;

/// Every event, newest first, and from any of them on.
pub(crate) fn a_statement_tells_every_event_of_its_owner(store: &Database) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd(100_000)), world.customer(Usd(7)));
    let order = world.calling(ana);
    let events =
        |account: AccountId, from, limit| wait(store.statement(account, from, limit)).unwrap();
    let all = events(ana, None, 10);
    let seen: Vec<_> = all
        .iter()
        .map(|row| (row.kind.as_str(), row.available.0, row.held.0))
        .collect();
    assert_eq!(seen, [("hold", -PRICE.0, PRICE.0), ("credit", 100_000, 0)]);
    assert_eq!(all[0].available_now, Usd(100_000 - PRICE.0));
    assert_eq!(all[0].order, Some((order.id, "Discord".to_owned())));
    assert_eq!(events(ana, None, 1), all[..1]);
    assert_eq!(events(ana, all[0].previous, 10), all[1..]);
    assert_eq!(all[1].previous, None);
    assert_eq!(events(bob, Some(all[0].event), 10), []);

    let holds = wait(store.open_holds(ana, 10)).unwrap();
    assert_eq!(
        (holds.len(), holds[0].order, holds[0].amount),
        (1, order.id, PRICE)
    );
    assert_eq!(wait(store.spent(ana, Timestamp(0), 10)).unwrap(), []);
    let sold = world.activation(order.id);
    let refused = sold.refused(domain::order::Failure::NoNumbers, "none", "raw".into());
    world.commit(refused).unwrap();
    assert_eq!(wait(store.open_holds(ana, 10)).unwrap(), []);
}
