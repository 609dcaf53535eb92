//! Refreshing the catalogue: one upstream's listing at a time, the last good one kept, one swap.

mod classify;
mod states;

pub use states::ListingState;

use crate::engine::Engine;
use domain::catalogue::{Catalogue, Intake, PanelListing, Shelf, SmmIds, SmmTrouble, Sources};
use domain::change::Write;
use domain::markup::Markups;
use domain::policy::OtpClass;
use domain::ports::StoreError;
use domain::time::{Millis, Timestamp};
use domain::upstream::{NumberListing, PanelService, ReadFailure};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Between two readings of a listing because of a purchase that it led astray.
const LIST_AGAIN: Millis = Millis::minutes(1);

/// A listing that lost much is taken over once so many readings in a row agree.
const READINGS_THAT_AGREE: u32 = 3;
/// Changes of one reading that go on record at most; how many more there were is logged.
const CHANGES_MAX: usize = 100_000;

/// Services that one upstream is believed to have; the largest have a tenth of it. Each is classified
/// and keeps an id for ever, so that a list of anything must not come in.
const SERVICES_MAX: usize = 50_000;
/// Countries that one upstream is believed to sell in.
const COUNTRIES_MAX: usize = 5_000;

/// Upstream, time of reading and listing.
type KeptNumbers = (String, Timestamp, NumberListing);

/// A listing that was kept over a restart.
enum Kept {
    Numbers(KeptNumbers),
    Panel(PanelListing),
}

/// What a panel sells.
#[derive(Debug)]
struct Services {
    read_at: Timestamp,
    list: Arc<Vec<PanelService>>,
}

#[derive(Debug, Default)]
struct LastGood {
    numbers: HashMap<String, Arc<Shelf>>,
    panels: HashMap<String, Services>,
    /// Public ids of panels' services, as they were last read from the store.
    smm_ids: SmmIds,
    /// Upstreams that were read since the start.
    read: HashSet<String>,
    /// Why the latest reading of an upstream was not taken over.
    troubles: BTreeMap<String, String>,
    /// Readings in a row that lost too much.
    losses: HashMap<String, u32>,
    /// What the operator classified while the program runs, by name of the service.
    classes: BTreeMap<String, OtpClass>,
}

/// The last good listing of every upstream.
#[derive(Debug, Default)]
pub(crate) struct Listings {
    last_good: Mutex<LastGood>,
    /// Held while a listing is taken in, so that none is compared with one that is being replaced.
    taking: tokio::sync::Mutex<()>,
}

impl Listings {
    fn last_good(&self) -> MutexGuard<'_, LastGood> {
        self.last_good
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a listing is read. Only those of its turn are far enough apart to agree on a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    OfItsTurn,
    Extra,
}

/// What one refresh came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Upstream.
    pub upstream: String,
    /// Offers taken over, or why the last good listing stays.
    pub outcome: Result<usize, String>,
}

impl Engine {
    /// Asks one upstream for its listing, swaps the catalogue and keeps the listing over a restart. A
    /// listing that fails, is empty or has suddenly lost much changes nothing.
    pub async fn refresh_upstream(&self, name: &str) -> Refreshed {
        let refreshed = self.take_listing(name, Reading::OfItsTurn).await;
        if refreshed.outcome.is_ok() {
            self.health.listed(name);
        }
        refreshed
    }

    /// An upstream does not sell what it lists: its listing is read anew, beside everything else and
    /// now and then only. What it refused stays closed until its next turn, if it is still listed.
    pub(crate) fn list_again(self: &Arc<Self>, name: &str) {
        let (now, what) = (self.now(), format!("listing of {name}"));
        if !self.watch.poll_is_due(&what, now) || !self.health.may_read(name, now) {
            return;
        }
        self.watch.poll_again_at(&what, now + LIST_AGAIN);
        let (engine, name) = (Arc::clone(self), name.to_owned());
        self.outside.tasks.spawn(Box::pin(async move {
            engine.take_listing(&name, Reading::Extra).await;
        }));
    }

    async fn take_listing(&self, name: &str, reading: Reading) -> Refreshed {
        let outcome = match (self.number_upstream(name), self.panel(name)) {
            (Some(upstream), _) => {
                self.take_numbers(name, upstream.listing().await, reading)
                    .await
            }
            (None, Some(panel)) => {
                self.take_services(name, panel.services().await, reading)
                    .await
            }
            (None, None) => Err("there is no upstream of this name".to_owned()),
        };
        match &outcome {
            Ok(offers) => {
                tracing::info!(
                    upstream = name,
                    offers,
                    "catalogue of {name}: {offers} offers"
                );
                self.note_success(name);
            }
            Err(why) => {
                tracing::warn!(
                    upstream = name,
                    why,
                    "catalogue of {name} kept as it was: {why}"
                );
                self.note_trouble(name, why);
            }
        }
        Refreshed {
            upstream: name.to_owned(),
            outcome,
        }
    }

    fn note_success(&self, name: &str) {
        let mut listings = self.listings.last_good();
        listings.read.insert(name.to_owned());
        listings.troubles.remove(name);
        listings.losses.remove(name);
    }

    fn note_trouble(&self, name: &str, why: &str) {
        let expired = {
            let mut listings = self.listings.last_good();
            listings.troubles.insert(name.to_owned(), why.to_owned());
            self.catalogue()
                .shelves()
                .any(|shelf| !self.is_fresh(shelf))
        };
        if expired {
            self.rebuild_catalogue();
        }
    }

    async fn take_numbers(
        &self,
        name: &str,
        listing: Result<NumberListing, ReadFailure>,
        reading: Reading,
    ) -> Result<usize, String> {
        let listing = listing.map_err(|failure| failure.to_string())?;
        if listing.offers.is_empty() {
            return Err("the listing holds no offers".to_owned());
        }
        believable("services", listing.services.len(), SERVICES_MAX)?;
        believable("countries", listing.countries.len(), COUNTRIES_MAX)?;
        let _taking = self.listings.taking.lock().await;
        let previous = self.listings.last_good().numbers.get(name).cloned();
        let (shelf, noted) = self
            .intake(name, listing, previous.clone(), self.now())
            .await?;
        if shelf.is_empty() {
            return Err("the listing holds nothing that could be sold".to_owned());
        }
        if let Some(previous) = previous {
            self.check_loss(name, (previous.len(), shelf.len()), reading)?;
        }
        let (count, shelf) = (shelf.len(), Arc::new(shelf));
        self.listings
            .last_good()
            .numbers
            .insert(name.to_owned(), shelf.clone());
        // sold before it is kept: what the archive shows is what customers see
        self.rebuild_catalogue();
        self.keep(name, shelf, noted).await;
        Ok(count)
    }

    /// A listing made compact, off the threads that answer requests.
    async fn intake(
        &self,
        name: &str,
        listing: NumberListing,
        previous: Option<Arc<Shelf>>,
        read_at: Timestamp,
    ) -> Result<(Shelf, Vec<domain::catalogue::CostChange>), String> {
        let (naming, rules) = (
            self.settings.catalogue.naming.clone(),
            self.rules_in_force(),
        );
        let (name, grace) = (name.to_owned(), self.settings.price_grace);
        self.compute(move || {
            Shelf::take(&Intake {
                upstream: &name,
                listing: &listing,
                naming: &naming,
                rules: &rules,
                previous: previous.as_deref(),
                read_at,
                grace,
            })
        })
        .await
        .ok_or_else(|| "the listing could not be worked on".to_owned())
    }

    /// Refuses a listing that has suddenly lost much, until several readings agree.
    fn check_loss(
        &self,
        name: &str,
        (before, after): (usize, usize),
        reading: Reading,
    ) -> Result<(), String> {
        let lost = before.saturating_sub(after);
        let most = before * self.settings.catalogue.largest_loss_percent as usize / 100;
        if lost <= most {
            return Ok(());
        }
        let mut listings = self.listings.last_good();
        let readings = listings.losses.entry(name.to_owned()).or_default();
        *readings += u32::from(reading == Reading::OfItsTurn);
        if *readings >= READINGS_THAT_AGREE {
            return Ok(());
        }
        Err(format!(
            "the listing has lost {lost} of {before} offers at once; it is taken over after \
             {READINGS_THAT_AGREE} readings in a row"
        ))
    }

    /// Keeps a listing over a restart and its changes on record. Failing to is no reason not to
    /// sell.
    async fn keep(
        &self,
        name: &str,
        shelf: Arc<Shelf>,
        mut changes: Vec<domain::catalogue::CostChange>,
    ) {
        let Some(archive) = self.outside.archive.clone() else {
            return;
        };
        if changes.len() > CHANGES_MAX {
            let more = changes.len() - CHANGES_MAX;
            tracing::warn!(
                upstream = name,
                more,
                "more costs changed than go on record"
            );
            changes.truncate(CHANGES_MAX);
        }
        let upstream = name.to_owned();
        let work = move || {
            archive.keep(&upstream, &shelf.encode())?;
            archive.note(&upstream, shelf.read_at(), &changes)
        };
        if let Some(Err(error)) = self.compute(work).await {
            tracing::warn!(upstream = name, %error, "the catalogue of {name} cannot be kept");
        }
    }

    /// Sells again from what was kept when the program stopped, as far as it is not too old.
    pub async fn restore_catalogue(&self) {
        let Some(archive) = self.outside.archive.clone() else {
            return;
        };
        let read = move || -> Result<_, StoreError> { Ok((archive.kept()?, archive.classes()?)) };
        let (kept, classes) = match self.compute(read).await {
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                tracing::warn!(%error, "what was kept of the catalogue cannot be read");
                return;
            }
            None => return,
        };
        self.listings.last_good().classes = classes.into_iter().collect();
        for bytes in kept {
            self.restore(bytes).await;
        }
        self.rebuild_catalogue();
    }

    async fn restore(&self, bytes: Vec<u8>) {
        let decode = move || match (Shelf::decode(&bytes), PanelListing::decode(&bytes)) {
            (Ok(numbers), _) => Some(Kept::Numbers(numbers)),
            (_, Ok(panel)) => Some(Kept::Panel(panel)),
            _ => None,
        };
        match self.compute(decode).await.flatten() {
            Some(Kept::Numbers(numbers)) => self.restore_numbers(numbers).await,
            Some(Kept::Panel(panel)) => self.restore_panel(panel).await,
            None => tracing::warn!("a kept catalogue is of another form and is left out"),
        }
    }

    async fn restore_panel(&self, kept: PanelListing) {
        let name = &kept.upstream;
        let old = self.now() >= kept.read_at + self.settings.catalogue.lifetime;
        if old || self.panel(name).is_none() {
            return;
        }
        let ids = match self.number_services(name, &kept.services).await {
            Ok(ids) => ids,
            Err(why) => {
                tracing::warn!(
                    upstream = name,
                    why,
                    "the kept services of {name} wait: {why}"
                );
                return;
            }
        };
        let services = Services {
            read_at: kept.read_at,
            list: Arc::new(kept.services),
        };
        let mut listings = self.listings.last_good();
        if !listings.panels.contains_key(name) {
            listings.panels.insert(kept.upstream, services);
            listings.smm_ids = ids;
        }
    }

    async fn restore_numbers(&self, (name, read_at, listing): KeptNumbers) {
        if self.number_upstream(&name).is_none() {
            return;
        }
        if let Ok((shelf, _)) = self.intake(&name, listing, None, read_at).await {
            let mut listings = self.listings.last_good();
            listings
                .numbers
                .entry(name)
                .or_insert_with(|| Arc::new(shelf));
        }
    }

    async fn take_services(
        &self,
        name: &str,
        services: Result<Vec<PanelService>, ReadFailure>,
        reading: Reading,
    ) -> Result<usize, String> {
        let services = services.map_err(|failure| failure.to_string())?;
        if services.is_empty() {
            return Err("the list holds no services".to_owned());
        }
        believable("services", services.len(), SERVICES_MAX)?;
        let _taking = self.listings.taking.lock().await;
        let before = {
            let listings = self.listings.last_good();
            listings.panels.get(name).map(|last| last.list.len())
        };
        if let Some(before) = before {
            self.check_loss(name, (before, services.len()), reading)?;
        }
        let ids = self.number_services(name, &services).await?;
        let (count, list, read_at) = (services.len(), Arc::new(services), self.now());
        {
            let mut listings = self.listings.last_good();
            let list = Arc::clone(&list);
            let services = Services { read_at, list };
            listings.panels.insert(name.to_owned(), services);
            listings.smm_ids = ids;
        }
        self.rebuild_catalogue();
        self.keep_services(name, list, read_at).await;
        Ok(count)
    }

    /// Keeps a panel's list over a restart: without it nobody knows what its orders offer, nor what
    /// is sold, until the panel is read again.
    async fn keep_services(&self, name: &str, list: Arc<Vec<PanelService>>, read_at: Timestamp) {
        let Some(archive) = self.outside.archive.clone() else {
            return;
        };
        let upstream = name.to_owned();
        let work = move || {
            let bytes = PanelListing::encode(&upstream, read_at, &list);
            archive.keep(&upstream, &bytes)
        };
        if let Some(Err(error)) = self.compute(work).await {
            tracing::warn!(upstream = name, %error, "the services of {name} cannot be kept");
        }
    }

    /// Public ids of a panel's services: the ones that were given, and new ones for the rest. A
    /// service without a stored id is not sold, since the next start would give it another one.
    async fn number_services(
        &self,
        name: &str,
        services: &[PanelService],
    ) -> Result<SmmIds, String> {
        let given = self.store().smm_service_ids().await;
        let mut ids = SmmIds::new(given.map_err(|error| error.to_string())?);
        let fresh = ids.give_missing(name, services, &self.settings.catalogue.smm);
        let writes = fresh
            .into_iter()
            .map(|(id, upstream, service)| Write::NumberSmmService {
                id,
                upstream,
                service,
            });
        let writes: Vec<Write> = writes.collect();
        if writes.is_empty() {
            return Ok(ids);
        }
        match self.commit("number_services", writes).await {
            Ok(()) => Ok(ids),
            Err(_) => Err("its new services could not be given ids".to_owned()),
        }
    }

    fn is_fresh(&self, shelf: &Shelf) -> bool {
        self.now() < shelf.read_at() + self.settings.catalogue.lifetime
    }

    /// Sells by other markup rules from here on. A price that was shown is honoured as after any
    /// other change.
    pub fn set_markups(&self, markups: Markups) {
        self.markups.store(Arc::new(markups));
        self.rebuild_catalogue();
    }

    /// Puts the last good listings together and swaps them in. The lock over the listings also
    /// keeps two rebuilds from overtaking each other.
    fn rebuild_catalogue(&self) {
        let listings = self.listings.last_good();
        let panels: Vec<_> = self
            .panels()
            .filter_map(|name| Some((name.to_owned(), listings.panels.get(name)?.list.clone())))
            .collect();
        let fresh = listings.numbers.iter().filter(|(name, shelf)| {
            let fresh = self.is_fresh(shelf);
            if !fresh {
                tracing::warn!(
                    upstream = name,
                    "the catalogue of {name} is too old to sell from"
                );
            }
            fresh
        });
        let numbers: HashMap<_, _> = fresh
            .map(|(name, shelf)| (name.clone(), shelf.clone()))
            .collect();
        let sources = Sources {
            servers: &self.settings.servers,
            numbers: &numbers,
            panels_read: panels.len() == self.outside.panels.len(),
            panels: &panels,
            smm_ids: &listings.smm_ids,
            smm: &self.settings.catalogue.smm,
            markups: &self.markups.load_full(),
            rules: &self.settings.rules,
        };
        let previous = self.catalogue();
        let next = Catalogue::build(&sources, &previous);
        tell_of_services(&previous, &next);
        self.catalogue.store(Arc::new(next));
    }

    /// Runs work that keeps a processor busy; nothing where it was cut short.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = std::sync::mpsc::channel();
        let work = move || {
            // nobody waits any more: the result is not needed either
            let _ = answer.send(work());
        };
        self.outside.tasks.compute(Box::new(work)).await;
        answered.try_recv().ok()
    }
}

/// Refuses a list that is longer than any honest one.
fn believable(what: &str, count: usize, most: usize) -> Result<(), String> {
    match count <= most {
        true => Ok(()),
        false => Err(format!(
            "{count} {what} are listed; more than {most} are not believed"
        )),
    }
}

/// What a refresh has changed for SMM services that the operator should know of.
fn tell_of_services(previous: &Catalogue, next: &Catalogue) {
    let known = previous.smm_notes();
    let fresh = next.smm_notes().iter();
    // what was never sold is no news; the statistics of the catalogue name it
    let news = fresh.filter(|note| note.trouble != SmmTrouble::UnknownType);
    for note in news.filter(|note| !known.contains(note)) {
        let (upstream, listed) = match &note.source {
            Some((upstream, listed)) => (&**upstream, &**listed),
            None => ("", ""),
        };
        tracing::warn!(
            service = &*note.service,
            upstream,
            upstream.service = listed,
            trouble = note.trouble.slug(),
            "SMM service {}: {}",
            note.service,
            note.trouble.slug()
        );
    }
}
