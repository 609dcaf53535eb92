//! A sheet of paper: a title, blocks of lines, pairs of words and figures. One page of A4 in the
//! fonts that every reader has.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

/// A4 in points.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
const MARGIN: f32 = 60.0;
/// Where the second of a pair begins.
const SECOND: f32 = 240.0;
/// From one line to the next.
const STEP: f32 = 18.0;
/// Lines that fit below the title.
const LINES_MAX: usize = 36;
/// Characters of a line at most.
const LETTERS_MAX: usize = 90;

const PLAIN: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

/// What stands on the sheet.
pub(super) struct Sheet {
    /// At the top, and what a reader's window calls it.
    pub(super) title: String,
    /// Below it: a line, or a pair; an empty one is a gap.
    pub(super) lines: Vec<(String, String)>,
}

/// The file.
pub(super) fn file(sheet: &Sheet) -> Vec<u8> {
    let [catalog, pages, page, content, plain, bold, info] = [1, 2, 3, 4, 5, 6, 7].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let mut one = pdf.page(page);
    one.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
    one.parent(pages).contents(content);
    one.resources().fonts().pair(PLAIN, plain).pair(BOLD, bold);
    one.finish();
    for (font, name) in [(plain, &b"Helvetica"[..]), (bold, b"Helvetica-Bold")] {
        let mut font = pdf.type1_font(font);
        font.base_font(Name(name))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    pdf.stream(content, &drawn(sheet));
    pdf.document_info(info).title(TextStr(&sheet.title));
    pdf.finish()
}

fn drawn(sheet: &Sheet) -> Vec<u8> {
    let mut content = Content::new();
    let mut text = |font: Name<'_>, size: f32, (x, y): (f32, f32), words: &str| {
        content.begin_text().set_font(font, size);
        content
            .next_line(x, y)
            .show(Str(&letters(words)))
            .end_text();
    };
    let top = HEIGHT - MARGIN - 20.0;
    text(BOLD, 20.0, (MARGIN, top), &sheet.title);
    let mut y = top - 2.0 * STEP;
    for (first, second) in sheet.lines.iter().take(LINES_MAX) {
        text(PLAIN, 11.0, (MARGIN, y), first);
        text(BOLD, 11.0, (SECOND, y), second);
        y -= STEP;
    }
    content.finish().into_vec()
}

/// Text in the letters that the fonts have; what they have not is a question mark.
fn letters(text: &str) -> Vec<u8> {
    let letter = |one: char| match one {
        '\u{2212}' => b'-',
        '\u{20ac}' => 0x80,
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(one)).unwrap_or(b'?'),
        _ => b'?',
    };
    text.chars().take(LETTERS_MAX).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_one_page_with_its_words() {
        let pair = |first: &str, second: &str| (first.to_owned(), second.to_owned());
        let many = vec![pair("a (b) \\ c", "\u{2212}$5.00 \u{20ac} \u{e9} \u{4e2d}"); 100];
        let sheet = Sheet {
            title: "Receipt tu_42".into(),
            lines: many,
        };
        let file = file(&sheet);
        assert!(file.starts_with(b"%PDF-1.7") && file.ends_with(b"%%EOF"));
        let has = |text: &[u8]| file.windows(text.len()).any(|part| part == text);
        assert!(has(b"(Receipt tu_42)") && has(b"/Count 1"));
        assert_eq!(
            letters("\u{2212}$5 \u{20ac}\u{e9}\u{4e2d}\n"),
            b"-$5 \x80\xe9??"
        );
        assert_eq!(letters(&"x".repeat(500)).len(), LETTERS_MAX);
    }
}
