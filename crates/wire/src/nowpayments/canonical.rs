//! The form of a notification that is signed: keys sorted at every depth, no spaces, strings
//! escaped as JavaScript does, numbers exactly as they came.

use crate::json::Node;
use std::fmt::Write;

/// How deep a notification may nest; real ones have two levels.
const DEPTH_MAX: usize = 16;

/// The canonical text of a JSON document; nothing where it is none, or nests too deep.
pub fn canonical(body: &str) -> Option<String> {
    let mut text = String::with_capacity(body.len());
    value(Node::read(body)?, DEPTH_MAX, &mut text)?;
    Some(text)
}

fn value(node: Node<'_>, depth: usize, out: &mut String) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    if let Some(text) = node.string() {
        string(&text, out);
        return Some(());
    }
    if let Some(items) = node.items() {
        out.push('[');
        for (place, item) in items.into_iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            value(item, depth, out)?;
        }
        out.push(']');
        return Some(());
    }
    let mut members: Vec<(String, Node<'_>)> = Vec::new();
    let is_object = node.each_member(|name, member| {
        match members.iter_mut().find(|(known, _)| known == name) {
            // of two members with one name the later one counts
            Some((_, earlier)) => *earlier = member,
            None => members.push((name.to_owned(), member)),
        }
    });
    if is_object.is_none() {
        // a number, true, false or null
        out.push_str(node.raw());
        return node.is_scalar().then_some(());
    }
    members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    out.push('{');
    for (place, (name, member)) in members.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        string(&name, out);
        out.push(':');
        value(member, depth, out)?;
    }
    out.push('}');
    Some(())
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                // writing to a String cannot fail
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}
