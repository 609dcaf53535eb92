//! A panel that answers no question, beside one that works: it may keep none of the other's orders
//! waiting.

use crate::campaign::{Kept, Stores};
use crate::client::{self, Purchase, Told, Wish};
use crate::executor::Hub;
use crate::schedule;
use crate::world::World;
use domain::ids::OrderId;
use domain::smm_order::SmmState;
use domain::time::{Millis, Timestamp};
use domain::upstream::{
    CancelReply, Capabilities, ListedPanelOrder, PanelRequest, PanelService, PanelStatusRow,
    PanelUpstream, Pending, Purchase as Bought, ReadFailure, RefillReply, RefillRow, Reply,
};
use domain::usd::{Rate, Usd};
use std::sync::Arc;

/// Its name.
pub const HANGING: &str = "hanging";

/// Its service, and the public id of it.
pub const SERVICE: &str = "77";

/// How long it lets whoever asks wait.
const HANGS: Millis = Millis::minutes(60);

/// See the module. It takes orders, and tells its balance and what it sells.
pub struct HangingPanel {
    hub: Arc<Hub>,
    capabilities: Capabilities,
}

impl HangingPanel {
    /// One that lists its orders, or would.
    pub fn new(hub: Arc<Hub>) -> Self {
        let capabilities = Capabilities {
            list_active: true,
            ..Capabilities::panel()
        };
        Self { hub, capabilities }
    }

    fn hang<T: Send + 'static>(&self, then: T) -> Pending<'_, T> {
        Box::pin(async move {
            self.hub.sleep(HANGS).await;
            then
        })
    }
}

fn no_answer<T>() -> Result<T, ReadFailure> {
    Err(ReadFailure::Fault("no answer".into()))
}

fn reply<T>(outcome: T) -> Reply<T> {
    Reply {
        outcome,
        raw: String::new(),
    }
}

impl PanelUpstream for HangingPanel {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn place<'a>(&'a self, _: &'a PanelRequest) -> Pending<'a, Reply<Bought<String>>> {
        Box::pin(std::future::ready(reply(Bought::Done("1".to_owned()))))
    }

    fn statuses<'a>(
        &'a self,
        _: &'a [String],
    ) -> Pending<'a, Result<Vec<PanelStatusRow>, ReadFailure>> {
        self.hang(no_answer())
    }

    fn orders(&self) -> Pending<'_, Result<Vec<ListedPanelOrder>, ReadFailure>> {
        self.hang(no_answer())
    }

    fn cancel<'a>(&'a self, _: &'a str) -> Pending<'a, Reply<CancelReply>> {
        self.hang(reply(CancelReply::Unknown))
    }

    fn refill<'a>(&'a self, _: &'a str) -> Pending<'a, Reply<RefillReply>> {
        self.hang(reply(RefillReply::Unknown))
    }

    fn refill_statuses<'a>(
        &'a self,
        _: &'a [String],
    ) -> Pending<'a, Result<Vec<RefillRow>, ReadFailure>> {
        self.hang(no_answer())
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(std::future::ready(Ok(Usd(1_000_000_000))))
    }

    fn services(&self) -> Pending<'_, Result<Vec<PanelService>, ReadFailure>> {
        let service = PanelService {
            id: SERVICE.to_owned(),
            name: "Sandbox: never".to_owned(),
            category: "Sandbox".to_owned(),
            kind: Some("Default"),
            rate: Rate(900_000_000),
            min: 1,
            max: 100_000,
            refill: false,
            cancel: true,
            dripfeed: false,
        };
        Box::pin(std::future::ready(Ok(vec![service])))
    }
}

/// What came of an order at each panel: when the one at the panel that works was made and paid, and
/// where the one at the panel that hangs stood then.
#[derive(Debug, Default)]
pub struct Beside {
    /// Creation and resolution.
    pub paid: Option<(Timestamp, Timestamp)>,
    /// Its state.
    pub waits: Option<SmmState>,
}

/// An order at the panel that hangs, long enough before one at the other for its status to be asked.
pub fn run(seed: u64) -> Beside {
    let stores = Stores::new(Kept::InDatabase);
    let seen = Arc::new(std::sync::Mutex::new(Beside::default()));
    let noted = Arc::clone(&seen);
    schedule::stage(&stores.empty(), seed, None, |world| {
        world.with(|state| state.hanging_panel = true);
        live(Arc::clone(world), noted)
    });
    let mut seen = crate::executor::lock(&seen);
    std::mem::take(&mut *seen)
}

async fn live(world: Arc<World>, seen: Arc<std::sync::Mutex<Beside>>) {
    // nodes load their catalogues first
    world.hub.sleep(Millis::seconds(5)).await;
    let stuck = place(&world, SERVICE).await;
    world.hub.sleep(Millis::seconds(120)).await;
    let order = place(&world, "1").await;
    // as long as two confirmations, and far shorter than the other panel hangs
    world.hub.sleep(Millis::minutes(15)).await;
    world.with(|state| {
        let row = |order: Option<OrderId>| state.truth.smm_orders.get(&order?);
        *crate::executor::lock(&seen) = Beside {
            paid: row(order).and_then(|row| Some((row.created_at, row.resolved_at?))),
            waits: row(stuck).map(|row| row.state),
        };
    });
    // a panel that answers nothing leaves its order to nobody: the run is over
    world.hub.end();
}

async fn place(world: &Arc<World>, service: &'static str) -> Option<OrderId> {
    let (number, caller) = world.with(|state| {
        let wish = Wish::Order(service, format!("https://instagram.com/{service}"), 7);
        let key = Some(format!("key-{service}"));
        state.purchases.push(Purchase::new(0, wish, key));
        (state.purchases.len() - 1, state.callers[0].clone())
    });
    match client::request(world, number, &caller, None).await {
        Told::Bought(order, ..) => Some(order),
        _ => None,
    }
}
