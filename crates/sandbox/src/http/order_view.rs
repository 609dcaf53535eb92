//! What SMSPool says of an order at a given moment.

use super::activation_view::decimal;
use crate::activation::{Activation, Ending, LIFETIME_MS, Stage};
use crate::catalogue::Shelf;
use crate::order_code;
use domain::countries;
use wire::smspool::{Check, ListedOrder, NumberBought, OrderState};

/// What is needed to tell an order's state.
#[derive(Clone, Copy)]
pub(super) struct OrderView<'a> {
    pub(super) now: i64,
    pub(super) seed: u64,
    pub(super) shelf: &'a Shelf,
}

impl OrderView<'_> {
    pub(super) fn bought(self, activation: &Activation) -> NumberBought {
        let country = self.shelf.country_name(activation.country_id);
        let phone = activation.phone.to_string();
        let calling_code = self.calling_code(activation);
        let service = activation.service.name();
        NumberBought {
            order_id: order_code::encode(activation.id),
            local: phone.strip_prefix(calling_code).map(str::to_owned),
            phone,
            calling_code: Some(calling_code.to_owned()),
            country: Some(country.to_owned()),
            service: Some(service.to_owned()),
            pool: activation.pool.map(|pool| pool.to_string()),
            expires_in_s: Some(seconds(LIFETIME_MS)),
            expiration_s: Some(expiry(activation)),
            message: Some(format!(
                "You have ordered a <b>{country}</b> number for {service}."
            )),
            cost: Some(decimal(activation.cost)),
        }
    }

    pub(super) fn check(self, activation: &Activation) -> Check {
        let newest = activation.messages(self.now).checked_sub(1);
        let state = self.state(activation);
        let newest = newest.filter(|_| state != OrderState::Refunded);
        Check {
            sms: newest.map(|position| activation.code(self.seed, position)),
            full_sms: newest.map(|position| activation.text(self.seed, position)),
            message: (state == OrderState::Refunded)
                .then(|| "This order has been <b>refunded</b>.".to_owned()),
            state,
            resends: Some(u64::from(activation.retries.is_some())),
            expiration_s: Some(expiry(activation)),
            time_left_s: Some(self.time_left(activation)),
        }
    }

    pub(super) fn listed(self, activation: &Activation) -> ListedOrder {
        let newest = activation.messages(self.now).checked_sub(1);
        let country = countries::find(self.shelf.country_name(activation.country_id));
        let came_at = newest.and_then(|position| activation.message_time(position));
        ListedOrder {
            order_code: order_code::encode(activation.id),
            phone: Some(activation.phone.to_string()),
            calling_code: None,
            service: activation.service.name().to_owned(),
            short_name: country.map(|country| country.iso2.to_owned()),
            pool: activation.pool.map(|pool| pool.to_string()),
            cost: Some(decimal(activation.cost)),
            code: newest.map(|position| activation.code(self.seed, position)),
            full_code: newest.map(|position| activation.text(self.seed, position)),
            state: self.state(activation),
            timestamp: Some(seconds(activation.sold_at).to_string()),
            completed_on: came_at.map(|at| seconds(at).to_string()),
            expiry_s: Some(expiry(activation)),
            time_left_s: Some(self.time_left(activation)),
        }
    }

    /// Whether the text stands in the order's code, number or service.
    pub(super) fn matches(self, activation: &Activation, text: Option<&str>) -> bool {
        text.is_none_or(|text| {
            order_code::encode(activation.id).contains(text)
                || activation.phone.to_string().contains(text)
                || activation.service.name().contains(text)
        })
    }

    fn state(self, activation: &Activation) -> OrderState {
        match activation.stage(self.now) {
            Stage::Waiting => OrderState::Pending,
            Stage::Got(_) | Stage::Ended(Ending::Finished) => OrderState::Completed,
            Stage::Retry(_) => OrderState::Resend,
            Stage::Ended(Ending::Cancelled | Ending::Expired) => OrderState::Refunded,
        }
    }

    fn time_left(self, activation: &Activation) -> u64 {
        match activation.ended {
            Some(_) => 0,
            None => seconds(activation.sold_at + LIFETIME_MS - self.now),
        }
    }

    fn calling_code(self, activation: &Activation) -> &'static str {
        let listed = self.shelf.country(&activation.country_id.to_string());
        listed.map_or("", |listed| listed.plan().calling_code)
    }
}

fn expiry(activation: &Activation) -> u64 {
    seconds(activation.sold_at + LIFETIME_MS)
}

fn seconds(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds / 1000).unwrap_or(0)
}

/// Name of a pool.
pub(super) fn pool_name(id: u16) -> &'static str {
    match id {
        1 => "Alpha",
        3 => "Charlie",
        7 => "Foxtrot",
        _ => "",
    }
}
