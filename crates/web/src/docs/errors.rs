//! Every machine code of the API's refusals: its status, when it is sent, what to do about it.

/// One refusal that a caller can tell apart by its `code`.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCode {
    /// The HTTP status.
    pub status: u16,
    /// The stable machine code.
    pub code: &'static str,
    /// When it is sent.
    pub when: &'static str,
}

/// One HTTP status of a refusal, as the short error table has it.
#[derive(Clone, Copy, Debug)]
pub struct ErrorStatus {
    /// The HTTP status.
    pub status: u16,
    /// What it means.
    pub meaning: &'static str,
    /// What the caller should do.
    pub handling: &'static str,
}

/// Sent by every endpoint that wants a key.
pub(super) const EVERYWHERE: &[&str] = &[
    "missing_action",
    "unknown_action",
    "duplicate_parameter",
    "duplicate_header",
    "invalid_api_key",
    "api_access_disabled",
    "key_expired",
    "key_disabled",
    "insufficient_scope",
    "ip_not_allowed",
    "account_suspended",
    "method_not_allowed",
    "uri_too_long",
    "body_too_large",
    "rate_limited",
    "internal_error",
    "storage_unavailable",
];

/// Sent by every write.
pub(super) const WRITES: &[&str] = &[
    "malformed_json",
    "invalid_body",
    "missing_parameter",
    "parameter_too_long",
    "invalid_idempotency_key",
    "idempotency_in_progress",
    "unsupported_media_type",
    "unsupported_encoding",
    "idempotency_key_reused",
];

/// Sent by every purchase.
pub(super) const PURCHASES: &[&str] = &[
    "invalid_parameter",
    "insufficient_balance",
    "service_restricted",
    "tier_required",
    "attestation_required",
    "challenge_required",
    "review_required",
    "velocity_limit",
    "service_not_found",
    "provider_unavailable",
    "provider_rejected",
    "purchase_outcome_unknown",
];

/// The short error table: one row per status.
pub const STATUSES: &[ErrorStatus] = &[
    status(
        400,
        "The request is malformed",
        "Correct the parameter that error names.",
    ),
    status(
        401,
        "Invalid or missing API key",
        "Check the X-API-Key header.",
    ),
    status(402, "Insufficient wallet balance", "Top up the wallet."),
    status(
        403,
        "Known, but not allowed",
        "Read code: API access, scope, address or policy.",
    ),
    status(
        404,
        "Order, service or country not found",
        "Check the ID parameter.",
    ),
    status(405, "Wrong method", "Use the method in the Allow header."),
    status(
        409,
        "The state forbids it",
        "Read code; wait for Retry-After where it is sent.",
    ),
    status(413, "The body is larger than 64 KiB", "Send less."),
    status(
        414,
        "The request target is longer than 16 KiB",
        "Send less in the query.",
    ),
    status(
        415,
        "Unsupported body type",
        "Send JSON or an urlencoded form, uncompressed.",
    ),
    status(
        422,
        "Idempotency key used again",
        "Use a new key for a new request.",
    ),
    status(
        429,
        "Rate limit exceeded",
        "Wait as many seconds as Retry-After says.",
    ),
    status(
        500,
        "A fault of the gateway",
        "Report the X-Request-Id to the operator.",
    ),
    status(
        503,
        "Provider or gateway unavailable",
        "Retry later. A failed purchase is not charged.",
    ),
];

/// Every code, by status.
pub const CODES: &[ErrorCode] = &[
    code(400, "missing_action", "The query has no action."),
    code(
        400,
        "unknown_action",
        "The path has no such action. Actions are in lower case.",
    ),
    code(
        400,
        "malformed_json",
        "The body is not JSON in UTF-8, or is nested too deeply.",
    ),
    code(400, "invalid_body", "The body is JSON, but not an object."),
    code(
        400,
        "missing_parameter",
        "A required parameter is not there; error names it.",
    ),
    code(
        400,
        "invalid_parameter",
        "A parameter is of the wrong type or form; error names it.",
    ),
    code(
        400,
        "parameter_too_long",
        "A parameter is longer than it may be; error names it.",
    ),
    code(
        400,
        "duplicate_parameter",
        "A parameter is given twice, or in the query and in the body with different values.",
    ),
    code(
        400,
        "conflicting_parameters",
        "server, provider_source and source are given with different values.",
    ),
    code(400, "duplicate_header", "X-API-Key is given twice."),
    code(400, "unknown_server", "There is no such server."),
    code(
        400,
        "missing_country_id",
        "One server's list needs country_id.",
    ),
    code(
        400,
        "invalid_routes",
        "routes is not a list of type:country pairs such as 1:61,2:61.",
    ),
    code(
        400,
        "invalid_provider_type",
        "provider_type is not a whole number, or not one that sells this service.",
    ),
    code(
        400,
        "invalid_pool",
        "The server has no pools, or no such pool.",
    ),
    code(
        400,
        "invalid_order_id",
        "order_id is not a whole number from 1.",
    ),
    code(400, "invalid_quantity", "quantity is not a whole number."),
    code(
        400,
        "quantity_out_of_range",
        "quantity is outside the min and max of the service; error states both.",
    ),
    code(
        400,
        "invalid_link",
        "link is not an http or https URL of a public host.",
    ),
    code(
        400,
        "link_host_mismatch",
        "link does not belong to the platform of the service.",
    ),
    code(
        400,
        "invalid_idempotency_key",
        "Idempotency-Key is empty, longer than 255, or not visible ASCII.",
    ),
    code(
        401,
        "invalid_api_key",
        "The API key is missing, unknown or revoked.",
    ),
    code(
        402,
        "insufficient_balance",
        "The available balance is below the price.",
    ),
    code(
        403,
        "api_access_disabled",
        "API access is not enabled for the account.",
    ),
    code(403, "key_expired", "The key's time is over."),
    code(403, "key_disabled", "The key is switched off."),
    code(
        403,
        "insufficient_scope",
        "The key's scopes do not cover this action.",
    ),
    code(
        403,
        "ip_not_allowed",
        "The caller's address is not on the key's list.",
    ),
    code(403, "account_suspended", "The account is suspended."),
    code(
        403,
        "challenge_required",
        "The account's holder has to show their second factor at /account/standing first.",
    ),
    code(
        403,
        "review_required",
        "Somebody has to look at the account first; /account/standing says why.",
    ),
    code(
        403,
        "service_restricted",
        "The operator's policy does not let this service be sold.",
    ),
    code(
        403,
        "tier_required",
        "The service is sold to accounts of a higher tier; error says which.",
    ),
    code(
        403,
        "attestation_required",
        "The account has not said yet what it uses the service for; its holder does so once, on the \
         dashboard's account page.",
    ),
    code(
        404,
        "not_found",
        "There is nothing at this path. Paths are exact.",
    ),
    code(
        404,
        "service_not_found",
        "No such service on that server and in that country.",
    ),
    code(
        404,
        "order_not_found",
        "No such order of yours behind this door.",
    ),
    code(404, "refill_not_found", "No such refill of yours."),
    code(404, "country_not_found", "No such country."),
    code(
        405,
        "method_not_allowed",
        "Reads are GET, writes are POST; Allow says which.",
    ),
    code(
        409,
        "cancel_too_early",
        "The minimum waiting period is not over; Retry-After says how long it lasts.",
    ),
    code(
        409,
        "cancel_not_supported",
        "The route offers no cancel; the order ends by itself.",
    ),
    code(
        409,
        "already_received",
        "A code was received, so the order cannot be cancelled.",
    ),
    code(409, "price_changed", "The price is above max_price_usd."),
    code(409, "cancel_not_offered", "The service offers no cancel."),
    code(
        409,
        "order_final",
        "The order is final: nothing is left to cancel.",
    ),
    code(
        409,
        "refill_not_offered",
        "The service offers no refill, or the order did not end as Completed.",
    ),
    code(
        409,
        "refill_not_due",
        "The order is not completed yet, or was refilled within 24 hours; then Retry-After says how \
         long to wait.",
    ),
    code(409, "refill_open", "A refill of the order is still open."),
    code(
        409,
        "order_pending",
        "The outcome of the purchase is not known yet.",
    ),
    code(
        409,
        "duplicate_active_order",
        "An order for the same link and service is still open.",
    ),
    code(
        409,
        "idempotency_in_progress",
        "The first request with this key is still running; Retry-After says when to ask again.",
    ),
    code(413, "body_too_large", "The body is larger than 64 KiB."),
    code(
        414,
        "uri_too_long",
        "Path and query together are longer than 16 KiB.",
    ),
    code(
        415,
        "unsupported_media_type",
        "The body is neither application/json in UTF-8 nor application/x-www-form-urlencoded.",
    ),
    code(415, "unsupported_encoding", "The body is compressed."),
    code(
        422,
        "idempotency_key_reused",
        "The key was used within 24 hours with another body.",
    ),
    code(
        429,
        "velocity_limit",
        "The account's tier allows no more of this for now; error names the bound, Retry-After says \
         when there is room again.",
    ),
    code(
        429,
        "rate_limited",
        "Too many requests within 60 seconds; Retry-After says when the next is admitted.",
    ),
    code(
        500,
        "internal_error",
        "A fault of the gateway; nothing is charged twice because of it.",
    ),
    code(
        503,
        "no_numbers",
        "The provider has no such number just now. Nothing is charged.",
    ),
    code(
        503,
        "provider_unavailable",
        "The provider cannot be reached. Nothing is charged.",
    ),
    code(
        503,
        "provider_rejected",
        "The provider refused the order. Nothing is charged.",
    ),
    code(
        503,
        "purchase_outcome_unknown",
        "The provider's answer is not known and there was no Idempotency-Key. You are never \
         charged for it: should it turn out to have succeeded, it is undone.",
    ),
    code(
        503,
        "storage_unavailable",
        "The gateway cannot take the request just now. Nothing is charged.",
    ),
    code(
        503,
        "not_ready",
        "The gateway is starting or stopping, cannot reach its store, or has a clock behind its books.",
    ),
];

const fn status(status: u16, meaning: &'static str, handling: &'static str) -> ErrorStatus {
    ErrorStatus {
        status,
        meaning,
        handling,
    }
}

const fn code(status: u16, code: &'static str, when: &'static str) -> ErrorCode {
    ErrorCode { status, code, when }
}
