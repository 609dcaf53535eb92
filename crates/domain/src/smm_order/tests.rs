//! One test for each rule that the simulation found missing.

use super::*;
use crate::ticket::TicketKind;

const T0: Timestamp = Timestamp(1_000_000);

fn plan() -> SmmPlan {
    SmmPlan {
        lease: Millis::seconds(35),
        in_doubt_window: Millis::minutes(15),
        confirmation: Millis::seconds(60),
        poll: vec![Millis::seconds(30)],
        retry: Millis::seconds(5),
        watch: Millis::minutes(30),
        refill_window: None,
        correction_max: Usd(10_000_000),
    }
}

pub(crate) fn order() -> SmmOrder {
    SmmOrder {
        id: OrderId(7),
        account: AccountId(1),
        version: 3,
        state: SmmState::Active,
        told: Told::Done,
        service_id: "1".into(),
        service_name: "Followers".into(),
        link: "https://instagram.com/a".into(),
        members: String::new(),
        quantity: 500,
        flat: false,
        price: Usd(540_000),
        cost_quote: Usd(450_000),
        policy: (String::new(), 1),
        upstream: "panel".into(),
        upstream_service: "1".into(),
        attempt: 1,
        upstream_id: Some("9".into()),
        progress: Progress::InProgress,
        remains: 500,
        start_count: 0,
        charge: None,
        candidate: None,
        observations: 0,
        returned: Usd::ZERO,
        adjustments: 0,
        created_at: T0,
        in_doubt_until: None,
        resolved_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}

pub(crate) fn status(progress: Progress, remains: Option<i64>, charge: i64) -> PanelStatus {
    PanelStatus {
        progress: Some(progress),
        raw_status: progress.word().into(),
        remains,
        start_count: None,
        charge: Some(Usd(charge)),
        children: Vec::new(),
    }
}

fn after(writes: &[Write]) -> SmmOrder {
    let saved = writes.iter().find_map(|write| match write {
        Write::UpdateSmmOrder(order) => Some((**order).clone()),
        _ => None,
    });
    saved.expect("the order was saved")
}

fn resolved() -> SmmOrder {
    let seen = order().observed(
        &status(Progress::Completed, Some(0), 450_000),
        &plan(),
        77,
        T0,
    );
    let later = T0 + Millis::seconds(60);
    let said = status(Progress::Completed, Some(0), 450_000);
    after(&after(&seen).observed(&said, &plan(), 77, later))
}

#[test]
fn a_watch_that_is_over_asks_no_more() {
    let end = T0 + Millis::seconds(60) + plan().watch;
    let said = status(Progress::Completed, Some(0), 450_000);
    let seen = after(&resolved().observed(&said, &plan(), 77, end));
    let done = after(&seen.observed(&said, &plan(), 77, end + plan().confirmation));
    assert_eq!(done.due_at, None);
}

#[test]
fn a_final_word_without_its_figure_is_asked_for_at_the_usual_pace() {
    let said = status(Progress::Partial, None, 450_000);
    let seen = after(&order().observed(&said, &plan(), 77, T0));
    let later = T0 + Millis::seconds(61);
    let again = after(&seen.observed(&said, &plan(), 77, later));
    assert!(
        again
            .due_at
            .is_some_and(|due| due >= later + Millis::seconds(30))
    );
}

#[test]
fn what_the_panel_returns_after_the_resolution_is_booked_once() {
    let at = T0 + Millis::minutes(10);
    let said = status(Progress::Partial, Some(250), 225_000);
    let writes = resolved().observed(&said, &plan(), 77, at);
    let booked: Vec<&Entry> = writes
        .iter()
        .filter_map(|write| match write {
            Write::Book(entry) => Some(entry),
            _ => None,
        })
        .collect();
    assert_eq!(booked.len(), 1);
    assert!(booked[0].balances());
    assert!(
        booked[0]
            .postings
            .iter()
            .any(|leg| leg.amount == Usd(225_000))
    );
    let repeated = after(&writes).observed(&said, &plan(), 77, at + Millis::seconds(60));
    assert!(!repeated.iter().any(|write| matches!(write, Write::Book(_))));
}

#[test]
fn the_row_is_judged_before_its_money() {
    let said = status(Progress::Completed, Some(0), 450_000);
    let writes = order().observed(&said, &plan(), 77, T0);
    assert!(matches!(writes[0], Write::UpdateSmmOrder(_)));
}

#[test]
fn an_undone_order_that_contradicts_itself_ends_at_the_houses_cost() {
    let undo = SmmOrder {
        state: SmmState::Undo,
        told: Told::Failed,
        resolved_at: Some(T0),
        returned: Usd(540_000),
        ..order()
    };
    let said = status(Progress::Partial, Some(505), 450_000);
    let seen = after(&undo.observed(&said, &plan(), 77, T0));
    let writes = seen.observed(&said, &plan(), 77, T0 + Millis::seconds(60));
    assert_eq!(after(&writes).state, SmmState::Failed);
    assert!(writes.iter().any(|write| matches!(write, Write::Book(_))));
}

#[test]
fn an_order_nobody_was_told_of_is_released_and_undone() {
    let writes = order().taken_back(T0);
    let Write::Resolve { posted, held, .. } = writes[0] else {
        panic!("released first: {writes:?}");
    };
    assert_eq!((posted, held), (Usd::ZERO, Usd(540_000)));
    let row = after(&writes);
    assert_eq!((row.state, row.told), (SmmState::Undo, Told::Failed));
}

fn tickets(writes: &[Write]) -> Vec<(TicketKind, Usd)> {
    let ticket = |write: &Write| match write {
        Write::OpenTicket(ticket) => Some((ticket.kind, ticket.amount)),
        _ => None,
    };
    writes.iter().filter_map(ticket).collect()
}

fn returned(writes: &[Write]) -> Vec<Usd> {
    let amount = |write: &Write| match write {
        Write::Adjust { amount, .. } => Some(*amount),
        _ => None,
    };
    writes.iter().filter_map(amount).collect()
}

#[test]
fn a_correction_above_the_limit_waits_for_a_person() {
    let at = T0 + Millis::minutes(10);
    let said = status(Progress::Partial, Some(250), 225_000);
    let confirm = |limit: i64| {
        let plan = SmmPlan {
            correction_max: Usd(limit),
            ..plan()
        };
        let seen = after(&resolved().observed(&said, &plan, 77, at));
        seen.observed(&said, &plan, 78, at + Millis::seconds(60))
    };
    let paid = confirm(270_000);
    assert_eq!(
        (tickets(&paid), returned(&paid)),
        (vec![], vec![Usd(270_000)])
    );
    let withheld = confirm(269_999);
    let expected = vec![(TicketKind::LargeAdjustment, Usd(270_000))];
    assert_eq!(
        (tickets(&withheld), returned(&withheld)),
        (expected, vec![])
    );
    let by_hand = after(&withheld).corrected_by_hand(Usd(270_000));
    assert_eq!(returned(&by_hand), [Usd(270_000)]);
    let rest = after(&by_hand).corrected_by_hand(Usd(400_000));
    assert_eq!(returned(&rest), [Usd(270_000)], "never more than the hold");
    assert!(after(&rest).corrected_by_hand(Usd(1)).is_empty());
    assert!(order().corrected_by_hand(Usd(1)).is_empty(), "not final");
}

#[test]
fn an_order_enters_review_with_one_ticket() {
    let said = status(Progress::Partial, Some(505), 450_000);
    let seen = after(&order().observed(&said, &plan(), 77, T0));
    let later = T0 + Millis::seconds(60);
    let writes = seen.observed(&said, &plan(), 77, later);
    let expected = [(TicketKind::OrderInReview, Usd(540_000))];
    assert_eq!(tickets(&writes), expected);
    let row = after(&writes);
    assert_eq!((row.state, returned(&writes)), (SmmState::Review, vec![]));
    let again = row.observed(&said, &plan(), 78, later + Millis::seconds(60));
    assert_eq!(tickets(&again), []);
}

#[test]
fn an_id_that_stays_unknown_enters_review_with_a_ticket() {
    let mut row = order();
    for _ in 0..9 {
        let writes = row.unknown_upstream(&plan(), 77, T0);
        assert_eq!(tickets(&writes), []);
        row = after(&writes);
    }
    let writes = row.unknown_upstream(&plan(), 77, T0);
    assert_eq!(tickets(&writes).len(), 1);
    assert_eq!(after(&writes).state, SmmState::Review);
}

#[test]
fn a_charge_that_decides_what_goes_back_is_seen_twice() {
    let pause = plan().confirmation;
    let (kept, free) = (
        status(Progress::Canceled, Some(200), 270_000),
        status(Progress::Canceled, Some(200), 0),
    );
    let first = after(&order().observed(&kept, &plan(), 77, T0));
    let changed = after(&first.observed(&free, &plan(), 77, T0 + pause));
    assert_eq!(changed.resolved_at, None, "free was seen once");
    let twice = T0 + pause + pause;
    let settled = after(&changed.clone().observed(&free, &plan(), 77, twice));
    assert_eq!(settled.progress, Progress::Canceled);
    assert_eq!(settled.resolved_at, Some(twice));
    // where the units decide, the charge may wander
    let partial = |charge| status(Progress::Partial, Some(200), charge);
    let first = after(&order().observed(&partial(1), &plan(), 77, T0));
    let second = after(&first.observed(&partial(2), &plan(), 77, T0 + pause));
    assert_eq!(second.resolved_at, Some(T0 + pause));
}
