//! Which class SMM services fall into.

use super::super::SmmClass::*;
use super::super::*;

#[test]
fn names_tell_the_class() {
    for (name, class) in [
        (
            "Instagram Followers [Real | 30 days refill]",
            InauthenticEngagement,
        ),
        ("Followers", InauthenticEngagement),
        (
            "Instagram Followers from old accounts",
            InauthenticEngagement,
        ),
        (
            "Instagram Likes - No login, no password, in stock",
            InauthenticEngagement,
        ),
        (
            "Top rated Followers (accounts with posts, no ban)",
            InauthenticEngagement,
        ),
        ("YouTube Views - Instant", InauthenticEngagement),
        ("TikTok L1kes", InauthenticEngagement),
        ("𝐈𝐧𝐬𝐭𝐚𝐠𝐫𝐚𝐦 𝐅𝐨𝐥𝐥𝐨𝐰𝐞𝐫𝐬", InauthenticEngagement),
        ("Custom Comments", InauthenticEngagement),
        ("Telegram Channel Members", InauthenticEngagement),
        ("YouTube Previews and Views", InauthenticEngagement),
        ("YouTube Views via Google Ads", InauthenticEngagement),
        ("Google Maps 5 Star Reviews", FakeReviews),
        ("R e v i e w s", FakeReviews),
        ("Trustpilot", FakeReviews),
        ("Android App Installs", FakeReviews),
        ("Telegram Poll Votes", FakeReviews),
        ("Change.org Petition Signatures", FakeReviews),
        ("App Store Rating", FakeReviews),
        ("YouTube Dislikes", MassReports),
        ("Instagram Mass Report", MassReports),
        ("Telegram Channel Reports", MassReports),
        ("Negative Comments", MassReports),
        ("Election Candidate Likes", Political),
        ("Crypto Coin Followers", Political),
        ("Aged Account for sale", AccountSales),
        ("Warmed Facebook accounts", AccountSales),
        ("Twitter Accounts PVA", AccountSales),
        ("Facebook logins", AccountSales),
        ("Buy logins", AccountSales),
        ("Sponsored Google Ads campaign", PaidPromotion),
        ("Influencer placement with disclosure", PaidPromotion),
        ("Something else", Unclassified),
        ("Generating leads", Unclassified),
        ("Photo competition", Unclassified),
    ] {
        assert_eq!(classify_smm(name, "", "Default"), class, "{name}");
    }
}

#[test]
fn category_and_order_type_have_a_say() {
    assert_eq!(
        classify_smm("100 pieces", "Instagram Likes", "Default"),
        InauthenticEngagement
    );
    assert_eq!(
        classify_smm("100 pieces", "Reviews", "Default"),
        FakeReviews
    );
    assert_eq!(classify_smm("Telegram", "Telegram", "Poll"), FakeReviews);
    assert_eq!(classify_smm("Followers", "Instagram", "poll"), FakeReviews);
    assert_eq!(classify_smm("Reports", "Instagram", "Poll"), MassReports);
    assert_eq!(
        classify_smm("Premium", "YouTube", "Custom Comments"),
        InauthenticEngagement
    );
    assert_eq!(
        classify_smm("Premium", "Instagram", "Subscriptions"),
        InauthenticEngagement
    );
    assert_eq!(classify_smm("Premium", "YouTube", "Default"), Unclassified);
}
