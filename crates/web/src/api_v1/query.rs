//! Reading urlencoded pairs: the query of a request and the form of a body, by the same rules.

use super::members::{Given, Members};

/// What a query or form held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    /// The first value of each name.
    pub members: Members,
    /// A name that was given again.
    pub repeated: Option<String>,
}

/// Reads pairs. A value that is not UTF-8 is unusable, not replaced.
pub(crate) fn read(text: &[u8]) -> Pairs {
    let mut pairs = Pairs::default();
    for pair in text
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
    {
        let middle = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = match middle {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        // a name that is not UTF-8 is none that we know
        let Ok(name) = decode(name) else { continue };
        let value = match decode(value) {
            Ok(value) => Given::Text(value),
            Err(bytes) => Given::Other(format!("{bytes:x?}")),
        };
        let base = name.split('[').next().unwrap_or_default().to_owned();
        if !pairs.members.add(name, value) {
            pairs.repeated.get_or_insert(base);
        }
    }
    pairs
}

/// Undoes the encoding. A percent sign that begins no pair of digits stands for itself.
fn decode(text: &[u8]) -> Result<String, Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, beyond @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high * 16 + low);
                    rest = beyond;
                }
                _ => bytes.push(b'%'),
            },
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).map_err(|error| error.into_bytes())
}

fn digit(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_once_and_strictly() {
        let pairs = read(b"a=1%2b1&b=x+y&c&d=%zz&e=%C3%A9&f=%ff&&=g&h=%2525");
        let text = |name: &str| match pairs.members.get(name) {
            Some(Given::Text(text)) => Some(text.clone()),
            _ => None,
        };
        assert_eq!(text("a").as_deref(), Some("1+1"));
        assert_eq!(text("b").as_deref(), Some("x y"));
        assert_eq!(text("c").as_deref(), Some(""));
        assert_eq!(text("d").as_deref(), Some("%zz"));
        assert_eq!(text("e").as_deref(), Some("é"));
        assert_eq!(text("f"), None);
        assert!(pairs.members.get("f").is_some());
        assert_eq!(text("h").as_deref(), Some("%25"));
        assert_eq!(pairs.repeated, None);
    }

    #[test]
    fn repetition_is_noticed_through_every_encoding() {
        for query in [
            "a=1&a=2",
            "a=1&a=1",
            "a=1&%61=2",
            "a=1&a[]=2",
            "a[]=1&a[]=2",
        ] {
            assert_eq!(
                read(query.as_bytes()).repeated.as_deref(),
                Some("a"),
                "{query}"
            );
        }
    }
}
