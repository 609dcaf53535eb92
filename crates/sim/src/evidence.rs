//! What a balance shows of an SMM order in doubt while another order of ours moves the same money:
//! a ticket that says "placed" has to be right, whatever the panel does with the other one.

use crate::cases::Case;
use crate::client::{self, Purchase, Wish};
use crate::panel::Arranged;
use crate::race::Loss;
use crate::story::Plot;
use crate::world::World;
use domain::ports::Store;
use domain::ticket::TicketKind;
use domain::time::Millis;
use domain::usd::Usd;
use std::sync::Arc;

/// What the other order does, and how many of its four units are left at its turn: the part that
/// moves costs as much as the order in doubt.
const OTHERS: [(Plot, i64); 3] = [
    (Plot::Completed, 0),
    (Plot::Partial, 1),
    (Plot::CompletedAfterPartial, 1),
];

/// One case as it was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    other: (Plot, i64),
    /// How long after the other order the one in doubt is placed.
    apart: Millis,
    loss: Loss,
    /// What another program spends there soon after: never the cost of the order in doubt, which
    /// nobody could tell from it.
    spent: Option<Usd>,
}

impl Evidence {
    fn name(self) -> &'static str {
        match self.spent {
            Some(_) => "another program spends",
            None => self.other.0.name(),
        }
    }
}

impl Case for Evidence {
    /// What the other one did, whether the one in doubt was placed, and whether a ticket says so.
    type Seen = (&'static str, bool, bool);

    fn draw(world: &World) -> Self {
        world.with(|state| {
            let random = &mut state.random;
            // the other one turns some thirteen minutes after it was placed
            let (from, until) = random.weighted(&[(1, (1, 1_000)), (1, (550, 800))]);
            let plan = Self {
                other: OTHERS[random.below(OTHERS.len())],
                apart: Millis::seconds(random.between(from, until)),
                loss: random.weighted(&[(1, Loss::Request), (1, Loss::Answer)]),
                spent: random.chance(250).then_some(Usd(2_700)),
            };
            // what cannot be listed has to be guessed
            state.panel.lists = false;
            state.panel.arranged = [
                Arranged {
                    loss: Loss::Nothing,
                    plot: plan.other,
                    runs: Millis(0),
                },
                Arranged {
                    loss: plan.loss,
                    plot: (Plot::Completed, 0),
                    runs: Millis(0),
                },
            ]
            .into();
            plan
        })
    }

    async fn live(self, world: Arc<World>, _: Arc<dyn Store>) {
        // nodes load their catalogues, and read each balance once
        world.hub.sleep(Millis::seconds(120)).await;
        place(&world, 0, 4).await;
        world.hub.sleep(self.apart).await;
        place(&world, 1, 1).await;
        if let Some(spent) = self.spent {
            let soon = world.span(1_000, 200_000);
            world.hub.sleep(soon).await;
            world.with(|state| state.panel.spent_by_others = spent);
        }
    }

    fn seen(self, world: &World) -> Self::Seen {
        let said = world.with(|state| {
            let mut tickets = state.truth.tickets.values();
            tickets.any(|one| one.kind == TicketKind::PlacedWithoutId)
        });
        (self.name(), self.loss == Loss::Answer, said)
    }
}

async fn place(world: &Arc<World>, number: usize, quantity: u64) {
    let caller = world.with(|state| {
        let link = format!("https://instagram.com/p{number}");
        let wish = Wish::Order("1", link, quantity);
        state
            .purchases
            .push(Purchase::new(number, wish, Some(format!("key-{number}"))));
        state.callers[number].clone()
    });
    client::request(world, number, &caller, None).await;
}
