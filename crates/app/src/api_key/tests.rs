//! Fixed vectors (computed independently) and properties of API keys.

use super::*;
use domain::hex::hex;
use proptest::prelude::*;

const COUNTING: &str = "tg_live_H6nx0olkKwtL_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf_45vmZw";
const ALL_ONES: &str = "tg_demo_lk9n8mt7Fhc7_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1_28cIf7";
const ZEROES: &str = "tg_live_000000000000_0000000000000000000000000000000000000000000_4MCWMc";

fn counting() -> [u8; RANDOM_LEN] {
    std::array::from_fn(|i| i as u8)
}

fn pepper() -> Pepper {
    let secret: Vec<u8> = (100..132).collect();
    Pepper::new(&secret).unwrap()
}

#[test]
fn fixed_random_gives_fixed_keys() {
    assert_eq!(generate(Environment::Live, &counting()).reveal(), COUNTING);
    assert_eq!(
        generate(Environment::Demo, &[0xff; RANDOM_LEN]).reveal(),
        ALL_ONES
    );
    assert_eq!(
        generate(Environment::Live, &[0; RANDOM_LEN]).reveal(),
        ZEROES
    );
}

#[test]
fn crc32_gives_the_published_check_value() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}

#[test]
fn fixed_keys_give_fixed_macs() {
    let macs = [
        (
            COUNTING,
            "c27f0dd908976edc1d656e501b0f0811ebd8d76a766ce5c36237cee6a96c5d4d",
        ),
        (
            ALL_ONES,
            "3cedaf2991a84ca606f30afd3f35783f2f550158a8fb59dbec61a9562ce8af58",
        ),
        (
            ZEROES,
            "70f856f9c0d939128877377e44df52233365b87365c4d01d380bc9b9d24dbdfe",
        ),
    ];
    for (text, expected) in macs {
        assert_eq!(hex(&mac(&pepper(), &parse(text).unwrap())), expected);
    }
}

#[test]
fn parts_are_where_they_are_said_to_be() {
    let key = generate(Environment::Live, &counting());
    assert_eq!(key.reveal().len(), KEY_LEN);
    assert_eq!((key.public_id(), key.last4()), ("H6nx0olkKwtL", "vmZw"));
    let presented = parse(ALL_ONES).unwrap();
    assert_eq!(presented.public_id(), "lk9n8mt7Fhc7");
    assert_eq!(presented.environment(), Environment::Demo);
}

#[test]
fn wrong_shapes_are_refused() {
    let bad = [
        "",
        "tg_live_",
        &COUNTING[1..],
        &COUNTING[..KEY_LEN - 1],
        &format!("{COUNTING} "),
        &format!(" {}", &COUNTING[1..]),
        &COUNTING.replace("tg_live", "tg_test"),
        &COUNTING.replace("tg_live", "tg_demo"),
        &COUNTING.to_ascii_lowercase(),
        // as many bytes, not as many characters
        &COUNTING.replacen("0o", "é", 1),
        &"é".repeat(KEY_LEN),
    ];
    for text in bad {
        assert!(parse(text).is_none(), "{text:?}");
    }
}

#[test]
fn a_right_checksum_over_a_wrong_shape_is_refused() {
    for body in [
        COUNTING.replacen("H6nx", "H6-x", 1),
        COUNTING.replacen("L_00", "L000", 1),
    ] {
        let body = &body[..CHECKSUM_AT - 1];
        assert!(
            parse(&format!("{body}_{}", checksum(body))).is_none(),
            "{body}"
        );
    }
}

#[test]
fn only_the_stored_key_under_its_pepper_matches() {
    let (key, other) = (parse(COUNTING).unwrap(), parse(ZEROES).unwrap());
    let stored = generate(Environment::Live, &counting()).mac(&pepper());
    assert!(matches(&pepper(), &key, &stored));
    assert!(!matches(&pepper(), &other, &stored));
    assert!(!matches(&Pepper::new(&[7; 32]).unwrap(), &key, &stored));
}

#[test]
fn a_short_pepper_is_refused() {
    assert!(Pepper::new(&[1; PEPPER_LEN_MIN - 1]).is_none());
    assert!(Pepper::new(&[1; 200]).is_some());
}

#[test]
fn debug_output_tells_no_secret() {
    let key = generate(Environment::Live, &counting());
    let presented = parse(COUNTING).unwrap();
    assert_eq!(format!("{key:?}"), "NewKey(H6nx0olkKwtL, ***)");
    assert_eq!(format!("{presented:?}"), "PresentedKey(H6nx0olkKwtL, ***)");
    assert_eq!(format!("{:?}", pepper()), "Pepper(***)");
}

#[test]
fn fresh_random_differs() {
    assert_ne!(fresh_random().unwrap(), fresh_random().unwrap());
}

fn random() -> impl Strategy<Value = [u8; RANDOM_LEN]> {
    prop::collection::vec(any::<u8>(), RANDOM_LEN).prop_map(|bytes| bytes.try_into().unwrap())
}

proptest! {
    #[test]
    fn a_key_reads_back(random in random(), demo in any::<bool>()) {
        let environment = if demo { Environment::Demo } else { Environment::Live };
        let key = generate(environment, &random);
        let presented = parse(key.reveal()).unwrap();
        prop_assert_eq!(presented.public_id(), key.public_id());
        prop_assert_eq!(presented.environment(), environment);
        prop_assert!(matches(&pepper(), &presented, &key.mac(&pepper())));
    }

    #[test]
    fn no_two_secrets_share_a_key(random in random(), at in 0..RANDOM_LEN, flip in 1..=255_u8) {
        let mut other = random;
        other[at] ^= flip;
        let (one, two) = (generate(Environment::Live, &random), generate(Environment::Live, &other));
        prop_assert_ne!(one.reveal(), two.reveal());
    }

    #[test]
    fn any_one_character_changed_is_refused(
        random in random(),
        at in 0..KEY_LEN,
        new in prop_oneof![prop::char::range('!', '~'), any::<char>()],
    ) {
        let text = generate(Environment::Live, &random).reveal().to_owned();
        prop_assume!(!text[at..].starts_with(new));
        let changed: String = [&text[..at], &new.to_string(), &text[at + 1..]].concat();
        prop_assert!(parse(&changed).is_none(), "{changed}");
    }

    #[test]
    fn text_of_any_kind_is_read_without_harm(text in any::<String>()) {
        prop_assert!(parse(&text).is_none());
    }
}
