//! Selling an SMM order: the panel's checks, the price, the booking, and what may follow it.

use crate::accounts::PANEL;
use crate::catalogue::panel_services::{PanelService, panel_service};
use crate::event::Event;
use crate::faults::{Manner, SLOW_MS};
use crate::panel_order::{LinkManner, Snapshot, Word, read_link};
use crate::sandbox::{Books, Sandbox};
use crate::subscription::Subscription;
use domain::usd::{Rate, Usd};
use std::time::Duration;
use wire::panel_v2::{Add, OrderType, UNKNOWN_ORDER, Units};

/// What the panel says where its state file cannot be written.
const STORAGE: &str = "Internal error";
/// What the panel says to a service id it does not have.
const UNKNOWN_SERVICE: &str = "Incorrect service ID";
/// A refill takes this long to begin and to end, in milliseconds.
const REFILL_MS: [i64; 2] = [2_000, 5_000];

/// What is about to be sold.
#[derive(Clone, Debug)]
pub(crate) struct PanelQuote {
    service: u32,
    link: String,
    units: u64,
    cost: Usd,
    subscription: Option<Subscription>,
    reference: Option<String>,
}

impl Sandbox {
    /// Checks an order as a panel does; the error is its text.
    pub(crate) fn panel_quote(&self, add: &Add) -> Result<PanelQuote, String> {
        let service = panel_service(&add.service).ok_or(UNKNOWN_SERVICE)?;
        let member = |name: &str| add.member(name);
        let needed = service.kind.needed().iter().copied();
        for name in needed.chain(service.kind.needed_with(&member)) {
            if member(name).is_none() {
                return Err(missing(name));
            }
        }
        service
            .kind
            .check(&member)
            .map_err(|(name, _)| missing(name))?;
        let units = service.kind.units(&member).map_err(missing)?;
        let (units, cost) = priced(service, units, add)?;
        let named = if service.kind == OrderType::Subscriptions {
            "username"
        } else {
            "link"
        };
        let link = member(named).unwrap_or_default().trim().to_owned();
        if link.contains(char::is_whitespace) {
            return Err("Link is invalid".to_owned());
        }
        let subscription = match service.kind.is_per_child() {
            true => Some(subscribed(service, &member)?),
            false => None,
        };
        Ok(PanelQuote {
            service: service.id,
            link,
            units,
            cost,
            subscription,
            reference: add.request_id.clone(),
        })
    }

    /// Whether this order is sent again under the id it was carried out under: it is then answered
    /// plainly, whatever became of the first answer.
    pub(crate) fn is_ordered(&self, quote: &PanelQuote) -> bool {
        let Some(reference) = quote.reference.as_deref() else {
            return false;
        };
        self.books(|books, _| books.state.ordered_as(reference).is_some())
    }

    /// How this purchase goes: the link has its way, others are struck at random.
    pub(crate) fn panel_manner(&self, quote: &PanelQuote) -> Manner {
        match read_link(&quote.link).1 {
            LinkManner::Lost => Manner::LostAfter,
            LinkManner::LostBefore => Manner::LostBefore,
            LinkManner::Slow => Manner::Slow(Duration::from_millis(SLOW_MS)),
            LinkManner::Plain if quote.link.contains("sandbox=") => Manner::Plain,
            LinkManner::Plain => self.next_purchase(),
        }
    }

    /// Places the order and returns its id; the error is the panel's text.
    pub(crate) fn book_order(&self, quote: &PanelQuote) -> Result<u64, &'static str> {
        self.books(|books, now| {
            let reference = quote.reference.as_deref();
            if let Some(known) = reference.and_then(|one| books.state.ordered_as(one)) {
                let same = (known.service, known.units) == (quote.service, quote.units);
                return match same && known.link == quote.link {
                    true => Ok(known.id),
                    false => Err("Request ID was used with other parameters"),
                };
            }
            if books.state.balance(PANEL) < quote.cost {
                return Err("Not enough funds on balance");
            }
            let id = books.state.next_order_id();
            let event = Event::OrderPlaced {
                at: now,
                id,
                service: quote.service,
                link: quote.link.clone(),
                units: quote.units,
                cost_micros: quote.cost,
                subscription: quote.subscription,
                reference: quote.reference.clone(),
            };
            books.record(&event).map_err(|_| STORAGE)?;
            Ok(id)
        })
    }

    /// The orders that a subscription has made, and whether more will follow; nothing for another
    /// order.
    pub(crate) fn children(&self, id: &str) -> Option<(Vec<u64>, bool)> {
        self.books(|books, now| {
            let parent = books.state.order(id.parse().ok()?)?;
            let subscription = parent.subscription?;
            let children = books.state.orders().iter();
            let of_it = children.filter(|order| order.parent == Some(parent.id));
            let over = subscription.is_over(parent.placed_at, parent.cancel_at, now);
            Some((of_it.map(|order| order.id).collect(), !over))
        })
    }

    /// States of orders by id, as a client reads them; the error of one is its text.
    pub(crate) fn order_states(&self, ids: &[String]) -> Vec<Result<Snapshot, &'static str>> {
        self.books(|books, now| ids.iter().map(|id| read_order(books, now, id)).collect())
    }

    /// Asks for a cancel; the error is the panel's text.
    pub(crate) fn cancel_order(&self, id: &str) -> Result<(), &'static str> {
        self.books(|books, now| {
            let order = id.parse().ok().and_then(|id| books.state.order(id));
            let order = order.ok_or(UNKNOWN_ORDER)?;
            let offered = panel_service(&order.service.to_string()).is_some_and(|s| s.cancel);
            if !offered || order.is_over(now) || order.cancel_at.is_some() {
                return Err("Order cannot be canceled");
            }
            let event = Event::OrderCancelAsked {
                at: now,
                id: order.id,
            };
            books.record(&event).map_err(|_| STORAGE)
        })
    }

    /// Asks for a refill and returns its id; the error is the panel's text.
    pub(crate) fn refill_order(&self, id: &str) -> Result<u64, &'static str> {
        self.books(|books, now| {
            let order = id.parse().ok().and_then(|id| books.state.order(id));
            let order = order.ok_or(UNKNOWN_ORDER)?;
            let offered = panel_service(&order.service.to_string()).is_some_and(|s| s.refill);
            if !offered || order.snapshot(now).word != Word::Completed {
                return Err("Order is not eligible for refill");
            }
            let id = books.state.next_refill_id();
            let event = Event::RefillAsked {
                at: now,
                id,
                order: order.id,
            };
            books.record(&event).map_err(|_| STORAGE)?;
            Ok(id)
        })
    }

    /// Status word of a refill; nothing for an unknown id.
    pub(crate) fn refill_state(&self, id: &str) -> Option<&'static str> {
        self.books(|books, now| {
            let refill = books.state.refill(id.parse().ok()?)?;
            let age = now - refill.asked_at;
            Some(match REFILL_MS {
                [begins, _] if age < begins => "Pending",
                [_, ends] if age < ends => "In progress",
                _ if refill_is_refused(books, refill.order) => "Rejected",
                _ => "Completed",
            })
        })
    }
}

/// Whether the link of an order asks for its refills to come to nothing.
fn refill_is_refused(books: &Books, order: u64) -> bool {
    let order = books.state.order(order);
    order.is_some_and(|order| order.link.contains("sandbox=norefill"))
}

/// Units and cost, within the service's limits.
fn priced(service: &PanelService, units: Units, add: &Add) -> Result<(u64, Usd), String> {
    let Units::Counted(units) = units else {
        let flat = matches!(units, Units::Flat);
        // a subscription costs what its posts get, when they get it
        return Ok(if flat {
            (1, service.rate)
        } else {
            (0, Usd::ZERO)
        });
    };
    let runs = add
        .member("runs")
        .and_then(|runs| runs.trim().parse::<u64>().ok())
        .unwrap_or(1);
    if runs > 1 && !service.dripfeed {
        return Err("Incorrect request".to_owned());
    }
    if units / runs.max(1) < service.min {
        return Err(format!(
            "Quantity is less than the minimum of {}",
            service.min
        ));
    }
    if units > service.max {
        return Err(format!(
            "Quantity is more than the maximum of {}",
            service.max
        ));
    }
    let cost = Rate::per_1000(service.rate).and_then(|rate| rate.charge(units));
    Ok((units, cost.ok_or("Incorrect request")?))
}

/// What each post of a subscription gets, within the service's limits.
fn subscribed<'a>(
    service: &PanelService,
    member: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<Subscription, String> {
    let number = |name: &str| member(name).and_then(|text| text.trim().parse::<u64>().ok());
    let (least, most) = (number("min").unwrap_or(0), number("max").unwrap_or(0));
    if least < service.min || most > service.max || least > most {
        let (min, max) = (service.min, service.max);
        return Err(format!("Quantity is less than {min} or more than {max}"));
    }
    let posts = number("posts").unwrap_or(0) + number("old_posts").unwrap_or(0);
    Ok(Subscription { least, most, posts })
}

/// What a panel says about a member that is missing or makes no sense.
fn missing(member: &str) -> String {
    match member {
        "link" => "Link is invalid".to_owned(),
        "quantity" | "runs" => "Quantity is less than the minimum".to_owned(),
        "comments" | "username" | "usernames" | "hashtag" | "hashtags" | "answer_number" => {
            format!("{member} is empty")
        }
        _ => "Incorrect request".to_owned(),
    }
}

fn read_order(books: &mut Books, now: i64, id: &str) -> Result<Snapshot, &'static str> {
    let order = id
        .parse()
        .ok()
        .and_then(|id| books.state.order(id))
        .ok_or(UNKNOWN_ORDER)?;
    if order.shows_false_partial(now) {
        let event = Event::FalsePartialSeen {
            at: now,
            id: order.id,
        };
        let shown = order.snapshot(now);
        books.record(&event).map_err(|_| STORAGE)?;
        return Ok(shown);
    }
    Ok(order.snapshot(now))
}
