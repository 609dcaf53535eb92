//! Mails on their way: what the store has queued is handed to the mail server, again and again
//! until it takes them. In the demo they stay in its mailbox.

use crate::background::Background;
use crate::settings;
use anyhow::Context;
use app::People;
use domain::people::Mail;
use domain::time::Millis;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Between two looks for mails to send.
const LOOK: Millis = Millis(500);
/// Mails in one round.
const ROUND: usize = 20;
/// How long the mail server may take with one mail: well below the time for which a node claims it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at the balances that customers want to hear of.
const BALANCES_LOOK: Millis = Millis::seconds(10);

/// Hands mails over.
#[derive(Clone)]
pub struct Postman {
    people: Arc<People>,
    server: Option<Server>,
}

#[derive(Clone)]
struct Server {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Postman {
    /// A postman for these settings; without a server mails stay where they are.
    pub fn new(mail: Option<&settings::Mail>, people: &Arc<People>) -> anyhow::Result<Self> {
        let server = mail.map(server).transpose()?;
        let people = Arc::clone(people);
        Ok(Self { people, server })
    }

    /// Starts the rounds.
    pub fn start(&self, background: &Background) {
        if self.server.is_none() && !self.people.keeps_mails() {
            return;
        }
        let postman = self.clone();
        background.every(LOOK, move |_| {
            let postman = postman.clone();
            async move { postman.round().await }
        });
        let people = Arc::clone(&self.people);
        background.every(BALANCES_LOOK, move |_| {
            let people = Arc::clone(&people);
            async move { people.tell_low_balances().await }
        });
    }

    async fn round(&self) {
        for _ in 0..ROUND {
            let Ok(Some(mail)) = self.people.mail_due().await else {
                return;
            };
            let id = mail.id;
            let noted = match self.deliver(&mail).await {
                Ok(()) => self.people.mail_sent(mail, self.server.is_none()).await,
                Err(error) => {
                    let again = self.people.mail_failed(mail).await;
                    // neither address nor text: logs are read by others
                    let again = again.unwrap_or(true);
                    tracing::warn!(mail.id = id, again, "a mail could not be sent: {error:#}");
                    Ok(())
                }
            };
            if let Err(error) = noted {
                tracing::warn!(
                    mail.id = id,
                    "a mail was sent and that could not be noted: {error}"
                );
                return;
            }
        }
    }

    async fn deliver(&self, mail: &Mail) -> anyhow::Result<()> {
        let Some(server) = &self.server else {
            return Ok(());
        };
        let message = Message::builder()
            .from(server.from.clone())
            .to(mail.to.parse().context("the address")?)
            .subject(mail.subject.clone())
            .body(mail.text.clone())
            .context("the message")?;
        let sent = timeout(PATIENCE, server.transport.send(message)).await;
        let sent = sent.context("the server does not answer in time")?;
        sent.context("the server")?;
        Ok(())
    }
}

fn server(mail: &settings::Mail) -> anyhow::Result<Server> {
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(mail.smtp_url.expose());
    let transport = transport.map_err(|_| {
        anyhow::anyhow!(
            "mail.smtp_url: must look like \"smtps://user:password@mail.example.org\" or \
             \"smtp://mail.example.org:587?tls=required\""
        )
    })?;
    Ok(Server {
        transport: transport.build(),
        from: mail.from.parse().context("mail.from")?,
    })
}
