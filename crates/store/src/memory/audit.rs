//! The audit over what is kept: the same rules as over the database.

use domain::activation::ActivationState;
use domain::attempt::AttemptState;
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Cause, Entry};
use domain::orphan::OrphanState;
use domain::ports::Audit;
use domain::smm_order::Observation;
use domain::ticket::{Ticket, TicketKind};
use domain::time::Timestamp;
use domain::usd::Usd;
use std::collections::HashMap;

use super::rows::{Event, Hold, Rows};
use crate::audit::{Books, Findings, HoldFacts};
use crate::chain;
use crate::order_audit::{OrderFacts, OtpFacts, State, check_due};
use crate::smm_audit::{AdjustmentFacts, Seen, SmmFacts, Terms};

/// Re-derives everything.
pub(super) fn run(rows: &Rows, now: Timestamp) -> Audit {
    let mut findings = Findings::default();
    let mut books = Books::default();
    for (id, event) in (1_i64..).zip(&rows.journal) {
        let (kind, reference, seq) = event.cause.parts();
        let rule = if kind == "upstream_cost" {
            "I-18"
        } else {
            "I-09"
        };
        findings.require(follows(rows, event), rule, || {
            let legs = &event.legs;
            format!("legs of {kind} {reference} {seq} do not follow from its row: {legs:?}")
        });
        let at = event.at;
        let parts = chain::Event {
            kind,
            reference,
            seq,
            at,
        };
        books.event(parts, &event.legs, &mut findings);
        if let Some(customer) = event.customer {
            books.place(customer, id, event.previous, &mut findings);
        }
    }
    let open_holds = holds(rows, &mut books, &mut findings);
    for (account, kept) in &rows.wallets {
        let end = (kept.chain, kept.last_event);
        books.wallet(*account, kept.wallet, end, &mut findings);
    }
    books.finish(&mut findings);
    readings(rows, &mut findings);
    orders(rows, now, &mut findings);
    Audit {
        accounts: rows.accounts.len() as u64,
        entries: rows.journal.len() as u64,
        open_holds,
        violations: findings.into_violations(),
    }
}

/// Whether an event's legs are those that its row makes.
fn follows(rows: &Rows, event: &Event) -> bool {
    let hold = |order: OrderId| rows.holds.get(&order);
    let expected = match event.cause {
        Cause::Hold(order) => hold(order).map(|row| Entry::hold(row.account, order, row.first)),
        Cause::HoldChange(order, seq) => hold(order).and_then(|row| {
            let more = *row.changes.get(&seq)?;
            Some(Entry::hold_change(row.account, order, seq, more))
        }),
        Cause::Resolution(order) => hold(order).and_then(|row| {
            let (posted, ..) = row.resolution?;
            Some(Entry::resolution(row.account, order, row.amount(), posted))
        }),
        Cause::Adjustment(order, seq) => hold(order).and_then(|row| {
            let (amount, _) = *row.adjustments.get(&seq)?;
            Some(Entry::adjustment(row.account, order, seq, amount))
        }),
        Cause::Credit(id) => {
            let row = rows.credits.get(&id);
            row.map(|(account, amount)| Entry::credit(*account, id, *amount))
        }
        Cause::Balance(id) => {
            let mut readings = rows.readings.values().flatten();
            readings.find(|one| one.id == id).and_then(|one| {
                let as_what = one.booked_as?;
                Some(Entry::balance(id, &one.upstream, one.booked, as_what))
            })
        }
        Cause::UpstreamCost(order, seq) => match rows.activations.get(&order) {
            None => return rows.smm_orders.contains_key(&order),
            Some(row) => {
                let taken = row.cost.unwrap_or(row.cost_quote);
                let (upstream, quoted) = (&row.upstream, row.cost_quote);
                match row.state {
                    ActivationState::Received if seq == 0 => {
                        Some(Entry::upstream_cost(order, seq, upstream, quoted, taken))
                    }
                    ActivationState::Cancelled if seq == 0 => {
                        Some(Entry::upstream_loss(order, seq, upstream, taken))
                    }
                    _ => None,
                }
            }
        },
        Cause::OrphanCost(_) | Cause::OrphanEnd(_) => return true,
        // what makes these is not kept here
        _ => None,
    };
    let legs = event.legs.iter().map(|(leg, _)| leg);
    expected.is_some_and(|entry| entry.postings.iter().eq(legs))
}

fn holds(rows: &Rows, books: &mut Books, findings: &mut Findings) -> u64 {
    let mut open = 0;
    for (order, hold) in &rows.holds {
        let facts = HoldFacts {
            order: *order,
            account: hold.account,
            amount: hold.amount(),
            resolution: hold
                .resolution
                .map(|(posted, released, ..)| (posted, released)),
            adjusted: hold.adjusted(),
            has_order: rows.activations.contains_key(order) || rows.smm_orders.contains_key(order),
        };
        open += u64::from(facts.resolution.is_none());
        facts.check(books, findings);
    }
    open
}

/// What each upstream's newest reading says of the books, against the journal.
fn readings(rows: &Rows, findings: &mut Findings) {
    for (upstream, last) in rows
        .readings
        .iter()
        .filter_map(|(up, all)| Some((up, all.last()?)))
    {
        let events = usize::try_from(last.journal_id).unwrap_or(0);
        let (told, derived) = (last.prepaid, Usd(rows.prepaid(upstream, events)));
        findings.require(told == derived, "I-18", || {
            let row = last.id;
            format!("reading {row} of {upstream} counts {told} prepaid, the journal {derived}")
        });
    }
}

fn orders(rows: &Rows, now: Timestamp, findings: &mut Findings) {
    let booked: HashMap<i64, ()> = rows
        .journal
        .iter()
        .filter_map(|event| match event.cause {
            Cause::UpstreamCost(order, 0) => Some((order.0, ())),
            _ => None,
        })
        .collect();
    for row in rows.activations.values() {
        let order = Order {
            id: row.id,
            account: row.account,
            price: row.price,
            state: State::Otp(row.state),
            due_at: row.due_at,
            upstream: &row.upstream,
            upstream_id: row.upstream_id.as_ref(),
            attempt: row.attempt,
        };
        let order = facts(rows, &order);
        order.check(now, findings);
        let messages = rows.messages.range((row.id, i64::MIN)..=(row.id, i64::MAX));
        let more = OtpFacts {
            messages: u64::try_from(row.messages).unwrap_or(0),
            message_rows: messages.count() as u64,
            cost_is_booked: booked.contains_key(&row.id.0),
        };
        more.check(&order, findings);
    }
    smm_orders(rows, now, findings);
    for row in rows
        .orphans
        .values()
        .filter(|row| row.state == OrphanState::Open)
    {
        check_due(row.due_at, now, || format!("orphan {}", row.id), findings);
    }
    let mut live: HashMap<OrderId, u32> = HashMap::new();
    for one in rows.attempts.values() {
        let alive = matches!(one.state, AttemptState::Calling | AttemptState::InDoubt);
        *live.entry(one.order).or_default() += u32::from(alive);
    }
    for (order, attempts) in live.into_iter().filter(|(_, count)| *count > 1) {
        findings.add(
            "I-13",
            format!("order {order} has {attempts} live attempts"),
        );
    }
}

fn smm_orders(rows: &Rows, now: Timestamp, findings: &mut Findings) {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    for row in rows.smm_orders.values() {
        let order = Order {
            id: row.id,
            account: row.account,
            price: row.price,
            state: State::Smm(row.state),
            due_at: row.due_at,
            upstream: &row.upstream,
            upstream_id: row.upstream_id.as_ref(),
            attempt: row.attempt,
        };
        let order = facts(rows, &order);
        order.check(now, findings);
        let hold = rows.holds.get(&row.id);
        let adjusted = hold.map_or((0, Usd::ZERO), |hold| {
            (hold.adjustments.len() as u64, hold.adjusted())
        });
        let seen = || {
            let range = rows
                .observations
                .range((row.id, i64::MIN)..=(row.id, i64::MAX));
            range.map(|(_, seen)| seen)
        };
        let before = |one: &&Observation| row.resolved_at.is_some_and(|at| one.at <= at);
        let terms = Terms {
            price: row.price,
            quantity: row.quantity,
            flat: row.flat,
            cost_quote: row.cost_quote,
        };
        let more = SmmFacts {
            terms,
            progress: row.progress,
            remains: row.remains,
            returned: row.returned,
            adjustments: count(row.adjustments),
            adjusted,
            observations: count(row.observations),
            observed: (
                seen().count() as u64,
                seen().next_back().map_or(0, |last| count(last.seq)),
            ),
            rests_on: seen().rev().find(before).map(seen_of),
        };
        more.check(&order, findings);
        if let Some(hold) = hold {
            adjustments(rows, (row.id, terms), hold, findings);
        }
    }
}

fn seen_of(one: &Observation) -> Seen {
    Seen {
        progress: one.progress,
        remains: one.remains,
        charge: one.charge,
    }
}

fn adjustments(rows: &Rows, (id, terms): (OrderId, Terms), hold: &Hold, findings: &mut Findings) {
    let mut back = hold.resolution.map_or(0, |(_, released, ..)| released.0);
    let about = |one: &Ticket| one.kind == TicketKind::LargeAdjustment && one.reference == id.0;
    let ticketed = rows.tickets.values().any(about);
    for (seq, (amount, observation)) in &hold.adjustments {
        back += amount.0;
        let place = observation.map(|number| (id, number));
        let facts = AdjustmentFacts {
            order: id,
            seq: *seq,
            terms,
            back: Usd(back),
            observation: *observation,
            seen: place.and_then(|place| rows.observations.get(&place).map(seen_of)),
            ticketed,
        };
        facts.check(findings);
    }
}

/// What an order of either kind says of itself.
struct Order<'a> {
    id: OrderId,
    account: AccountId,
    price: Usd,
    state: State,
    due_at: Option<Timestamp>,
    upstream: &'a str,
    upstream_id: Option<&'a String>,
    attempt: i64,
}

/// What stands beside it.
fn facts(rows: &Rows, order: &Order<'_>) -> OrderFacts {
    let hold = rows.holds.get(&order.id);
    let latest = rows.attempts_of(order.id).next_back();
    let link = order
        .upstream_id
        .and_then(|id| rows.link(order.upstream, id));
    let resolution = hold.and_then(|hold| hold.resolution);
    OrderFacts {
        id: order.id,
        account: order.account,
        price: order.price,
        state: order.state,
        due_at: order.due_at,
        upstream_id: order.upstream_id.cloned(),
        linked_to: link.flatten(),
        hold: hold.map(|hold| (hold.account, hold.amount())),
        resolution: resolution.map(|(posted, released, ..)| (posted, released)),
        attempt: order.attempt,
        latest_attempt: latest.map(|one| (one.seq, one.state.slug().to_owned())),
    }
}
