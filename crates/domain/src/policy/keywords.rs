//! Keyword rules: words that put a name into a class, wherever they hide in it.

use super::skeleton::{Form, Name, Spellings, spellings};

/// Where in a name a keyword has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Inside any run of letters, across gaps.
    Anywhere,
    /// At the beginning or end of a word or of the whole name.
    Edge,
    /// A word of its own, or the whole name.
    Word,
    /// The whole name and nothing else.
    Whole,
}

struct Keyword<C> {
    class: C,
    place: Place,
    letters: Spellings<Form>,
}

/// An ordered set of keywords; the first that matches decides.
pub(super) struct Keywords<C>(Vec<Keyword<C>>);

impl<C> Default for Keywords<C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<C: Copy> Keywords<C> {
    /// Adds rules of (class, place, words separated by spaces), strictest first.
    pub fn extend(&mut self, rules: &[(C, Place, &str)]) {
        for (class, place, words) in rules {
            words
                .split_ascii_whitespace()
                .for_each(|word| self.push(*class, *place, word));
        }
    }

    /// Adds one keyword after the others; it may contain gaps and is read as names are.
    pub fn push(&mut self, class: C, place: Place, word: &str) {
        let letters = spellings(word);
        if !letters.single.whole.is_empty() {
            self.0.push(Keyword {
                class,
                place,
                letters,
            });
        }
    }

    /// The class of the first keyword found in the name.
    pub fn find(&self, name: &Name) -> Option<C> {
        self.0
            .iter()
            .find(|keyword| keyword.is_in(name))
            .map(|keyword| keyword.class)
    }
}

/// Below this many letters a keyword without its repeated letters could be any word.
const SQUEEZED_LETTERS_MIN: usize = 4;

impl<C> Keyword<C> {
    fn is_in(&self, name: &Name) -> bool {
        let letters = &self.letters;
        let squeezed = &letters.squeezed;
        name.readings.iter().any(|reading| {
            stands(self.place, &letters.single, &reading.single)
                || stands(self.place, &letters.paired, &reading.paired)
                || squeezed.whole.len() >= SQUEEZED_LETTERS_MIN
                    && stands(self.place, squeezed, &reading.squeezed)
        })
    }
}

fn stands(place: Place, keyword: &Form, form: &Form) -> bool {
    if keyword.alphabet & !form.alphabet != 0 {
        return false;
    }
    let keyword = keyword.whole.as_str();
    let mut runs = form.words.iter().chain([&form.whole]);
    match place {
        Place::Anywhere => form.whole.contains(keyword),
        Place::Edge => runs.any(|run| run.starts_with(keyword) || run.ends_with(keyword)),
        Place::Word => runs.any(|run| run == keyword),
        Place::Whole => form.whole == keyword,
    }
}

/// Keywords with so few letters for their place that they would deny names by accident.
#[cfg(test)]
pub(super) fn too_short<'a, C>(rules: &[(C, Place, &'a str)]) -> Vec<&'a str> {
    let least = |place: &Place| match place {
        Place::Anywhere => 4,
        Place::Edge | Place::Word | Place::Whole => 3,
    };
    let words = rules.iter().flat_map(|(_, place, words)| {
        words
            .split_ascii_whitespace()
            .map(move |word| (least(place), word))
    });
    words
        .filter(|(least, word)| spellings(word).single.whole.len() < *least)
        .map(|it| it.1)
        .collect()
}
