//! What values the members of the order types may have.

use super::{OrderType, lines};
use crate::link::Link;

/// Minutes that panels take between a post and its order.
const DELAYS: [&str; 7] = ["0", "5", "10", "15", "30", "60", "90"];

/// Longest value of a member that holds one word, in bytes.
const WORD_MAX: usize = 128;

/// Posts that one subscription may cover, old and new ones together.
const POSTS_MAX: u64 = 1000;

/// A member with an unusable value, and why, in words that follow "Parameter NAME".
pub type BadValue = (&'static str, &'static str);

impl OrderType {
    /// Checks the values of the members that this type has beside link, quantity, runs and
    /// interval. What a panel would refuse, or read in a way of its own, is refused here, before
    /// any money is set aside.
    pub fn check<'a>(self, member: &dyn Fn(&str) -> Option<&'a str>) -> Result<(), BadValue> {
        let members = self.needed().iter().chain(self.optional());
        for name in members.copied() {
            if let Some(value) = member(name) {
                value_of(name, value).map_err(|why| (name, why))?;
            }
        }
        if self.is_per_child() {
            return subscription(member);
        }
        Ok(())
    }
}

fn value_of(name: &str, value: &str) -> Result<(), &'static str> {
    let among = |allowed: &[&str], why| match allowed.contains(&value) {
        true => Ok(()),
        false => Err(why),
    };
    match name {
        "username" | "hashtag" => word(value),
        "usernames" | "hashtags" => lines(value).into_iter().try_for_each(word),
        "answer_number" => match whole(value) {
            Some(1..=1000) => Ok(()),
            _ => Err("must be a whole number from 1 to 1000"),
        },
        "device" => among(&["1", "2", "3", "4", "5"], "must be 1, 2, 3, 4 or 5"),
        "type_of_traffic" => among(&["1", "2", "3"], "must be 1, 2 or 3"),
        "country" | "google_keyword" => one_line(value),
        "media" | "referring_url" => Link::parse(value).map(|_| ()),
        "delay" => among(&DELAYS, "must be 0, 5, 10, 15, 30, 60 or 90 minutes"),
        "expiry" => match is_day(value) {
            true => Ok(()),
            false => Err("must be a day as DD/MM/YYYY"),
        },
        _ => Ok(()),
    }
}

/// A name or a tag: one line without blanks.
fn word(value: &str) -> Result<(), &'static str> {
    if value.len() > WORD_MAX {
        return Err("must have at most 128 bytes in each name");
    }
    match value.chars().any(|c| c.is_whitespace() || c.is_control()) {
        true => Err("must not hold blanks in a name"),
        false => Ok(()),
    }
}

fn one_line(value: &str) -> Result<(), &'static str> {
    match value.len() > WORD_MAX || value.chars().any(char::is_control) {
        true => Err("must be one line of at most 128 bytes"),
        false => Ok(()),
    }
}

fn subscription<'a>(member: &dyn Fn(&str) -> Option<&'a str>) -> Result<(), BadValue> {
    const WHOLE: &str = "must be a whole number";
    let number = |name: &'static str| match member(name).map(whole) {
        Some(None) => Err((name, WHOLE)),
        Some(Some(number)) => Ok(Some(number)),
        None => Ok(None),
    };
    let (least, most) = (number("min")?, number("max")?);
    if least > most {
        return Err(("max", "must not be below min"));
    }
    let posts = number("posts")?.unwrap_or(0);
    let all = posts.saturating_add(number("old_posts")?.unwrap_or(0));
    match all {
        0..=POSTS_MAX => Ok(()),
        _ => Err(("posts", "must be at most 1000, old posts included")),
    }
}

/// A whole number in plain digits: no sign, no leading zero.
pub fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| digits && canonical)
}

/// A day of the calendar, `DD/MM/YYYY`.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let [day, month, year] = parts[..] else {
        return false;
    };
    let number = |part: &str, most: usize| {
        let digits = part.bytes().all(|b| b.is_ascii_digit()) && part.len() <= most;
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(day), Some(month), Some(year)) = (number(day, 2), number(month, 2), number(year, 4))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day) && (2000..=9999).contains(&year)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: OrderType, members: &[(&str, &str)]) -> Result<(), BadValue> {
        let members: Vec<(String, String)> = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        kind.check(&|name| {
            let found = members.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        })
    }

    #[test]
    fn values_outside_the_protocols_sets_are_refused_by_name() {
        use OrderType as K;
        for (kind, name, good, bad) in [
            (K::Poll, "answer_number", "1", "0"),
            (K::Poll, "answer_number", "12", "first"),
            (K::Poll, "answer_number", "3", "03"),
            (K::WebTraffic, "device", "5", "6"),
            (K::WebTraffic, "type_of_traffic", "3", "4"),
            (K::WebTraffic, "country", "US", "US\nGB"),
            (
                K::WebTraffic,
                "referring_url",
                "https://example.com/",
                "here",
            ),
            (
                K::MentionsMediaLikers,
                "media",
                "https://instagram.com/p/1",
                "x",
            ),
            (K::CommentLikes, "username", "ana", "ana\nbob"),
            (K::Mentions, "usernames", "ana\nbob", "ana bob"),
            (K::MentionsWithHashtags, "hashtags", "#sea\nsun", "sea sun"),
        ] {
            assert_eq!(checked(kind, &[(name, good)]), Ok(()), "{name} {good}");
            let refused = checked(kind, &[(name, bad)]).map_err(|(name, _)| name);
            assert_eq!(refused, Err(name), "{name} {bad}");
        }
        assert_eq!(
            checked(K::Default, &[("device", "9")]),
            Ok(()),
            "no use for it"
        );
    }

    #[test]
    fn the_members_of_a_subscription_fit_together() {
        let base = [("username", "ana"), ("min", "50"), ("max", "100")];
        let with = |more: &[(&'static str, &'static str)]| {
            let all: Vec<_> = base.iter().chain(more).copied().collect();
            checked(OrderType::Subscriptions, &all).map_err(|(name, _)| name)
        };
        assert_eq!(with(&[("posts", "5")]), Ok(()));
        assert_eq!(with(&[("old_posts", "5"), ("delay", "90")]), Ok(()));
        assert_eq!(with(&[("posts", "5"), ("expiry", "29/02/2028")]), Ok(()));
        assert_eq!(with(&[("posts", "1000"), ("old_posts", "1")]), Err("posts"));
        assert_eq!(with(&[("posts", "five")]), Err("posts"));
        assert_eq!(with(&[("posts", "5"), ("delay", "7")]), Err("delay"));
        assert_eq!(
            with(&[("posts", "5"), ("expiry", "29/02/2027")]),
            Err("expiry")
        );
        let upside_down = [
            ("username", "ana"),
            ("min", "9"),
            ("max", "8"),
            ("posts", "1"),
        ];
        let refused = checked(OrderType::Subscriptions, &upside_down);
        assert_eq!(refused.map_err(|(name, _)| name), Err("max"));
    }
}
