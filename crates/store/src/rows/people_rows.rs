//! The port for people who sign in, over the same readers.

use domain::ids::{AccountId, PersonId};
use domain::people::{LowBalance, Mail, MailToken, Person, Session};
use domain::ports::{OwnAccounts, PeopleRows, Read};
use domain::time::Timestamp;
use domain::usd::Usd;

use super::{low_balance, people};
use crate::database::Database;
use crate::sql::cells::exists;
use crate::sql::params;

impl PeopleRows for Database {
    fn person(&self, id: PersonId) -> Read<'_, Option<Person>> {
        self.unsealed(self.ask(move |conn| people::person(conn, id)))
    }

    fn person_by_email<'a>(&'a self, email: &'a str, staff: bool) -> Read<'a, Option<Person>> {
        let email = email.to_owned();
        self.unsealed(self.ask(move |conn| people::by_email(conn, &email, staff)))
    }

    fn person_of(&self, account: AccountId) -> Read<'_, Option<Person>> {
        self.unsealed(self.ask(move |conn| people::of_account(conn, account)))
    }

    fn staff(&self) -> Read<'_, Vec<Person>> {
        self.unsealed(self.ask(people::staff))
    }

    fn session<'a>(&'a self, hash: &'a [u8; 32]) -> Read<'a, Option<(Session, Person)>> {
        let hash = *hash;
        self.unsealed(self.ask(move |conn| people::session(conn, &hash)))
    }

    fn sessions(&self, person: PersonId) -> Read<'_, Vec<Session>> {
        self.ask(move |conn| people::sessions(conn, person))
    }

    fn mail_token<'a>(&'a self, hash: &'a [u8; 32]) -> Read<'a, Option<MailToken>> {
        let hash = *hash;
        self.ask(move |conn| people::mail_token(conn, &hash))
    }

    fn recovery_codes(&self, person: PersonId) -> Read<'_, Vec<(i64, String)>> {
        self.ask(move |conn| people::recovery_codes(conn, person))
    }

    fn mails_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Mail>> {
        self.ask(move |conn| people::mails_due(conn, now, limit))
    }

    fn mails(&self, limit: u32) -> Read<'_, Vec<Mail>> {
        self.ask(move |conn| people::mails(conn, limit))
    }

    fn low_balance(&self, account: AccountId) -> Read<'_, Option<LowBalance>> {
        self.ask(move |conn| low_balance::of(conn, account))
    }

    fn balances_crossed(&self, limit: u32) -> Read<'_, Vec<(LowBalance, Usd)>> {
        self.ask(move |conn| low_balance::crossed(conn, limit))
    }
}

impl OwnAccounts for Database {
    fn is_own(&self, staff: PersonId, account: AccountId) -> Read<'_, bool> {
        let sql = "SELECT 1 FROM person p JOIN account a ON a.email = p.email \
                   WHERE p.id = ?1 AND a.id = ?2";
        self.ask(move |conn| exists(conn, sql, params![staff.0, account.0]))
    }
}
