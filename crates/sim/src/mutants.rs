//! The mutants: the engine with one rule taken out. Each must be noticed by the checks; one that
//! survives shows that a check is missing.

use domain::change::{Change, Write};
use domain::ids::OrderId;
use domain::ledger::{Cause, Entry};
pub use domain::mutant::{lacks_rule, set_active};
use domain::ports::Store;

/// Number, the rule that is taken out.
pub const MUTANTS: [(u8, &str); 62] = [
    (
        1,
        "the cancel path discloses a code that came before the number was shown",
    ),
    (2, "a purchase that timed out is released at once"),
    (
        3,
        "a cancel is refunded without the upstream's confirmation",
    ),
    (4, "an upstream id may be linked twice"),
    (5, "no fencing epoch"),
    (6, "whatever code is there is disclosed"),
    (7, "no orphan sweep"),
    (8, "a purchase that timed out is sent again"),
    (
        9,
        "one list without a candidate means that nothing was bought",
    ),
    (
        10,
        "the end of the lifetime releases without asking the upstream",
    ),
    (11, "codes are disclosed while a cancel runs"),
    (12, "a hold may be resolved twice"),
    (
        13,
        "a purchase whose client was told \"failed\" is not undone",
    ),
    (14, "an error text on no list counts as a refusal"),
    (15, "an id cut short is accepted"),
    (16, "candidates may be older than the purchase"),
    (17, "the next route is tried after an unknown outcome"),
    (
        18,
        "the idempotency key is claimed after the hold, outside its transaction",
    ),
    (19, "a purchase in doubt is replayed as failed"),
    (20, "timers follow the machine's clock"),
    (
        21,
        "a later refund is paid whole instead of as a difference",
    ),
    (22, "a refund is rounded up"),
    (23, "a final status counts when it is first seen"),
    (26, "a client that hung up counts as answered"),
    (27, "a number alive for another customer is sold"),
    (28, "a list that fails counts as empty"),
    (29, "a code on a purchase that is being undone is charged"),
    (30, "an order the panel does not find counts as cancelled"),
    (31, "a status may fall back"),
    (32, "a cancel that is too early is refunded"),
    (33, "the cost of an orphan is not booked"),
    (34, "a charge above the quote is not booked"),
    (
        35,
        "undelivered units above the quantity are refunded as they are",
    ),
    (36, "balances are not compared with the books"),
    (37, "a difference counts when it is first seen"),
    (38, "a route that refused is tried again"),
    (39, "the hold of the first route stays on the next one"),
    (40, "the next route is sold at the price of the first"),
    (41, "the next route is called before its attempt is durable"),
    (42, "the next route is tried after any refusal"),
    (
        43,
        "a route above the price that the client accepts is tried",
    ),
    (44, "a correction of any size is returned without a person"),
    (45, "an activation whose age nobody knows is cancelled"),
    (
        46,
        "an order whose panel contradicts itself opens no ticket",
    ),
    (
        47,
        "any balance counts as evidence that an order was placed",
    ),
    (
        48,
        "what another order may have been charged shows that one was placed",
    ),
    (
        49,
        "what is left of a difference that was booked shows that one was placed",
    ),
    (
        50,
        "a listed number is passed over at the end of the window while other calls run",
    ),
    (55, "what a correction rests on is not on record"),
    (51, "a panel that takes its word back opens no ticket"),
    (52, "units that are missing are not waited for"),
    (
        53,
        "an order at the panel may be older than the purchase, or of no known age",
    ),
    (
        54,
        "a cancel whose answer was lost is sent again without a look at the status",
    ),
    (57, "a code that comes after a confirmed cancel is kept"),
    (58, "nobody looks for a code after a confirmed cancel"),
    (
        59,
        "what was made while no node ran is of an age that nobody knows",
    ),
    (
        56,
        "what is undone, or nobody's, is cancelled with one call",
    ),
    (
        60,
        "an orphan whose upstream says no more than that it ended is asked for again",
    ),
    (
        61,
        "a client's cancel that is finished in the background counts as an expiry",
    ),
    (
        62,
        "the id of what was sold is dropped where the storage does not take it at once",
    ),
    (63, "an order of nobody has ended when that is first said"),
    (
        64,
        "a cancel that is too early after the lifetime is only asked for again",
    ),
];

/// Rules that the cases of [`crate::evidence`] need: in schedules what breaks them is too rare.
pub const BY_CASES: [u8; 2] = [48, 49];

/// Rules that the cases of [`crate::contested`] need, for the same reason.
pub const BY_CONTEST: [u8; 1] = [50];

/// Rules that the cases of [`crate::undone`] need.
pub const BY_UNDOING: [u8; 1] = [56];

/// Rules that the cases of [`crate::corners`] need.
pub const BY_CORNERS: [u8; 8] = [57, 58, 59, 60, 61, 62, 63, 64];

/// Rules that the races of [`crate::race`] need.
pub const BY_RACES: [u8; 1] = [11];

/// What the rule is called on the command line.
pub fn name(number: u8) -> String {
    format!("M-{number:02}")
}

/// Reads a name.
pub fn from_name(name: &str) -> Option<u8> {
    let number = name.strip_prefix("M-")?.parse().ok()?;
    MUTANTS
        .iter()
        .any(|(known, _)| *known == number)
        .then_some(number)
}

/// The change as a store would take it that lacks the active mutant's rule: usually the change
/// itself.
pub async fn split_for_mutant(store: &dyn Store, mut change: Change) -> Vec<Change> {
    if lacks_rule(4) {
        unlink_twice(store, &mut change).await;
    }
    if lacks_rule(5) || lacks_rule(12) {
        let resolves = change
            .writes
            .iter()
            .any(|write| matches!(write, Write::Resolve { .. }));
        if lacks_rule(5) || resolves {
            refresh_versions(store, &mut change).await;
        }
    }
    if lacks_rule(12) {
        resolve_again(store, &mut change).await;
    }
    if lacks_rule(18) || lacks_rule(27) {
        return split(change);
    }
    vec![change]
}

async fn unlink_twice(store: &dyn Store, change: &mut Change) {
    let mut kept = Vec::new();
    for write in std::mem::take(&mut change.writes) {
        if let Write::Link {
            upstream,
            upstream_id,
            ..
        } = &write
        {
            let linked = store
                .linked(upstream, std::slice::from_ref(upstream_id))
                .await;
            if linked.is_ok_and(|found| !found.is_empty()) {
                continue;
            }
        }
        kept.push(write);
    }
    change.writes = kept;
}

async fn refresh_versions(store: &dyn Store, change: &mut Change) {
    for write in &mut change.writes {
        match write {
            Write::UpdateActivation(row) => {
                if let Ok(Some(stored)) = store.activation(row.id).await {
                    row.version = stored.version;
                }
            }
            Write::UpdateSmmOrder(row) => {
                if let Ok(Some(stored)) = store.smm_order(row.id).await {
                    row.version = stored.version;
                }
            }
            _ => {}
        }
    }
}

/// A second resolution, past the key that forbids it: the same legs under another cause.
async fn resolve_again(store: &dyn Store, change: &mut Change) {
    for write in &mut change.writes {
        let Write::Resolve {
            account,
            order,
            held,
            posted,
            ..
        } = *write
        else {
            continue;
        };
        if is_resolved(store, order).await {
            let entry = Entry {
                cause: Cause::UpstreamCost(order, 1_000),
                ..Entry::resolution(account, order, held, posted)
            };
            *write = Write::Book(entry);
        }
    }
}

async fn is_resolved(store: &dyn Store, order: OrderId) -> bool {
    let number = store.activation(order).await.ok().flatten();
    let smm = store.smm_order(order).await.ok().flatten();
    number.is_some_and(|row| !row.state.is_open())
        || smm.is_some_and(|row| row.resolved_at.is_some())
}

/// Claims and links in a transaction of their own, after and before the rest.
fn split(change: Change) -> Vec<Change> {
    let late = |write: &Write| lacks_rule(18) && matches!(write, Write::Claim(_));
    let early =
        |write: &Write| lacks_rule(27) && matches!(write, Write::Link { order: Some(_), .. });
    let (name, at) = (change.name, change.at);
    let (mut first, mut rest, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for write in change.writes {
        if early(&write) {
            first.push(write);
        } else if late(&write) {
            last.push(write);
        } else {
            rest.push(write);
        }
    }
    let parts = [first, rest, last]
        .into_iter()
        .filter(|writes| !writes.is_empty());
    parts.map(|writes| Change::new(name, at, writes)).collect()
}

/// A change in a few words, for the trace.
pub fn brief(change: &Change) -> String {
    let words: Vec<String> = change.writes.iter().map(brief_write).collect();
    words.join(", ")
}

fn brief_write(write: &Write) -> String {
    match write {
        Write::InsertActivation(row) => format!("new {} told {:?}", row.id, row.told),
        Write::UpdateActivation(row) => format!(
            "{} v{} {:?} told {:?} id {:?} shown {:?} due {:?}",
            row.id, row.version, row.state, row.told, row.upstream_id, row.disclosed_at, row.due_at
        ),
        Write::InsertSmmOrder(row) => format!("new smm {} told {:?}", row.id, row.told),
        Write::UpdateSmmOrder(row) => format!(
            "smm {} v{} {:?} {:?} id {:?} candidate {:?} due {:?}",
            row.id,
            row.version,
            row.state,
            row.progress,
            row.upstream_id,
            row.candidate,
            row.due_at
        ),
        Write::EndAttempt(end) => format!("attempt {:?} {}", end.state, end.evidence),
        Write::Claim(claim) => format!("claim {}", claim.key),
        other => format!("{other:?}"),
    }
}
