//! The SMSPool protocol: a form to one path for each call, JSON back. Prices are decimal strings
//! in dollars, ids are integers in new answers and strings in old ones, texts hold HTML.

mod actions;
mod catalogue;
mod check;
mod failure;
mod orders;
mod prices;
mod purchase;
mod request;
mod text;

pub use actions::{Balance, Cancelled, Resent};
pub use catalogue::{Countries, Country, Named, NamedList};
pub use check::{Check, OrderState};
pub use failure::{
    BALANCE_ERROR, Field, OUT_OF_STOCK, PRICE_NOT_FOUND, open, print_fields, print_pools,
    print_refusal,
};
pub use orders::{ListedOrder, Orders};
pub use prices::{Price, PriceCell, PriceList};
pub use purchase::{NumberBought, full_number};
pub use request::{BadRequest, Call, NumberOrder, Page, PriceFilter, Request};
pub use text::plain;

#[cfg(test)]
mod tests;
