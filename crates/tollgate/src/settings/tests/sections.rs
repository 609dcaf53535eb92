//! What the sections of the file come to.

use super::*;
use crate::settings::exact::Percent;
use domain::ids::AccountId;
use domain::markup::Payer;
use domain::policy::{OtpClass, Rules, SmmClass, Strength};
use domain::time::Millis;
use domain::upstream::Progress;
use domain::usd::Usd;
use upstream::{Dialect, PanelTransport, PriceList, PurchaseAction, StatusAction};

#[test]
fn proxies_are_blocks_of_addresses() {
    let place = Place::new();
    let text = "listen.trusted_proxies = ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '0.0.0.0/0']";
    let proxies = place.read(text).unwrap().listen.trusted_proxies;
    let parts: Vec<String> = proxies
        .iter()
        .map(|block| format!("{:?}", block.parts()))
        .collect();
    assert_eq!(
        parts,
        [
            "(10.0.0.0, 8)",
            "(192.0.2.7, 32)",
            "(2001:db8::, 32)",
            "(0.0.0.0, 0)"
        ]
    );
    for bad in [
        "10.0.0.1/8",
        "10.0.0.0/33",
        "1.0.0.0/-1",
        "::/129",
        "localhost",
        "",
        "::ffff:1.2.3.4",
    ] {
        let result = place.read(&format!("listen.trusted_proxies=['{bad}']"));
        assert_eq!(
            result.unwrap_err()[0].key,
            "listen.trusted_proxies[0]",
            "{bad}"
        );
    }
}

#[test]
fn no_setting_lifts_what_is_denied_for_good() {
    let place = Place::new();
    let otp = OtpClass::ALL.map(|class| (class.slug(), class.strength()));
    let smm = SmmClass::ALL.map(|class| (class.slug(), class.strength()));
    let mut never_sold = 0;
    for (slug, strength) in otp.into_iter().chain(smm) {
        let text = format!("[policy]\nlifted = ['{slug}']");
        assert_eq!(
            place.read(&text).is_ok(),
            strength == Strength::DefaultDeny,
            "{slug}"
        );
        if strength == Strength::HardDeny {
            place.refuses(
                &text,
                &format!(
                    "policy.lifted[0]: names the class {slug}, which is never sold: no setting \
                     can lift it"
                ),
            );
            never_sold += 1;
        }
    }
    assert_eq!(never_sold, 10);
    place.refuses(
        "[policy]\nlifted = ['marketplace']",
        "policy.lifted[0]: is not a class (did you mean \"marketplaces\"?); the classes are \
         listed in docs/settings.md",
    );
}

#[test]
fn services_get_classes() {
    let place = Place::new();
    let text = "policy.lifted=['marketplaces', 'inauthentic_engagement']\n\
                [policy.classify]\n'Some Game'='gaming_forums_streaming'\nads='paid_promotion'\n";
    let policy = place.read(text).unwrap().policy;
    let lifted = [
        Class::Otp(OtpClass::Marketplaces),
        Class::Smm(SmmClass::InauthenticEngagement),
    ];
    assert_eq!(policy.lifted, lifted);
    let expected = [
        (
            "Some Game".to_owned(),
            Class::Otp(OtpClass::GamingForumsStreaming),
        ),
        ("ads".to_owned(), Class::Smm(SmmClass::PaidPromotion)),
    ];
    assert_eq!(policy.classify, expected);
    place.refuses(
        "[policy.classify]\n'a b'='gaming'",
        "policy.classify.\"a b\": is not a class (did you mean \"gaming_forums_streaming\"?); the \
         classes are listed in docs/settings.md",
    );
    place.refuses(
        "[policy.classify]\nx='unclassified'",
        "policy.classify.x: is no classification: leave the line out",
    );
}

#[test]
fn the_policy_engine_hears_what_the_operator_said() {
    let place = Place::new();
    let read = |text: &str| place.read(text).unwrap().policy.rules().unwrap();
    assert_eq!(read(""), Rules::default());
    let rules = read("policy.smm_confirmation={by='A', at='2026-02-28', statement='s'}");
    assert!(rules.smm_confirmed && !rules.sell_unclassified && !rules.sell_default_denied_smm);
    let lifted = read("policy.lifted=['dating', 'inauthentic_engagement']");
    let mut expected = Rules::default();
    expected.lift_otp(OtpClass::Dating).unwrap();
    expected.lift_smm(SmmClass::InauthenticEngagement).unwrap();
    assert_eq!(lifted, expected);
    let by_name = read("[policy.classify]\n'Zyxel Quux'='dating'\n");
    assert_eq!(by_name.otp_class("zyxel quux", "zz"), OtpClass::Dating);
    let by_code = read("[policy.classify]\nzqx='dating'\n");
    assert_eq!(by_code.otp_class("Zyxel Quux", "zqx"), OtpClass::Dating);
    let bank = read("[policy.classify]\n'Some Bank'='gaming_forums_streaming'\n");
    assert_eq!(bank.otp_class("Some Bank", "zz"), OtpClass::Money);
}

#[test]
fn a_confirmation_counts_only_whole() {
    let place = Place::new();
    let read = |members: &str| place.read(&format!("policy.smm_confirmation={{{members}}}"));
    let whole = read("by='Ana', at='2026-02-28', statement='checked'").unwrap();
    let confirmation = whole.policy.smm_confirmation.unwrap();
    assert_eq!(
        (confirmation.by.as_str(), confirmation.statement.as_str()),
        ("Ana", "checked")
    );
    assert_eq!(confirmation.at.to_string(), "2026-02-28");
    for (members, key) in [
        ("at='2026-02-28', statement='x'", "by"),
        ("by='Ana', statement='x'", "at"),
        ("by='Ana', at='2026-02-28', statement=' '", "statement"),
        ("by='Ana', at='2026-02-30', statement='x'", "at"),
        ("by='Ana', at='28.02.2026', statement='x'", "at"),
        ("by='Ana', at='20260228', statement='x'", "at"),
    ] {
        let problems = read(members).unwrap_err();
        assert_eq!(problems.len(), 1, "{members}: {problems:?}");
        assert_eq!(problems[0].key, format!("policy.smm_confirmation.{key}"));
    }
}

#[test]
fn servers_stand_in_the_operators_order() {
    let place = Place::new();
    let text = "otp.order=['paul','romeo']\notp.default_server='john'\n\
                [servers.john]\n[servers.paul]\n[servers.romeo]\n[servers.andrew]\nenabled=false";
    let settings = place.read(text).unwrap();
    let names: Vec<&str> = settings
        .servers
        .iter()
        .map(|server| server.name.as_str())
        .collect();
    assert_eq!(names, ["paul", "romeo", "andrew", "john"]);
    assert!(!settings.server("andrew").unwrap().enabled);
    assert_eq!(settings.server("paul").unwrap().label, "paul");
    place.refuses(
        &text.replace("'john'\n", "'andrew'\n"),
        "otp.default_server: is \"andrew\", which is not a server that is switched on",
    );
}

#[test]
fn markup_rules_fall_back_to_the_general_figures() {
    let place = Place::new();
    let text = "[markup]\npercent='12.25'\nfixed_usd='0.01'\n\
                rules=[{service='telegram', percent='35'}, {country='Pakistan', fixed_usd='0'}]";
    let markup = place.read(text).unwrap().markup;
    let telegram = markup.for_offer(
        "peter",
        ["306343", "telegram"],
        "pakistan",
        Some(Payer::of_tier(3)),
    );
    assert_eq!(
        (telegram.parts_per_million, telegram.fixed),
        (350_000, Usd(10_000))
    );
    let pakistan = markup.for_offer(
        "peter",
        ["wa", "whatsapp"],
        "pakistan",
        Some(Payer::of_tier(3)),
    );
    assert_eq!(
        (pakistan.parts_per_million, pakistan.fixed),
        (122_500, Usd::ZERO)
    );
    assert_eq!(markup.general.parts_per_million, 122_500);
    assert_eq!(markup.general.fixed, Usd(10_000));
    let odd = r#"markup.rules=[{server='pe"ter', percent='-12.05', below_cost=true, tier=2}]"#;
    for file in [text, odd] {
        let read = Settings::markup_of(file).unwrap();
        let again = Settings::markup_of(&Settings::markup_text(&read)).unwrap();
        assert_eq!(again, read, "what is written is read back");
    }
    for (hundredths, text) in [(0, "0"), (1225, "12.25"), (1205, "12.05"), (1250, "12.5")] {
        assert_eq!(Percent { hundredths }.to_string(), text);
    }
    for bad in ["12.255", "-1", "10000.01", "20%", "", "1e1"] {
        assert!(
            place.read(&format!("markup.percent='{bad}'")).is_err(),
            "{bad}"
        );
    }
    assert!(place.read("markup.percent='10000'").is_ok());
}

#[test]
fn a_price_below_cost_needs_a_word_and_a_tier_is_a_rule_of_its_own() {
    let place = Place::new();
    let rule = |rest: &str| place.read(&format!("[[markup.rules]]\ntier=3\n{rest}"));
    let markup = rule("percent='-10'\nbelow_cost=true\nround_to_usd='0.01'")
        .unwrap()
        .markup;
    let price = |tier| {
        let payer = Some(Payer::of_tier(tier));
        let markup = markup.for_offer("peter", ["tg", "Telegram"], "pakistan", payer);
        markup.price(Usd(100_000)).unwrap()
    };
    assert_eq!((price(3), price(2)), (Usd(90_000), Usd(120_000)));
    assert!(rule("percent='-10'").is_err());
    assert!(rule("percent='-101'\nbelow_cost=true").is_err());
    assert!(rule("server='smm'").is_err());
}

#[test]
fn an_account_has_a_rule_of_its_own() {
    let place = Place::new();
    let rule = |rest: &str| place.read(&format!("[[markup.rules]]\naccount=100007\n{rest}"));
    let markup = rule("percent='5'").unwrap().markup;
    let price = |account| {
        let payer = Some(Payer { tier: 1, account });
        let markup = markup.for_offer("peter", ["tg", "Telegram"], "pakistan", payer);
        markup.price(Usd(100_000)).unwrap()
    };
    let [own, other] = [100_007, 100_008].map(|id| price(Some(AccountId(id))));
    assert_eq!((own, other), (Usd(105_000), Usd(120_000)));
    let text = crate::settings::markup::written(&markup);
    assert!(text.contains("account = 100007"), "{text}");
    assert_eq!(place.read(&text).unwrap().markup, markup);
    let twice = "[[markup.rules]]\naccount=100007";
    for wrong in ["server='smm'", twice] {
        assert!(rule(wrong).is_err(), "{wrong}");
    }
    for account in ["0", "-1", "'100007'", "1.5"] {
        let text = format!("[[markup.rules]]\naccount={account}");
        let why = format!("{:?}", place.read(&text).unwrap_err());
        assert!(why.contains("must be the number of an account"), "{why}");
    }
}

#[test]
fn the_catalogue_takes_the_operators_names() {
    let place = Place::new();
    let text = "[catalogue]\nlifetime_h=2\n[catalogue.aliases.countries]\n'BRD'='Germany'\n\
                [catalogue.aliases.services]\n'Tele gram'='Telegram'\n\
                [catalogue.rename_countries]\n'DE'='Deutschland'\n\
                [catalogue.hide]\ncountries=['cuba']\nservices=['Odd']";
    let catalogue = place.read(text).unwrap().catalogue;
    assert_eq!(catalogue.lifetime, Millis::minutes(120));
    let germany = Some(("germany".to_owned(), "Deutschland".to_owned()));
    assert_eq!(catalogue.naming.country("brd"), germany);
    assert_eq!(catalogue.naming.country("Cuba"), None);
    assert_eq!(
        catalogue.naming.service("TELE-GRAM").as_deref(),
        Some("Telegram")
    );
    assert_eq!(catalogue.naming.service("odd"), None);
    for (bad, why) in [
        ("aliases.countries.brd='Atlantis'", "is no country"),
        ("rename_countries.atlantis='A'", "is no country"),
        ("hide.countries=['Atlantis']", "is no country"),
        ("aliases.services.tg=' '", "must not be empty"),
    ] {
        let problems = place.read(&format!("catalogue.{bad}")).unwrap_err();
        assert!(problems[0].why.contains(why), "{bad}: {problems:?}");
    }
}

#[test]
fn a_dialect_brings_its_defaults_and_each_can_be_overridden() {
    let place = Place::new();
    let of = |extra: &str| place.read(&upstream(extra)).unwrap().upstreams[0].clone();
    let classic = of("");
    assert_eq!(classic.handler_api.dialect, Dialect::Classic);
    assert!(classic.doubt.lists_orders);
    let daisy = of("dialect='daisysms'");
    assert_eq!(daisy.handler_api.purchase, PurchaseAction::GetNumber);
    assert_eq!(daisy.min_cancel_age, Millis(0));
    assert!(!daisy.doubt.lists_orders);
    let own = of("dialect='grizzly'\nprices='getPricesV2'\nlists_orders=false\nstatus='getStatus'");
    assert_eq!(own.handler_api.prices, PriceList::PricesV2);
    assert_eq!(own.handler_api.status, StatusAction::GetStatus);
    assert!(!own.doubt.lists_orders);
    let repeats = of("idempotent_purchase=true");
    let later = repeats.doubt.window.0 - classic.doubt.window.0;
    assert_eq!(later, 30_000, "its second call leaves a timeout later");
    place.refuses(
        &upstream("dialect='smshub'\nidempotent_purchase=true"),
        "upstreams.p1.idempotent_purchase: needs purchase = \"getNumberV2\": the other call carries no \
         id of ours",
    );
}

#[test]
fn a_panel_has_a_profile_and_a_currency_of_its_own_once_a_unit_is_no_dollar() {
    let place = Place::new();
    let of = |extra: &str| {
        place.read(&upstream(extra)).unwrap().upstreams[0]
            .panel
            .clone()
    };
    let plain = of("");
    assert_eq!(plain.currency.as_deref(), Some("USD"));
    assert!(plain.multi_status && !plain.challenge_means_refused);
    assert_eq!(plain.refill_window, None);
    assert_eq!(of("usd_per_unit='0.011'").currency, None);
    let own = of(
        "usd_per_unit='0.011'\ncurrency='RUB'\nmulti_status=false\nrefill_days=30\n\
         challenge_means_refused=true",
    );
    assert_eq!(own.currency.as_deref(), Some("RUB"));
    assert!(!own.multi_status && own.challenge_means_refused);
    assert_eq!(own.refill_window, Some(Millis::minutes(30 * 24 * 60)));
    assert_eq!(
        (plain.transport, plain.text_ids),
        (PanelTransport::Form, false)
    );
    assert!(!plain.bearer && !plain.request_ids && plain.status_words.is_empty());
    let odd = of(
        "transport='json'\nbearer=true\ntext_ids=true\nrequest_ids=true\n\
         status_words={ Fail = 'Canceled', \"9\" = 'In progress' }",
    );
    assert_eq!((odd.transport, odd.text_ids), (PanelTransport::Json, true));
    assert!(odd.bearer && odd.request_ids);
    let words = [("9", Progress::InProgress), ("Fail", Progress::Canceled)];
    let words = words.map(|(word, meant)| (word.to_owned(), meant));
    assert_eq!(odd.status_words, words);
    place.refuses(
        &upstream("status_words={ Fail = 'Gone' }"),
        "upstreams.p1.status_words.Fail: must be one of \"Pending\", \"Processing\", \
         \"In progress\", \"Completed\", \"Partial\", \"Canceled\"",
    );
    place.refuses(
        &upstream("currency='rubles'"),
        "upstreams.p1.currency: must be three upper-case letters, such as \"USD\"",
    );
}

#[test]
fn a_proxy_is_an_address_and_a_secret() {
    let place = Place::new();
    let settings = place
        .read(&upstream("proxy='socks5://bob:pass@10.0.0.1:1080'"))
        .unwrap();
    let proxy = settings.upstreams[0].proxy.as_ref().unwrap();
    assert_eq!(proxy.expose(), "socks5://bob:pass@10.0.0.1:1080");
    assert!(!format!("{settings:?}").contains("bob"));
    place.refuses(
        &upstream("proxy='10.0.0.1:1080'"),
        "upstreams.p1.proxy: must be an address like \"http://host:3128\" or \
         \"socks5://host:1080\"",
    );
}
