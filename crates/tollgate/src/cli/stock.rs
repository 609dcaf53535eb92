//! Words of the command line about what is sold: upstreams, the catalogue, the operator's own numbers.

use crate::admin::Request;
use crate::admin::upstreams::Question;
use anyhow::{Context, bail};
use clap::Subcommand;
use std::path::PathBuf;

/// Longest settings file that is compared: the request to the server is one bounded line.
const PREVIEW_MAX: usize = 32 * 1024;

/// The accounts at providers.
#[derive(Debug, Subcommand)]
pub enum Upstreams {
    /// Show every upstream: protocol, servers, state, last known balance.
    List,
    /// Buy nothing there any more, on any node and over restarts; what was bought is served on.
    Pause {
        /// Its name in the settings.
        name: String,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Buy there again.
    Resume {
        /// Its name in the settings.
        name: String,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Try one out, step by step, and say what is wrong. Nothing is bought.
    Test {
        /// Its name in the settings.
        name: String,
    },
}

/// What is on sale.
#[derive(Debug, Subcommand)]
pub enum Catalogue {
    /// Read all upstreams' catalogues anew.
    Refresh,
    /// Count what is on sale, by upstream, with age and trouble.
    Stats,
    /// List services that are not sold because nobody has classified them.
    Unclassified,
    /// Classify a service, at once and over restarts. What is denied for good stays denied.
    Classify {
        /// Name of the service as "unclassified" lists it.
        name: String,
        /// Class, such as social_messaging; all are in docs/settings.md.
        class: String,
    },
    /// Show how costs changed, the latest first.
    History {
        /// Only this service, by id or name.
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        /// Only this country.
        #[arg(long, value_name = "COUNTRY")]
        country: Option<String>,
        /// Only this upstream.
        #[arg(long, value_name = "NAME")]
        upstream: Option<String>,
        /// Changes at most.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Show which prices the [markup] of another settings file would change.
    Preview {
        /// The changed settings file, or one with nothing but [markup] in it.
        file: PathBuf,
        /// Tier of the account whose prices are compared.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
        tier: u8,
        /// Compare the prices of this account instead.
        #[arg(long, value_name = "ID", conflicts_with = "tier")]
        account: Option<i64>,
        /// Examples at most.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        limit: u32,
    },
}

/// Your own numbers.
#[derive(Debug, Subcommand)]
pub enum Number {
    /// Bring a number into service.
    Add {
        /// Upstream whose pool it joins.
        #[arg(long, value_name = "NAME")]
        upstream: String,
        /// The number with its country code, such as +14155550199.
        #[arg(long, value_name = "NUMBER")]
        number: String,
        /// Country: name or two letters.
        #[arg(long, value_name = "COUNTRY")]
        country: String,
        /// Part of the pool that customers choose by itself.
        #[arg(long, value_name = "POOL")]
        pool: Option<String>,
        /// Service codes it may be rented for; all where left out.
        #[arg(long, value_name = "CODES", value_delimiter = ',')]
        only: Vec<String>,
        /// Service codes it may not be rented for.
        #[arg(long, value_name = "CODES", value_delimiter = ',')]
        never: Vec<String>,
    },
    /// Bring many numbers into service: lines of NUMBER,COUNTRY or NUMBER,COUNTRY,POOL.
    Import {
        /// Upstream whose pool they join.
        #[arg(long, value_name = "NAME")]
        upstream: String,
        /// The file.
        file: PathBuf,
    },
    /// List a pool.
    List {
        /// Upstream.
        #[arg(long, value_name = "NAME")]
        upstream: String,
    },
    /// Take a number out of service; whoever rents it keeps it to the end.
    Retire {
        /// Upstream.
        #[arg(long, value_name = "NAME")]
        upstream: String,
        /// The number.
        #[arg(long, value_name = "NUMBER")]
        number: String,
    },
    /// Show the latest messages that came while nobody rented their number.
    Unmatched {
        /// Messages at most.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

impl From<Upstreams> for Request {
    fn from(command: Upstreams) -> Self {
        let pause = |name, paused, reason| Question::Pause {
            name,
            paused,
            reason,
        };
        Self::Upstream(match command {
            Upstreams::List => Question::List,
            Upstreams::Test { name } => Question::Test { name },
            Upstreams::Pause { name, reason } => pause(name, true, reason),
            Upstreams::Resume { name, reason } => pause(name, false, reason),
        })
    }
}

impl Catalogue {
    /// What is asked.
    ///
    /// # Errors
    /// The file to compare with cannot be read, or is too long.
    pub fn request(self) -> anyhow::Result<Request> {
        Ok(match self {
            Catalogue::Refresh => Request::CatalogueRefresh,
            Catalogue::Stats => Request::CatalogueStats,
            Catalogue::Unclassified => Request::CatalogueUnclassified,
            Catalogue::Classify { name, class } => Request::CatalogueClassify { name, class },
            Catalogue::History {
                service,
                country,
                upstream,
                limit,
            } => Request::CatalogueHistory {
                service,
                country,
                upstream,
                limit,
            },
            Catalogue::Preview {
                file,
                tier,
                account,
                limit,
            } => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("cannot read the settings file {}", file.display()))?;
                if text.len() > PREVIEW_MAX {
                    bail!(
                        "{} is too long for a preview; give a file with nothing but [markup] in it",
                        file.display()
                    );
                }
                Request::CataloguePreview {
                    file: text,
                    whose: (tier, account),
                    limit,
                }
            }
        })
    }
}
