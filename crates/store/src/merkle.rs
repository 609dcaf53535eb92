//! The tree over the audit log's lines, as RFC 6962 has it: a leaf is hashed apart from an inner
//! node, and the root of any number of leaves follows from the few whole trees they make.

use domain::audit_log::Hash;
use sha2::{Digest, Sha256};

/// The leaf of a line.
pub(crate) fn leaf(line: &Hash) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(line)
        .finalize()
        .into()
}

/// The node over two others.
pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    let both = Sha256::new().chain_update([1]).chain_update(left);
    both.chain_update(right).finalize().into()
}

/// The root over whole trees, the largest first; of none it is the hash of nothing.
pub(crate) fn root(peaks: &[Hash]) -> Hash {
    let mut peaks = peaks.iter().rev();
    let Some(last) = peaks.next() else {
        return Sha256::digest([]).into();
    };
    peaks.fold(*last, |root, peak| node(peak, &root))
}

/// Where the whole trees of so many leaves stand: level and place on it, the largest first.
pub(crate) fn peaks(size: u64) -> Vec<(u32, u64)> {
    let levels = (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1);
    levels.map(|level| (level, (size >> level) - 1)).collect()
}

/// Leaves that come one after the other.
#[derive(Default)]
pub(crate) struct Growing {
    size: u64,
    peaks: Vec<Hash>,
}

impl Growing {
    /// One leaf more.
    pub(crate) fn push(&mut self, line: &Hash) {
        let mut hash = leaf(line);
        let mut place = self.size;
        while place & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node(&left, &hash);
            place >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Leaves so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub(crate) fn root(&self) -> Hash {
        root(&self.peaks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As RFC 6962 section 2.1 defines it, without anything remembered.
    fn defined(lines: &[Hash]) -> Hash {
        match lines {
            [] => Sha256::digest([]).into(),
            [one] => leaf(one),
            many => {
                let mut left = 1;
                while left * 2 < many.len() {
                    left *= 2;
                }
                node(&defined(&many[..left]), &defined(&many[left..]))
            }
        }
    }

    #[test]
    fn a_growing_tree_has_the_root_of_its_leaves() {
        let lines: Vec<Hash> = (0..70_u8).map(|byte| [byte; 32]).collect();
        let mut growing = Growing::default();
        for size in 0..lines.len() {
            assert_eq!(growing.root(), defined(&lines[..size]), "{size}");
            growing.push(&lines[size]);
        }
        assert_eq!(growing.size(), 70);
    }

    #[test]
    fn whole_trees_are_found_by_the_bits_of_the_size() {
        assert_eq!(peaks(0), []);
        assert_eq!(peaks(1), [(0, 0)]);
        assert_eq!(peaks(6), [(2, 0), (1, 2)]);
        assert_eq!(peaks(7), [(2, 0), (1, 2), (0, 6)]);
    }
}
