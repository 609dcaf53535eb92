//! Where a reader goes next: only ever a page of ours.

/// A path of ours, or `/` for anything else: an address from a form or a query never leads away.
pub(crate) fn own(path: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let ours = path.starts_with('/') && !path.starts_with("//");
    if ours && path.len() <= 500 && path.bytes().all(plain) {
        path
    } else {
        "/"
    }
}

/// A text as one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn no_address_leads_away() {
        assert_eq!(own("/keys?notice=x"), "/keys?notice=x");
        for bad in [
            "",
            "keys",
            "//evil.example",
            "/\\evil",
            "https://evil.example",
            "/a b",
            "/\n",
        ] {
            assert_eq!(own(bad), "/", "{bad:?}");
        }
    }
}
