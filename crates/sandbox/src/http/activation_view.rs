//! What handler_api says of an activation at a given moment.

use crate::activation::{Activation, Ending, LIFETIME_MS, Stage};
use crate::catalogue::{Misbehaviour, Shelf};
use crate::clock::wire_time;
use domain::usd::Usd;
use rust_decimal::Decimal;
use wire::handler_api::{
    Active, ActiveState, HistoryRow, NumberSold, NumberV2, SmsV2, Status, StatusV2, StatusV2Reply,
};

/// ISO number of the dollar.
const USD: u32 = 840;

/// What is needed to tell an activation's state.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) now: i64,
    pub(super) seed: u64,
    pub(super) shelf: &'a Shelf,
}

impl View<'_> {
    pub(super) fn status(self, activation: &Activation) -> Status {
        match activation.stage(self.now) {
            Stage::Waiting => Status::WaitCode,
            Stage::Got(_) => Status::Code(self.newest_answer(activation)),
            Stage::Retry(_) => Status::WaitRetry(Some(self.newest_answer(activation))),
            Stage::Ended(_) => Status::Cancelled,
        }
    }

    /// The code; the whole text of a bank, as servers send it that cannot tell a code apart.
    fn newest_answer(self, activation: &Activation) -> String {
        let position = activation.messages(self.now).saturating_sub(1);
        match activation.service.behaviour() {
            Some(Misbehaviour::BankText) => activation.text(self.seed, position),
            _ => activation.code(self.seed, position),
        }
    }

    pub(super) fn status_v2(self, activation: &Activation) -> StatusV2Reply {
        let position = match activation.stage(self.now) {
            Stage::Ended(_) => return StatusV2Reply::Word(Status::Cancelled),
            Stage::Retry(_) => return StatusV2Reply::Word(self.status(activation)),
            Stage::Waiting => return StatusV2Reply::Object(StatusV2::default()),
            Stage::Got(_) => activation.messages(self.now).saturating_sub(1),
        };
        let came_at = activation.message_time(position).unwrap_or(self.now);
        let sms = SmsV2 {
            date_time: wire_time(came_at),
            code: activation.code(self.seed, position),
            text: activation.text(self.seed, position),
        };
        StatusV2Reply::Object(StatusV2 {
            sms: Some(sms),
            ..StatusV2::default()
        })
    }

    pub(super) fn active(self, activation: &Activation) -> Active {
        let count = activation.messages(self.now);
        Active {
            id: activation.id.to_string(),
            service: self.shelf.service_id(activation.service).to_owned(),
            phone: activation.phone.to_string(),
            cost: Some(decimal(activation.cost)),
            state: match activation.stage(self.now) {
                Stage::Waiting | Stage::Ended(_) => ActiveState::Waiting,
                Stage::Got(_) => ActiveState::Received,
                Stage::Retry(_) => ActiveState::RetryAsked,
            },
            codes: (0..count)
                .map(|position| activation.code(self.seed, position))
                .collect(),
            text: count
                .checked_sub(1)
                .map(|newest| activation.text(self.seed, newest)),
            time: Some(wire_time(activation.sold_at)),
            country: Some(activation.country_id.to_string()),
            country_name: Some(self.shelf.country_name(activation.country_id).to_owned()),
            another_sms: true,
            currency: Some(USD),
        }
    }

    pub(super) fn history(self, activation: &Activation) -> HistoryRow {
        let count = activation.messages(self.now);
        HistoryRow {
            id: activation.id.to_string(),
            date: wire_time(activation.sold_at),
            phone: activation.phone.to_string(),
            sms: count
                .checked_sub(1)
                .map(|newest| activation.text(self.seed, newest)),
            cost: Some(decimal(activation.cost)),
            status: history_word(activation.stage(self.now)).to_owned(),
            currency: Some(USD),
        }
    }
}

/// Status numbers of the history: 4 open, 6 finished, 8 cancelled or expired.
fn history_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting | Stage::Got(_) | Stage::Retry(_) => "4",
        Stage::Ended(Ending::Finished) => "6",
        Stage::Ended(Ending::Cancelled | Ending::Expired) => "8",
    }
}

pub(super) fn print_sold(activation: &Activation) -> String {
    NumberSold {
        id: activation.id.to_string(),
        phone: activation.phone.to_string(),
    }
    .print()
}

/// With the time from which it can be cancelled, where that is told.
pub(super) fn print_sold_v2(activation: &Activation, cancel_after_s: Option<u32>) -> String {
    let cancel_from = |after_s: u32| activation.sold_at + i64::from(after_s) * 1000;
    let end = activation.sold_at + LIFETIME_MS;
    NumberV2 {
        id: activation.id.to_string(),
        phone: activation.phone.to_string(),
        cost: Some(decimal(activation.cost)),
        currency: Some(USD),
        country: Some(activation.country_id.to_string()),
        another_sms: true,
        time: Some(wire_time(activation.sold_at)),
        operator: Some("any".to_owned()),
        end: Some(wire_time(end)),
        cancel_from: cancel_after_s.map(|after_s| wire_time(cancel_from(after_s))),
    }
    .print()
}

pub(super) fn decimal(amount: Usd) -> Decimal {
    Decimal::new(amount.0, 6).normalize()
}
