//! A node dies over an event of a payment processor and another one stands by: what nobody signed is
//! kept by none, and a payment is credited once whichever of them gets which event of it.

use crate::conformance::gate::Gate;
use crate::failpoints::mortal_program;
use crate::nodes::Postgres;
use crate::served::Served;
use crate::visitor::Visitor;
use crate::world::{Client, Running, sandbox};
use domain::time::Timestamp;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What Stripe signs with at first, and after the secret was changed.
const SECRETS: [&str; 2] = [
    "whsec_of_this_year_0123456789",
    "whsec_of_next_year_0123456789",
];
/// Our key at the processor.
const STRIPE_KEY: &str = "sk_test_of_this_installation_0123456789";
const PASSWORD: &str = "violet anchor parade seven";
/// Each top-up, in dollars.
const AMOUNT: i64 = 10;
/// As often is the same event sent to both nodes until the one that can die is the faster one.
const RACES: usize = 20;

/// Two nodes over one database, of which the first can die, and a customer.
struct Pair {
    nodes: [Served; 2],
    mortal: PathBuf,
    practice: String,
    ana: Visitor,
    account: String,
    http: reqwest::Client,
    /// Dollars that were paid.
    paid: i64,
    _sandbox: Running,
    _postgres: Postgres,
}

/// An event as it goes over the wire.
#[derive(Clone)]
struct Event {
    top_up: i64,
    body: String,
}

impl Event {
    /// The same news under an id of its own.
    fn other(&self) -> Self {
        let body = self.body.replacen("\"evt_", "\"evt_more_", 1);
        assert_ne!(body, self.body);
        Self {
            body,
            ..self.clone()
        }
    }
}

fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "the processor has a clock of its own"
    )]
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_millis()).unwrap())
}

impl Pair {
    async fn start() -> Self {
        let postgres = Postgres::start();
        let (sandbox, practice) = sandbox();
        // the practice processor has a key that everybody knows, which no server is let start with
        let address = practice.trim_start_matches("http://").parse().unwrap();
        let gate = Gate::translating(address, STRIPE_KEY, sandbox::STRIPE_KEY);
        let settings = format!(
            "{}[payments.stripe]\nkey = \"{}\"\nwebhook_secret = \"{}\"\n\
             api = \"{}/stripe\"\nallow_plain_http = true\n",
            postgres.settings(),
            STRIPE_KEY,
            SECRETS[0],
            gate.url(),
        );
        let first = Served::start(&settings, 0).await;
        let second = Served::node(&settings, 0).await;
        let email = "bea@example.com";
        let made = first.cli(&[
            "account",
            "create",
            "--email",
            email,
            "--password",
            PASSWORD,
        ]);
        let facts = json!({
            "base_url": first.base(),
            "customer": { "email": email, "password": PASSWORD },
        });
        Self {
            ana: Visitor::customer(&facts).await,
            account: made["account_id"].to_string(),
            nodes: [first, second],
            mortal: mortal_program(),
            practice,
            http: reqwest::Client::new(),
            paid: 0,
            _sandbox: sandbox,
            _postgres: postgres,
        }
    }

    /// Somebody pays at the processor, which tells nobody; gives the event that it has to tell.
    async fn pays(&mut self) -> Event {
        let top_up = self
            .ana
            .top_up("stripe", &AMOUNT.to_string())
            .await
            .unwrap();
        let client = Client::new(&self.practice, "");
        let shown = client.get("/_sandbox/payments").await.json()["payments"].clone();
        let ours = |one: &&Value| one["reference"] == format!("tu_{top_up}");
        let place = shown.as_array().unwrap().iter().find(ours).unwrap()["id"].clone();
        let act = json!({ "id": place, "do": "pay" });
        let order = json!({ "processor": "stripe", "act": act, "deliver": { "times": 0 } });
        let made = client.post("/_sandbox/payments", order).await.json();
        let body = made["events"][0]["body"].as_str().unwrap().to_owned();
        self.paid += AMOUNT;
        Event { top_up, body }
    }

    /// Sends an event to a node; gives the status, if an answer came.
    async fn send(&self, node: usize, event: &Event, signature: &str) -> Option<u16> {
        let request = self
            .http
            .post(format!("{}/hooks/stripe", self.nodes[node].base()))
            .timeout(Duration::from_secs(30))
            .header("content-type", "application/json")
            .header("stripe-signature", signature)
            .body(event.body.clone());
        Some(request.send().await.ok()?.status().as_u16())
    }

    async fn deliver(&self, node: usize, event: &Event) -> Option<u16> {
        self.deliver_signed(node, event, SECRETS[0]).await
    }

    async fn deliver_signed(&self, node: usize, event: &Event, secret: &str) -> Option<u16> {
        let signature = wire::stripe::sign(secret, event.body.as_bytes(), now());
        self.send(node, event, &signature).await
    }

    async fn turn_mortal(&mut self, place: &str) {
        let mortal = self.mortal.clone();
        self.nodes[0].turn_mortal(&mortal, place).await;
    }

    /// The first node has died and starts again, as one that cannot.
    async fn revive(&mut self) {
        self.nodes[0].until_dead().await;
        self.nodes[0].die_and_start_again().await;
    }

    /// Waits until everything that was paid is in the wallet; nothing may ever be there twice.
    async fn settled(&self, point: &str) {
        let give_up = Instant::now() + Duration::from_secs(60);
        let wanted = format!("{}.000000", self.paid);
        loop {
            let wallet = self.nodes[1].cli(&["wallet", "show", "--account", &self.account]);
            if wallet["available"] == wanted {
                break;
            }
            assert!(
                Instant::now() < give_up,
                "{point}: {wallet} instead of {wanted}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        self.nodes[1].verify();
    }

    fn state(&self, event: &Event) -> String {
        let listed = self.nodes[1].cli(&["topup", "list", "--all"]);
        let rows = listed["top_ups"].as_array().unwrap();
        let row = rows.iter().find(|row| row["id"] == event.top_up).unwrap();
        row["state"].as_str().unwrap().to_owned()
    }

    /// TOP-1: the node that would die if it kept anything lives through what nobody signed.
    async fn nothing_is_kept_of_what_nobody_signed(&mut self) {
        let event = self.pays().await;
        self.turn_mortal("before:receive_top_up_event").await;
        let body = event.body.as_bytes();
        let late = Timestamp(now().0 - 301_000);
        let early = Timestamp(now().0 + 302_000);
        for signature in [
            String::new(),
            "t=1,v1=zz".to_owned(),
            wire::stripe::sign("whsec_guessed", body, now()),
            wire::stripe::sign(SECRETS[0], body, late),
            wire::stripe::sign(SECRETS[0], body, early),
        ] {
            let answer = self.send(0, &event, &signature).await;
            assert_eq!(answer, Some(400), "{signature}");
        }
        assert_eq!(self.state(&event), "created");
        assert_eq!(
            self.deliver(0, &event).await,
            None,
            "it dies over the right one"
        );
        self.revive().await;
        assert_eq!(
            self.state(&event),
            "created",
            "TOP-2: nothing is known of it"
        );
        assert_eq!(self.deliver(0, &event).await, Some(200));
        self.settled("TOP-1").await;
    }

    /// TOP-6: both nodes get the same event at the same time, and one dies while it credits.
    async fn the_same_event_to_two_nodes(&mut self) {
        self.turn_mortal("written:credit_top_up").await;
        for _ in 0..RACES {
            // the one that can die is what the customer's page is at
            let event = self.pays().await;
            let (first, second) = tokio::join!(self.deliver(0, &event), self.deliver(1, &event));
            assert_eq!(second, Some(200));
            self.settled("TOP-6").await;
            if first.is_none() {
                self.revive().await;
                assert_eq!(self.deliver(0, &event).await, Some(200));
                return self.settled("TOP-6").await;
            }
        }
        panic!("the other node was faster {RACES} times");
    }

    /// TOP-7: another event of the same payment comes to another node while one is dead.
    async fn two_events_of_one_payment(&mut self) {
        for place in ["written:credit_top_up", "stored:credit_top_up"] {
            let event = self.pays().await;
            self.turn_mortal(place).await;
            assert_eq!(self.deliver(0, &event).await, None, "{place}");
            assert_eq!(self.deliver(1, &event.other()).await, Some(200));
            self.revive().await;
            for node in [0, 1] {
                assert_eq!(self.deliver(node, &event).await, Some(200));
                assert_eq!(self.deliver(node, &event.other()).await, Some(200));
            }
            self.settled("TOP-7").await;
        }
    }

    /// TOP-11: no event ever comes, and the node that found out by itself dies over it.
    async fn an_event_that_never_comes(&mut self) {
        let event = self.pays().await;
        self.nodes[1].stop();
        self.turn_mortal("written:credit_top_up").await;
        self.nodes[0].until_dead().await;
        self.nodes[1].die_and_start_again().await;
        self.revive().await;
        self.settled("TOP-11").await;
        assert_eq!(self.state(&event), "credited");
    }

    /// TOP-12: the secret is changed between an event and its second delivery.
    async fn a_secret_is_changed_meanwhile(&mut self) {
        let [old, new] = SECRETS;
        let event = self.pays().await;
        self.turn_mortal("before:credit_top_up").await;
        let both = format!("webhook_secret = \"{new}\"\nwebhook_secret_before = \"{old}\"");
        let alone = format!("webhook_secret = \"{old}\"");
        for node in &self.nodes {
            node.change_settings(&alone, &both);
        }
        assert_eq!(self.deliver_signed(0, &event, old).await, None);
        self.revive().await;
        for secret in SECRETS {
            assert_eq!(self.deliver_signed(0, &event, secret).await, Some(200));
        }
        self.settled("TOP-12").await;
        self.nodes[0].change_settings(&both, &format!("webhook_secret = \"{new}\""));
        self.nodes[0].die_and_start_again().await;
        let again = event.other();
        assert_eq!(self.deliver_signed(0, &again, old).await, Some(400));
        assert_eq!(self.deliver_signed(0, &again, new).await, Some(200));
        self.settled("TOP-12").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_over_an_event_costs_and_credits_nothing() {
    let mut pair = Pair::start().await;
    pair.nothing_is_kept_of_what_nobody_signed().await;
    pair.the_same_event_to_two_nodes().await;
    pair.two_events_of_one_payment().await;
    pair.an_event_that_never_comes().await;
    pair.a_secret_is_changed_meanwhile().await;
}
