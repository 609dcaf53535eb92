//! How the questions of pages are answered and old rows are found: by index, however many there are.

use crate::audit::Findings;
use crate::rows::{
    activation, api_log, attempt, pages, retention, smm_order, spending, statement, top_up,
    top_up_rows,
};
use crate::sql::fault::Fault;
use crate::sql::{Arg, Connection, Row, See, Value};
use crate::sqlite;
use crate::threads::Owned;
use domain::activation::ActivationState;
use domain::api_log::CallsOf;
use domain::ids::{AccountId, OrderId};
use domain::ports::Page;
use domain::time::Timestamp;
use domain::top_up::TopUpsOf;
use domain::usd::Usd;
use std::sync::{Arc, Mutex};

mod ports;

pub(crate) use ports::asked_by_ports;

const ANA: AccountId = AccountId(1);

/// Explains every statement instead of running it.
pub(crate) struct Explaining {
    conn: Owned,
    /// What goes before a statement to have it explained, and the column with the steps.
    how: (&'static str, usize),
    steps: Arc<Mutex<Vec<String>>>,
}

impl Explaining {
    pub(crate) fn new(conn: Owned, how: (&'static str, usize)) -> Self {
        Self {
            conn,
            how,
            steps: Arc::default(),
        }
    }

    /// The steps of what `ask` asks.
    pub(crate) fn steps<T>(&self, ask: impl Fn(&dyn Connection) -> Result<T, Fault>) -> String {
        ask(self).unwrap();
        std::mem::take(&mut *self.steps.lock().unwrap()).join("\n")
    }
}

impl Connection for Explaining {
    fn query(&self, sql: &str, args: &[Arg<'_>], _: See<'_>) -> Result<(), Fault> {
        let (explain, column) = self.how;
        let explain = format!("{explain} {sql}");
        self.conn.query(&explain, args, &mut |row| {
            if let Value::Text(step) = row.cell(column)? {
                self.steps.lock().unwrap().push(step.to_owned());
            }
            Ok(true)
        })
    }

    fn stream(
        &self,
        _: &str,
        _: &mut dyn FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        Ok(())
    }

    fn execute(&self, sql: &str, args: &[Arg<'_>]) -> Result<usize, Fault> {
        self.query(sql, args, &mut |_| Ok(true))?;
        Ok(0)
    }

    fn begin(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn commit(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn roll_back(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn in_transaction(&self) -> bool {
        false
    }

    fn begin_snapshot(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn check_triggers(&self, _: &mut Findings) -> Result<(), Fault> {
        Ok(())
    }
}

/// The steps of what `ask` asks.
fn steps<T>(ask: impl Fn(&dyn Connection) -> Result<T, Fault>) -> String {
    Explaining::new(Box::new(sqlite::empty()), ("EXPLAIN QUERY PLAN", 3)).steps(ask)
}

/// No table is read from end to end, and of each large one only what this index leads to.
fn goes_by(steps: &str, indexes: &[&str]) {
    for step in steps.lines() {
        let table = step.strip_prefix("SCAN ").unwrap_or_default();
        let stored = [
            "activation",
            "smm_order",
            "api_call",
            "attempt",
            "orphan",
            "mail",
            "hold",
            "resolution",
            "journal",
            "topup",
            "s",
        ];
        assert!(!stored.contains(&table), "{table} is read whole:\n{steps}");
    }
    for index in indexes {
        assert!(steps.contains(index), "{index} is not used:\n{steps}");
    }
}

pub(crate) fn page(
    states: &[ActivationState],
    since: Option<Timestamp>,
    before: Option<OrderId>,
) -> Page {
    Page {
        limit: 50,
        before,
        since,
        states: states.iter().map(|state| state.slug()).collect(),
        progress: Vec::new(),
    }
}

/// The first page of the top-ups that wait for a person, or what lies before one.
fn waiting_top_ups(before: Option<i64>) -> TopUpsOf {
    TopUpsOf {
        waiting: true,
        before,
        limit: 50,
        ..TopUpsOf::default()
    }
}

pub(crate) type Ask = Box<dyn Fn(&dyn Connection) -> Result<(), Fault>>;

fn ask<T: 'static>(ask: impl Fn(&dyn Connection) -> Result<T, Fault> + 'static) -> Ask {
    Box::new(move |conn| ask(conn).map(drop))
}

/// What pages ask of an account with very many orders, for any engine.
pub(crate) fn asked_by_pages() -> Vec<(&'static str, Ask)> {
    let numbers = |page: Page| ask(move |conn| activation::listed(conn, ANA, &page));
    let smm = |page: Page| ask(move |conn| smm_order::listed(conn, ANA, &page));
    let progress = |progress| Page {
        progress: vec![progress],
        ..page(&[], None, None)
    };
    let before = Some(OrderId(110_000));
    let waiting = [ActivationState::Active, ActivationState::CancelRequested];
    let (since, never) = (Some(Timestamp(19_000_000)), Some(Timestamp(i64::MAX)));
    vec![
        ("numbers", numbers(page(&[], None, None))),
        ("older numbers", numbers(page(&[], None, before))),
        ("waiting numbers", numbers(page(&waiting, None, None))),
        ("numbers of a day", numbers(page(&[], since, None))),
        ("no numbers of a day", numbers(page(&[], never, None))),
        ("SMM orders", smm(page(&[], None, None))),
        ("completed SMM orders", smm(progress("Completed"))),
        ("no canceled SMM orders", smm(progress("Canceled"))),
        ("SMM orders of a day", smm(page(&[], since, None))),
        ("holds", ask(|conn| statement::open_holds(conn, ANA, 100))),
        (
            "spending",
            ask(|conn| spending::spent(conn, ANA, (19_000, 19_029))),
        ),
        (
            "statement",
            ask(|conn| statement::movements(conn, ANA, None, 50)),
        ),
        (
            "a link",
            ask(|conn| pages::smm_orders_for(conn, ANA, "instagram.com/u7", 25)),
        ),
        (
            "a number",
            ask(|conn| pages::activations_on(conn, ANA, "923000000007", 25)),
        ),
        (
            "the log",
            ask(|conn| api_log::lines(conn, ANA, &CallsOf::default())),
        ),
        (
            "top-ups that wait",
            ask(|conn| top_up_rows::listed(conn, &waiting_top_ups(None))),
        ),
        (
            "the log of an order",
            ask(|conn| {
                let order = Some(OrderId(100_500));
                api_log::lines(
                    conn,
                    ANA,
                    &CallsOf {
                        order,
                        ..CallsOf::default()
                    },
                )
            }),
        ),
    ]
}

/// What background steps ask over and over, for any engine.
pub(crate) fn asked_by_steps() -> Vec<(&'static str, Ask)> {
    const NOW: Timestamp = Timestamp(19_000_000);
    let at = "peter1";
    vec![
        (
            "upstreams with due rows",
            ask(|conn| activation::upstreams_due(conn, NOW)),
        ),
        (
            "due numbers of an upstream",
            ask(move |conn| activation::claimed_due(conn, at, NOW, 50)),
        ),
        (
            "due orphans of an upstream",
            ask(move |conn| attempt::orphans_claimed(conn, at, NOW, 50)),
        ),
        (
            "numbers that are waited for",
            ask(move |conn| activation::live(conn, at)),
        ),
    ]
}

#[test]
fn due_rows_of_an_upstream_go_by_what_is_due_there() {
    let by = [
        (
            "upstreams with due rows",
            vec![
                "SEARCH activation USING COVERING INDEX activation_due (upstream>?)",
                "activation_due (upstream=? AND due_at<?)",
                "SEARCH orphan USING COVERING INDEX orphan_due (upstream>?)",
                "orphan_due (upstream=? AND due_at<?)",
            ],
        ),
        (
            "due numbers of an upstream",
            vec!["activation_due (upstream=? AND due_at<?)"],
        ),
        (
            "due orphans of an upstream",
            vec!["orphan_due (upstream=? AND due_at<?)"],
        ),
        (
            "numbers that are waited for",
            vec![
                "activation_live (upstream=?)",
                "activation_watched (upstream=? AND state=?)",
            ],
        ),
    ];
    for ((what, ask), (named, indexes)) in asked_by_steps().into_iter().zip(by) {
        assert_eq!(what, named);
        goes_by(&steps(ask), &indexes);
    }
    let all = steps(|conn| activation::due(conn, Timestamp(1), 1000));
    goes_by(&all, &["activation_due"]);
}

#[test]
fn lists_of_orders_go_by_what_they_are_filtered_by() {
    let numbers = |page: Page| steps(|conn| activation::listed(conn, ANA, &page));
    let before = Some(OrderId(100_500));
    goes_by(
        &numbers(page(&[], None, None)),
        &["activation_list (account_id=?)"],
    );
    goes_by(
        &numbers(page(&[], None, before)),
        &["(account_id=? AND id<?)"],
    );
    let some = [ActivationState::Active, ActivationState::CancelRequested];
    goes_by(
        &numbers(page(&some, None, before)),
        &["activation_state (account_id=? AND state=? AND id<?)"],
    );
    goes_by(
        &numbers(page(&[], Some(Timestamp(1)), None)),
        &[
            "activation_since (account_id=? AND created_at>?)",
            "activation_list (account_id=? AND id>?)",
        ],
    );
    let smm = |page: Page| steps(|conn| smm_order::listed(conn, ANA, &page));
    goes_by(
        &smm(page(&[], None, None)),
        &["smm_order_list (account_id=?)"],
    );
    let pending = Page {
        progress: vec!["Pending"],
        ..page(&[], None, before)
    };
    goes_by(
        &smm(pending),
        &["smm_order_shown (account_id=? AND <expr>=? AND id<?)"],
    );
    goes_by(
        &smm(page(&[], Some(Timestamp(1)), None)),
        &["smm_order_since (account_id=? AND created_at>?)"],
    );
}

#[test]
fn wallet_search_and_log_go_by_their_indexes() {
    let holds = steps(|conn| statement::open_holds(conn, ANA, 100));
    goes_by(
        &holds,
        &[
            "activation_open (account_id=?)",
            "smm_order_open (account_id=?)",
        ],
    );
    let spent = steps(|conn| spending::spent(conn, ANA, (19_000, 19_029)));
    goes_by(&spent, &["USING PRIMARY KEY (day=? AND account_id=?)"]);
    let statement = steps(|conn| statement::movements(conn, ANA, None, 50));
    goes_by(&statement, &[]);
    let link = steps(|conn| pages::smm_orders_for(conn, ANA, "instagram.com/ana", 25));
    goes_by(&link, &["smm_order_link (account_id=? AND target=?)"]);
    let phone = steps(|conn| pages::activations_on(conn, ANA, "923001234567", 25));
    goes_by(&phone, &["activation_number (account_id=? AND phone=?)"]);
    let lines = steps(|conn| api_log::lines(conn, ANA, &CallsOf::default()));
    goes_by(&lines, &["api_call_newest (account_id=?"]);
    let of_order = CallsOf {
        order: Some(OrderId(100_500)),
        ..CallsOf::default()
    };
    let lines = steps(|conn| api_log::lines(conn, ANA, &of_order));
    goes_by(
        &lines,
        &[
            "(account_id=? AND order_id=?)",
            "INTEGER PRIMARY KEY (rowid=?)",
        ],
    );
}

#[test]
fn top_ups_that_wait_go_by_the_index_over_them() {
    let waiting = |before| {
        let wanted = waiting_top_ups(before);
        steps(|conn| top_up_rows::listed(conn, &wanted))
    };
    goes_by(&waiting(None), &["topup_waiting"]);
    goes_by(&waiting(Some(7)), &["topup_waiting (id<?)"]);
}

#[test]
fn what_was_begun_in_a_day_goes_by_its_index() {
    let begun = steps(|conn| top_up::within_day(conn, (ANA, Timestamp(1)), Usd(1), Usd(2)));
    goes_by(&begun, &["topup_begun (account_id=? AND created_at>?)"]);
}

#[test]
fn what_is_over_is_found_by_its_age() {
    let over = Timestamp(1);
    let answers = steps(|conn| retention::forget_answers(conn, over));
    goes_by(
        &answers,
        &[
            "SEARCH attempt USING PRIMARY KEY (order_id=? AND seq=?)",
            "attempt_raw (ended_at<?)",
            "legal_hold_open (kind=? AND subject=?)",
        ],
    );
    let mails = steps(|conn| retention::forget_mails(conn, over));
    goes_by(
        &mails,
        &["INTEGER PRIMARY KEY (rowid=?)", "mail_over (created_at<?)"],
    );
    let asked = steps(|conn| retention::is_overdue(conn, over));
    goes_by(
        &asked,
        &[
            "attempt_raw (ended_at<?)",
            "mail_over (created_at<?)",
            "topup_proof_ended (ended_at<?)",
        ],
    );
    let files = steps(|conn| retention::forget_proofs(conn, over));
    goes_by(&files, &["topup_proof_ended (ended_at<?)"]);
}
