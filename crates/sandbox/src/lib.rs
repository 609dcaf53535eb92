//! Providers to practise on: servers that speak the real protocols over HTTP, sell a believable
//! catalogue, deliver codes and misbehave as scripted.
//!
//! Time comes from one injectable clock, everything that looks random from a seed, and all that
//! is sold goes through one set of books that a state file can carry over a restart.

mod accounts;
mod activation;
mod carrier;
mod catalogue;
mod clock;
mod event;
mod faults;
mod http;
mod journal;
mod mix;
mod number_sale;
mod numbers;
mod order_code;
mod panel_order;
mod panel_sale;
mod payments;
mod post;
mod sandbox;
mod state;
mod subscription;

pub use accounts::{Account, Dialect, Protocol, accounts};
pub use carrier::{
    CARRIER_PATH, CARRIER_TOKEN, Letter, PoolNumber, PoolService, letters, pool_misbehaviour,
    pool_numbers, pool_services,
};
pub use catalogue::{MisbehavingService, Misbehaviour, misbehaving_services, products};
pub use clock::{Clock, system_clock};
pub use http::{HangUp, router};
pub use payments::btcpay::{BTCPAY_KEY, BTCPAY_PATH, BTCPAY_STORE, BTCPAY_WEBHOOK_SECRET};
pub use payments::nowpayments::{NOWPAYMENTS_IPN_SECRET, NOWPAYMENTS_KEY, NOWPAYMENTS_PATH};
pub use payments::stripe::{STRIPE_KEY, STRIPE_PATH, STRIPE_WEBHOOK_SECRET};
pub use sandbox::Sandbox;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What a sandbox needs to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where everything that is sold is kept; without it a restart forgets.
    pub state_file: Option<PathBuf>,
    /// From which codes, numbers and ids follow. A state file keeps the seed it began with.
    pub seed: u64,
    /// Offers beyond the ordinary catalogue, to practise with a large one.
    pub offers: usize,
}

/// A sandbox that is being served.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    listening: http::Listening,
}

impl Sandbox {
    /// Starts a sandbox on the machine's clock. Errors are those of the state file and the address.
    pub async fn start(settings: Settings) -> io::Result<Running> {
        Self::start_with_clock(settings, system_clock()).await
    }

    /// As [`Sandbox::start`], on another clock.
    pub async fn start_with_clock(settings: Settings, clock: Clock) -> io::Result<Running> {
        let sandbox = Self::open(settings.state_file.as_deref(), settings.seed, clock)?;
        let sandbox = sandbox.stocked(settings.offers);
        let listening = http::listen(settings.listen, router(Arc::new(sandbox))).await?;
        Ok(Running {
            addr: listening.address,
            listening,
        })
    }
}

impl Running {
    /// Stops accepting, lets open answers finish for a moment, and lets go of the state file.
    pub async fn shutdown(self) {
        self.listening.shutdown().await;
    }
}
