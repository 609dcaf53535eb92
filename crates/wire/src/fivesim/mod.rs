//! The 5sim protocol, version 1: paths out, JSON back, and errors as plain text under any status.
//! Everything is asked by `GET`, buying included.

mod failure;
mod guest;
mod order;
mod prices;
mod profile;
mod request;
mod slug;
mod words;

pub use failure::{PRICES_NONE, open};
pub use guest::{Countries, Country, Product, Products};
pub use order::{Message, Order, OrderList, OrderStatus};
pub use prices::{PriceOrder, PriceRow, Rates, print_prices, read_prices};
pub use profile::Profile;
pub use request::{BadRequest, OrderCall, Page, PriceFilter, Purchase, Request};
pub use slug::Slug;
pub use words::{Text, class_of};

#[cfg(test)]
mod tests;
