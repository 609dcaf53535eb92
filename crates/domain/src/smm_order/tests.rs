//! One test for each rule that the simulation found missing.

use super::*;
use crate::ledger::Entry;
use crate::ticket::TicketKind;
use crate::upstream::PanelStatus;

const T0: Timestamp = Timestamp(1_000_000);

fn plan() -> SmmPlan {
    SmmPlan {
        lease: Millis::seconds(35),
        in_doubt_window: Millis::minutes(15),
        confirmation: Millis::seconds(60),
        remains_patience: SmmPlan::REMAINS_PATIENCE,
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
        child_ids: Vec::new(),
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
    let writes = order().taken_back(9, T0);
    let Write::Resolve { posted, held, .. } = writes[0] else {
        panic!("released first: {writes:?}");
    };
    assert_eq!((posted, held), (Usd::ZERO, Usd(540_000)));
    let row = after(&writes);
    assert_eq!((row.state, row.told), (SmmState::Undo, Told::Failed));
    asks_for_a_cancel(&writes);
    let in_doubt = SmmOrder {
        state: SmmState::InDoubt,
        told: Told::Failed,
        upstream_id: None,
        ..order()
    };
    let found = in_doubt.clone().linked("9", "listed", &plan(), (9, T0));
    assert_eq!(after(&found).state, SmmState::Undo);
    asks_for_a_cancel(&found);
    let promised = SmmOrder {
        told: Told::Pending,
        ..in_doubt
    };
    let found = promised.linked("9", "listed", &plan(), (9, T0));
    let asked = |write: &Write| matches!(write, Write::InsertSmmRequest(_));
    assert!(!found.iter().any(asked), "its client can still learn of it");
}

/// The cancel is stored with what it follows from.
fn asks_for_a_cancel(writes: &[Write]) {
    let Some(Write::InsertSmmRequest(row)) = writes.last() else {
        panic!("a cancel: {writes:?}");
    };
    assert_eq!((row.id, row.kind), (9, RequestKind::Cancel));
    assert_eq!((row.upstream_order.as_str(), row.due_at), ("9", Some(T0)));
}

#[test]
fn what_is_undone_and_forgotten_by_its_panel_is_the_houses_loss_after_a_day() {
    let undone = after(&order().taken_back(9, T0));
    let unknown = |at| undone.clone().unknown_upstream(&plan(), 77, at);
    let day = Millis::minutes(24 * 60);
    let waits = after(&unknown(T0 + day - Millis(1)));
    assert_eq!(waits.state, SmmState::Undo);
    let writes = unknown(T0 + day);
    assert_eq!(after(&writes).state, SmmState::Failed);
    let lost = Entry::upstream_loss(undone.id, 0, "panel", undone.cost_quote);
    assert!(writes.contains(&Write::Book(lost)), "{writes:?}");
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

#[test]
fn a_final_word_that_is_confirmed_without_its_charge_keeps_it() {
    let said = status(Progress::Canceled, Some(200), 270_000);
    let silent = PanelStatus {
        charge: None,
        ..said.clone()
    };
    let later = T0 + plan().confirmation;
    let running = status(Progress::InProgress, Some(400), 450_000);
    let row = after(&order().observed(&running, &plan(), 77, T0));
    let first = after(&row.clone().observed(&said, &plan(), 77, T0));
    let settled = first.observed(&silent, &plan(), 77, later);
    assert_eq!(after(&settled).progress, Progress::Partial);
    assert_eq!(after(&settled).charge, Some(Usd(270_000)));
    assert_eq!(resolution(&settled), Some(Usd(324_000)));
    // what it took at first is not what it keeps
    let first = after(&row.observed(&silent, &plan(), 77, T0));
    let settled = first.observed(&silent, &plan(), 77, later);
    assert_eq!(after(&settled).progress, Progress::Canceled);
    assert_eq!(resolution(&settled), Some(Usd::ZERO));
}

#[test]
fn a_new_process_confirms_anew_and_has_not_to_wait_anew_for_missing_units() {
    let said = status(Progress::Partial, None, 45_000);
    let seen = after(&order().observed(&said, &plan(), 77, T0));
    let since = T0 + SmmPlan::REMAINS_PATIENCE;
    let its_plan = plan().confirming(&seen, since);
    let look = |row: &SmmOrder, after_start| {
        let now = since + after_start;
        row.clone().observed(&said, &its_plan, 77, now)
    };
    let soon = look(&seen, Millis(plan().confirmation.0 - 1));
    assert_eq!(resolution(&soon), None);
    let confirmed = look(&seen, plan().confirmation);
    assert_eq!(resolution(&confirmed), Some(Usd(54_000)));
    // what this process saw first itself is confirmed as ever
    let own = plan().confirming(&seen, T0);
    assert_eq!(own.confirmation, plan().confirmation);
}

/// What the panel says again and again, a minute apart, and the writes of the last time.
fn said_twice(row: SmmOrder, said: &PanelStatus, at: Timestamp) -> Vec<Write> {
    let seen = after(&row.observed(said, &plan(), 77, at));
    seen.observed(said, &plan(), 78, at + plan().confirmation)
}

fn resolution(writes: &[Write]) -> Option<Usd> {
    writes.iter().find_map(|write| match write {
        Write::Resolve { posted, .. } => Some(*posted),
        _ => None,
    })
}

fn observed(writes: &[Write]) -> Vec<(i64, Option<Progress>, Option<i64>)> {
    let seen = |write: &Write| match write {
        Write::Observe(seen) => Some((seen.seq, seen.progress, seen.remains)),
        _ => None,
    };
    writes.iter().filter_map(seen).collect()
}

#[test]
fn more_left_than_was_ordered_pays_nobody_whatever_the_word() {
    for word in [Progress::Completed, Progress::Partial, Progress::Canceled] {
        for charge in [Some(Usd(1)), None] {
            let said = PanelStatus {
                charge,
                ..status(word, Some(501), 0)
            };
            let writes = said_twice(order(), &said, T0);
            assert_eq!(resolution(&writes), None, "{word:?} {charge:?}");
            let row = after(&writes);
            assert_eq!((row.state, row.returned), (SmmState::Review, Usd::ZERO));
            assert_eq!(tickets(&writes).len(), 1);
        }
        // a panel that kept nothing leaves no question
        let free = said_twice(order(), &status(word, Some(501), 0), T0);
        assert_eq!(resolution(&free), Some(Usd::ZERO), "{word:?}");
        assert_eq!(after(&free).progress, Progress::Canceled);
        let exact = said_twice(order(), &status(word, Some(500), 1), T0);
        assert!(resolution(&exact).is_some(), "{word:?}");
    }
    let package = SmmOrder {
        flat: true,
        quantity: 1,
        ..order()
    };
    let done = said_twice(package, &status(Progress::Completed, Some(900), 5), T0);
    assert_eq!(
        resolution(&done),
        Some(Usd(540_000)),
        "packages count as they like"
    );
}

#[test]
fn a_charge_beside_an_impossible_figure_is_seen_twice() {
    let kept = status(Progress::Completed, Some(501), 5);
    let free = status(Progress::Completed, Some(501), 0);
    let seen = after(&order().observed(&kept, &plan(), 77, T0));
    let changed = seen.observed(&free, &plan(), 77, T0 + plan().confirmation);
    assert_eq!(resolution(&changed), None, "free was seen once");
}

#[test]
fn units_that_stay_untold_are_waited_for_from_the_first_final_word_on() {
    let said = status(Progress::Partial, None, 45_000);
    let old = T0 + Millis::minutes(3 * 24 * 60);
    let seen = after(&order().observed(&said, &plan(), 77, old));
    let day = SmmPlan::REMAINS_PATIENCE;
    let early = seen
        .clone()
        .observed(&said, &plan(), 77, old + day - Millis(1));
    assert_eq!(resolution(&early), None);
    let late = seen.clone().observed(&said, &plan(), 77, old + day);
    assert_eq!(
        resolution(&late),
        Some(Usd(54_000)),
        "the tenth that it charged"
    );
    let silent = PanelStatus {
        charge: None,
        ..said
    };
    let seen = after(&order().observed(&silent, &plan(), 77, old));
    let writes = seen.observed(&silent, &plan(), 77, old + day);
    assert_eq!(after(&writes).state, SmmState::Review);
}

#[test]
fn every_adjustment_names_the_observation_it_rests_on() {
    // what the panel charged does not change, only what it says of the units
    let at = T0 + Millis::minutes(10);
    let said = status(Progress::Partial, Some(250), 450_000);
    let first = resolved().observed(&said, &plan(), 77, at);
    assert_eq!(observed(&first), [(3, Some(Progress::Partial), Some(250))]);
    let second = after(&first).observed(&said, &plan(), 77, at + plan().confirmation);
    assert_eq!(observed(&second), [(4, Some(Progress::Partial), Some(250))]);
    let rests_on = second.iter().find_map(|write| match write {
        Write::Adjust { observation, .. } => *observation,
        _ => None,
    });
    assert_eq!(rests_on, Some(4));
    // the same again changes nothing, and is not written down again and again
    let later = at + Millis::minutes(20);
    let again = said_twice(after(&second), &said, later);
    assert_eq!((observed(&again), returned(&again)), (vec![], vec![]));
}

#[test]
fn a_final_word_that_is_taken_back_is_confirmed_anew() {
    let partial = status(Progress::Partial, Some(157), 400_000);
    let seen = after(&order().observed(&partial, &plan(), 77, T0));
    let back = PanelStatus {
        progress: Some(Progress::InProgress),
        ..partial.clone()
    };
    let still = after(&seen.observed(&back, &plan(), 77, T0 + Millis::seconds(30)));
    assert_eq!(still.candidate, None);
    let again = still.observed(&partial, &plan(), 77, T0 + Millis::seconds(70));
    assert_eq!(resolution(&again), None);
}

#[test]
fn what_is_delivered_after_all_is_the_customers_and_the_operator_hears_of_it() {
    let part = status(Progress::Partial, Some(157), 400_000);
    let short = after(&said_twice(order(), &part, T0));
    let at = T0 + Millis::minutes(20);
    let done = said_twice(
        short.clone(),
        &status(Progress::Completed, Some(0), 450_000),
        at,
    );
    let expected = [(TicketKind::OutcomeReversed, short.returned)];
    assert_eq!(
        (tickets(&done), returned(&done)),
        (expected.to_vec(), vec![])
    );
    assert_eq!(observed(&done).len(), 1);
    // fewer left than before is the house's gain and no reversal
    let less = said_twice(short, &status(Progress::Partial, Some(100), 400_000), at);
    assert_eq!((tickets(&less), returned(&less)), (vec![], vec![]));
}

#[test]
fn an_undone_order_that_stays_complete_is_no_reversal() {
    let undone = |progress| SmmOrder {
        state: SmmState::Failed,
        told: Told::Failed,
        returned: Usd(540_000),
        progress,
        ..resolved()
    };
    let said = status(Progress::Completed, Some(0), 450_000);
    let tickets_after = |progress| {
        let writes = said_twice(undone(progress), &said, T0 + Millis::minutes(10));
        tickets(&writes).len()
    };
    assert_eq!(
        tickets_after(Progress::Completed),
        0,
        "it was the house's loss"
    );
    assert_eq!(
        tickets_after(Progress::Canceled),
        1,
        "it had been given back"
    );
}

#[test]
fn only_a_row_of_unknown_answers_brings_an_order_into_review() {
    let mut row = order();
    for _ in 0..9 {
        row = after(&row.unknown_upstream(&plan(), 77, T0));
    }
    let said = status(Progress::InProgress, Some(400), 0);
    row = after(&row.observed(&said, &plan(), 77, T0));
    assert_eq!(row.tries, 0, "it is known again");
    let writes = row.unknown_upstream(&plan(), 77, T0);
    assert_eq!(after(&writes).state, SmmState::Active);
    // the same word again, with nothing else to store, resets them as well
    let known = after(&after(&writes).observed(&said, &plan(), 77, T0));
    assert_eq!(known.tries, 0);
}

#[test]
fn answers_that_are_lost_count_for_nothing_and_bring_the_next_look_forward() {
    let row = order();
    for _ in 0..9 {
        let writes = row.clone().unheard(&plan(), T0);
        let [Write::PostponeSmmOrder { due_at, .. }] = writes[..] else {
            panic!("only put off: {writes:?}");
        };
        assert_eq!(due_at, T0 + Millis(7_500), "a quarter of half a minute");
    }
    let writes = row.unknown_upstream(&plan(), 77, T0);
    assert_eq!(after(&writes).state, SmmState::Active);
    let over = T0 + Millis::seconds(60) + plan().watch;
    assert_eq!(after(&resolved().unheard(&plan(), over)).due_at, None);
}

#[test]
fn an_order_in_doubt_is_looked_at_when_its_window_ends() {
    let row = SmmOrder {
        state: SmmState::InDoubt,
        in_doubt_until: Some(T0 + Millis::seconds(90)),
        tries: 5,
        ..order()
    };
    let due = |now| after(&row.clone().try_again(&plan(), now)).due_at;
    assert_eq!(due(T0), row.in_doubt_until, "not after the usual 160 s");
    let later = T0 + Millis::seconds(90);
    assert_eq!(due(later), Some(later + Millis::seconds(160)));
}
