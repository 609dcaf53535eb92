//! The list of active activations, whole: what is not on it may be taken for not sold.

use super::HandlerApi;
use super::classify::listed_number;
use crate::transport::{Fetched, LIST_MAX};
use domain::upstream::{ListedNumber, ReadFailure};
use std::collections::HashSet;
use wire::handler_api::{Active, ActiveList, Page, Request, currency_word};

/// Most pages of one list: more than any account has open.
const PAGES_MAX: usize = 1000;

impl HandlerApi {
    /// Every active activation, page after page where the upstream has pages. Pages overlap by a
    /// quarter: what ends while they are read moves the rest up, and none must slip through between.
    pub(super) async fn active_now(&self) -> Result<Vec<ListedNumber>, ReadFailure> {
        let sheet = &self.settings.capabilities;
        if !sheet.list_active {
            return Err(ReadFailure::NotOffered);
        }
        let limit = sheet.list_page_limit.map(u64::from);
        let (mut rows, mut ids, mut offset) = (Vec::new(), HashSet::new(), 0);
        for _ in 0..PAGES_MAX {
            let page = Page {
                offset: limit.map(|_| offset),
                limit,
            };
            let listed = self.active_page(page).await?;
            let (length, known) = (listed.len() as u64, rows.len());
            rows.extend(listed.into_iter().filter(|row| ids.insert(row.id.clone())));
            match limit {
                // a page without news: the upstream knows no pages and lists all at once
                Some(limit) if length >= limit && rows.len() > known => {
                    offset += (limit - limit / 4).max(1);
                }
                _ => {
                    return Ok(rows.iter().map(|row| self.listed(row)).collect());
                }
            }
        }
        Err(self.unusable(format!("the active list has more than {PAGES_MAX} pages")))
    }

    async fn active_page(&self, page: Page) -> Result<Vec<Active>, ReadFailure> {
        let parse = |f: &Fetched| ActiveList::parse(f.answer());
        let list = self.read(Request::Active(page), LIST_MAX, parse).await?;
        match list.skipped {
            0 => Ok(list.rows),
            // whoever reads this list may conclude that an order does not exist
            skipped => {
                Err(self.unusable(format!("{skipped} rows of the active list are unreadable")))
            }
        }
    }

    /// A row as the engine reads it; of a cost in another currency nothing is known.
    fn listed(&self, row: &Active) -> ListedNumber {
        let said = row.currency.map(currency_word);
        let mut listed = listed_number(row, self.exchange);
        listed.cost = listed
            .cost
            .filter(|_| self.settings.account.is_ours(said.as_deref()));
        listed
    }

    fn unusable(&self, why: String) -> ReadFailure {
        tracing::warn!(upstream = %self.settings.account.name, "{why}");
        ReadFailure::Fault(why)
    }
}
