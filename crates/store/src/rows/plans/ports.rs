//! The same through the ports: what the pages of customers read there, all of it.

use super::{ANA, Explaining, page};
use crate::database::{Database, Opened};
use crate::open_error::OpenError;
use crate::sql::Connection;
use crate::sqlite;
use crate::threads::{Opener, Owned};
use domain::activation::ActivationState;
use domain::api_log::CallsOf;
use domain::ids::{OrderId, PersonId};
use domain::ports::{
    ApiLogRows, DeskRows, PageRows, PeopleRows, PolicyRows, RedeemRows, Store, TopUpRows,
};
use domain::time::Timestamp;
use domain::top_up::Processor;
use std::sync::{Arc, Mutex};

const ORDER: OrderId = OrderId(100_500);
const NOW: Timestamp = Timestamp(19_000_000);

type Connect = Box<dyn Fn() -> Owned + Send + Sync>;

/// Gives connections that explain what they are asked.
struct Explained {
    connect: Connect,
    how: (&'static str, usize),
    steps: Arc<Mutex<Vec<String>>>,
}

impl Opener for Explained {
    fn reader(&self) -> Result<Owned, OpenError> {
        Ok(Box::new(Explaining {
            conn: (self.connect)(),
            how: self.how,
            steps: Arc::clone(&self.steps),
        }))
    }

    fn checked_writer(&self) -> Result<Owned, OpenError> {
        self.reader()
    }

    fn check_whole(&self, _: &dyn Connection) -> Result<(), OpenError> {
        Ok(())
    }

    fn loses_connections(&self) -> bool {
        false
    }

    fn readers(&self) -> u16 {
        1
    }
}

/// Every read of a page, with its name and its steps, over connections to any engine.
pub(crate) fn asked_by_ports(
    connect: impl Fn() -> Owned + Send + Sync + 'static,
    how: (&'static str, usize),
) -> Vec<(&'static str, String)> {
    let steps = Arc::default();
    let opener = Explained {
        connect: Box::new(connect),
        how,
        steps: Arc::clone(&steps),
    };
    let opened = Opened {
        ids: Arc::new(sqlite::ids((0, 0))),
        access: Arc::default(),
        newest_entry: None,
        restored_at: None,
        file: None,
        check_whole: false,
        lock: None,
        reserve: None,
    };
    let writer = opener.reader().unwrap();
    let store = Database::with_threads(Arc::new(opener), writer, opened).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    runtime.block_on(reads(&store, &steps))
}

async fn reads(store: &Database, steps: &Mutex<Vec<String>>) -> Vec<(&'static str, String)> {
    let mut asked = Vec::new();
    macro_rules! ask {
        ($($read:ident($($value:expr),*)),+ $(,)?) => {$(
            store.$read($($value),*).await.unwrap();
            let taken = std::mem::take(&mut *steps.lock().unwrap());
            assert!(!taken.is_empty(), "{} asks nothing", stringify!($read));
            asked.push((stringify!($read), taken.join("\n")));
        )+};
    }
    let newest = page(&[], None, None);
    let waiting = page(&[ActivationState::Active], Some(NOW), Some(ORDER));
    let (all, of_order) = (
        CallsOf::default(),
        CallsOf {
            order: Some(ORDER),
            ..CallsOf::default()
        },
    );
    let (person, hash) = (PersonId(1), [7; 32]);
    ask!(
        caller("0123456789"),
        account(ANA),
        keys(ANA),
        wallet(ANA),
        activation(ORDER),
        activations(ANA, &newest),
        activations(ANA, &waiting),
        smm_order(ORDER),
        smm_orders(ANA, &newest),
        smm_requests(ORDER),
        order_money(ORDER),
        messages(ORDER),
        observations(ORDER, 25),
        statement(ANA, None, 50),
        statement(ANA, Some(30_000), 50),
        open_holds(ANA, 100),
        spent(ANA, (19_000, 19_029)),
        activations_on(ANA, "923000000007", 25),
        smm_orders_for(ANA, "instagram.com/u7", 25),
        api_calls(ANA, &all),
        api_calls(ANA, &of_order),
        key_uses(ANA),
        person_of(ANA),
        session(&hash),
        sessions(person),
        recovery_codes(person),
        mail_token(&hash),
        low_balance(ANA),
        top_up(7),
        top_ups_of(ANA, 50),
        next_clearing(ANA),
        reversals(7),
        refunds(7),
        proof_line(7),
        proof(7),
        movements(Processor::Stripe, NOW, NOW),
        payouts(50),
        redeemed_by(ANA, 50),
        attestations(ANA),
        announcements(Some(NOW), 1),
    );
    asked
}

/// The reads that a port names, by the text of its trait.
fn named(port: &str) -> Vec<&'static str> {
    let ports = [
        include_str!("../../../../domain/src/ports.rs"),
        include_str!("../../../../domain/src/ports/pages.rs"),
    ];
    let named = format!("pub trait {port}:");
    let mut found = ports.iter().filter_map(|text| text.split_once(&named));
    let (_, rest) = found.next().expect("a port of these files");
    let (body, _) = rest.split_once("\n}\n").unwrap();
    let named = body.split("    fn ").skip(1);
    let named = named.map(|one| one.split(['(', '<']).next().unwrap());
    named.collect()
}

#[test]
fn every_read_of_a_page_goes_by_an_index() {
    let connect = || Box::new(sqlite::empty()) as Owned;
    let asked = asked_by_ports(connect, ("EXPLAIN QUERY PLAN", 3));
    let lists = ["activations", "smm_orders"];
    // what a step before found, and the few lines that staff wrote
    let small = ["CONSTANT ROW", "walk", "span", "newest", "announcement"];
    for (what, steps) in &asked {
        for step in steps.lines() {
            let table = step.strip_prefix("SCAN ").unwrap_or(small[0]);
            assert!(
                small.contains(&table),
                "{what} reads {table} whole:\n{steps}"
            );
            // every order of the account, from the newest on until enough are found
            let all = step.ends_with("_list (account_id=?)") && !lists.contains(what);
            assert!(!all, "{what} may read every order of the account:\n{steps}");
        }
    }
    for port in ["PageRows", "ApiLogRows"] {
        for read in named(port) {
            let known = asked.iter().any(|(what, _)| *what == read);
            // the background's, which asks it once a day
            let of_pages = read != "has_api_calls_before";
            assert!(known || !of_pages, "{port}::{read} is looked at nowhere");
        }
    }
}
