//! What a name looks like once disguises are removed: look-alikes, digits for letters, gaps.

use crate::countries::without_accent;

/// Words that contain a denied word by accident. They are skipped only when written plainly and
/// as a whole word, so "Burbank" passes and "Burb ank" does not.
const HARMLESS: &[&str] = &[
    "bankai",
    "blender",
    "burbank",
    "cashew",
    "coincidence",
    "competition",
    "competitive",
    "devoted",
    "display",
    "displays",
    "govee",
    "investigation",
    "investigator",
    "katana",
    "payload",
    "payne",
    "pollen",
    "preview",
    "previews",
    "repetition",
    "syntax",
];

/// A name reduced to its skeleton, ready to be searched for keywords.
pub(super) struct Name {
    /// With marks at the ends of words (`Yahoo!`) left out, and with them read as letters.
    pub readings: Vec<Spellings<Form>>,
}

/// The same letters in the ways they can be meant.
pub(super) struct Spellings<T> {
    /// As they look one by one.
    pub single: T,
    /// As pairs of them look: `rn` like `m`, `vv` like `w`.
    pub paired: T,
    /// As paired, and a letter repeated counts once.
    pub squeezed: T,
}

/// One way to spell a name.
pub(super) struct Form {
    /// All letters run together.
    pub whole: String,
    /// The words, and the parts of words that capitals or trailing digits set apart.
    pub words: Vec<String>,
    /// Which letters occur, one bit each.
    pub alphabet: u32,
}

const MARKS: [char; 3] = ['!', '|', '¡'];

impl Name {
    /// Reads a name as a person would see it.
    pub fn read(name: &str) -> Self {
        let mut readings = vec![Form::read(name, |word| word.trim_matches(MARKS))];
        if name.contains(MARKS) {
            readings.push(Form::read(name, |word| word));
        }
        Self {
            readings: readings.into_iter().map(Form::spellings).collect(),
        }
    }
}

impl Form {
    fn read(name: &str, trim: impl Fn(&str) -> &str) -> Self {
        let (mut whole, mut words) = (String::new(), Vec::new());
        let mut spelled = String::new();
        for raw in name.split(is_gap).map(trim) {
            if HARMLESS.contains(&raw.to_ascii_lowercase().as_str()) {
                continue;
            }
            let letters = skeleton(raw);
            whole.push_str(&letters);
            if letters.len() == 1 {
                // a word written letter by letter is one word
                spelled.push_str(&letters);
            } else if !letters.is_empty() {
                words.push(std::mem::take(&mut spelled));
                words.extend(parts(raw).map(skeleton));
                words.push(letters);
            }
        }
        words.push(spelled);
        words.retain(|word| !word.is_empty());
        Self::of(without_runs(&whole, 3), words)
    }

    fn of(whole: String, words: Vec<String>) -> Self {
        let alphabet = words
            .iter()
            .fold(alphabet(&whole), |seen, word| seen | alphabet(word));
        Self {
            whole,
            words,
            alphabet,
        }
    }

    fn spellings(self) -> Spellings<Self> {
        let map = |change: fn(&str) -> String| {
            let whole = change(&self.whole);
            let words = self.words.iter().map(|word| change(word)).collect();
            Self::of(whole, words)
        };
        Spellings {
            paired: map(pair),
            squeezed: map(squeeze),
            single: self,
        }
    }
}

/// A keyword read as names are: the spellings of its letters run together.
pub(super) fn spellings(keyword: &str) -> Spellings<Form> {
    Form::of(skeleton(keyword), Vec::new()).spellings()
}

/// The letters of a text as they look, run together: `B 4 n к` is `bank`. The letters i and l are
/// one, because 1 stands for both.
pub(super) fn skeleton(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    for seen in text.chars().filter_map(looks_like) {
        letters.extend(
            seen.chars()
                .map(|letter| if letter == 'l' { 'i' } else { letter }),
        );
    }
    without_runs(&letters, 3)
}

/// Which letters occur in a skeleton, one bit each: tells cheaply what cannot be in it.
fn alphabet(skeleton: &str) -> u32 {
    skeleton.bytes().fold(0, |seen, letter| {
        seen | 1 << (letter.saturating_sub(b'a') % 32)
    })
}

fn pair(skeleton: &str) -> String {
    skeleton.replace("rn", "m").replace("vv", "w")
}

fn squeeze(skeleton: &str) -> String {
    without_runs(&pair(skeleton), 2)
}

/// A letter that stands `least` times or more in a row counts once.
fn without_runs(letters: &str, least: usize) -> String {
    let mut rest = letters;
    let mut kept = String::with_capacity(letters.len());
    while let Some(letter) = rest.chars().next() {
        let after = rest.trim_start_matches(letter);
        let run = &rest[..rest.len() - after.len()];
        let is_stutter = run.chars().count() >= least;
        kept.push_str(if is_stutter {
            &run[..letter.len_utf8()]
        } else {
            run
        });
        rest = after;
    }
    kept
}

/// The parts of a word: split before each capital that follows a small letter, and the word
/// without the digits at its end.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let is_hump = |pair: &[(usize, char)]| pair[0].1.is_lowercase() && pair[1].1.is_uppercase();
    let letters: Vec<_> = word.char_indices().collect();
    let humps = letters
        .windows(2)
        .filter(|pair| is_hump(pair))
        .map(|pair| pair[1].0);
    let ends: Vec<usize> = humps.chain([word.len()]).collect();
    let starts = std::iter::once(0).chain(ends.clone());
    let pieces: Vec<&str> = starts
        .zip(ends)
        .map(|(start, end)| &word[start..end])
        .collect();
    let undated = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
    pieces.into_iter().chain([undated])
}

fn is_gap(letter: char) -> bool {
    looks_like(letter).is_none() && !is_invisible(letter)
}

/// Soft hyphens, zero-width characters, combining marks, variation selectors.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The lower-case ASCII letters that a character looks like.
fn looks_like(letter: char) -> Option<&'static str> {
    let styled = unstyled(letter);
    if let Some(seen) = capital_look_alike(styled) {
        return Some(seen);
    }
    let small = styled.to_lowercase().next().unwrap_or(styled);
    let seen = match small {
        'a'..='z' => ascii_letter(small),
        _ => other_look_alike(small),
    };
    match seen {
        "" => Some(without_accent(small)).filter(|plain| !plain.is_empty()),
        seen => Some(seen),
    }
}

fn ascii_letter(letter: char) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    LETTERS.find(letter).map_or("", |at| &LETTERS[at..=at])
}

/// Full-width, mathematical, circled and squared forms as the plain character they style.
fn unstyled(letter: char) -> char {
    let code = u32::from(letter);
    let capital = |offset: u32| char::from_u32(u32::from('A') + offset % 26);
    let digit = |offset: u32| char::from_u32(u32::from('0') + offset % 10);
    let plain = match code {
        0xff01..=0xff5e => char::from_u32(code - 0xfee0),
        0x1d400..=0x1d6a3 => capital(code - 0x1d400),
        0x1d7ce..=0x1d7ff => digit(code - 0x1d7ce),
        0x249c..=0x24b5 => capital(code - 0x249c),
        0x24b6..=0x24e9 => capital(code - 0x24b6),
        0x2460..=0x2468 => digit(code - 0x2460 + 1),
        0x24ea => Some('0'),
        0x1f110..=0x1f129 => capital(code - 0x1f110),
        0x1f130..=0x1f149 => capital(code - 0x1f130),
        0x1f150..=0x1f169 => capital(code - 0x1f150),
        0x1f170..=0x1f189 => capital(code - 0x1f170),
        0x1f1e6..=0x1f1ff => capital(code - 0x1f1e6),
        _ => None,
    };
    plain.unwrap_or(letter)
}

/// Capitals that look like another letter than their small forms do.
fn capital_look_alike(letter: char) -> Option<&'static str> {
    Some(match letter {
        'Η' | 'ℋ' | 'ℍ' => "h",
        'Ν' | 'ℕ' => "n",
        'Υ' => "y",
        'Μ' | 'ℳ' => "m",
        'Σ' | 'ℰ' => "e",
        'ℬ' => "b",
        'ℂ' => "c",
        'ℱ' => "f",
        'ℐ' | 'ℒ' => "i",
        'ℙ' => "p",
        'ℚ' => "q",
        'ℛ' | 'ℝ' => "r",
        'ℤ' => "z",
        _ => return None,
    })
}

/// Digits, symbols, Cyrillic, Greek, small capitals and raised letters, by looks.
fn other_look_alike(small: char) -> &'static str {
    match small {
        '0' | 'о' | 'ο' | 'σ' | 'ө' | 'օ' | 'ᴏ' | 'ᵒ' | 'ℴ' | 'ю' | 'θ' => "o",
        '1' | '!' | '|' | '¡' | 'і' | 'ї' | 'ι' | 'ӏ' | 'ɪ' | 'ⁱ' | 'ˡ' | 'ʟ' | 'ℓ' | '£' | 'л'
        | 'λ' => "i",
        '2' | 'ζ' | 'ᴢ' | 'ᶻ' => "z",
        '3' | '€' | 'е' | 'ё' | 'є' | 'э' | 'з' | 'ε' | 'ξ' | 'ᴇ' | 'ᵉ' | 'ℯ' => "e",
        '4' | '@' | 'а' | 'α' | 'ᴀ' | 'ɑ' | 'ᵃ' => "a",
        '5' | '$' | 'ѕ' | 'ς' | 'ꜱ' | 'ˢ' => "s",
        '6' | '8' | 'б' | 'в' | 'ь' | 'ъ' | 'ы' | 'β' | 'ʙ' | 'ᵇ' | '₿' | 'ϐ' => "b",
        '7' | 'т' | 'τ' | 'ᴛ' | 'ᵗ' => "t",
        '9' | 'ɡ' | 'ɢ' | 'ᵍ' | 'ℊ' => "g",
        'с' | 'ϲ' | 'ᴄ' | 'ᶜ' | '¢' => "c",
        'д' | 'ԁ' | 'δ' | 'ᴅ' | 'ᵈ' => "d",
        'ф' | 'φ' | 'ƒ' | 'ᶠ' => "f",
        'г' | 'ґ' | 'я' | 'ʀ' | 'ʳ' => "r",
        'н' | 'һ' | 'ʜ' | 'ʰ' => "h",
        'ј' | 'ᴊ' | 'ʲ' => "j",
        'к' | 'κ' | 'ᴋ' | 'ᵏ' => "k",
        'м' | 'μ' | 'ᴍ' | 'ᵐ' => "m",
        'п' | 'η' | 'π' | 'ո' | 'ɴ' | 'ⁿ' => "n",
        'р' | 'ρ' | 'ᴘ' | 'ᵖ' => "p",
        'ԛ' => "q",
        'и' | 'й' | 'ц' | 'υ' | 'ս' | 'ᴜ' | 'ᵘ' => "u",
        'ν' | 'ѵ' | 'ᴠ' | 'ᵛ' => "v",
        'ш' | 'щ' | 'ԝ' | 'ѡ' | 'ω' | 'ψ' | 'ᴡ' | 'ʷ' => "w",
        'х' | 'ж' | 'χ' | 'ˣ' => "x",
        'у' | 'ч' | 'γ' | 'ʏ' | 'ʸ' | '¥' => "y",
        _ => "",
    }
}
