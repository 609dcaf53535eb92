//! Many orders written one to a line, each checked as if it came alone.

use super::{OrderQuote, PlaceOrder};
use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::access::Caller;
use domain::link;
use domain::order_type::whole;
use std::collections::HashMap;

/// Lines that are taken at once.
const LINES_MAX: usize = 100;

/// One order of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// Its place in the text, counted from 1 over lines that are not blank.
    pub number: usize,
    /// As it was written.
    pub text: String,
    /// What it asks for, as far as it could be read.
    pub request: PlaceOrder,
    /// What it would come to.
    pub quote: Result<OrderQuote, LineProblem>,
}

/// Why a line cannot be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineProblem {
    /// It is not `service | link | quantity`.
    Malformed,
    /// It orders the same service for the same target as this earlier line.
    SameAs(usize),
    /// The order would be refused.
    Refused(Refusal),
}

/// More lines than are taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyLines {
    /// Lines there were.
    pub found: usize,
    /// Lines that are taken.
    pub most: usize,
}

impl LineProblem {
    /// The sentence for a person.
    pub fn sentence(&self) -> String {
        match self {
            Self::Malformed => {
                "Write service | link | quantity, with a bar between them.".to_owned()
            }
            Self::SameAs(number) => format!(
                "Line {number} orders the same service for the same link. One runs at a time."
            ),
            Self::Refused(refusal) => refusal.sentence(),
        }
    }
}

impl Engine {
    /// Reads orders of one line each, `service | link | quantity` (no quantity for a package), and
    /// checks each by the rules of [`Self::place_order`]. Blank lines do not count.
    ///
    /// # Errors
    /// There are too many lines; none was looked at.
    pub fn check_lines(&self, caller: &Caller, text: &str) -> Result<Vec<OrderLine>, TooManyLines> {
        // a file may begin with a mark of its encoding, and end lines in any of three ways
        let text = text.trim_start_matches('\u{feff}');
        let lines: Vec<&str> = text.split(['\n', '\r']).map(str::trim).collect();
        let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        if lines.len() > LINES_MAX {
            return Err(TooManyLines {
                found: lines.len(),
                most: LINES_MAX,
            });
        }
        let mut seen: HashMap<(String, String), usize> = HashMap::new();
        let mut checked = Vec::with_capacity(lines.len());
        for (place, line) in lines.into_iter().enumerate() {
            let number = place + 1;
            let read = request(line);
            let quote = match &read {
                Err(problem) => Err(problem.clone()),
                Ok(request) => {
                    let aim = (request.service_id.clone(), link::target(&request.link));
                    match *seen.entry(aim).or_insert(number) {
                        first if first < number => Err(LineProblem::SameAs(first)),
                        _ => self
                            .quote_order(caller, request)
                            .map_err(LineProblem::Refused),
                    }
                }
            };
            checked.push(OrderLine {
                number,
                text: line.to_owned(),
                request: read.unwrap_or_default(),
                quote,
            });
        }
        Ok(checked)
    }
}

fn request(line: &str) -> Result<PlaceOrder, LineProblem> {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let (service_id, link, quantity) = match parts[..] {
        [service_id, link] => (service_id, link, None),
        [service_id, link, quantity] => (service_id, link, Some(quantity)),
        _ => return Err(LineProblem::Malformed),
    };
    let plain = |text: &str| {
        whole(text).map(i128::from).ok_or_else(|| {
            let why = "must be a whole number in plain digits".to_owned();
            LineProblem::Refused(Refusal::InvalidParameter("quantity", why))
        })
    };
    let quantity = quantity.map(plain).transpose()?;
    Ok(PlaceOrder {
        service_id: service_id.to_owned(),
        link: link.to_owned(),
        quantity,
        ..PlaceOrder::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_two_or_three_parts_and_a_whole_quantity() {
        let read = request("1 | https://instagram.com/user | 500").unwrap();
        assert_eq!(read.service_id, "1");
        assert_eq!(read.link, "https://instagram.com/user");
        assert_eq!(read.quantity, Some(500));
        assert_eq!(request("26|https://youtu.be/x").unwrap().quantity, None);
        for bad in ["1", "1 https://instagram.com/user 500", "1|2|3|4", "||||"] {
            assert_eq!(request(bad), Err(LineProblem::Malformed), "{bad}");
        }
        for bad in [
            "1|https://x.com/a|5.5",
            "1|https://x.com/a|many",
            "1|x|",
            "1|x|0500",
            "1|x|+500",
        ] {
            assert!(
                matches!(request(bad), Err(LineProblem::Refused(_))),
                "{bad}"
            );
        }
    }
}
