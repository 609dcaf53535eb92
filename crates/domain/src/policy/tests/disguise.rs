//! Writes names as people do who want them to slip through. Knows nothing of the engine's tables.

/// A small deterministic generator (xorshift), so that every run tests the same names.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

fn stand_ins(letter: char) -> &'static [&'static str] {
    match letter {
        'a' => &["4", "@", "а", "á", "Α", "ａ", "ᴀ", "𝐚", "Ⓐ"],
        'b' => &["8", "6", "В", "β", "ｂ", "ʙ", "𝗯"],
        'c' => &["с", "ç", "Ｃ", "ᴄ", "𝒄"],
        'd' => &["ԁ", "ď", "ｄ", "🅳"],
        'e' => &["3", "е", "é", "Ε", "€", "ｅ", "ᴇ", "𝓮"],
        'g' => &["9", "ğ", "ɡ", "ｇ"],
        'h' => &["Н", "һ", "Η", "ｈ"],
        'i' => &["1", "і", "!", "|", "ı", "í", "Ι", "ｉ"],
        'k' => &["К", "к", "κ", "Ｋ", "𝕜"],
        'l' => &["1", "|", "I", "ł", "ｌ"],
        'm' => &["М", "м", "rn", "Μ", "ｍ"],
        'n' => &["ñ", "п", "Ν", "ｎ", "ɴ"],
        'o' => &["0", "о", "ο", "ö", "ø", "Ｏ", "𝟎"],
        'p' => &["р", "Ρ", "ｐ"],
        'r' => &["г", "ř", "ｒ", "ʀ"],
        's' => &["5", "$", "ѕ", "ş", "ｓ"],
        't' => &["7", "Т", "τ", "ť", "ｔ"],
        'u' => &["ü", "υ", "ц", "ｕ"],
        'v' => &["ν", "ѵ", "ｖ"],
        'w' => &["vv", "ѡ", "ŵ", "ｗ", "ԝ"],
        'x' => &["х", "Χ", "ｘ"],
        'y' => &["у", "ý", "Υ", "ｙ"],
        'z' => &["2", "ž", "Ζ", "ｚ"],
        _ => &[],
    }
}

/// One disguise of a name: replaced letters, gaps, invisible characters, odd case, stutter.
pub fn disguise(name: &str, dice: &mut Dice) -> String {
    const GAPS: [&str; 8] = [" ", ".", "-", "_", "\u{200b}", "*", "\u{301}", "·"];
    let gaps_everywhere = dice.one_in(4);
    let gap = GAPS[dice.below(GAPS.len())];
    let mut written = String::new();
    for letter in name.chars() {
        let choices = stand_ins(letter.to_ascii_lowercase());
        if !choices.is_empty() && dice.one_in(3) {
            written.push_str(choices[dice.below(choices.len())]);
        } else if dice.one_in(4) {
            written.extend(letter.to_uppercase());
        } else {
            written.push(letter);
        }
        if letter.is_alphabetic() && dice.one_in(15) {
            written.extend([letter, letter]);
        }
        if gaps_everywhere || dice.one_in(8) {
            written.push_str(gap);
        }
    }
    written
}
