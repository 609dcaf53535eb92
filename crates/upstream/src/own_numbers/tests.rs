use super::*;
use domain::own_number::{Carrier, InboundSms, NewNumber};
use std::sync::atomic::{AtomicI64, Ordering};
use store::Database;

const TTL: Millis = Millis::minutes(20);
const REST: Millis = Millis::minutes(15);

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, _: Millis) -> Pending<'static, ()> {
        Box::pin(async {})
    }
}

struct World {
    pool: OwnNumbers,
    store: Arc<Database>,
    clock: Arc<HandClock>,
}

impl World {
    async fn new(numbers: &[&str]) -> Self {
        let store = Arc::new(Database::in_memory().unwrap());
        let clock = Arc::new(HandClock(AtomicI64::new(1_769_860_800_000)));
        let rule = |country: Option<&str>, service: Option<&str>, cost| CostRule {
            country: country.map(str::to_owned),
            service: service.map(str::to_owned),
            cost: Usd(cost),
        };
        let settings = OwnNumbersSettings {
            name: "own".into(),
            services: [("tg", "Telegram"), ("wa", "WhatsApp"), ("vi", "Viber")]
                .map(|(code, name)| (code.to_owned(), name.to_owned()))
                .into(),
            cost: Usd(100_000),
            costs: vec![
                rule(Some("US"), Some("tg"), 300_000),
                rule(None, Some("tg"), 200_000),
                rule(Some("US"), None, 150_000),
            ],
            cooling_off: REST,
            sell_again: false,
            capabilities: OwnNumbersSettings::capabilities(),
        };
        let pool = OwnNumbers::new(settings, store.clone(), store.clone(), clock.clone());
        let world = Self { pool, store, clock };
        for number in numbers {
            let new = NewNumber::read("own", number, "US").unwrap();
            let added = world.pool.write("add", PoolWrite::Add(Box::new(new))).await;
            added.unwrap();
        }
        world
    }

    fn pass(&self, span: Millis) {
        self.clock.0.fetch_add(span.0, Ordering::SeqCst);
    }

    async fn buy(&self, service: &str, reference: &str) -> Purchase<Number> {
        self.pool.buy(&request(service, reference)).await.outcome
    }

    async fn bought(&self, service: &str, reference: &str) -> Number {
        match self.buy(service, reference).await {
            Purchase::Done(number) => number,
            other => panic!("{other:?}"),
        }
    }

    async fn receive(&self, id: &str, to: &Number, text: &str) {
        let sms = InboundSms {
            carrier: Carrier::Twilio,
            message_id: id.into(),
            event_id: None,
            from: "+14155550100".into(),
            to: to.phone.digits().into(),
            text: text.into(),
            received_at: self.clock.now(),
        };
        let kept = self
            .pool
            .write("receive", PoolWrite::Receive(Box::new(sms)));
        kept.await.unwrap();
    }
}

fn request(service: &str, reference: &str) -> NumberRequest {
    NumberRequest {
        service: service.into(),
        country: "US".into(),
        pool: None,
        max_cost: Usd(300_000),
        reference: reference.into(),
    }
}

fn code(text: &str, code: &str) -> NumberStatus {
    NumberStatus::Code(Sms {
        code: code.into(),
        text: Some(text.into()),
    })
}

const NUMBER: &str = "+14155550199";
const NO_STOCK: Purchase<Number> = Purchase::Refused(Refusal::NoStock);

#[tokio::test]
async fn a_number_is_rented_once_and_a_repeat_finds_it() {
    let world = World::new(&[NUMBER]).await;
    let number = world.bought("tg", "a").await;
    assert_eq!(number.phone.to_string(), NUMBER);
    assert_eq!(
        (number.cost, number.lifetime),
        (Some(Usd(300_000)), Some(TTL))
    );
    assert_eq!(world.bought("tg", "a").await, number);
    assert_eq!(world.buy("tg", "b").await, NO_STOCK);
    let listed = world.pool.active().await.unwrap();
    assert_eq!(
        (listed.len(), &listed[0].id, &listed[0].sms),
        (1, &number.id, &None)
    );
    assert_eq!(listed[0].phone, Some(number.phone));
}

#[tokio::test]
async fn what_is_not_sold_or_too_dear_is_refused() {
    let world = World::new(&[NUMBER]).await;
    let refused = Purchase::Refused;
    assert_eq!(world.buy("xx", "a").await, refused(Refusal::NotSold));
    let cheap = NumberRequest {
        max_cost: Usd(299_999),
        ..request("tg", "a")
    };
    let reply = world.pool.buy(&cheap).await;
    assert_eq!(reply.outcome, refused(Refusal::PriceMoved));
    assert_eq!(world.pool.active().await.unwrap(), []);
}

#[tokio::test]
async fn messages_come_one_after_the_other_and_the_rent_ends() {
    let world = World::new(&[NUMBER]).await;
    let number = world.bought("tg", "a").await;
    let status = || world.pool.status(&number.id);
    assert_eq!(status().await, Ok(NumberStatus::Waiting));
    world.receive("m1", &number, "Your code is 415-127").await;
    assert_eq!(status().await, Ok(code("Your code is 415-127", "415127")));
    world.receive("m2", &number, "Now 5577").await;
    assert_eq!(status().await, Ok(code("Now 5577", "5577")));
    let cancelled = world.pool.cancel(&number.id).await.outcome;
    assert_eq!(cancelled, CancelReply::BadTransition);
    world.pool.finish(&number.id).await.unwrap();
    world.pool.finish(&number.id).await.unwrap();
    assert_eq!(world.pool.active().await.unwrap(), []);
    assert_eq!(status().await, Ok(code("Now 5577", "5577")));
}

#[tokio::test]
async fn a_new_renter_sees_nothing_of_the_one_before() {
    let world = World::new(&[NUMBER]).await;
    let first = world.bought("tg", "a").await;
    world.receive("m1", &first, "code 1111").await;
    world.pool.finish(&first.id).await.unwrap();
    world.receive("m2", &first, "code 2222").await;
    assert_eq!(world.buy("wa", "b").await, NO_STOCK);
    world.pass(REST);
    world.receive("m3", &first, "code 3333").await;
    world.pass(Millis(1));
    let second = world.bought("wa", "c").await;
    assert_eq!(second.phone, first.phone);
    assert_eq!(
        world.pool.status(&second.id).await,
        Ok(NumberStatus::Waiting)
    );
    assert_eq!(world.pool.active().await.unwrap()[0].sms, None);
    // and the service of the first is done with this number
    world.pool.cancel(&second.id).await;
    world.pass(REST);
    assert_eq!(world.buy("tg", "d").await, NO_STOCK);
}

#[tokio::test]
async fn a_cancel_gives_the_number_back_after_its_rest() {
    let world = World::new(&[NUMBER]).await;
    let number = world.bought("tg", "a").await;
    for _ in 0..2 {
        let cancelled = world.pool.cancel(&number.id).await.outcome;
        assert_eq!(cancelled, CancelReply::Cancelled);
    }
    assert_eq!(
        world.pool.status(&number.id).await,
        Ok(NumberStatus::Closed)
    );
    assert_eq!(
        world.buy("tg", "a").await,
        NO_STOCK,
        "a repeat buys nothing anew"
    );
    world.pass(Millis(REST.0 - 1));
    assert_eq!(world.buy("tg", "b").await, NO_STOCK);
    world.pass(Millis(1));
    world.bought("tg", "c").await;
    for unknown in ["777", "x", ""] {
        let cancelled = world.pool.cancel(unknown).await.outcome;
        assert_eq!(cancelled, CancelReply::UnknownOrder);
    }
}

#[tokio::test]
async fn a_forgotten_rent_ends_a_lifetime_after_its_time() {
    let world = World::new(&[NUMBER]).await;
    world.bought("tg", "a").await;
    world.pass(Millis(2 * TTL.0 - 1));
    world.pool.listing().await.unwrap();
    assert_eq!(world.pool.active().await.unwrap().len(), 1);
    world.pass(Millis(1));
    world.pool.listing().await.unwrap();
    assert_eq!(world.pool.active().await.unwrap(), []);
}

#[tokio::test]
async fn the_listing_counts_what_is_free_at_the_most_specific_cost() {
    let world = World::new(&[NUMBER, "+14155550198"]).await;
    let averse = NewNumber {
        never: vec!["vi".into()],
        pool: Some("gold".into()),
        ..NewNumber::read("own", "+447700900123", "United Kingdom").unwrap()
    };
    let added = world.pool.write("add", PoolWrite::Add(Box::new(averse)));
    added.await.unwrap();
    world.bought("wa", "a").await;
    let listing = world.pool.listing().await.unwrap();
    let offers: Vec<_> = listing
        .offers
        .iter()
        .map(|one| {
            let place = (
                one.country.as_str(),
                one.pool.as_deref(),
                one.service.as_str(),
            );
            (place, one.cost.0, one.available)
        })
        .collect();
    assert_eq!(
        offers,
        [
            (("GB", Some("gold"), "tg"), 200_000, Some(1)),
            (("GB", Some("gold"), "wa"), 100_000, Some(1)),
            (("US", None, "tg"), 300_000, Some(1)),
            (("US", None, "vi"), 150_000, Some(1)),
            (("US", None, "wa"), 150_000, Some(1)),
        ]
    );
    assert_eq!(listing.countries[1], ("US".to_owned(), "USA".to_owned()));
    assert_eq!(listing.services.len(), 3);
    assert!(world.store.healthy());
    let empty = World::new(&[]).await;
    assert!(matches!(
        empty.pool.listing().await,
        Err(ReadFailure::Fault(_))
    ));
}
