//! Stripe Checkout.

use super::{ask_again, borrowed, found, has_secret, success, unreachable};
use crate::account::Account;
use crate::transport::{BadUpstream, Payload, Transport, head};
use domain::time::Timestamp;
use domain::top_up::{
    Asked, Checkout, Fact, MoneyLine, Notice, Opened, PaymentProcessor, Processor, ProcessorError,
    Stand, TopUp,
};
use domain::usd::Usd;
use wire::stripe::{self, BalanceTransaction, CreateSession, Refund, Session};

/// Sessions on one page of a list.
const PAGE: usize = 100;
/// Pages read for one span at most.
const PAGES_MAX: usize = 100;
/// Pages of movements read for one span at most: two hundred thousand lines of a day.
const MONEY_PAGES_MAX: usize = 2_000;
/// Micro-dollars in a cent.
const CENT: i64 = 10_000;

/// What the operator says of their account at Stripe.
#[derive(Clone, Debug)]
pub struct StripeSettings {
    /// Where the API is, and the secret key.
    pub account: Account,
    /// Secrets of the webhook endpoint: during a rotation two.
    pub webhook_secrets: Vec<String>,
    /// Real money.
    pub live: bool,
}

/// Stripe as a payment processor.
pub struct Stripe {
    transport: Transport,
    settings: StripeSettings,
}

impl Stripe {
    /// The way to an account.
    pub fn new(settings: StripeSettings) -> Result<Self, BadUpstream> {
        let key = format!("Bearer {}", settings.account.key);
        let head = head(&[
            ("authorization", &key),
            (stripe::VERSION_HEADER, stripe::VERSION),
        ]);
        Ok(Self {
            transport: Transport::with_head(&settings.account, &head)?,
            settings,
        })
    }

    async fn open_session(&self, checkout: &Checkout) -> Result<Opened, ProcessorError> {
        let payload = Payload::Keyed {
            path: &["v1", "checkout", "sessions"],
            form: &CreateSession::of(checkout).form(),
            key: &checkout.reference,
        };
        let fetched = ask_again(&self.transport, payload).await?;
        let parse = Session::parse;
        let session = success(&self.transport, &fetched, parse, stripe::error_text)?;
        if session.live.is_some_and(|live| live != self.settings.live) {
            let why = "the key and the setting payments.stripe.live do not agree";
            return Err(ProcessorError::Refused(why.to_owned()));
        }
        let pay_url = session.url.ok_or_else(|| {
            ProcessorError::Refused("the session has no page to pay on".to_owned())
        })?;
        Ok(Opened {
            processor_ref: session.id,
            pay_url,
        })
    }

    async fn session(&self, id: &str) -> Result<Option<Fact>, ProcessorError> {
        let payload = Payload::Get {
            path: &["v1", "checkout", "sessions", id],
            query: "",
        };
        let fetched = ask_again(&self.transport, payload).await?;
        let session = found(
            &self.transport,
            &fetched,
            Session::parse,
            stripe::error_text,
        )?;
        Ok(session.map(|session| session.fact()))
    }

    async fn pages(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Fact>, ProcessorError> {
        let (mut facts, mut after) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let (page, more) = self.page((from, until), after.as_deref()).await?;
            after = page.last().map(|session| session.id.clone());
            facts.extend(page.iter().map(Session::fact));
            if !more || after.is_none() {
                break;
            }
        }
        facts.retain(|fact| fact.stand == Stand::Paid);
        Ok(facts)
    }

    async fn page(
        &self,
        (from, until): (Timestamp, Timestamp),
        after: Option<&str>,
    ) -> Result<(Vec<Session>, bool), ProcessorError> {
        let query = page_query((from, until), after);
        let payload = Payload::Get {
            path: &["v1", "checkout", "sessions"],
            query: &query,
        };
        let fetched = ask_again(&self.transport, payload).await?;
        success(&self.transport, &fetched, stripe::list, stripe::error_text)
    }

    /// The whole list of what moved: one that is cut off would leave money out without a word.
    async fn money(&self, span: (Timestamp, Timestamp)) -> Result<Vec<MoneyLine>, ProcessorError> {
        let (mut lines, mut after) = (Vec::new(), None::<String>);
        for _ in 0..MONEY_PAGES_MAX {
            let query = page_query(span, after.as_deref());
            let payload = Payload::Get {
                path: &["v1", "balance_transactions"],
                query: &query,
            };
            let fetched = ask_again(&self.transport, payload).await?;
            let (parse, error) = (stripe::balance_list, stripe::error_text);
            let (page, more) = success(&self.transport, &fetched, parse, error)?;
            after = page.last().map(|one| one.id.clone());
            let of_page: Option<Vec<_>> = page.iter().map(BalanceTransaction::line).collect();
            lines.extend(of_page.ok_or_else(|| unreachable("a time in the list cannot be"))?);
            if !more || after.is_none() {
                return Ok(lines);
            }
        }
        let why = "the list of what moved on one day is too long to be read";
        Err(ProcessorError::Refused(why.to_owned()))
    }

    async fn return_to_card(
        &self,
        row: &TopUp,
        amount: Usd,
        key: &str,
    ) -> Result<(), ProcessorError> {
        let payment = row.payment_ref.clone().ok_or(ProcessorError::NotOffered)?;
        let refund = Refund {
            payment_intent: payment,
            minor: Some(amount.0 / CENT),
        };
        let payload = Payload::Keyed {
            path: &["v1", "refunds"],
            form: &refund.form(),
            key,
        };
        let fetched = ask_again(&self.transport, payload).await?;
        success(&self.transport, &fetched, |_| Some(()), stripe::error_text)
    }
}

/// What asks for a page of a list.
fn page_query((from, until): (Timestamp, Timestamp), after: Option<&str>) -> String {
    let (from, until) = (from.0.div_euclid(1000), until.0.div_euclid(1000));
    let mut query = format!("limit={PAGE}&created%5Bgte%5D={from}&created%5Blt%5D={until}");
    if let Some(after) = after {
        query.push_str("&starting_after=");
        query.extend(form_urlencoded::byte_serialize(after.as_bytes()));
    }
    query
}

impl PaymentProcessor for Stripe {
    fn kind(&self) -> Processor {
        Processor::Stripe
    }

    fn is_live(&self) -> bool {
        self.settings.live
    }

    fn takes_webhooks(&self) -> bool {
        has_secret(&self.settings.webhook_secrets)
    }

    fn signature_header(&self) -> &'static str {
        stripe::SIGNATURE_HEADER
    }

    fn believes(&self, signature: &str, body: &[u8], now: Timestamp) -> bool {
        let secrets = borrowed(&self.settings.webhook_secrets);
        stripe::verify(&secrets, signature, body, now).is_ok()
    }

    fn notice(&self, body: &[u8]) -> Option<Notice> {
        stripe::notice(body)
    }

    fn open<'a>(&'a self, checkout: &'a Checkout) -> Asked<'a, Opened> {
        Box::pin(self.open_session(checkout))
    }

    fn read<'a>(&'a self, row: &'a TopUp) -> Asked<'a, Option<Fact>> {
        Box::pin(async move {
            match &row.processor_ref {
                Some(id) => self.session(id).await,
                None => Ok(None),
            }
        })
    }

    fn refund<'a>(&'a self, row: &'a TopUp, amount: Usd, key: &'a str) -> Asked<'a, ()> {
        Box::pin(self.return_to_card(row, amount, key))
    }

    fn paid_between(&self, from: Timestamp, until: Timestamp) -> Asked<'_, Vec<Fact>> {
        Box::pin(self.pages(from, until))
    }

    fn moved_between(&self, from: Timestamp, until: Timestamp) -> Asked<'_, Vec<MoneyLine>> {
        Box::pin(self.money((from, until)))
    }
}
