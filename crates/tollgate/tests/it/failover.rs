//! `server: "all"`: a definite refusal goes on to the next route within one hold and one charge, and
//! nothing else does, not even a kill while the next one is asked.

use crate::conformance::gate::{Act, Gate};
use crate::failpoints::mortal_program;
use crate::served::Served;
use crate::world::{Running, sandbox};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const BUY: &str = "/api/v1/otp?action=buy_number";

/// Two servers that sell Telegram in Pakistan, the cheaper one first.
struct Street {
    served: Served,
    cheap: Gate,
    dear: Gate,
    dear_price: String,
    _providers: Running,
}

fn settings(cheap: &Gate, dear: &Gate) -> String {
    let upstream = |name: &str, gate: &Gate, path: &str| {
        format!(
            "[upstreams.{name}]\nprotocol = \"handler_api\"\nurl = \"{}{path}\"\n\
             key = \"{name}-key\"\nallow_plain_http = true\ntimeout_ms = 3000\n\
             connect_timeout_ms = 1000\nlate_window_s = 4\nlist_lag_s = 0\nskew_margin_s = 0\n\
             [servers.{name}s]\nroutes = [{{ upstream = \"{name}\" }}]\n",
            gate.url()
        )
    };
    format!(
        "[otp]\norder = [\"dears\", \"cheaps\"]\ndefault_server = \"dears\"\n\
         [sync]\nactivation_poll_ms = 500\n{}{}",
        upstream("cheap", cheap, "/paul/stubs/handler_api.php"),
        upstream("dear", dear, "/romeo/stubs/handler_api.php")
    )
}

impl Street {
    async fn open() -> Self {
        let (providers, practice) = sandbox();
        let address = practice.trim_start_matches("http://").parse().unwrap();
        let cheap = Gate::translating(address, "cheap-key", "sandbox-paul-key");
        let dear = Gate::translating(address, "dear-key", "sandbox-romeo-key");
        let served = Served::start(&settings(&cheap, &dear), 2).await;
        let list = served
            .client
            .otp("services&country_key=pakistan")
            .await
            .data();
        let rows = list["services"].as_array().unwrap().iter();
        let sold: Vec<&Value> = rows.filter(|row| row["name"] == "Telegram").collect();
        assert_eq!(sold.len(), 2, "{sold:?}");
        assert_eq!(sold[0]["provider_source"], "cheaps", "{sold:?}");
        Self {
            dear_price: sold[1]["your_price_usd"].to_string(),
            served,
            cheap,
            dear,
            _providers: providers,
        }
    }

    /// The last word on a purchase with this key.
    async fn settled(&self, key: &str) -> String {
        let give_up = Instant::now() + Duration::from_secs(90);
        loop {
            let again = self.served.client.post_keyed(BUY, telegram(), key).await;
            if !["202 -", "409 idempotency_in_progress"].contains(&again.verdict().as_str()) {
                return again.verdict();
            }
            assert!(Instant::now() < give_up, "{}", again.text);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn purchases(&self) -> (usize, usize) {
        (self.cheap.purchases(), self.dear.purchases())
    }
}

fn telegram() -> Value {
    json!({ "server": "all", "country_key": "pakistan", "service_id": "Telegram" })
}

fn refused() -> Act {
    Act::WithPurchases(Box::new(Act::ok("NO_NUMBERS")))
}

#[tokio::test]
async fn the_next_route_serves_within_one_hold_and_one_charge() {
    let street = Street::open().await;
    street.cheap.does(refused());
    let bought = street.served.client.buy(telegram()).await.data();
    assert_eq!(bought["provider_source"], "dears");
    assert_eq!(bought["charged_usd"].to_string(), street.dear_price);
    assert_eq!(street.purchases(), (1, 1));
    let micros = |text: &str| -> u64 {
        let (whole, part) = text.split_once('.').unwrap();
        format!("{whole}{part:0<6}").parse().unwrap()
    };
    let left = micros(&street.served.client.balance().await);
    assert_eq!(left, 10_000_000 - micros(&street.dear_price));
    street.served.verify();
}

#[tokio::test]
async fn an_answer_that_is_lost_is_the_last_word_of_a_purchase() {
    let street = Street::open().await;
    street.cheap.does(Act::WithPurchases(Box::new(Act::HangUp)));
    let bought = street.served.client.buy(telegram()).await;
    assert_eq!(bought.verdict(), "503 purchase_outcome_unknown");
    assert_eq!(street.purchases(), (1, 0));
    street.served.verify();
}

#[tokio::test]
async fn a_kill_while_the_next_route_is_asked_buys_nothing_twice() {
    let mut street = Street::open().await;
    street.cheap.does(refused());
    street.dear.does(Act::WithPurchases(Box::new(Act::Drip)));
    let client = street.served.client.clone();
    let mut buying = JoinSet::new();
    buying.spawn(async move { client.try_post_keyed(BUY, &telegram(), "k1").await });
    let give_up = Instant::now() + Duration::from_secs(60);
    while street.dear.purchases() == 0 {
        assert!(Instant::now() < give_up, "the second route is never asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    street.served.die_and_start_again().await;
    let answer = buying.join_next().await.unwrap().unwrap();
    assert!(answer.is_none(), "the answer died as well");
    let settled = street.settled("k1").await;
    assert_eq!(settled, "503 provider_unavailable");
    assert_eq!(street.purchases(), (1, 1), "no attempt is made twice");
    assert_eq!(street.served.client.balance().await, "10.000000");
    street.served.verify();
}

/// The refusal of the first route is known, and the next attempt is stored or not: either way nothing
/// was bought, and nobody pays.
#[tokio::test]
async fn a_death_while_the_next_route_is_stored_buys_nothing() {
    let mut street = Street::open().await;
    street.cheap.does(refused());
    let mortal = mortal_program();
    for (death, place) in ["written:next_route", "stored:next_route"]
        .into_iter()
        .enumerate()
    {
        street.served.turn_mortal(&mortal, place).await;
        let key = format!("death{death}");
        let client = street.served.client.clone();
        let answer = client.try_post_keyed(BUY, &telegram(), &key).await;
        assert!(answer.is_none(), "{place}: the answer died as well");
        street.served.until_dead().await;
        street.served.die_and_start_again().await;
        assert_eq!(
            street.settled(&key).await,
            "503 provider_unavailable",
            "{place}"
        );
        assert_eq!(
            street.purchases(),
            (death + 1, 0),
            "{place}: nothing was sent after it"
        );
        assert_eq!(street.served.client.balance().await, "10.000000", "{place}");
        street.served.verify();
    }
    // and the next purchase is one hold and one charge as ever
    let bought = street.served.client.buy(telegram()).await.data();
    assert_eq!(bought["charged_usd"].to_string(), street.dear_price);
    assert_eq!(street.purchases(), (3, 1));
    street.served.verify();
}
