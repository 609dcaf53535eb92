//! Secrets that nobody else uses go every way through the program; afterwards they are searched for
//! where they must not be: in the log at its most talkative, in the metrics, in refusals, and in the
//! files of the store.

use crate::served::Served;
use crate::world::{Client, Scratch, free_address};
use reqwest::{RequestBuilder, Response};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use wire::inbound::Inbound;
use wire::twilio::{self, Algorithm};

const PASSWORD: &str = "canary-password-violet-anchor-5521";
const WRONG_PASSWORD: &str = "canary-wrong-password-lantern-7703";
const UPSTREAM_KEY: &str = "canary-upstream-key-90b1c47e";
const CARRIER_TOKEN: &str = "canary0carrier0token0f1e2d3c4b5a";
const PROCESSOR_KEY: &str = "sk_test_canaryprocessorkey4417";
const WEBHOOK_SECRET: &str = "whsec_canarywebhooksecret88213";
const WRONG_KEY: &str = "tg_live_canarywrong_keykeykeykeykeykey";
/// Long enough that no time of day in the log looks like it.
const CODE: &str = "73918264";
const WORDS: &str = "canaryzebra";
const NUMBER: &str = "+14155550177";

/// What is secret, by what it is called, and where it has to be absent.
type Secrets = Vec<(&'static str, String)>;

struct Cage {
    served: Served,
    admin: String,
    http: reqwest::Client,
    refusals: String,
}

/// Under which address its customers know it.
const LISTEN: &str = "public_url = \"https://gate.example\"\n";

fn settings(admin: &str, format: &str) -> String {
    format!(
        "[admin]\naddress = \"{admin}\"\n[log]\nformat = \"{format}\"\nlevel = \"trace\"\n\
         [otp]\ndefault_server = \"luke\"\n[sync]\nactivation_poll_ms = 250\n\
         [upstreams.far]\nprotocol = \"handler_api\"\nurl = \"http://127.0.0.1:9/stubs\"\n\
         key = \"{UPSTREAM_KEY}\"\ntimeout_ms = 1000\nconnect_timeout_ms = 500\n\
         [servers.paul]\nroutes = [{{ upstream = \"far\" }}]\n\
         [upstreams.mine]\nprotocol = \"own_numbers\"\nown_services = {{ tg = \"Telegram\" }}\n\
         poll_interval_ms = 250\n[servers.luke]\nroutes = [{{ upstream = \"mine\" }}]\n\
         [hooks.twilio]\nauth_token = \"{CARRIER_TOKEN}\"\n\
         [payments.stripe]\nkey = \"{PROCESSOR_KEY}\"\nwebhook_secret = \"{WEBHOOK_SECRET}\"\n"
    )
}

impl Cage {
    async fn open(format: &str) -> Self {
        let admin = free_address().to_string();
        let served = Served::start_listening(LISTEN, &settings(&admin, format), 0).await;
        Self {
            served,
            admin: format!("http://{admin}"),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            refusals: String::new(),
        }
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let base = self.served.base();
        self.http
            .post(format!("{base}{path}"))
            .header("origin", base)
    }

    async fn form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.post(path).header("cookie", cookie).form(fields);
        request.send().await.unwrap()
    }

    async fn page(&self, path: &str, cookie: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.served.base()));
        let answer = request.header("cookie", cookie).send().await.unwrap();
        answer.text().await.unwrap()
    }

    async fn refused(&mut self, request: RequestBuilder) {
        let answer = request.send().await.unwrap();
        assert!(answer.status().as_u16() >= 400, "{}", answer.status());
        let headers = format!("{:?}", answer.headers());
        self.refusals += &(headers + &answer.text().await.unwrap());
    }

    /// A person signs up with the password, signs in, and begins a second factor.
    async fn person(&mut self) -> Secrets {
        let email = ["--email", "bo@example.com", "--password", PASSWORD];
        self.served
            .cli(&[&["account", "create"], &email[..]].concat());
        let wrong = [("email", "bo@example.com"), ("password", WRONG_PASSWORD)];
        let request = self.post("/sign-in").form(&wrong);
        self.refused(request).await;
        let right = [("email", "bo@example.com"), ("password", PASSWORD)];
        let signed = self.form("/sign-in", "", &right).await;
        assert_eq!(signed.status().as_u16(), 303);
        let cookie = signed.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = self.page("/account", &cookie).await;
        let token = after(&page, "name=\"form_token\" value=\"");
        let begun = [("form_token", token)];
        self.form("/account/totp/begin", &cookie, &begun).await;
        let page = self.page("/account", &cookie).await;
        let seed = page
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .find(|word| {
                word.len() == 32
                    && word
                        .bytes()
                        .all(|b| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains(&b))
            });
        let session = cookie.split_once('=').unwrap().1.to_owned();
        vec![
            ("session", session),
            ("TOTP seed", seed.unwrap().to_owned()),
        ]
    }

    /// A customer buys, the carrier delivers, the code is read; then everything that can be wrong is.
    async fn order(&mut self) -> Secrets {
        let added = [
            "number",
            "add",
            "--upstream",
            "mine",
            "--country",
            "US",
            "--number",
            NUMBER,
        ];
        self.served.cli(&added);
        let key = ["key", "create", "--account", &self.served.account];
        let key = self.served.cli(&key)["api_key"]
            .as_str()
            .unwrap()
            .to_owned();
        let client = self.served.client_with(&key);
        let want = json!({ "service_id": "tg", "country_id": "US" });
        let bought = client.buy(want).await.data();
        let order = bought["order_id"].as_str().unwrap();
        let message = Inbound {
            message_id: "SM1".to_owned(),
            event_id: None,
            from: "+14155550100".to_owned(),
            to: NUMBER.to_owned(),
            text: format!("{WORDS} says: your code is {CODE}"),
            received_at: None,
        };
        let form = twilio::form(&message, "AC1");
        let told = "https://gate.example/hooks/twilio/sms";
        let signature = twilio::sign((CARRIER_TOKEN, Algorithm::Sha1), told, form.as_bytes());
        let hook = |signature: &str| {
            self.post("/hooks/twilio/sms")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("x-twilio-signature", signature)
                .body(form.clone())
        };
        let delivered = hook(&signature).send().await.unwrap();
        assert_eq!(delivered.status().as_u16(), 200);
        let forged = hook("c2lnbmF0dXJl");
        self.refused(forged).await;
        let give_up = Instant::now() + Duration::from_secs(20);
        loop {
            let seen = client
                .otp(&format!("get_status&order_id={order}"))
                .await
                .data();
            if seen["status"] == "received" {
                assert_eq!(seen["code"], CODE);
                break;
            }
            assert!(Instant::now() < give_up, "{seen}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        vec![("key", key)]
    }

    /// Requests that carry secrets where they do not belong.
    async fn mistakes(&mut self, key: &str) {
        let base = self.served.base();
        let get = |path: &str| self.http.get(format!("{base}{path}"));
        let requests = [
            get("/api/v1/otp?action=balance").header("x-api-key", WRONG_KEY),
            get(&format!("/api/v1/otp?action=balance&key={key}")),
            get(&format!("/api/v1/otp/{key}")).header("x-api-key", key),
            get("/api/v1/otp?action=nothing").header("x-api-key", key),
            self.post(&format!("/api/v1/otp?action=buy_number&key={key}"))
                .header("x-api-key", key)
                .header("content-type", "application/json")
                .body(format!(
                    "{{\"service_id\":\"{PASSWORD}\",\"server\":\"{WRONG_PASSWORD}\""
                )),
            self.post("/hooks/stripe")
                .header("content-type", "application/json")
                .header("stripe-signature", format!("t=1,v1={WEBHOOK_SECRET}"))
                .body("{}"),
        ];
        for request in requests {
            self.refused(request).await;
        }
        self.page("/reset?token=canaryresettoken", "").await;
    }
}

fn after<'a>(page: &'a str, mark: &str) -> &'a str {
    let (_, rest) = page.split_once(mark).unwrap();
    rest.split('"').next().unwrap()
}

/// All bytes below a folder.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes_below(&path));
        } else if path.extension().is_none_or(|end| end != "sock") {
            all.extend(std::fs::read(&path).unwrap());
        }
    }
    all
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes
        .windows(secret.len())
        .any(|part| part == secret.as_bytes())
}

#[test]
fn the_search_finds_what_is_there() {
    let place = Scratch::new();
    std::fs::create_dir(place.path().join("deep")).unwrap();
    std::fs::write(
        place.path().join("deep/file"),
        [b"\0x", CODE.as_bytes()].concat(),
    )
    .unwrap();
    assert!(holds(&bytes_below(place.path()), CODE));
    assert!(!holds(&bytes_below(place.path()), WORDS));
}

async fn secrets_stay_in_their_place(format: &str) {
    let mut cage = Cage::open(format).await;
    let mut secrets: Secrets = vec![
        ("password", PASSWORD.to_owned()),
        ("wrong password", WRONG_PASSWORD.to_owned()),
        ("upstream key", UPSTREAM_KEY.to_owned()),
        ("carrier token", CARRIER_TOKEN.to_owned()),
        ("processor key", PROCESSOR_KEY.to_owned()),
        ("webhook secret", WEBHOOK_SECRET.to_owned()),
        ("wrong key", WRONG_KEY.to_owned()),
    ];
    secrets.extend(cage.person().await);
    let of_order = cage.order().await;
    let key = of_order[0].1.clone();
    secrets.extend(of_order);
    cage.mistakes(&key).await;
    // while this is asked for, the log has caught up
    let metrics = Client::new(&cage.admin, "").get("/metrics").await.text;
    assert!(metrics.contains("tollgate_requests_total"));
    let log = cage.served.log();
    assert!(
        log.contains("TRACE") && log.contains("answered 401"),
        "{format}"
    );
    for (name, secret) in secrets.iter().chain(&[
        ("code", CODE.to_owned()),
        ("text", WORDS.to_owned()),
        ("reset token", "canaryresettoken".to_owned()),
    ]) {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{name} in the log: {}", lines[0]);
        assert!(!metrics.contains(secret), "{name} in the metrics");
        assert!(!cage.refusals.contains(secret), "{name} in a refusal");
    }
    cage.served.stop();
    let kept = bytes_below(&cage.served.dir().join("data"));
    assert!(holds(&kept, "bo@example.com"), "the store is looked at");
    secrets.extend([("code", CODE.to_owned()), ("text", WORDS.to_owned())]);
    for (name, secret) in &secrets {
        assert!(!holds(&kept, secret), "{name} in the store's files");
    }
}

#[tokio::test]
async fn no_secret_leaves_its_place_with_a_log_for_people() {
    secrets_stay_in_their_place("text").await;
}

#[tokio::test]
async fn no_secret_leaves_its_place_with_a_log_for_machines() {
    secrets_stay_in_their_place("json").await;
}
