//! Texts for people, which come with HTML in them, and the placeholders for "none".

use crate::amount::cut;

/// Longest text carried on, in characters.
pub(super) const TEXT_MAX: usize = 2000;
/// Longest tag taken out, in characters; a longer one is text.
const TAG_MAX: usize = 500;
/// Entities that such texts hold; the ampersand last, so that nothing is decoded twice.
const ENTITIES: [(&str, &str); 7] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#039;", "'"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

/// The text without tags, with its entities decoded and its white space folded; cut.
pub fn plain(html: &str) -> String {
    let text = cut(html, TEXT_MAX);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        match tag_length(&rest[at..]) {
            Some(length) => {
                out.push(' ');
                rest = &rest[at + length..];
            }
            None => {
                out.push('<');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    for (entity, character) in ENTITIES {
        out = out.replace(entity, character);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bytes of the tag at the start; nothing where a lone `<` stands.
fn tag_length(text: &str) -> Option<usize> {
    let second = text.chars().nth(1)?;
    if !(second.is_ascii_alphabetic() || matches!(second, '/' | '!')) {
        return None;
    }
    let found = text.char_indices().take(TAG_MAX).find(|(_, c)| *c == '>');
    found.map(|(at, _)| at + 1)
}

/// A code or a message text that says something: `0`, `null` and blanks mean that none came.
pub(super) fn message(text: &str) -> Option<String> {
    let text = text.trim();
    let none = text.is_empty() || text == "0" || text.eq_ignore_ascii_case("null");
    (!none).then(|| cut(text, TEXT_MAX))
}
