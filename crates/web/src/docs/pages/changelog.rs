//! The changelog as a page: what is in CHANGELOG.md, read at build time.
//!
//! Of Markdown it takes what that file uses: headings, lists, paragraphs, `code` and links in words.

use crate::dashboard::{Page, Visitor};
use axum::response::Response;
use minijinja::{Value, context};

const CHANGELOG: &str = include_str!("../../../../../CHANGELOG.md");

/// The changelog for a reader.
pub(crate) fn changelog(visitor: &Visitor) -> Response {
    let values = context! {
        version => env!("CARGO_PKG_VERSION"),
        releases => releases(CHANGELOG),
    };
    Page::new(visitor, "Changelog")
        .under("docs")
        .show("docs/changelog.html", values)
}

/// A part under a heading of the second degree.
#[derive(Debug, Default, PartialEq, Eq)]
struct Release<'a> {
    title: &'a str,
    items: Vec<String>,
}

fn releases(text: &str) -> Vec<Value> {
    let view = |release: Release<'_>| {
        let items: Vec<_> = release.items.iter().map(|item| pieces(item)).collect();
        context! { title => release.title, items }
    };
    read(text).into_iter().map(view).collect()
}

/// The releases with their items, each item on one line. What stands before the first release is the
/// file's own title.
fn read(text: &str) -> Vec<Release<'_>> {
    let mut releases: Vec<Release<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            releases.push(Release {
                title,
                ..Release::default()
            });
            continue;
        }
        let Some(release) = releases.last_mut() else {
            continue;
        };
        if let Some(item) = line.strip_prefix("- ") {
            release.items.push(item.to_owned());
        } else if let Some(item) = release.items.last_mut().filter(|_| !line.trim().is_empty()) {
            item.push(' ');
            item.push_str(line.trim());
        }
    }
    releases
}

/// The text of an item, cut where code begins and ends.
fn pieces(item: &str) -> Vec<Value> {
    let parts = item.split('`').enumerate();
    parts
        .filter(|(_, text)| !text.is_empty())
        .map(|(at, text)| context! { text, code => at % 2 == 1 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{CHANGELOG, Release, read};

    #[test]
    fn items_are_whole_and_stand_under_their_release() {
        let text = "# Changelog\n\n## Unreleased\n\n- One of\n  two lines.\n- Two.\n\n## 1.0.0\n- Three.\n";
        let release = |title, items: &[&str]| Release {
            title,
            items: items.iter().map(ToString::to_string).collect(),
        };
        let expected = [
            release("Unreleased", &["One of two lines.", "Two."]),
            release("1.0.0", &["Three."]),
        ];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn the_changelog_uses_only_what_the_page_can_show() {
        for (at, line) in CHANGELOG.lines().enumerate() {
            let number = at + 1;
            let known = ["# ", "## ", "- ", "  "];
            let shown = line.is_empty() || known.iter().any(|start| line.starts_with(start));
            assert!(
                shown,
                "CHANGELOG.md:{number}: neither heading nor item: {line}"
            );
        }
        for item in read(CHANGELOG).iter().flat_map(|release| &release.items) {
            assert_eq!(
                item.matches('`').count() % 2,
                0,
                "code is left open: {item}"
            );
            assert!(!item.contains("**") && !item.contains("]("), "{item}");
        }
    }
}
