//! "Did you mean": the known word that is closest to one that is not known.

/// The known word fewest edits away, where that is near enough to be a slip of the keyboard (one
/// edit in four letters, one at least); else the first that begins with the given one.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips_allowed = (word.chars().count() / 4).max(1);
    let known: Vec<&str> = known.into_iter().collect();
    let distances = known
        .iter()
        .map(|candidate| (edits(word, candidate), *candidate));
    let near = distances
        .filter(|(distance, _)| *distance <= slips_allowed)
        .min();
    let longer = || {
        known
            .iter()
            .find(|candidate| word.len() >= 4 && candidate.starts_with(word))
    };
    near.map(|(_, candidate)| candidate)
        .or_else(|| longer().copied())
}

/// ` (did you mean "x"?)`, or nothing: made to be added to a sentence.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"))
}

/// Letters to insert, drop or exchange, and neighbours to swap, until one word is the other.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for line in 1..=from.len() {
        let mut row = vec![line];
        for column in 1..=to.len() {
            let differ = usize::from(from[line - 1] != to[column - 1]);
            let exchanged = rows[line - 1][column - 1] + differ;
            let mut fewest = exchanged
                .min(rows[line - 1][column] + 1)
                .min(row[column - 1] + 1);
            let is_swap = line > 1
                && column > 1
                && from[line - 1] == to[column - 2]
                && from[line - 2] == to[column - 1];
            if is_swap {
                fewest = fewest.min(rows[line - 2][column - 2] + 1);
            }
            row.push(fewest);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["timeout_ms", "connect_timeout_ms", "url"];
        assert_eq!(nearest("timout_ms", known), Some("timeout_ms"));
        assert_eq!(nearest("timeout_sm", known), Some("timeout_ms"));
        assert_eq!(nearest("ulr", known), Some("url"));
        assert_eq!(nearest("uri", known), Some("url"));
        assert_eq!(nearest("abc", known), None);
        assert_eq!(nearest("connect", known), Some("connect_timeout_ms"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(hint("uri", known), " (did you mean \"url\"?)");
        assert_eq!(hint("colour", known), "");
    }

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in [
            ("", "abc", 3),
            ("abc", "", 3),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(from, to), count, "{from} {to}");
        }
    }
}
