//! What the books say of our money at upstreams.

use domain::activation::{Activation, ActivationState};
use domain::attempt::AttemptState;
use domain::balance::{BalanceReading, LATE, Position, Suspects};
use domain::books::HouseLeg;
use domain::ledger::{Book, Cause};
use domain::orphan::OrphanState;
use domain::smm_order::{SmmOrder, SmmState};
use domain::time::Timestamp;
use domain::upstream::Progress;
use domain::usd::Usd;

use super::rows::{Event, Rows};

fn cost(row: &Activation) -> i64 {
    row.cost.unwrap_or(row.cost_quote).0
}

/// What of an activation is under way, and what is in doubt.
fn of_number(row: &Activation) -> (i64, i64) {
    use ActivationState as S;
    match row.state {
        S::Active => (cost(row), 0),
        S::Calling | S::InDoubt | S::Undo | S::CancelRequested => (0, cost(row)),
        _ => (0, 0),
    }
}

/// The same of an SMM order.
fn of_order(row: &SmmOrder) -> (i64, i64) {
    use SmmState as S;
    let quoted = row.cost_quote.0;
    let charged = row.charge.map(|charge| charge.0);
    match row.state {
        S::Active if row.candidate.is_none() => (charged.unwrap_or(quoted), 0),
        S::Calling | S::InDoubt | S::Undo | S::Review | S::Active => {
            (0, quoted.max(charged.unwrap_or(0)))
        }
        _ => (0, 0),
    }
}

impl Rows {
    /// What the books say, all of it summed anew.
    pub(super) fn position(&self, upstream: &str) -> Position {
        let numbers = self.activations.values();
        let numbers = numbers
            .filter(|row| row.upstream == upstream && row.due_at.is_some())
            .map(of_number);
        let orders = self.smm_orders.values();
        let orders = orders
            .filter(|row| row.upstream == upstream && row.due_at.is_some())
            .map(of_order);
        let (mut in_flight, mut in_doubt) = (0, 0);
        for (taken, doubtful) in numbers.chain(orders) {
            in_flight += taken;
            in_doubt += doubtful;
        }
        let orphans = self.orphans.values();
        let orphans = orphans.filter(|row| {
            row.upstream == upstream && row.state == OrphanState::Open && row.due_at.is_some()
        });
        Position {
            last: self
                .readings
                .get(upstream)
                .and_then(|all| all.last())
                .cloned(),
            journal_id: i64::try_from(self.journal.len()).unwrap_or(i64::MAX),
            prepaid: Usd(self.prepaid(upstream, self.journal.len())),
            in_flight: Usd(in_flight),
            in_doubt: Usd(in_doubt),
            in_orphans: Usd(orphans.map(|row| row.cost.0).sum()),
        }
    }

    /// The prepaid account after the first `events` events.
    pub(super) fn prepaid(&self, upstream: &str, events: usize) -> i64 {
        let legs = self
            .journal
            .iter()
            .take(events)
            .flat_map(|event| &event.legs);
        legs.filter(|(leg, _)| matches!(&leg.book, Book::Prepaid(of) if of == upstream))
            .map(|(leg, _)| leg.amount.0)
            .sum()
    }

    /// What may stand behind a difference that arose after `since`.
    pub(super) fn suspects(&self, upstream: &str, since: Timestamp) -> Suspects {
        let resolved = |id| {
            let hold = self.holds.get(id)?;
            hold.resolution.filter(|(.., at)| *at > since)
        };
        let numbers = self.activations.values().filter(|row| {
            let cancelled = row.state == ActivationState::Cancelled && row.upstream_id.is_some();
            let late = row.late_code_at.is_some_and(|at| at > since);
            row.upstream == upstream && cancelled && (late || resolved(&row.id).is_some())
        });
        let orders = self.smm_orders.values().filter(|row| {
            let released = resolved(&row.id).is_some_and(|(_, back, ..)| back > Usd::ZERO);
            row.upstream == upstream && row.upstream_id.is_some() && released
        });
        let returned = |id: i64| {
            let mut events = self.journal.iter();
            events.any(|event| event.cause == Cause::OrphanEnd(id) && event.at > since)
        };
        let orphans = self.orphans.values().filter(|row| {
            row.upstream == upstream && row.state == OrphanState::Returned && returned(row.id)
        });
        let released = numbers.map(cost).sum::<i64>()
            + orders.map(|row| row.cost_quote.0).sum::<i64>()
            + orphans.map(|row| row.cost.0).sum::<i64>();
        let open = |one: &&domain::ticket::Ticket| {
            one.upstream == upstream && one.closed_at.is_none() && one.kind.is_missing_money()
        };
        Suspects {
            released: Usd(released),
            given_up: self.given_up(upstream, since - LATE),
            kept: self.tickets.values().filter(open).cloned().collect(),
            retakable: self.retakable(upstream),
            booked: self.readings_of(upstream).any(|one| {
                let booked = one.booked != Usd::ZERO;
                booked && one.at > since
            }),
        }
    }

    fn readings_of(&self, upstream: &str) -> impl DoubleEndedIterator<Item = &BalanceReading> {
        self.readings.get(upstream).into_iter().flatten()
    }

    /// What SMM orders that are watched were charged less than quoted. One that is complete has
    /// nothing left to be charged for.
    fn retakable(&self, upstream: &str) -> Usd {
        let watched = self.smm_orders.values().filter(|row| {
            let over = matches!(row.state, SmmState::Resolved | SmmState::Failed);
            row.upstream == upstream && row.due_at.is_some() && over
        });
        let left = watched.filter(|row| row.progress != Progress::Completed);
        let left = left.map(|row| row.cost_quote.0 - row.charge.map_or(0, |charge| charge.0));
        Usd(left.map(|left| left.max(0)).sum())
    }

    /// When the newest reading before `at` was made, if it left no difference.
    pub(super) fn settled_before(&self, upstream: &str, at: Timestamp) -> Option<Timestamp> {
        let last = self.readings_of(upstream).rev().find(|one| one.at < at)?;
        (last.clean_at == last.at).then_some(last.at)
    }

    /// Costs of purchases that were given up without proof.
    fn given_up(&self, upstream: &str, since: Timestamp) -> Vec<Usd> {
        let given_up = self.attempts.values().filter(|one| {
            let silent = matches!(one.state, AttemptState::LatePossible | AttemptState::Absent);
            one.upstream == upstream && silent && one.ended_at.is_some_and(|at| at > since)
        });
        let cost = given_up.filter_map(|one| {
            let number = self.activations.get(&one.order).map(|row| row.cost_quote);
            number.or(self.smm_orders.get(&one.order).map(|row| row.cost_quote))
        });
        cost.collect()
    }

    /// Every event that moved money at an upstream. A leg of the house alone is about the upstream
    /// of its neighbours.
    pub(super) fn house_events(&self, from: Timestamp, until: Timestamp) -> Vec<Vec<HouseLeg>> {
        let within = |event: &&Event| {
            let kind = event.cause.parts().0;
            let house = ["upstream_cost", "orphan_cost", "orphan_end", "balance"];
            event.at >= from && event.at < until && house.contains(&kind)
        };
        let legs = |event: &Event| {
            let mut names = event.legs.iter().filter_map(|(leg, _)| leg.book.upstream());
            let upstream = names.next().unwrap_or_default().to_owned();
            let leg = |(leg, _): &(domain::ledger::Posting, _)| HouseLeg {
                at: event.at,
                upstream: upstream.clone(),
                book: leg.book.clone(),
                amount: leg.amount,
            };
            event.legs.iter().map(leg).collect::<Vec<_>>()
        };
        let events = self.journal.iter().filter(within).map(legs);
        events.filter(|legs| !legs.is_empty()).collect()
    }
}
