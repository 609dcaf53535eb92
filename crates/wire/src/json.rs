//! JSON of strangers, read lazily with every number kept as its text, and printed with exact
//! decimals.

use crate::amount;
use rust_decimal::Decimal;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// Longest document looked at, in bytes.
const DOCUMENT_MAX: usize = 32 * 1024 * 1024;
/// Most members of one object and items of one array. A short document can hold millions of empty
/// ones, and each costs more memory here than it does there.
pub const ITEMS_MAX: usize = 1_000_000;

/// One value inside a document that is known to be well-formed.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a>(&'a RawValue);

impl<'a> Node<'a> {
    /// The whole document, where it is well-formed JSON of at most 32 MiB. Nesting costs no stack:
    /// the values inside are looked at one level at a time, when asked for.
    pub fn read(text: &'a str) -> Option<Self> {
        if text.len() > DOCUMENT_MAX {
            return None;
        }
        serde_json::from_str(text).ok().map(Self)
    }

    /// The members, where this is an object of at most [`ITEMS_MAX`].
    pub fn object(self) -> Option<Object<'a>> {
        self.0
            .get()
            .starts_with('{')
            .then(|| serde_json::from_str(self.0.get()).ok())
            .flatten()
    }

    /// The items, where this is an array of at most [`ITEMS_MAX`].
    pub fn items(self) -> Option<Vec<Node<'a>>> {
        let raw = self.0.get();
        let Items(items) = raw
            .starts_with('[')
            .then(|| serde_json::from_str(raw).ok())
            .flatten()?;
        Some(items)
    }

    /// The items of an array, or the values of an object that stands for one; nothing for the rest.
    pub fn values(self) -> Vec<Node<'a>> {
        let members = |object: Object<'a>| object.0.into_iter().map(|(_, value)| value).collect();
        let items = self.items();
        items
            .or_else(|| self.object().map(members))
            .unwrap_or_default()
    }

    /// Hands over the items of an array, or the values of an object, one at a time, so that a long
    /// list is never held as a whole. False where this is neither.
    pub fn each(self, take: impl FnMut(Node<'a>)) -> bool {
        serde_json::Deserializer::from_str(self.0.get())
            .deserialize_any(Each(take))
            .is_ok()
    }

    /// A typed look at one item; nothing where it does not fit.
    pub fn typed<T: Deserialize<'a>>(self) -> Option<T> {
        serde_json::from_str(self.0.get()).ok()
    }

    /// Shows each member in turn without keeping any; nothing where this is no object. A list of
    /// any length then costs the memory of what is kept of it.
    pub fn each_member(self, mut see: impl FnMut(&str, Node<'a>)) -> Option<()> {
        struct Seeing<F>(F);
        impl<'de, F: FnMut(&str, Node<'de>)> Visitor<'de> for Seeing<F> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    (self.0)(&key, Node(value));
                }
                Ok(())
            }
        }
        if !self.0.get().starts_with('{') {
            return None;
        }
        let mut reader = serde_json::Deserializer::from_str(self.0.get());
        reader.deserialize_map(Seeing(&mut see)).ok()
    }

    /// A string's content, a number or a boolean exactly as written; nothing for the rest.
    pub fn text(self) -> Option<String> {
        let raw = self.0.get();
        match raw.as_bytes().first()? {
            b'"' => serde_json::from_str(raw).ok(),
            b'{' | b'[' | b'n' => None,
            _ => Some(raw.to_owned()),
        }
    }

    /// The content, where this is a string.
    pub fn string(self) -> Option<String> {
        self.0.get().starts_with('"').then(|| self.text()).flatten()
    }

    /// The value as it stands in the document.
    pub fn raw(self) -> &'a str {
        self.0.get()
    }

    /// Whether this is neither an object nor an array.
    pub fn is_scalar(self) -> bool {
        !self.0.get().starts_with(['{', '['])
    }

    /// Whether this is an array.
    pub fn is_array(self) -> bool {
        self.0.get().starts_with('[')
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        self.0.get() == "null"
    }

    /// An empty array, which is how some servers print an empty object.
    pub fn is_empty_array(self) -> bool {
        self.items().is_some_and(|items| items.is_empty())
    }
}

/// Members of an object in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Object<'a>(pub Vec<(String, Node<'a>)>);

impl<'a> Object<'a> {
    /// The member of that name that is not `null`; of two with one name, the last.
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let found = self.0.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, node)| *node).filter(|node| !node.is_null())
    }

    /// Text of the first of these members that is there: string or number as written.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .find_map(|name| self.get(name))
            .and_then(Node::text)
    }

    /// As [`Self::text`], with nothing for blank text.
    pub fn filled(&self, name: &str) -> Option<String> {
        self.text(&[name]).filter(|text| !text.trim().is_empty())
    }

    /// An amount, see [`amount::amount`].
    pub fn amount(&self, name: &str) -> Option<Decimal> {
        amount::amount(&self.get(name)?.text()?)
    }

    /// A whole number from 0.
    pub fn count(&self, name: &str) -> Option<u64> {
        amount::count(&self.get(name)?.text()?)
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> Option<i64> {
        amount::whole(&self.get(name)?.text()?)
    }

    /// An id, see [`amount::id`].
    pub fn id(&self, names: &[&str]) -> Option<String> {
        amount::id(&self.text(names)?)
    }

    /// `true`, `1`, `"1"`, `"true"`, `"yes"`; everything else, and a missing member, is false.
    pub fn flag(&self, name: &str) -> bool {
        let text = self.text(&[name]).unwrap_or_default();
        matches!(
            text.trim().to_ascii_lowercase().as_str(),
            "true" | "1" | "yes"
        )
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.len() == ITEMS_MAX {
                        return Err(M::Error::custom("too many members"));
                    }
                    members.push((key, Node(value)));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'a RawValue>::deserialize(deserializer).map(Self)
    }
}

/// Takes the items of a list as they come by.
struct Each<F>(F);

impl<'de, F: FnMut(Node<'de>)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut items: S) -> Result<(), S::Error> {
        while let Some(node) = items.next_element()? {
            (self.0)(node);
        }
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        while let Some((_, node)) = map.next_entry::<IgnoredAny, Node<'de>>()? {
            (self.0)(node);
        }
        Ok(())
    }
}

/// Items of an array in the order they came.
struct Items<'a>(Vec<Node<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
                let mut items = Vec::new();
                while let Some(value) = seq.next_element::<&'de RawValue>()? {
                    if items.len() == ITEMS_MAX {
                        return Err(S::Error::custom("too many items"));
                    }
                    items.push(Node(value));
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Whole)
    }
}

/// A decimal printed as a JSON number, digit for digit.
#[derive(Clone, Copy, Debug)]
pub struct Exact(pub Decimal);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.normalize().to_string();
        RawValue::from_string(text)
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// An id printed as a JSON integer where it is one that survives the trip, otherwise as a string.
#[derive(Clone, Copy, Debug)]
pub struct Id<'a>(pub &'a str);

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.parse::<u64>() {
            Ok(number) if number.to_string() == self.0 => serializer.serialize_u64(number),
            _ => serializer.serialize_str(self.0),
        }
    }
}

/// An object whose member names are data.
#[derive(Clone, Debug)]
pub struct Keyed<K, V>(pub Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Keyed<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Prints a value. Printing fails only for map keys that are no strings, which no type here has;
/// should it ever, the empty text is read as "unknown" by every client.
pub fn print<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_their_text() {
        let document =
            r#"{"a":0.1000,"b":"x\u0041","c":[1,2.50],"d":null,"a":12345678901234567890123}"#;
        let object = Node::read(document).and_then(Node::object).unwrap();
        assert_eq!(
            object.text(&["a"]).as_deref(),
            Some("12345678901234567890123")
        );
        assert_eq!(object.0[0].1.text().as_deref(), Some("0.1000"));
        assert_eq!(object.text(&["b"]).as_deref(), Some("xA"));
        assert_eq!(
            object.get("c").and_then(Node::items).unwrap()[1]
                .text()
                .as_deref(),
            Some("2.50")
        );
        assert!(object.get("d").is_none());
    }

    #[test]
    fn broken_or_endlessly_nested_documents_are_no_danger() {
        for bad in ["", "{", "[1,]", "{\"a\":01}", "{}{}", "nul"] {
            assert!(Node::read(bad).is_none(), "{bad:?}");
        }
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(Node::read(&deep).is_none_or(|node| node.items().is_some()));
    }

    #[test]
    fn millions_of_tiny_values_are_refused_before_they_are_kept() {
        let within = format!("[{}1]", "1,".repeat(ITEMS_MAX - 1));
        assert_eq!(
            Node::read(&within)
                .and_then(Node::items)
                .map(|items| items.len()),
            Some(ITEMS_MAX)
        );
        let array = format!("[{}1]", "1,".repeat(ITEMS_MAX));
        assert!(Node::read(&array).unwrap().items().is_none());
        let object = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(ITEMS_MAX));
        assert!(Node::read(&object).unwrap().object().is_none());
    }

    #[test]
    fn ids_and_decimals_print_without_loss() {
        assert_eq!(print(&Exact(Decimal::new(40_000, 6))), "0.04");
        assert_eq!(
            print(&[Id("90210"), Id("007"), Id("a1")]),
            r#"[90210,"007","a1"]"#
        );
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,80}") {
            if let Some(node) = Node::read(&text) {
                let _ = (node.object(), node.items(), node.text(), node.is_empty_array());
            }
        }
    }
}
