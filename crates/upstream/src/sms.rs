//! Telling the code in a message from the rest of its text.

use domain::upstream::Sms;

/// Digits of a code.
const CODE_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// A message from what an upstream gives as its code and its text; nothing where both are blank. A
/// "code" with white space in it is a whole text under the wrong name.
pub(crate) fn message(code: &str, text: &str) -> Option<Sms> {
    let (code, text) = (code.trim(), text.trim());
    let (code, text) = match (code.is_empty(), text.is_empty()) {
        (true, true) => return None,
        (false, true) if code.contains(char::is_whitespace) => ("", code),
        _ => (code, text),
    };
    let code = if code.is_empty() {
        code_in(text)
    } else {
        code.to_owned()
    };
    Some(Sms {
        code,
        text: (!text.is_empty()).then(|| text.to_owned()),
    })
}

/// The longest run of 4 to 8 digits, the first of equals; two equal groups with one hyphen or
/// blank between them are one run. The text itself where there is none.
fn code_in(text: &str) -> String {
    let groups = digit_groups(text);
    let single = groups.iter().map(|(_, digits)| (*digits).to_owned());
    let paired = groups.windows(2).filter_map(|pair| {
        let [(start, first), (next, second)] = pair else {
            return None;
        };
        let between = &text[start + first.len()..*next];
        let split = first.len() == second.len() && first.len() > 1 && matches!(between, "-" | " ");
        split.then(|| format!("{first}{second}"))
    });
    let runs = single
        .chain(paired)
        .filter(|run| CODE_DIGITS.contains(&run.len()));
    let longest = runs.reduce(|best, run| if run.len() > best.len() { run } else { best });
    longest.unwrap_or_else(|| text.to_owned())
}

/// Maximal runs of digits with the byte they start at.
fn digit_groups(text: &str) -> Vec<(usize, &str)> {
    let mut groups = Vec::new();
    let mut at = 0;
    for group in text.split(|c: char| !c.is_ascii_digit()) {
        if !group.is_empty() {
            groups.push((at, group));
        }
        at += group.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(code: &str, text: &str) -> Option<(String, Option<String>)> {
        message(code, text).map(|sms| (sms.code, sms.text))
    }

    #[test]
    fn codes_are_found_in_texts() {
        for (text, code) in [
            ("Your code is 012345", "012345"),
            ("WhatsApp code 415-127, do not share", "415127"),
            ("Код: 1234. Действует 5 минут", "1234"),
            ("call +79584123456 or use 5577", "5577"),
            ("no digits here", "no digits here"),
            ("in 10 min", "in 10 min"),
        ] {
            assert_eq!(
                read("", text),
                Some((code.to_owned(), Some(text.to_owned()))),
                "{text}"
            );
            assert_eq!(
                read(text, ""),
                Some((code.to_owned(), Some(text.to_owned()))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_given_code_is_kept_as_it_is() {
        assert_eq!(read("0012", ""), Some(("0012".to_owned(), None)));
        let both = Some(("G-99".to_owned(), Some("use G-99 or 12345".to_owned())));
        assert_eq!(read("G-99", "use G-99 or 12345"), both);
        assert_eq!(read(" ", ""), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(code in "\\PC{0,30}", text in "\\PC{0,60}") {
            if let Some(sms) = message(&code, &text) {
                prop_assert!(!sms.code.is_empty());
            }
        }
    }
}
