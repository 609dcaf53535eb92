//! Selling a number: what it would cost, and the booking.

use crate::accounts::AccountIndex;
use crate::activation::{Activation, Denied, Stage, Wish};
use crate::carrier::is_of_pool;
use crate::catalogue::{COUNTRIES, Misbehaviour, Offer, ServiceIndex};
use crate::event::Event;
use crate::faults::{Manner, SLOW_MS};
use crate::numbers::free_number;
use crate::sandbox::Sandbox;
use domain::usd::Usd;
use rust_decimal::Decimal;
use std::time::Duration;
use wire::handler_api::NumberOrder;

/// What is about to be sold.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    account: AccountIndex,
    country: usize,
    country_id: usize,
    /// The service.
    pub(crate) service: ServiceIndex,
    offer: Offer,
    /// The buyer's own id of the purchase.
    reference: Option<String>,
}

/// Why nothing is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSold {
    /// No such service here.
    Service,
    /// No such country here.
    Country,
    /// Nothing in stock.
    Stock,
    /// The cap is below this cost.
    Cap(Usd),
    /// The account's balance is too low.
    Funds,
    /// The buyer's id stands for a purchase of something else.
    Taken,
    /// The state file cannot be written.
    Storage,
}

impl NotSold {
    /// The word on the wire.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Service => "BAD_SERVICE".to_owned(),
            Self::Country => "BAD_COUNTRY".to_owned(),
            Self::Stock => "NO_NUMBERS".to_owned(),
            Self::Cap(cost) => format!("WRONG_MAX_PRICE:{}", cost.short()),
            Self::Funds => "NO_BALANCE".to_owned(),
            Self::Taken => "ORDER_ALREADY_EXISTS".to_owned(),
            Self::Storage => "ERROR_SQL".to_owned(),
        }
    }
}

/// What came of a wish about an activation.
pub(crate) enum Wished {
    /// Done.
    Granted,
    /// Not granted, and why.
    Denied(Denied),
    /// This account has no such activation.
    Unknown,
    /// The state file cannot be written.
    Storage,
}

impl Sandbox {
    /// What the order would be served with: the cheapest pool that it allows.
    pub(crate) fn quote(
        &self,
        account: AccountIndex,
        order: &NumberOrder,
    ) -> Result<Quote, NotSold> {
        let shelf = self.shelf(account);
        let service = shelf
            .service(&order.service)
            .ok_or(NotSold::Service)?
            .service;
        let country = order.country.as_deref().and_then(|id| shelf.country(id));
        let country = country.ok_or(NotSold::Country)?;
        let offers = shelf.offers(country, service).into_iter();
        let offer = offers
            .filter(|offer| allows(order, offer))
            .min_by_key(|offer| offer.cost)
            .ok_or(NotSold::Stock)?;
        if order
            .max_price
            .is_some_and(|cap| cap < Decimal::new(offer.cost.0, 6))
        {
            return Err(NotSold::Cap(offer.cost));
        }
        let (country, country_id) = (country.country, country.id);
        Ok(Quote {
            account,
            country,
            country_id,
            service,
            offer,
            reference: order.order_id.clone(),
        })
    }

    /// Whether this purchase is the repeat of one that was carried out: it is then answered plainly,
    /// whatever became of the first answer.
    pub(crate) fn is_repeat(&self, quote: &Quote) -> bool {
        let Some(reference) = quote.reference.as_deref() else {
            return false;
        };
        self.books(|books, _| books.state.sold_as(quote.account, reference).is_some())
    }

    /// Sells a number: debits the account and gives a number nobody else has.
    pub(crate) fn book_number(&self, quote: &Quote) -> Result<Activation, NotSold> {
        self.books(|books, now| {
            let state = &books.state;
            let cost = quote.offer.cost;
            let reference = quote.reference.as_deref();
            let before = reference.and_then(|reference| state.sold_as(quote.account, reference));
            if let Some(sold) = before {
                let same = (sold.country_id, sold.service) == (quote.country_id, quote.service);
                return same.then(|| sold.clone()).ok_or(NotSold::Taken);
            }
            if state.balance(quote.account) < cost {
                return Err(NotSold::Funds);
            }
            let id = state.next_activation_id();
            let taken = |number| state.is_alive(number) || is_of_pool(number);
            let phone = free_number(&COUNTRIES[quote.country], [state.seed, id], taken)
                .ok_or(NotSold::Stock)?;
            let event = Event::NumberSold {
                at: now,
                id,
                account: quote.account,
                country: quote.country_id,
                service: quote.service,
                pool: quote.offer.pool,
                phone,
                cost_micros: cost,
                reference: quote.reference.clone(),
            };
            books.record(&event).map_err(storage_failed)?;
            books
                .state
                .activation(quote.account, id)
                .cloned()
                .ok_or(NotSold::Storage)
        })
    }

    /// How this purchase goes: a misbehaving service has its way, others are struck at random.
    pub(crate) fn manner(&self, service: ServiceIndex) -> Manner {
        match service.behaviour() {
            None => self.next_purchase(),
            Some(Misbehaviour::NoNumbers) => Manner::NoNumbers,
            Some(Misbehaviour::SlowAnswer) => Manner::Slow(Duration::from_millis(SLOW_MS)),
            Some(Misbehaviour::LostAfterSale) => Manner::LostAfter,
            Some(Misbehaviour::LostBeforeSale) => Manner::LostBefore,
            Some(Misbehaviour::Garbage) => Manner::Garbage,
            Some(
                Misbehaviour::NeverACode
                | Misbehaviour::LateCode
                | Misbehaviour::CancelledUpstream
                | Misbehaviour::SecondCode
                | Misbehaviour::BankText,
            ) => Manner::Plain,
        }
    }

    /// Carries out a `setStatus`.
    pub(crate) fn wish(&self, account: AccountIndex, id: u64, wish: Wish) -> Wished {
        let lock_ms = i64::from(crate::accounts()[account].min_cancel_age_s) * 1000;
        self.books(|books, now| {
            let Some(activation) = books.state.activation(account, id) else {
                return Wished::Unknown;
            };
            if let Err(denied) = activation.may(wish, now, lock_ms) {
                return Wished::Denied(denied);
            }
            let event = match wish {
                Wish::Ready => return Wished::Granted,
                Wish::Retry if matches!(activation.stage(now), Stage::Retry(_)) => {
                    return Wished::Granted;
                }
                Wish::Retry => Event::RetryAsked { at: now, id },
                Wish::Finish => Event::NumberFinished { at: now, id },
                Wish::Cancel => Event::NumberCancelled { at: now, id },
            };
            books
                .record(&event)
                .map_or(Wished::Storage, |()| Wished::Granted)
        })
    }
}

/// Whether the order's lists of pools leave this one in.
fn allows(order: &NumberOrder, offer: &Offer) -> bool {
    let Some(pool) = offer.pool else { return true };
    let listed = |list: &str| list.split(',').any(|id| id.trim() == pool.to_string());
    order.provider_ids.as_deref().is_none_or(listed)
        && !order.except_provider_ids.as_deref().is_some_and(listed)
}

fn storage_failed(error: std::io::Error) -> NotSold {
    tracing::error!(%error, "the sandbox could not write its state file");
    NotSold::Storage
}
