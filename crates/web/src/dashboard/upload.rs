//! Forms that carry a file: read part by part and bounded, so that no more of a file is ever held than
//! is taken.

use super::fields::{self, Fields};
use super::page::Failed;
use super::session::Visitor;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use domain::hex::hex;
use multer::{Constraints, Field, Multipart, SizeLimit};
use sha2::{Digest, Sha256};

/// Parts of a form.
const PARTS_MAX: usize = 40;
/// Bytes of a form that are read to the end, though not kept, so that whoever chose a file that is too
/// large reads why instead of seeing the connection cut.
const READ_MAX: u64 = 8 * 1024 * 1024;

/// What a form with a file may hold.
pub(crate) struct Bounds {
    /// The field with the file.
    pub file: &'static str,
    /// Longest file, in bytes.
    pub file_max: usize,
    /// All other fields together, in bytes.
    pub text_max: usize,
    /// What is said of a file that is longer.
    pub too_large: &'static str,
}

/// What came.
pub(crate) struct Upload {
    /// The fields; that of the file holds its digest.
    pub fields: Fields,
    /// The file where one was chosen, or why it is not taken.
    pub file: Result<Option<Vec<u8>>, Failed>,
}

/// What a reader's form sent, if its page was shown to this reader; a form without a file may be
/// urlencoded as all others are.
///
/// # Errors
/// It cannot be read, or is of another reader's page.
pub(crate) async fn sent(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: Body,
    bounds: &Bounds,
) -> Result<Upload, Failed> {
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let multipart = media_type.filter(|text| text.starts_with("multipart/form-data"));
    let Some(multipart) = multipart else {
        let fields = fields::sent(visitor, headers, body).await?;
        let file = Ok(None);
        return Ok(Upload { fields, file });
    };
    let boundary = multer::parse_boundary(multipart).map_err(unreadable)?;
    let limit = SizeLimit::new().whole_stream(READ_MAX);
    let limit = Constraints::new().size_limit(limit);
    let parts = Multipart::with_constraints(body.into_data_stream(), boundary, limit);
    let Upload { fields, file } = read(parts, bounds).await?;
    let fields = fields::from_its_page(visitor, fields)?;
    Ok(Upload { fields, file })
}

async fn read(mut parts: Multipart<'_>, bounds: &Bounds) -> Result<Upload, Failed> {
    let (mut pairs, mut file) = (Vec::new(), Ok(None));
    let mut room = bounds.text_max;
    for _ in 0..PARTS_MAX {
        let Some(mut part) = parts.next_field().await.map_err(unreadable)? else {
            let fields = Fields::of(pairs);
            return Ok(Upload { fields, file });
        };
        let name = part.name().unwrap_or_default().to_owned();
        let chosen = part.file_name().is_some_and(|name| !name.is_empty());
        if name == bounds.file {
            let bytes = whole(&mut part, bounds.file_max).await?;
            if let Some(digest) = bytes.as_ref().filter(|bytes| !bytes.is_empty()) {
                pairs.push((name, hex(&Sha256::digest(digest))));
            }
            file = taken(file, bytes, chosen, bounds);
            continue;
        }
        if chosen {
            let why = "This form takes one file, in its own field.";
            return Err(Failed::new(StatusCode::BAD_REQUEST, why));
        }
        let text = whole(&mut part, room).await?.ok_or_else(too_long)?;
        room -= text.len();
        let text = String::from_utf8(text).map_err(|_| garbled())?;
        pairs.push((name, text));
    }
    Err(garbled())
}

/// What is known of the file after one more part that may be it. A field that was left empty sends a
/// part without a name and without a byte.
fn taken(
    before: Result<Option<Vec<u8>>, Failed>,
    bytes: Option<Vec<u8>>,
    chosen: bool,
    bounds: &Bounds,
) -> Result<Option<Vec<u8>>, Failed> {
    let before = before?;
    let Some(bytes) = bytes else {
        let too_large = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(Failed {
            field: bounds.file,
            ..Failed::new(too_large, bounds.too_large)
        });
    };
    match before {
        before if bytes.is_empty() && !chosen => Ok(before),
        None => Ok(Some(bytes)),
        Some(_) => Err(Failed::field(bounds.file, "Choose one file only.")),
    }
}

/// A part with all its bytes; nothing where there are more, which are read and dropped.
async fn whole(part: &mut Field<'_>, most: usize) -> Result<Option<Vec<u8>>, Failed> {
    let mut bytes = Some(Vec::new());
    while let Some(chunk) = part.chunk().await.map_err(unreadable)? {
        let fits = |kept: &Vec<u8>| kept.len() + chunk.len() <= most;
        bytes = bytes.filter(fits);
        if let Some(kept) = &mut bytes {
            kept.extend_from_slice(&chunk);
        }
    }
    Ok(bytes)
}

fn unreadable(error: multer::Error) -> Failed {
    match error {
        multer::Error::StreamSizeExceeded { .. } => too_long(),
        _ => garbled(),
    }
}

fn too_long() -> Failed {
    Failed::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "This form is too large. Choose a smaller file.",
    )
}

fn garbled() -> Failed {
    let why = "This form did not arrive whole. Go back, reload the page, and send it again.";
    Failed::new(StatusCode::BAD_REQUEST, why)
}
