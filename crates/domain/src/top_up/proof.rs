//! What a customer shows of a bank transfer: one picture or document.

use crate::ids::AccountId;
use crate::time::Timestamp;

/// Largest file, in bytes.
pub const PROOF_MAX: usize = 2 * 1024 * 1024;
/// Files that are kept of one account at the same time.
pub const PROOFS_OF_ACCOUNT: u32 = 20;

/// What kind of file it is, by what is in it: a name says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofKind {
    /// A picture.
    Png,
    /// A photograph.
    Jpeg,
    /// A document.
    Pdf,
}

impl ProofKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::Pdf];

    /// Stable word, which is the ending of a file's name, too.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Pdf => "pdf",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
        }
    }

    /// What a file begins with that is of this kind.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Png => b"\x89PNG\r\n\x1a\n",
            Self::Jpeg => b"\xff\xd8\xff",
            Self::Pdf => b"%PDF-",
        }
    }
}

/// Why a file is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadProof {
    /// There is nothing in it.
    Empty,
    /// It is longer than [`PROOF_MAX`].
    TooLarge,
    /// It is none of [`ProofKind::ALL`].
    UnknownKind,
}

impl BadProof {
    /// What is wrong and what would do.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Empty => "The file is empty.",
            Self::TooLarge => "The file is too large: at most 2 MiB are taken.",
            Self::UnknownKind => "The file is neither a PNG nor a JPEG picture nor a PDF document.",
        }
    }
}

/// A file that came with a declared transfer.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its top-up.
    pub top_up: i64,
    /// Whose.
    pub account: AccountId,
    /// What it is.
    pub kind: ProofKind,
    /// Its length, in bytes.
    pub size: i64,
    /// The file.
    pub bytes: Vec<u8>,
    /// When it came.
    pub at: Timestamp,
}

impl std::fmt::Debug for Proof {
    /// Without the file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof")
            .field("top_up", &self.top_up)
            .field("kind", &self.kind)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// What a file is, if it is one that is taken.
///
/// # Errors
/// Why it is not.
pub fn proof_kind(bytes: &[u8]) -> Result<ProofKind, BadProof> {
    if bytes.is_empty() {
        return Err(BadProof::Empty);
    }
    if bytes.len() > PROOF_MAX {
        return Err(BadProof::TooLarge);
    }
    let mut kinds = ProofKind::ALL.into_iter();
    let found = kinds.find(|kind| bytes.starts_with(kind.mark()));
    found.ok_or(BadProof::UnknownKind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_is_in_it() {
        for kind in ProofKind::ALL {
            let file = [kind.mark(), b"rest"].concat();
            assert_eq!(proof_kind(&file), Ok(kind));
            assert_eq!(ProofKind::from_slug(kind.slug()), Some(kind));
            // what only looks like one further on is none
            assert_eq!(
                proof_kind(&[b" ", &file[..]].concat()),
                Err(BadProof::UnknownKind)
            );
        }
        assert_eq!(proof_kind(b""), Err(BadProof::Empty));
        for other in [&b"GIF89a"[..], b"<svg>", b"PK\x03\x04", b"\x89PNG", b"MZ"] {
            assert_eq!(proof_kind(other), Err(BadProof::UnknownKind), "{other:?}");
        }
    }

    #[test]
    fn two_mebibytes_are_taken_and_no_byte_more() {
        let mut file = vec![0; PROOF_MAX];
        file[..5].copy_from_slice(b"%PDF-");
        assert_eq!(proof_kind(&file), Ok(ProofKind::Pdf));
        file.push(0);
        assert_eq!(proof_kind(&file), Err(BadProof::TooLarge));
    }
}
