//! The demo, `init`, `check-config`, and what `serve` refuses.

use super::*;
use crate::settings::check::{check, for_serve};
use crate::settings::demo::{self, DemoAccount, DemoPlace};
use domain::policy::SmmClass;
use domain::time::Millis;

fn accounts() -> Vec<DemoAccount<'static>> {
    let account = |name, server, provider_type| DemoAccount {
        name,
        server,
        provider_type,
        protocol: Protocol::HandlerApi,
        path: "/x/stubs/handler_api.php",
        key: "sandbox-x-key",
        dialect: "classic",
        pools: server == "andrew",
        min_cancel_age_s: if server == "romeo" { 10 } else { 120 },
    };
    let panel = DemoAccount {
        protocol: Protocol::PanelV2,
        path: "/panel/api/v2",
        min_cancel_age_s: 0,
        ..account("panel", "panel", 0)
    };
    let names = ["romeo", "juliet", "paul", "andrew", "mark", "john"];
    let mut accounts: Vec<_> = names.map(|name| account(name, name, 0)).into();
    accounts.extend([
        account("peter1", "peter", 1),
        account("peter2", "peter", 2),
        panel,
    ]);
    accounts
}

fn demo(place: &Place, accounts: &[DemoAccount<'_>]) -> Settings {
    let there = DemoPlace {
        listen: "127.0.0.1:9999".parse().unwrap(),
        data_dir: &place.0,
        sandbox_url: "http://127.0.0.1:7000",
        pepper: &Secret::new(PEPPER),
    };
    demo::settings(&there, accounts).unwrap()
}

#[test]
fn the_demo_has_eight_servers_in_their_order() {
    let place = Place::new();
    let settings = demo(&place, &accounts());
    let names: Vec<&str> = settings
        .servers
        .iter()
        .map(|server| server.name.as_str())
        .collect();
    let order = [
        "romeo", "juliet", "peter", "paul", "andrew", "mark", "luke", "john",
    ];
    assert_eq!(names, order);
    for server in &settings.servers {
        let expected = if server.name == "romeo" { 10 } else { 120 };
        assert_eq!(
            server.min_cancel_age,
            Millis::seconds(expected),
            "{}",
            server.name
        );
        assert!(server.enabled && !server.routes.is_empty());
    }
    let peter = &settings.server("peter").unwrap().routes;
    assert_eq!(
        peter
            .iter()
            .map(|route| route.provider_type)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(settings.smm.upstreams, ["panel"]);
    let luke = settings.upstream(demo::POOL).unwrap();
    assert_eq!(luke.protocol, Protocol::OwnNumbers);
    assert!(luke.own.sell_again && luke.own.services.len() > 80);
    assert!(settings.hooks.door().takes_twilio());
    let rules = settings.policy.rules().unwrap();
    assert!(rules.sell_unclassified && rules.smm_confirmed);
    let words = sandbox::products().into_iter();
    for (word, name) in words.filter(|(_, name)| !name.starts_with("Sandbox:")) {
        assert_eq!(
            settings.catalogue.naming.service(&word).as_deref(),
            Some(name)
        );
        let class = rules.otp_class(name, &word);
        assert_ne!(class, domain::policy::OtpClass::Unclassified, "{name}");
    }
    assert_eq!(
        settings.policy.lifted,
        [Class::Smm(SmmClass::InauthenticEngagement)]
    );
    assert_eq!(settings.markup.general.parts_per_million, 200_000);
    assert_eq!(settings.store.data_dir, place.0);
    assert_eq!(settings.listen.address.port(), 9999);
}

#[test]
fn the_demo_waits_seconds_where_production_waits_minutes() {
    let place = Place::new();
    let settings = demo(&place, &accounts());
    assert_eq!(settings.upstreams.len(), 10);
    for upstream in &settings.upstreams {
        assert_eq!(
            upstream.doubt.window,
            Millis::seconds(60),
            "{}",
            upstream.name
        );
        assert_eq!(upstream.doubt.list_lag, Millis(0));
        assert!(upstream.doubt.lists_orders);
        assert_eq!(upstream.polling.pauses, [Millis(1000)]);
        assert_eq!(upstream.terminal_confirmation, Millis::seconds(2));
        assert_eq!(upstream.handler_api.pools, upstream.name == "andrew");
    }
    let panel = settings.upstream("panel").unwrap();
    assert_eq!(panel.url, "http://127.0.0.1:7000/panel/api/v2");
}

#[test]
fn a_demo_server_without_accounts_is_switched_off() {
    let place = Place::new();
    let few: Vec<_> = accounts()
        .into_iter()
        .filter(|account| account.server == "peter")
        .collect();
    let settings = demo(&place, &few);
    let enabled = settings.servers.iter().filter(|server| server.enabled);
    assert_eq!(
        enabled
            .map(|server| server.name.as_str())
            .collect::<Vec<_>>(),
        ["peter", "luke"],
        "the pool is the demo's own"
    );
    assert!(settings.smm.upstreams.is_empty());
}

#[test]
fn serve_refuses_the_demos_ways() {
    let place = Place::new();
    let report = for_serve(&demo(&place, &accounts()), None);
    let keys: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(keys.len(), 14);
    assert!(keys.contains(&"payments.stripe") && keys.contains(&"payments.nowpayments"));
    assert!(keys.contains(&"policy.sell_unclassified"));
    assert!(keys.contains(&"upstreams.peter2.key") && keys.contains(&"upstreams.panel.key"));
    assert!(keys.contains(&"hooks.twilio.auth_token"));
    let unsafe_alone = place.read("policy.sell_unclassified = true").unwrap();
    assert!(!for_serve(&unsafe_alone, None).is_ok());
}

#[test]
fn serve_refuses_secrets_in_a_file_that_others_can_read() {
    let place = Place::new();
    let judge = |text: &str, mode| {
        let file = place.file("tollgate.toml", text, mode);
        let (settings, report) = check(text, |_| None, &place.0, &file);
        assert_eq!(settings.is_some(), report.is_ok());
        report
    };
    let report = judge(&upstream(""), 0o644);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].key, "upstreams.p1.key");
    assert!(report.problems[0].why.contains("(mode 0644)"));
    assert!(judge(&upstream(""), 0o600).is_ok());
    assert!(
        judge("log.level='warn'", 0o644).is_ok(),
        "there is no secret in this one"
    );
}

#[test]
fn a_certificate_is_looked_at_before_the_start() {
    let place = Place::new();
    let problems = |text: &str| {
        let report = for_serve(&place.read(text).unwrap(), None);
        let lines = report.problems.iter().map(ToString::to_string);
        (lines.collect::<Vec<_>>().join("; "), report.warnings)
    };
    let both = "listen.tls_cert_file='chain.pem'\nlisten.tls_key_file='key.pem'\n";
    let (missing, _) = problems(both);
    let expected = "listen.tls_cert_file: cannot be used: ";
    assert!(
        missing.starts_with(expected) && missing.contains("chain.pem holds no certificate"),
        "{missing}"
    );
    place.file("key.pem", "none", 0o644);
    let (open, warnings) = problems(&format!("{both}listen.address='0.0.0.0:443'"));
    assert!(
        open.contains("listen.tls_key_file: names a file that is open to other users"),
        "{open}"
    );
    let encrypted = warnings.iter().all(|one| one.key != "listen.address");
    assert!(encrypted, "{warnings:?}");
    assert_eq!(
        place.problems("listen.tls_key_file='key.pem'"),
        ["listen.tls_cert_file: is missing: tls_key_file is given"]
    );
    assert_eq!(
        place.problems(&format!("{both}listen.public_url='http://sms.example.org'")),
        ["listen.public_url: must begin with https://: tls_cert_file is given"]
    );
}

#[test]
fn warnings_do_not_stop_anything() {
    let place = Place::new();
    let warned = |text: &str| {
        let report = for_serve(&place.read(text).unwrap(), None);
        assert!(report.is_ok());
        report
            .warnings
            .into_iter()
            .map(|warning| warning.key)
            .collect::<Vec<_>>()
    };
    assert_eq!(warned(""), ["servers"]);
    let sold = upstream("[servers.peter]\nroutes=[{upstream='p1'}]");
    assert!(warned(&sold).is_empty());
    let open = format!("{sold}\n[listen]\naddress='0.0.0.0:80'\n");
    assert_eq!(warned(&open), ["listen.address"]);
    assert_eq!(
        warned(&format!("{open}public_url='http://a.example'")),
        ["listen.address"]
    );
    assert!(warned(&format!("{open}public_url='https://a.example'")).is_empty());
    assert!(warned(&format!("{open}trusted_proxies=['10.0.0.0/8']")).is_empty());
    let empty = warned(&panel("[servers.peter]"));
    assert_eq!(empty, ["servers.peter.routes", "policy.smm_confirmation"]);
    let play = "[payments.stripe]\nkey='sk_test_1'\nwebhook_secret='whsec_1'\n";
    assert_eq!(warned(&format!("{sold}\n{play}")), ["payments.stripe.live"]);
}

#[test]
fn the_report_prints_for_people_and_machines() {
    let place = Place::new();
    let (settings, report) = check("[log]\nlevel=1\ncolour=2", |_| None, &place.0, &place.0);
    assert!(settings.is_none());
    let words = "must be text in quotes, not a whole number";
    let lines = [
        format!("log.level: {words}"),
        "log.colour: is not a setting".to_owned(),
    ];
    assert_eq!(report.lines(), lines);
    let expected = format!(
        "{{\"ok\":false,\"problems\":[{{\"key\":\"log.level\",\"why\":\"{words}\"}},\
         {{\"key\":\"log.colour\",\"why\":\"is not a setting\"}}]}}"
    );
    assert_eq!(report.json().to_string(), expected);
    let (_, good) = check("", |_| None, &place.0, &place.0);
    assert_eq!(good.json().to_string(), "{\"ok\":true,\"problems\":[]}");
    assert_eq!(
        good.lines().len(),
        1,
        "the warning that nothing is for sale"
    );
}

#[test]
fn init_makes_a_start_and_never_overwrites() {
    let place = Place::new();
    let fresh = place.0.join("fresh");
    let keys = ::store::fresh_keys().unwrap();
    let made = init::write(&fresh, &[7; 32], &keys).unwrap();
    assert_eq!(
        made,
        ["tollgate.pepper", "tollgate.keys", "tollgate.toml"].map(|file| fresh.join(file))
    );
    for file in &made {
        assert_eq!(
            fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let text = fs::read_to_string(&made[2]).unwrap();
    let (settings, report) = check(&text, |_| None, &fresh, &made[2]);
    assert!(report.is_ok(), "{:?}", report.problems);
    let settings = settings.unwrap();
    assert_eq!(settings.keys.pepper.expose(), "07".repeat(32));
    assert_eq!(settings.secrets.key.expose(), keys);
    assert_eq!(settings.secrets.key_file.as_ref(), Some(&made[1]));
    assert!(init::write(&fresh, &[8; 32], "other").is_err());
    // an installation from before stored secrets were sealed has no keys yet
    fs::remove_file(&made[1]).unwrap();
    let more = init::write(&fresh, &[8; 32], &keys).unwrap();
    assert_eq!(more, [fresh.join("tollgate.keys")]);
    fs::remove_file(&made[2]).unwrap();
    assert_eq!(
        init::write(&fresh, &[8; 32], "other").unwrap(),
        [fresh.join("tollgate.toml")]
    );
    assert!(fs::read_to_string(&made[0]).unwrap().starts_with("0707"));
}
