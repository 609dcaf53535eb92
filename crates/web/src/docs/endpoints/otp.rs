//! `/api/v1/otp`: buying a number and reading the code that it receives.

use super::otp_catalogue::{COUNTRIES, SERVICES};
use super::{
    ACCEPTED, Answer, BALANCE, CURSOR, Endpoint, Field, Group, IDEMPOTENCY_KEY, Kind, LIMIT,
    Method, Parameter, Place, Required, SINCE, Sample, Shape, field, maybe,
};
use crate::docs::errors::{EVERYWHERE, PURCHASES, WRITES};

const PATH: &str = "/api/v1/otp";
const STATUSES: &[&str] = &["waiting", "received", "cancelled", "pending"];
const ALIASES: &[&str] = &["provider_source", "source"];

/// The longest wait that `poll_after_s` asks for, in seconds.
const LONGEST_WAIT_S: u64 = 3600;

/// The endpoints of this path.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    COUNTRIES,
    SERVICES,
    BUY_NUMBER,
    GET_STATUS,
    CANCEL,
    BALANCE_OF_WALLET,
    ORDERS,
];

/// What the endpoints of this path have in common.
pub(super) const BASE: Endpoint = Endpoint {
    id: "otp",
    group: Group::Otp,
    path: PATH,
    action: None,
    method: Method::Get,
    title: "",
    summary: "",
    authenticated: true,
    parameters: &[],
    sample: &[],
    answer: BALANCE,
    accepted: None,
    leads_to: &[],
    refusals: &[EVERYWHERE],
};

/// The public server, under its three names.
pub(super) const SERVER: Parameter = Parameter {
    name: "server",
    aliases: ALIASES,
    kind: Kind::Text(64),
    required: Required::No,
    place: Place::Query,
    description: "Public server: romeo, juliet, peter, paul, andrew, mark, luke, john, or all. \
                  The operator may have set up others: provider_sources lists them. \
                  provider_source and source are accepted aliases.",
    example: "peter",
};

/// The typed route of a server.
pub(super) const PROVIDER_TYPE: Parameter = Parameter {
    name: "provider_type",
    aliases: &[],
    kind: Kind::Integer(0, 65_535),
    required: Required::No,
    place: Place::Query,
    description: "Route server type for a server with typed routes, such as peter. Default 1 \
                  there, 0 elsewhere.",
    example: "1",
};

const ORDER_ID: Parameter = Parameter {
    name: "order_id",
    aliases: &[],
    kind: Kind::OrderId,
    required: Required::Yes,
    place: Place::Query,
    description: "Order ID returned by buy number.",
    example: "42",
};

const BUY_NUMBER: Endpoint = Endpoint {
    id: "otp-buy-number",
    action: Some("buy_number"),
    method: Method::Post,
    title: "Buy Number",
    summary: "Purchase an OTP number. The wallet is charged only if the route returns a number. \
              Use server, country_id, provider_type and pool_id exactly as returned by get \
              services.",
    parameters: &[
        Parameter {
            name: "service_id",
            aliases: &[],
            kind: Kind::CatalogueId,
            required: Required::Yes,
            place: Place::Body,
            description: "Service ID from get services. With server all, the service's name does \
                          as well.",
            example: "306343",
        },
        Parameter {
            name: "country_id",
            aliases: &[],
            kind: Kind::CatalogueId,
            required: Required::No,
            place: Place::Body,
            description: "Route country ID from get services. Needed unless server is all.",
            example: "61",
        },
        Parameter {
            name: "country_key",
            aliases: &[],
            kind: Kind::Text(64),
            required: Required::No,
            place: Place::Body,
            description: "Country key from get countries. Needed where server is all, else of no \
                          use.",
            example: "pakistan",
        },
        Parameter {
            place: Place::Body,
            description: "Public server from get services. Default peter. With all, the best \
                          route of the country is taken, and after a definite failure the next. \
                          provider_source and source are accepted aliases.",
            ..SERVER
        },
        Parameter {
            place: Place::Body,
            ..PROVIDER_TYPE
        },
        Parameter {
            name: "pool_id",
            aliases: &[],
            kind: Kind::CatalogueId,
            required: Required::No,
            place: Place::Body,
            description: "Pool ID on a server with pools, such as andrew. Without it the best \
                          pool is taken: by price, then by success rate.",
            example: "7",
        },
        Parameter {
            name: "max_price_usd",
            aliases: &[],
            kind: Kind::Money,
            required: Required::No,
            place: Place::Body,
            description: "The most you will pay, in USD with at most six decimals and no \
                          exponent. A price above it is refused with 409 price_changed.",
            example: "0.050000",
        },
        IDEMPOTENCY_KEY,
    ],
    sample: &[
        ("service_id", Sample::Text("306343")),
        ("country_id", Sample::Text("61")),
        ("server", Sample::Text("peter")),
        ("provider_type", Sample::Number(1)),
    ],
    answer: Answer {
        description: "The number was bought.",
        fields: BOUGHT,
        wrapped: true,
        example: r#"{
  "success": true,
  "data": {
    "order_id": "42",
    "phone_number": "+923001234567",
    "provider_source": "peter",
    "charged_usd": 0.040000,
    "status": "waiting",
    "expires_at": "2026-01-31T12:20:00Z",
    "cancel_allowed_at": "2026-01-31T12:02:00Z",
    "poll_after_s": 3
  }
}"#,
    },
    accepted: Some(ACCEPTED),
    leads_to: &["otp-get-status", "otp-cancel"],
    refusals: &[
        EVERYWHERE,
        WRITES,
        PURCHASES,
        &[
            "unknown_server",
            "conflicting_parameters",
            "invalid_provider_type",
            "invalid_pool",
            "price_changed",
            "country_not_found",
            "no_numbers",
        ],
    ],
    ..BASE
};

const EXPIRES_AT: &str = "When the order is cancelled and refunded by itself if no code came.";
const CANCEL_ALLOWED_AT: &str = "From when on the order may be cancelled.";
const POLL_AFTER_S: &str = "How many seconds to wait before asking for the status.";

const BOUGHT: &[Field] = &[
    field(
        "order_id",
        Shape::OrderId,
        "The order, to ask for its status with.",
    ),
    field("phone_number", Shape::Text, "The number in E.164 form."),
    field(
        "provider_source",
        Shape::Text,
        "The public server it was bought at.",
    ),
    field("charged_usd", Shape::Money, "What was charged, in USD."),
    field(
        "status",
        Shape::OneOf(STATUSES),
        "waiting, right after the purchase.",
    ),
    field("expires_at", Shape::Time, EXPIRES_AT),
    field("cancel_allowed_at", Shape::Time, CANCEL_ALLOWED_AT),
    field(
        "poll_after_s",
        Shape::Integer(0, LONGEST_WAIT_S),
        POLL_AFTER_S,
    ),
];

const GET_STATUS: Endpoint = Endpoint {
    id: "otp-get-status",
    action: Some("get_status"),
    title: "Get Status",
    summary: "Poll an OTP order until it returns received or cancelled instead of waiting. \
              pending is only seen for an order that was given out with a 202.",
    parameters: &[ORDER_ID],
    sample: &[("order_id", Sample::Number(42))],
    answer: Answer {
        description: "The order's state.",
        fields: &[
            field("status", Shape::OneOf(STATUSES), "Where the order stands."),
            maybe(
                "code",
                Shape::Nullable(&Shape::Text),
                "The newest code, once status is received; null where it is kept no longer.",
            ),
            maybe(
                "text",
                Shape::Text,
                "The whole message, where the provider passes it on.",
            ),
            maybe(
                "code_expired",
                Shape::Boolean,
                "true where a code came and is kept no longer: code is null then, text left out.",
            ),
            field("order_id", Shape::OrderId, "The order."),
            field(
                "phone_number",
                Shape::Nullable(&Shape::Text),
                "The number in E.164 form; null while there is none.",
            ),
            field("expires_at", Shape::Nullable(&Shape::Time), EXPIRES_AT),
            field(
                "cancel_allowed_at",
                Shape::Nullable(&Shape::Time),
                CANCEL_ALLOWED_AT,
            ),
            field(
                "poll_after_s",
                Shape::Integer(0, LONGEST_WAIT_S),
                POLL_AFTER_S,
            ),
        ],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": {
    "status": "received",
    "code": "123456",
    "order_id": "42",
    "phone_number": "+923001234567",
    "expires_at": "2026-01-31T12:20:00Z",
    "cancel_allowed_at": "2026-01-31T12:02:00Z",
    "poll_after_s": 3
  }
}"#,
    },
    refusals: &[
        EVERYWHERE,
        &["missing_parameter", "invalid_order_id", "order_not_found"],
    ],
    ..BASE
};

const CANCEL: Endpoint = Endpoint {
    id: "otp-cancel",
    action: Some("cancel"),
    method: Method::Post,
    title: "Cancel",
    summary: "Cancel a waiting OTP order after the minimum waiting period and refund the wallet, \
              in full and exactly once. Cancelling a cancelled order gets the same answer again.",
    parameters: &[
        Parameter {
            place: Place::Body,
            ..ORDER_ID
        },
        IDEMPOTENCY_KEY,
    ],
    sample: &[("order_id", Sample::Number(42))],
    answer: Answer {
        description: "The order is cancelled and refunded.",
        fields: &[
            field(
                "refunded",
                Shape::Boolean,
                "Whether money went back to the wallet.",
            ),
            field(
                "amount",
                Shape::MoneyText,
                "What went back, in USD with six decimals.",
            ),
        ],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": { "refunded": true, "amount": "0.040000" }
}"#,
    },
    refusals: &[
        EVERYWHERE,
        WRITES,
        &[
            "invalid_order_id",
            "order_not_found",
            "cancel_too_early",
            "cancel_not_supported",
            "already_received",
            "order_pending",
            "provider_unavailable",
        ],
    ],
    ..BASE
};

const BALANCE_OF_WALLET: Endpoint = Endpoint {
    id: "otp-balance",
    action: Some("balance"),
    title: "Balance",
    summary: "Return your API wallet balance in USD.",
    ..BASE
};

const ORDERS: Endpoint = Endpoint {
    id: "otp-orders",
    action: Some("orders"),
    title: "List Orders",
    summary: "Return your OTP orders, the newest first, page by page.",
    parameters: &[
        LIMIT,
        CURSOR,
        Parameter {
            name: "status",
            aliases: &[],
            kind: Kind::OneOf(STATUSES),
            required: Required::No,
            place: Place::Query,
            description: "Only orders with this status: waiting, received, cancelled or pending.",
            example: "received",
        },
        SINCE,
    ],
    sample: &[
        ("limit", Sample::Number(50)),
        ("status", Sample::Text("received")),
    ],
    answer: Answer {
        description: "One page of orders.",
        fields: &[
            field(
                "orders",
                Shape::List(&Shape::Object(ORDER)),
                "The orders of this page.",
            ),
            field(
                "next_cursor",
                Shape::Nullable(&Shape::Text),
                "The cursor of the next page; null on the last.",
            ),
        ],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": {
    "orders": [
      { "order_id": "42", "phone_number": "+923001234567", "service_id": "306343", "country_id": "61", "provider_source": "peter", "charged_usd": 0.040000, "status": "received", "created_at": "2026-01-31T12:00:00Z", "expires_at": "2026-01-31T12:20:00Z" }
    ],
    "next_cursor": null
  }
}"#,
    },
    refusals: &[EVERYWHERE, &["invalid_parameter", "parameter_too_long"]],
    ..BASE
};

const ORDER: &[Field] = &[
    field("order_id", Shape::OrderId, "The order."),
    field(
        "phone_number",
        Shape::Nullable(&Shape::Text),
        "The number in E.164 form; null while there is none.",
    ),
    field("service_id", Shape::Id, "The service that was asked for."),
    field("country_id", Shape::Id, "The route country ID."),
    field("provider_source", Shape::Text, "The public server."),
    field("charged_usd", Shape::Money, "What the number cost, in USD."),
    field("status", Shape::OneOf(STATUSES), "Where the order stands."),
    field("created_at", Shape::Time, "When it was placed."),
    field(
        "expires_at",
        Shape::Nullable(&Shape::Time),
        "When it ends by itself; null while there is no number.",
    ),
];
