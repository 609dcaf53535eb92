//! The order types of the panel trade: names, members, and what is billed.

mod values;

pub use values::{BadValue, whole};

/// Type of a service, which decides what an order of it consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderType {
    /// Link and quantity, drip-feed where offered.
    Default,
    /// A fixed package for a link.
    Package,
    /// Comments, one per line.
    CustomComments,
    /// A fixed package with comments.
    CustomCommentsPackage,
    /// Likes for one's comment.
    CommentLikes,
    /// Replies to one's comment.
    CommentReplies,
    /// Mentions of users from a list.
    Mentions,
    /// Mentions of exactly the users listed.
    MentionsCustomList,
    /// Mentions of users with hashtags.
    MentionsWithHashtags,
    /// Mentions of users of one hashtag.
    MentionsHashtag,
    /// Mentions of one user's followers.
    MentionsUserFollowers,
    /// Mentions of those who liked a post.
    MentionsMediaLikers,
    /// Votes for one answer.
    Poll,
    /// Visits by keyword.
    Seo,
    /// Visits by keyword, second kind.
    Seo2,
    /// Invitations from groups.
    InvitesFromGroups,
    /// Visits from a country and device.
    WebTraffic,
    /// Orders made by the panel for every new post.
    Subscriptions,
}

/// What an order is billed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// The rate is per 1000 of these.
    Counted(u64),
    /// The rate is the price of the package.
    Flat,
    /// The panel bills every child order when it makes it: at most this many units in all.
    PerChild(u64),
}

/// What one order is counted by.
enum Counting {
    /// `quantity` (times `runs` where drip-feed is possible).
    Quantity,
    /// Non-empty lines of this member.
    Lines(&'static str),
    Flat,
    PerChild,
}

/// A type with its canonical name, members and counting.
struct Entry(OrderType, &'static str, &'static [&'static str], Counting);

const TABLE: &[Entry] = &[
    Entry(
        OrderType::Default,
        "Default",
        &["link", "quantity"],
        Counting::Quantity,
    ),
    Entry(OrderType::Package, "Package", &["link"], Counting::Flat),
    Entry(
        OrderType::CustomComments,
        "Custom Comments",
        &["link", "comments"],
        Counting::Lines("comments"),
    ),
    Entry(
        OrderType::CustomCommentsPackage,
        "Custom Comments Package",
        &["link", "comments"],
        Counting::Flat,
    ),
    Entry(
        OrderType::CommentLikes,
        "Comment Likes",
        &["link", "quantity", "username"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::CommentReplies,
        "Comment Replies",
        &["link", "username", "comments"],
        Counting::Lines("comments"),
    ),
    Entry(
        OrderType::Mentions,
        "Mentions",
        &["link", "quantity", "usernames"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::MentionsCustomList,
        "Mentions Custom List",
        &["link", "usernames"],
        Counting::Lines("usernames"),
    ),
    Entry(
        OrderType::MentionsWithHashtags,
        "Mentions with Hashtags",
        &["link", "quantity", "usernames", "hashtags"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::MentionsHashtag,
        "Mentions Hashtag",
        &["link", "quantity", "hashtag"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::MentionsUserFollowers,
        "Mentions User Followers",
        &["link", "quantity", "username"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::MentionsMediaLikers,
        "Mentions Media Likers",
        &["link", "quantity", "media"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::Poll,
        "Poll",
        &["link", "quantity", "answer_number"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::Seo,
        "SEO",
        &["link", "quantity", "keywords"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::Seo2,
        "SEO2",
        &["link", "quantity", "keywords"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::InvitesFromGroups,
        "Invites from Groups",
        &["link", "quantity", "groups"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::WebTraffic,
        "Web Traffic",
        &["link", "quantity", "country", "device", "type_of_traffic"],
        Counting::Quantity,
    ),
    Entry(
        OrderType::Subscriptions,
        "Subscriptions",
        &["username", "min", "max"],
        Counting::PerChild,
    ),
];

impl OrderType {
    /// Every type.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|entry| entry.0)
    }

    /// The type behind a name as panels write it: any case, any separators, "users" for "user". A
    /// missing or blank name is nothing, never `Default`.
    pub fn parse(name: &str) -> Option<Self> {
        let wanted = folded(name);
        TABLE
            .iter()
            .find(|entry| folded(entry.1) == wanted)
            .map(|entry| entry.0)
    }

    /// Canonical name in title case.
    pub fn title(self) -> &'static str {
        self.entry().1
    }

    /// Members an order needs besides `service`.
    pub fn needed(self) -> &'static [&'static str] {
        self.entry().2
    }

    /// Members an order may have. Web Traffic needs one of its two, by `type_of_traffic`; see
    /// [`Self::needed_with`].
    pub fn optional(self) -> &'static [&'static str] {
        match self {
            Self::Default => &["runs", "interval"],
            Self::WebTraffic => &["google_keyword", "referring_url"],
            Self::Subscriptions => &["posts", "old_posts", "delay", "expiry"],
            _ => &[],
        }
    }

    /// A member that the values of others make needed: `interval` beside `runs`, the keyword or
    /// the referrer that a type of traffic calls for.
    pub fn needed_with<'a>(self, member: &dyn Fn(&str) -> Option<&'a str>) -> Option<&'static str> {
        match self {
            Self::Default => member("runs").map(|_| "interval"),
            Self::WebTraffic => match member("type_of_traffic")? {
                "1" => Some("google_keyword"),
                "2" => Some("referring_url"),
                _ => None,
            },
            _ => None,
        }
    }

    /// The member that decides how many units an order has: the list that is counted, or `quantity`.
    pub fn counted_by(self) -> &'static str {
        match self.entry().3 {
            Counting::Lines(name) => name,
            Counting::Quantity | Counting::Flat | Counting::PerChild => "quantity",
        }
    }

    /// Whether the rate is the price of one package.
    pub fn is_flat(self) -> bool {
        matches!(self.entry().3, Counting::Flat)
    }

    /// Whether nothing is billed but the child orders the panel makes later.
    pub fn is_per_child(self) -> bool {
        matches!(self.entry().3, Counting::PerChild)
    }

    /// What an order with these members is billed by. The error is the member at fault: missing,
    /// not a whole number from 1, an empty list, or a product that overflows.
    pub fn units<'a>(
        self,
        member: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Result<Units, &'static str> {
        match self.entry().3 {
            Counting::Flat => Ok(Units::Flat),
            Counting::PerChild => {
                let most = from_one(member("max"), "max")?;
                let posts = ["posts", "old_posts"]
                    .into_iter()
                    .filter_map(|name| values::whole(member(name)?))
                    .fold(0_u64, u64::saturating_add);
                most.checked_mul(posts).map(Units::PerChild).ok_or("posts")
            }
            Counting::Lines(name) => match member(name).map(lines).map(|lines| lines.len()) {
                Some(lines @ 1..) => Ok(Units::Counted(lines as u64)),
                _ => Err(name),
            },
            Counting::Quantity => {
                let quantity = from_one(member("quantity"), "quantity")?;
                let dripped = matches!(self, Self::Default) && member("runs").is_some();
                let runs = if dripped {
                    from_one(member("runs"), "runs")?
                } else {
                    1
                };
                quantity.checked_mul(runs).map(Units::Counted).ok_or("runs")
            }
        }
    }

    fn entry(self) -> &'static Entry {
        // every variant has its row, see the test; the first row can only stand in for a bug there
        TABLE
            .iter()
            .find(|entry| entry.0 == self)
            .unwrap_or(&TABLE[0])
    }
}

/// Lines of a list member: split on LF and CRLF only, trimmed, empty ones dropped.
pub fn lines(list: &str) -> Vec<&str> {
    list.split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

fn from_one(value: Option<&str>, name: &'static str) -> Result<u64, &'static str> {
    let digits = |text: &&str| text.bytes().all(|b| b.is_ascii_digit());
    let number = value.filter(digits).and_then(|text| text.parse().ok());
    number.filter(|number| *number > 0).ok_or(name)
}

/// Lower case without separators, with "users" as "user". Anything that is neither letter, digit
/// nor separator stays, and so never matches.
fn folded(name: &str) -> String {
    let kept = name
        .chars()
        .filter(|c| !(c.is_whitespace() || matches!(c, '_' | '-' | '.')));
    let kept: String = kept.map(|c| c.to_ascii_lowercase()).collect();
    kept.replace("usersfollowers", "userfollowers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_own_row_and_is_found_by_its_name() {
        assert_eq!(OrderType::all().count(), 18);
        for kind in OrderType::all() {
            assert_eq!(OrderType::parse(kind.title()), Some(kind));
        }
        assert_eq!(OrderType::parse("Auto Likes"), None);
    }

    #[test]
    fn commas_do_not_change_the_billed_count() {
        let comments =
            |name: &str| (name == "comments").then_some("nice, very nice\r\n\n great \n");
        assert_eq!(
            OrderType::CustomComments.units(&comments),
            Ok(Units::Counted(2))
        );
    }

    #[test]
    fn units_that_overflow_name_their_member() {
        let member = |name: &str| match name {
            "quantity" => Some("18446744073709551615"),
            "runs" => Some("2"),
            _ => None,
        };
        assert_eq!(OrderType::Default.units(&member), Err("runs"));
    }
}
