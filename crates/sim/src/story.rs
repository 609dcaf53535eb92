//! What a panel says of one order over time, and what it keeps of our money.

use crate::random::Random;
use domain::time::{Millis, Timestamp};
use domain::upstream::{PanelStatus, Progress};
use domain::usd::Usd;

/// What every order is said to start at.
pub const START_COUNT: i64 = 12;

/// The kinds of story; each is a case of the refund table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plot {
    /// Delivered in full.
    Completed,
    /// Part delivered.
    Partial,
    /// Nothing delivered, money back.
    Canceled,
    /// `Canceled`, but part was delivered and paid for.
    CanceledInPart,
    /// Undelivered units above the quantity; then the truth.
    TooManyRemain,
    /// The same, for ever.
    TooManyRemainForEver,
    /// `Completed`, with undelivered units above the quantity; then the truth.
    CompletedTooManyRemain,
    /// `Canceled`, with undelivered units above the quantity and money kept; then the truth.
    CanceledTooManyRemain,
    /// Undelivered units above the quantity, and nothing kept.
    TooManyRemainFree,
    /// Undelivered units below zero.
    NegativeRemains,
    /// Undelivered units missing for a while.
    RemainsMissing,
    /// The same, for ever.
    RemainsMissingForEver,
    /// The figure changes before it is confirmed.
    ChangesEarly,
    /// More goes back after the resolution.
    MoreBackLater,
    /// Completed, later partial.
    PartialAfterCompleted,
    /// Partial, later in progress and completed.
    CompletedAfterPartial,
    /// A word that nobody knows.
    UnknownWord,
    /// The id is not known for a while.
    NotFound,
    /// In progress, then pending again.
    Regression,
    /// The count at the start moves after delivery began.
    StartCountMoves,
}

/// Plots with their names in the coverage table.
pub const PLOTS: [(u64, Plot, &str); 20] = [
    (8, Plot::Completed, "completed"),
    (5, Plot::Partial, "partial"),
    (4, Plot::Canceled, "canceled"),
    (2, Plot::CanceledInPart, "canceled, part kept"),
    (2, Plot::TooManyRemain, "remains above quantity, then right"),
    (
        1,
        Plot::TooManyRemainForEver,
        "remains above quantity for ever",
    ),
    (
        2,
        Plot::CompletedTooManyRemain,
        "completed, remains above quantity",
    ),
    (
        2,
        Plot::CanceledTooManyRemain,
        "canceled, remains above quantity",
    ),
    (2, Plot::TooManyRemainFree, "remains above quantity, free"),
    (2, Plot::NegativeRemains, "remains negative"),
    (2, Plot::RemainsMissing, "remains missing"),
    (2, Plot::RemainsMissingForEver, "remains missing for ever"),
    (2, Plot::ChangesEarly, "figure changes before confirmation"),
    (3, Plot::MoreBackLater, "more back after resolution"),
    (2, Plot::PartialAfterCompleted, "partial after completed"),
    (2, Plot::CompletedAfterPartial, "completed after partial"),
    (2, Plot::UnknownWord, "unknown word"),
    (2, Plot::NotFound, "id not found for a while"),
    (2, Plot::Regression, "regression"),
    (2, Plot::StartCountMoves, "start count moves"),
];

impl Plot {
    /// Its name in the coverage table.
    pub fn name(self) -> &'static str {
        let known = PLOTS.iter().find(|(_, plot, _)| *plot == self);
        known.map_or("completed", |(_, _, name)| name)
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Story {
    /// Which case it is.
    pub plot: Plot,
    /// From when on what is said (nothing: the id is not known), and what is kept.
    steps: Vec<(Timestamp, Option<PanelStatus>, Usd)>,
    /// Whether the panel says what it charges.
    pub tells_charge: bool,
}

impl Story {
    /// Draws one.
    pub fn draw(
        random: &mut Random,
        faults: bool,
        (flat, quantity): (bool, u64),
        cost: Usd,
        now: Timestamp,
    ) -> Self {
        let plots: Vec<(u64, Plot)> = PLOTS
            .iter()
            .map(|(weight, plot, _)| (*weight, *plot))
            .collect();
        let plot = match random.weighted(&plots) {
            _ if !faults => Plot::Completed,
            Plot::Completed
            | Plot::Canceled
            | Plot::NotFound
            | Plot::UnknownWord
            | Plot::Regression
                if flat =>
            {
                random.weighted(&[(1, Plot::Completed), (1, Plot::Canceled)])
            }
            _ if flat => Plot::Completed,
            drawn => drawn,
        };
        let story = Self {
            tells_charge: random.chance(850),
            ..Self::of(plot)
        };
        let begin = now + Millis(random.between(1_000, 40_000));
        let end = begin + Millis(random.between(5_000, 400_000));
        let left = i64::try_from(random.below(usize::try_from(quantity).unwrap_or(1))).unwrap_or(0);
        let units = (i64::try_from(quantity).unwrap_or(1), left);
        story.told(units, cost, (now, begin, end))
    }

    /// A plot without its turns.
    pub fn of(plot: Plot) -> Self {
        Self {
            plot,
            steps: Vec::new(),
            tells_charge: true,
        }
    }

    /// The story of so many units, of which some are left at its turn, with the moments when it is
    /// made, begins and ends.
    pub fn told(
        mut self,
        units: (i64, i64),
        cost: Usd,
        (now, begin, end): (Timestamp, Timestamp, Timestamp),
    ) -> Self {
        self.say(now, "Pending", None, cost);
        self.say(begin, "In progress", None, cost);
        self.tell(self.plot, end, units, cost);
        self
    }

    fn tell(&mut self, plot: Plot, end: Timestamp, (quantity, left): (i64, i64), cost: Usd) {
        let soon = end + Millis::seconds(200);
        let later = end + Millis::minutes(12);
        let share = |left: i64| Usd(cost.0 * (quantity - left) / quantity);
        match plot {
            Plot::Completed => self.say(end, "Completed", Some(0), cost),
            Plot::Partial => self.say(end, "Partial", Some(left), share(left)),
            Plot::Canceled => self.say(end, "Canceled", Some(quantity), Usd::ZERO),
            Plot::CanceledInPart => self.say(end, "Canceled", Some(left), share(left)),
            Plot::TooManyRemain => {
                self.say(end, "Partial", Some(quantity + 5), cost);
                self.say(soon, "Partial", Some(left), share(left));
            }
            Plot::TooManyRemainForEver => self.say(end, "Partial", Some(quantity + 5), cost),
            Plot::CompletedTooManyRemain => {
                self.say(end, "Completed", Some(quantity + 5), cost);
                self.say(soon, "Completed", Some(0), cost);
            }
            Plot::CanceledTooManyRemain => {
                self.say(end, "Canceled", Some(quantity + 5), share(left));
                self.say(soon, "Canceled", Some(quantity), Usd::ZERO);
            }
            Plot::TooManyRemainFree => self.say(end, "Partial", Some(quantity + 5), Usd::ZERO),
            Plot::RemainsMissingForEver => self.say(end, "Partial", None, share(left)),
            Plot::NegativeRemains => self.say(end, "Partial", Some(-7), cost),
            Plot::RemainsMissing => {
                self.say(end, "Partial", None, share(left));
                self.say(soon, "Partial", Some(left), share(left));
            }
            Plot::ChangesEarly => {
                self.say(end, "Partial", Some(left), share(left));
                self.say(
                    end + Millis::seconds(45),
                    "Partial",
                    Some(left / 2),
                    share(left / 2),
                );
            }
            Plot::MoreBackLater => {
                self.say(end, "Partial", Some(left / 2), share(left / 2));
                self.say(later, "Partial", Some(left), share(left));
            }
            Plot::PartialAfterCompleted => {
                self.say(end, "Completed", Some(0), cost);
                self.say(later, "Partial", Some(left), share(left));
            }
            Plot::CompletedAfterPartial => {
                self.say(end, "Partial", Some(left), share(left));
                self.say(later, "In progress", Some(left), cost);
                self.say(later + Millis::seconds(90), "Completed", Some(0), cost);
            }
            Plot::UnknownWord => {
                self.say(end, "Wird bearbeitet", None, cost);
                self.say(soon, "Completed", Some(0), cost);
            }
            Plot::NotFound => {
                self.steps.push((end, None, cost));
                self.say(soon, "Completed", Some(0), cost);
            }
            Plot::Regression => {
                self.say(end, "Pending", None, cost);
                self.say(soon, "Completed", Some(0), cost);
            }
            Plot::StartCountMoves => {
                self.say(end, "In progress", Some(quantity), cost);
                self.say(soon, "Partial", Some(left), share(left));
                self.start_moves(end);
            }
        }
    }

    fn start_moves(&mut self, at: Timestamp) {
        for (from, status, _) in &mut self.steps {
            if let Some(status) = status.as_mut().filter(|_| *from >= at) {
                status.start_count = Some(48_000);
            }
        }
    }

    fn say(&mut self, from: Timestamp, word: &str, remains: Option<i64>, kept: Usd) {
        let mut status = Self::plain_status(word);
        status.remains = remains;
        status.charge = self.tells_charge.then_some(kept);
        self.steps.push((from, Some(status), kept));
    }

    /// A status of one word.
    pub fn plain_status(word: &str) -> PanelStatus {
        PanelStatus {
            progress: Progress::from_word(word),
            raw_status: word.to_owned(),
            remains: None,
            start_count: Some(START_COUNT),
            charge: None,
            children: Vec::new(),
            child_ids: Vec::new(),
        }
    }

    fn step_at(&self, now: Timestamp) -> Option<&(Timestamp, Option<PanelStatus>, Usd)> {
        self.steps.iter().rfind(|(from, ..)| *from <= now)
    }

    /// What it says now; nothing where it does not know the id.
    pub fn status_at(&self, now: Timestamp) -> Option<PanelStatus> {
        self.step_at(now)?.1.clone()
    }

    /// What it keeps now.
    pub fn kept_at(&self, now: Timestamp) -> Usd {
        self.step_at(now).map_or(Usd::ZERO, |(_, _, kept)| *kept)
    }

    /// Whether it ever kept exactly this once it was over.
    pub fn ever_kept(&self, amount: Usd) -> bool {
        self.steps.iter().any(|(_, status, kept)| {
            let progress = status.as_ref().and_then(|status| status.progress);
            *kept == amount && progress.is_some_and(Progress::is_final)
        })
    }

    /// Its name in the coverage table.
    pub fn plot_name(&self) -> &'static str {
        self.plot.name()
    }

    /// When it says something new for the last time.
    pub fn last_turn(&self) -> Timestamp {
        self.steps.last().map_or(Timestamp(0), |(from, ..)| *from)
    }

    /// Stops it where it is not over: nothing was delivered, the money is back.
    pub fn cancel(&mut self, now: Timestamp) {
        let is_over = |status: &PanelStatus| status.progress.is_some_and(Progress::is_final);
        if self.status_at(now).is_some_and(|status| is_over(&status)) {
            return;
        }
        self.steps.retain(|(from, ..)| *from <= now);
        self.plot = Plot::Canceled;
        self.say(now + Millis::seconds(8), "Canceled", None, Usd::ZERO);
    }
}
