//! Signatures written as lower-case hex, made and compared in constant time.

use crate::inbound::BadSignature;
use domain::hex::hex;
use ring::hmac;

/// A digest as hex.
pub(crate) fn sign(algorithm: hmac::Algorithm, secret: &str, parts: &[&[u8]]) -> String {
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    hex(hmac::sign(&key, &parts.concat()).as_ref())
}

/// Whether one of these digests is that of the message under one of the secrets. A blank secret is
/// none: anybody could sign with it.
pub(crate) fn verify(
    algorithm: hmac::Algorithm,
    secrets: &[&str],
    parts: &[&[u8]],
    digests: &[Vec<u8>],
) -> Result<(), BadSignature> {
    let message = parts.concat();
    let filled = secrets.iter().filter(|secret| !secret.trim().is_empty());
    let genuine = filled
        .map(|secret| hmac::Key::new(algorithm, secret.as_bytes()))
        .any(|key| {
            let signed = |digest: &Vec<u8>| hmac::verify(&key, &message, digest).is_ok();
            digests.iter().any(signed)
        });
    genuine.then_some(()).ok_or(BadSignature::Wrong)
}

/// The digest behind lower-case hex of the right length.
pub(crate) fn digest(algorithm: hmac::Algorithm, hex: &str) -> Result<Vec<u8>, BadSignature> {
    let length = algorithm.digest_algorithm().output_len();
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if hex.len() != length * 2 {
        return Err(BadSignature::Unreadable);
    }
    let pairs = hex.as_bytes().chunks_exact(2);
    let bytes = pairs.map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?));
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.ok_or(BadSignature::Unreadable)
}
