//! Made-up phone numbers that look like mobile numbers of their country.

use crate::catalogue::Country;
use crate::mix::{mix, pick};

/// How many numbers are tried before a country counts as sold out.
const ATTEMPTS: u64 = 200;

/// A number of the country, digits only, that `taken` does not know; nothing where no free number
/// was met within a bounded search. Equal `parts` lead to the same number.
pub(crate) fn free_number(
    country: &Country,
    parts: [u64; 2],
    taken: impl Fn(u64) -> bool,
) -> Option<u64> {
    (0..ATTEMPTS).find_map(|attempt| {
        let number = candidate(country, &[parts[0], parts[1], attempt])?;
        (!taken(number)).then_some(number)
    })
}

fn candidate(country: &Country, parts: &[u64]) -> Option<u64> {
    let bits = mix(parts);
    let count = country.prefixes.split(' ').count() as u64;
    let chosen = usize::try_from(pick(count, &[bits, 1])).ok()?;
    let prefix = country.prefixes.split(' ').nth(chosen)?;
    let rest = country.national_digits.checked_sub(prefix.len())?;
    let tail = pick(10_u64.pow(u32::try_from(rest).ok()?), &[bits, 2]);
    format!("{}{prefix}{tail:0rest$}", country.calling_code)
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::COUNTRIES;
    use std::cell::RefCell;
    use std::collections::HashSet;

    #[test]
    fn every_country_has_valid_numbers_of_one_length() {
        for country in COUNTRIES {
            for sequence in 0..50 {
                let digits = free_number(country, [9, sequence], |_| false)
                    .unwrap()
                    .to_string();
                assert!(
                    digits.starts_with(country.calling_code),
                    "{} {digits}",
                    country.name
                );
                let expected = country.calling_code.len() + country.national_digits;
                assert_eq!(digits.len(), expected, "{} {digits}", country.name);
                assert!(
                    (8..=15).contains(&digits.len()),
                    "{} {digits}",
                    country.name
                );
            }
        }
    }

    #[test]
    fn the_gateway_accepts_them_as_numbers_of_their_country() {
        for country in COUNTRIES {
            let known = domain::countries::find(country.name).unwrap();
            let number = free_number(country, [1, 2], |_| false).unwrap().to_string();
            assert!(
                domain::countries::number_fits(known, &number),
                "{}",
                country.name
            );
        }
    }

    #[test]
    fn a_taken_number_is_not_given_again() {
        let taken = RefCell::new(HashSet::new());
        for _ in 0..ATTEMPTS {
            // equal parts every time: only the check against taken numbers keeps them apart
            let next = free_number(&COUNTRIES[0], [1, 1], |n| taken.borrow().contains(&n));
            assert!(taken.borrow_mut().insert(next.unwrap()));
        }
        assert_eq!(
            free_number(&COUNTRIES[0], [1, 1], |n| taken.borrow().contains(&n)),
            None
        );
    }
}
