//! The classes a destination can fall into, and how strongly each is denied by default.

/// What the engine does with a class when the operator has configured nothing.
/// Ordered from the strictest to the freest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Never sold; compiled in, no setting lifts it.
    HardDeny,
    /// Not sold until the operator lifts the class.
    DefaultDeny,
    /// Not sold until the operator classifies the service, except in the sandboxed demo.
    NotSold,
    /// Sold, within limits.
    Limit,
    /// Sold.
    Allow,
}

/// What kind of service an OTP activation registers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OtpClass {
    /// Banks, wallets, brokers, lenders, exchanges.
    Money,
    /// Government, tax, identity, police, courts, credit bureaus.
    StateIdentity,
    /// Insurers, hospitals, pharmacies, patient portals.
    Health,
    /// Carrier accounts, SIM control, other sellers of numbers and messages.
    TelecomControl,
    /// Services aimed at people under 18.
    Children,
    /// Crisis lines, alarms, location safety.
    EmergencySafety,
    /// Mailboxes, single sign-on, password managers, cloud consoles.
    MailMaster,
    /// Marketplaces, classifieds, ride, delivery, lodging.
    Marketplaces,
    /// Social networks and chat apps.
    SocialMessaging,
    /// Dating.
    Dating,
    /// Games, forums, streaming.
    GamingForumsStreaming,
    /// An app the customer has proved to control.
    OwnApplication,
    /// The upstream cannot tell the service: "any other", "full rent".
    AnyOther,
    /// Nobody has classified it yet.
    Unclassified,
}

impl OtpClass {
    /// Every class, in the order of the policy page.
    pub const ALL: [Self; 14] = [
        Self::Money,
        Self::StateIdentity,
        Self::Health,
        Self::TelecomControl,
        Self::Children,
        Self::EmergencySafety,
        Self::MailMaster,
        Self::Marketplaces,
        Self::SocialMessaging,
        Self::Dating,
        Self::GamingForumsStreaming,
        Self::OwnApplication,
        Self::AnyOther,
        Self::Unclassified,
    ];

    /// How strongly the class is denied. `AnyOther` is denied by default at the highest tier and
    /// hard below it: see [`OtpClass::is_fixed`] and [`OtpClass::lowest_tier`].
    pub const fn strength(self) -> Strength {
        match self {
            Self::Money
            | Self::StateIdentity
            | Self::Health
            | Self::TelecomControl
            | Self::Children
            | Self::EmergencySafety => Strength::HardDeny,
            Self::MailMaster | Self::Marketplaces | Self::Dating | Self::AnyOther => {
                Strength::DefaultDeny
            }
            Self::SocialMessaging | Self::GamingForumsStreaming => Strength::Limit,
            Self::OwnApplication => Strength::Allow,
            Self::Unclassified => Strength::NotSold,
        }
    }

    /// Whether an operator may not move a service out of this class, because it is hard-denied to
    /// at least one tier.
    pub const fn is_fixed(self) -> bool {
        matches!(self.strength(), Strength::HardDeny) || matches!(self, Self::AnyOther)
    }

    /// The lowest tier that may buy the class, lifted where it has to be.
    pub const fn lowest_tier(self) -> u8 {
        match self {
            Self::MailMaster | Self::AnyOther => 3,
            Self::Marketplaces => 2,
            Self::SocialMessaging | Self::GamingForumsStreaming => 1,
            _ => 0,
        }
    }

    /// What falls into it, in words for anybody.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Money => "Banks, cards, brokers, wallets, lenders, exchanges",
            Self::StateIdentity => "State services, identity and credit records",
            Self::Health => "Health: insurers, hospitals, pharmacies",
            Self::TelecomControl => "Control of phone lines and numbers",
            Self::Children => "Services for people under 18",
            Self::EmergencySafety => "Emergency and safety",
            Self::MailMaster => "Mailboxes, single sign-on, password managers",
            Self::Marketplaces => "Marketplaces, rides, delivery, lodging",
            Self::SocialMessaging => "Social networks and messengers",
            Self::Dating => "Dating",
            Self::GamingForumsStreaming => "Gaming, forums, streaming",
            Self::OwnApplication => "The customer's own application",
            Self::AnyOther => "Numbers for any service",
            Self::Unclassified => "Services nobody has classified yet",
        }
    }

    /// The stable name, as stored with decisions and written in settings.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::StateIdentity => "state_identity",
            Self::Health => "health",
            Self::TelecomControl => "telecom_control",
            Self::Children => "children",
            Self::EmergencySafety => "emergency_safety",
            Self::MailMaster => "mail_master",
            Self::Marketplaces => "marketplaces",
            Self::SocialMessaging => "social_messaging",
            Self::Dating => "dating",
            Self::GamingForumsStreaming => "gaming_forums_streaming",
            Self::OwnApplication => "own_application",
            Self::AnyOther => "any_other",
            Self::Unclassified => "unclassified",
        }
    }

    /// The class with this stable name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.slug() == slug)
    }
}

/// What kind of thing an SMM service delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SmmClass {
    /// Reviews, ratings, testimonials, votes, polls, petitions, installs.
    FakeReviews,
    /// Political, election, public-health, emergency or financial-asset promotion.
    Political,
    /// Mass reports, dislikes, take-downs, hostile comments.
    MassReports,
    /// Followers, likes, views, comments.
    InauthenticEngagement,
    /// Promotion through the platform's own ad product, or disclosed placements.
    PaidPromotion,
    /// Accounts and logins.
    AccountSales,
    /// Nobody has classified it yet.
    Unclassified,
}

impl SmmClass {
    /// Every class, in the order of the policy page.
    pub const ALL: [Self; 7] = [
        Self::FakeReviews,
        Self::Political,
        Self::MassReports,
        Self::InauthenticEngagement,
        Self::PaidPromotion,
        Self::AccountSales,
        Self::Unclassified,
    ];

    /// How strongly the class is denied.
    pub const fn strength(self) -> Strength {
        match self {
            Self::FakeReviews | Self::Political | Self::MassReports | Self::AccountSales => {
                Strength::HardDeny
            }
            Self::InauthenticEngagement => Strength::DefaultDeny,
            Self::PaidPromotion => Strength::Allow,
            Self::Unclassified => Strength::NotSold,
        }
    }

    /// What falls into it, in words for anybody.
    pub const fn title(self) -> &'static str {
        match self {
            Self::FakeReviews => "Reviews, ratings, votes, petitions, installs",
            Self::Political => "Politics, elections, public health, finance",
            Self::MassReports => "Reports, dislikes, take-downs",
            Self::InauthenticEngagement => "Followers, likes and views not from real interest",
            Self::PaidPromotion => "Paid promotion with disclosure",
            Self::AccountSales => "Accounts and logins",
            Self::Unclassified => "Services nobody has classified yet",
        }
    }

    /// The stable name, as stored with decisions and written in settings.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::FakeReviews => "fake_reviews",
            Self::Political => "political",
            Self::MassReports => "mass_reports",
            Self::InauthenticEngagement => "inauthentic_engagement",
            Self::PaidPromotion => "paid_promotion",
            Self::AccountSales => "account_sales",
            Self::Unclassified => "unclassified",
        }
    }

    /// The class with this stable name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.slug() == slug)
    }
}
