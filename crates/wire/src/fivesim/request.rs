//! Requests: path and query of a call, printed by a client and read by a server. The key travels
//! in a header (`Authorization: Bearer …`), never in either of them.

use super::slug::Slug;
use super::words::Text;
use crate::amount::{amount, count};
use form_urlencoded::Serializer;
use rust_decimal::Decimal;

/// Most parameters looked at.
const PARAMETERS_MAX: usize = 32;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `/user/profile`: the account with its balance.
    Profile,
    /// `/guest/countries`.
    Countries,
    /// `/guest/products/{country}/{operator}`.
    Products {
        /// Country.
        country: Slug,
        /// Operator, or `any`.
        operator: Slug,
    },
    /// `/guest/prices`.
    Prices(PriceFilter),
    /// `/user/buy/activation/{country}/{operator}/{product}`.
    Buy(Purchase),
    /// `/user/{check|finish|cancel|ban}/{id}`.
    Order(OrderCall, u64),
    /// `/user/orders?category=activation`, newest first.
    Orders(Page),
}

/// Part of the price list wanted; nothing means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceFilter {
    /// Country.
    pub country: Option<Slug>,
    /// Product.
    pub product: Option<Slug>,
}

/// Rows of a list wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Most rows.
    pub limit: Option<u64>,
    /// Rows to leave out.
    pub offset: Option<u64>,
}

/// A number to rent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Country.
    pub country: Slug,
    /// Operator, or `any`.
    pub operator: Slug,
    /// Product.
    pub product: Slug,
    /// Cap on the price, in the account's currency. Servers heed it only with operator `any`.
    pub max_price: Option<Decimal>,
}

/// What is asked of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderCall {
    /// Its state.
    Check,
    /// Done after its message.
    Finish,
    /// Cancel.
    Cancel,
    /// Report the number as bad, which closes the order too.
    Ban,
}

impl OrderCall {
    const WORDS: [(&str, Self); 4] = [
        ("check", Self::Check),
        ("finish", Self::Finish),
        ("cancel", Self::Cancel),
        ("ban", Self::Ban),
    ];

    /// The word in the path.
    pub fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Finish => "finish",
            Self::Cancel => "cancel",
            Self::Ban => "ban",
        }
    }
}

/// A request that cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// No such path.
    Path,
    /// The country is no slug.
    Country,
    /// The operator is no slug.
    Operator,
    /// The product is no slug.
    Product,
    /// The id is no number.
    Order,
    /// `maxPrice` is no amount.
    MaxPrice,
    /// `limit` or `offset` is no whole number.
    Range,
}

impl BadRequest {
    /// Text of the answer, and its status.
    pub fn answer(self) -> (u16, &'static str) {
        match self {
            Self::Path => (404, "404 page not found"),
            Self::Country => (400, Text::BadCountry.as_str()),
            Self::Operator => (400, Text::BadOperator.as_str()),
            Self::Product => (400, Text::NoProduct.as_str()),
            Self::Order => (404, Text::OrderNotFound.as_str()),
            Self::MaxPrice => (400, "max price is incorrect"),
            Self::Range => (400, "limit or offset is incorrect"),
        }
    }
}

impl Request {
    /// Whether the key must come along.
    pub fn is_private(&self) -> bool {
        !matches!(
            self,
            Self::Countries | Self::Products { .. } | Self::Prices(_)
        )
    }

    /// Path below the protocol's base address, with the query behind it; safe to log.
    pub fn path(&self) -> String {
        match self {
            Self::Profile => "user/profile".to_owned(),
            Self::Countries => "guest/countries".to_owned(),
            Self::Products { country, operator } => format!("guest/products/{country}/{operator}"),
            Self::Prices(filter) => with_query(
                "guest/prices",
                [
                    ("country", filter.country.as_ref().map(Slug::to_string)),
                    ("product", filter.product.as_ref().map(Slug::to_string)),
                ],
            ),
            Self::Buy(purchase) => purchase.path(),
            Self::Order(call, id) => format!("user/{}/{id}", call.word()),
            Self::Orders(page) => with_query(
                "user/orders",
                [
                    ("category", Some("activation".to_owned())),
                    ("limit", page.limit.map(|limit| limit.to_string())),
                    ("offset", page.offset.map(|offset| offset.to_string())),
                    ("order", Some("id".to_owned())),
                    ("reverse", Some("true".to_owned())),
                ],
            ),
        }
    }

    /// Reads the path below the base address (a slash in front is left out) and the query string;
    /// unknown parameters are ignored.
    pub fn parse(path: &str, query: &str) -> Result<Self, BadRequest> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let parameters = Parameters::read(query);
        match parts.as_slice() {
            ["user", "profile"] => Ok(Self::Profile),
            ["user", "orders"] => parameters.page().map(Self::Orders),
            ["user", "buy", "activation", country, operator, product] => Ok(Self::Buy(Purchase {
                country: Slug::parse(country).ok_or(BadRequest::Country)?,
                operator: Slug::parse(operator).ok_or(BadRequest::Operator)?,
                product: Slug::parse(product).ok_or(BadRequest::Product)?,
                max_price: parameters.max_price()?,
            })),
            ["user", word, id] => {
                let known = OrderCall::WORDS.iter().find(|(known, _)| known == word);
                let (_, call) = known.ok_or(BadRequest::Path)?;
                Ok(Self::Order(*call, count(id).ok_or(BadRequest::Order)?))
            }
            ["guest", "countries"] => Ok(Self::Countries),
            ["guest", "products", country, operator] => Ok(Self::Products {
                country: Slug::parse(country).ok_or(BadRequest::Country)?,
                operator: Slug::parse(operator).ok_or(BadRequest::Operator)?,
            }),
            ["guest", "prices"] => Ok(Self::Prices(PriceFilter {
                country: parameters.slug("country", BadRequest::Country)?,
                product: parameters.slug("product", BadRequest::Product)?,
            })),
            _ => Err(BadRequest::Path),
        }
    }
}

impl Purchase {
    fn path(&self) -> String {
        let (country, operator, product) = (&self.country, &self.operator, &self.product);
        let cap = self.max_price.map(|cap| cap.normalize().to_string());
        with_query(
            &format!("user/buy/activation/{country}/{operator}/{product}"),
            [("maxPrice", cap)],
        )
    }
}

fn with_query<const N: usize>(path: &str, pairs: [(&str, Option<String>); N]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// Decoded parameters of a request.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).take(PARAMETERS_MAX);
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// A value that is not blank, trimmed.
    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    fn slug(&self, name: &str, bad: BadRequest) -> Result<Option<Slug>, BadRequest> {
        let read = |text| Slug::parse(text).ok_or(bad);
        self.get(name).map(read).transpose()
    }

    fn max_price(&self) -> Result<Option<Decimal>, BadRequest> {
        let read = |text| amount(text).ok_or(BadRequest::MaxPrice);
        self.get("maxPrice").map(read).transpose()
    }

    fn page(&self) -> Result<Page, BadRequest> {
        let number = |name| {
            let read = |text| count(text).ok_or(BadRequest::Range);
            self.get(name).map(read).transpose()
        };
        Ok(Page {
            limit: number("limit")?,
            offset: number("offset")?,
        })
    }
}
