//! The files that the docs page asks for, carried inside the program.

/// The media type and content of a docs asset, or `None` where there is no such file. `name` is
/// what follows `/assets/` in the page's links.
pub fn asset(name: &str) -> Option<(&'static str, &'static [u8])> {
    match name {
        "docs.css" => Some((
            "text/css; charset=utf-8",
            include_bytes!("../../assets/docs/docs.css"),
        )),
        "docs.js" => Some((
            "text/javascript; charset=utf-8",
            include_bytes!("../../assets/docs/docs.js"),
        )),
        "docs.svg" => Some((
            "image/svg+xml",
            include_bytes!("../../assets/docs/docs.svg"),
        )),
        _ => None,
    }
}
