//! People, their sessions, tokens and mails: rows, guards, writes and questions.

use crate::sql::{Connection, Due, Row, params};
use domain::change::Refused;
use domain::ids::{AccountId, PersonId};
use domain::people::{Mail, MailToken, PeopleWrite, Person, Role, Session, TokenUse, Totp};
use domain::time::Timestamp;

use super::low_balance;
use crate::sql::cells::{Cells, claimed, exists, many, one};
use crate::sql::fault::Fault;

const PERSON: &str = "p.id, p.version, p.email, p.role, p.account_id, p.password, p.verified_at, \
                      p.totp_secret, p.totp_confirmed, p.totp_last_step, p.disabled, p.created_at";

/// How many cells a session has in front of its person's.
const SESSION_CELLS: usize = 9;

const SESSION: &str = "s.id, s.hash, s.person_id, s.created_at, s.seen_at, s.expires_at, \
                       s.address, s.agent, s.proved_at";

const MAIL: &str = "id, recipient, subject, body, created_at, due_at, sent_at, tries";

/// The guards of a write, by reads alone.
pub(crate) fn check(
    conn: &dyn Connection,
    write: &PeopleWrite,
    at: Timestamp,
) -> Result<(), Fault> {
    let refused = match write {
        PeopleWrite::Insert(person) => email_taken(conn, person)?,
        PeopleWrite::Update(person) => {
            if !is_current(conn, person)? {
                return Err(Fault::Refused(Refused::Stale));
            }
            email_taken(conn, person)?
        }
        PeopleWrite::KeepOwner { except } => {
            let left = owner_beside(conn, *except)?;
            return left.then_some(()).ok_or(Fault::Refused(Refused::LastOwner));
        }
        PeopleWrite::UseToken { hash } => {
            let sql = "SELECT 1 FROM mail_token WHERE hash = ?1 AND expires_at > ?2";
            return there(exists(conn, sql, params![hash, at.0])?);
        }
        PeopleWrite::UseRecoveryCode { person, number } => {
            let sql = "SELECT 1 FROM recovery_code WHERE person_id = ?1 AND number = ?2";
            return there(exists(conn, sql, params![person.0, number])?);
        }
        PeopleWrite::CrossBalance(crossed) => return low_balance::check(conn, crossed),
        _ => false,
    };
    if refused {
        return Err(Fault::Refused(Refused::EmailTaken));
    }
    Ok(())
}

fn there(found: bool) -> Result<(), Fault> {
    found.then_some(()).ok_or(Fault::Refused(Refused::Stale))
}

/// Whether somebody else may do everything and can sign in: who never joined has no password.
fn owner_beside(conn: &dyn Connection, except: PersonId) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM person WHERE role = ?1 AND disabled = ?2 AND password IS NOT NULL \
               AND id <> ?3";
    exists(conn, sql, params![Role::Owner.slug(), false, except.0])
}

fn email_taken(conn: &dyn Connection, person: &Person) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM person WHERE email = ?1 AND staff = ?2 AND id <> ?3";
    let staff = person.role.is_staff();
    exists(conn, sql, params![person.email, staff, person.id.0])
}

/// Secrets of authenticator apps as they are stored, and whose they are.
pub(crate) fn secrets(conn: &dyn Connection) -> Result<Vec<(PersonId, Vec<u8>)>, Fault> {
    let sql = "SELECT id, totp_secret FROM person WHERE totp_secret IS NOT NULL ORDER BY id";
    many(conn, sql, params![], |row| {
        let cells = &mut Cells::new("person", row);
        Ok((PersonId(cells.take()?), cells.take()?))
    })
}

fn is_current(conn: &dyn Connection, person: &Person) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM person WHERE id = ?1 AND version = ?2";
    exists(conn, sql, params![person.id.0, person.version])
}

/// The rows of a write whose guards have passed.
pub(crate) fn write(
    conn: &dyn Connection,
    write: &PeopleWrite,
    at: Timestamp,
) -> Result<(), Fault> {
    match write {
        PeopleWrite::Insert(person) => insert(conn, person),
        PeopleWrite::Update(person) => update(conn, person),
        PeopleWrite::KeepOwner { .. } => Ok(()),
        PeopleWrite::StartSession(session) => start_session(conn, session, at),
        PeopleWrite::TouchSession(session) => touch_session(conn, session),
        PeopleWrite::EndSession { person, id } => {
            let sql = "DELETE FROM session WHERE person_id = ?1 AND id = ?2";
            conn.write(sql, params![person.0, id])
        }
        PeopleWrite::EndSessions { person, except } => {
            let sql = "DELETE FROM session WHERE person_id = ?1 AND id IS DISTINCT FROM ?2";
            conn.write(sql, params![person.0, except])
        }
        PeopleWrite::IssueToken(token) => issue_token(conn, token),
        PeopleWrite::UseToken { hash } => {
            let sql = "DELETE FROM mail_token WHERE hash = ?1";
            conn.write_one(sql, params![hash], Refused::Stale)
        }
        PeopleWrite::SetRecoveryCodes { person, hashes } => set_codes(conn, *person, hashes),
        PeopleWrite::UseRecoveryCode { person, number } => {
            let sql = "DELETE FROM recovery_code WHERE person_id = ?1 AND number = ?2";
            conn.write_one(sql, params![person.0, number], Refused::Stale)
        }
        PeopleWrite::WatchBalance(row) => low_balance::watch(conn, row),
        PeopleWrite::ForgetBalance { account } => low_balance::forget(conn, *account),
        PeopleWrite::CrossBalance(crossed) => low_balance::cross(conn, crossed),
        PeopleWrite::QueueMail(mail) => queue_mail(conn, mail),
        PeopleWrite::UpdateMail(mail) => {
            let sql = "UPDATE mail SET due_at = ?2, claimed_until = NULL, sent_at = ?3, tries = ?4, \
                       body = ?5 \
                       WHERE id = ?1";
            let (due, sent) = (mail.due_at.map(|at| at.0), mail.sent_at.map(|at| at.0));
            conn.write(sql, params![mail.id, due, sent, mail.tries, mail.text])
        }
    }
}

fn insert(conn: &dyn Connection, person: &Person) -> Result<(), Fault> {
    let sql = "INSERT INTO person (id, version, email, role, staff, account_id, password, \
               verified_at, totp_secret, totp_confirmed, totp_last_step, disabled, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let totp = person.totp.as_ref();
    conn.write(
        sql,
        params![
            person.id.0,
            person.version,
            person.email,
            person.role.slug(),
            person.role.is_staff(),
            person.account.map(|id| id.0),
            person.password,
            person.verified_at.map(|at| at.0),
            totp.map(|totp| &totp.secret),
            totp.is_some_and(|totp| totp.confirmed),
            totp.map_or(0, |totp| totp.last_step),
            person.disabled,
            person.created_at.0,
        ],
    )
}

fn update(conn: &dyn Connection, person: &Person) -> Result<(), Fault> {
    let sql = "UPDATE person SET version = version + 1, email = ?3, role = ?4, staff = ?5, \
               password = ?6, verified_at = ?7, totp_secret = ?8, totp_confirmed = ?9, \
               totp_last_step = ?10, disabled = ?11 WHERE id = ?1 AND version = ?2";
    let totp = person.totp.as_ref();
    conn.write_one(
        sql,
        params![
            person.id.0,
            person.version,
            person.email,
            person.role.slug(),
            person.role.is_staff(),
            person.password,
            person.verified_at.map(|at| at.0),
            totp.map(|totp| &totp.secret),
            totp.is_some_and(|totp| totp.confirmed),
            totp.map_or(0, |totp| totp.last_step),
            person.disabled,
        ],
        Refused::Stale,
    )
}

/// Sessions of the same person that are over go with the new one.
fn start_session(conn: &dyn Connection, session: &Session, at: Timestamp) -> Result<(), Fault> {
    let over = "DELETE FROM session WHERE person_id = ?1 AND expires_at <= ?2";
    conn.write(over, params![session.person.0, at.0])?;
    let sql = "INSERT INTO session (id, hash, person_id, created_at, seen_at, expires_at, address, \
               agent, proved_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    conn.write(
        sql,
        params![
            session.id,
            session.hash,
            session.person.0,
            session.created_at.0,
            session.seen_at.0,
            session.expires_at.0,
            session.address,
            session.agent,
            session.proved_at.0,
        ],
    )
}

fn touch_session(conn: &dyn Connection, session: &Session) -> Result<(), Fault> {
    let sql = "UPDATE session SET seen_at = ?2, address = ?3, proved_at = ?4 WHERE id = ?1";
    let (seen, proved) = (session.seen_at.0, session.proved_at.0);
    conn.write(sql, params![session.id, seen, session.address, proved])
}

fn issue_token(conn: &dyn Connection, token: &MailToken) -> Result<(), Fault> {
    let earlier = "DELETE FROM mail_token WHERE person_id = ?1 AND usage = ?2";
    conn.write(earlier, params![token.person.0, token.usage.slug()])?;
    let sql = "INSERT INTO mail_token (hash, person_id, usage, expires_at) VALUES (?1, ?2, ?3, ?4)";
    let (usage, expires) = (token.usage.slug(), token.expires_at.0);
    conn.write(sql, params![token.hash, token.person.0, usage, expires])
}

fn set_codes(conn: &dyn Connection, person: PersonId, hashes: &[String]) -> Result<(), Fault> {
    conn.write(
        "DELETE FROM recovery_code WHERE person_id = ?1",
        params![person.0],
    )?;
    let sql = "INSERT INTO recovery_code (person_id, number, hash) VALUES (?1, ?2, ?3)";
    for (number, hash) in (1_i64..).zip(hashes) {
        conn.write(sql, params![person.0, number, hash])?;
    }
    Ok(())
}

fn queue_mail(conn: &dyn Connection, mail: &Mail) -> Result<(), Fault> {
    let sql = "INSERT INTO mail (id, recipient, subject, body, created_at, due_at, sent_at, tries) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    conn.write(
        sql,
        params![
            mail.id,
            mail.to,
            mail.subject,
            mail.text,
            mail.created_at.0,
            mail.due_at.map(|at| at.0),
            mail.sent_at.map(|at| at.0),
            mail.tries,
        ],
    )
}

fn read_person(row: &Row<'_>, first: usize) -> Result<Person, Fault> {
    let cells = &mut Cells::from("person", row, first);
    Ok(Person {
        id: PersonId(cells.take()?),
        version: cells.take()?,
        email: cells.take()?,
        role: cells.word(Role::from_slug)?,
        account: cells.take::<Option<i64>>()?.map(AccountId),
        password: cells.take()?,
        verified_at: cells.maybe_time()?,
        totp: read_totp(cells)?,
        disabled: cells.take()?,
        created_at: cells.time()?,
    })
}

fn read_totp(cells: &mut Cells<'_>) -> Result<Option<Totp>, Fault> {
    let secret: Option<Vec<u8>> = cells.take()?;
    let (confirmed, last_step) = (cells.take()?, cells.take()?);
    Ok(secret.map(|secret| Totp {
        secret,
        confirmed,
        last_step,
    }))
}

fn read_session(row: &Row<'_>) -> Result<Session, Fault> {
    let cells = &mut Cells::new("session", row);
    Ok(Session {
        id: cells.take()?,
        hash: cells.take()?,
        person: PersonId(cells.take()?),
        created_at: cells.time()?,
        seen_at: cells.time()?,
        expires_at: cells.time()?,
        address: cells.take()?,
        agent: cells.take()?,
        proved_at: cells.time()?,
    })
}

fn read_mail(row: &Row<'_>) -> Result<Mail, Fault> {
    let cells = &mut Cells::new("mail", row);
    Ok(Mail {
        id: cells.take()?,
        to: cells.take()?,
        subject: cells.take()?,
        text: cells.take()?,
        created_at: cells.time()?,
        due_at: cells.maybe_time()?,
        sent_at: cells.maybe_time()?,
        tries: cells.take()?,
    })
}

/// One person.
pub(crate) fn person(conn: &dyn Connection, id: PersonId) -> Result<Option<Person>, Fault> {
    let sql = format!("SELECT {PERSON} FROM person p WHERE p.id = ?1");
    one(conn, &sql, params![id.0], |row| read_person(row, 0))
}

/// The customer, or the member of staff, with this e-mail.
pub(crate) fn by_email(
    conn: &dyn Connection,
    email: &str,
    staff: bool,
) -> Result<Option<Person>, Fault> {
    let sql = format!("SELECT {PERSON} FROM person p WHERE p.email = ?1 AND p.staff = ?2");
    one(conn, &sql, params![email, staff], |row| read_person(row, 0))
}

/// The person who signs in for an account.
pub(crate) fn of_account(
    conn: &dyn Connection,
    account: AccountId,
) -> Result<Option<Person>, Fault> {
    let sql = format!("SELECT {PERSON} FROM person p WHERE p.account_id = ?1");
    one(conn, &sql, params![account.0], |row| read_person(row, 0))
}

/// All members of staff, by id.
pub(crate) fn staff(conn: &dyn Connection) -> Result<Vec<Person>, Fault> {
    let sql = format!("SELECT {PERSON} FROM person p WHERE p.staff = 1 ORDER BY p.id");
    many(conn, &sql, params![], |row| read_person(row, 0))
}

/// A session and whose it is.
pub(crate) fn session(
    conn: &dyn Connection,
    hash: &[u8; 32],
) -> Result<Option<(Session, Person)>, Fault> {
    let sql = format!(
        "SELECT {SESSION}, {PERSON} FROM session s JOIN person p ON p.id = s.person_id \
         WHERE s.hash = ?1"
    );
    one(conn, &sql, params![hash], |row| {
        Ok((read_session(row)?, read_person(row, SESSION_CELLS)?))
    })
}

/// All sessions of a person, the last used first.
pub(crate) fn sessions(conn: &dyn Connection, person: PersonId) -> Result<Vec<Session>, Fault> {
    let sql = format!(
        "SELECT {SESSION} FROM session s WHERE s.person_id = ?1 ORDER BY s.seen_at DESC, s.id DESC"
    );
    many(conn, &sql, params![person.0], read_session)
}

/// The token with this hash.
pub(crate) fn mail_token(
    conn: &dyn Connection,
    hash: &[u8; 32],
) -> Result<Option<MailToken>, Fault> {
    let sql = "SELECT hash, person_id, usage, expires_at FROM mail_token WHERE hash = ?1";
    one(conn, sql, params![hash], |row| {
        let cells = &mut Cells::new("mail_token", row);
        Ok(MailToken {
            hash: cells.take()?,
            person: PersonId(cells.take()?),
            usage: cells.word(TokenUse::from_slug)?,
            expires_at: cells.time()?,
        })
    })
}

/// Recovery codes that are left.
pub(crate) fn recovery_codes(
    conn: &dyn Connection,
    person: PersonId,
) -> Result<Vec<(i64, String)>, Fault> {
    let sql = "SELECT number, hash FROM recovery_code WHERE person_id = ?1 ORDER BY number";
    many(conn, sql, params![person.0], |row| {
        let cells = &mut Cells::new("recovery_code", row);
        Ok((cells.take()?, cells.take()?))
    })
}

/// Mails to send now, the longest due first.
pub(crate) fn mails_due(
    conn: &dyn Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Mail>, Fault> {
    let select_from = format!("SELECT {MAIL} FROM mail");
    claimed(
        conn,
        Due::all(&select_from, limit),
        params![now.0],
        read_mail,
    )
}

/// The newest mails, newest first.
pub(crate) fn mails(conn: &dyn Connection, limit: u32) -> Result<Vec<Mail>, Fault> {
    let sql = format!("SELECT {MAIL} FROM mail ORDER BY id DESC LIMIT ?1");
    many(conn, &sql, params![limit], read_mail)
}
