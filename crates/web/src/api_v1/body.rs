//! Reading the body of a write: bounded, in a media type we take, strictly.

use super::json;
use super::members::Members;
use super::problem::Problem;
use super::query;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};

/// Longest body, in bytes.
const LENGTH_MAX: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    Json,
    Form,
}

/// Refuses a body that says itself that it is too long, before any of it is read.
pub(crate) fn check_length(headers: &HeaderMap) -> Result<(), Problem> {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok());
    let declared = length.and_then(|length| length.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > LENGTH_MAX as u64) {
        return Err(Problem::body_too_large());
    }
    Ok(())
}

/// Whether a body follows the headers.
pub(crate) fn is_there(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// The members of a write's body.
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<Members, Problem> {
    let bytes = collect(body).await?;
    match media_type(headers)? {
        MediaType::Json => json::object(&bytes),
        MediaType::Form => {
            let pairs = query::read(&bytes);
            match pairs.repeated {
                Some(name) => Err(Problem::duplicate(&name)),
                None => Ok(pairs.members),
            }
        }
    }
}

/// The bytes of a body.
pub(crate) async fn collect(body: Body) -> Result<Bytes, Problem> {
    collect_up_to(body, LENGTH_MAX).await
}

/// The bytes of a body of at most so many.
pub(crate) async fn collect_up_to(body: Body, length_max: usize) -> Result<Bytes, Problem> {
    to_bytes(body, length_max).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        let too_large = source.is_some_and(|cause| cause.to_string().contains("length limit"));
        if too_large {
            Problem::body_too_large()
        } else {
            Problem::bad("malformed_json", "The body ended before its time.")
        }
    })
}

/// Refuses what is neither JSON in UTF-8 nor an urlencoded form, and everything compressed.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    media_type(headers).map(|_| ())
}

/// Refuses everything but JSON in UTF-8.
pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    match media_type(headers)? {
        MediaType::Json => Ok(()),
        MediaType::Form => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body must be application/json in UTF-8.",
        )),
    }
}

fn media_type(headers: &HeaderMap) -> Result<MediaType, Problem> {
    let unsupported = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if !encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let sentence = "The body must not be compressed.";
        return Err(Problem::new(unsupported, "unsupported_encoding", sentence));
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let only = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().ok(),
        _ => None,
    };
    only.and_then(known_type).ok_or_else(|| {
        let sentence = "The body must be application/json in UTF-8 or \
                        application/x-www-form-urlencoded; the Content-Type header says which.";
        Problem::new(unsupported, "unsupported_media_type", sentence)
    })
}

fn known_type(text: &str) -> Option<MediaType> {
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next()?.to_ascii_lowercase();
    let media_type = match essence.as_str() {
        "application/json" => MediaType::Json,
        "application/x-www-form-urlencoded" => MediaType::Form,
        _ => return None,
    };
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    utf8.then_some(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_read_in_every_spelling_and_only_ours_are_taken() {
        use MediaType::{Form, Json};
        for (text, expected) in [
            ("application/json", Some(Json)),
            ("Application/JSON; Charset=\"UTF-8\"", Some(Json)),
            ("application/json;charset=utf-8", Some(Json)),
            ("application/x-www-form-urlencoded", Some(Form)),
            ("application/json; charset=utf-16", None),
            ("application/x-www-form-urlencoded; charset=latin1", None),
            ("text/plain", None),
            ("application/jsonp", None),
            ("multipart/form-data; boundary=x", None),
            ("", None),
        ] {
            assert_eq!(known_type(text), expected, "{text:?}");
        }
    }
}
