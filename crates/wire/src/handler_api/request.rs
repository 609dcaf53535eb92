//! Requests: the query string of a call, printed by a client and read by a server.

use crate::amount::amount;
use form_urlencoded::Serializer;
use rust_decimal::Decimal;
use std::fmt;

/// Longest parameter value looked at, in bytes.
const VALUE_MAX: usize = 512;
/// Most parameters looked at.
const PARAMETERS_MAX: usize = 64;

/// One call: whose key, and what is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The key; empty where the caller sent none.
    pub key: String,
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
    /// `getBalance` (also read from `getBalanceAndCashBack`).
    Balance,
    /// `getCountries`.
    Countries,
    /// `getServicesList`, of one country where given.
    Services {
        /// Country id.
        country: Option<String>,
    },
    /// `getNumbersStatus`: stock by service, of one country where given.
    NumbersStatus {
        /// Country id.
        country: Option<String>,
        /// Mobile operator.
        operator: Option<String>,
    },
    /// `getPrices`.
    Prices(PriceFilter),
    /// `getPricesExtended`: as `getPrices`, with the stock at every price.
    PricesExtended(PriceFilter),
    /// `getPricesV2`: price and stock ladders.
    PricesV2(PriceFilter),
    /// `getPricesV3`: per provider.
    PricesV3(PriceFilter),
    /// `getNumber`.
    Number(NumberOrder),
    /// `getNumberV2`.
    NumberV2(NumberOrder),
    /// `getStatus` of an activation.
    Status(String),
    /// `getStatusV2` of an activation.
    StatusV2(String),
    /// `setStatus` of an activation.
    SetStatus(String, SetStatus),
    /// `getActiveActivations`.
    Active(Page),
    /// `getHistory`.
    History {
        /// Start in unix seconds.
        start: Option<u64>,
        /// End in unix seconds.
        end: Option<u64>,
        /// Rows wanted.
        page: Page,
    },
}

/// Part of the price list wanted; nothing means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceFilter {
    /// Service code.
    pub service: Option<String>,
    /// Country id.
    pub country: Option<String>,
}

/// Rows of a list wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Rows to leave out (`start` on the active list, `offset` on the history).
    pub offset: Option<u64>,
    /// Most rows (`limit`).
    pub limit: Option<u64>,
}

/// A number to rent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberOrder {
    /// Service code.
    pub service: String,
    /// Country id.
    pub country: Option<String>,
    /// Operators, comma list.
    pub operator: Option<String>,
    /// Cap on the price, in the account's currency.
    pub max_price: Option<Decimal>,
    /// Providers (pools) to take from, comma list.
    pub provider_ids: Option<String>,
    /// Providers to leave out, comma list.
    pub except_provider_ids: Option<String>,
    /// Prefixes to leave out, comma list.
    pub phone_exception: Option<String>,
    /// Caller's own id, by which a repeat is recognised.
    pub order_id: Option<String>,
}

/// What `setStatus` can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetStatus {
    /// 1: the message was triggered.
    Ready,
    /// 3: another message is wanted.
    Retry,
    /// 6: done.
    Finish,
    /// 8 (or −1): cancel.
    Cancel,
}

impl SetStatus {
    /// Number on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ready => "1",
            Self::Retry => "3",
            Self::Finish => "6",
            Self::Cancel => "8",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "1" => Self::Ready,
            "3" => Self::Retry,
            "6" => Self::Finish,
            "8" | "-1" => Self::Cancel,
            _ => return None,
        })
    }
}

/// A request that cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// No `action`, or one that is not known.
    Action,
    /// `service` is missing.
    Service,
    /// `id` is missing.
    Id,
    /// `status` is not one of those known.
    Status,
    /// `maxPrice` is no amount.
    MaxPrice,
    /// `start`, `end`, `offset` or `limit` is no whole number.
    Range,
}

impl BadRequest {
    /// The word a classic server answers, under status 200.
    pub fn word(self) -> &'static str {
        match self {
            Self::Action => "BAD_ACTION",
            Self::Service => "BAD_SERVICE",
            Self::Id => "NO_ACTIVATION",
            Self::Status => "BAD_STATUS",
            Self::MaxPrice => "WRONG_MAX_PRICE",
            Self::Range => "WRONG_DATE",
        }
    }
}

impl Call {
    /// Reads a query string (or a form body): names are trimmed, unknown ones ignored, the first of
    /// two equal names counts, over-long values are dropped.
    pub fn parse(query: &str) -> Result<Self, BadRequest> {
        let parameters = Parameters::read(query);
        let request = parameters.request()?;
        Ok(Self {
            key: parameters.get("api_key").unwrap_or_default(),
            request,
        })
    }

    /// Prints the query string, without `?`. It holds the key: never log it.
    pub fn query(&self) -> String {
        let mut out = Serializer::new(String::new());
        out.append_pair("api_key", &self.key)
            .append_pair("action", self.request.action());
        for (name, value) in self.request.parameters() {
            out.append_pair(name, &value);
        }
        out.finish()
    }
}

impl Request {
    /// The `action` on the wire.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Balance => "getBalance",
            Self::Countries => "getCountries",
            Self::Services { .. } => "getServicesList",
            Self::NumbersStatus { .. } => "getNumbersStatus",
            Self::Prices(_) => "getPrices",
            Self::PricesExtended(_) => "getPricesExtended",
            Self::PricesV2(_) => "getPricesV2",
            Self::PricesV3(_) => "getPricesV3",
            Self::Number(_) => "getNumber",
            Self::NumberV2(_) => "getNumberV2",
            Self::Status(_) => "getStatus",
            Self::StatusV2(_) => "getStatusV2",
            Self::SetStatus(..) => "setStatus",
            Self::Active(_) => "getActiveActivations",
            Self::History { .. } => "getHistory",
        }
    }

    /// Parameters besides key and action, in sending order.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let number = |value: &Option<u64>| value.map(|value| value.to_string());
        let optional: Vec<(&'static str, Option<String>)> = match self {
            Self::Balance | Self::Countries => vec![],
            Self::Services { country } => vec![("country", country.clone())],
            Self::Prices(filter) | Self::PricesV2(filter) | Self::PricesV3(filter) => {
                vec![
                    ("service", filter.service.clone()),
                    ("country", filter.country.clone()),
                ]
            }
            Self::NumbersStatus { country, operator } => {
                vec![("country", country.clone()), ("operator", operator.clone())]
            }
            Self::PricesExtended(filter) => vec![
                ("service", filter.service.clone()),
                ("country", filter.country.clone()),
                ("freePrice", Some("true".to_owned())),
            ],
            Self::Number(order) | Self::NumberV2(order) => order.parameters(),
            Self::Status(id) | Self::StatusV2(id) => vec![("id", Some(id.clone()))],
            Self::SetStatus(id, status) => {
                vec![
                    ("id", Some(id.clone())),
                    ("status", Some(status.code().to_owned())),
                ]
            }
            Self::Active(page) => {
                vec![
                    ("start", number(&page.offset)),
                    ("limit", number(&page.limit)),
                ]
            }
            Self::History { start, end, page } => vec![
                ("start", number(start)),
                ("end", number(end)),
                ("offset", number(&page.offset)),
                ("limit", number(&page.limit)),
                // one dialect's name for the same
                ("size", number(&page.limit)),
            ],
        };
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

impl NumberOrder {
    fn parameters(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("service", Some(self.service.clone())),
            ("country", self.country.clone()),
            ("operator", self.operator.clone()),
            (
                "maxPrice",
                self.max_price.map(|price| price.normalize().to_string()),
            ),
            ("providerIds", self.provider_ids.clone()),
            ("exceptProviderIds", self.except_provider_ids.clone()),
            ("phoneException", self.phone_exception.clone()),
            ("orderId", self.order_id.clone()),
        ]
    }
}

/// Decoded parameters of a request.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.trim_start_matches('?').as_bytes());
        let kept = pairs
            .take(PARAMETERS_MAX)
            .filter(|(_, value)| value.len() <= VALUE_MAX);
        Self(
            kept.map(|(name, value)| (name.trim().to_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// A value that is not blank, trimmed.
    fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn request(&self) -> Result<Request, BadRequest> {
        Ok(
            match self.get("action").ok_or(BadRequest::Action)?.as_str() {
                "getBalance" | "getBalanceAndCashBack" => Request::Balance,
                "getCountries" => Request::Countries,
                "getServicesList" => Request::Services {
                    country: self.get("country"),
                },
                "getNumbersStatus" => Request::NumbersStatus {
                    country: self.get("country"),
                    operator: self.get("operator"),
                },
                "getPrices" => Request::Prices(self.filter()),
                "getPricesExtended" => Request::PricesExtended(self.filter()),
                "getPricesV2" => Request::PricesV2(self.filter()),
                "getPricesV3" => Request::PricesV3(self.filter()),
                "getNumber" => Request::Number(self.order()?),
                "getNumberV2" => Request::NumberV2(self.order()?),
                "getStatus" => Request::Status(self.id()?),
                "getStatusV2" => Request::StatusV2(self.id()?),
                "setStatus" => Request::SetStatus(self.id()?, self.status()?),
                "getActiveActivations" => Request::Active(self.page("start")?),
                "getHistory" => Request::History {
                    start: self.number("start")?,
                    end: self.number("end")?,
                    page: self.page("offset")?,
                },
                _ => return Err(BadRequest::Action),
            },
        )
    }

    fn filter(&self) -> PriceFilter {
        PriceFilter {
            service: self.get("service"),
            country: self.get("country"),
        }
    }

    fn order(&self) -> Result<NumberOrder, BadRequest> {
        let cap = self.get("maxPrice").or_else(|| self.get("max_price"));
        Ok(NumberOrder {
            service: self.get("service").ok_or(BadRequest::Service)?,
            country: self.get("country"),
            operator: self.get("operator"),
            max_price: cap
                .map(|cap| amount(&cap).ok_or(BadRequest::MaxPrice))
                .transpose()?,
            provider_ids: self.get("providerIds"),
            except_provider_ids: self.get("exceptProviderIds"),
            phone_exception: self.get("phoneException"),
            order_id: self.get("orderId"),
        })
    }

    fn id(&self) -> Result<String, BadRequest> {
        self.get("id").ok_or(BadRequest::Id)
    }

    fn status(&self) -> Result<SetStatus, BadRequest> {
        self.get("status")
            .as_deref()
            .and_then(SetStatus::read)
            .ok_or(BadRequest::Status)
    }

    fn page(&self, offset: &str) -> Result<Page, BadRequest> {
        Ok(Page {
            offset: self.number(offset)?,
            limit: self.number("limit")?.or(self.number("size")?),
        })
    }

    fn number(&self, name: &str) -> Result<Option<u64>, BadRequest> {
        let value = self.get(name);
        value
            .map(|text| crate::amount::count(&text).ok_or(BadRequest::Range))
            .transpose()
    }
}
