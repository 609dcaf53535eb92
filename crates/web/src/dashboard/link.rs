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

/// The page with the form that is sent to this path: for most the room it stands in, as `/wallet` for
/// `/wallet/redeem`. Opened by its address, a path that only takes forms would show nothing.
pub(crate) fn page_of_form(path: &str) -> &str {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.starts_with("/console/") {
        return desk(path);
    }
    match path {
        "/smm/order" | "/smm/cancel" | "/smm/refill" => "/orders?kind=smm",
        "/wallet/redeem" => "/wallet/top-up",
        "/smm/mass" | "/wallet/top-up" | "/confirm-password" => path,
        "/smm/quote" => "/smm",
        "/sign-up/strength" => "/sign-up",
        _ => match path.strip_suffix("/withdraw") {
            Some(top_up) => top_up,
            None => room(path),
        },
    }
}

/// The first part of a path.
fn room(path: &str) -> &str {
    let behind = path.get(1..).and_then(|rest| rest.find('/'));
    behind.map_or(path, |end| &path[..=end])
}

/// The page of the console that a form of it stands on: accounts and orders have one each.
fn desk(path: &str) -> &str {
    let of_one = ["/console/accounts/", "/console/orders/"];
    let parts = match of_one.iter().any(|start| path.starts_with(start)) {
        true => 3,
        false => 2,
    };
    let end = path.match_indices('/').nth(parts);
    end.map_or(path, |(end, _)| &path[..end])
}

/// A text as one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::{own, page_of_form};

    #[test]
    fn a_form_of_the_console_stands_on_a_page_of_it() {
        for (form, page) in [
            ("/console/accounts/7/keys/revoke", "/console/accounts/7"),
            ("/console/orders/12/settle?x=1", "/console/orders/12"),
            ("/console/money/3/decide", "/console/money"),
            ("/console/codes/make", "/console/codes"),
            ("/console/announcements", "/console/announcements"),
        ] {
            assert_eq!(page_of_form(form), page, "{form}");
        }
    }

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
