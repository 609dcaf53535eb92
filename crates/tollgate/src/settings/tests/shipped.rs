//! The shipped file, its defaults, and the documentation: three tellings of one truth.

use super::*;
use domain::catalogue::CostAbovePrice;
use domain::policy::{OtpClass, SmmClass};
use domain::time::Millis;
use domain::usd::Usd;

const DOCS: &str = include_str!("../../../../../docs/settings.md");

/// The shipped file with everything switched on that it only suggests.
fn example_in_full() -> String {
    let lines = init::EXAMPLE.lines().map(|line| {
        let bare = line.strip_prefix('#').filter(|rest| !rest.is_empty());
        bare.filter(|rest| !rest.starts_with(' ')).unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn everything_set() -> Settings {
    let place = Place::new();
    place.file("peter1.key", "sesame\n", 0o600);
    place.file("smtp.url", "smtps://user:sesame@mail.example.org\n", 0o600);
    for name in [
        "collector.token",
        "stripe.key",
        "stripe-webhook.secret",
        "stripe-webhook-before.secret",
        "btcpay.key",
        "btcpay-webhook.secret",
        "btcpay-webhook-before.secret",
        "nowpayments.key",
        "nowpayments-ipn.secret",
        "nowpayments-ipn-before.secret",
    ] {
        place.file(name, "sesame\n", 0o600);
    }
    for name in ["twilio.token", "twilio-before.token", "twilio.key"] {
        place.file(name, "0123456789abcdef0123456789abcdef\n", 0o600);
    }
    place.read(&example_in_full()).unwrap()
}

fn count(settings: &Settings, origin: Origin) -> usize {
    settings
        .describe()
        .iter()
        .filter(|entry| entry.origin == origin)
        .count()
}

#[test]
fn the_example_is_the_defaults() {
    let place = Place::new();
    let mut example = place.read(init::EXAMPLE).unwrap();
    let mut empty = place.read("").unwrap();
    assert_eq!(count(&empty, Origin::File), 0);
    assert!(count(&example, Origin::File) > 20);
    let values = |settings: &Settings| {
        let entries = settings.describe().iter();
        entries
            .map(|entry| (entry.key.clone(), entry.value.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&example), values(&empty));
    example.entries.clear();
    empty.entries.clear();
    assert_eq!(example, empty);
}

#[test]
fn what_the_example_suggests_is_the_default_too() {
    let place = Place::new();
    place.file("peter1.key", "sesame", 0o600);
    let full = everything_set();
    let bare = "[upstreams.peter1]\nprotocol='handler_api'\n\
                url='https://api.provider.example/stubs/handler_api.php'\nkey_file='peter1.key'\n\
                [servers.peter]\nlabel='Peter'\nroutes=[{upstream='peter1'}]\n";
    let bare = place.read(bare).unwrap();
    assert_eq!(full.upstreams, bare.upstreams);
    assert_eq!(full.servers, bare.servers);
    assert_eq!(full.upstream("peter1").unwrap().key.expose(), "sesame");
}

#[test]
fn every_key_is_in_the_example_and_in_the_documentation() {
    let full = everything_set();
    assert!(full.describe().len() > 50);
    for Entry {
        pattern,
        origin,
        secret,
        key,
        ..
    } in full.describe()
    {
        assert_ne!(
            *origin,
            Origin::Default,
            "{key} is missing from the example"
        );
        assert!(
            DOCS.contains(&format!("| `{pattern}` |")),
            "{pattern} is not documented"
        );
        if *secret {
            for form in ["_file", "_env"] {
                assert!(
                    DOCS.contains(&format!("`{pattern}{form}`")),
                    "{pattern}{form}"
                );
            }
        }
    }
}

/// Settings that are documented and do not exist would be lies.
#[test]
fn the_documentation_invents_no_key() {
    let full = everything_set();
    let rows = DOCS
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let documented: Vec<&str> = rows.map(|(key, _)| key).collect();
    assert_eq!(documented.len(), full.describe().len());
    for key in documented {
        let known = full.describe().iter().any(|entry| entry.pattern == key);
        assert!(known, "{key} is documented and does not exist");
    }
    let otp = OtpClass::ALL.map(OtpClass::slug).into_iter();
    for class in otp.chain(SmmClass::ALL.map(SmmClass::slug)) {
        assert!(
            DOCS.contains(&format!("`{class}`")),
            "class {class} is not documented"
        );
    }
}

#[test]
fn the_defaults_are_the_promised_ones() {
    let place = Place::new();
    let settings = place.read(&upstream("")).unwrap();
    assert_eq!(settings.listen.address.to_string(), "127.0.0.1:8080");
    let limits = &settings.limits;
    let rates = [
        limits.requests_per_minute,
        limits.failed_auth_per_minute,
        limits.misses_per_minute,
    ];
    assert_eq!(rates, [60, 60, 120]);
    assert!(limits.accounts.is_empty());
    assert_eq!(settings.purchase.sync_budget, Millis(25_000));
    assert_eq!(settings.purchase.price_grace, Millis::seconds(60));
    assert_eq!(settings.markup.general.parts_per_million, 200_000);
    assert!(!settings.policy.sell_unclassified);
    assert_eq!(settings.policy.smm_confirmation, None);
    assert!(settings.smm.upstreams.is_empty());
    assert_eq!(settings.store.data_dir, place.0.join("data"));
    assert_eq!(
        settings.store.engine,
        Engine::Sqlite {
            directory: place.0.join("data")
        }
    );
    let upstream = settings.upstream("p1").unwrap();
    assert_eq!(upstream.doubt.window, Millis::seconds(180 + 60 + 30));
    assert_eq!(upstream.doubt.cap, 50);
    assert_eq!(upstream.polling.pauses, [Millis(3000)]);
    let timeouts = (
        upstream.timeout.as_millis(),
        upstream.connect_timeout.as_millis(),
    );
    assert_eq!(timeouts, (30_000, 5000));
}

#[test]
fn a_panel_has_a_window_and_a_plan_of_its_own() {
    let place = Place::new();
    let settings = place.read(&panel("")).unwrap();
    assert_eq!(settings.smm.upstreams, ["panel"]);
    let upstream = settings.upstream("panel").unwrap();
    assert_eq!(upstream.doubt.window, Millis::minutes(15));
    assert_eq!(
        upstream.polling.pauses,
        [30, 60, 300, 900].map(Millis::seconds)
    );
    assert_eq!(upstream.terminal_confirmation, Millis::seconds(60));
    let hurried = place.read(&panel("poll_interval_ms = 500")).unwrap();
    assert_eq!(
        hurried.upstream("panel").unwrap().polling.pauses,
        [Millis(500)]
    );
    let mapped = "[smm]\nupstreams = ['panel']\non_cost_above_price = 'notify'\n\
                  [smm.services.7]\nsources = ['panel:1:x']\nrate_usd = '1.08'";
    let smm = place.read(&panel(mapped)).unwrap().smm;
    assert_eq!(smm.upstreams, ["panel"]);
    assert_eq!(smm.rules.on_cost_above_price, CostAbovePrice::Notify);
    let rule = &smm.rules.services["7"];
    assert_eq!(rule.sources, [("panel".into(), "1:x".into())]);
    assert_eq!((rule.rate, rule.disabled), (Some(Usd(1_080_000)), false));
    let without = place.read(&panel("[smm]\nupstream = ''")).unwrap();
    assert!(without.smm.upstreams.is_empty());
}
