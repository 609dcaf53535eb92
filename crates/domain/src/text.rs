//! What texts that people type may hold.

/// Whether a text holds what nobody sees and what changes how the text around it is read: control characters, and the marks
/// that turn the direction of writing (Unicode's `Bidi_Control`).
pub fn has_controls(text: &str) -> bool {
    text.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_turn_the_direction_are_controls_and_letters_are_not() {
        for bad in [
            "a\nb",
            "\u{0}",
            "\u{7f}",
            "\u{202e}evil",
            "a\u{2066}b",
            "\u{200f}",
            "\u{61c}x",
        ] {
            assert!(has_controls(bad), "{bad:?}");
        }
        // joiners belong to Persian words and to emoji
        for good in [
            "",
            "Münze",
            "مفتاح",
            "می\u{200c}خواهم",
            "👩\u{200d}💻",
            "a b",
        ] {
            assert!(!has_controls(good), "{good:?}");
        }
    }
}
