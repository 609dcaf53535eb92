//! Which class names and codes of OTP services fall into.

use std::collections::HashMap;

use super::super::otp::LISTED_SERVICES;
use super::super::*;
use super::disguise::{Dice, disguise};

/// Names that no list holds word for word.
const DENIED_PHRASES: &[(&str, OtpClass)] = &[
    ("Bank of X", OtpClass::Money),
    ("First National Bank", OtpClass::Money),
    ("Banco do Sul", OtpClass::Money),
    ("Digital Wallet Plus", OtpClass::Money),
    ("Quick Loan App", OtpClass::Money),
    ("Crypto Exchange Pro", OtpClass::Money),
    ("Credit Union Online", OtpClass::Money),
    ("Easy Cash", OtpClass::Money),
    ("SuperPay", OtpClass::Money),
    ("Money Transfer World", OtpClass::Money),
    ("State Tax Portal", OtpClass::StateIdentity),
    ("Government Services", OtpClass::StateIdentity),
    ("Police Department", OtpClass::StateIdentity),
    ("Passport Office", OtpClass::StateIdentity),
    ("Voting Registration", OtpClass::StateIdentity),
    ("City Hospital", OtpClass::Health),
    ("Health Insurance Direct", OtpClass::Health),
    ("Family Pharmacy", OtpClass::Health),
    ("Patient Portal", OtpClass::Health),
    ("National Telecom", OtpClass::TelecomControl),
    ("Virtual Number Shop", OtpClass::TelecomControl),
    ("Sim Card Registration", OtpClass::TelecomControl),
    ("Kids Club", OtpClass::Children),
    ("Children Learning", OtpClass::Children),
    ("Crisis Line", OtpClass::EmergencySafety),
    ("Home Alarm", OtpClass::EmergencySafety),
    ("Emergency Contact", OtpClass::EmergencySafety),
];

#[test]
fn the_list_is_long_and_names_each_service_and_code_once() {
    assert!(LISTED_SERVICES.entries.len() >= 250);
    let mut seen: HashMap<String, OtpClass> = HashMap::new();
    for listed in &LISTED_SERVICES.entries {
        assert_ne!(
            listed.class,
            OtpClass::Unclassified,
            "{}: unknown section",
            listed.name
        );
        let before = seen.insert(listed.name.to_lowercase(), listed.class);
        assert_eq!(before, None, "{} is listed twice", listed.name);
    }
    let listed_codes = include_str!("../otp/services.txt")
        .lines()
        .filter_map(|line| line.split_once(';'))
        .flat_map(|(_, codes)| codes.split_whitespace())
        .filter(|code| code.len() <= 4 && code.bytes().all(|byte| byte.is_ascii_lowercase()));
    assert_eq!(
        listed_codes.count(),
        LISTED_SERVICES.by_code.len(),
        "a code is listed twice"
    );
}

#[test]
fn every_class_has_its_well_known_services() {
    let mut services: HashMap<OtpClass, usize> = HashMap::new();
    let mut class = OtpClass::Unclassified;
    for line in include_str!("../otp/services.txt").lines() {
        match line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(slug) => class = OtpClass::from_slug(slug).unwrap(),
            None if line.is_empty() || line.starts_with('#') => {}
            None => *services.entry(class).or_default() += 1,
        }
    }
    for (class, least) in [
        (OtpClass::Money, 210),
        (OtpClass::StateIdentity, 45),
        (OtpClass::Health, 33),
        (OtpClass::TelecomControl, 46),
        (OtpClass::Children, 26),
        (OtpClass::EmergencySafety, 16),
        (OtpClass::MailMaster, 55),
        (OtpClass::Marketplaces, 125),
        (OtpClass::SocialMessaging, 95),
        (OtpClass::Dating, 45),
        (OtpClass::GamingForumsStreaming, 120),
        (OtpClass::AnyOther, 3),
    ] {
        let found = services.get(&class).copied().unwrap_or_default();
        assert!(found >= least, "{}: {found} of {least}", class.slug());
    }
    assert!(services.values().sum::<usize>() >= 800);
    assert!(LISTED_SERVICES.by_code.len() >= 200);
}

#[test]
fn no_spelling_of_a_listed_name_belongs_to_two_classes() {
    let mut classes: HashMap<String, (&str, OtpClass)> = HashMap::new();
    for listed in &LISTED_SERVICES.entries {
        let Some(plain) = super::super::otp::plain_name(listed.name) else {
            continue;
        };
        let before = classes.insert(plain, (listed.name, listed.class));
        if let Some((name, class)) = before {
            assert_eq!(class, listed.class, "{name} and {}", listed.name);
        }
    }
}

#[test]
fn every_listed_name_falls_into_its_class() {
    for listed in &LISTED_SERVICES.entries {
        for name in [
            listed.name.to_owned(),
            listed.name.to_uppercase(),
            format!(" {} ", listed.name),
        ] {
            assert_eq!(classify_otp(&name, ""), listed.class, "{name:?}");
            assert_eq!(classify_otp(&name, "306343"), listed.class, "{name:?}");
        }
    }
}

#[test]
fn common_codes_decide_where_the_name_is_silent() {
    use OtpClass::*;
    let codes = [
        ("tg", SocialMessaging),
        ("wa", SocialMessaging),
        ("go", MailMaster),
        ("fb", SocialMessaging),
        ("ig", SocialMessaging),
        ("vk", SocialMessaging),
        ("ds", SocialMessaging),
        ("oi", Dating),
        ("wx", MailMaster),
        ("am", Marketplaces),
        ("tw", SocialMessaging),
        ("vi", SocialMessaging),
        ("wb", SocialMessaging),
        ("ya", MailMaster),
        ("kt", SocialMessaging),
        ("mm", MailMaster),
        ("lf", SocialMessaging),
        ("ot", AnyOther),
        ("full", AnyOther),
        ("ts", Money),
        ("mt", GamingForumsStreaming),
        ("telegram", SocialMessaging),
        ("paypal", Money),
        ("zzz", Unclassified),
    ];
    for (code, class) in codes {
        for name in ["", code, "306343"] {
            assert_eq!(classify_otp(name, code), class, "{name:?} {code:?}");
        }
    }
}

#[test]
fn a_name_that_contradicts_its_code_wins() {
    assert_eq!(classify_otp("PayPal", "tg"), OtpClass::Money);
    assert_eq!(classify_otp("Bank of X", "tg"), OtpClass::Money);
    assert_eq!(classify_otp("Discord", "ts"), OtpClass::SocialMessaging);
    assert_eq!(classify_otp("Some New Thing", "tg"), OtpClass::Unclassified);
    assert_eq!(classify_otp("Some New Thing", "mybank"), OtpClass::Money);
}

#[test]
fn words_deny_what_no_list_names() {
    for (phrase, class) in DENIED_PHRASES {
        assert_eq!(classify_otp(phrase, ""), *class, "{phrase}");
    }
    for slipped in [
        "B a n k 0f X",
        "8АNК",
        "ＢＡＮＫ",
        "b-a-n-k",
        "𝐁𝐚𝐧𝐤 of X",
        "Telegram & Bank",
    ] {
        assert_eq!(classify_otp(slipped, "tg"), OtpClass::Money, "{slipped}");
    }
    for (name, class) in [
        ("Сбербанк Онлайн", OtpClass::Money),
        ("Сбербанк VK", OtpClass::Money),
        ("Госуслуги", OtpClass::StateIdentity),
        ("Any other", OtpClass::AnyOther),
        ("ANY-OTHER (cheap)", OtpClass::AnyOther),
        ("Full rent", OtpClass::AnyOther),
        ("Other", OtpClass::AnyOther),
        ("Google,youtube,Gmail", OtpClass::MailMaster),
        ("Instagram + Threads", OtpClass::SocialMessaging),
        ("Telegram/Tinder", OtpClass::Dating),
        ("Telegram/Nobody", OtpClass::Unclassified),
    ] {
        assert_eq!(classify_otp(name, ""), class, "{name}");
    }
}

#[test]
fn accidental_words_deny_nothing() {
    for name in [
        "Burbank",
        "Bankai",
        "Bankai game",
        "Display One",
        "Papaya",
        "Katana Zero",
        "Apollon",
        "Bilibili TV",
        "Marvel Snap",
        "Liz",
    ] {
        assert_eq!(classify_otp(name, ""), OtpClass::Unclassified, "{name}");
    }
    assert_eq!(classify_otp("Burb ank", ""), OtpClass::Money);
    assert_eq!(classify_otp("Bankai Bank", ""), OtpClass::Money);
}

#[test]
fn practice_services_stay_unclassified() {
    for name in [
        "Sandbox: text of a bank",
        "Sandbox:PayPal",
        " Sandbox: never a code",
    ] {
        assert_eq!(classify_otp(name, "ts"), OtpClass::Unclassified, "{name}");
    }
    assert_eq!(classify_otp("Sandbox Bank", ""), OtpClass::Money);
}

/// P-2.
#[test]
fn a_thousand_disguised_names_of_denied_services_are_not_sold() {
    let listed = LISTED_SERVICES
        .entries
        .iter()
        .map(|listed| (listed.name, listed.class));
    let is_denied = |class: OtpClass| class.strength() <= Strength::DefaultDeny;
    let names: Vec<_> = listed
        .filter(|(_, class)| is_denied(*class))
        .chain(DENIED_PHRASES.iter().copied())
        .collect();
    let (rules, mut dice) = (Rules::default(), Dice::new(7));
    let mut denied = 0;
    let mut missed = Vec::new();
    for _ in 0..1_000 {
        let (name, _) = names[dice.below(names.len())];
        let written = disguise(name, &mut dice);
        let class = classify_otp(&written, "");
        assert!(
            (0..=3).all(|tier| !sellable_otp(&rules, class, tier)),
            "{written:?} is {class:?}"
        );
        if is_denied(class) {
            denied += 1;
        } else {
            assert_eq!(class, OtpClass::Unclassified, "{written:?}");
            missed.push((name, written));
        }
    }
    assert!(denied >= 990, "{denied} of 1000; missed {missed:#?}");
}
