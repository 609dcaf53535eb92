//! What is on sale while something is measured: a million offers of numbers, and SMM services.

use domain::catalogue::{Server, ServerRoute};
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, ListedPanelOrder, Number, NumberListing, NumberOffer,
    NumberRequest, NumberStatus, NumberUpstream, PanelRequest, PanelService, PanelStatusRow,
    PanelUpstream, Pending, Purchase, ReadFailure, RefillReply, RefillRow, Refusal, Reply,
};
use domain::usd::{Rate, Usd};
use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Upstreams that sell numbers, each behind a server of its own.
pub const UPSTREAMS: usize = 8;
/// Countries of each.
pub const COUNTRIES: usize = 200;
/// Services in each country.
const SERVICES: usize = 625;
/// Services of the panel.
const SMM_SERVICES: u64 = 5_000;

/// Name of the upstream in this place, and of the server before it.
pub fn name(index: usize) -> String {
    format!("up{index}")
}

/// A server before each upstream.
pub fn servers() -> Vec<Server> {
    let server = |index| Server {
        name: name(index),
        enabled: true,
        routes: vec![ServerRoute {
            provider_type: 0,
            upstream: name(index),
        }],
    };
    (0..UPSTREAMS).map(server).collect()
}

/// The upstreams as an engine takes them.
pub fn upstreams(listers: &[Arc<Lister>]) -> HashMap<String, Arc<dyn NumberUpstream>> {
    let named = listers
        .iter()
        .map(|one| (name(one.index), Arc::clone(one) as Arc<dyn NumberUpstream>));
    named.collect()
}

/// Processor time of this thread.
pub fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text
        .split_whitespace()
        .next()
        .and_then(|ns| ns.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn nothing_sold<T>() -> Pending<'static, Reply<Purchase<T>>>
where
    T: Send + 'static,
{
    Box::pin(ready(Reply {
        outcome: Purchase::Refused(Refusal::NoStock),
        raw: String::new(),
    }))
}

fn none_known() -> Pending<'static, Reply<CancelReply>> {
    Box::pin(ready(Reply {
        outcome: CancelReply::UnknownOrder,
        raw: String::new(),
    }))
}

/// An upstream that lists and does nothing else.
pub struct Lister {
    index: usize,
    surcharge: AtomicI64,
    /// Nanoseconds of processor time that making listings took: no part of a refresh.
    making: AtomicU64,
    capabilities: Capabilities,
}

fn listing(upstream: usize, surcharge: i64) -> NumberListing {
    let known: Vec<_> = domain::countries::all().take(COUNTRIES).collect();
    let mut listing = NumberListing::default();
    for service in 0..SERVICES {
        let name = format!("Practice app {service:04}");
        listing.services.push((format!("a{service}"), name));
    }
    for (place, country) in known.iter().enumerate() {
        let id = (place * UPSTREAMS + upstream).to_string();
        listing
            .countries
            .push((id.clone(), country.name.to_owned()));
        for service in 0..SERVICES {
            let spread = (place * 7919 + service * 104_729 + upstream * 31) % 900;
            listing.offers.push(NumberOffer {
                country: id.clone(),
                service: format!("a{service}"),
                pool: None,
                cost: Usd(20_000 + 100 * i64::try_from(spread).unwrap_or(0) + surcharge),
                available: u32::try_from(spread).ok(),
                success_rate: None,
            });
        }
    }
    listing
}

impl Lister {
    /// The upstream in this place.
    pub fn at(index: usize) -> Arc<Self> {
        Arc::new(Self {
            index,
            surcharge: AtomicI64::new(0),
            making: AtomicU64::new(0),
            capabilities: Capabilities::numbers(),
        })
    }

    /// From now on each of its offers costs so many micro-dollars more than at first.
    pub fn now_costs_more_by(&self, surcharge: i64) {
        self.surcharge.store(surcharge, Ordering::SeqCst);
    }

    /// Processor time that making its listings took since this was asked last.
    pub fn took_to_list(&self) -> Duration {
        Duration::from_nanos(self.making.swap(0, Ordering::SeqCst))
    }
}

impl NumberUpstream for Lister {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    fn buy<'a>(&'a self, _: &'a NumberRequest) -> Pending<'a, Reply<Purchase<Number>>> {
        nothing_sold()
    }
    fn status<'a>(&'a self, _: &'a str) -> Pending<'a, Result<NumberStatus, ReadFailure>> {
        Box::pin(ready(Err(ReadFailure::UnknownOrder)))
    }
    fn active(&self) -> Pending<'_, Result<Vec<ListedNumber>, ReadFailure>> {
        Box::pin(ready(Ok(Vec::new())))
    }
    fn cancel<'a>(&'a self, _: &'a str) -> Pending<'a, Reply<CancelReply>> {
        none_known()
    }
    fn finish<'a>(&'a self, _: &'a str) -> Pending<'a, Result<(), ReadFailure>> {
        Box::pin(ready(Ok(())))
    }
    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(ready(Ok(Usd::ZERO)))
    }
    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>> {
        let begun = processor();
        let listing = listing(self.index, self.surcharge.load(Ordering::SeqCst));
        let spent = u64::try_from((processor() - begun).as_nanos()).unwrap_or(0);
        self.making.fetch_add(spent, Ordering::SeqCst);
        Box::pin(ready(Ok(listing)))
    }
}

/// A panel that lists and does nothing else.
pub struct Panel(Capabilities);

impl Panel {
    /// A panel with so many services.
    pub fn large() -> Arc<Self> {
        Arc::new(Self(Capabilities::panel()))
    }
}

fn smm_service(place: u64) -> PanelService {
    let networks = ["Instagram", "YouTube", "TikTok", "Telegram", "Facebook"];
    let network = networks[usize::try_from(place).unwrap_or(0) % networks.len()];
    PanelService {
        id: (place + 1).to_string(),
        name: format!("{network} followers, kind {place}"),
        category: format!("{network} {}", place % 20),
        kind: Some("Default"),
        rate: Rate(10_000 + i64::try_from(place).unwrap_or(0)),
        min: 50,
        max: 10_000,
        refill: place.is_multiple_of(2),
        cancel: place.is_multiple_of(3),
        dripfeed: false,
    }
}

impl PanelUpstream for Panel {
    fn capabilities(&self) -> &Capabilities {
        &self.0
    }
    fn place<'a>(&'a self, _: &'a PanelRequest) -> Pending<'a, Reply<Purchase<String>>> {
        nothing_sold()
    }
    fn statuses<'a>(
        &'a self,
        _: &'a [String],
    ) -> Pending<'a, Result<Vec<PanelStatusRow>, ReadFailure>> {
        Box::pin(ready(Ok(Vec::new())))
    }
    fn orders(&self) -> Pending<'_, Result<Vec<ListedPanelOrder>, ReadFailure>> {
        Box::pin(ready(Ok(Vec::new())))
    }
    fn cancel<'a>(&'a self, _: &'a str) -> Pending<'a, Reply<CancelReply>> {
        none_known()
    }
    fn refill<'a>(&'a self, _: &'a str) -> Pending<'a, Reply<RefillReply>> {
        Box::pin(ready(Reply {
            outcome: RefillReply::Unknown,
            raw: String::new(),
        }))
    }
    fn refill_statuses<'a>(
        &'a self,
        _: &'a [String],
    ) -> Pending<'a, Result<Vec<RefillRow>, ReadFailure>> {
        Box::pin(ready(Ok(Vec::new())))
    }
    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(ready(Ok(Usd::ZERO)))
    }
    fn services(&self) -> Pending<'_, Result<Vec<PanelService>, ReadFailure>> {
        Box::pin(ready(Ok((0..SMM_SERVICES).map(smm_service).collect())))
    }
}
