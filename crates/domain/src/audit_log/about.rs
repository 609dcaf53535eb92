//! What a write tells of itself in the audit log. Nothing secret: no hash, key, code or password.

use crate::access::{Account, ApiKey};
use crate::change::Write;
use crate::desk::{DeskWrite, MoneyRequest};
use crate::ids::AccountId;
use crate::own_number::PoolWrite;
use crate::people::{PeopleWrite, Person};
use crate::policy::{AccountCase, Held, PolicyWrite};
use crate::redeem::RedeemWrite;
use crate::top_up::{TopUp, TopUpWrite};

/// What is said of one write.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    pub(super) account: Option<AccountId>,
    pub(super) object: String,
    pub(super) details: String,
    /// The reason, where the write itself carries one.
    pub(super) reason: String,
}

impl About {
    fn of(account: AccountId, object: String, details: String) -> Self {
        Self {
            account: Some(account),
            object,
            details,
            reason: String::new(),
        }
    }

    fn of_house(object: String, details: String) -> Self {
        Self {
            object,
            details,
            ..Self::default()
        }
    }

    fn because(self, reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            ..self
        }
    }
}

/// What a write tells; nothing for those that no operator makes, or that only note a use.
pub(super) fn about(write: &Write) -> Option<About> {
    match write {
        Write::InsertAccount(account) | Write::UpdateAccount(account) => Some(of_account(account)),
        Write::InsertKey(key) | Write::UpdateKey(key) => Some(of_key(key)),
        Write::RevokeKey { account, key } => {
            Some(About::of(*account, format!("key {key}"), "revoked".into()))
        }
        Write::Credit {
            account,
            row,
            amount,
            note,
        } => {
            let details = format!("credit {row} of ${amount}");
            Some(About::of(*account, format!("wallet {account}"), details).because(note))
        }
        Write::Debit {
            account,
            row,
            amount,
            note,
        } => {
            let details = format!("debit {row} of ${amount}");
            Some(About::of(*account, format!("wallet {account}"), details).because(note))
        }
        Write::Adjust {
            account,
            order,
            amount,
            ..
        } => {
            let details = format!("${amount} returned");
            Some(About::of(*account, format!("order {order}"), details))
        }
        Write::Resolve {
            account,
            order,
            posted,
            held,
            reason,
        } => {
            let details = format!("${posted} of ${held} taken: {}", reason.slug());
            Some(About::of(*account, format!("order {order}"), details))
        }
        Write::Book(entry) => {
            let (kind, reference, seq) = entry.cause.parts();
            let object = format!("entry {kind} {reference} {seq}");
            Some(About::of_house(object, String::new()))
        }
        Write::CloseTicket { ticket, note } => {
            let object = format!("ticket {ticket}");
            Some(About::of_house(object, "closed".into()).because(note))
        }
        Write::RedeemCode(write) => Some(of_code(write)),
        Write::TopUp(write) => of_top_up(write),
        Write::Policy(write) => of_policy(write),
        Write::Pool(write) => of_pool(write),
        Write::People(write) => of_person(write),
        Write::Desk(write) => Some(of_desk(write)),
        _ => None,
    }
}

fn of_account(account: &Account) -> About {
    let switch = |on: bool| if on { "yes" } else { "no" };
    let details = format!(
        "tier={}, api access={}, suspended={}",
        account.tier,
        switch(account.api_access),
        switch(account.suspended)
    );
    About::of(account.id, format!("account {}", account.id), details)
}

fn of_key(key: &ApiKey) -> About {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.slug()).collect();
    let details = format!(
        "name={:?}, ends in {}, scopes={}",
        key.name,
        key.last4,
        if scopes.is_empty() {
            "all".to_owned()
        } else {
            scopes.join("+")
        }
    );
    About::of(key.account, format!("key {}", key.id), details)
}

fn of_code(write: &RedeemWrite) -> About {
    match write {
        RedeemWrite::Insert(code) => {
            let details = format!("code {} of ${}", code.id, code.amount);
            About::of_house(format!("redeem batch {}", code.batch), details).because(&code.note)
        }
        RedeemWrite::Disable { code } => {
            About::of_house(format!("redeem code {code}"), "switched off".into())
        }
    }
}

fn of_top_up(write: &TopUpWrite) -> Option<About> {
    let (row, details) = match write {
        TopUpWrite::Insert(row) | TopUpWrite::Update(row) => (row, state(row)),
        TopUpWrite::Credit { row, payment } => {
            (row, format!("{}, payment {payment:?}", state(row)))
        }
        TopUpWrite::Bonus { row, .. } => (row, format!("bonus ${}", row.bonus)),
        TopUpWrite::Reverse { row, reversal } => {
            let moved = reversal.parts.of_customer();
            (row, format!("{}, ${moved} of the wallet moved", state(row)))
        }
        TopUpWrite::Refund(refund) => {
            let details = format!("${} to the payer: {}", refund.amount, refund.state.slug());
            let about = About::of_house(format!("top-up {}", refund.top_up), details);
            return Some(about.because(&refund.reason));
        }
        TopUpWrite::ReopenEvent(event) => {
            let object = format!("event {} of {}", event.event_id, event.processor.slug());
            return Some(About::of_house(object, "tried once more".to_owned()));
        }
        TopUpWrite::Propose(wanted) => {
            let details = format!("${} under {:?} proposed", wanted.amount, wanted.reference);
            let about = About::of_house(format!("top-up {}", wanted.top_up), details);
            return Some(about.because(&wanted.reason));
        }
        TopUpWrite::Move(moved) => {
            let object = format!("what moved at {}", moved.processor.slug());
            let (kind, reference) = (moved.kind.slug(), &moved.reference);
            let details = format!("{kind} of ${} by {reference:?} booked", moved.amount);
            return Some(About::of_house(object, details));
        }
        _ => return None,
    };
    let object = format!("top-up {}", row.id);
    Some(About::of(row.account, object, details))
}

fn state(row: &TopUp) -> String {
    format!("{}, ${} credited", row.state.slug(), row.credited)
}

fn of_policy(write: &PolicyWrite) -> Option<About> {
    match write {
        PolicyWrite::Attest(one) => {
            let details = format!("statement {}: {}", one.version, one.purpose);
            let object = format!("account {}", one.account);
            Some(About::of(one.account, object, details))
        }
        PolicyWrite::Block(one) => {
            let object = format!("{} {}", one.kind.slug(), one.value);
            Some(About::of_house(object, "blocked".into()).because(&one.why))
        }
        PolicyWrite::Unblock { kind, value, .. } => {
            let object = format!("{} {value}", kind.slug());
            Some(About::of_house(object, "no longer blocked".into()))
        }
        PolicyWrite::CloseCase { case, note } => {
            let object = format!("report {case}");
            Some(About::of_house(object, "closed".into()).because(note))
        }
        // where one of its signal is open, that one is raised again: its row is not known here
        PolicyWrite::RaiseCase(case) => Some(of_case(case, format!("account {}", case.account))),
        PolicyWrite::MoveCase(case) => Some(of_case(case, format!("case {}", case.id))),
        PolicyWrite::AskLoosening(change) | PolicyWrite::DecideLoosening(change) => {
            let object = format!("rules {}", change.id);
            let details = format!("{}: {}", change.what.in_words(), change.state.slug());
            Some(About::of_house(object, details).because(&change.reason))
        }
        PolicyWrite::Hold(hold) => Some(of_held(hold.held, "legal hold").because(&hold.why)),
        PolicyWrite::Release(held) => Some(of_held(*held, "legal hold released")),
        PolicyWrite::ForgetAccount(account) => {
            let object = format!("account {account}");
            Some(About::of(*account, object, "deleted".into()))
        }
        PolicyWrite::EaseCases(_)
        | PolicyWrite::KeepPace(_)
        | PolicyWrite::RoomForKey { .. }
        | PolicyWrite::OpenCase(_)
        | PolicyWrite::CountDenials(_)
        | PolicyWrite::ForgetNumbers(_)
        | PolicyWrite::ForgetBefore(_) => None,
    }
}

fn of_case(case: &AccountCase, object: String) -> About {
    let closed = if case.closed_at.is_some() {
        ", closed"
    } else {
        ""
    };
    let proposed = match (&case.closure, case.closed_at) {
        (Some(_), None) => ", closing the account is proposed",
        _ => "",
    };
    let (signal, measure) = (case.signal.slug(), case.measure.slug());
    let details = format!("{signal}: {measure}{proposed}{closed}");
    let about = About::of(case.account, object, details);
    about.because(case.note.as_deref().unwrap_or_default())
}

fn of_held(held: Held, what: &str) -> About {
    match held {
        Held::Order(order) => About::of_house(format!("order {order}"), what.into()),
        Held::Account(account) => About::of(account, format!("account {account}"), what.into()),
    }
}

fn of_desk(write: &DeskWrite) -> About {
    match write {
        DeskWrite::Ask(request) | DeskWrite::Decide(request) => of_request(request),
        DeskWrite::Note(note) => {
            let object = format!("account {}", note.account);
            About::of(note.account, object, format!("note: {}", note.text))
        }
        DeskWrite::Announce(one) => {
            About::of_house(format!("announcement {}", one.id), one.text.clone())
        }
        DeskWrite::EndAnnouncement { id, .. } => {
            About::of_house(format!("announcement {id}"), "ended".into())
        }
        DeskWrite::Pause(pause) => {
            let object = format!("upstream {}", pause.upstream);
            About::of_house(object, "paused".into()).because(&pause.why)
        }
        DeskWrite::Resume { upstream, why } => {
            About::of_house(format!("upstream {upstream}"), "bought from again".into()).because(why)
        }
    }
}

fn of_request(request: &MoneyRequest) -> About {
    let details = format!(
        "${} asked for by staff:{}, {}",
        request.amount,
        request.asked_by,
        request.state.slug()
    );
    let object = format!("request {} for wallet {}", request.id, request.account);
    About::of(request.account, object, details).because(&request.reason)
}

fn of_pool(write: &PoolWrite) -> Option<About> {
    let (upstream, phone, what) = match write {
        PoolWrite::Add(number) => (&number.upstream, &number.phone, "in service"),
        PoolWrite::Retire { upstream, phone } => (upstream, phone, "retired"),
        _ => return None,
    };
    let details = format!("{what}: {phone}");
    Some(About::of_house(format!("pool {upstream}"), details))
}

fn of_person(write: &PeopleWrite) -> Option<About> {
    match write {
        PeopleWrite::Insert(person) | PeopleWrite::Update(person) => Some(person_line(person)),
        PeopleWrite::StartSession(session) => Some(About::of_house(
            format!("person {}", session.person),
            format!("signed in from {}", session.address),
        )),
        PeopleWrite::EndSession { person, .. } | PeopleWrite::EndSessions { person, .. } => {
            let object = format!("person {person}");
            Some(About::of_house(object, "sessions ended".into()))
        }
        _ => None,
    }
}

fn person_line(person: &Person) -> About {
    let details = format!(
        "{}, role={}, second factor={}, disabled={}",
        person.email,
        person.role.slug(),
        if person.has_second_factor() {
            "on"
        } else {
            "off"
        },
        if person.disabled { "yes" } else { "no" }
    );
    About {
        account: person.account,
        object: format!("person {}", person.id),
        details,
        reason: String::new(),
    }
}
