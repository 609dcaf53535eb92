//! Requests: a path and a form, printed by a client and read by a server.

use crate::amount::{amount, count, id};
use form_urlencoded::Serializer;
use rust_decimal::Decimal;
use std::fmt;

/// Longest value looked at, in bytes.
const VALUE_MAX: usize = 512;
/// Most fields looked at.
const FIELDS_MAX: usize = 64;

/// One call: whose key, and what is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The key in the form; clients may send it in the head instead.
    pub key: Option<String>,
    /// What is asked.
    pub request: Request,
}

impl fmt::Debug for Call {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `country/retrieve_all`.
    Countries,
    /// `service/retrieve_all`, of one country where given.
    Services {
        /// Country.
        country: Option<String>,
    },
    /// `pool/retrieve_all`.
    Pools,
    /// `request/balance`.
    Balance,
    /// `request/price`: one price.
    Price(PriceFilter),
    /// `request/pricing`: all prices.
    Pricing(PriceFilter),
    /// `sms/all_stock`: all prices with stock.
    Stock(PriceFilter),
    /// `purchase/sms`.
    Buy(NumberOrder),
    /// `sms/check` of an order.
    Check(String),
    /// `request/active`.
    Active,
    /// `request/history`.
    History(Page),
    /// `sms/cancel` of an order.
    Cancel(String),
    /// `sms/resend` of an order.
    Resend(String),
}

/// Part of the price list wanted; nothing means all. Servers take ids and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceFilter {
    /// Country.
    pub country: Option<String>,
    /// Service.
    pub service: Option<String>,
    /// Pool.
    pub pool: Option<String>,
    /// Nothing dearer than this, in dollars.
    pub max_price: Option<Decimal>,
}

/// A number to rent. Servers take ids and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberOrder {
    /// Service.
    pub service: String,
    /// Country.
    pub country: Option<String>,
    /// Pool; without one the server chooses.
    pub pool: Option<String>,
    /// Cap on the price, in dollars.
    pub max_price: Option<Decimal>,
    /// Choose the pool that delivers best, not the cheapest.
    pub best_rate: bool,
}

/// Rows of the history wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Rows to leave out.
    pub start: Option<u64>,
    /// Most rows.
    pub length: Option<u64>,
    /// Text to look for.
    pub search: Option<String>,
}

/// A request that cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// No such path.
    Path,
    /// This field is missing.
    Missing(&'static str),
    /// This field is no number.
    Number(&'static str),
}

impl Request {
    /// The path below the base address, as segments.
    pub fn path(&self) -> [&'static str; 2] {
        match self {
            Self::Countries => ["country", "retrieve_all"],
            Self::Services { .. } => ["service", "retrieve_all"],
            Self::Pools => ["pool", "retrieve_all"],
            Self::Balance => ["request", "balance"],
            Self::Price(_) => ["request", "price"],
            Self::Pricing(_) => ["request", "pricing"],
            Self::Stock(_) => ["sms", "all_stock"],
            Self::Buy(_) => ["purchase", "sms"],
            Self::Check(_) => ["sms", "check"],
            Self::Active => ["request", "active"],
            Self::History(_) => ["request", "history"],
            Self::Cancel(_) => ["sms", "cancel"],
            Self::Resend(_) => ["sms", "resend"],
        }
    }

    /// Whether the call is a GET with a query; all others are a POST of a form.
    pub fn is_get(&self) -> bool {
        matches!(self, Self::Countries | Self::Services { .. })
    }

    /// Whether the account's key belongs to it.
    pub fn needs_key(&self) -> bool {
        !matches!(
            self,
            Self::Countries
                | Self::Services { .. }
                | Self::Pools
                | Self::Price(_)
                | Self::Pricing(_)
                | Self::Stock(_)
        )
    }

    /// Prints the form, without the key.
    pub fn form(&self) -> String {
        let mut out = Serializer::new(String::new());
        for (name, value) in self.fields() {
            out.append_pair(name, &value);
        }
        out.finish()
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let decimal = |amount: Option<Decimal>| amount.map(|amount| amount.normalize().to_string());
        let all: Vec<(&'static str, Option<String>)> = match self {
            Self::Countries | Self::Pools | Self::Balance | Self::Active => vec![],
            Self::Services { country } => vec![("country", country.clone())],
            Self::Price(filter) | Self::Pricing(filter) | Self::Stock(filter) => vec![
                ("country", filter.country.clone()),
                ("service", filter.service.clone()),
                ("pool", filter.pool.clone()),
                ("max_price", decimal(filter.max_price)),
            ],
            Self::Buy(order) => vec![
                ("country", order.country.clone()),
                ("service", Some(order.service.clone())),
                ("pool", order.pool.clone()),
                ("max_price", decimal(order.max_price)),
                (
                    "pricing_option",
                    Some(u8::from(order.best_rate).to_string()),
                ),
            ],
            Self::Check(id) | Self::Cancel(id) | Self::Resend(id) => {
                vec![("orderid", Some(id.clone()))]
            }
            Self::History(page) => vec![
                ("start", number(page.start)),
                ("length", number(page.length)),
                ("search", page.search.clone()),
            ],
        };
        let given = |(name, value): (&'static str, Option<String>)| Some((name, value?));
        all.into_iter().filter_map(given).collect()
    }
}

impl Call {
    /// Reads a path below the base address (a client may put `.php` behind it) and a form or query:
    /// unknown fields are ignored, the first of two equal names counts, over-long values are
    /// dropped.
    pub fn parse(path: &str, form: &str) -> Result<Self, BadRequest> {
        let fields = Fields::read(form);
        let path = path.trim_matches('/');
        let request = fields.request(path.strip_suffix(".php").unwrap_or(path))?;
        Ok(Self {
            key: fields.get("key"),
            request,
        })
    }
}

/// The fields of a form.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(form: &str) -> Self {
        let pairs = form_urlencoded::parse(form.as_bytes()).take(FIELDS_MAX);
        let short = pairs.filter(|(_, value)| value.len() <= VALUE_MAX);
        let owned = short.map(|(name, value)| (name.into_owned(), value.trim().to_owned()));
        Self(owned.collect())
    }

    fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    }

    fn request(&self, path: &str) -> Result<Request, BadRequest> {
        Ok(match path {
            "country/retrieve_all" => Request::Countries,
            "service/retrieve_all" => Request::Services {
                country: self.get("country"),
            },
            "pool/retrieve_all" => Request::Pools,
            "request/balance" => Request::Balance,
            "request/price" => Request::Price(self.one_price()?),
            "request/pricing" => Request::Pricing(self.filter()?),
            "sms/all_stock" => Request::Stock(self.filter()?),
            "purchase/sms" => Request::Buy(self.number_order()?),
            "sms/check" => Request::Check(self.order_id()?),
            "request/active" => Request::Active,
            "request/history" => Request::History(Page {
                start: self.count("start")?,
                length: self.count("length")?,
                search: self.get("search"),
            }),
            "sms/cancel" => Request::Cancel(self.order_id()?),
            "sms/resend" => Request::Resend(self.order_id()?),
            _ => return Err(BadRequest::Path),
        })
    }

    fn filter(&self) -> Result<PriceFilter, BadRequest> {
        Ok(PriceFilter {
            country: self.get("country"),
            service: self.get("service"),
            pool: self.get("pool"),
            max_price: self.amount("max_price")?,
        })
    }

    fn one_price(&self) -> Result<PriceFilter, BadRequest> {
        let filter = self.filter()?;
        match (&filter.country, &filter.service) {
            (None, _) => Err(BadRequest::Missing("country")),
            (_, None) => Err(BadRequest::Missing("service")),
            _ => Ok(filter),
        }
    }

    fn number_order(&self) -> Result<NumberOrder, BadRequest> {
        Ok(NumberOrder {
            service: self.get("service").ok_or(BadRequest::Missing("service"))?,
            country: self.get("country"),
            pool: self.get("pool"),
            max_price: self.amount("max_price")?,
            best_rate: self
                .get("pricing_option")
                .is_some_and(|option| option == "1"),
        })
    }

    /// Older clients call it `order_id`.
    fn order_id(&self) -> Result<String, BadRequest> {
        let given = self.get("orderid").or_else(|| self.get("order_id"));
        let given = given.and_then(|text| id(&text));
        given.ok_or(BadRequest::Missing("orderid"))
    }

    fn amount(&self, name: &'static str) -> Result<Option<Decimal>, BadRequest> {
        let read = |text: String| amount(&text).ok_or(BadRequest::Number(name));
        self.get(name).map(read).transpose()
    }

    fn count(&self, name: &'static str) -> Result<Option<u64>, BadRequest> {
        let read = |text: String| count(&text).ok_or(BadRequest::Number(name));
        self.get(name).map(read).transpose()
    }
}
