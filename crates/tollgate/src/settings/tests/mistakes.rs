//! Mistakes, and the sentences they are answered with.

use super::*;

#[test]
fn all_mistakes_are_named_at_once() {
    let place = Place::new();
    let text = "lisen = {}\n\
        [limits]\nrequests_per_minute = 0\nmisses_per_minute = '9'\n\
        [upstreams.peter1]\nprotocol='handler-api'\nurl='http://far.example'\ntimout_ms=1\n\
        timeout_ms=999999\n\
        [log]\nlevel = 'inf'\n\
        [otp]\norder = ['peter', 7]\n";
    let expected = [
        "limits.requests_per_minute: must be a whole number from 1 to 1000000, not 0",
        "limits.misses_per_minute: must be a whole number from 1 to 1000000, not text",
        "otp.order[1]: must be text in quotes, not a whole number",
        "upstreams.peter1.protocol: must be one of \"handler_api\", \"smspool\", \"fivesim\", \"own_numbers\", \"panel_v2\" (did you mean \
         \"handler_api\"?)",
        "upstreams.peter1.url: must begin with https://: over http:// everybody on the way can \
         read the key and the codes; allow_plain_http = true takes it all the same",
        "upstreams.peter1.key: is missing: name a file with key_file, an environment variable \
         with key_env, or give the value itself",
        "upstreams.peter1.timeout_ms: must be a whole number from 1000 to 120000, not 999999",
        "upstreams.peter1.timout_ms: is not a setting (did you mean \"timeout_ms\"?)",
        "log.level: must be one of \"error\", \"warn\", \"info\", \"debug\", \"trace\" (did you \
         mean \"info\"?)",
        "lisen: is not a setting (did you mean \"listen\"?)",
        "otp.order[0]: names no server in [servers]",
    ];
    assert_eq!(place.problems(text), expected);
}

#[test]
fn values_of_the_wrong_kind_or_size() {
    let place = Place::new();
    for (text, problem) in [
        (
            "limits = 3",
            "limits: must be a section, not a whole number",
        ),
        ("[smm.extra]", "smm.extra: is not a setting"),
        ("servers = [1]", "servers: must be a section, not a list"),
        (
            "[servers]\npeter = 1",
            "servers.peter: must be a section, not a whole number",
        ),
        (
            "markup.rules = [1]",
            "markup.rules[0]: must be a table in { }, not a whole number",
        ),
        (
            "markup.rules = {}",
            "markup.rules: must be a list of tables, not a section",
        ),
        (
            "otp.order = 'peter'",
            "otp.order: must be a list in [ ], not text",
        ),
        (
            "policy.sell_unclassified = 1",
            "policy.sell_unclassified: must be true or false, not a whole number",
        ),
        (
            "[limits]\nmisses_per_minute = 99999999999",
            "limits.misses_per_minute: must be a whole number from 1 to 1000000, not 99999999999",
        ),
        (
            "sync.smm_poll_s = []",
            "sync.smm_poll_s: must have at least one pause",
        ),
        (
            "sync.smm_poll_s = [0]",
            "sync.smm_poll_s[0]: must be a whole number of seconds from 1 to 86400",
        ),
        (
            "sync.smm_poll_s = [60, 30]",
            "sync.smm_poll_s: must not shrink: an order is asked for less as it ages",
        ),
    ] {
        place.refuses(text, problem);
    }
}

#[test]
fn addresses_and_figures_that_cannot_be_read() {
    let place = Place::new();
    for (text, problem) in [
        (
            "admin.address = '198.51.100.7:9465'",
            "admin.address: must be a loopback or private address: nobody is asked for a password \
             there",
        ),
        (
            "policy.tiers.1.buys_per_hour = 21",
            "policy.tiers.1.buys_per_hour: must be a whole number from 0 to 20, not 21",
        ),
        (
            "policy.tiers.0.daily_spend_usd = '10.01'",
            "policy.tiers.0.daily_spend_usd: may only be lowered, from \"10.000000\"",
        ),
        (
            "listen.address = '8080'",
            "listen.address: must be an IP address and a port, like \"127.0.0.1:8080\" or \
             \"[::1]:8080\"",
        ),
        (
            "listen.public_url = 'https://a.example/shop'",
            "listen.public_url: must end after the host and port, like \"https://sms.example.org\"",
        ),
        (
            "store.url = 'postgres://u:geheim@h/db?sslmode=prefer'",
            "store.url: sslmode must be disable, require or verify-full, not \"prefer\"",
        ),
        (
            "store.url = 'mysql://u:geheim@h/db'",
            "store.url: must be \"sqlite:DIRECTORY\" or \"postgres://USER@HOST/DATABASE\"",
        ),
        (
            "store.url_env = 'NOT_SET'",
            "store.url_env: names the environment variable NOT_SET, which is not set",
        ),
        (
            "store.connections = 0",
            "store.connections: must be a whole number from 1 to 200, not 0",
        ),
        (
            "store.url = 'sqlite:'",
            "store.url: must be \"sqlite:DIRECTORY\" or \"postgres://USER@HOST/DATABASE\"",
        ),
        (
            "store.data_dir = ''",
            "store.data_dir: must name a directory",
        ),
        (
            "markup.percent = 20.5",
            "markup.percent: must be a percentage in quotes from \"0\" to \"10000\" with at most \
             two decimals, like \"12.5\"",
        ),
        (
            "markup.fixed_usd = '-0.01'",
            "markup.fixed_usd: must be dollars in quotes with at most six decimals, like \"0.05\"",
        ),
    ] {
        place.refuses(text, problem);
    }
}

#[test]
fn sections_that_contradict_themselves() {
    let place = Place::new();
    for (text, problem) in [
        (
            "[[limits.accounts]]\naccount = 'bob'\nrequests_per_minute = 5",
            "limits.accounts[0].account: must be the number of an account, like 100001",
        ),
        (
            "[[limits.accounts]]\naccount = 100001",
            "limits.accounts[0].requests_per_minute: is missing",
        ),
        (
            "limits.accounts = [{account=7, requests_per_minute=1}, {account=7, requests_per_minute=2}]",
            "limits.accounts[1]: names an account that one before it names",
        ),
        (
            "[[markup.rules]]\npercent = '5'",
            "markup.rules[0].server: is missing, as are service, country, tier and account: give at least one",
        ),
        (
            "markup.rules = [{country='Peru'}, {country='peru', percent='1'}]",
            "markup.rules[1]: covers exactly what a rule before it covers",
        ),
        (
            "[[markup.rules]]\nserver = 'peter'",
            "markup.rules[0].server: names no server in [servers], nor \"smm\"",
        ),
        (
            "[[markup.rules]]\ncountry = 'xyzzyland'",
            "markup.rules[0].country: is no country",
        ),
        (
            "[servers.andrew]",
            "otp.default_server: is \"peter\", which is not a server that is switched on",
        ),
        (
            "otp.default_server='Peter'\n[servers.Peter]",
            "servers.Peter: must be named with 1 to 32 of a-z, 0-9, - and _",
        ),
        (
            "otp.order=['peter','peter']\n[servers.peter]",
            "otp.order[1]: is there twice",
        ),
        (
            "[servers.peter]\nmin_cancel_age_s = 1200",
            "servers.peter.min_cancel_age_s: must be shorter than lifetime_s",
        ),
    ] {
        place.refuses(text, problem);
    }
}

#[test]
fn upstreams_must_be_known_and_settle_in_time() {
    let place = Place::new();
    let short = "is too short: a customer would be released while the call may still run \
                 (timeout_ms)";
    for (text, problem) in [
        (
            upstream("connect_timeout_ms = 40000"),
            "upstreams.p1.connect_timeout_ms: must not be longer than timeout_ms",
        ),
        (
            upstream("late_window_s = 20\nlist_lag_s = 0\nskew_margin_s = 10"),
            &format!("upstreams.p1.late_window_s: {short}"),
        ),
        (
            // two calls of 30 s each for one purchase, and 45 s until its customer is released
            upstream(
                "idempotent_purchase = true\nlate_window_s = 5\nlist_lag_s = 5\nskew_margin_s = 5",
            ),
            &format!("upstreams.p1.late_window_s: {short}"),
        ),
        (
            panel("smm_in_doubt_s = 30"),
            &format!("upstreams.panel.smm_in_doubt_s: {short}"),
        ),
        (
            upstream("[smm]\nupstream = 'p1'"),
            "smm.upstream: names an upstream that does not speak panel_v2",
        ),
        (
            panel("[smm]\nupstream = 'panle'"),
            "smm.upstream: names no upstream in [upstreams] (did you mean \"panel\"?)",
        ),
        (
            upstream("[servers.peter]\nroutes = [{upstream='p2'}]"),
            "servers.peter.routes[0].upstream: names no upstream in [upstreams] (did you mean \
             \"p1\"?)",
        ),
        (
            panel("[servers.peter]\nroutes = [{upstream='panel'}]"),
            "servers.peter.routes[0].upstream: names an SMM panel, which has no numbers",
        ),
        (
            upstream("[servers.peter]\nroutes = [{provider_type=1}]"),
            "servers.peter.routes[0].upstream: is missing",
        ),
        (
            upstream("[servers.peter]\nroutes = [{upstream='p1'},{upstream='p1',provider_type=0}]"),
            "servers.peter.routes[1]: is there twice",
        ),
    ] {
        place.refuses(&text, problem);
    }
}

#[test]
fn exchange_rates_are_exact_decimals_above_zero() {
    let place = Place::new();
    for wrong in [
        "0",
        "0.000",
        "-1",
        "1e3",
        "",
        ".5",
        "5.",
        "1_000",
        "+1",
        "1234567890123",
    ] {
        let problems = place.problems(&upstream(&format!("usd_per_unit = '{wrong}'")));
        assert_eq!(problems.len(), 1, "{wrong}: {problems:?}");
        assert!(problems[0].starts_with("upstreams.p1.usd_per_unit: must be a decimal"));
    }
    let rouble = place
        .read(&upstream("usd_per_unit = '0.012345678901'"))
        .unwrap();
    assert_eq!(
        rouble.upstream("p1").unwrap().usd_per_unit.to_string(),
        "0.012345678901"
    );
}

#[test]
fn plain_http_only_at_home_or_on_demand() {
    let place = Place::new();
    let with_url = |url: &str| upstream("").replace("https://a.example/x", url);
    for home in [
        "http://127.0.0.1:9/a",
        "http://[::1]:9/",
        "http://localhost:9/",
        "https://a.b/",
    ] {
        let settings = place.read(&with_url(home)).unwrap();
        assert_eq!(settings.upstream("p1").unwrap().url, home);
    }
    for (url, part) in [
        ("http://127.0.0.1.evil.example/", "must begin with https://"),
        ("http://10.0.0.1/", "must begin with https://"),
        ("ftp://a.example/", "must be an address"),
        ("a.example/x", "must be an address"),
        (
            "https://me:geheim@a.example/",
            "must not carry a user name or password",
        ),
        ("https://a.example/?key=geheim", "must end before any ?"),
    ] {
        let problems = place.problems(&with_url(url));
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains(part), "{url}: {problems:?}");
        assert!(!problems[0].contains("geheim"));
    }
    let demanded = with_url("http://10.0.0.1/x") + "allow_plain_http = true\n";
    let settings = place.read(&demanded).unwrap();
    assert_eq!(settings.upstream("p1").unwrap().url, "http://10.0.0.1/x");
}

#[test]
fn a_broken_file_is_placed_but_not_quoted() {
    let place = Place::new();
    let problems = place.problems("[keys]\npepper = 'geheim\n");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("line 2, column "), "{problems:?}");
    assert!(!problems[0].contains("geheim"));
    assert!(place.problems("[log]\n[log]\n")[0].starts_with("line 2"));
}

#[test]
fn panels_and_mapped_services_must_be_known() {
    let place = Place::new();
    for (text, problem) in [
        (
            panel("[smm]\nupstreams = ['panel', 'panle']"),
            "smm.upstreams[1]: names no upstream in [upstreams] (did you mean \"panel\"?)",
        ),
        (
            panel("[smm]\nupstreams = ['panel', 'panel']"),
            "smm.upstreams[1]: is there twice",
        ),
        (
            panel("[smm]\nupstream = 'panel'\nupstreams = ['panel']"),
            "smm.upstreams: cannot stand beside smm.upstream",
        ),
        (
            panel("[smm.services.7]\nsources = ['panel']"),
            "smm.services.7.sources[0]: must be an upstream and its service id, like \"panel:123\"",
        ),
        (
            panel("[smm.services.7]\nsources = ['panle:1']"),
            "smm.services.7.sources[0]: names \"panle\", which takes no SMM orders (did you mean \
             \"panel\"?)",
        ),
        (
            panel("[smm.services.7]\nsources = ['panel:1', 'panel:1']"),
            "smm.services.7.sources[1]: is a source already",
        ),
        (
            panel("[smm.services.likes]\nname = 'Likes'"),
            "smm.services.likes: must be named with a whole number above zero: clients read ids \
             as numbers",
        ),
        (
            panel("[smm.services.7]\nrate_usd = '0'"),
            "smm.services.7.rate_usd: must be above zero",
        ),
    ] {
        place.refuses(&text, problem);
    }
}
