//! What a message gives away: after the sale its text can show that the number is used for something
//! that is never sold. Such a message is withheld from the buyer and forgotten.

use crate::upstream::Sms;

/// What a withheld message is about. The classifier only ever withholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// Banks, cards, transfers, wallets.
    Money,
    /// Government, tax, benefits, identity papers.
    StateIdentity,
    /// Patients, prescriptions, insurance.
    Health,
    /// The password of an account that exists already.
    PasswordReset,
}

impl Withheld {
    /// Stable word for logs.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::StateIdentity => "state_identity",
            Self::Health => "health",
            Self::PasswordReset => "password_reset",
        }
    }

    /// What is kept in place of such a text: its subject and no word of it. Read again, it is withheld
    /// again.
    pub const fn stand_in(self) -> &'static str {
        match self {
            Self::Money => "[withheld: money]",
            Self::StateIdentity => "[withheld: state_identity]",
            Self::Health => "[withheld: health]",
            Self::PasswordReset => "[withheld: password_reset]",
        }
    }

    const ALL: [Self; 4] = [
        Self::Money,
        Self::StateIdentity,
        Self::Health,
        Self::PasswordReset,
    ];
}

/// Words and sequences of words, in lower case; they match whole words.
const SIGNS: [(Withheld, &[&str]); 4] = [
    (
        Withheld::Money,
        &[
            "account balance",
            "banca",
            "banco",
            "bank",
            "banking",
            "banque",
            "binance",
            "card ending",
            "cash app",
            "cashapp",
            "coinbase",
            "confirm your payment",
            "credit card",
            "debit card",
            "iban",
            "klarna",
            "moneygram",
            "money transfer",
            "overdraft",
            "paypal",
            "revolut",
            "sparkasse",
            "transfer of",
            "venmo",
            "western union",
            "wire transfer",
            "your loan",
            "zelle",
            "банк",
            "банка",
            "банку",
            "банке",
        ],
    ),
    (
        Withheld::StateIdentity,
        &[
            "benefits claim",
            "driving licence",
            "government",
            "gov uk",
            "hmrc",
            "irs",
            "login gov",
            "passport",
            "social security",
            "tax office",
            "tax portal",
            "tax refund",
            "tax return",
            "voter",
            "госуслуги",
        ],
    ),
    (
        Withheld::Health,
        &[
            "health insurance",
            "health record",
            "health records",
            "hospital",
            "medicaid",
            "medicare",
            "patient",
            "patients",
            "pharmacy",
            "prescription",
            "your clinic",
        ],
    ),
    (
        Withheld::PasswordReset,
        &[
            "account recovery",
            "password reset",
            "recover your account",
            "recover your password",
            "reset password",
            "reset the password",
            "reset your password",
            "passwort zurücksetzen",
        ],
    ),
];

/// Beside one of these the word "transfer" alone is a bank's warning.
const WARNINGS: [&str; 4] = [
    "do not share",
    "don t share",
    "never share",
    "not share this",
];

/// Ends of words that name a bank, as in `Megabank`; and words that end so by accident.
const BANK: &str = "bank";
const NO_BANKS: [&str; 5] = ["burbank", "databank", "powerbank", "snowbank", "wordbank"];

/// Why a message is withheld; nothing where it is the buyer's.
pub fn withheld(sms: &Sms) -> Option<Withheld> {
    let texts = sms.text.iter().map(String::as_str);
    texts.chain([sms.code.as_str()]).find_map(withheld_text)
}

/// Why a text, or the name of a sender, is withheld.
pub fn withheld_text(text: &str) -> Option<Withheld> {
    let stands_in = |what: &Withheld| what.stand_in() == text;
    let known = Withheld::ALL.into_iter().find(stands_in);
    known.or_else(|| judge(text))
}

fn judge(text: &str) -> Option<Withheld> {
    let words = words(text);
    let has = |phrase: &str| words.contains(&format!(" {phrase} "));
    let listed = SIGNS
        .into_iter()
        .find(|(_, phrases)| phrases.iter().any(|phrase| has(phrase)))
        .map(|(what, _)| what);
    let warned = WARNINGS.into_iter().any(has) && has("transfer");
    let is_bank = |word: &str| word.ends_with(BANK) && !NO_BANKS.contains(&word);
    let names_bank = words.split_ascii_whitespace().any(is_bank);
    listed.or_else(|| (warned || names_bank).then_some(Withheld::Money))
}

/// The words of a text in lower case, one space around each.
fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let parts = lower.split(|letter: char| !letter.is_alphanumeric());
    let mut words = String::with_capacity(lower.len() + 2);
    words.push(' ');
    for part in parts.filter(|part| !part.is_empty()) {
        words.push_str(part);
        words.push(' ');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Withheld> {
        withheld(&Sms {
            code: "415127".to_owned(),
            text: Some(text.to_owned()),
        })
    }

    #[test]
    fn messages_of_what_is_never_sold_are_withheld() {
        for (text, what) in [
            (
                "First Harbor Bank: use 415127 to confirm your transfer",
                Withheld::Money,
            ),
            ("MegaBank: 415127", Withheld::Money),
            (
                "415127. Do NOT share it. It approves a transfer.",
                Withheld::Money,
            ),
            ("Your PayPal code is 415127", Withheld::Money),
            ("ВТБ Банк: код 415127", Withheld::Money),
            ("Your GOV.UK code is 415127", Withheld::StateIdentity),
            ("415127 opens your tax return", Withheld::StateIdentity),
            ("Show 415127 at the pharmacy", Withheld::Health),
            (
                "415127 is your password-reset code",
                Withheld::PasswordReset,
            ),
        ] {
            assert_eq!(of(text), Some(what), "{text}");
        }
    }

    #[test]
    fn what_stands_in_for_a_text_is_withheld_as_the_text_was() {
        for what in Withheld::ALL {
            assert_eq!(of(what.stand_in()), Some(what));
            assert!(what.stand_in().contains(what.slug()));
        }
    }

    #[test]
    fn everybody_elses_codes_pass() {
        for text in [
            "415127",
            "Your Discord code is 415127. Do not share it with anyone.",
            "<#> Telegram code 415127. Never give it to anybody, even if they say they are from Telegram!",
            "G-415127 is your verification code.",
            "[Powerbank rental] 415127",
            "Burbank chess club: 415127",
            "Bankai Online: 415127",
            "Use 415127 to sign in to Impatient Games",
            "",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_that_is_a_whole_text_is_read_too() {
        let sms = Sms {
            code: "First Harbor Bank: 415127".to_owned(),
            text: None,
        };
        assert_eq!(withheld(&sms), Some(Withheld::Money));
    }
}
