//! Payment processors' webhooks and pages: what is believed, what is credited, once.

use super::dashboard::fresh_key;
use super::world::{Answered, World};
use app::limits::Limits;
use app::{Engine, KeyedRequest, Offer, TopUpSettings, TopUps, Way};
use domain::ids::AccountId;
use domain::ports::{Clock, Store, TopUpRows};
use domain::ticket::TicketKind;
use domain::time::{Millis, Timestamp};
use domain::top_up::{
    Asked, BonusRule, Checkout, EventState, Fact, Notice, OddAmounts, Opened, PaymentProcessor,
    Processor, ProcessorError, RefundState, Terms, TopUp, TopUpState,
};
use domain::usd::Usd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use store::Database;
use wire::stripe::{self, Event, Object, Session};

const SECRETS: [&str; 2] = ["whsec_present", "whsec_before"];
const HOOK: &str = "/hooks/stripe";

/// Stripe as far as the gateway sees it: sessions that a test pays.
#[derive(Default)]
pub(super) struct FakeProcessor {
    sessions: Mutex<Vec<Session>>,
    refunds: Mutex<Vec<(String, Usd, String)>>,
    away: AtomicBool,
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

    fn is_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
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
            let mut sessions = self.sessions();
            let id = format!("cs_{}", checkout.reference);
            let pay_url = format!("https://pay.example/{id}");
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
            Ok(Opened {
                processor_ref: id,
                pay_url,
            })
        })
    }

    fn read<'a>(&'a self, row: &'a TopUp) -> Asked<'a, Option<Fact>> {
        Box::pin(async move {
            self.unreachable()?;
            let sessions = self.sessions();
            let known = |one: &&Session| Some(&one.id) == row.processor_ref.as_ref();
            Ok(sessions.iter().find(known).map(Session::fact))
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
        freeze_on_fraud_warning: true,
        second_person_from: Some(Usd(200_000_000)),
        seller: "Example Ltd\n1 Main Street".into(),
        odd_amounts: OddAmounts::default(),
    }
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

async fn begun_by(world: &World, account: AccountId, amount: &str) -> TopUp {
    let account = world.store.account(account).await.unwrap().unwrap();
    let way = Way {
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

async fn row(world: &World, id: i64) -> TopUp {
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

async fn deliver(world: &World, body: &str) -> u16 {
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

fn completed(id: &str, session: &Session) -> String {
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

#[tokio::test]
async fn a_paid_session_is_credited_once_however_often_it_is_told() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    for id in ["evt_1", "evt_1", "evt_2", "evt_1"] {
        assert_eq!(deliver(&world, &completed(id, &session)).await, 200);
    }
    assert_eq!(available(&world).await, "75.000000");
    let credited = row(&world, top_up.id).await;
    assert_eq!(credited.state, TopUpState::Credited);
    assert_eq!(credited.payment_ref, session.payment_intent);
    // both secrets of a rotation are good
    let again = completed("evt_3", &session);
    let signature = stripe::sign(SECRETS[1], again.as_bytes(), world.clock.now());
    assert_eq!(post(&world, &again, &signature).await.status, 200);
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    audited(&world).await;
}

#[tokio::test]
async fn what_nobody_signed_leaves_no_trace() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    let body = completed("evt_1", &session);
    let now = world.clock.now();
    let sign = |secret: &str, at| stripe::sign(secret, body.as_bytes(), at);
    let many = format!("t=1,{}", vec!["v1=00"; 10_000].join(","));
    let late = sign(SECRETS[0], now - Millis::seconds(301));
    let early = sign(SECRETS[0], now + Millis::seconds(301));
    for bad in [
        "",
        "v1=zz",
        &many,
        &sign("", now),
        &sign("whsec_x", now),
        &late,
        &early,
    ] {
        let answer = post(&world, &body, bad).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (400, ""),
            "{bad:.60}"
        );
    }
    let unsigned = world.request("POST", HOOK, &[("content-type", "application/json")], &body);
    assert_eq!(world.send(unsigned).await.status, 400);
    let reprinted = body.replace(':', ": ");
    assert_eq!(
        post(&world, &reprinted, &sign(SECRETS[0], now))
            .await
            .status,
        400
    );
    let kept = world.store.top_up_event(Processor::Stripe, "evt_1").await;
    assert_eq!(kept.unwrap(), None);
    assert_eq!(available(&world).await, "50.000000");
    assert_eq!(deliver(&world, &body).await, 200, "a good one passes");
}

#[tokio::test]
async fn other_methods_types_and_sizes_are_refused() {
    let world = World::start().await;
    let read = world.send(world.request("GET", HOOK, &[], "")).await;
    assert_eq!((read.status, read.header("allow")), (405, Some("POST")));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let form = world.send(world.request("POST", HOOK, &form, "a=b")).await;
    assert_eq!(form.status, 415);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
    assert_eq!(deliver(&world, &long).await, 413);
    let large = format!(
        "{{\"id\":\"evt_1\",\"type\":\"x\",\"data\":{{\"object\":{{\"a\":\"{}\"}}}}}}",
        "x".repeat(200 * 1024)
    );
    assert_eq!(deliver(&world, &large).await, 200);
    assert_eq!(deliver(&world, "{}").await, 400);
    for other in [
        "/hooks/btcpay",
        "/hooks/nowpayments",
        "/hooks/manual",
        "/hooks/stripe/",
    ] {
        let answer = world.send(world.request("POST", other, &[], "{}")).await;
        assert_eq!(answer.status, 404, "{other}");
    }
}

#[tokio::test]
async fn events_that_fit_nothing_are_kept_and_credit_nothing() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    let kept = async |id: &str| {
        let event = world.store.top_up_event(Processor::Stripe, id).await;
        event.unwrap().unwrap().state
    };
    let unused = event(
        "evt_1",
        "invoice.paid",
        Object::Session(Box::new(session.clone())),
    );
    assert_eq!(deliver(&world, &unused).await, 200);
    assert_eq!(kept("evt_1").await, EventState::Ignored);
    let named = |reference: Option<&str>| Session {
        id: "cs_other".into(),
        client_reference_id: reference.map(str::to_owned),
        topup_id: reference.map(str::to_owned),
        ..session.clone()
    };
    assert_eq!(
        deliver(&world, &completed("evt_2", &named(None))).await,
        200
    );
    assert_eq!(kept("evt_2").await, EventState::Ignored);
    assert_eq!(
        deliver(&world, &completed("evt_3", &named(Some("tu_999999")))).await,
        200
    );
    assert_eq!(kept("evt_3").await, EventState::Parked);
    let open = world.store.tickets(true, 10).await.unwrap();
    assert_eq!(open.len(), 1, "an event for what is not there is an alarm");
    assert_eq!(available(&world).await, "50.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_payment_that_does_not_fit_waits_for_the_operator() {
    let spoil: [fn(&mut Session); 5] = [
        |session| session.amount_total = Some(2499),
        |session| session.currency = "eur".into(),
        |session| session.live = Some(false),
        |session| session.topup_id = None,
        |session| session.id = "cs_other".into(),
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let world = World::start().await;
        let top_up = begun(&world, "25.00").await;
        let mut session = world.payments.pay(&top_up);
        spoil(&mut session);
        assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
        assert_eq!(state(&world, &top_up).await, TopUpState::Review, "{number}");
        assert_eq!(available(&world).await, "50.000000");
        // a later good event does not leave the review: only an operator does
        let good = world.payments.pay(&top_up);
        assert_eq!(deliver(&world, &completed("evt_2", &good)).await, 200);
        assert_eq!(state(&world, &top_up).await, TopUpState::Review);
        let top_ups = &world.door.top_ups;
        let approved = top_ups
            .approve(top_up.id, None, "pi_x", "checked by hand")
            .await;
        assert_eq!(approved.unwrap().state, TopUpState::Credited);
        assert_eq!(available(&world).await, "75.000000");
        audited(&world).await;
    }
}

#[tokio::test]
async fn an_event_alone_is_no_proof() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let mut claimed = world.payments.sessions()[0].clone();
    claimed.payment_status = "paid".into();
    claimed.payment_intent = Some("pi_claimed".into());
    // signed, but the processor itself says "unpaid"
    assert_eq!(deliver(&world, &completed("evt_1", &claimed)).await, 200);
    assert_eq!(state(&world, &top_up).await, TopUpState::Created);
    // the processor is away: the event is kept, and credited as soon as it can be asked
    let session = world.payments.pay(&top_up);
    world.payments.is_away(true);
    assert_eq!(deliver(&world, &completed("evt_2", &session)).await, 200);
    assert_eq!(state(&world, &top_up).await, TopUpState::Created);
    world.payments.is_away(false);
    world.clock.advance(Millis::seconds(11));
    world.door.top_ups.run_due().await;
    assert_eq!(state(&world, &top_up).await, TopUpState::Credited);
    assert_eq!(available(&world).await, "75.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_webhook_that_never_comes_loses_nothing() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    world.payments.pay(&top_up);
    world.clock.advance(Millis::minutes(15));
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    world.clock.advance(Millis::minutes(15));
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    let day = Millis::minutes(24 * 60);
    let now = world.clock.now();
    let compared = world
        .door
        .top_ups
        .reconcile(now - day, now + day)
        .await
        .unwrap();
    assert_eq!(compared[0].unexplained, Vec::<String>::new());
    assert_eq!(compared[0].ours, (1, Usd(25_000_000)));
    audited(&world).await;
}

#[tokio::test]
async fn a_refund_before_its_payment_waits_for_it() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(
        deliver(&world, &refunded("evt_2", &top_up, 1000)).await,
        200
    );
    assert_eq!(available(&world).await, "50.000000");
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    assert_eq!(available(&world).await, "65.000000");
    audited(&world).await;
}

#[tokio::test]
async fn what_was_spent_and_returned_is_owed_and_stops_purchases() {
    let world = World::start().await;
    let (bob, key) = world.new_account("bob@example.com").await;
    let top_up = begun_by(&world, bob, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let body = r#"{"service_id":"306343","country_id":"61"}"#;
    let buy = async || {
        let headers = [
            ("x-api-key", key.as_str()),
            ("content-type", "application/json"),
        ];
        let target = "/api/v1/otp?action=buy_number";
        world
            .send(world.request("POST", target, &headers, body))
            .await
    };
    assert_eq!(buy().await.status, 200);
    let spent = 25_000_000 - world.store.wallet(bob).await.unwrap().unwrap().available.0;
    assert!(spent > 0);
    for _ in 0..2 {
        assert_eq!(
            deliver(&world, &refunded("evt_2", &top_up, 2500)).await,
            200
        );
    }
    let taken = "charge.dispute.funds_withdrawn";
    assert_eq!(
        deliver(&world, &disputed("evt_3", taken, &top_up, "dp_1")).await,
        200
    );
    let wallet = world.store.wallet(bob).await.unwrap().unwrap();
    assert_eq!(
        (wallet.available, wallet.receivable),
        (Usd::ZERO, Usd(spent))
    );
    let refused = buy().await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (402, "insufficient_balance")
    );
    let due = format!("{} USD are due", Usd(spent).short());
    assert!(refused.text.contains(&due), "{}", refused.text);
    let next = begun_by(&world, bob, "30.00").await;
    let session = world.payments.pay(&next);
    assert_eq!(deliver(&world, &completed("evt_4", &session)).await, 200);
    let wallet = world.store.wallet(bob).await.unwrap().unwrap();
    assert_eq!(
        (wallet.available, wallet.receivable),
        (Usd(30_000_000 - spent), Usd::ZERO)
    );
    assert_eq!(buy().await.status, 200);
    audited(&world).await;
}

#[tokio::test]
async fn a_dispute_takes_and_gives_back_once() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let taken = disputed("evt_2", "charge.dispute.funds_withdrawn", &top_up, "dp_1");
    let won = |id| disputed(id, "charge.dispute.funds_reinstated", &top_up, "dp_1");
    // won before it was lost: it waits
    assert_eq!(deliver(&world, &won("evt_3")).await, 200);
    assert_eq!(available(&world).await, "75.000000");
    assert_eq!(deliver(&world, &taken).await, 200);
    assert_eq!(available(&world).await, "50.000000");
    world.clock.advance(Millis::seconds(11));
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    assert_eq!(deliver(&world, &won("evt_4")).await, 200);
    assert_eq!(deliver(&world, &taken).await, 200);
    assert_eq!(available(&world).await, "75.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_banks_warning_freezes_the_account() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let warning = Object::FraudWarning {
        id: "issfr_1".into(),
        payment_intent: format!("pi_{}", top_up.id),
    };
    let warning = event("evt_2", "radar.early_fraud_warning.created", warning);
    assert_eq!(deliver(&world, &warning).await, 200);
    let account = world.store.account(world.account).await.unwrap().unwrap();
    assert!(account.suspended);
}

#[tokio::test]
async fn our_own_refund_leaves_the_wallet_first_and_is_not_taken_twice() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let top_ups = &world.door.top_ups;
    let amount = Usd(10_000_000);
    top_ups
        .refund(top_up.id, amount, "asked for it")
        .await
        .unwrap();
    assert_eq!(available(&world).await, "65.000000");
    assert_eq!(world.payments.refunds.lock().unwrap()[0].1, amount);
    assert_eq!(
        deliver(&world, &refunded("evt_2", &top_up, 1000)).await,
        200
    );
    assert_eq!(available(&world).await, "65.000000");
    let more = top_ups.refund(top_up.id, Usd(20_000_000), "again").await;
    assert!(more.is_err(), "15.00 are left of it");
    audited(&world).await;
}

#[tokio::test]
async fn a_refund_that_nobody_answers_is_told_again_under_its_key() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let top_ups = &world.door.top_ups;
    world.payments.is_away(true);
    let lost = top_ups.refund(top_up.id, Usd(10_000_000), "asked").await;
    assert!(lost.unwrap_err().to_string().contains("told again"));
    assert_eq!(available(&world).await, "65.000000");
    world.payments.is_away(false);
    world.clock.advance(Millis::minutes(3));
    top_ups.run_due().await;
    top_ups.run_due().await;
    let told = world.payments.refunds.lock().unwrap().clone();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].2, format!("refund-{}-1", top_up.id));
    let refunds = top_ups.refunds(top_up.id).await.unwrap();
    assert_eq!(refunds[0].state, RefundState::Sent);
    assert_eq!(available(&world).await, "65.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_refund_that_stays_unanswered_is_left_to_a_person_before_its_key_is_forgotten() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let top_ups = &world.door.top_ups;
    world.payments.is_away(true);
    let lost = top_ups.refund(top_up.id, Usd(10_000_000), "asked").await;
    assert!(lost.is_err());
    world.payments.is_away(false);
    world.clock.advance(Millis::minutes(20 * 60));
    top_ups.run_due().await;
    assert_eq!(*world.payments.refunds.lock().unwrap(), [], "told no more");
    let refunds = top_ups.refunds(top_up.id).await.unwrap();
    assert_eq!(refunds[0].state, RefundState::ByHand);
    let tickets = world.store.tickets(true, 10).await.unwrap();
    let [ticket] = &tickets[..] else {
        panic!("{tickets:?}");
    };
    assert_eq!(ticket.kind, TicketKind::TopUpReturned);
    assert!(ticket.detail.contains("look there first"), "{ticket:?}");
    audited(&world).await;
}

#[tokio::test]
async fn a_refund_of_a_backup_is_left_to_a_person() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let top_ups = &world.door.top_ups;
    world.payments.is_away(true);
    let lost = top_ups.refund(top_up.id, Usd(10_000_000), "asked").await;
    assert!(lost.is_err());
    world.payments.is_away(false);
    world.clock.advance(Millis::minutes(3));
    let now = world.door.engine.now();
    world.door.engine.note_restoration(Some(now));
    top_ups.run_due().await;
    assert_eq!(*world.payments.refunds.lock().unwrap(), [], "told no more");
    let refunds = top_ups.refunds(top_up.id).await.unwrap();
    assert_eq!(refunds[0].state, RefundState::ByHand);
    let tickets = world.store.tickets(true, 10).await.unwrap();
    assert_eq!(tickets[0].kind, TicketKind::TopUpReturned);
    audited(&world).await;
}

#[tokio::test]
async fn money_of_new_accounts_waits_and_is_refunded_before_it_is_spent() {
    let world = World::start().await;
    let (bob, key) = world.new_account("bob@example.com").await;
    let known = world.store.account(bob).await.unwrap().unwrap();
    let engine = &world.door.engine;
    engine.set_tier(bob, 0).await.unwrap();
    assert_ne!(known.tier, 0);
    let top_up = begun_by(&world, bob, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let wallet = async || world.store.wallet(bob).await.unwrap().unwrap();
    let held = wallet().await;
    assert_eq!(
        (held.available, held.uncleared),
        (Usd::ZERO, Usd(25_000_000))
    );
    let headers = [("x-api-key", key.as_str())];
    let target = "/api/v1/otp?action=balance";
    let balance = world.send(world.request("GET", target, &headers, "")).await;
    assert!(balance.text.contains("\"0.000000\""), "{}", balance.text);
    let top_ups = &world.door.top_ups;
    top_ups
        .refund(top_up.id, Usd(5_000_000), "asked")
        .await
        .unwrap();
    assert_eq!(wallet().await.uncleared, Usd(20_000_000));
    world.clock.advance(Millis::minutes(59));
    top_ups.run_due().await;
    assert_eq!(wallet().await.available, Usd::ZERO);
    world.clock.advance(Millis::minutes(1));
    top_ups.run_due().await;
    let free = wallet().await;
    assert_eq!(
        (free.available, free.uncleared),
        (Usd(20_000_000), Usd::ZERO)
    );
    assert_eq!(row(&world, top_up.id).await.clears_at, None);
    audited(&world).await;
}

#[tokio::test]
async fn a_bonus_is_beside_the_credit_and_goes_back_with_it() {
    let world = World::start().await;
    let top_up = begun(&world, "100.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    assert_eq!(available(&world).await, "155.000000");
    assert_eq!(
        deliver(&world, &refunded("evt_2", &top_up, 5000)).await,
        200
    );
    assert_eq!(available(&world).await, "102.500000");
    audited(&world).await;
}
