//! What is mailed, and mails on their way: queued with the change they belong to, sent later.

use super::{People, PeopleError};
use domain::people::{Mail, PeopleWrite, Person};
use domain::time::Millis;

/// Pauses between tries to send a mail; after the last one it is given up.
const PAUSES: [Millis; 6] = [
    Millis::seconds(10),
    Millis::minutes(1),
    Millis::minutes(5),
    Millis::minutes(30),
    Millis::minutes(120),
    Millis::minutes(600),
];

impl People {
    pub(super) fn mail(&self, to: &str, subject: &str, text: String) -> PeopleWrite {
        let now = self.engine.now();
        PeopleWrite::QueueMail(Box::new(Mail {
            id: self.next_row(),
            to: to.to_owned(),
            subject: subject.to_owned(),
            text,
            created_at: now,
            due_at: Some(now),
            sent_at: None,
            tries: 0,
        }))
    }

    pub(super) fn mail_verify(&self, person: &Person, token: &str) -> PeopleWrite {
        let text = format!(
            "Welcome to Tollgate.\n\nOpen this link to confirm that this address is yours:\n\n\
             {}/verify?token={token}\n\nIt is good for 24 hours. If you did not sign up, do \
             nothing: nobody can use the account without this link.\n",
            self.settings.base_url
        );
        self.mail(&person.email, "Confirm your e-mail address", text)
    }

    pub(super) fn mail_known_already(&self, person: &Person) -> PeopleWrite {
        let text = format!(
            "Somebody, probably you, signed up at Tollgate with this address, which has an account \
             already.\n\nSign in:            {base}/sign-in\nForgot your password? {base}/forgot\n\n\
             If it was not you, do nothing: nothing has changed.\n",
            base = self.settings.base_url
        );
        self.mail(&person.email, "You have an account already", text)
    }

    pub(super) fn mail_reset(&self, person: &Person, token: &str) -> PeopleWrite {
        let text = format!(
            "Open this link to set a new password:\n\n{}/reset?token={token}\n\nIt is good for one \
             hour and for one use. If you did not ask for it, do nothing: your password has not \
             changed.\n",
            self.settings.base_url
        );
        self.mail(&person.email, "Set a new password", text)
    }

    pub(super) fn mail_password_changed(&self, person: &Person) -> PeopleWrite {
        let text = format!(
            "The password of your account was changed, and all other sessions were signed out.\n\n\
             If it was not you, set a new one now: {}/forgot\n",
            self.settings.base_url
        );
        self.mail(&person.email, "Your password was changed", text)
    }

    pub(super) fn mail_second_factor(&self, person: &Person, on: bool) -> PeopleWrite {
        let what = if on { "switched on" } else { "switched off" };
        let text = format!(
            "Two-step sign-in was {what} for your account.\n\nIf it was not you, set a new password \
             now: {}/forgot\n",
            self.settings.base_url
        );
        let subject = format!("Two-step sign-in was {what}");
        self.mail(&person.email, &subject, text)
    }

    /// The mail that has waited longest for being sent now. One at a time: it is claimed for less than
    /// several can take, and another node would send them as well.
    pub async fn mail_due(&self) -> Result<Option<Mail>, PeopleError> {
        Ok(self.rows.mails_due(self.engine.now(), 1).await?.pop())
    }

    /// A mail was handed over. What it said is forgotten unless it stays to be read here, in the
    /// demo's mailbox: links in it are secrets.
    pub async fn mail_sent(&self, mail: Mail, keep: bool) -> Result<(), PeopleError> {
        let text = if keep { mail.text } else { String::new() };
        let sent = Mail {
            text,
            due_at: None,
            sent_at: Some(self.engine.now()),
            tries: mail.tries + 1,
            ..mail
        };
        let writes = vec![PeopleWrite::UpdateMail(Box::new(sent))];
        Ok(self.write("mail_sent", writes).await?)
    }

    /// A mail could not be handed over: it is tried again later, and given up in the end. Answers
    /// whether it will be tried again.
    pub async fn mail_failed(&self, mail: Mail) -> Result<bool, PeopleError> {
        let pause = usize::try_from(mail.tries).ok().and_then(|n| PAUSES.get(n));
        let due_at = pause.map(|pause| self.engine.now() + *pause);
        let failed = Mail {
            due_at,
            tries: mail.tries + 1,
            text: due_at.map(|_| mail.text).unwrap_or_default(),
            ..mail
        };
        let again = failed.due_at.is_some();
        let writes = vec![PeopleWrite::UpdateMail(Box::new(failed))];
        self.write("mail_failed", writes).await?;
        Ok(again)
    }
}
