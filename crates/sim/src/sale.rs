//! What becomes of one purchase call: when it is processed, when it is answered, and how.

use crate::random::Random;
use crate::world::State;
use domain::time::Millis;
use domain::upstream::Refusal;

/// A refusal that a market may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing in stock.
    NoStock,
    /// Our balance there is empty.
    Funds,
    /// No byte was sent.
    Unreachable,
    /// What we sent is wrong: no reason to send it to others.
    OurFault,
}

impl Refused {
    /// As the engine sees it.
    pub fn to_refusal(self) -> Refusal {
        match self {
            Self::NoStock => Refusal::NoStock,
            Self::Funds => Refusal::UpstreamFunds,
            Self::Unreachable => Refusal::Unreachable,
            Self::OurFault => Refusal::OurFault,
        }
    }
}

/// How a sale goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it should.
    Plain,
    /// Definite failure.
    Refused(Refused),
    /// A number of another country.
    WrongCountry,
    /// A number that is alive for somebody else.
    NumberInUse,
    /// The answer names an activation that was sold before; nothing new is made.
    OldId,
    /// Two activations for one call.
    Double,
    /// The charge is above the quote.
    Dearer,
    /// The answer cannot be read.
    Garbage,
    /// The answer is an error text that is on no list, although a number was sold.
    UnmappedError,
    /// The id is cut short.
    CutId,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    /// How.
    pub kind: Kind,
    /// After how long it is processed; nothing where the request is lost.
    pub processed_after: Option<Millis>,
    /// How long after that the answer arrives; nothing where it is lost.
    pub answered_after: Option<Millis>,
    /// Whether the connection hangs where nothing arrives, instead of being closed.
    pub hangs: bool,
}

impl Fate {
    /// Draws one.
    pub fn draw(state: &mut State) -> Self {
        let faults = state.faults;
        let random = &mut state.random;
        let quick = Millis(random.between(20, 1_500));
        let plain = Self {
            kind: Kind::Plain,
            processed_after: Some(quick),
            answered_after: Some(Millis(random.between(1, 400))),
            hangs: random.chance(500),
        };
        if !faults {
            return plain;
        }
        plain.troubled(random)
    }

    /// Draws one for a purchase; one that has other routes is refused more often.
    pub fn of_routes(state: &mut State, several: bool) -> Self {
        let fate = Self::draw(state);
        if !(several && state.faults && state.random.chance(300)) {
            return fate;
        }
        let refused = state.random.weighted(&[
            (5, Refused::NoStock),
            (2, Refused::Unreachable),
            (1, Refused::Funds),
            (2, Refused::OurFault),
        ]);
        let slow = Millis(state.random.between(1, 12_000));
        Self {
            kind: Kind::Refused(refused),
            processed_after: Some(Millis(20)),
            answered_after: Some(if state.random.chance(200) {
                slow
            } else {
                Millis(30)
            }),
            ..fate
        }
    }

    /// The same call among the troubles of a schedule.
    fn troubled(self, random: &mut Random) -> Self {
        let plain = self;
        let late = Millis(random.between(5_000, 179_000));
        let slow = Millis(random.between(20_000, 29_900));
        let after_window = Millis(random.between(280_000, 420_000));
        let lost = Self {
            answered_after: None,
            ..plain
        };
        let of = |kind| Self { kind, ..plain };
        random.weighted(&[
            (400, plain),
            (35, of(Kind::Refused(Refused::NoStock))),
            (15, of(Kind::Refused(Refused::Funds))),
            (15, of(Kind::Refused(Refused::Unreachable))),
            (
                60,
                Self {
                    processed_after: None,
                    answered_after: None,
                    ..plain
                },
            ),
            (120, lost),
            (
                50,
                Self {
                    processed_after: Some(late),
                    ..lost
                },
            ),
            (
                40,
                Self {
                    answered_after: Some(slow),
                    ..plain
                },
            ),
            (
                20,
                Self {
                    processed_after: Some(after_window),
                    ..lost
                },
            ),
            (25, of(Kind::WrongCountry)),
            (30, of(Kind::NumberInUse)),
            (25, of(Kind::OldId)),
            (35, of(Kind::Double)),
            (
                20,
                Self {
                    kind: Kind::Double,
                    ..lost
                },
            ),
            (40, of(Kind::Dearer)),
            (25, of(Kind::Garbage)),
            (20, of(Kind::UnmappedError)),
            (20, of(Kind::CutId)),
        ])
    }

    /// How long it takes until we notice that nothing arrives.
    pub fn silence(&self) -> Millis {
        if self.hangs {
            Millis::seconds(60)
        } else {
            Millis(50)
        }
    }

    /// Its name in the coverage table.
    pub fn name(&self) -> &'static str {
        match (self.kind, self.processed_after, self.answered_after) {
            (_, None, _) => "lost before",
            (Kind::Double, _, None) => "made twice, answer lost",
            (_, Some(Millis(280_000..)), None) => "processed after the window",
            (_, Some(Millis(5_000..)), None) => "processed late",
            (_, _, None) => "answer lost",
            (Kind::Plain, _, Some(Millis(20_000..))) => "answered slowly",
            (Kind::Plain, ..) => "sold",
            (Kind::Refused(Refused::NoStock), ..) => "no stock",
            (Kind::Refused(Refused::Funds), ..) => "our funds there",
            (Kind::Refused(Refused::Unreachable), ..) => "not sent",
            (Kind::Refused(Refused::OurFault), ..) => "our fault",
            (Kind::WrongCountry, ..) => "wrong country",
            (Kind::NumberInUse, ..) => "number in use",
            (Kind::OldId, ..) => "id linked before",
            (Kind::Double, ..) => "made twice",
            (Kind::Dearer, ..) => "above the quote",
            (Kind::Garbage, ..) => "unreadable",
            (Kind::UnmappedError, ..) => "unlisted error",
            (Kind::CutId, ..) => "id cut short",
        }
    }
}
