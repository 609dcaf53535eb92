//! Who calls, and whether the key and the account may.

use super::problem::Problem;
use crate::address;
use crate::door::Door;
use app::limits::Bucket;
use axum::http::{HeaderMap, StatusCode};
use domain::access::{Caller, Scope};
use domain::time::Timestamp;
use domain::window::Admission;
use std::net::IpAddr;
use std::sync::Arc;

const API_KEY: &str = "x-api-key";

/// The caller behind the key. A failure counts against the address, whose window is noted, a good
/// key never does.
pub(crate) async fn authenticate(
    door: &Door,
    headers: &HeaderMap,
    address: IpAddr,
    noted: &mut Option<Admission>,
) -> Result<Arc<Caller>, Problem> {
    let mut keys = headers.get_all(API_KEY).iter();
    let only = keys.next();
    if keys.next().is_some() {
        let sentence = "The X-API-Key header is given more than once.";
        return Err(Problem::bad("duplicate_header", sentence));
    }
    let presented = only.and_then(|key| key.to_str().ok());
    if let Some(presented) = presented
        && let Some(caller) = door.engine.authenticate(presented, &door.pepper).await?
    {
        return Ok(caller);
    }
    let limit = door.settings.failed_auth_per_minute.get();
    let bucket = Bucket::address(address, "auth");
    let failures = door.limits.admit(bucket, limit, door.engine.now().0).await;
    *noted = Some(failures);
    if !failures.admitted {
        return Err(Problem::rate_limited(failures.reset_s));
    }
    Err(Problem::new(
        StatusCode::UNAUTHORIZED,
        "invalid_api_key",
        "The API key is missing, unknown or revoked. Send it in the X-API-Key header.",
    ))
}

/// Whether the account and its key may do this kind of thing from this address.
pub(crate) fn permit(
    caller: &Caller,
    (service, write): (Scope, bool),
    address: IpAddr,
    now: Timestamp,
) -> Result<(), Problem> {
    let (account, key) = (&caller.account, &caller.key);
    let addresses = &key.allowed_addresses;
    let reasons = [
        (
            !account.api_access,
            "api_access_disabled",
            "API access is not enabled for this account.",
        ),
        (
            key.expires_at.is_some_and(|end| end <= now),
            "key_expired",
            "This API key has expired.",
        ),
        (
            key.disabled,
            "key_disabled",
            "This API key is switched off.",
        ),
        (
            !key.permits(service, write),
            "insufficient_scope",
            "The scopes of this API key do not cover this action.",
        ),
        (
            !addresses.is_empty() && !address::is_listed(addresses, address),
            "ip_not_allowed",
            "This API key may not be used from your address.",
        ),
        (
            account.suspended,
            "account_suspended",
            "This account is suspended. Open orders still settle.",
        ),
    ];
    match reasons.into_iter().find(|(applies, ..)| *applies) {
        Some((_, code, sentence)) => Err(Problem::new(StatusCode::FORBIDDEN, code, sentence)),
        None => Ok(()),
    }
}
