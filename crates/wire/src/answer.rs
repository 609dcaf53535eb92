//! What came back over HTTP, before anybody knows what it means.

/// Status and body of an HTTP answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Body as text; the content type is never trusted and so never carried.
    pub body: &'a str,
}

impl<'a> Answer<'a> {
    /// An answer with status 200.
    pub fn ok(body: &'a str) -> Self {
        Self { status: 200, body }
    }

    /// The body without surrounding white space and byte-order mark.
    pub fn text(self) -> &'a str {
        self.body.trim_start_matches('\u{feff}').trim()
    }

    /// A page for people: an error page or a challenge of a proxy in between.
    pub fn is_html(self) -> bool {
        self.text().starts_with('<')
    }

    /// Decided by the first character alone.
    pub fn is_json(self) -> bool {
        self.text().starts_with(['{', '['])
    }

    /// 2xx.
    pub fn is_success(self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A status after which nobody can say whether the request was carried out: 1xx, 3xx, 408,
    /// 499, 5xx and anything that is no status at all.
    pub fn is_unsettled(self) -> bool {
        !matches!(self.status, 200..300 | 400..500) || matches!(self.status, 408 | 499)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_settle_nothing() {
        for status in [0, 100, 301, 302, 408, 499, 500, 503, 522, 999] {
            assert!(Answer { status, body: "" }.is_unsettled(), "{status}");
        }
        for status in [200, 201, 400, 401, 403, 404, 409, 429] {
            assert!(!Answer { status, body: "" }.is_unsettled(), "{status}");
        }
    }

    #[test]
    fn the_first_character_decides() {
        assert!(Answer::ok(" \u{feff}").text().len() <= 3);
        assert!(Answer::ok("\u{feff} {\"a\":1}").is_json());
        assert!(Answer::ok("\n<!doctype html>").is_html());
        assert!(!Answer::ok("ACCESS_CANCEL").is_json());
    }
}
