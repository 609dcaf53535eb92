//! Order codes of eight letters, which some providers give instead of numbers.

/// Letters of a code.
const LETTERS: usize = 8;

/// The code of an id.
pub(crate) fn encode(id: u64) -> String {
    let mut rest = id;
    let mut code = [b'A'; LETTERS];
    for letter in code.iter_mut().rev() {
        *letter = b'A' + u8::try_from(rest % 26).unwrap_or(0);
        rest /= 26;
    }
    code.iter().map(|letter| char::from(*letter)).collect()
}

/// The id of a code; nothing for what no id is encoded as.
pub(crate) fn decode(code: &str) -> Option<u64> {
    let letters = code.bytes().all(|letter| letter.is_ascii_uppercase());
    if code.len() != LETTERS || !letters {
        return None;
    }
    let digits = code.bytes().map(|letter| u64::from(letter - b'A'));
    Some(digits.fold(0, |id, digit| id * 26 + digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_code_of_its_own() {
        assert_eq!(encode(635_468_004), "ACBMPLLC");
        for id in [0, 25, 26, 635_468_004, 26_u64.pow(8) - 1] {
            assert_eq!(decode(&encode(id)), Some(id));
        }
        for bad in ["", "ABCDEFG", "abcdefgh", "ABCDEFG1", "635468004"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
