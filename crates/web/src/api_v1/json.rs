//! A JSON object as parameters: no member twice, no deep nesting, numbers as they were written.

use super::members::{Given, Members};
use super::problem::Problem;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Deepest nesting of arrays and objects.
const DEPTH_MAX: u32 = 32;

/// The members of a JSON object.
pub(crate) fn object(bytes: &[u8]) -> Result<Members, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    if !is_shallow(text) {
        return Err(malformed());
    }
    if !text.trim_ascii_start().starts_with('{') {
        let sound =
            serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| sound(raw.get()).is_ok());
        let not_an_object = Problem::bad("invalid_body", "The body must be a JSON object.");
        return Err(if sound { not_an_object } else { malformed() });
    }
    let read: Object = serde_json::from_str(text).map_err(|_| malformed())?;
    match read.repeated {
        Some(name) => Err(Problem::duplicate(&name)),
        None => Ok(read.members),
    }
}

fn malformed() -> Problem {
    Problem::bad("malformed_json", "The body is not sound JSON in UTF-8.")
}

/// Whether no array or object lies too deep; looked at before anything recurses into them.
fn is_shallow(text: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return false;
        }
    }
    true
}

/// An object on its way to becoming parameters.
#[derive(Default)]
struct Object {
    members: Members,
    repeated: Option<String>,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object::default();
        while let Some(name) = map.next_key::<String>()? {
            let raw = map.next_value::<&RawValue>()?;
            let value = given(raw.get()).map_err(serde::de::Error::custom)?;
            if !object.members.add(name.clone(), value) {
                object.repeated.get_or_insert(name);
            }
        }
        Ok(object)
    }
}

fn given(raw: &str) -> Result<Given, serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).map(Given::Text),
        Some(b'0'..=b'9' | b'-') => Ok(Given::Number(raw.to_owned())),
        _ => match serde_json::from_str(raw) {
            Ok(lines) => Ok(Given::Lines(lines)),
            Err(_) => sound(raw).map(|()| Given::Other(raw.to_owned())),
        },
    }
}

/// Decodes every text in a value: a raw value alone does not say that its texts are sound.
fn sound(raw: &str) -> Result<(), serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(raw).map(|_| ()),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw)?;
            items.into_iter().try_for_each(|item| sound(item.get()))
        }
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(raw)?;
            members
                .into_values()
                .try_for_each(|value| sound(value.get()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    fn refused(bytes: &[u8], code: &'static str) {
        let problem = object(bytes).expect_err(&String::from_utf8_lossy(bytes));
        let expected = Problem::new(StatusCode::BAD_REQUEST, code, problem.sentence());
        assert_eq!(problem, expected, "{}", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn unsound_documents_are_malformed() {
        let deep = "[".repeat(10_000);
        let deep_object = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        let documents: [&[u8]; 18] = [
            b"",
            b" ",
            b"{",
            b"{\"a\":1,}",
            b"{'a':1}",
            b"{\"a\":1}//",
            b"{\"a\":1} {}",
            b"{\"a\":01}",
            b"{\"a\":NaN}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":[{\"b\":\"\\ud800\"}]}",
            b"{\"\\ud800\":1}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{\"a\":1}",
            b"{\"a\":\"\n\"}",
            deep.as_bytes(),
            deep_object.as_bytes(),
            b"[1,]",
        ];
        for document in documents {
            refused(document, "malformed_json");
        }
        let shallow = format!("{{\"a\":{}1{}}}", "[".repeat(31), "]".repeat(31));
        assert!(object(shallow.as_bytes()).is_ok());
    }

    #[test]
    fn sound_documents_that_are_no_object_are_told_apart() {
        for document in ["null", "[]", "\"x\"", "1", " [{\"a\":1}] "] {
            refused(document.as_bytes(), "invalid_body");
        }
    }

    #[test]
    fn a_member_given_twice_is_refused_in_any_spelling() {
        for document in [
            "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"a\":1,\"a[]\":2}",
        ] {
            refused(document.as_bytes(), "duplicate_parameter");
        }
    }

    #[test]
    fn values_keep_what_was_written() {
        let members = object(b"{\"n\":1.50e3,\"t\":\"\\u00e9\",\"l\":[\"a\",\"b\"],\"o\":null}");
        let members = members.unwrap();
        assert_eq!(members.get("n"), Some(&Given::Number("1.50e3".into())));
        assert_eq!(members.get("t"), Some(&Given::Text("é".into())));
        let lines = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(members.get("l"), Some(&Given::Lines(lines)));
        assert_eq!(members.get("o"), Some(&Given::Other("null".into())));
    }
}
