//! Purchases whose outcome is unknown: settled by the upstream's own list, or by the end of their
//! window. Nothing is sent again, nothing is guessed: while no number was shown to anybody, equal
//! purchases in doubt are interchangeable, so the oldest takes the first candidate.

use crate::buy_number::fits;
use crate::engine::Engine;
use crate::watch::Sighting;
use domain::activation::{Activation, ActivationState};
use domain::attempt::AttemptState;
use domain::change::{CommitError, Refused, Write};
use domain::ids::OrderId;
use domain::matching::spare_until;
use domain::mutant::lacks_rule;
use domain::orphan::{Orphan, OrphanState};
use domain::ports::StoreError;
use domain::time::{Millis, Timestamp};
use domain::upstream::{ListedNumber, Number};
use domain::usd::Usd;
use std::collections::HashMap;

/// Clocks of an upstream and of this machine may differ by this much.
pub(crate) const SKEW: Millis = Millis::minutes(2);

impl Engine {
    /// Settles what is in doubt at an upstream from one list of its active numbers.
    pub(crate) async fn settle_by_list(
        &self,
        name: &str,
        in_doubt: Vec<Activation>,
        listed: &[ListedNumber],
        asked_at: Timestamp,
    ) {
        // before the links are read: a call that ends in between has its link then
        let heard_at = self.now();
        let calls = in_doubt.iter().map(|one| {
            let begun = self.watch.calls(name, &one.wanted);
            (one.id, begun)
        });
        let calls: HashMap<OrderId, Vec<Timestamp>> = calls.collect();
        let ids: Vec<String> = listed.iter().map(|row| row.id.clone()).collect();
        let Ok(linked) = self.store().linked(name, &ids).await else {
            return;
        };
        let strangers: Vec<&ListedNumber> = listed
            .iter()
            .filter(|row| !linked.contains(&row.id))
            .collect();
        let mut strangers = self.sighted(name, strangers, (asked_at, heard_at));
        let mut open = Vec::new();
        for activation in in_doubt {
            let begun = calls.get(&activation.id).map_or(&[][..], Vec::as_slice);
            match choose(&activation, &strangers, begun) {
                Choice::Take(place) => {
                    let stranger = strangers.remove(place);
                    let row = stranger.row;
                    let clean =
                        row.sms.is_none() && !self.may_have_been_shown(stranger.made_after());
                    if let Some(number) = number_of(row) {
                        self.link(activation, &number, clean).await;
                    }
                }
                // those calls end within their timeout: the list after that decides
                Choice::Wait if !lacks_rule(50) => open.push(activation),
                Choice::Wait | Choice::Nothing => {
                    self.release_if_over(activation.clone(), AttemptState::Absent, asked_at)
                        .await;
                    open.push(activation);
                }
            }
        }
        self.adopt_orphans(name, &strangers, &open, asked_at).await;
    }

    /// Without a list only the end of the window settles a purchase.
    pub(crate) async fn settle_alone(&self, activation: Activation, now: Timestamp) {
        let lists = self
            .number_upstream(&activation.upstream)
            .is_some_and(|upstream| upstream.capabilities().list_active);
        if !lists
            && self
                .release_if_over(activation.clone(), AttemptState::LatePossible, now)
                .await
        {
            return;
        }
        // the list does the work; this row only has to stay in sight
        self.put_off("still_in_doubt", activation).await;
    }

    /// Releases a purchase whose window is over. The window must also have passed while this
    /// process was watching, so that a machine's clock that jumped while nothing ran ends nothing.
    async fn release_if_over(
        &self,
        activation: Activation,
        state: AttemptState,
        seen_at: Timestamp,
    ) -> bool {
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let over = activation
            .in_doubt_until
            .is_some_and(|until| until <= seen_at);
        let watched = seen_at - self.watching_since() >= plan.in_doubt_window
            || activation.created_at >= self.watching_since();
        let over = (over && watched) || lacks_rule(9);
        over && self.step("absent", self.not_found(activation, state)).await
    }

    /// Gives whether that is decided: not where the storage did not answer, or somebody moved the row.
    async fn link(&self, activation: Activation, number: &Number, clean: bool) -> bool {
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let now = self.now();
        let writes = activation.clone().linked(number, clean, &plan, now);
        self.compare_with_quote(&activation, number);
        let mut outcome = self.commit("linked", writes).await;
        if let Err(CommitError::Refused(Refused::NumberTaken)) = outcome {
            let writes = activation.linked(number, false, &plan, now);
            outcome = self.commit("quarantine", writes).await;
        }
        is_decided(&outcome)
    }

    /// An answer that could not be stored when it came names the activation exactly: evidence, if its
    /// order is still open.
    pub(crate) async fn offer_evidence(&self, called: &Activation, number: &Number) -> bool {
        let current = match self.store().activation(called.id).await {
            Ok(Some(current)) => current,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let open = matches!(
            current.state,
            ActivationState::Calling | ActivationState::InDoubt
        );
        let same_call = current.attempt == called.attempt;
        if same_call && open && fits(&current, number) {
            return self.link(current, number, true).await;
        }
        true
    }

    /// Rows without an order, in the order in which they were made as far as that is told.
    fn sighted<'a>(
        &self,
        upstream: &str,
        mut rows: Vec<&'a ListedNumber>,
        times: (Timestamp, Timestamp),
    ) -> Vec<Stranger<'a>> {
        rows.sort_by_key(|row| (row.created_at, row.id.len(), row.id.clone()));
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let lag = self.list_lag(upstream);
        let sightings = self.watch.strangers(upstream, &ids, lag, times);
        let pairs = rows.into_iter().zip(sightings);
        pairs.map(|(row, seen)| Stranger { row, seen }).collect()
    }

    /// What is listed, unlinked and wanted by no purchase of ours for long enough is an orphan:
    /// made twice by the upstream, or processed after its window. It is cancelled there, unless it
    /// may be older than our purchases: then it may be somebody else's.
    async fn adopt_orphans(
        &self,
        name: &str,
        strangers: &[Stranger<'_>],
        open: &[Activation],
        now: Timestamp,
    ) {
        if lacks_rule(7) {
            return;
        }
        let settled = strangers.iter().filter(|stranger| {
            let service = &stranger.row.service;
            let wanted = |activation: &Activation| activation.wanted.service_id == *service;
            now - stranger.seen.since >= self.settings.orphan_after && !open.iter().any(wanted)
        });
        let settled: Vec<&Stranger<'_>> = settled.collect();
        let Ok(known_at) = self.list_known_at(name).await else {
            return;
        };
        let to_be_known = strangers.is_empty() && known_at.is_none();
        if settled.is_empty() && !to_be_known {
            return;
        }
        let Ok(first_purchase) = self.store().first_attempt_at(name).await else {
            return;
        };
        let lag = self.list_lag(name);
        // what our first purchase made is on it
        if to_be_known && first_purchase.is_some_and(|at| at <= now - lag) {
            self.know_list(name, now).await;
        }
        let known_at = known_at.filter(|_| !lacks_rule(59));
        for stranger in settled {
            // an older list may show what had ended when that one was asked for
            let later = known_at.filter(|at| stranger.seen.since > *at + lag);
            let made_after = stranger.made_after().or(later.map(|at| at - lag));
            let foreign = match (made_after, first_purchase) {
                (Some(made_after), Some(first)) => made_after < first - SKEW,
                (None, Some(_)) => !lacks_rule(45),
                (_, None) => true,
            };
            self.found_orphan(name, stranger.row, foreign, now).await;
        }
    }

    /// When everything on an upstream's list was last known to be ours. What a list of before a restore
    /// says is nothing of the time that was lost.
    async fn list_known_at(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        if let Some(known_at) = self.watch.list_known_at(name) {
            return Ok(Some(known_at));
        }
        let stored = self.store().list_known_at(name).await?;
        let known_at = stored.filter(|at| !self.predates_restoration(*at));
        if let Some(known_at) = known_at {
            self.watch.knows_list(name, known_at);
        }
        Ok(known_at)
    }

    /// Notes, once, that an upstream lists nothing that is not ours: what it lists later was made since,
    /// as every process after this one knows.
    async fn know_list(&self, name: &str, asked_at: Timestamp) {
        let upstream = name.to_owned();
        self.step("list_known", vec![Write::KnowList { upstream, asked_at }])
            .await;
    }

    /// What was made is on an upstream's list after this at the latest.
    fn list_lag(&self, name: &str) -> Millis {
        let upstream = self.number_upstream(name);
        upstream.map_or(Millis(0), |one| one.capabilities().list_lag)
    }

    async fn found_orphan(
        &self,
        upstream: &str,
        row: &ListedNumber,
        foreign: bool,
        now: Timestamp,
    ) {
        let state = if foreign {
            OrphanState::Foreign
        } else {
            OrphanState::Open
        };
        tracing::error!(
            upstream,
            upstream.id = row.id,
            foreign,
            "upstream {upstream} lists {} without an order of ours",
            row.id
        );
        let orphan = Orphan {
            id: self.outside.store.next_row_id(),
            version: 0,
            upstream: upstream.to_owned(),
            upstream_id: row.id.clone(),
            state,
            cost: row.cost.unwrap_or(Usd::ZERO),
            found_at: now,
            due_at: (!foreign).then_some(now),
            tries: 0,
            cancel_answered: false,
        };
        let ticket = self.outside.store.next_row_id();
        self.step("orphan_found", orphan.found(ticket)).await;
    }
}

/// Whether a commit need not be tried again.
pub(crate) fn is_decided(outcome: &Result<(), CommitError>) -> bool {
    let again = |error: &CommitError| {
        let moved = CommitError::Refused(Refused::Stale);
        *error == moved || matches!(error, CommitError::Storage(_))
    };
    !outcome.as_ref().is_err_and(again)
}

/// A listed activation without an order.
struct Stranger<'a> {
    row: &'a ListedNumber,
    seen: Sighting,
}

impl Stranger<'_> {
    /// It was made then or later, as far as the upstream tells or this process saw.
    fn made_after(&self) -> Option<Timestamp> {
        self.row.created_at.or(self.seen.made_after)
    }
}

/// What a list says of one purchase in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// The row at this place is taken for it.
    Take(usize),
    /// Rows fit, but running calls may have made all of them.
    Wait,
    /// No row fits.
    Nothing,
}

/// The oldest row that fits and that no call under way (sent at these moments) can have made, or
/// that they cannot all have made. What fits is never passed over for good.
fn choose(activation: &Activation, strangers: &[Stranger<'_>], begun: &[Timestamp]) -> Choice {
    let fitting = || {
        let rows = strangers.iter().enumerate();
        rows.filter(|(_, stranger)| is_candidate(activation, stranger))
    };
    let made_before: Vec<Timestamp> = fitting().map(|(_, one)| one.seen.made_before).collect();
    if made_before.is_empty() {
        return Choice::Nothing;
    }
    let Some(until) = spare_until(&made_before, begun) else {
        return Choice::Wait;
    };
    let oldest = fitting().find(|(_, one)| one.seen.made_before <= until);
    oldest.map_or(Choice::Wait, |(place, _)| Choice::Take(place))
}

/// Whether a listed activation can be the one this purchase made: same service and country, a
/// number of that country, created while the purchase could have been processed.
fn is_candidate(activation: &Activation, stranger: &Stranger<'_>) -> bool {
    let row = stranger.row;
    let in_window = lacks_rule(16)
        || (row.created_at.is_none() && stranger.seen.since >= activation.created_at)
        || row.created_at.is_some_and(|created_at| {
            created_at >= activation.created_at - SKEW
                && activation
                    .in_doubt_until
                    .is_none_or(|until| created_at <= until + SKEW)
        });
    row.service == activation.wanted.service_id
        && row
            .country
            .as_deref()
            .is_none_or(|country| country == activation.wanted.country_id)
        && number_of(row).is_some_and(|number| fits(activation, &number))
        && in_window
}

/// The number of a row, where the list names one.
fn number_of(row: &ListedNumber) -> Option<Number> {
    Some(Number {
        id: row.id.clone(),
        phone: row.phone.clone()?,
        cost: row.cost,
        lifetime: None,
        cancel_after: None,
    })
}
