//! Links an SMM order may point at: public pages over http or https. A link is never fetched.

/// A link that may be ordered for, with the host in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    text: String,
    host: String,
}

/// Longest link.
const LENGTH_MAX: usize = 2048;

/// Names that never lead to a public page.
const PRIVATE_ENDS: [&str; 9] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "test",
    "invalid",
];

/// A platform's word in a category, and the hosts its pages live on.
const PLATFORMS: [(&str, &[&str]); 16] = [
    ("instagram", &["instagram.com", "instagr.am"]),
    ("tiktok", &["tiktok.com"]),
    ("youtube", &["youtube.com", "youtu.be"]),
    ("facebook", &["facebook.com", "fb.com", "fb.watch"]),
    ("twitter", &["x.com", "twitter.com"]),
    ("telegram", &["t.me", "telegram.me", "telegram.org"]),
    ("spotify", &["spotify.com", "spotify.link"]),
    ("twitch", &["twitch.tv"]),
    ("soundcloud", &["soundcloud.com"]),
    ("linkedin", &["linkedin.com", "lnkd.in"]),
    ("pinterest", &["pinterest.com", "pin.it"]),
    ("reddit", &["reddit.com", "redd.it"]),
    ("discord", &["discord.com", "discord.gg"]),
    ("threads", &["threads.net", "threads.com"]),
    ("snapchat", &["snapchat.com"]),
    ("vimeo", &["vimeo.com"]),
];

impl Link {
    /// Reads a link, or says what is wrong with it in words that follow "Parameter link".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.len() > LENGTH_MAX {
            return Err("must be a link of 1 to 2048 characters");
        }
        let legal = |b: u8| b.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&b);
        if !text.bytes().all(legal) {
            return Err("holds a character that is not allowed in a link; percent-encode it");
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("must begin with https:// or http://")?;
        if !["http", "https"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return Err("must begin with https:// or http://");
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err("must not hold a user name or password");
        }
        let host = host_of(authority)?;
        let text = format!("{}://{host}{path}", scheme.to_ascii_lowercase());
        Ok(Self { text, host })
    }

    /// The link.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it lies on the platform that a service's category names; true where the category
    /// names none that we know.
    pub fn fits_category(&self, category: &str) -> bool {
        let category = category.to_ascii_lowercase();
        let words = || category.split(|c: char| !c.is_ascii_alphanumeric());
        let named = PLATFORMS.iter().find(|(word, _)| {
            words().any(|part| part == *word)
                || (*word == "twitter" && words().any(|part| part == "x"))
        });
        named.is_none_or(|(_, hosts)| hosts.iter().any(|host| self.is_on(host)))
    }

    fn is_on(&self, host: &str) -> bool {
        self.host
            .strip_suffix(host)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// The host in lower case, if it is a public name: no address in any notation, no port but the
/// usual ones, no international look-alikes.
fn host_of(authority: &str) -> Result<String, &'static str> {
    let host = match authority.rsplit_once(':') {
        Some((host, "80" | "443")) => host,
        Some(_) => return Err("must not name a port or a numeric address"),
        None => authority,
    };
    let host = host.to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let plain = |label: &&str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if labels.len() < 2 || host.len() > 253 || !labels.iter().all(plain) {
        return Err("must name a public host");
    }
    if labels.iter().any(|label| label.starts_with("xn--")) {
        return Err("must name its host in plain letters");
    }
    let last = labels[labels.len() - 1];
    if PRIVATE_ENDS.contains(&last) || !last.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err("must name a public host");
    }
    Ok(host)
}

/// What a link points at, however it is spelled: two links with the same target lead to the same
/// page. Scheme, `www.`, usual ports, the fragment, an empty query, needless slashes and detours are
/// left out, the host is in lower case, and what need not be percent-encoded is not. For comparing only:
/// it is no link. Any text has a target, also one that is no link.
pub fn target(link: &str) -> String {
    let link = link.split('#').next().unwrap_or_default();
    let rest = match link.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => rest,
        _ => link,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, query),
        None => (rest, ""),
    };
    let mut target = bare_host(authority);
    for segment in segments(&decode_unreserved(path)) {
        target.push('/');
        target.push_str(segment);
    }
    if !query.is_empty() {
        target.push('?');
        target.push_str(&decode_unreserved(query));
    }
    target
}

/// The host without what does not tell pages apart.
fn bare_host(authority: &str) -> String {
    let host = authority.to_ascii_lowercase();
    let host = host
        .strip_suffix(":443")
        .or_else(|| host.strip_suffix(":80"))
        .unwrap_or(&host);
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// The steps of a path, without empty ones and after its steps back.
fn segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            step => segments.push(step),
        }
    }
    segments
}

/// `%41` becomes `A`; what stays encoded is spelled in upper case, and what is no encoding stays.
fn decode_unreserved(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, encoded) = rest.split_at(at);
        decoded.push_str(before);
        let digits = encoded.get(1..3);
        let digits = digits.filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(digits) = digits else {
            decoded.push('%');
            rest = &encoded[1..];
            continue;
        };
        match u8::from_str_radix(digits, 16) {
            Ok(b) if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => {
                decoded.push(char::from(b));
            }
            _ => {
                decoded.push('%');
                decoded.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = &encoded[3..];
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_has_many_spellings() {
        for spelling in [
            "https://instagram.com/User",
            "http://instagram.com/User",
            "HTTPS://WWW.Instagram.com/User",
            "https://www.instagram.com:443/User/",
            "http://instagram.com:80//User///",
            "https://instagram.com./User",
            "https://instagram.com/User#posts",
            "https://instagram.com/User?",
            "https://instagram.com/User/?#top",
            "https://instagram.com/%55se%72",
            "https://instagram.com/./other/%2e%2e/User",
            "https://instagram.com/../User",
            "instagram.com/User",
        ] {
            assert_eq!(target(spelling), "instagram.com/User", "{spelling}");
        }
        assert_eq!(target("https://www.instagram.com/"), "instagram.com");
        assert_eq!(
            target("https://x.com/a?v=%7ea%2fb&w=1"),
            target("http://www.X.com/a/?v=~a%2Fb&w=1#c")
        );
    }

    #[test]
    fn other_targets_stay_apart() {
        let others = [
            "https://instagram.com/user",
            "https://instagram.com/User",
            "https://instagram.com/User/reels",
            "https://instagram.com/User?tab=1",
            "https://instagram.com/User?tab=2",
            "https://instagram.com/User?next=http://a.b//c/",
            "https://instagram.com/User?next=http://a.b/c",
            "https://instagram.com/User%2Freels",
            "https://instagram.com/User%252Freels",
            "https://m.instagram.com/User",
            "https://wwwinstagram.com/User",
            "https://instagram.com",
            "https://instagram.org/User",
        ];
        let targets: std::collections::HashSet<_> =
            others.iter().map(|link| target(link)).collect();
        assert_eq!(targets.len(), others.len());
    }

    #[test]
    fn any_text_has_a_target() {
        for (text, wanted) in [
            ("", ""),
            ("x", "x"),
            ("#", ""),
            ("?", ""),
            ("a/b?u=c://d", "a/b?u=c://d"),
            ("a/%", "a/%"),
            ("a/%4", "a/%4"),
            ("a/%zz%41", "a/%zzA"),
            ("a/%\u{e9}1", "a/%\u{e9}1"),
            ("a/%C3%a9", "a/%C3%A9"),
        ] {
            assert_eq!(target(text), wanted, "{text:?}");
            assert_eq!(target(&target(text)), wanted, "{text:?}");
        }
    }

    #[test]
    fn public_pages_are_taken_with_their_host_in_lower_case() {
        let link = Link::parse("HTTPS://Instagram.com/User?sandbox=partial:157").unwrap();
        assert_eq!(
            link.text(),
            "https://instagram.com/User?sandbox=partial:157"
        );
        assert!(link.fits_category("Instagram Followers"));
        assert!(!link.fits_category("TikTok"));
        assert!(link.fits_category("Website Traffic"));
        assert!(
            Link::parse("https://www.instagram.com:443/p/1")
                .unwrap()
                .fits_category("Instagram")
        );
        assert!(
            !Link::parse("https://notinstagram.com/p")
                .unwrap()
                .fits_category("Instagram")
        );
        assert!(
            Link::parse("https://x.com/a")
                .unwrap()
                .fits_category("X (Twitter)")
        );
    }

    #[test]
    fn what_is_no_public_page_is_refused() {
        for bad in [
            "",
            " ",
            "instagram.com/user",
            "javascript:alert(1)",
            "ftp://instagram.com/",
            "https://user:pass@instagram.com/",
            "https://localhost/",
            "https://127.0.0.1/",
            "http://[::1]/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://printer.local/",
            "https://instagram.com:8443/",
            "https://xn--instgram-1eb.com/",
            "https://instagram.com/\r\nX: y",
            "https://instagram.com/\u{202e}",
            "https://instagr\u{0430}m.com/",
            "https://instagram.com/<script>",
            "=cmd()",
            "https:///path",
            "https://.com",
        ] {
            assert!(Link::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Link::parse(&format!("https://instagram.com/{}", "a".repeat(10_000))).is_err());
    }
}
