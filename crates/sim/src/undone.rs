//! What the house must not keep at a panel: an order whose client was told that it failed, and one
//! that is nobody's. The cancel of each is asked for until the panel has answered it, and then no more.

use crate::asks::Answer;
use crate::cases::Case;
use crate::client::{self, Purchase, Wish};
use crate::panel::{self, Arranged, Placed};
use crate::race::Loss;
use crate::story::{Plot, Story};
use crate::world::World;
use domain::ports::Store;
use domain::smm_request::RequestKind;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use std::sync::Arc;

/// Each runs so long that every cancel of the case comes in time.
const RUNS: Millis = Millis::minutes(60);

/// One case as it was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Undone {
    /// Whether it is nobody's; otherwise its client was told that it failed.
    nobodys: bool,
    /// Cancels that are lost on the way.
    lost: usize,
    /// What the panel says to the one that arrives.
    answer: Answer,
}

impl Case for Undone {
    /// Whether it was nobody's, and whether the panel took the cancel.
    type Seen = (bool, bool);

    fn draw(world: &World) -> Self {
        world.with(|state| {
            let random = &mut state.random;
            let plan = Self {
                nobodys: random.chance(500),
                lost: random.below(6),
                answer: random.weighted(&[(2, Answer::Taken), (1, Answer::Refused)]),
            };
            // it has to be found
            state.panel.lists = true;
            state.panel.undated = false;
            let lost = [Answer::Lost].into_iter().cycle().take(plan.lost);
            state.panel.asks.arranged = lost.chain([plan.answer]).collect();
            let loss = match plan.nobodys {
                true => Loss::Nothing,
                false => Loss::Answer,
            };
            let plot = (Plot::Completed, 0);
            state.panel.arranged = [Arranged {
                loss,
                plot,
                runs: RUNS,
            }]
            .into();
            plan
        })
    }

    async fn live(self, world: Arc<World>, _: Arc<dyn Store>) {
        // nodes load their catalogues first
        world.hub.sleep(Millis::seconds(5)).await;
        let caller = world.with(|state| {
            let wish = Wish::Order("1", "https://instagram.com/p0".to_owned(), 4);
            let key = self.nobodys.then(|| "key".to_owned());
            state.purchases.push(Purchase::new(0, wish, key));
            state.callers[0].clone()
        });
        client::request(&world, 0, &caller, None).await;
        if self.nobodys {
            let now = world.now();
            world.with(|state| state.panel.placed.push(stray(Plot::Completed, now)));
        }
    }

    fn seen(self, world: &World) -> Self::Seen {
        let now = world.now();
        world.with(|state| {
            let id = match self.nobodys {
                true => STRAY.to_owned(),
                false => state
                    .panel
                    .placed
                    .iter()
                    .rfind(|one| !one.foreign)
                    .map_or(String::new(), |one| one.id.clone()),
            };
            let calls = state.panel.asks.calls.iter();
            let asked = calls.filter(|(of, kind, _)| *of == id && *kind == RequestKind::Cancel);
            let asked = asked.count();
            if asked != self.lost + 1 {
                let detail = format!("{asked} cancels of {id}, {} were lost", self.lost);
                state.violate("UNDO", detail);
            }
            let mut placed = state.panel.placed.iter();
            let kept = placed.find(|one| one.id == id);
            let kept = kept.map_or(Usd::ZERO, |one| one.story.kept_at(now));
            let taken = self.answer == Answer::Taken;
            if taken != (kept == Usd::ZERO) {
                state.violate("UNDO", format!("the panel kept {kept} of {id}"));
            }
            (self.nobodys, taken)
        })
    }
}

/// The id of the order that is nobody's.
pub const STRAY: &str = "6001";

/// An order that no call of ours is known to have made.
pub fn stray(plot: Plot, now: Timestamp) -> Placed {
    let (quantity, service) = (9, "1");
    let cost = panel::cost(service, quantity);
    let end = now + RUNS;
    let left = if plot == Plot::Completed { 0 } else { 6 };
    let units = (i64::try_from(quantity).unwrap_or(1), left);
    Placed {
        id: STRAY.to_owned(),
        service: service.to_owned(),
        link: "https://instagram.com/stray".to_owned(),
        quantity,
        cost,
        purchase: Some(0),
        created_at: now,
        story: Story::of(plot).told(units, cost, (now, now, end)),
        answers: Vec::new(),
        foreign: false,
    }
}
