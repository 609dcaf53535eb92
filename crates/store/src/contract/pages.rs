//! What a wallet tells of itself.

use domain::books::DAY_MS;
use domain::change::Write;
use domain::ids::{AccountId, OrderId};
use domain::ports::PageRows;
use domain::time::{Millis, Timestamp};
use domain::upstream::{PanelStatus, Progress, Sms};
use domain::usd::Usd;

use super::{NOW, Outcome, PLAN, PRICE, World, number, smm_plan, wait};
use crate::Database;

const TODAY: i64 = NOW.0 / DAY_MS;

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
    assert_eq!(wait(store.spent(ana, (0, TODAY))).unwrap(), []);
    let sold = world.activation(order.id);
    let refused = sold.refused(domain::order::Failure::NoNumbers, "none", "raw".into());
    world.commit(refused).unwrap();
    assert_eq!(wait(store.open_holds(ana, 10)).unwrap(), []);
}

/// A number that was ordered on a day and got its code.
fn received(world: &World<'_>, account: AccountId, days_ago: i64, name: &str) -> OrderId {
    let mut new = world.new_activation(account);
    new.created_at = NOW - Millis(days_ago * DAY_MS);
    let id = new.id;
    world.commit(new.open(&PLAN)).unwrap();
    let number = number(name, &format!("+92300{:07}", id.0));
    let bought = world
        .activation(id)
        .bought(&number, &PLAN, NOW, "raw".into());
    world.commit(bought).unwrap();
    let sms = Sms {
        code: "1234".into(),
        text: None,
    };
    let seen = world.activation(id).message_seen(sms, &PLAN, NOW);
    world.commit(seen).unwrap();
    id
}

/// An SMM order that first gave back a half and then a quarter more.
pub(super) fn partial(
    world: &World<'_>,
    account: AccountId,
    commit: impl Fn(Timestamp, Vec<Write>) -> Outcome,
) {
    let (link, panel_id) = (
        format!("https://example.com/{account}"),
        format!("5{account}"),
    );
    let id = world.accepted(account, &link, &panel_id).id;
    for (seconds, remains) in [(0, 500), (3, 500), (6, 750), (9, 750)] {
        let now = NOW + Millis::seconds(seconds);
        let status = PanelStatus {
            progress: Some(Progress::Partial),
            raw_status: "Partial".into(),
            remains: Some(remains),
            start_count: Some(12),
            charge: Some(Usd(20_000)),
            children: Vec::new(),
            child_ids: Vec::new(),
        };
        let seen = world.smm_order(id).observed(&status, &smm_plan(), 77, now);
        commit(now, seen).unwrap();
    }
    assert_eq!(world.smm_order(id).adjustments, 1);
}

/// However many orders there were, a day and a service are one row, less what came back.
pub(crate) fn spending_is_summed_up_with_every_order(store: &Database) {
    let world = World::new(store);
    let (ana, bob) = (
        world.customer(Usd(PRICE.0 * 20)),
        world.customer(Usd(PRICE.0)),
    );
    received(&world, ana, 1, "yesterday");
    received(&world, bob, 0, "bobs");
    std::thread::scope(|scope| {
        for place in 0..6 {
            let world = World::new(store);
            scope.spawn(move || received(&world, ana, 0, &format!("u{place}")));
        }
    });
    partial(&world, ana, |at, writes| world.commit_at(at, writes));
    let released = world.calling(ana);
    let failure = domain::order::Failure::NoNumbers;
    let refused = released.refused(failure, "none", "raw".into());
    world.commit(refused).unwrap();

    let spent = |account, days| -> Vec<(i64, String, u64, i64)> {
        let sums = wait(store.spent(account, days)).unwrap();
        let sums = sums.into_iter();
        sums.map(|sum| (sum.day, sum.service, sum.orders, sum.amount.0))
            .collect()
    };
    let numbers = |day, orders: u64| {
        let amount = PRICE.0 * i64::try_from(orders).unwrap();
        (day, "Discord".to_owned(), orders, amount)
    };
    let followers = (TODAY, "Followers".to_owned(), 1, PRICE.0 / 4);
    let today = [numbers(TODAY, 6), followers];
    assert_eq!(spent(ana, (TODAY, TODAY)), today);
    let both = [&today[..], &[numbers(TODAY - 1, 1)]].concat();
    assert_eq!(spent(ana, (TODAY - 29, TODAY)), both);
    assert_eq!(spent(ana, (TODAY - 29, TODAY - 2)), []);
    assert_eq!(spent(bob, (TODAY - 1, TODAY)), [numbers(TODAY, 1)]);
    world.audited();
}
