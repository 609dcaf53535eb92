//! Benchmarks; see README.md. Here stands what several of them build.

pub mod market;

use app::api_key::{Environment, Pepper};
use app::limits::Limits;
use app::people::{People, PeopleSettings};
use app::{
    ApiLog, AuditLog, Desk, Drafted, Engine, Lawful, Notary, RedeemCodes, Stock, Surroundings,
    TopUpSettings, TopUps, UpstreamDraft,
};
use axum::Router;
use domain::audit_log::Witness;
use domain::markup::Markups;
use domain::time::Millis;
use domain::upstream::Pending;
use domain::usd::Usd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::Database;
use web::{ConsoleDoor, Door, DoorSettings, Hooks, Streams};

/// No checkpoint of the audit log is kept while something is measured.
struct Unwitnessed;

impl Notary for Unwitnessed {
    fn newest(&self) -> Result<u64, String> {
        Ok(0)
    }

    fn keep(&self, _: &Witness, _: Option<PathBuf>) -> Result<PathBuf, String> {
        Err("nothing is kept while something is measured".to_owned())
    }

    fn kept(&self, _: Option<PathBuf>) -> (Vec<Witness>, Vec<String>) {
        (Vec::new(), Vec::new())
    }
}

impl Surroundings for Unwitnessed {
    fn reach<'a>(&'a self, _: &'a str, _: u16) -> Pending<'a, Result<String, String>> {
        Box::pin(std::future::ready(Err("nothing is tried out".to_owned())))
    }

    fn languages(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        (Vec::new(), Vec::new())
    }

    fn draft<'a>(&'a self, _: &'a UpstreamDraft) -> Pending<'a, Result<Drafted, Vec<String>>> {
        Box::pin(std::future::ready(Err(Vec::new())))
    }

    fn markups(&self, _: &str) -> Result<Markups, Vec<String>> {
        Ok(Markups::default())
    }

    fn markup_text(&self, _: &Markups) -> String {
        String::new()
    }
}

/// The router of all doors over an engine and its store, with the ordinary limits.
pub fn router(engine: Arc<Engine>, store: Arc<Database>, pepper: Pepper) -> Router {
    let limits = Arc::new(Limits::new(1000));
    let codes = Arc::clone(&store) as _;
    let lawful = Lawful::new(Arc::clone(&engine), Arc::clone(&store) as _);
    let redeem = RedeemCodes::new(
        Arc::clone(&engine),
        codes,
        Arc::clone(&limits),
        pepper.clone(),
    );
    let top_ups = TopUps::new(
        Arc::clone(&engine),
        Arc::clone(&store) as _,
        Arc::clone(&limits),
        Vec::new(),
        TopUpSettings {
            base_url: String::new(),
            offers: Vec::new(),
            lifetime: Millis::minutes(60),
            on_fraud_warning: app::OnFraudWarning::Freeze,
            second_person_from: None,
            seller: String::new(),
            odd_amounts: domain::top_up::OddAmounts::default(),
        },
    );
    let people = People::new(
        Arc::clone(&engine),
        Arc::clone(&store) as _,
        Arc::clone(&limits),
        pepper.clone(),
        PeopleSettings {
            base_url: String::new(),
            console_url: String::new(),
            sign_up_tier: 0,
            mails: false,
            keeps_mails: false,
        },
    );
    let (of, rows) = (Arc::clone(&engine), Arc::clone(&store) as _);
    let audit = AuditLog::new(of, rows, Arc::new(Unwitnessed));
    let desk = Desk::new(Arc::clone(&engine), Arc::clone(&store) as _, Usd::ZERO);
    let log = ApiLog::new(Arc::clone(&engine), Arc::clone(&store) as _);
    let stock = Stock::new(Arc::clone(&engine), Vec::new(), Arc::new(Unwitnessed));
    web::router(Arc::new(Door {
        stock: Arc::new(stock),
        log: Arc::new(log),
        audit: Arc::new(audit),
        desk: Arc::new(desk),
        engine,
        people: Arc::new(people),
        redeem: Arc::new(redeem),
        lawful: Arc::new(lawful),
        top_ups: Arc::new(top_ups),
        pages: store,
        streams: Streams::default(),
        environment: Environment::Demo,
        limits,
        pepper,
        lists: Arc::default(),
        settings: DoorSettings {
            requests_per_minute: 60.into(),
            account_requests_per_minute: web::AccountFigures::default(),
            failed_auth_per_minute: 60.into(),
            misses_per_minute: 60.into(),
            trusted_proxies: Vec::new(),
            public_url: None,
            hooks: Hooks::default(),
            console: ConsoleDoor::default(),
        },
        ready: AtomicBool::new(true),
    }))
}
