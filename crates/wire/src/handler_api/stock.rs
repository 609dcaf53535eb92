//! Reply to `getNumbersStatus`.

use super::catalogue::json;
use super::failure::Failure;
use crate::amount::{count, id};
use crate::answer::Answer;
use crate::json::{Keyed, print};

/// Numbers in stock by service code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumbersStatus {
    /// Service code and stock, in the order they came.
    pub rows: Vec<(String, u64)>,
    /// Rows that could not be read.
    pub skipped: usize,
}

impl NumbersStatus {
    /// Reads a reply. Keys of the older form end in `_0` (or `_1`, the same numbers offered with
    /// forwarding, which are left out).
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let node = json(answer, "a stock list")?;
        if node.is_empty_array() {
            return Ok(Self::default());
        }
        let object = node
            .object()
            .ok_or_else(|| Failure::shape("a stock list"))?;
        let mut stock = Self::default();
        for (key, node) in &object.0 {
            let service = match key.rsplit_once('_') {
                Some((_, "1")) => continue,
                Some((service, "0")) => service,
                _ => key,
            };
            match (id(service), node.text().and_then(|text| count(&text))) {
                (Some(service), Some(count)) => stock.rows.push((service, count)),
                _ => stock.skipped += 1,
            }
        }
        if stock.rows.is_empty() && stock.skipped > 0 {
            return Err(Failure::shape("a stock list"));
        }
        Ok(stock)
    }

    /// Prints the reply in its newer form.
    pub fn print(&self) -> String {
        print(&Keyed(
            self.rows
                .iter()
                .map(|(service, count)| (service, count))
                .collect(),
        ))
    }
}
