//! A purchase in doubt whose number is listed only at the end of its window, while other calls for
//! the same are under way, one after the other: it takes its number all the same.

use crate::cases::Case;
use crate::client::{self, Purchase, Wish};
use crate::executor::Owner;
use crate::node::WINDOW;
use crate::sale::{Fate, Kind};
use crate::world::{NUMBER_UPSTREAMS, World};
use domain::activation::ActivationState;
use domain::ports::Store;
use domain::time::Millis;
use std::sync::Arc;

/// Nodes load their catalogues first.
const BEFORE: Millis = Millis::seconds(5);

/// Calls that follow one another.
const RIVALS: usize = 4;

/// One case as it was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Contested {
    /// When the list is to be had again, after the start.
    list_back: Millis,
    /// When each of the other calls begins, after the start.
    rivals: [Millis; RIVALS],
    fates: [Fate; RIVALS],
}

impl Case for Contested {
    /// Whether the purchase in doubt took its number.
    type Seen = bool;

    fn draw(world: &World) -> Self {
        world.with(|state| {
            let random = &mut state.random;
            let list_back = Millis(WINDOW.0 + random.between(-40_000, 20_000));
            let mut begins = list_back.0 - random.between(1_000, 25_000);
            let rivals = [(); RIVALS].map(|()| {
                let begun = Millis(begins);
                begins += random.between(8_000, 24_000);
                begun
            });
            let fates = [(); RIVALS].map(|()| {
                let whole = random.between(20_000, 29_000);
                let processed = random.between(100, whole - 100);
                let sold = random.chance(700).then_some(Millis(processed));
                Fate {
                    kind: Kind::Plain,
                    processed_after: sold,
                    answered_after: sold.map(|at| Millis(whole - at.0)),
                    hangs: true,
                }
            });
            Self {
                list_back,
                rivals,
                fates,
            }
        })
    }

    async fn live(self, world: Arc<World>, _: Arc<dyn Store>) {
        world.hub.sleep(BEFORE).await;
        let start = world.now();
        world.with(|state| {
            let lost = Fate {
                kind: Kind::Plain,
                processed_after: Some(Millis(300)),
                answered_after: None,
                hangs: false,
            };
            let market = &mut state.numbers[0];
            market.arranged = std::iter::once(lost).chain(self.fates).collect();
            market.list_down_until = start + self.list_back;
        });
        buy(&world, 0).await;
        for (number, begins) in self.rivals.into_iter().enumerate() {
            world.hub.sleep(start + begins - world.now()).await;
            let rival = Arc::clone(&world);
            world.with(|state| state.clients_open += 1);
            world.hub.spawn(Owner::Outside, async move {
                buy(&rival, number + 1).await;
                rival.with(|state| state.clients_open -= 1);
            });
        }
    }

    fn seen(self, world: &World) -> bool {
        world.with(|state| {
            let first = state.purchases[0].orders.first();
            let row = first.and_then(|order| state.truth.activations.get(order));
            row.is_some_and(|row| row.state != ActivationState::Failed)
        })
    }
}

async fn buy(world: &Arc<World>, number: usize) {
    let (index, caller) = world.with(|state| {
        let customer = number % state.callers.len();
        let wish = Wish::Number(NUMBER_UPSTREAMS[0], "s1");
        let purchase = Purchase::new(customer, wish, Some(format!("key-{number}")));
        state.purchases.push(purchase);
        (state.purchases.len() - 1, state.callers[customer].clone())
    });
    client::request(world, index, &caller, None).await;
}
