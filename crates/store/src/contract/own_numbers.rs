//! The operator's own numbers: one renter at a time, rest in between, no message for the wrong one.

use domain::change::{Refused, Write};
use domain::own_number::{
    Allocation, AllocationEnd, Carrier, InboundSms, NewNumber, NumberWanted, PoolWrite,
};
use domain::ports::{PoolRows, Store};
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;

use crate::Database;

use super::{NOW, Outcome, World, refused, wait};

const FIRST: &str = "+14155550101";
const SECOND: &str = "+14155550102";
const REST: Millis = Millis::minutes(15);

struct Pool<'a> {
    world: World<'a>,
    rows: &'a dyn PoolRows,
}

impl<'a> Pool<'a> {
    fn new(store: &'a dyn Store, rows: &'a dyn PoolRows) -> Self {
        let world = World::new(store);
        Self { world, rows }
    }

    fn write_at(&self, at: Timestamp, write: PoolWrite) -> Outcome {
        self.world.commit_at(at, vec![Write::Pool(write)])
    }

    fn add(&self, number: NewNumber) -> Outcome {
        self.write_at(NOW, PoolWrite::Add(Box::new(number)))
    }

    fn rent_at(&self, at: Timestamp, wanted: NumberWanted) -> Option<Allocation> {
        let reference = wanted.reference.clone();
        match self.write_at(at, PoolWrite::Allocate(Box::new(wanted))) {
            Ok(()) => wait(self.rows.allocation_of("own", &reference)).unwrap(),
            Err(error) => {
                assert_eq!(Err(error), refused(Refused::Stale));
                None
            }
        }
    }

    fn release_at(&self, at: Timestamp, allocation: i64, end: AllocationEnd) -> Outcome {
        let rest_until = at + REST;
        let release = PoolWrite::Release {
            allocation,
            end,
            rest_until,
        };
        self.write_at(at, release)
    }

    fn receive_at(&self, at: Timestamp, sms: InboundSms) {
        self.write_at(at, PoolWrite::Receive(Box::new(sms)))
            .unwrap();
    }

    fn newest(&self, allocation: i64) -> Option<String> {
        let row = wait(self.rows.allocation("own", allocation)).unwrap();
        row.unwrap().newest
    }

    fn unmatched(&self) -> Vec<InboundSms> {
        wait(self.rows.unmatched_sms(10)).unwrap()
    }
}

fn number(phone: &str) -> NewNumber {
    NewNumber::read("own", phone, "US").unwrap()
}

fn wanted(reference: &str, service: &str) -> NumberWanted {
    NumberWanted {
        upstream: "own".into(),
        reference: reference.into(),
        service: service.into(),
        country: "US".into(),
        pool: None,
        cost: Usd(100_000),
        ends_at: NOW + Millis::minutes(20),
        again: false,
    }
}

fn sms(id: &str, to: &str, text: &str, received_at: Timestamp) -> InboundSms {
    InboundSms {
        carrier: Carrier::Twilio,
        message_id: id.into(),
        event_id: None,
        from: "+14155550100".into(),
        to: to.trim_start_matches('+').into(),
        text: text.into(),
        received_at,
    }
}

pub(crate) fn a_number_joins_once_and_comes_back_after_it_was_retired(store: &Database) {
    let pool = Pool::new(store, store);
    let first = NewNumber {
        pool: Some("gold".into()),
        only: vec!["tg".into(), "wa".into()],
        never: vec!["vi".into()],
        ..number(FIRST)
    };
    pool.add(first.clone()).unwrap();
    let kept = wait(store.own_numbers("own")).unwrap();
    assert_eq!(kept[0].facts, first);
    assert!(!kept[0].retired && !kept[0].rented && kept[0].cooling_until.is_none());
    assert_eq!(pool.add(first.clone()), refused(Refused::Stale));
    let elsewhere = NewNumber {
        upstream: "other".into(),
        ..first.clone()
    };
    assert_eq!(pool.add(elsewhere.clone()), refused(Refused::Stale));

    let retire = PoolWrite::Retire {
        upstream: "own".into(),
        phone: first.phone.clone(),
    };
    pool.write_at(NOW, retire.clone()).unwrap();
    assert_eq!(pool.write_at(NOW, retire), refused(Refused::Stale));
    assert!(wait(store.own_numbers("own")).unwrap()[0].retired);
    let wants_gold = NumberWanted {
        pool: Some("gold".into()),
        ..wanted("a", "tg")
    };
    assert_eq!(pool.rent_at(NOW, wants_gold), None);
    assert_eq!(pool.add(elsewhere), refused(Refused::Stale));
    pool.add(number(FIRST)).unwrap();
    let kept = wait(store.own_numbers("own")).unwrap();
    assert_eq!((kept.len(), &kept[0].facts), (1, &number(FIRST)));
    assert!(!kept[0].retired);
}

pub(crate) fn one_living_allocation_for_a_number_and_the_longest_rested_first(store: &Database) {
    let pool = Pool::new(store, store);
    pool.add(number(FIRST)).unwrap();
    pool.add(number(SECOND)).unwrap();
    let a = pool.rent_at(NOW, wanted("a", "tg")).unwrap();
    let b = pool.rent_at(NOW, wanted("b", "tg")).unwrap();
    assert_eq!(
        (a.phone.to_string(), b.phone.to_string()),
        (FIRST.into(), SECOND.into())
    );
    assert_eq!(
        (&a.wanted, a.begun_at, a.end),
        (&wanted("a", "tg"), NOW, None)
    );
    assert_eq!(pool.rent_at(NOW, wanted("c", "tg")), None);
    let open = wait(store.allocations_open("own")).unwrap();
    assert_eq!(open, [a.clone(), b.clone()]);

    // the time of a rent is over only when it was ended, and then the number rests
    let much_later = NOW + Millis::minutes(60);
    assert_eq!(pool.rent_at(much_later, wanted("c", "tg")), None);
    let cancelled = AllocationEnd::Cancelled;
    pool.release_at(NOW + Millis(2), b.id, cancelled).unwrap();
    pool.release_at(NOW + Millis(1), a.id, cancelled).unwrap();
    assert_eq!(
        pool.release_at(NOW, a.id, cancelled),
        refused(Refused::Stale)
    );
    assert_eq!(pool.rent_at(NOW + REST, wanted("c", "tg")), None);
    let c = pool
        .rent_at(NOW + REST + Millis(1), wanted("c", "tg"))
        .unwrap();
    assert_eq!(c.phone, a.phone);
    assert!(c.id > b.id);
    assert_eq!(
        pool.rent_at(NOW + REST + Millis(2), wanted("c", "tg"))
            .map(|again| again.id),
        None,
        "a reference rents once"
    );
    let ended = wait(store.allocation("own", a.id)).unwrap().unwrap();
    assert_eq!(ended.end, Some(cancelled));
    assert_eq!(wait(store.allocation("other", a.id)).unwrap(), None);
}

pub(crate) fn a_number_is_only_rented_for_what_it_may_be(store: &Database) {
    let pool = Pool::new(store, store);
    let picky = NewNumber {
        only: vec!["tg".into(), "wa".into()],
        ..number(FIRST)
    };
    pool.add(picky).unwrap();
    let averse = NewNumber {
        never: vec!["t".into(), "wa".into()],
        ..number(SECOND)
    };
    pool.add(averse).unwrap();
    for (service, country, part) in [
        ("g", "US", None),
        ("tg", "CA", None),
        ("tg", "US", Some("x")),
    ] {
        let other = NumberWanted {
            country: country.into(),
            pool: part.map(str::to_owned),
            ..wanted(service, service)
        };
        let found = pool.rent_at(NOW, other);
        let fits = service == "g"
            && found
                .as_ref()
                .is_some_and(|a| a.phone.to_string() == SECOND);
        assert!(found.is_none() || fits, "{service} {country} {part:?}");
        if let Some(found) = found {
            pool.release_at(NOW - REST, found.id, AllocationEnd::Cancelled)
                .unwrap();
        }
    }
    let whatsapp = pool.rent_at(NOW, wanted("w1", "wa")).unwrap();
    assert_eq!(whatsapp.phone.to_string(), FIRST);
    assert_eq!(pool.rent_at(NOW, wanted("w2", "wa")), None);

    // what has had its code for a service is known there, and good for others only
    pool.receive_at(NOW, sms("m1", FIRST, "code 1234", NOW));
    pool.release_at(NOW - REST, whatsapp.id, AllocationEnd::Over)
        .unwrap();
    assert_eq!(pool.rent_at(NOW, wanted("w3", "wa")), None);
    let again = NumberWanted {
        again: true,
        ..wanted("w4", "wa")
    };
    let again = pool.rent_at(NOW, again).unwrap();
    pool.release_at(NOW - REST, again.id, AllocationEnd::Cancelled)
        .unwrap();
    assert!(pool.rent_at(NOW, wanted("t1", "tg")).is_some());
}

pub(crate) fn a_message_belongs_to_the_rent_during_which_it_came(store: &Database) {
    let pool = Pool::new(store, store);
    pool.add(number(FIRST)).unwrap();
    let later = |ms| NOW + Millis(ms);
    pool.receive_at(NOW, sms("before", FIRST, "an old code 1111", NOW));
    let a = pool.rent_at(later(10), wanted("a", "tg")).unwrap();
    assert_eq!(
        pool.newest(a.id),
        None,
        "an old message is never a new renter's"
    );
    // it was with the carrier before the rent began, and came to us during it
    pool.receive_at(later(20), sms("late", FIRST, "an old code 2222", later(9)));
    assert_eq!(pool.newest(a.id), None);
    pool.receive_at(later(30), sms("one", FIRST, "3333", later(10)));
    assert_eq!(pool.newest(a.id).as_deref(), Some("3333"));
    pool.receive_at(later(40), sms("two", FIRST, "4444", later(40)));
    pool.receive_at(later(50), sms("one", FIRST, "sent again", later(50)));
    assert_eq!(pool.newest(a.id).as_deref(), Some("4444"));
    pool.receive_at(later(50), sms("elsewhere", SECOND, "5555", later(50)));

    pool.release_at(later(60), a.id, AllocationEnd::Over)
        .unwrap();
    pool.receive_at(later(70), sms("after", FIRST, "6666", later(70)));
    let unmatched = pool.unmatched();
    let ids: Vec<&str> = unmatched
        .iter()
        .map(|sms| sms.message_id.as_str())
        .collect();
    assert_eq!(ids, ["after", "elsewhere", "late", "before"]);
    assert_eq!(unmatched[3], sms("before", FIRST, "an old code 1111", NOW));
    let b = NumberWanted {
        again: true,
        ..wanted("b", "tg")
    };
    let b = pool.rent_at(later(60) + REST, b).unwrap();
    assert_eq!(pool.newest(b.id), None);
    assert_eq!(pool.newest(a.id).as_deref(), Some("4444"));

    let event = |id: &str, event: &str| InboundSms {
        carrier: Carrier::Telnyx,
        event_id: Some(event.into()),
        ..sms(id, SECOND, "7777", NOW)
    };
    pool.receive_at(NOW, event("t1", "e1"));
    pool.receive_at(NOW, event("t2", "e1"));
    pool.receive_at(NOW, event("t1", "e2"));
    assert_eq!(pool.unmatched().len(), 5);
    pool.world.audited();
}

pub(crate) fn an_allocation_with_a_message_is_not_cancelled(store: &Database) {
    let pool = Pool::new(store, store);
    pool.add(number(FIRST)).unwrap();
    let a = pool.rent_at(NOW, wanted("a", "tg")).unwrap();
    pool.receive_at(NOW, sms("one", FIRST, "3333", NOW));
    let cancel = pool.release_at(NOW, a.id, AllocationEnd::Cancelled);
    assert_eq!(cancel, refused(Refused::Stale));
    pool.release_at(NOW, a.id, AllocationEnd::Over).unwrap();
}

/// A number more that is rented and has been written to.
pub(crate) fn a_number_is_rented_and_hears(store: &Database, at: usize) {
    let pool = Pool::new(store, store);
    let phone = [FIRST, SECOND][at];
    pool.add(number(phone)).unwrap();
    let reference = format!("rent-{at}");
    let rented = pool.rent_at(NOW, wanted(&reference, "tg")).unwrap();
    assert_eq!(rented.phone.to_string(), phone);
    let text = format!("{reference} has a code");
    pool.receive_at(NOW, sms(&reference, phone, &text, NOW));
    assert_eq!(pool.newest(rented.id), Some(text));
}
