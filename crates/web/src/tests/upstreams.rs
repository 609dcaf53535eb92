//! Scripted upstreams: the service's id says what a purchase comes to.

use domain::phone::Phone;
use domain::time::Millis;
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, ListedPanelOrder, Number, NumberListing, NumberOffer,
    NumberRequest, NumberStatus, NumberUpstream, PanelRequest, PanelService, PanelStatus,
    PanelStatusRow, PanelUpstream, Pending, Progress, Purchase, ReadFailure, RefillProgress,
    RefillReply, RefillRow, Refusal, Reply, Sms,
};
use domain::usd::{Rate, Usd};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

fn capabilities() -> Capabilities {
    Capabilities {
        list_lag: Millis(0),
        late_window: Millis::seconds(60),
        ..Capabilities::numbers()
    }
}

fn reply<T>(outcome: T) -> Reply<T> {
    Reply {
        outcome,
        raw: "scripted".to_owned(),
    }
}

/// What all OTP upstreams of a world share.
pub(super) struct Numbers {
    pub sold: AtomicU64,
    pub cancelled: AtomicU64,
    /// Opens purchases of the service `slow`.
    pub gate: Semaphore,
    /// What every activation has received.
    pub message: Mutex<Option<Sms>>,
    /// Added to the cost of every offer, in micro-dollars.
    pub surcharge: AtomicI64,
    /// Offers listed at most.
    pub listed: AtomicU64,
    /// What `peter` refuses purchases with, also those that waited at the gate.
    pub refusal: Mutex<Option<Refusal>>,
    /// Purchase calls that reached `peter`.
    pub calls: AtomicU64,
    /// What `mark` takes for anything, in micro-dollars.
    pub cost_at_mark: AtomicI64,
    /// Our balance everywhere, in micro-dollars.
    pub balance: AtomicI64,
    /// Services listed beyond those that are sold.
    pub more_services: AtomicU64,
    /// Whether what is active is listed.
    pub lists: AtomicBool,
    /// What of it was asked for one by one.
    pub asked: Mutex<Vec<String>>,
    /// How often the list was asked for.
    pub lists_asked: AtomicU64,
    /// Whether no list is to be had.
    pub list_is_down: AtomicBool,
    /// Whether `peter` answers nothing but purchases.
    pub peter_hangs: AtomicBool,
    /// Cancels wait here for a permit each, once this is set.
    pub cancel_gate: Mutex<Option<Arc<Semaphore>>>,
    /// What comes of a cancel.
    pub cancel_reply: Mutex<CancelReply>,
    /// How often listings were asked for.
    pub listings: AtomicU64,
    /// How long we are asked to wait.
    pub wait: Mutex<Option<Millis>>,
    /// What lists are refused with.
    pub list_refusal: Mutex<Option<Refusal>>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            sold: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            gate: Semaphore::new(0),
            message: Mutex::new(None),
            surcharge: AtomicI64::new(0),
            listed: AtomicU64::new(u64::MAX),
            refusal: Mutex::default(),
            calls: AtomicU64::new(0),
            cost_at_mark: AtomicI64::new(20_000),
            balance: AtomicI64::new(1_000_000_000),
            more_services: AtomicU64::new(0),
            lists: AtomicBool::new(false),
            asked: Mutex::default(),
            lists_asked: AtomicU64::new(0),
            list_is_down: AtomicBool::new(false),
            peter_hangs: AtomicBool::new(false),
            cancel_gate: Mutex::default(),
            cancel_reply: Mutex::new(CancelReply::Cancelled),
            listings: AtomicU64::new(0),
            wait: Mutex::default(),
            list_refusal: Mutex::default(),
        }
    }
}

impl Numbers {
    pub fn of(self: &Arc<Self>, server: &'static str) -> Arc<OneServer> {
        Arc::new(OneServer {
            server,
            shared: Arc::clone(self),
            capabilities: capabilities(),
        })
    }

    fn sell(&self, server: &str) -> Reply<Purchase<Number>> {
        let count = self.sold.fetch_add(1, Ordering::SeqCst);
        let phone = Phone::parse(&format!("92300{:07}", 1_234_567 + count)).unwrap();
        reply(Purchase::Done(Number {
            id: format!("{server}-{count}"),
            phone,
            cost: None,
            lifetime: None,
            cancel_after: None,
        }))
    }
}

/// One OTP upstream.
pub(super) struct OneServer {
    server: &'static str,
    shared: Arc<Numbers>,
    capabilities: Capabilities,
}

impl OneServer {
    async fn buy_number(&self, service: &str) -> Reply<Purchase<Number>> {
        let at_peter = self.server == "peter";
        self.shared
            .calls
            .fetch_add(at_peter.into(), Ordering::SeqCst);
        if service == "slow" && at_peter {
            self.shared.gate.acquire().await.unwrap().forget();
        }
        let refusal = self.shared.refusal.lock().unwrap().clone();
        if let Some(refusal) = refusal.filter(|_| at_peter) {
            return reply(Purchase::Refused(refusal));
        }
        match service {
            _ if self.server == "mark" => self.shared.sell(self.server),
            "none" => reply(Purchase::Refused(Refusal::NoStock)),
            "lost" => reply(Purchase::Unknown),
            _ => self.shared.sell(self.server),
        }
    }

    /// Never ends where this server hangs.
    async fn answer(&self) {
        if self.server == "peter" && self.shared.peter_hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    fn offers(&self) -> Vec<NumberOffer> {
        let country = if self.server == "paul" { "6" } else { "61" };
        let offer = |service: &str, pool: Option<&str>, cost| NumberOffer {
            country: country.to_owned(),
            service: service.to_owned(),
            pool: pool.map(str::to_owned),
            cost: Usd(cost + self.shared.surcharge.load(Ordering::SeqCst)),
            available: (self.server == "peter").then_some(100),
            success_rate: (self.server == "peter").then_some(86),
        };
        match self.server {
            "peter" => ["306343", "none", "lost", "slow"]
                .map(|service| offer(service, None, 33_333))
                .to_vec(),
            "mark" => {
                let added = self.shared.surcharge.load(Ordering::SeqCst);
                let cost = self.shared.cost_at_mark.load(Ordering::SeqCst) - added;
                ["306343", "none", "lost", "slow"]
                    .map(|service| offer(service, None, cost))
                    .to_vec()
            }
            "paul" => ["tg", "plenty", "kept"]
                .map(|service| offer(service, None, 150_000))
                .to_vec(),
            _ => vec![
                offer("tg", Some("7"), 50_000),
                offer("tg", Some("8"), 40_000),
            ],
        }
    }
}

impl NumberUpstream for OneServer {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn buy<'a>(&'a self, request: &'a NumberRequest) -> Pending<'a, Reply<Purchase<Number>>> {
        Box::pin(self.buy_number(&request.service))
    }

    fn status<'a>(&'a self, id: &'a str) -> Pending<'a, Result<NumberStatus, ReadFailure>> {
        self.shared.asked.lock().unwrap().push(id.to_owned());
        let message = self.shared.message.lock().unwrap().clone();
        let status = message.map_or(NumberStatus::Waiting, NumberStatus::Code);
        Box::pin(async move {
            self.answer().await;
            Ok(status)
        })
    }

    fn active(&self) -> Pending<'_, Result<Vec<ListedNumber>, ReadFailure>> {
        self.shared.lists_asked.fetch_add(1, Ordering::SeqCst);
        let count = match self.shared.lists.load(Ordering::SeqCst) {
            true => self.shared.sold.load(Ordering::SeqCst),
            false => 0,
        };
        let row = |count| ListedNumber {
            id: format!("{}-{count}", self.server),
            service: "306343".to_owned(),
            country: None,
            phone: None,
            cost: None,
            created_at: None,
            sms: None,
            retry_asked: false,
        };
        let rows = (0..count).map(row).collect();
        let refusal = self.shared.list_refusal.lock().unwrap().clone();
        let refused = refusal.map(ReadFailure::Refused);
        let down = self.shared.list_is_down.load(Ordering::SeqCst);
        let down = down.then(|| ReadFailure::Fault("the list is down".to_owned()));
        Box::pin(async move {
            self.answer().await;
            refused.or(down).map_or(Ok(rows), Err)
        })
    }

    fn cancel<'a>(&'a self, _: &'a str) -> Pending<'a, Reply<CancelReply>> {
        self.shared.cancelled.fetch_add(1, Ordering::SeqCst);
        let gate = self.shared.cancel_gate.lock().unwrap().clone();
        Box::pin(async move {
            self.answer().await;
            if let Some(gate) = gate {
                gate.acquire().await.unwrap().forget();
            }
            reply(self.shared.cancel_reply.lock().unwrap().clone())
        })
    }

    fn finish<'a>(&'a self, _: &'a str) -> Pending<'a, Result<(), ReadFailure>> {
        Box::pin(async { Ok(()) })
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(async { Ok(Usd(self.shared.balance.load(Ordering::SeqCst))) })
    }

    fn asked_to_wait(&self) -> Option<Millis> {
        self.shared.wait.lock().unwrap().take()
    }

    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>> {
        self.shared.listings.fetch_add(1, Ordering::SeqCst);
        let country = if self.server == "paul" { "6" } else { "61" };
        let listed = self.shared.listed.load(Ordering::SeqCst);
        let listed = usize::try_from(listed).unwrap_or(usize::MAX);
        let more = self.shared.more_services.load(Ordering::SeqCst);
        let services = [
            ("306343", "Discord"),
            ("tg", "Telegram"),
            ("none", "Sandbox: no numbers"),
            ("lost", "Sandbox: answer lost"),
            ("slow", "Sandbox: slow answer"),
            ("plenty", "Sandbox: no numbers"),
            ("kept", "Sandbox: answer lost"),
        ];
        let listing = NumberListing {
            countries: vec![(country.to_owned(), "Pakistan".to_owned())],
            services: services
                .map(|(id, name)| (id.to_owned(), name.to_owned()))
                .into_iter()
                .chain((0..more).map(|number| (number.to_string(), format!("Odd {number}"))))
                .collect(),
            offers: self.offers().into_iter().take(listed).collect(),
        };
        Box::pin(async { Ok(listing) })
    }
}

/// The SMM panel: a link with `slow` in it waits at the gate, one with `lost` is never answered.
pub(super) struct Panel {
    pub placed: AtomicU64,
    pub gate: Semaphore,
    /// What it says of every order; nothing at first.
    pub said: Mutex<Option<PanelStatus>>,
    pub cancels: AtomicU64,
    pub cancel_reply: Mutex<CancelReply>,
    pub refills: AtomicU64,
    pub refill_reply: Mutex<RefillReply>,
    pub refill_said: Mutex<RefillProgress>,
    /// The id it gives to every order, where it does.
    pub id: Mutex<Option<String>>,
    /// What its followers cost, in nano-dollars per 1000.
    pub rate: AtomicI64,
    /// Whether it lists its orders.
    pub lists: AtomicBool,
    capabilities: Capabilities,
    unlisted: Capabilities,
}

impl Default for Panel {
    fn default() -> Self {
        Self {
            placed: AtomicU64::new(0),
            gate: Semaphore::new(0),
            said: Mutex::new(None),
            cancels: AtomicU64::new(0),
            cancel_reply: Mutex::new(CancelReply::Cancelled),
            refills: AtomicU64::new(0),
            refill_reply: Mutex::new(RefillReply::Taken("r-1".to_owned())),
            refill_said: Mutex::new(RefillProgress::InProgress),
            id: Mutex::new(None),
            rate: AtomicI64::new(900_000_000),
            lists: AtomicBool::new(true),
            capabilities: capabilities(),
            unlisted: Capabilities {
                list_active: false,
                ..capabilities()
            },
        }
    }
}

impl Panel {
    /// From now on it says this of every order: all delivered, with what is changed.
    pub fn says(&self, progress: Progress, change: impl FnOnce(&mut PanelStatus)) {
        let mut status = PanelStatus {
            progress: Some(progress),
            raw_status: progress.word().to_owned(),
            remains: Some(0),
            start_count: Some(7),
            charge: None,
            children: Vec::new(),
            child_ids: Vec::new(),
        };
        change(&mut status);
        *self.said.lock().unwrap() = Some(status);
    }

    async fn place_order(&self, link: &str) -> Reply<Purchase<String>> {
        if link.contains("lost") {
            return reply(Purchase::Unknown);
        }
        if link.contains("slow") {
            self.gate.acquire().await.unwrap().forget();
        }
        let id = self.placed.fetch_add(1, Ordering::SeqCst).to_string();
        let always = self.id.lock().unwrap().clone();
        reply(Purchase::Done(always.unwrap_or(id)))
    }
}

fn service(id: &str, name: &str, kind: &'static str, rate: i64, max: u64) -> PanelService {
    PanelService {
        id: id.to_owned(),
        name: name.to_owned(),
        category: "Instagram".to_owned(),
        kind: Some(kind),
        rate: Rate(rate),
        min: 50,
        max,
        refill: id == "1",
        cancel: id != "5",
        dripfeed: id == "5",
    }
}

impl PanelUpstream for Panel {
    fn capabilities(&self) -> &Capabilities {
        match self.lists.load(Ordering::SeqCst) {
            true => &self.capabilities,
            false => &self.unlisted,
        }
    }

    fn place<'a>(&'a self, request: &'a PanelRequest) -> Pending<'a, Reply<Purchase<String>>> {
        let link = request.members.iter().find(|(name, _)| *name == "link");
        let link = link.map_or("", |(_, value)| value);
        Box::pin(self.place_order(link))
    }

    fn statuses<'a>(
        &'a self,
        ids: &'a [String],
    ) -> Pending<'a, Result<Vec<PanelStatusRow>, ReadFailure>> {
        let said = self.said.lock().unwrap().clone();
        let row = |id: &String| Some((id.clone(), Ok(said.clone()?)));
        let rows: Vec<PanelStatusRow> = ids.iter().filter_map(row).collect();
        Box::pin(async { Ok(rows) })
    }

    fn orders(&self) -> Pending<'_, Result<Vec<ListedPanelOrder>, ReadFailure>> {
        // what was lost never arrived
        Box::pin(async { Ok(Vec::new()) })
    }

    fn cancel<'a>(&'a self, _: &'a str) -> Pending<'a, Reply<CancelReply>> {
        self.cancels.fetch_add(1, Ordering::SeqCst);
        let outcome = self.cancel_reply.lock().unwrap().clone();
        Box::pin(async { reply(outcome) })
    }

    fn refill<'a>(&'a self, _: &'a str) -> Pending<'a, Reply<RefillReply>> {
        self.refills.fetch_add(1, Ordering::SeqCst);
        let outcome = self.refill_reply.lock().unwrap().clone();
        Box::pin(async { reply(outcome) })
    }

    fn refill_statuses<'a>(
        &'a self,
        ids: &'a [String],
    ) -> Pending<'a, Result<Vec<RefillRow>, ReadFailure>> {
        let said = *self.refill_said.lock().unwrap();
        let rows: Vec<RefillRow> = ids.iter().map(|id| (id.clone(), Ok(said))).collect();
        Box::pin(async { Ok(rows) })
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(async { Ok(Usd(1_000_000_000)) })
    }

    fn services(&self) -> Pending<'_, Result<Vec<PanelService>, ReadFailure>> {
        let services = vec![
            service(
                "1",
                "Followers",
                "Default",
                self.rate.load(Ordering::SeqCst),
                10_000,
            ),
            service("2", "Comments", "Custom Comments", 900_000_000, 10_000),
            service("3", "Mass report", "Default", 900_000_000, 10_000),
            service("4", "Followers gold", "Default", i64::MAX / 2, u64::MAX),
            service("5", "Followers drip", "Default", 900_000_000, 10_000),
        ];
        Box::pin(async { Ok(services) })
    }
}
