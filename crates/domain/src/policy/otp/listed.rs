//! The first classification list: well-known services, their names and common codes.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::OtpClass;
use super::super::keywords::{Keywords, Place};
use super::super::skeleton::skeleton;
use crate::countries::fold;

/// The compiled-in list.
pub(in super::super) static SERVICES: LazyLock<Services> =
    LazyLock::new(|| Services::read(include_str!("services.txt")));

/// The list, read.
pub(in super::super) struct Services {
    /// Every name on the list.
    pub entries: Vec<Listed>,
    /// Class by plain name.
    pub by_name: HashMap<String, OtpClass>,
    /// The name as written, by plain name.
    pub written: HashMap<String, &'static str>,
    /// Class by upstream code, where the codes in common use agree.
    pub by_code: HashMap<&'static str, OtpClass>,
}

/// One name of a service.
pub(in super::super) struct Listed {
    /// The class of its section.
    pub class: OtpClass,
    /// As written.
    pub name: &'static str,
    /// An everyday word: meant only when it is the whole name.
    pub is_everyday: bool,
}

impl Services {
    fn read(text: &'static str) -> Self {
        let mut services = Self {
            entries: Vec::new(),
            by_name: HashMap::new(),
            written: HashMap::new(),
            by_code: HashMap::new(),
        };
        let mut class = OtpClass::Unclassified;
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            if let Some(slug) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                class = OtpClass::from_slug(slug).unwrap_or(OtpClass::Unclassified);
            } else {
                services.add(class, line);
            }
        }
        services
    }

    /// One line: names separated by commas, then codes behind a semicolon.
    fn add(&mut self, class: OtpClass, line: &'static str) {
        let (names, codes) = line.split_once(';').unwrap_or((line, ""));
        for written in names.split(',').map(str::trim) {
            let everyday = written.strip_prefix('=');
            let name = everyday.unwrap_or(written);
            if let Some(plain) = plain(name) {
                self.written.insert(plain.clone(), name);
                self.by_name.insert(plain, class);
            }
            self.entries.push(Listed {
                class,
                name,
                is_everyday: everyday.is_some(),
            });
        }
        self.by_code
            .extend(codes.split_whitespace().map(|code| (code, class)));
    }
}

impl Listed {
    /// Watches for this name: the longer it is, the more freely it may stand.
    pub fn add_to(&self, keywords: &mut Keywords<OtpClass>) {
        let place = match skeleton(self.name).len() {
            _ if self.is_everyday => Place::Whole,
            0..4 => Place::Whole,
            4..6 => Place::Word,
            _ => Place::Anywhere,
        };
        keywords.push(self.class, place, self.name);
    }
}

/// A name as lists are searched by: folded, or nothing where folding would drop letters or
/// symbols that may stand for letters.
pub(in super::super) fn plain(name: &str) -> Option<String> {
    let is_plain = |letter: char| {
        letter.is_ascii_alphanumeric()
            || " .,-_+&'’!:/()".contains(letter)
            || !fold(letter.encode_utf8(&mut [0; 4])).is_empty()
    };
    let folded = fold(name);
    (name.chars().all(is_plain) && !folded.is_empty()).then_some(folded)
}
