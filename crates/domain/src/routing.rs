//! Which of several routes is tried first.

use crate::usd::Usd;

/// How routes that sell the same are put in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The cheapest first; of equal prices the one that delivers best.
    #[default]
    Price,
    /// The least price for each code that arrives: price divided by the share of numbers that we
    /// may count on to receive one.
    ExpectedCost,
    /// By chance, each route as often as the weight of its server says.
    Weighted,
}

impl Strategy {
    /// Every strategy with its word in the settings.
    pub const WORDS: [(&str, Self); 3] = [
        ("price", Self::Price),
        ("expected_cost", Self::ExpectedCost),
        ("weighted", Self::Weighted),
    ];

    /// The word in the settings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::ExpectedCost => "expected_cost",
            Self::Weighted => "weighted",
        }
    }
}

/// One way to buy, as far as its place in the order depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Whether it may have stock.
    pub in_stock: bool,
    /// What the customer would pay.
    pub price: Usd,
    /// Percent of numbers that received a code, as shown to customers.
    pub rate: Option<u8>,
    /// The share of numbers we may count on to receive a code, in millionths.
    pub sure_ppm: u32,
    /// Weight of its server; 0 is tried last.
    pub weight: u32,
}

impl Candidate {
    /// Micro-dollars for each code.
    fn expected_cost(&self) -> i128 {
        i128::from(self.price.0) * 1_000_000 / i128::from(self.sure_ppm.max(1))
    }

    fn by_price(&self) -> (Usd, u8) {
        (self.price, 100 - self.rate.unwrap_or(0).min(100))
    }
}

/// Places of the candidates, the first to try first. What is known to be out of stock comes last.
/// Only the weighted strategy uses the dice.
pub fn order(strategy: Strategy, candidates: &[Candidate], dice: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..candidates.len()).collect();
    places.sort_by_key(|place| candidates[*place].by_price());
    match strategy {
        Strategy::Price => {}
        Strategy::ExpectedCost => {
            places.sort_by_key(|place| candidates[*place].expected_cost());
        }
        Strategy::Weighted => places = drawn(candidates, places, dice),
    }
    places.sort_by_key(|place| !candidates[*place].in_stock);
    places
}

/// Draws one place after the other, each with the chance its weight gives it among those left.
fn drawn(candidates: &[Candidate], mut left: Vec<usize>, mut dice: u64) -> Vec<usize> {
    let mut order = Vec::with_capacity(left.len());
    loop {
        let total: u64 = left.iter().map(|place| weight(candidates, *place)).sum();
        if total == 0 {
            order.extend(left);
            return order;
        }
        dice = scrambled(dice);
        let mut mark = dice % total;
        let hit = left.iter().position(|place| {
            let weight = weight(candidates, *place);
            let hit = mark < weight;
            mark = mark.saturating_sub(weight);
            hit
        });
        order.push(left.remove(hit.unwrap_or(0)));
    }
}

fn weight(candidates: &[Candidate], place: usize) -> u64 {
    u64::from(candidates[place].weight)
}

/// One step of splitmix64: numbers that follow from each other and look like chance.
pub fn scrambled(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(price: i64, rate: Option<u8>, sure_percent: u32) -> Candidate {
        Candidate {
            in_stock: true,
            price: Usd(price),
            rate,
            sure_ppm: sure_percent * 10_000,
            weight: 1,
        }
    }

    #[test]
    fn the_cheapest_comes_first_and_of_equals_the_one_that_delivers() {
        let routes = [
            route(200, Some(99), 99),
            route(100, Some(40), 40),
            route(100, Some(80), 80),
            route(100, None, 30),
        ];
        assert_eq!(order(Strategy::Price, &routes, 0), [2, 1, 3, 0]);
    }

    #[test]
    fn a_cheap_number_that_rarely_delivers_is_dear() {
        let routes = [route(100, Some(20), 20), route(200, Some(80), 80)];
        assert_eq!(order(Strategy::Price, &routes, 0), [0, 1]);
        assert_eq!(order(Strategy::ExpectedCost, &routes, 0), [1, 0]);
    }

    #[test]
    fn what_is_out_of_stock_comes_last_whatever_the_strategy() {
        let mut routes = [route(100, Some(90), 90), route(900, Some(10), 10)];
        routes[0].in_stock = false;
        for (_, strategy) in Strategy::WORDS {
            assert_eq!(order(strategy, &routes, 7), [1, 0], "{strategy:?}");
        }
    }

    #[test]
    fn weights_are_kept_to_and_nothing_of_weight_zero_comes_first() {
        let mut routes = [route(100, None, 50); 3];
        (routes[0].weight, routes[1].weight, routes[2].weight) = (3, 1, 0);
        let first = (0..10_000).map(|dice| order(Strategy::Weighted, &routes, dice));
        let mut firsts = [0; 3];
        for places in first {
            firsts[places[0]] += 1;
            assert_eq!(places[2], 2);
        }
        assert!((7_200..7_800).contains(&firsts[0]), "{firsts:?}");
    }
}
