//! Order types of the panel protocol: which members each needs, and what is billed.

/// What one order of a type is billed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// `quantity` units; times `runs` with drip-feed.
    Quantity,
    /// The non-empty lines of a member.
    Lines(&'static str),
    /// One package at the price the rate names.
    Flat,
    /// Child orders are billed as they are created. Not sold until we follow children.
    Children,
}

/// An order type.
#[derive(Debug, PartialEq, Eq)]
pub struct PanelKind {
    /// Title as panels write it.
    pub title: &'static str,
    /// Members an order must have besides `link`, in sending order. List members are sent by line.
    pub needed: &'static [&'static str],
    /// Members it may have.
    pub optional: &'static [&'static str],
    /// What is billed.
    pub billing: Billing,
}

const fn kind(
    title: &'static str,
    needed: &'static [&'static str],
    optional: &'static [&'static str],
    billing: Billing,
) -> PanelKind {
    PanelKind {
        title,
        needed,
        optional,
        billing,
    }
}

/// All order types, by the trade's own table.
pub static KINDS: [PanelKind; 18] = [
    kind(
        "Default",
        &["quantity"],
        &["runs", "interval"],
        Billing::Quantity,
    ),
    kind("Package", &[], &[], Billing::Flat),
    kind(
        "Custom Comments",
        &["comments"],
        &[],
        Billing::Lines("comments"),
    ),
    kind("Custom Comments Package", &["comments"], &[], Billing::Flat),
    kind(
        "Comment Likes",
        &["quantity", "username"],
        &[],
        Billing::Quantity,
    ),
    kind(
        "Comment Replies",
        &["username", "comments"],
        &[],
        Billing::Lines("comments"),
    ),
    kind(
        "Mentions",
        &["quantity", "usernames"],
        &[],
        Billing::Quantity,
    ),
    kind(
        "Mentions Custom List",
        &["usernames"],
        &[],
        Billing::Lines("usernames"),
    ),
    kind(
        "Mentions with Hashtags",
        &["quantity", "usernames", "hashtags"],
        &[],
        Billing::Quantity,
    ),
    kind(
        "Mentions Hashtag",
        &["quantity", "hashtag"],
        &[],
        Billing::Quantity,
    ),
    kind(
        "Mentions User Followers",
        &["quantity", "username"],
        &[],
        Billing::Quantity,
    ),
    kind(
        "Mentions Media Likers",
        &["quantity", "media"],
        &[],
        Billing::Quantity,
    ),
    kind(
        "Poll",
        &["quantity", "answer_number"],
        &[],
        Billing::Quantity,
    ),
    kind("SEO", &["quantity", "keywords"], &[], Billing::Quantity),
    kind("SEO2", &["quantity", "keywords"], &[], Billing::Quantity),
    kind(
        "Invites from Groups",
        &["quantity", "groups"],
        &[],
        Billing::Quantity,
    ),
    kind(
        "Web Traffic",
        &["quantity", "country", "device", "type_of_traffic"],
        &["google_keyword", "referring_url"],
        Billing::Quantity,
    ),
    kind(
        "Subscriptions",
        &["username", "min", "max"],
        &["posts", "old_posts", "delay", "expiry"],
        Billing::Children,
    ),
];

/// Lower case, only letters and digits, plural of "user" included.
fn folded(title: &str) -> String {
    let letters = title.chars().filter(char::is_ascii_alphanumeric);
    let folded: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    folded.replace("usersfollowers", "userfollowers")
}

impl PanelKind {
    /// The type with this title, however panels spell it (`custom_comments`, `Mentions Users
    /// Followers` …); nothing for a type we do not know, which is never treated as Default.
    pub fn from_title(title: &str) -> Option<&'static Self> {
        let wanted = folded(title);
        KINDS.iter().find(|kind| folded(kind.title) == wanted)
    }

    /// Whether the price does not depend on units, so that a refund is all or nothing.
    pub fn is_flat(&self) -> bool {
        self.billing == Billing::Flat
    }
}

/// Lines that count and are sent: split on LF and CRLF only, trimmed, empty ones dropped.
pub fn lines(text: &str) -> Vec<&str> {
    text.split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_found_however_they_are_spelt() {
        for (spelt, title) in [
            ("default", "Default"),
            ("custom_comments", "Custom Comments"),
            ("Mentions Users Followers", "Mentions User Followers"),
            ("Mentions with hashtags", "Mentions with Hashtags"),
        ] {
            assert_eq!(
                PanelKind::from_title(spelt).map(|kind| kind.title),
                Some(title)
            );
        }
        assert_eq!(PanelKind::from_title("Auto Likes"), None);
    }

    #[test]
    fn commas_do_not_change_the_billed_count() {
        assert_eq!(
            lines("nice, very nice\r\n\n  great \n"),
            ["nice, very nice", "great"]
        );
    }
}
