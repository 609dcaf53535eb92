//! Redeem codes: money that whoever holds the code puts into their wallet, once.

use crate::ids::AccountId;
use crate::time::Timestamp;
use crate::usd::Usd;

/// Where the money of a code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeSource {
    /// The house gives it.
    Gift,
    /// Somebody paid for the code elsewhere.
    Sold,
}

impl CodeSource {
    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Gift => "gift",
            Self::Sold => "sold",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Gift, Self::Sold]
            .into_iter()
            .find(|one| one.slug() == slug)
    }
}

/// A code. The code itself was shown once, when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedeemCode {
    /// Row, to name it by.
    pub id: i64,
    /// Codes made together have one batch: the row of the first of them.
    pub batch: i64,
    /// SHA-256 of the code as [`canonical`] spells it.
    pub hash: [u8; 32],
    /// What it is worth, above zero.
    pub amount: Usd,
    /// Where the money comes from.
    pub source: CodeSource,
    /// Why it was made, in the operator's words.
    pub note: String,
    /// Creation.
    pub created_at: Timestamp,
    /// End, where it has one.
    pub expires_at: Option<Timestamp>,
    /// Switched off.
    pub disabled: bool,
    /// Who redeemed it, and when.
    pub redeemed: Option<(AccountId, Timestamp)>,
}

/// One thing to write about codes. Redeeming is [`crate::change::Write::Redeem`]: it moves money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedeemWrite {
    /// A new code. Guard: it is not there yet.
    Insert(Box<RedeemCode>),
    /// A code is switched off. Guard: it is there and not redeemed.
    Disable {
        /// Its row.
        code: i64,
    },
}

/// Characters of a code: no two that look alike.
pub const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// Characters in a code: 100 bits.
pub const LEN: usize = 20;

/// A code as its owner may type it, in the one spelling that is hashed: upper case, without hyphens
/// and white space. Nothing if it cannot be one.
pub fn canonical(text: &str) -> Option<String> {
    let kept = text.chars().filter(|letter| {
        !matches!(letter, '-' | '\u{2010}'..='\u{2015}') && !letter.is_whitespace()
    });
    let code: String = kept
        .map(|letter| letter.to_ascii_uppercase())
        .take(LEN + 1)
        .collect();
    let shaped = code.len() == LEN && code.bytes().all(|byte| ALPHABET.contains(&byte));
    shaped.then_some(code)
}

/// A code in groups of five, as it is shown.
pub fn grouped(code: &str) -> String {
    let mut out = String::with_capacity(code.len() + code.len() / 5);
    for (place, letter) in code.chars().enumerate() {
        if place > 0 && place % 5 == 0 {
            out.push('-');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_spelled() {
        let code = "ABCDE23456FGHJK789LM";
        let canonical_code = Some(code.to_owned());
        assert_eq!(grouped(code), "ABCDE-23456-FGHJK-789LM");
        for typed in [
            "ABCDE-23456-FGHJK-789LM",
            " abcde 23456 fghjk 789lm\n",
            "abcde\u{2013}23456FGHJK789LM",
        ] {
            assert_eq!(canonical(typed), canonical_code, "{typed}");
        }
        for bad in [
            "",
            "ABCDE",
            "ABCDE-23456-FGHJK-789L0",
            "ABCDE-23456-FGHJK-789LMN",
            "é",
        ] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_are_read_back() {
        for source in [CodeSource::Gift, CodeSource::Sold] {
            assert_eq!(CodeSource::from_slug(source.slug()), Some(source));
        }
    }
}
