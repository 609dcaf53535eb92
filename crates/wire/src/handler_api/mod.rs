//! The `handler_api` protocol in all its dialects: a query string out, a bare word, a
//! `WORD:argument` or JSON back. Replies read every known variant whatever the dialect; the dialect
//! decides only how they are printed.

mod active;
mod catalogue;
mod failure;
mod history;
mod prices;
mod purchase;
mod request;
mod status;
mod stock;
pub mod words;

pub use active::{Active, ActiveList, ActiveShape, ActiveState};
pub use catalogue::{Countries, Country, Service, ServiceShape, Services};
pub use failure::{Body, Failure, Refused, hero_problem, json_problem, open};
pub use history::{History, HistoryRow};
pub use prices::{PriceRow, PriceShape, Prices};
pub use purchase::{Balance, NumberSold, NumberV2, currency_word};
pub use request::{BadRequest, Call, NumberOrder, Page, PriceFilter, Request, SetStatus};
pub use status::{CallV2, SetStatusReply, SmsV2, Status, StatusV2, StatusV2Reply};
pub use stock::NumbersStatus;
pub use words::Class;

#[cfg(test)]
mod tests;
