//! `get_status`: whether the code is there.

use super::POLL_AFTER_S;
use crate::api_v1::Call;
use crate::api_v1::money::time;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use domain::activation::{Activation, PublicStatus};
use domain::upstream::Sms;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    status: &'static str,
    /// There is none before a message came; an inner nothing is one that is kept no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Whether there was a code whose retention is over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    code_expired: bool,
    order_id: String,
    phone_number: Option<String>,
    expires_at: Option<String>,
    cancel_allowed_at: Option<String>,
    poll_after_s: u32,
}

impl From<Activation> for View {
    fn from(activation: Activation) -> Self {
        let status = activation.public_status();
        let shown = shown_phone(&activation);
        let message = activation
            .message
            .filter(|_| status == PublicStatus::Received);
        let code_expired = message.as_ref().is_some_and(Sms::is_forgotten);
        let (code, text) = match message {
            None => (None, None),
            Some(_) if code_expired => (Some(None), None),
            Some(sms) => (Some(Some(sms.code)), sms.text),
        };
        Self {
            status: status.word(),
            code,
            text,
            code_expired,
            order_id: activation.id.to_string(),
            phone_number: shown,
            expires_at: activation.expires_at.map(time),
            cancel_allowed_at: activation.cancel_allowed_at.map(time),
            poll_after_s: POLL_AFTER_S,
        }
    }
}

/// The number, once it was disclosed. One that is being undone is nobody's.
pub(super) fn shown_phone(activation: &Activation) -> Option<String> {
    let disclosed = activation.disclosed_at.is_some();
    let own = activation.public_status() != PublicStatus::Pending;
    let phone = activation.phone.as_ref().filter(|_| disclosed && own);
    phone.map(ToString::to_string)
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let order = call.members.order_id()?;
    let activation = call.engine.get_status(&call.caller, order).await?;
    Reply::ok(View::from(activation))
}
