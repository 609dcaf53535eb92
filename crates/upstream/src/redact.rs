//! Keeping secrets out of everything that is stored, logged or shown.

use reqwest::Url;
use std::fmt;

/// Longest raw answer kept, in bytes.
const RAW_MAX: usize = 2048;
/// What stands where a secret stood.
const MASK: &str = "***";

/// Knows the secrets of one upstream and takes them out of texts.
#[derive(Clone)]
pub(crate) struct Redactor {
    secrets: Vec<String>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(***)")
    }
}

impl Redactor {
    /// For a key and the URLs whose credentials are secret too.
    pub(crate) fn new<'a>(key: &str, urls: impl IntoIterator<Item = &'a Url>) -> Self {
        let mut secrets = vec![key.to_owned(), encoded(key)];
        for url in urls {
            let password = url.password().unwrap_or_default();
            for secret in [url.username(), password] {
                secrets.extend([secret.to_owned(), encoded(secret)]);
                secrets.push(decoded(secret));
            }
        }
        secrets.retain(|secret| !secret.is_empty());
        // a secret inside another one must not spoil the longer one's removal
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// The text without secrets, cut to 2 KiB. Secrets go first: a cut could leave half of one.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) {
                text.replace(secret.as_str(), MASK)
            } else {
                text
            }
        });
        let mut end = clean.len().min(RAW_MAX);
        while !clean.is_char_boundary(end) {
            end -= 1;
        }
        clean.truncate(end);
        clean
    }
}

/// As it stands in a query string or form body.
fn encoded(secret: &str) -> String {
    form_urlencoded::byte_serialize(secret.as_bytes()).collect()
}

/// Percent escapes of a URL's user part undone; a plus is a plus there.
fn decoded(secret: &str) -> String {
    let escaped = secret
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let mut pairs = form_urlencoded::parse(escaped.as_bytes());
    pairs
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_in_every_spelling_before_the_cut() {
        let url = Url::parse("https://bob:p%40ss@example.test/x").unwrap();
        let redactor = Redactor::new("k&y 1", [&url]);
        assert_eq!(
            redactor.clean("a k&y 1 b k%26y+1 c p@ss d p%40ss bob"),
            "a *** b *** c *** d *** ***"
        );
        assert_eq!(format!("{redactor:?}"), "Redactor(***)");
        let long = format!("{}k&y 1", "é".repeat(1023));
        let clean = redactor.clean(&long);
        assert!(
            clean.len() <= RAW_MAX && !clean.contains("k&"),
            "{}",
            clean.len()
        );
    }

    #[test]
    fn an_empty_key_hides_nothing() {
        let url = Url::parse("https://example.test/").unwrap();
        assert_eq!(Redactor::new("", [&url]).clean("abc"), "abc");
    }
}
