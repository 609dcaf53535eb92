//! What the practice SMM panel sells.
//!
//! Reviews, votes, account sales and the like are in the list on purpose: a gateway's policy must
//! refuse them, and without them nobody could see the refusal.

use domain::usd::Usd;
use wire::panel_v2::OrderType;

/// One service of the panel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PanelService {
    /// The panel's service id.
    pub(crate) id: u32,
    /// Name.
    pub(crate) name: &'static str,
    /// Category, mostly the platform.
    pub(crate) category: &'static str,
    /// Type of order.
    pub(crate) kind: OrderType,
    /// Price of 1000 units, or of one package where the type is flat.
    pub(crate) rate: Usd,
    /// Least quantity.
    pub(crate) min: u64,
    /// Greatest quantity.
    pub(crate) max: u64,
    /// Refills are offered.
    pub(crate) refill: bool,
    /// Cancels are offered.
    pub(crate) cancel: bool,
    /// Drip-feed is offered.
    pub(crate) dripfeed: bool,
}

impl PanelService {
    const fn refill(self) -> Self {
        Self {
            refill: true,
            ..self
        }
    }

    const fn cancel(self) -> Self {
        Self {
            cancel: true,
            ..self
        }
    }

    const fn drip(self) -> Self {
        Self {
            dripfeed: true,
            ..self
        }
    }
}

/// A row: id, category, name, type, milli-dollars per 1000 units or package, least and most.
const fn row(
    id: u32,
    category: &'static str,
    name: &'static str,
    kind: OrderType,
    (rate_milli, min, max): (i64, u64, u64),
) -> PanelService {
    let rate = Usd(rate_milli * 1000);
    let (refill, cancel, dripfeed) = (false, false, false);
    PanelService {
        id,
        name,
        category,
        kind,
        rate,
        min,
        max,
        refill,
        cancel,
        dripfeed,
    }
}

use OrderType as K;

/// Every service, by ascending id.
pub(crate) const PANEL_SERVICES: &[PanelService] = &[
    row(1, "Instagram", "Followers", K::Default, (900, 50, 10_000))
        .refill()
        .cancel()
        .drip(),
    row(2, "Instagram", "Likes", K::Default, (420, 10, 50_000))
        .cancel()
        .drip(),
    row(
        3,
        "Instagram",
        "Reel Views",
        K::Default,
        (35, 100, 1_000_000),
    )
    .drip(),
    row(4, "Instagram", "Story Views", K::Default, (60, 20, 30_000)),
    row(
        5,
        "Instagram",
        "Comments, own text",
        K::CustomComments,
        (9_500, 5, 500),
    )
    .cancel(),
    row(
        6,
        "Instagram",
        "Comment Likes",
        K::CommentLikes,
        (1_250, 20, 5_000),
    ),
    row(
        7,
        "Instagram",
        "Mentions by user list",
        K::MentionsCustomList,
        (4_800, 10, 1_000),
    ),
    row(
        8,
        "Instagram",
        "Mentions of a user's followers",
        K::MentionsUserFollowers,
        (3_900, 100, 20_000),
    ),
    row(
        9,
        "Instagram",
        "Mentions by hashtag",
        K::MentionsHashtag,
        (3_700, 100, 20_000),
    ),
    row(
        10,
        "Instagram",
        "Mentions with hashtags",
        K::MentionsWithHashtags,
        (4_100, 50, 5_000),
    ),
    row(
        11,
        "Instagram",
        "Mentions of media likers",
        K::MentionsMediaLikers,
        (3_800, 100, 20_000),
    ),
    row(
        12,
        "Instagram",
        "Welcome package",
        K::Package,
        (4_990, 1, 1),
    )
    .cancel(),
    row(
        13,
        "Instagram",
        "Comment package, own text",
        K::CustomCommentsPackage,
        (7_490, 1, 1),
    ),
    row(
        14,
        "Instagram",
        "Likes on new posts",
        K::Subscriptions,
        (510, 20, 5_000),
    )
    .cancel(),
    row(
        20,
        "YouTube",
        "Views, real audience placement",
        K::Default,
        (2_150, 100, 500_000),
    )
    .refill()
    .drip(),
    row(21, "YouTube", "Likes", K::Default, (1_480, 20, 20_000))
        .refill()
        .cancel(),
    row(
        22,
        "YouTube",
        "Subscribers",
        K::Default,
        (19_900, 20, 5_000),
    )
    .refill()
    .cancel(),
    row(
        23,
        "YouTube",
        "Comments, own text",
        K::CustomComments,
        (14_900, 5, 300),
    )
    .cancel(),
    row(
        24,
        "YouTube",
        "Comment replies, own text",
        K::CommentReplies,
        (16_500, 5, 200),
    ),
    row(
        25,
        "YouTube",
        "Views on new videos",
        K::Subscriptions,
        (2_300, 100, 50_000),
    ),
    row(
        26,
        "YouTube",
        "Watch time boost package",
        K::Package,
        (39_000, 1, 1),
    ),
    row(30, "TikTok", "Views", K::Default, (18, 100, 5_000_000)).drip(),
    row(31, "TikTok", "Likes", K::Default, (640, 20, 100_000))
        .cancel()
        .drip(),
    row(32, "TikTok", "Followers", K::Default, (2_700, 50, 50_000))
        .refill()
        .cancel(),
    row(33, "TikTok", "Shares", K::Default, (210, 50, 100_000)),
    row(
        34,
        "TikTok",
        "Comments, own text",
        K::CustomComments,
        (11_200, 5, 500),
    ),
    row(
        40,
        "Facebook",
        "Page Followers",
        K::Default,
        (1_900, 100, 50_000),
    )
    .refill(),
    row(41, "Facebook", "Post Likes", K::Default, (980, 50, 20_000)).cancel(),
    row(
        42,
        "Facebook",
        "Event invites from groups",
        K::InvitesFromGroups,
        (5_200, 50, 5_000),
    ),
    row(
        50,
        "Telegram",
        "Channel Members",
        K::Default,
        (1_350, 100, 50_000),
    )
    .refill(),
    row(51, "Telegram", "Post Views", K::Default, (24, 50, 500_000)).drip(),
    row(
        52,
        "Telegram",
        "Views on new posts",
        K::Subscriptions,
        (30, 50, 100_000),
    ),
    row(60, "X", "Followers", K::Default, (3_200, 50, 20_000)).refill(),
    row(
        61,
        "X",
        "Mentions by user list and text",
        K::Mentions,
        (6_100, 20, 2_000),
    ),
    row(62, "X", "Reposts", K::Default, (2_450, 20, 10_000)).cancel(),
    row(70, "Spotify", "Plays", K::Default, (780, 500, 1_000_000))
        .refill()
        .drip(),
    row(
        71,
        "Spotify",
        "Playlist placement package",
        K::Package,
        (24_000, 1, 1),
    ),
    row(72, "SoundCloud", "Plays", K::Default, (95, 100, 1_000_000)).drip(),
    row(80, "Twitch", "Followers", K::Default, (1_100, 20, 20_000)).refill(),
    row(
        81,
        "Discord",
        "Server members",
        K::Default,
        (6_900, 50, 5_000),
    ),
    row(
        82,
        "LinkedIn",
        "Sponsored post reach",
        K::Default,
        (12_500, 100, 20_000),
    )
    .cancel(),
    row(
        83,
        "Pinterest",
        "Promoted pin impressions",
        K::Default,
        (1_700, 100, 100_000),
    )
    .cancel(),
    row(
        90,
        "Website",
        "Traffic from search",
        K::WebTraffic,
        (450, 500, 1_000_000),
    ),
    row(
        91,
        "Website",
        "Search visits by keyword",
        K::Seo,
        (2_900, 10, 1_000),
    ),
    row(
        92,
        "Website",
        "Search visits by keyword, second engine",
        K::Seo2,
        (3_100, 10, 1_000),
    ),
    row(
        100,
        "Google",
        "Business reviews, 5 stars",
        K::CustomComments,
        (390_000, 1, 50),
    ),
    row(101, "Trustpilot", "Reviews", K::Default, (450_000, 1, 50)),
    row(102, "Telegram", "Poll votes", K::Poll, (820, 50, 10_000)),
    row(
        103,
        "Petitions",
        "Petition votes",
        K::Default,
        (5_500, 50, 5_000),
    ),
    row(
        104,
        "App Store",
        "App installs with rating",
        K::Default,
        (290_000, 10, 1_000),
    ),
    row(
        105,
        "Instagram",
        "Warmed accounts for sale",
        K::Package,
        (12_000, 1, 1),
    ),
    row(106, "YouTube", "Dislikes", K::Default, (2_400, 20, 5_000)),
    row(107, "TikTok", "Mass report", K::Default, (8_800, 10, 500)),
    row(
        108,
        "Politics",
        "Election campaign followers",
        K::Default,
        (3_300, 100, 10_000),
    ),
    row(
        109,
        "Finance",
        "Token launch channel members",
        K::Default,
        (2_600, 100, 10_000),
    ),
];

/// The service with this id.
pub(crate) fn panel_service(id: &str) -> Option<&'static PanelService> {
    let wanted: u32 = id.parse().ok()?;
    let at = PANEL_SERVICES
        .binary_search_by_key(&wanted, |service| service.id)
        .ok()?;
    PANEL_SERVICES.get(at)
}
