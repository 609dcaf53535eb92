//! Scrambling: everything that looks random here is a pure function of a seed and some numbers,
//! so that a restarted sandbox tells the same codes and a seeded test sees the same faults.

/// Well-spread 64 bits for the given parts (the finaliser of splitmix64, chained).
pub(crate) fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x5A4D_B0C5_1D2E_3F47, |state, part| {
        let mut z = state
            ^ part
                .wrapping_add(0x9E37_79B9_7F4A_7C15)
                .wrapping_add(state << 6);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// A number in `0..below`, spread evenly enough for demonstration data; `below` must not be 0.
pub(crate) fn pick(below: u64, parts: &[u64]) -> u64 {
    mix(parts) % below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parts_give_equal_bits_and_each_part_matters() {
        assert_eq!(mix(&[1, 2, 3]), mix(&[1, 2, 3]));
        assert_ne!(mix(&[1, 2, 3]), mix(&[1, 3, 2]));
        assert_ne!(mix(&[1, 2, 3]), mix(&[1, 2]));
    }

    #[test]
    fn picks_spread_over_their_range() {
        let mut hits = [0_u32; 10];
        for number in 0..10_000 {
            hits[usize::try_from(pick(10, &[7, number])).unwrap()] += 1;
        }
        assert!(
            hits.iter().all(|&count| (850..1150).contains(&count)),
            "{hits:?}"
        );
    }
}
