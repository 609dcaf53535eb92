//! Scripted customers: they buy, poll, cancel, hang up and ask again, and remember what they were
//! told.

use crate::executor::{Owner, TaskId};
use crate::numbers::{COUNTRY, COUNTRY_KEY};
use crate::world::World;
use app::{Answer, BuyNumber, Engine, KeyedRequest, Place, PlaceOrder, Purchased, Refusal};
use domain::access::Caller;
use domain::activation::{Activation, ActivationState};
use domain::ids::OrderId;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A number: server ([`EVERYWHERE`] for all of them) and service.
    Number(&'static str, &'static str),
    /// An SMM order: service, link, quantity.
    Order(&'static str, String, u64),
}

/// The server that stands for all of them.
pub const EVERYWHERE: &str = "all";

impl Wish {
    /// Whether it may be bought on more than one route.
    pub fn has_routes(&self) -> bool {
        matches!(self, Self::Number(server, _) if ["both", EVERYWHERE].contains(server))
    }
}

/// What a client was told of its purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Bought: order, number or link, price.
    Bought(OrderId, String, Usd),
    /// Accepted, outcome open.
    Pending(OrderId),
    /// Refused.
    Refused(&'static str),
    /// The connection broke.
    Nothing,
    /// The client closed the connection.
    HungUp,
}

/// One purchase as its client knows it.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// Place of the customer in the world.
    pub customer: usize,
    /// What was wanted.
    pub wish: Wish,
    /// The most that its client pays.
    pub max_price: Option<Usd>,
    /// Idempotency key.
    pub key: Option<String>,
    /// Orders that were written for it.
    pub orders: Vec<OrderId>,
    /// What was told, and when.
    pub told: Vec<(Timestamp, Told)>,
    /// Codes that were shown, and when.
    pub codes: Vec<(Timestamp, String)>,
    /// Numbers that were shown, and when.
    pub numbers: Vec<(Timestamp, String)>,
    /// What a cancel said went back.
    pub refunded: Option<Usd>,
    /// Whether a cancel was ever refused because of a code.
    pub told_received: bool,
    /// Whether its key was sent twice at once.
    pub twice: bool,
}

impl Purchase {
    /// One that nobody has asked for yet.
    pub fn new(customer: usize, wish: Wish, key: Option<String>) -> Self {
        Self {
            customer,
            wish,
            max_price: None,
            key,
            orders: Vec::new(),
            told: Vec::new(),
            codes: Vec::new(),
            numbers: Vec::new(),
            refunded: None,
            told_received: false,
            twice: false,
        }
    }

    /// Who else asked for it, or ceased to.
    pub fn race(&self) -> &'static str {
        let gone = |told: &Told| matches!(told, Told::HungUp);
        match self.told.iter().any(|(_, told)| gone(told)) {
            _ if self.twice => "asked twice at once",
            true => "hung up before",
            false => "alone",
        }
    }

    /// Whether its client ever heard that it was bought.
    pub fn was_told(&self) -> bool {
        self.told
            .iter()
            .any(|(_, told)| matches!(told, Told::Bought(..)))
    }
}

/// Runs a request on a node as the program would: it ends with the node, or when the client hangs
/// up. Nothing where no answer came.
async fn ask<T, F>(
    world: &Arc<World>,
    purchase: usize,
    patience: Option<Millis>,
    request: impl FnOnce(Arc<Engine>) -> F,
) -> Result<T, Told>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let node = world.with(|state| state.random.below(2));
    let engine = world.with(|state| state.nodes[node].clone());
    let Some(engine) = engine else {
        return Err(Told::Nothing);
    };
    let (tell, told) = oneshot::channel();
    let work = request(engine);
    let owner = Owner::Node(node, world.hub.life(node));
    let task: TaskId = world.hub.spawn(owner, async move {
        let _ = tell.send(work.await);
    });
    world.with(|state| state.serving.insert(task, purchase));
    let Some(patience) = patience else {
        return told.await.map_err(|_| silence(world, task));
    };
    tokio::select! {
        biased;
        answer = told => answer.map_err(|_| silence(world, task)),
        () = world.hub.sleep(patience) => {
            world.hub.abort(task);
            world.reach("client", "hangs up");
            Err(Told::HungUp)
        }
    }
}

/// Why no answer came: the node died, or the client went away itself.
fn silence(world: &World, task: TaskId) -> Told {
    let cut = world.with(|state| state.cut.contains(&task));
    if cut { Told::HungUp } else { Told::Nothing }
}

fn draw_wish(world: &World) -> Wish {
    world.with(|state| {
        let random = &mut state.random;
        let service = random.weighted(&[(3, "s1"), (1, "s2")]);
        let server = random.weighted(&[
            (3, "north"),
            (2, "south"),
            (1, "east"),
            (1, "both"),
            (4, EVERYWHERE),
        ]);
        if random.chance(640) {
            return Wish::Number(server, service);
        }
        let link = format!("https://instagram.com/p{}", random.below(4));
        let quantity = random.weighted(&[(1, 1), (1, 7), (2, 500), (1, 1000)]);
        Wish::Order(random.weighted(&[(3, "1"), (1, "2")]), link, quantity)
    })
}

/// The life of one client: a few purchases, one after the other.
pub async fn live(world: Arc<World>, number: usize) {
    let rounds = world.with(|state| 1 + state.random.below(2));
    for round in 0..rounds {
        world.hub.sleep(world.span(0, 40_000)).await;
        let wish = draw_wish(&world);
        let (purchase, caller) = world.with(|state| {
            let customer = state.random.below(state.callers.len());
            let keyed = state.random.chance(550);
            let cap = Usd(state.random.between(180_000, 460_000));
            let max_price = state.random.chance(500).then_some(cap);
            let key = keyed.then(|| format!("key-{number}-{round}"));
            state.purchases.push(Purchase {
                max_price: max_price.filter(|_| wish.has_routes()),
                ..Purchase::new(customer, wish.clone(), key)
            });
            (state.purchases.len() - 1, state.callers[customer].clone())
        });
        if let Some(order) = buy(&world, purchase, &caller).await {
            follow(&world, purchase, &caller, order).await;
        }
    }
    world.with(|state| state.clients_open -= 1);
}

/// Buys until there is an answer that a client would take for final.
async fn buy(world: &Arc<World>, purchase: usize, caller: &Caller) -> Option<OrderId> {
    for _ in 0..12 {
        let keyed = world.with(|state| state.purchases[purchase].key.is_some());
        let hang_up = world.with(|state| state.faults && state.random.chance(70));
        let longest = if world.chance(600) { 2_500 } else { 29_000 };
        let patience = hang_up.then(|| world.span(1, longest));
        if keyed && world.chance(120) {
            let (twin, asker) = (Arc::clone(world), caller.clone());
            world.with(|state| state.purchases[purchase].twice = true);
            world.hub.spawn(Owner::Outside, async move {
                twin.reach("client", "sends a key twice at once");
                let _ = request(&twin, purchase, &asker, None).await;
            });
        }
        let told = request(world, purchase, caller, patience).await;
        match told {
            Told::Bought(order, ..) => return Some(order),
            Told::Pending(order) => {
                if world.chance(500) {
                    return Some(order);
                }
            }
            Told::Refused("storage_unavailable" | "idempotency_in_progress") if keyed => {}
            Told::Refused(_) => return None,
            Told::Nothing | Told::HungUp if keyed => {}
            Told::Nothing | Told::HungUp => return None,
        }
        world.hub.sleep(world.span(500, 70_000)).await;
    }
    let told = world.with(|state| state.purchases[purchase].told.clone());
    told.iter().rev().find_map(|(_, told)| match told {
        Told::Pending(order) => Some(*order),
        _ => None,
    })
}

/// One request of the purchase, with what it was told noted down.
pub async fn request(
    world: &Arc<World>,
    purchase: usize,
    caller: &Caller,
    patience: Option<Millis>,
) -> Told {
    let (wish, max_price, key) = world.with(|state| {
        let known = &state.purchases[purchase];
        (known.wish.clone(), known.max_price, known.key.clone())
    });
    let keyed = key.map(|key| KeyedRequest {
        endpoint: "buy".into(),
        key,
        fingerprint: [u8::try_from(purchase % 251).unwrap_or(0); 32],
        keeps_refusal: true,
    });
    let caller = caller.clone();
    let told = match wish {
        Wish::Number(server, service) => {
            let wanted = BuyNumber {
                service: service.to_owned(),
                place: place(server),
                max_price,
            };
            let asked = ask(world, purchase, patience, |engine| async move {
                engine.buy_number(&caller, &wanted, keyed).await
            });
            asked.await.map(|answer| told(answer, bought))
        }
        Wish::Order(service, link, quantity) => {
            let wanted = PlaceOrder {
                service_id: service.to_owned(),
                link,
                quantity: Some(i128::from(quantity)),
                ..PlaceOrder::default()
            };
            let asked = ask(world, purchase, patience, |engine| async move {
                engine.place_order(&caller, &wanted, keyed).await
            });
            let placed = |order: &domain::smm_order::SmmOrder| {
                Told::Bought(order.id, order.link.clone(), order.price)
            };
            asked
                .await
                .map(|answer| told(answer, |order| placed(order)))
        }
    };
    let told = told.unwrap_or_else(|silence| silence);
    let now = world.now();
    world.tell(|| format!("purchase {purchase} is told {told:?}"));
    world.with(|state| {
        state.reach("told", told_name(&told));
        let known = &mut state.purchases[purchase];
        if let (Told::Bought(_, number, _), Wish::Number(..)) = (&told, &known.wish) {
            known.numbers.push((now, number.clone()));
        }
        known.told.push((now, told.clone()));
    });
    told
}

fn place(server: &str) -> Place {
    if server == EVERYWHERE {
        return Place::Everywhere {
            country_key: COUNTRY_KEY.to_owned(),
        };
    }
    Place::Route {
        server: Some(server.to_owned()),
        provider_type: None,
        country_id: COUNTRY.to_owned(),
        pool_id: None,
    }
}

fn bought(activation: &Activation) -> Told {
    let number = activation
        .phone
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    Told::Bought(activation.id, number, activation.price)
}

fn told<T>(answer: Answer<Purchased<T>>, bought: impl FnOnce(&T) -> Told) -> Told {
    match answer.outcome {
        Ok(Purchased::Done(done)) => bought(&done),
        Ok(Purchased::Pending(order)) => Told::Pending(order),
        Err(refusal) => Told::Refused(refusal.code()),
    }
}

fn told_name(told: &Told) -> &'static str {
    match told {
        Told::Bought(..) => "bought",
        Told::Pending(_) => "pending",
        Told::Refused(code) => code,
        Told::Nothing => "no answer",
        Told::HungUp => "hung up",
    }
}

/// Polls an order, and cancels it or not.
async fn follow(world: &Arc<World>, purchase: usize, caller: &Caller, order: OrderId) {
    let waits_for_code = world.chance(300) && meet_the_code(world, order).await;
    if waits_for_code && cancel(world, purchase, caller, order).await {
        return;
    }
    let is_number = world.with(|state| matches!(state.purchases[purchase].wish, Wish::Number(..)));
    // a client that was promised an outcome may want it no more, and never look
    let silent = world.chance(400);
    for _ in 0..14 {
        world.hub.sleep(world.span(1_000, 110_000)).await;
        if !is_number {
            ask_for_more(world, purchase, caller, order).await;
            let caller = caller.clone();
            let read = ask(world, purchase, None, |engine| async move {
                engine.order_status(&caller, order).await
            });
            let _ = read.await;
            continue;
        }
        let only_cancels = silent && !world.with(|state| state.purchases[purchase].was_told());
        if only_cancels || world.chance(170) {
            if cancel(world, purchase, caller, order).await {
                return;
            }
            if only_cancels {
                continue;
            }
        }
        if poll(world, purchase, caller, order).await {
            return;
        }
    }
}

/// Now and then a cancel of an SMM order, or a refill.
async fn ask_for_more(world: &Arc<World>, purchase: usize, caller: &Caller, order: OrderId) {
    let cancels = world.chance(90);
    if !cancels && !world.chance(150) {
        return;
    }
    let number = world.with(|state| state.random.below(4));
    let key = world.chance(500).then(|| KeyedRequest {
        endpoint: if cancels { "cancel" } else { "refill" }.into(),
        key: format!("{order}-{number}"),
        fingerprint: [7; 32],
        keeps_refusal: false,
    });
    let asker = caller.clone();
    let asked = ask(world, purchase, None, |engine| async move {
        match cancels {
            true => engine.cancel_order(&asker, order, key).await.outcome,
            false => {
                let asked = engine.refill(&asker, order, key).await.outcome;
                asked.map(drop)
            }
        }
    });
    let how = match asked.await {
        Ok(Ok(())) => "asked",
        Ok(Err(refusal)) => refusal.code(),
        Err(_) => "no answer",
    };
    world.reach(if cancels { "order cancel" } else { "refill" }, how);
}

/// Waits until just before or after the first code arrives, if one will: the tightest race.
async fn meet_the_code(world: &Arc<World>, order: OrderId) -> bool {
    let now = world.now();
    let arrives = world.with(|state| {
        let id = state.truth.activations.get(&order)?.upstream_id.clone()?;
        let all = state.numbers.iter().flat_map(|market| &market.rented);
        let one = all.into_iter().find(|one| one.id == id)?;
        let (at, _) = one.messages.first()?;
        (*at > one.created_at + Millis::seconds(121)).then_some(*at - now)
    });
    let Some(left) = arrives.filter(|left| left.0 > 6_000) else {
        return false;
    };
    let early = world.span(-2_000, 5_000);
    world.hub.sleep(Millis(left.0 - early.0)).await;
    true
}

/// Whether the order is over for its client.
pub async fn poll(world: &Arc<World>, purchase: usize, caller: &Caller, order: OrderId) -> bool {
    let asker = caller.clone();
    let read = ask(world, purchase, None, |engine| async move {
        engine.get_status(&asker, order).await
    });
    let Ok(Ok(activation)) = read.await else {
        return false;
    };
    let now = world.now();
    world.with(|state| {
        let known = &mut state.purchases[purchase];
        let message = activation
            .message
            .filter(|_| activation.state == ActivationState::Received);
        if let Some(sms) = message
            && !known.codes.iter().any(|(_, code)| *code == sms.code)
        {
            known.codes.push((now, sms.code));
        }
        matches!(
            activation.state,
            ActivationState::Cancelled | ActivationState::Failed
        )
    })
}

/// Whether the cancel went through.
pub async fn cancel(world: &Arc<World>, purchase: usize, caller: &Caller, order: OrderId) -> bool {
    let twice = world.chance(150);
    if twice {
        world.reach("race", "two cancels at once");
        let (shared, asker) = (Arc::clone(world), caller.clone());
        world.hub.spawn(Owner::Outside, async move {
            let cancelled = ask(&shared, purchase, None, |engine| async move {
                engine.cancel(&asker, order, None).await
            });
            if let Ok(answer) = cancelled.await {
                note_cancel(&shared, purchase, &answer.outcome);
            }
        });
    }
    let asker = caller.clone();
    let patience = world.chance(80).then(|| world.span(1, 20_000));
    let cancelled = ask(world, purchase, patience, |engine| async move {
        engine.cancel(&asker, order, None).await
    });
    match cancelled.await {
        Ok(answer) => note_cancel(world, purchase, &answer.outcome),
        Err(_) => false,
    }
}

fn note_cancel(world: &World, purchase: usize, outcome: &Result<Usd, Refusal>) -> bool {
    world.tell(|| format!("purchase {purchase}: cancel says {outcome:?}"));
    world.with(|state| {
        state.reach(
            "cancel told",
            outcome.as_ref().map_or_else(Refusal::code, |_| "refunded"),
        );
        let known = &mut state.purchases[purchase];
        match outcome {
            Ok(amount) => {
                known.refunded = Some(*amount);
                true
            }
            Err(Refusal::AlreadyReceived) => {
                known.told_received = true;
                false
            }
            Err(_) => false,
        }
    })
}
