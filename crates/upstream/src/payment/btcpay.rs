//! A BTCPay Server, by its Greenfield API.

use super::{ask, ask_again, borrowed, found, has_secret, plain, success};
use crate::account::Account;
use crate::transport::{BadUpstream, Payload, Transport, head};
use domain::time::Timestamp;
use domain::top_up::{
    Asked, Checkout, Fact, MoneyLine, Notice, Opened, PaymentProcessor, Processor, ProcessorError,
    Stand, Sum, TopUp,
};
use domain::usd::Usd;
use wire::btcpay::{self, Invoice};

/// Invoices on one page of a list.
const PAGE: usize = 250;
/// Pages read for one span at most.
const PAGES_MAX: usize = 100;

/// What the operator says of their BTCPay Server.
#[derive(Clone, Debug)]
pub struct BtcPaySettings {
    /// Where the server is, and the API key.
    pub account: Account,
    /// The store whose invoices are ours.
    pub store: String,
    /// Secrets of the webhook: during a rotation two.
    pub webhook_secrets: Vec<String>,
    /// How long an invoice waits for a payment, in minutes.
    pub minutes: u32,
    /// Real money.
    pub live: bool,
}

/// A BTCPay Server as a payment processor.
pub struct BtcPay {
    transport: Transport,
    settings: BtcPaySettings,
}

impl BtcPay {
    /// The way to a server.
    pub fn new(settings: BtcPaySettings) -> Result<Self, BadUpstream> {
        let key = format!("token {}", settings.account.key);
        let head = head(&[("authorization", &key)]);
        Ok(Self {
            transport: Transport::with_head(&settings.account, &head)?,
            settings,
        })
    }

    /// Once: the server cannot tell a second call from a second invoice.
    async fn open_invoice(&self, checkout: &Checkout) -> Result<Opened, ProcessorError> {
        let payload = Payload::Json {
            path: &["api", "v1", "stores", &self.settings.store, "invoices"],
            body: &btcpay::create(checkout, self.settings.minutes.into()),
        };
        let fetched = ask(&self.transport, payload).await?;
        let invoice = success(&self.transport, &fetched, Invoice::parse, plain)?;
        let pay_url = invoice.checkout_link.ok_or_else(|| {
            ProcessorError::Refused("the invoice has no page to pay on".to_owned())
        })?;
        Ok(Opened {
            processor_ref: invoice.id,
            pay_url,
        })
    }

    async fn invoice(&self, id: &str) -> Result<Option<Fact>, ProcessorError> {
        let store = &self.settings.store;
        let payload = Payload::Get {
            path: &["api", "v1", "stores", store, "invoices", id],
            query: "",
        };
        let fetched = ask_again(&self.transport, payload).await?;
        let invoice = found(&self.transport, &fetched, Invoice::parse, plain)?;
        let Some(invoice) = invoice else {
            return Ok(None);
        };
        let mut fact = invoice.fact(store);
        if invoice.is_odd_amount() {
            fact.received = self.received(&invoice).await?;
        }
        Ok(Some(fact))
    }

    /// What came in on an invoice. An invoice whose ways to pay are not told is no reason to wait.
    async fn received(&self, invoice: &Invoice) -> Result<Option<Sum>, ProcessorError> {
        let store = &self.settings.store;
        let payload = Payload::Get {
            path: &[
                "api",
                "v1",
                "stores",
                store,
                "invoices",
                &invoice.id,
                "payment-methods",
            ],
            query: "",
        };
        let fetched = ask_again(&self.transport, payload).await?;
        let parse = |body: &str| Some(btcpay::received(body, &invoice.currency));
        let read = found(&self.transport, &fetched, parse, plain)?;
        Ok(read.flatten())
    }

    async fn settled(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Fact>, ProcessorError> {
        let (from, until) = (from.0.div_euclid(1000), until.0.div_euclid(1000));
        let store = &self.settings.store;
        let mut facts = Vec::new();
        for page in 0..PAGES_MAX {
            let skip = page * PAGE;
            let query =
                format!("status=Settled&startDate={from}&endDate={until}&take={PAGE}&skip={skip}");
            let payload = Payload::Get {
                path: &["api", "v1", "stores", store, "invoices"],
                query: &query,
            };
            let fetched = ask_again(&self.transport, payload).await?;
            let invoices = success(&self.transport, &fetched, btcpay::list, plain)?;
            let last = invoices.len() < PAGE;
            facts.extend(invoices.iter().map(|invoice| invoice.fact(store)));
            if last {
                break;
            }
        }
        facts.retain(|fact| matches!(fact.stand, Stand::Paid | Stand::PaidOver));
        Ok(facts)
    }
}

impl PaymentProcessor for BtcPay {
    fn kind(&self) -> Processor {
        Processor::BtcPay
    }

    fn is_live(&self) -> bool {
        self.settings.live
    }

    fn takes_webhooks(&self) -> bool {
        has_secret(&self.settings.webhook_secrets)
    }

    fn signature_header(&self) -> &'static str {
        btcpay::SIGNATURE_HEADER
    }

    fn believes(&self, signature: &str, body: &[u8], _now: Timestamp) -> bool {
        let secrets = borrowed(&self.settings.webhook_secrets);
        btcpay::verify(&secrets, signature, body).is_ok()
    }

    fn notice(&self, body: &[u8]) -> Option<Notice> {
        btcpay::notice(body)
    }

    fn open<'a>(&'a self, checkout: &'a Checkout) -> Asked<'a, Opened> {
        Box::pin(self.open_invoice(checkout))
    }

    fn read<'a>(&'a self, row: &'a TopUp) -> Asked<'a, Option<Fact>> {
        Box::pin(async move {
            match &row.processor_ref {
                Some(id) => self.invoice(id).await,
                None => Ok(None),
            }
        })
    }

    fn refund<'a>(&'a self, _row: &'a TopUp, _amount: Usd, _key: &'a str) -> Asked<'a, ()> {
        Box::pin(async { Err(ProcessorError::NotOffered) })
    }

    fn paid_between(&self, from: Timestamp, until: Timestamp) -> Asked<'_, Vec<Fact>> {
        Box::pin(self.settled(from, until))
    }

    /// Coins arrive in the operator's own wallet: nothing is kept and nothing is paid out.
    fn moved_between(&self, _from: Timestamp, _until: Timestamp) -> Asked<'_, Vec<MoneyLine>> {
        Box::pin(async { Err(ProcessorError::NotOffered) })
    }
}
