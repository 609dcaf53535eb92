//! Corners of the table of cases, each in a world of its own: a code after a confirmed cancel, an
//! upstream that offers no cancel, an account that is suspended while its order runs, a start count
//! that moves under way, and an activation that appears while no node runs.

use crate::asks::Answer;
use crate::cases::Case;
use crate::client::{self, Purchase, Wish};
use crate::executor::Owner;
use crate::node;
use crate::numbers::{self, COUNTRY};
use crate::panel::Arranged;
use crate::race::{Loss, Trip};
use crate::rented::Origin;
use crate::sale::Fate;
use crate::story::{Plot, START_COUNT};
use crate::undone;
use crate::world::{NUMBER_UPSTREAMS, START, State, World};
use app::Engine;
use domain::access::Caller;
use domain::activation::ActivationState;
use domain::ids::OrderId;
use domain::orphan::OrphanState;
use domain::ports::Store;
use domain::smm_order::SmmState;
use domain::time::{Millis, Timestamp};
use domain::upstream::NumberRequest;
use domain::usd::Usd;
use std::sync::Arc;

/// Which corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Corner {
    /// CAN-7: the upstream confirms a cancel, has a code after all, and keeps the money.
    LateCode,
    /// CAN-7 after CAN-3: the same, and the node that asked died before it was told.
    LateCodeAfterDeath,
    /// F-047: the upstream offers no cancel.
    NoCancel,
    /// REF-20: the account is suspended while its order runs.
    Suspended,
    /// REF-16: the start count moves after delivery began.
    StartCount,
    /// BUY-15: an upstream that tells no ages makes something while no node runs, and the answer to
    /// the cancel of it is lost.
    MadeAway,
    /// SMM-7, BUY-7: what was sold is not stored for longer than the lease of its call.
    LinkFails,
    /// An order at the panel that is nobody's, whose final figure changes before it is confirmed.
    StrayChanges,
    /// CAN-9: an upstream that calls every cancel too early, also those of what has ended: of a number
    /// that is cancelled, and of one that is nobody's.
    AlwaysTooEarly,
}

impl Corner {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::LateCode,
        Self::LateCodeAfterDeath,
        Self::NoCancel,
        Self::Suspended,
        Self::StartCount,
        Self::MadeAway,
        Self::LinkFails,
        Self::StrayChanges,
        Self::AlwaysTooEarly,
    ];
}

impl Case for Corner {
    type Seen = Self;

    fn draw(world: &World) -> Self {
        world.with(|state| {
            let corner = Self::ALL[state.random.below(Self::ALL.len())];
            state.numbers[0].cancels = corner != Self::NoCancel;
            if corner == Self::MadeAway {
                state.numbers[1].lists = true;
                state.numbers[1].tells_age = false;
                state.numbers[1].list_down_until = START;
            }
            if corner == Self::LinkFails {
                // where nothing is listed, only the answer names what was sold
                state.panel.lists = false;
                let outage = Millis::seconds(state.random.between(10, 60));
                state.links_fail_until = START + Millis::seconds(5) + outage;
            }
            if corner == Self::StrayChanges {
                state.panel.lists = true;
                state.panel.undated = false;
                state.panel.asks.arranged = [Answer::Refused].into();
            }
            state.numbers[0].locked = corner == Self::AlwaysTooEarly;
            let plot = match corner {
                Self::StartCount => Plot::StartCountMoves,
                _ => Plot::Partial,
            };
            let runs = Millis::minutes(2);
            let (loss, plot) = (Loss::Nothing, (plot, 3));
            state.panel.arranged = [Arranged { loss, plot, runs }].into();
            corner
        })
    }

    async fn live(self, world: Arc<World>, store: Arc<dyn Store>) {
        // nodes load their catalogues first
        world.hub.sleep(Millis::seconds(5)).await;
        let caller = world.with(|state| {
            let wish = match self {
                Self::LateCode
                | Self::LateCodeAfterDeath
                | Self::NoCancel
                | Self::AlwaysTooEarly => Wish::Number(NUMBER_UPSTREAMS[0], "s1"),
                Self::MadeAway => Wish::Number(NUMBER_UPSTREAMS[1], "s1"),
                _ => Wish::Order("1", "https://instagram.com/p0".to_owned(), 9),
            };
            let purchase = Purchase::new(0, wish, Some("corner".to_owned()));
            state.purchases.push(purchase);
            state.callers[0].clone()
        });
        client::request(&world, 0, &caller, None).await;
        let order = world.with(|state| state.purchases[0].orders.first().copied());
        let Some(order) = order else { return };
        match self {
            Self::LateCode | Self::LateCodeAfterDeath | Self::NoCancel | Self::AlwaysTooEarly => {
                self.cancel((&world, &store), &caller, order).await;
            }
            Self::Suspended => suspend(&world, &caller).await,
            Self::StartCount | Self::LinkFails => {}
            Self::StrayChanges => {
                let made_at = world.now() - world.span(0, 100_000);
                let made = undone::stray(Plot::ChangesEarly, made_at);
                world.with(|state| state.panel.placed.push(made));
            }
            Self::MadeAway => make_away(&world, &store).await,
        }
    }

    fn seen(self, world: &World) -> Self {
        if let Err(detail) = self.held(world) {
            world.with(|state| state.violate(self.rule(), detail));
        }
        self
    }
}

impl Corner {
    fn rule(self) -> &'static str {
        match self {
            Self::LateCode | Self::LateCodeAfterDeath => "CAN-7",
            Self::NoCancel => "F-047",
            Self::Suspended => "REF-20",
            Self::StartCount => "REF-16",
            Self::MadeAway => "BUY-15",
            Self::LinkFails => "SMM-7",
            Self::StrayChanges => "REF-9",
            Self::AlwaysTooEarly => "CAN-9",
        }
    }

    /// Whether a code comes after the cancel was taken, and the money is kept.
    fn is_late(self) -> bool {
        matches!(self, Self::LateCode | Self::LateCodeAfterDeath)
    }

    async fn cancel(
        self,
        (world, store): (&Arc<World>, &Arc<dyn Store>),
        caller: &Caller,
        order: OrderId,
    ) {
        let dies = self == Self::LateCodeAfterDeath;
        world.with(|state| {
            for one in &mut state.numbers[0].rented {
                one.gives_up_at = None;
                one.messages.clear();
                one.keeps_money = self.is_late();
                one.returns_after = None;
            }
            state.numbers[0].trip = dies.then_some(Trip {
                there: Millis::seconds(1),
                back: Millis::seconds(20),
                loss: Loss::Nothing,
            });
        });
        if self == Self::AlwaysTooEarly {
            let now = world.now();
            world.with(|state| make_stray(state, (0, "s2"), now));
        }
        world.hub.sleep(world.span(125_000, 200_000)).await;
        if dies {
            let (world, store) = (Arc::clone(world), Arc::clone(store));
            world.clone().hub.spawn(Owner::Outside, async move {
                world.hub.sleep(Millis::seconds(5)).await;
                (0..2).for_each(|node| node::crash(&world, &store, node));
            });
        }
        client::cancel(world, 0, caller, order).await;
        if self.is_late() {
            let code_at = world.now() + world.span(1_000, 600_000);
            world.with(|state| {
                for one in &mut state.numbers[0].rented {
                    one.messages = vec![(code_at, "late-code".to_owned())];
                    one.hears_late = true;
                }
            });
        }
        for _ in 0..6 {
            world.hub.sleep(Millis::minutes(5)).await;
            client::poll(world, 0, caller, order).await;
        }
    }

    /// What must have come of it, beside what holds of every schedule.
    fn held(self, world: &World) -> Result<(), String> {
        world.with(|state| {
            let order = *state.purchases[0].orders.first().ok_or("nothing bought")?;
            let money = &state.truth.money[&order];
            let posted: i64 = money.resolved.iter().map(|(posted, _)| posted.0).sum();
            let told = |how| state.reached.contains_key(&("cancel told", how));
            let number = state.truth.activations.get(&order);
            let released = number.is_some_and(|row| row.state == ActivationState::Cancelled);
            let smm = state.truth.smm_orders.get(&order);
            let partly = smm.is_some_and(|row| {
                row.state == SmmState::Resolved && row.returned > Usd::ZERO && posted > 0
            });
            let fine = match self {
                Self::LateCode | Self::LateCodeAfterDeath => {
                    let marked = number.is_some_and(|row| row.late_code_at.is_some());
                    let heard = told("refunded") || self == Self::LateCodeAfterDeath;
                    released && posted == 0 && marked && heard
                }
                Self::NoCancel => released && posted == 0 && told("cancel_not_supported"),
                Self::Suspended | Self::LinkFails => partly,
                Self::AlwaysTooEarly => {
                    let over = is_stray_returned(state, 0);
                    over && released && posted == 0 && told("cancel_too_early")
                }
                Self::StrayChanges => keeps_what_is_booked(state),
                Self::MadeAway => is_stray_returned(state, 1),
                Self::StartCount => partly && smm.is_some_and(|row| row.start_count == START_COUNT),
            };
            let orphans = &state.truth.orphans;
            let detail = || format!("{self:?}: {number:?} {smm:?} {orphans:?}, posted {posted}");
            if fine { Ok(()) } else { Err(detail()) }
        })
    }
}

/// All nodes die after the list was looked at, and an activation appears on it before one is back.
async fn make_away(world: &Arc<World>, store: &Arc<dyn Store>) {
    world.hub.sleep(world.span(200_000, 300_000)).await;
    for node in 0..2 {
        node::crash(world, store, node);
    }
    let now = world.now();
    world.with(|state| make_stray(state, (1, "s2"), now));
    // from then on a cancel is not too early
    world.hub.sleep(Millis::seconds(121)).await;
    world.with(|state| {
        state.numbers[1].trip = Some(Trip {
            there: Millis(100),
            back: Millis(100),
            loss: Loss::Answer,
        });
    });
}

/// An upstream makes something that nobody ordered.
fn make_stray(state: &mut State, (index, service): (usize, &str), now: Timestamp) {
    let request = NumberRequest {
        service: service.into(),
        country: COUNTRY.into(),
        pool: None,
        max_cost: Usd(150_000),
        reference: String::new(),
    };
    let fate = Fate::draw(state);
    let origin = (Some(0), now, Origin::Double);
    let mut made = numbers::make(state, index, &request, &fate, origin, now);
    made.gives_up_at = None;
    made.messages.clear();
    state.numbers[index].rented.push(made);
}

/// Whether what an upstream made that nobody ordered was given back there.
fn is_stray_returned(state: &State, index: usize) -> bool {
    let mut rented = state.numbers[index].rented.iter();
    let stray = rented.rfind(|one| one.origin == Origin::Double);
    stray.is_some_and(|one| one.refunded && is_cancelled(state, &one.id))
}

/// Whether what nobody ordered was given back there.
fn is_cancelled(state: &State, id: &str) -> bool {
    let mut orphans = state.truth.orphans.values();
    orphans.any(|row| row.upstream_id == id && row.state == OrphanState::Returned)
}

/// Whether the books hold what the panel keeps for the order that is nobody's.
fn keeps_what_is_booked(state: &State) -> bool {
    let placed = state
        .panel
        .placed
        .iter()
        .find(|one| one.id == undone::STRAY);
    let mut orphans = state.truth.orphans.values();
    let orphan = orphans.find(|row| row.upstream_id == undone::STRAY);
    let Some((placed, orphan)) = placed.zip(orphan) else {
        return false;
    };
    let booked = state.truth.taken_for_orphan.get(&orphan.id).copied();
    let kept = placed.story.kept_at(Timestamp(i64::MAX));
    orphan.state == OrphanState::Lost && booked.unwrap_or(0) == kept.0
}

async fn suspend(world: &Arc<World>, caller: &Caller) {
    let engine: Option<Arc<Engine>> = world.with(|state| state.nodes[0].clone());
    let done = match engine {
        Some(engine) => engine
            .suspend_account(caller.account.id, true)
            .await
            .is_ok(),
        None => false,
    };
    if !done {
        world.with(|state| state.violate("REF-20", "not suspended".into()));
    }
}
