//! A small XML document as a tree, within bounds: no document type, hence no entities of its own, and
//! only so deep and so many elements.

use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deepest nesting: camt.053 has about fifteen levels.
const DEPTH_MAX: usize = 32;
/// Most elements.
const ELEMENTS_MAX: usize = 400_000;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without a prefix.
    pub(super) name: String,
    /// The namespace that it declares for itself.
    pub(super) namespace: Option<String>,
    /// Its currency, where it is an amount.
    pub(super) currency: Option<String>,
    /// The text in it, without that of the elements in it.
    pub(super) text: String,
    /// What is in it.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The elements of a name in it.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element on a path.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| {
            element.children.iter().find(|child| child.name == *name)
        })
    }

    /// The text of the first element on a path, where there is any.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        let text = self.at(path)?.text.trim();
        (!text.is_empty()).then_some(text)
    }
}

/// The document's one element, or what is wrong with it.
pub(super) fn read(file: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(file);
    let mut open = vec![Element::default()];
    let mut elements = 0;
    loop {
        let at = reader.buffer_position();
        let wrong = |why: &str| format!("byte {at}: {why}");
        match reader
            .read_event()
            .map_err(|error| wrong(&error.to_string()))?
        {
            Event::Start(start) => {
                elements += 1;
                open.push(element(&start).ok_or_else(|| wrong("an attribute is malformed"))?);
            }
            Event::Empty(start) => {
                elements += 1;
                let child = element(&start).ok_or_else(|| wrong("an attribute is malformed"))?;
                inside(&mut open).children.push(child);
            }
            Event::End(_) => {
                let child = open.pop().unwrap_or_default();
                inside(&mut open).children.push(child);
            }
            Event::Text(text) => inside(&mut open).text.push_str(&text.xml10_content()),
            Event::CData(text) => inside(&mut open).text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => {
                let letter =
                    letter(&name).ok_or_else(|| wrong("an entity that XML does not have"))?;
                inside(&mut open).text.push(letter);
            }
            Event::DocType(_) => return Err(wrong("a statement has no document type")),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        if open.len() > DEPTH_MAX {
            return Err(wrong(&format!("elements lie deeper than {DEPTH_MAX}")));
        }
        if elements > ELEMENTS_MAX {
            return Err(wrong(&format!("more than {ELEMENTS_MAX} elements")));
        }
    }
    let mut roots = open.pop().unwrap_or_default().children.into_iter();
    match (open.is_empty(), roots.next(), roots.next()) {
        (true, Some(root), None) => Ok(root),
        (true, ..) => Err("a document has one element around all others".to_owned()),
        (false, ..) => Err("the file ends before its last element does".to_owned()),
    }
}

/// The element that is open now; what lies around all of them takes what is outside.
fn inside(open: &mut Vec<Element>) -> &mut Element {
    if open.is_empty() {
        open.push(Element::default());
    }
    let last = open.len() - 1;
    &mut open[last]
}

fn element(start: &BytesStart<'_>) -> Option<Element> {
    let name = start.name();
    let declares = match name.prefix() {
        Some(prefix) => format!("xmlns:{}", prefix.as_ref()),
        None => "xmlns".to_owned(),
    };
    Some(Element {
        name: start.local_name().as_ref().to_owned(),
        namespace: value(start.attributes(), &declares)?,
        currency: value(start.attributes(), "Ccy")?,
        ..Element::default()
    })
}

/// An attribute's value; nothing inside where it is not there, nothing at all where one is malformed.
fn value(attributes: Attributes<'_>, name: &str) -> Option<Option<String>> {
    let mut found = None;
    for attribute in attributes {
        let attribute = attribute.ok()?;
        if attribute.key.as_ref() == name {
            let text = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            found = Some(text.into_owned());
        }
    }
    Some(found)
}

/// What a reference stands for: a character by its number, or one of the five names of XML.
fn letter(name: &BytesRef<'_>) -> Option<char> {
    match &**name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten(),
    }
}
