//! NOWPayments.

use super::{ask, ask_again, borrowed, found, has_secret, plain, success};
use crate::account::Account;
use crate::transport::{BadUpstream, Payload, Transport, head};
use domain::time::Timestamp;
use domain::top_up::{
    Asked, Checkout, Fact, MoneyLine, Notice, Opened, PaymentProcessor, Processor, ProcessorError,
    TopUp,
};
use domain::usd::Usd;
use wire::nowpayments::{self, Payment};

/// What the operator says of their account at NOWPayments.
#[derive(Clone, Debug)]
pub struct NowPaymentsSettings {
    /// Where the API is, and the key.
    pub account: Account,
    /// Secrets of the notifications: during a rotation two.
    pub ipn_secrets: Vec<String>,
    /// Real money.
    pub live: bool,
}

/// NOWPayments as a payment processor.
pub struct NowPayments {
    transport: Transport,
    settings: NowPaymentsSettings,
}

impl NowPayments {
    /// The way to an account.
    pub fn new(settings: NowPaymentsSettings) -> Result<Self, BadUpstream> {
        let head = head(&[(nowpayments::KEY_HEADER, &settings.account.key)]);
        Ok(Self {
            transport: Transport::with_head(&settings.account, &head)?,
            settings,
        })
    }

    /// Once: a second call would be a second invoice.
    async fn open_invoice(&self, checkout: &Checkout) -> Result<Opened, ProcessorError> {
        let payload = Payload::Json {
            path: &["invoice"],
            body: &nowpayments::create(checkout),
        };
        let fetched = ask(&self.transport, payload).await?;
        let invoice = success(&self.transport, &fetched, nowpayments::invoice, plain)?;
        let (processor_ref, pay_url) = invoice;
        Ok(Opened {
            processor_ref,
            pay_url,
        })
    }

    async fn payment(&self, id: &str) -> Result<Option<Fact>, ProcessorError> {
        let payload = Payload::Get {
            path: &["payment", id],
            query: "",
        };
        let fetched = ask_again(&self.transport, payload).await?;
        let payment = found(&self.transport, &fetched, Payment::parse, plain)?;
        Ok(payment
            .filter(|payment| payment.id == id)
            .map(|payment| payment.fact()))
    }
}

impl PaymentProcessor for NowPayments {
    fn kind(&self) -> Processor {
        Processor::NowPayments
    }

    fn is_live(&self) -> bool {
        self.settings.live
    }

    fn takes_webhooks(&self) -> bool {
        has_secret(&self.settings.ipn_secrets)
    }

    fn signature_header(&self) -> &'static str {
        nowpayments::SIGNATURE_HEADER
    }

    fn believes(&self, signature: &str, body: &[u8], _now: Timestamp) -> bool {
        let secrets = borrowed(&self.settings.ipn_secrets);
        nowpayments::verify(&secrets, signature, body).is_ok()
    }

    fn notice(&self, body: &[u8]) -> Option<Notice> {
        nowpayments::notice(body)
    }

    fn open<'a>(&'a self, checkout: &'a Checkout) -> Asked<'a, Opened> {
        Box::pin(self.open_invoice(checkout))
    }

    /// By the payment: the invoice alone cannot be asked about with a key.
    fn read<'a>(&'a self, row: &'a TopUp) -> Asked<'a, Option<Fact>> {
        Box::pin(async move {
            match &row.payment_ref {
                Some(id) => self.payment(id).await,
                None => Ok(None),
            }
        })
    }

    fn refund<'a>(&'a self, _row: &'a TopUp, _amount: Usd, _key: &'a str) -> Asked<'a, ()> {
        Box::pin(async { Err(ProcessorError::NotOffered) })
    }

    fn paid_between(&self, _from: Timestamp, _until: Timestamp) -> Asked<'_, Vec<Fact>> {
        Box::pin(async { Err(ProcessorError::NotOffered) })
    }

    /// Its list needs the sign-in of a person, not a key.
    fn moved_between(&self, _from: Timestamp, _until: Timestamp) -> Asked<'_, Vec<MoneyLine>> {
        Box::pin(async { Err(ProcessorError::NotOffered) })
    }
}
