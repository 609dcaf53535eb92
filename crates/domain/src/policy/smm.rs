//! Which class an SMM service falls into, by its name, category and order type.

use std::sync::LazyLock;

use super::SmmClass::{
    self, AccountSales, FakeReviews, InauthenticEngagement, MassReports, PaidPromotion, Political,
};
use super::keywords::Keywords;
use super::keywords::Place::{self, Anywhere, Edge, Word};
use super::skeleton::Name;

/// Strictest first: a service is what the worst word in its name says it is.
const WORDS: &[(SmmClass, Place, &str)] = &[
    (
        MassReports,
        Anywhere,
        "dislike massreport takedown downvote thumbsdown copyrightstrike negativecomment \
         hatecomment badcomment insultingcomment angrycomment abusecomment commentsaboutaperson \
         commentaboutaperson unsubscribeattack accountban banaccount жалоб дизлайк",
    ),
    (
        MassReports,
        Word,
        "report reports reporting reported strike strikes flag flags",
    ),
    (
        AccountSales,
        Anywhere,
        "accountsale accountforsale accountsforsale buyaccount agedaccount \
         warmedaccount warmaccount pvaaccount readyaccount buylogin loginsale loginforsale \
         verifiedaccountfor loginpass loginandpassword loginpassword tdata sessionfile",
    ),
    (AccountSales, Word, "warmed"),
    (
        FakeReviews,
        Anywhere,
        "review testimonial trustpilot tripadvisor install votes voting upvote petition appdownload \
         apkdownload gamedownload appstore playstore fivestar 5star starrating apprating googlemaps \
         отзыв голос установк опрос рейтинг",
    ),
    (
        FakeReviews,
        Word,
        "rating ratings vote voter poll polls stars yelp feedback feedbacks trustscore quiz",
    ),
    (FakeReviews, Edge, "poll"),
    (
        Political,
        Anywhere,
        "election political politic president parliament senator congressman referendum vaccin \
         covid pandemic publichealth emergency disaster crypto bitcoin ethereum forex investment \
         coinmarketcap coingecko dextools dexscreener presale airdrop memecoin stockmarket stockpick stockpromo \
         политик",
    ),
    (
        Political,
        Word,
        "candidate candidates ico nft nfts token tokens",
    ),
    (
        InauthenticEngagement,
        Anywhere,
        "follow subscri comment view retweet repost watchtime watchhour impression listener \
         reaction engagement monthlylisten hearts favorite favourite подпис лайк просмотр коммент \
         репост",
    ),
    (
        InauthenticEngagement,
        Word,
        "like likes member members share shares play plays stream streams save saves reach visit \
         visits visitor visitors traffic friend friends mention mentions fan fans click clicks pin \
         pins repin repins connection connections bot bots invite invites tweets quotes watch",
    ),
    (
        PaidPromotion,
        Anywhere,
        "googleads facebookads metaads instagramads tiktokads snapchatads youtubeads linkedinads \
         sponsored creatormarketplace influencer paidpromotion promotedpost promotedpin \
         adcampaign advertising advertisement",
    ),
    // last: "real accounts" and "no login" are what sellers of followers say of their goods
    (
        AccountSales,
        Word,
        "account accounts accs acc login logins pva",
    ),
];

static KEYWORDS: LazyLock<Keywords<SmmClass>> = LazyLock::new(|| {
    let mut keywords = Keywords::default();
    keywords.extend(WORDS);
    keywords
});

/// Classifies a service by its name and category; the order type decides where it says more.
/// Costs tens of microseconds: meant to be asked once per distinct service of an import.
pub fn classify_smm(name: &str, category: &str, kind: &str) -> SmmClass {
    let kind = kind.trim().to_ascii_lowercase();
    let found = KEYWORDS.find(&Name::read(&format!("{category} - {name}")));
    match found {
        Some(MassReports) => MassReports,
        _ if kind == "poll" => FakeReviews,
        Some(class) => class,
        None => class_of_kind(&kind),
    }
}

/// What the order type alone tells.
fn class_of_kind(kind: &str) -> SmmClass {
    let is_engagement = ["comment", "mention", "subscription", "invite"]
        .into_iter()
        .any(|word| kind.contains(word));
    if is_engagement {
        InauthenticEngagement
    } else {
        SmmClass::Unclassified
    }
}

#[cfg(test)]
mod tests {
    use super::super::keywords::too_short;
    use super::*;

    #[test]
    fn no_keyword_is_too_short_for_its_place() {
        assert_eq!(too_short(WORDS), Vec::<&str>::new());
    }
}
