//! Payment processors' webhooks and pages: what is believed, what is credited, once.

mod credits;
mod moved;
mod places;
mod returns;

use super::dashboard::fresh_key;
use super::world::{Answered, World};
use app::limits::Limits;
use app::{Engine, KeyedRequest, Offer, OnFraudWarning, RefundOrder, TopUpSettings, TopUps, Way};
use domain::ids::AccountId;
use domain::ports::{Clock, Store, TopUpRows};
use domain::ticket::TicketKind;
use domain::time::{Millis, Timestamp};
use domain::top_up::{
    Asked, BonusRule, Checkout, EventState, Fact, MoneyLine, Notice, OddAmounts, Opened,
    PaymentProcessor, Processor, ProcessorError, Reconciliation, RefundState, Stand, Terms, TopUp,
    TopUpState,
};
use domain::usd::Usd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use store::Database;
use tokio::sync::Semaphore;
use wire::stripe::{self, Event, Object, Session};

const SECRETS: [&str; 2] = ["whsec_present", "whsec_before"];
const HOOK: &str = "/hooks/stripe";

/// Calls that have come, or may go on.
struct Calls(Semaphore);

impl Default for Calls {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

/// Stripe as far as the gateway sees it: sessions that a test pays.
#[derive(Default)]
pub(super) struct FakeProcessor {
    sessions: Mutex<Vec<Session>>,
    refunds: Mutex<Vec<(String, Usd, String)>>,
    away: AtomicBool,
    /// Whether it opens no place to pay.
    refuses: AtomicBool,
    /// Whether it waits with the place to pay: it tells that it was asked, and goes on when told to.
    waits: AtomicBool,
    asked: Calls,
    goes_on: Calls,
    /// Whether it says of every session what nobody knows.
    strange: AtomicBool,
    /// What moved, by its own list; nothing where it has none.
    moved: Mutex<Option<Vec<MoneyLine>>>,
    /// Whether that list is not there.
    silent: AtomicBool,
}

impl FakeProcessor {
    fn sessions(&self) -> MutexGuard<'_, Vec<Session>> {
        self.sessions.lock().unwrap()
    }

    /// The payer pays.
    pub fn pay(&self, row: &TopUp) -> Session {
        let mut sessions = self.sessions();
        let id = row.processor_ref.as_deref().unwrap();
        let session = sessions.iter_mut().find(|one| one.id == id).unwrap();
        session.status = "complete".into();
        session.payment_status = "paid".into();
        session.payment_intent = Some(format!("pi_{}", row.id));
        session.clone()
    }

    /// From now on it says this of a session.
    pub fn say(&self, session: &Session) {
        let mut sessions = self.sessions();
        let known = sessions.iter_mut().find(|known| known.id == session.id);
        *known.unwrap() = session.clone();
    }

    /// From now on its list of what moved is this.
    pub fn moves(&self, lines: &[MoneyLine]) {
        *self.moved.lock().unwrap() = Some(lines.to_vec());
    }

    fn is_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// The same session for the same reference.
    fn opened(&self, checkout: &Checkout) -> Opened {
        let mut sessions = self.sessions();
        let id = format!("cs_{}", checkout.reference);
        let pay_url = format!("https://pay.example/{id}");
        if sessions.iter().all(|one| one.id != id) {
            sessions.push(Session {
                id: id.clone(),
                url: Some(pay_url.clone()),
                status: "open".into(),
                payment_status: "unpaid".into(),
                amount_total: Some(checkout.cents()),
                currency: "usd".into(),
                payment_intent: None,
                client_reference_id: Some(checkout.reference.clone()),
                topup_id: Some(checkout.reference.clone()),
                live: Some(true),
                created: 0,
                expires_at: 0,
            });
        }
        Opened {
            processor_ref: id,
            pay_url,
        }
    }

    fn unreachable(&self) -> Result<(), ProcessorError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(ProcessorError::Unreachable("away".into())),
            false => Ok(()),
        }
    }
}

impl PaymentProcessor for FakeProcessor {
    fn kind(&self) -> Processor {
        Processor::Stripe
    }

    fn is_live(&self) -> bool {
        true
    }

    fn takes_webhooks(&self) -> bool {
        true
    }

    fn signature_header(&self) -> &'static str {
        stripe::SIGNATURE_HEADER
    }

    fn believes(&self, signature: &str, body: &[u8], now: Timestamp) -> bool {
        stripe::verify(&SECRETS, signature, body, now).is_ok()
    }

    fn notice(&self, body: &[u8]) -> Option<Notice> {
        stripe::notice(body)
    }

    fn open<'a>(&'a self, checkout: &'a Checkout) -> Asked<'a, Opened> {
        Box::pin(async move {
            self.unreachable()?;
            if self.refuses.load(Ordering::SeqCst) {
                return Err(ProcessorError::Refused("no".into()));
            }
            if self.waits.load(Ordering::SeqCst) {
                self.asked.0.add_permits(1);
                self.goes_on.0.acquire().await.unwrap().forget();
            }
            Ok(self.opened(checkout))
        })
    }

    fn read<'a>(&'a self, row: &'a TopUp) -> Asked<'a, Option<Fact>> {
        Box::pin(async move {
            self.unreachable()?;
            let sessions = self.sessions();
            let known = |one: &&Session| Some(&one.id) == row.processor_ref.as_ref();
            let mut fact = sessions.iter().find(known).map(Session::fact);
            if let Some(fact) = fact
                .as_mut()
                .filter(|_| self.strange.load(Ordering::SeqCst))
            {
                fact.stand = Stand::Unknown("the state \"odd\"".into());
            }
            Ok(fact)
        })
    }

    fn refund<'a>(&'a self, row: &'a TopUp, amount: Usd, key: &'a str) -> Asked<'a, ()> {
        Box::pin(async move {
            self.unreachable()?;
            let payment = row.payment_ref.clone().unwrap();
            self.refunds
                .lock()
                .unwrap()
                .push((payment, amount, key.to_owned()));
            Ok(())
        })
    }

    fn paid_between(&self, _from: Timestamp, _until: Timestamp) -> Asked<'_, Vec<Fact>> {
        let facts = self
            .sessions()
            .iter()
            .map(Session::fact)
            .collect::<Vec<_>>();
        let paid = |fact: &Fact| fact.stand == domain::top_up::Stand::Paid;
        Box::pin(async move { Ok(facts.into_iter().filter(paid).collect()) })
    }

    fn moved_between(&self, from: Timestamp, until: Timestamp) -> Asked<'_, Vec<MoneyLine>> {
        let lines = self.moved.lock().unwrap().clone();
        Box::pin(async move {
            let lines = lines.ok_or(ProcessorError::NotOffered)?;
            if self.silent.load(Ordering::SeqCst) {
                return Err(ProcessorError::Unreachable("no list of what moved".into()));
            }
            let of_span = |one: &MoneyLine| (from..until).contains(&one.at);
            Ok(lines.into_iter().filter(of_span).collect())
        })
    }
}

/// Ways to pay of the test world.
fn settings() -> TopUpSettings {
    let terms = Terms {
        min: Usd(5_000_000),
        max: Usd(500_000_000),
        daily: [Some(Usd(1_000_000_000)); 4],
        hold: [Millis::minutes(60), Millis(0), Millis(0), Millis(0)],
        fee_parts_per_million: 0,
        fee_fixed: Usd::ZERO,
        bonuses: vec![BonusRule {
            from: Usd(100_000_000),
            parts_per_million: 50_000,
        }],
    };
    let offer = |processor, instructions: &str| Offer {
        processor,
        terms: terms.clone(),
        instructions: instructions.to_owned(),
    };
    TopUpSettings {
        base_url: "https://gate.example".into(),
        offers: vec![
            offer(Processor::Stripe, ""),
            offer(Processor::Manual, "IBAN DE00 0000"),
        ],
        lifetime: Millis::minutes(60),
        on_fraud_warning: OnFraudWarning::Freeze,
        second_person_from: Some(Usd(200_000_000)),
        seller: "Example Ltd\n1 Main Street".into(),
        odd_amounts: OddAmounts::default(),
    }
}

/// The same over the store of a world, with other settings.
fn otherwise(world: &World, change: impl FnOnce(&mut TopUpSettings)) -> TopUps {
    let mut settings = settings();
    change(&mut settings);
    TopUps::new(
        Arc::clone(&world.door.engine),
        Arc::clone(&world.store) as _,
        Arc::clone(&world.door.limits),
        vec![Arc::clone(&world.payments) as _],
        settings,
    )
}

/// Use cases over these, with a processor that a test pays at.
pub(super) fn top_ups(
    engine: &Arc<Engine>,
    store: &Arc<Database>,
    limits: &Arc<Limits>,
) -> (Arc<FakeProcessor>, Arc<TopUps>) {
    let payments = Arc::new(FakeProcessor::default());
    let top_ups = TopUps::new(
        Arc::clone(engine),
        Arc::clone(store) as _,
        Arc::clone(limits),
        vec![Arc::clone(&payments) as _],
        settings(),
    );
    (payments, Arc::new(top_ups))
}

async fn begun(world: &World, amount: &str) -> TopUp {
    begun_by(world, world.account, amount).await
}

pub(super) async fn begun_by(world: &World, account: AccountId, amount: &str) -> TopUp {
    let account = world.store.account(account).await.unwrap().unwrap();
    let way = Way {
        proof: None,
        method: "stripe",
        amount,
        currency: "USD",
        note: "",
    };
    let once = KeyedRequest {
        endpoint: "/wallet/top-up".into(),
        key: fresh_key(),
        fingerprint: [0; 32],
        keeps_refusal: false,
    };
    world.door.top_ups.begin(&account, way, once).await.unwrap()
}

pub(super) async fn row(world: &World, id: i64) -> TopUp {
    world.store.top_up(id).await.unwrap().unwrap()
}

async fn state(world: &World, row: &TopUp) -> TopUpState {
    self::row(world, row.id).await.state
}

async fn available(world: &World) -> String {
    world.wallet().await.available.to_string()
}

async fn post(world: &World, body: &str, signature: &str) -> Answered {
    let headers = [
        ("content-type", "application/json"),
        ("stripe-signature", signature),
    ];
    world
        .send(world.request("POST", HOOK, &headers, body))
        .await
}

pub(super) async fn deliver(world: &World, body: &str) -> u16 {
    let signature = stripe::sign(SECRETS[0], body.as_bytes(), world.clock.now());
    post(world, body, &signature).await.status
}

fn event(id: &str, kind: &str, object: Object) -> String {
    let event = Event {
        id: id.into(),
        kind: kind.into(),
        live: true,
        created: 0,
        object,
    };
    event.body()
}

pub(super) fn completed(id: &str, session: &Session) -> String {
    let object = Object::Session(Box::new(session.clone()));
    event(id, "checkout.session.completed", object)
}

fn refunded(id: &str, row: &TopUp, cents: i64) -> String {
    let charge = Object::Charge {
        payment_intent: format!("pi_{}", row.id),
        amount_refunded: cents,
        currency: "usd".into(),
    };
    event(id, "charge.refunded", charge)
}

fn disputed(id: &str, kind: &str, row: &TopUp, dispute: &str) -> String {
    let object = Object::Dispute {
        id: dispute.into(),
        payment_intent: format!("pi_{}", row.id),
        amount: 2500,
        currency: "usd".into(),
    };
    event(id, kind, object)
}

async fn audited(world: &World) {
    let audit = world.store.audit(world.clock.now()).await.unwrap();
    assert_eq!(audit.violations, []);
}

/// A refund of what the wallet has.
pub(super) fn plain(amount: Usd, reason: &str) -> RefundOrder<'_> {
    RefundOrder {
        amount,
        reason,
        may_owe: false,
        seen: None,
    }
}

/// A top-up of 25 dollars that was paid and credited.
async fn paid(world: &World) -> TopUp {
    let top_up = begun(world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(world, &completed("evt_1", &session)).await, 200);
    top_up
}
