//! The operator's own numbers, their allocations, and what was sent to them.

use crate::sql::{Connection, Row, params};
use domain::change::Refused;
use domain::own_number::{
    Allocation, AllocationEnd, Carrier, InboundSms, NewNumber, NumberWanted, OwnNumber, PoolWrite,
};
use domain::phone::Phone;
use domain::ports::{PoolRows, Read};
use domain::time::Timestamp;

use crate::database::Database;
use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;

macro_rules! allocations {
    () => {
        "SELECT a.id, a.upstream, a.reference, a.service, a.country, a.pool, a.cost, a.ends_at, \
         a.again, n.phone, a.begun_at, a.ended, (SELECT m.text FROM inbound_message m \
             WHERE m.allocation_id = a.id ORDER BY m.id DESC LIMIT 1) AS newest \
         FROM allocation a JOIN own_number n ON n.id = a.number_id"
    };
}

impl PoolRows for Database {
    fn own_numbers<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<OwnNumber>> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| numbers(conn, &upstream))
    }

    fn allocation<'a>(&'a self, upstream: &'a str, id: i64) -> Read<'a, Option<Allocation>> {
        let upstream = upstream.to_owned();
        self.unsealed(self.ask(move |conn| {
            let sql = concat!(allocations!(), " WHERE a.upstream = ?1 AND a.id = ?2");
            one(conn, sql, params![upstream, id], read_allocation)
        }))
    }

    fn allocation_of<'a>(
        &'a self,
        upstream: &'a str,
        reference: &'a str,
    ) -> Read<'a, Option<Allocation>> {
        let (upstream, reference) = (upstream.to_owned(), reference.to_owned());
        self.unsealed(self.ask(move |conn| {
            let sql = concat!(
                allocations!(),
                " WHERE a.upstream = ?1 AND a.reference = ?2"
            );
            one(conn, sql, params![upstream, reference], read_allocation)
        }))
    }

    fn allocations_open<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Allocation>> {
        let upstream = upstream.to_owned();
        self.unsealed(self.ask(move |conn| {
            let sql = concat!(
                allocations!(),
                " WHERE a.upstream = ?1 AND a.ended IS NULL ORDER BY a.id"
            );
            many(conn, sql, params![upstream], read_allocation)
        }))
    }

    fn unmatched_sms(&self, limit: u32) -> Read<'_, Vec<InboundSms>> {
        self.unsealed(self.ask(move |conn| {
            let sql = "SELECT carrier, message_id, event_id, sender, recipient, text, received_at \
                       FROM inbound_message WHERE allocation_id IS NULL ORDER BY id DESC LIMIT ?1";
            many(conn, sql, params![limit], read_message)
        }))
    }
}

/// The guards of one write.
pub(crate) fn check(conn: &dyn Connection, write: &PoolWrite, at: Timestamp) -> Result<(), Fault> {
    let passes = match write {
        PoolWrite::Add(new) => {
            let sql =
                "SELECT 1 FROM own_number WHERE phone = ?1 AND (retired = 0 OR upstream <> ?2)";
            !exists(conn, sql, params![new.phone.digits(), new.upstream])?
        }
        PoolWrite::Retire { upstream, phone } => {
            let sql = "SELECT 1 FROM own_number WHERE phone = ?1 AND upstream = ?2 AND retired = 0";
            exists(conn, sql, params![phone.digits(), upstream])?
        }
        PoolWrite::Allocate(wanted) => {
            let sql = "SELECT 1 FROM allocation WHERE upstream = ?1 AND reference = ?2";
            let known = exists(conn, sql, params![wanted.upstream, wanted.reference])?;
            !known && longest_rested(conn, wanted, at)?.is_some()
        }
        PoolWrite::Release {
            allocation, end, ..
        } => {
            let sql = "SELECT 1 FROM allocation WHERE id = ?1 AND ended IS NULL";
            exists(conn, sql, params![allocation])?
                && (*end == AllocationEnd::Over || !has_message(conn, *allocation)?)
        }
        PoolWrite::Receive(_) => true,
    };
    if passes {
        Ok(())
    } else {
        Err(Fault::Refused(Refused::Stale))
    }
}

/// The rows of one write whose guards have passed.
pub(crate) fn apply(conn: &dyn Connection, write: &PoolWrite, at: Timestamp) -> Result<(), Fault> {
    match write {
        PoolWrite::Add(new) => add(conn, new),
        PoolWrite::Retire { upstream, phone } => {
            let sql = "UPDATE own_number SET retired = 1 WHERE phone = ?1 AND upstream = ?2";
            conn.write_one(sql, params![phone.digits(), upstream], Refused::Stale)
        }
        PoolWrite::Allocate(wanted) => allocate(conn, wanted, at),
        PoolWrite::Release {
            allocation,
            end,
            rest_until,
        } => release(conn, *allocation, *end, (at, *rest_until)),
        PoolWrite::Receive(sms) => receive(conn, sms, at),
    }
}

fn add(conn: &dyn Connection, new: &NewNumber) -> Result<(), Fault> {
    let sql = "INSERT INTO own_number (upstream, phone, country, pool, only_for, never_for, \
               retired, cooling_until, last_used) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0) \
               ON CONFLICT (phone) DO UPDATE SET country = ?3, pool = ?4, only_for = ?5, \
               never_for = ?6, retired = 0";
    conn.write(
        sql,
        params![
            new.upstream,
            new.phone.digits(),
            new.country,
            new.pool.as_deref().unwrap_or_default(),
            new.only.join(","),
            new.never.join(","),
        ],
    )
}

/// The number that fits and was rented longest ago.
fn longest_rested(
    conn: &dyn Connection,
    wanted: &NumberWanted,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    let sql = "SELECT n.id FROM own_number n \
               WHERE n.upstream = ?1 AND n.country = ?2 AND n.pool = ?3 AND n.retired = 0 \
               AND n.cooling_until <= ?4 \
               AND (n.only_for = '' OR replace(',' || n.only_for || ',', ',' || ?5 || ',', '') \
                   <> ',' || n.only_for || ',') \
               AND replace(',' || n.never_for || ',', ',' || ?5 || ',', '') \
                   = ',' || n.never_for || ',' \
               AND NOT EXISTS (SELECT 1 FROM allocation a \
                   WHERE a.number_id = n.id AND a.ended IS NULL) \
               AND (?6 = 1 OR NOT EXISTS (SELECT 1 FROM allocation a \
                   JOIN inbound_message m ON m.allocation_id = a.id \
                   WHERE a.number_id = n.id AND a.service = ?5)) \
               ORDER BY n.last_used, n.id LIMIT 1";
    let pool = wanted.pool.as_deref().unwrap_or_default();
    let asked = params![
        wanted.upstream,
        wanted.country,
        pool,
        now.0,
        wanted.service,
        wanted.again,
    ];
    one(conn, sql, asked, |row| Cells::new("own_number", row).take())
}

fn allocate(conn: &dyn Connection, wanted: &NumberWanted, at: Timestamp) -> Result<(), Fault> {
    let Some(number) = longest_rested(conn, wanted, at)? else {
        return Err(Fault::Refused(Refused::Stale));
    };
    let sql = "INSERT INTO allocation (upstream, reference, number_id, service, country, pool, \
               cost, begun_at, ends_at, again) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    conn.write(
        sql,
        params![
            wanted.upstream,
            wanted.reference,
            number,
            wanted.service,
            wanted.country,
            wanted.pool.as_deref().unwrap_or_default(),
            wanted.cost.0,
            at.0,
            wanted.ends_at.0,
            wanted.again,
        ],
    )?;
    let sql = "UPDATE own_number SET last_used = ?2 WHERE id = ?1";
    conn.write(sql, params![number, at.0])
}

fn release(
    conn: &dyn Connection,
    allocation: i64,
    end: AllocationEnd,
    (at, rest_until): (Timestamp, Timestamp),
) -> Result<(), Fault> {
    let sql = "UPDATE allocation SET ended = ?2, ended_at = ?3 WHERE id = ?1 AND ended IS NULL";
    conn.write_one(sql, params![allocation, end.slug(), at.0], Refused::Stale)?;
    let sql = "UPDATE own_number SET cooling_until = ?2 WHERE cooling_until < ?2 \
               AND id = (SELECT number_id FROM allocation WHERE id = ?1)";
    conn.write(sql, params![allocation, rest_until.0])
}

/// Whose it is, is found here: between a look and a write the number could change hands. A carrier that
/// tells of it again, by its message or by its event, changes nothing; whatever else is in the way of
/// the row is a failure that the carrier hears of.
fn receive(conn: &dyn Connection, sms: &InboundSms, at: Timestamp) -> Result<(), Fault> {
    let sql = "INSERT INTO inbound_message (carrier, message_id, event_id, sender, recipient, text, \
               received_at, stored_at, allocation_id) \
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ( \
                   SELECT a.id FROM allocation a JOIN own_number n ON n.id = a.number_id \
                   WHERE n.phone = ?5 AND a.ended IS NULL \
                   AND a.begun_at <= ?7 AND a.begun_at <= ?8) \
               WHERE ?3 = '' OR NOT EXISTS ( \
                   SELECT 1 FROM inbound_message WHERE carrier = ?1 AND event_id = ?3) \
               ON CONFLICT (carrier, message_id) DO NOTHING";
    conn.write(
        sql,
        params![
            sms.carrier.slug(),
            sms.message_id,
            sms.event_id.as_deref().unwrap_or_default(),
            sms.from,
            sms.to,
            sms.text,
            sms.received_at.0,
            at.0,
        ],
    )
}

fn has_message(conn: &dyn Connection, allocation: i64) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM inbound_message WHERE allocation_id = ?1";
    exists(conn, sql, params![allocation])
}

fn numbers(conn: &dyn Connection, upstream: &str) -> Result<Vec<OwnNumber>, Fault> {
    let sql = "SELECT n.upstream, n.phone, n.country, n.pool, n.only_for, n.never_for, n.retired, \
               n.cooling_until, n.last_used, EXISTS (SELECT 1 FROM allocation a \
                   WHERE a.number_id = n.id AND a.ended IS NULL) AS rented \
               FROM own_number n WHERE n.upstream = ?1 ORDER BY n.phone";
    many(conn, sql, params![upstream], |row| {
        let cells = &mut Cells::new("own_number", row);
        let facts = NewNumber {
            upstream: cells.take()?,
            phone: cells.word(Phone::parse)?,
            country: cells.take()?,
            pool: filled(cells.take()?),
            only: codes(&cells.take::<String>()?),
            never: codes(&cells.take::<String>()?),
        };
        Ok(OwnNumber {
            facts,
            retired: cells.take()?,
            cooling_until: ever(cells.time()?),
            last_used: ever(cells.time()?),
            rented: cells.take()?,
        })
    })
}

/// An empty cell means nothing.
fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Zero means never.
fn ever(at: Timestamp) -> Option<Timestamp> {
    Some(at).filter(|at| at.0 > 0)
}

fn codes(joined: &str) -> Vec<String> {
    let codes = joined.split(',').filter(|code| !code.is_empty());
    codes.map(str::to_owned).collect()
}

fn read_allocation(row: &Row<'_>) -> Result<Allocation, Fault> {
    let cells = &mut Cells::new("allocation", row);
    Ok(Allocation {
        id: cells.take()?,
        wanted: NumberWanted {
            upstream: cells.take()?,
            reference: cells.take()?,
            service: cells.take()?,
            country: cells.take()?,
            pool: filled(cells.take()?),
            cost: cells.usd()?,
            ends_at: cells.time()?,
            again: cells.take()?,
        },
        phone: cells.word(Phone::parse)?,
        begun_at: cells.time()?,
        end: cells.maybe_word(AllocationEnd::from_slug)?,
        newest: cells.take()?,
    })
}

fn read_message(row: &Row<'_>) -> Result<InboundSms, Fault> {
    let cells = &mut Cells::new("inbound_message", row);
    Ok(InboundSms {
        carrier: cells.word(Carrier::from_slug)?,
        message_id: cells.take()?,
        event_id: filled(cells.take()?),
        from: cells.take()?,
        to: cells.take()?,
        text: cells.take()?,
        received_at: cells.time()?,
    })
}
