//! Payment processors: who takes our customers' money. One file for each; what they share is how an
//! answer that helps is told from one that does not.

mod btcpay;
mod nowpayments;
mod stripe;
#[cfg(test)]
mod tests;

pub use btcpay::{BtcPay, BtcPaySettings};
pub use nowpayments::{NowPayments, NowPaymentsSettings};
pub use stripe::{Stripe, StripeSettings};

use crate::transport::{Fetched, Lost, Payload, Transport, retried};
use domain::top_up::ProcessorError;

/// Asks once. Where a processor is busy, or at work on a call with the same key (409), nobody knows
/// what will have come of it.
async fn ask(transport: &Transport, payload: Payload<'_>) -> Result<Fetched, ProcessorError> {
    let fetched = transport.once(payload).await;
    let fetched = fetched.map_err(|lost: Lost| unreachable(lost.text()))?;
    match fetched.status {
        408 | 409 | 425 | 429 | 500.. => Err(unreachable(&format!("status {}", fetched.status))),
        _ => Ok(fetched),
    }
}

/// Asks again after failures that may pass: for reads, and for calls that carry a key.
async fn ask_again(transport: &Transport, payload: Payload<'_>) -> Result<Fetched, ProcessorError> {
    let may_pass = |error: &ProcessorError| matches!(error, ProcessorError::Unreachable(_));
    retried(may_pass, || ask(transport, payload)).await
}

fn unreachable(why: &str) -> ProcessorError {
    ProcessorError::Unreachable(why.to_owned())
}

/// What an answer with this status and text means where it is no success.
fn refused(transport: &Transport, fetched: &Fetched, text: Option<String>) -> ProcessorError {
    let text = text.unwrap_or_else(|| fetched.body.chars().take(200).collect());
    let text = transport.clean(&text);
    ProcessorError::Refused(format!("status {}: {text}", fetched.status))
}

/// The answer as what it should be; a success that cannot be read says nothing.
fn success<T>(
    transport: &Transport,
    fetched: &Fetched,
    parse: impl FnOnce(&str) -> Option<T>,
    error: impl FnOnce(&str) -> Option<String>,
) -> Result<T, ProcessorError> {
    if fetched.status / 100 != 2 {
        return Err(refused(transport, fetched, error(&fetched.body)));
    }
    parse(&fetched.body).ok_or_else(|| unreachable("the answer cannot be read"))
}

/// The same where "there is no such thing" is an answer.
fn found<T>(
    transport: &Transport,
    fetched: &Fetched,
    parse: impl FnOnce(&str) -> Option<T>,
    error: impl FnOnce(&str) -> Option<String>,
) -> Result<Option<T>, ProcessorError> {
    if fetched.status == 404 {
        return Ok(None);
    }
    success(transport, fetched, parse, error).map(Some)
}

/// No text but the answer's own.
fn plain(_: &str) -> Option<String> {
    None
}

/// Secrets as the signature checks take them.
fn borrowed(secrets: &[String]) -> Vec<&str> {
    secrets.iter().map(String::as_str).collect()
}

/// Whether there is a secret that somebody had to think of.
fn has_secret(secrets: &[String]) -> bool {
    secrets.iter().any(|secret| !secret.trim().is_empty())
}
