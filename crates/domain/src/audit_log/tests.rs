//! What is kept of a change, and what never is.

use super::*;
use crate::access::{Account, ApiKey, Scope};
use crate::ids::KeyId;
use crate::people::{PeopleWrite, Person, Role, Totp};
use crate::policy::{AccountCase, PolicyWrite, Signal};
use crate::usd::Usd;

fn ana(tier: u8) -> Account {
    Account {
        id: AccountId(7),
        email: "ana@example.com".into(),
        tier,
        api_access: true,
        suspended: false,
        created_at: Timestamp(0),
    }
}

fn root() -> By {
    By::new(Actor::CommandLine("root".into()))
}

#[test]
fn a_change_is_told_by_its_writes() {
    let credit = Write::Credit {
        account: AccountId(7),
        row: 3,
        amount: Usd(12_500_000),
        note: "paid in cash".into(),
    };
    let note = Note::of(&root(), "credit_wallet", &[credit]).unwrap();
    assert_eq!(note.account, Some(AccountId(7)));
    assert_eq!(
        (&*note.actor, &*note.action, &*note.object),
        ("cli:root", "credit_wallet", "wallet 7")
    );
    assert_eq!(note.reason, "paid in cash");
    assert!(note.details.contains("12.5"), "{}", note.details);

    let tier = Write::UpdateAccount(Box::new(ana(2)));
    let by = By::new(Actor::Staff(PersonId(4))).because("papers seen");
    let note = Note::of(&by, "set_tier", &[tier]).unwrap();
    assert_eq!((&*note.actor, &*note.reason), ("staff:4", "papers seen"));
    assert!(note.details.contains("tier=2"), "{}", note.details);
}

#[test]
fn a_large_change_names_the_first_few_and_counts_the_others() {
    let credit = |row: i64| Write::Credit {
        account: AccountId(7),
        row,
        amount: Usd(row * 1_000_000),
        note: "many".into(),
    };
    let details = |count: i64| {
        let writes: Vec<Write> = (1..=count).map(credit).collect();
        Note::of(&root(), "credit", &writes).unwrap().details
    };
    let all = details(10);
    assert!(!all.contains("more"), "{all}");
    assert_eq!(all.split("; ").count(), 10, "{all}");
    let many = details(1_600);
    assert_eq!(many, format!("{all}; and 1590 more"));
}

#[test]
fn a_signal_is_told_of_its_account_and_a_decision_of_its_case() {
    let seen = (Signal::ManyBuys, "51 numbers".to_owned());
    let case = AccountCase::raised(9, (AccountId(7), 1), seen, Timestamp(0));
    let told = |write| {
        let note = Note::of(&root(), "case", &[Write::Policy(write)]).unwrap();
        (note.account, note.object)
    };
    let raised = told(PolicyWrite::RaiseCase(Box::new(case.clone())));
    // the row that is written may be that of a case which is open already
    assert_eq!(raised, (Some(AccountId(7)), "account 7".to_owned()));
    let moved = told(PolicyWrite::MoveCase(Box::new(case)));
    assert_eq!(moved, (Some(AccountId(7)), "case 9".to_owned()));
}

#[test]
fn what_nobody_answers_for_makes_no_line() {
    let postponed = Write::PostponeSmmOrder {
        order: crate::ids::OrderId(1),
        due_at: Timestamp(5),
    };
    assert_eq!(Note::of(&root(), "later", &[postponed]), None);
}

#[test]
fn nothing_secret_is_kept() {
    let person = Person {
        id: PersonId(1),
        version: 0,
        email: "ana@example.com".into(),
        role: Role::Owner,
        account: None,
        password: Some("$argon2id$canary".into()),
        verified_at: None,
        totp: Some(Totp {
            secret: b"canary".to_vec(),
            confirmed: true,
            last_step: 0,
        }),
        disabled: false,
        created_at: Timestamp(0),
    };
    let key = ApiKey {
        id: KeyId(1),
        account: AccountId(7),
        public_id: "canary".into(),
        mac: [7; 32],
        name: "shop".into(),
        last4: "abcd".into(),
        scopes: vec![Scope::Otp],
        rate_limit: None,
        allowed_addresses: Vec::new(),
        created_at: Timestamp(0),
        expires_at: None,
        disabled: false,
        revoked: false,
    };
    let writes = [
        Write::People(PeopleWrite::Insert(Box::new(person))),
        Write::InsertKey(Box::new(key)),
    ];
    let note = Note::of(&root(), "several", &writes).unwrap();
    assert!(!format!("{note:?}").contains("canary"), "{note:?}");
    assert!(note.details.contains("role=owner") && note.details.contains("shop"));
}

#[test]
fn long_words_are_cut() {
    let by = root().because("x".repeat(5_000));
    let note = Note::of(&by, "a", &[Write::InsertAccount(Box::new(ana(0)))]).unwrap();
    assert_eq!(note.reason.len(), TEXT_MAX);
}
