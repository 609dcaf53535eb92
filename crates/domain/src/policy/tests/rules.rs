//! What is decided, for every class, tier and configuration.

use proptest::prelude::*;

use super::super::otp::LISTED_SERVICES;
use super::super::*;
use super::disguise::{Dice, disguise};

const TIERS: [u8; 4] = [0, 1, 2, 3];

fn otp(rules: &Rules, class: OtpClass, tier: u8) -> Verdict {
    decide_otp(
        rules,
        &OtpRequest {
            class,
            tier,
            standing: Standing::Good,
        },
    )
    .verdict
}

fn smm(rules: &Rules, class: SmmClass) -> Verdict {
    decide_smm(
        rules,
        &SmmRequest {
            class,
            standing: Standing::Good,
        },
    )
    .verdict
}

const RESTRICTED: Verdict = Verdict::Deny(DenyReason::ServiceRestricted);

/// P-1.
#[test]
fn every_alias_of_a_hard_class_is_denied_at_every_tier() {
    for rules in [Rules::default(), Rules::demo()] {
        for listed in &LISTED_SERVICES.entries {
            if listed.class.strength() != Strength::HardDeny {
                continue;
            }
            for name in [listed.name.to_owned(), listed.name.to_uppercase()] {
                let class = rules.otp_class(&name, "tg");
                let verdicts = TIERS.map(|tier| otp(&rules, class, tier));
                assert_eq!(verdicts, [RESTRICTED; 4], "{name}");
            }
        }
        for class in SmmClass::ALL {
            if class.strength() == Strength::HardDeny {
                assert_eq!(smm(&rules, class), RESTRICTED);
            }
        }
    }
}

#[test]
fn the_default_rules_sell_only_what_is_classified_and_free() {
    let rules = Rules::default();
    for class in OtpClass::ALL {
        let sold = matches!(
            class,
            OtpClass::SocialMessaging | OtpClass::GamingForumsStreaming | OtpClass::OwnApplication
        );
        for tier in TIERS {
            let sold = sold && tier >= class.lowest_tier();
            assert_eq!(sellable_otp(&rules, class, tier), sold, "{class:?}");
            assert_eq!(
                otp(&rules, class, tier) == Verdict::Allow,
                sold,
                "{class:?}"
            );
        }
    }
    for class in SmmClass::ALL {
        assert_eq!(smm(&rules, class), RESTRICTED, "{class:?}");
    }
}

#[test]
fn the_demo_sells_the_unclassified_and_default_denied_smm() {
    let rules = Rules::demo();
    assert!(sellable_otp(&rules, OtpClass::Unclassified, 0));
    assert!(!sellable_otp(&rules, OtpClass::MailMaster, 3));
    assert!(!sellable_otp(&rules, OtpClass::AnyOther, 3));
    for class in SmmClass::ALL {
        let sold = class.strength() != Strength::HardDeny;
        assert_eq!(smm(&rules, class) == Verdict::Allow, sold, "{class:?}");
    }
}

#[test]
fn a_lifted_class_still_has_its_lowest_tier() {
    let mut rules = Rules::default();
    for class in OtpClass::ALL {
        let can = class.strength() == Strength::DefaultDeny;
        assert_eq!(rules.lift_otp(class).is_ok(), can, "{class:?}");
    }
    let low = |tier| Verdict::Deny(DenyReason::TierRequired(tier));
    let verdicts = |class| TIERS.map(|tier| otp(&rules, class, tier));
    let allow = Verdict::Allow;
    assert_eq!(
        verdicts(OtpClass::MailMaster),
        [low(3), low(3), low(3), allow]
    );
    assert_eq!(
        verdicts(OtpClass::Marketplaces),
        [low(2), low(2), allow, allow]
    );
    assert_eq!(verdicts(OtpClass::Dating), [allow; 4]);
    assert_eq!(
        verdicts(OtpClass::AnyOther),
        [RESTRICTED, RESTRICTED, RESTRICTED, allow]
    );
}

#[test]
fn smm_needs_the_confirmation_and_then_the_lift() {
    let engagement = SmmClass::InauthenticEngagement;
    let mut rules = Rules::default();
    rules.lift_smm(engagement).unwrap();
    assert_eq!(
        rules.lift_smm(SmmClass::FakeReviews).map_err(|e| e.class),
        Err("fake_reviews")
    );
    assert_eq!(smm(&rules, engagement), RESTRICTED);
    rules.smm_confirmed = true;
    assert_eq!(smm(&rules, engagement), Verdict::Allow);
    let mut confirmed = Rules::default();
    confirmed.smm_confirmed = true;
    assert_eq!(smm(&confirmed, engagement), RESTRICTED);
    assert_eq!(smm(&confirmed, SmmClass::PaidPromotion), Verdict::Allow);
    assert_eq!(smm(&confirmed, SmmClass::Unclassified), RESTRICTED);
}

#[test]
fn a_suspended_account_buys_nothing() {
    let rules = Rules::demo();
    let denied = Verdict::Deny(DenyReason::AccountSuspended);
    for class in OtpClass::ALL {
        let request = OtpRequest {
            class,
            tier: 3,
            standing: Standing::Suspended,
        };
        assert_eq!(decide_otp(&rules, &request).verdict, denied);
    }
    for class in SmmClass::ALL {
        let request = SmmRequest {
            class,
            standing: Standing::Suspended,
        };
        assert_eq!(decide_smm(&rules, &request).verdict, denied);
    }
}

#[test]
fn the_operator_classifies_what_is_not_fixed() {
    let mut rules = Rules::default();
    rules.classify_otp_name_as("My Shop", OtpClass::OwnApplication);
    rules.classify_otp_code_as("qx", OtpClass::GamingForumsStreaming);
    rules.classify_otp_name_as("Discord", OtpClass::Money);
    rules.classify_smm_name_as("Banner week", SmmClass::PaidPromotion);
    assert_eq!(rules.otp_class(" my shop", "x"), OtpClass::OwnApplication);
    assert_eq!(
        rules.otp_class("Waug", "QX"),
        OtpClass::GamingForumsStreaming
    );
    assert_eq!(rules.otp_class("Discord", "ds"), OtpClass::Money);
    assert_eq!(
        rules.smm_class("Banner week", "", ""),
        SmmClass::PaidPromotion
    );
    for name in ["Sandbox: text of a bank", "Any other", "PayPal"] {
        rules.classify_otp_name_as(name, OtpClass::OwnApplication);
        assert_eq!(rules.otp_class(name, ""), classify_otp(name, ""), "{name}");
    }
}

#[test]
fn a_decision_says_where_it_came_from() {
    let request = OtpRequest {
        class: OtpClass::Money,
        tier: 3,
        standing: Standing::Good,
    };
    let decision = decide_otp(&Rules::default(), &request);
    assert_eq!(
        (decision.class, decision.rule_id),
        ("money", "otp.hard_deny")
    );
    assert_eq!(
        (decision.rule_version, decision.is_allowed()),
        (RULE_VERSION, false)
    );
    for class in OtpClass::ALL {
        assert_eq!(OtpClass::from_slug(class.slug()), Some(class));
    }
    for class in SmmClass::ALL {
        assert_eq!(SmmClass::from_slug(class.slug()), Some(class));
    }
    assert_eq!(OtpClass::from_slug("Money"), None);
}

/// P-9: 10,000 orders of the lawful set, own applications and well-known services alike.
#[test]
fn lawful_orders_are_never_denied() {
    let mut rules = Rules::default();
    let own = "Bank of Tests staging";
    rules.classify_otp_name_as("Acme sign-in test", OtpClass::OwnApplication);
    assert!(
        rules.otp_class(own, "").is_fixed(),
        "an own app is not a way around a hard denial"
    );
    let lawful = LISTED_SERVICES
        .entries
        .iter()
        .filter(|it| it.class.strength() >= Strength::Limit);
    let names: Vec<_> = lawful
        .map(|it| it.name)
        .chain(["Acme sign-in test"])
        .collect();
    let classes: Vec<_> = names
        .iter()
        .map(|name| rules.otp_class(name, "x"))
        .collect();
    for order in 0..10_000 {
        let (name, class) = (names[order % names.len()], classes[order % names.len()]);
        let tier = TIERS[order / names.len() % TIERS.len()];
        let enough = tier.max(class.lowest_tier());
        assert_eq!(
            otp(&rules, class, enough),
            Verdict::Allow,
            "{name} is {class:?}"
        );
    }
}

fn any_rules() -> impl Strategy<Value = (Rules, Vec<String>)> {
    let listed: Vec<&'static str> = LISTED_SERVICES.entries.iter().map(|it| it.name).collect();
    let name = (
        proptest::sample::select(listed),
        any::<u64>(),
        any::<bool>(),
    );
    let name = name.prop_map(|(name, seed, plain)| match plain {
        true => name.to_owned(),
        false => disguise(name, &mut Dice::new(seed)),
    });
    let class = proptest::sample::select(OtpClass::ALL.to_vec());
    let smm = proptest::sample::select(SmmClass::ALL.to_vec());
    let entries = proptest::collection::vec((name, class, smm), 1..20);
    (entries, any::<[bool; 4]>()).prop_map(|(entries, flags)| {
        let mut rules = Rules::default();
        [
            rules.sell_unclassified,
            rules.smm_confirmed,
            rules.sell_default_denied_smm,
            _,
        ] = flags;
        for (name, class, smm) in &entries {
            rules.classify_otp_name_as(name, *class);
            rules.classify_otp_code_as(name, *class);
            rules.classify_smm_name_as(name, *smm);
            if flags[3] {
                // a refused lift is part of what is tried
                let _ = (rules.lift_otp(*class), rules.lift_smm(*smm));
            }
        }
        (
            rules,
            entries.into_iter().map(|(name, _, _)| name).collect(),
        )
    })
}

proptest! {
    /// P-3.
    #[test]
    fn no_configuration_lifts_a_hard_denial((rules, names) in any_rules(), tier in 0_u8..=3) {
        for name in &names {
            let compiled = classify_otp(name, name);
            let class = rules.otp_class(name, name);
            if compiled.strength() == Strength::HardDeny {
                prop_assert_eq!(otp(&rules, class, tier), RESTRICTED, "{}", name);
            }
            if compiled == OtpClass::AnyOther && tier < 3 {
                prop_assert_eq!(otp(&rules, class, tier), RESTRICTED, "{}", name);
            }
            let compiled = classify_smm(name, "Reviews", "Default");
            prop_assert_eq!(compiled.strength(), Strength::HardDeny);
            prop_assert_eq!(smm(&rules, rules.smm_class(name, "Reviews", "Default")), RESTRICTED);
        }
        for class in OtpClass::ALL.into_iter().filter(|it| it.strength() == Strength::HardDeny) {
            prop_assert!(!sellable_otp(&rules, class, tier));
        }
    }

    /// P-5.
    #[test]
    fn a_decision_replayed_is_the_same((rules, names) in any_rules(), tier in 0_u8..=3) {
        let restored = rules.clone();
        for name in &names {
            let class = rules.otp_class(name, "tg");
            prop_assert_eq!(class, restored.otp_class(name, "tg"));
            let request = OtpRequest { class, tier, standing: Standing::Good };
            let decision = decide_otp(&rules, &request);
            prop_assert_eq!(decision, decide_otp(&restored, &request));
            prop_assert_eq!(decision.is_allowed(), sellable_otp(&rules, class, tier));
        }
    }
}
