//! What may be loosened, and what no row of any store loosens.

use super::super::velocity::Velocity;
use super::super::*;

#[test]
fn nothing_that_is_denied_for_good_can_be_named() {
    let classes = OtpClass::ALL
        .into_iter()
        .map(|class| ("otp", class.slug(), class.strength()));
    let classes = classes.chain(
        SmmClass::ALL
            .into_iter()
            .map(|class| ("smm", class.slug(), class.strength())),
    );
    for (kind, class, strength) in classes {
        let parsed = Loosening::parse(&format!("{kind}.{class}"), None);
        assert_eq!(
            parsed.is_some(),
            strength == Strength::DefaultDeny,
            "{class}"
        );
        if let Some(what) = parsed {
            let (subject, figure) = what.parts();
            assert_eq!(Loosening::parse(&subject, figure), Some(what));
        }
    }
    for (class, hard) in OtpClass::ALL.map(|class| (class, class.strength())) {
        let (mut rules, mut tiers) = (Rules::default(), Velocity::of_tiers());
        Loosening::Otp(class).apply(&mut rules, &mut tiers);
        let sold = (0..=3).any(|tier| sellable_otp(&rules, class, tier));
        assert!(!sold || hard != Strength::HardDeny, "{class:?}");
        assert_eq!(tiers, Velocity::of_tiers());
    }
}

#[test]
fn a_bound_is_raised_and_never_lowered() {
    for bound in BOUNDS {
        let raise =
            |tier: u8, to| Loosening::parse(&format!("tier.{tier}.{bound}"), Some(to)).unwrap();
        let mut tiers = Velocity::of_tiers();
        let before = tiers.clone();
        raise(2, 1).apply(&mut Rules::default(), &mut tiers);
        assert_eq!(tiers, before, "{bound} would be tighter");
        let most = if bound == "cancel_percent" { 100 } else { 5000 };
        let rules = Rules::default();
        assert!(raise(1, most).loosens(&rules, &tiers));
        raise(1, most).apply(&mut Rules::default(), &mut tiers);
        assert_ne!(tiers[1], before[1], "{bound}");
        let again = raise(1, most).loosens(&rules, &tiers);
        assert!(!again, "{bound} is so already");
        assert_eq!(
            [&tiers[0], &tiers[2], &tiers[3]],
            [&before[0], &before[2], &before[3]]
        );
    }
    // where there is no bound there is none to raise
    let unbounded = Loosening::parse("tier.3.buys_per_hour", Some(9)).unwrap();
    assert!(!unbounded.loosens(&Rules::default(), &Velocity::of_tiers()));
}

#[test]
fn a_class_that_is_lifted_already_is_loosened_by_nothing() {
    let tiers = Velocity::of_tiers();
    for what in [
        Loosening::Otp(OtpClass::Dating),
        Loosening::Smm(SmmClass::InauthenticEngagement),
    ] {
        let mut rules = Rules::default();
        assert!(what.loosens(&rules, &tiers));
        what.apply(&mut rules, &mut tiers.clone());
        assert!(!what.loosens(&rules, &tiers), "{what:?}");
    }
}

#[test]
fn what_names_nothing_is_nothing() {
    let none = [
        ("tier.4.keys", Some(9)),
        ("tier.1.keys", None),
        ("tier.1.keys", Some(0)),
        ("tier.1.cancel_percent", Some(101)),
        ("tier.1.luck", Some(9)),
        ("tier.1.keys.more", Some(9)),
        ("otp.nothing", None),
        ("otp.unclassified", None),
        ("otp", None),
        ("", None),
    ];
    for (subject, figure) in none {
        assert_eq!(Loosening::parse(subject, figure), None, "{subject}");
    }
}
