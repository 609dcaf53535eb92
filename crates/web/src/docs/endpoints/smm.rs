//! `/api/v1/smm`: placing orders for social media services and following them.

use super::smm_requests::{CANCEL_ORDER, REFILL, REFILL_STATUS};
use super::{
    ACCEPTED, Answer, BALANCE, CURSOR, Endpoint, Field, Group, IDEMPOTENCY_KEY, Kind, LIMIT,
    Method, Parameter, Place, Required, SINCE, Sample, Shape, field,
};
use crate::docs::errors::{EVERYWHERE, PURCHASES, WRITES};

const PATH: &str = "/api/v1/smm";
const STATUSES: &[&str] = &[
    "Pending",
    "Processing",
    "In progress",
    "Completed",
    "Partial",
    "Canceled",
];

/// Counts on the wire stay exact in every client language.
const MOST: u64 = (1 << 53) - 1;

/// The endpoints of this path.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    SERVICES,
    PLACE_ORDER,
    ORDER_STATUS,
    CANCEL_ORDER,
    REFILL,
    REFILL_STATUS,
    BALANCE_OF_WALLET,
    ORDERS,
];

/// What the endpoints of this path have in common.
pub(super) const BASE: Endpoint = Endpoint {
    id: "smm",
    group: Group::Smm,
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

const SERVICES: Endpoint = Endpoint {
    id: "smm-services",
    action: Some("services"),
    title: "List Services",
    summary: "Return active SMM services with marked-up USD rates per 1000 units.",
    answer: Answer {
        description: "The services.",
        fields: &[field(
            "services",
            Shape::List(&Shape::Object(SERVICE)),
            "The services.",
        )],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": {
    "services": [
      { "service_id": "1", "name": "Followers", "category": "Instagram", "rate_usd_per_1000": 1.080000, "min": 50, "max": 10000, "type": "Default", "refill": false, "cancel": true, "dripfeed": false }
    ]
  }
}"#,
    },
    refusals: &[EVERYWHERE, &["provider_unavailable"]],
    ..BASE
};

const SERVICE: &[Field] = &[
    field("service_id", Shape::Id, "The service's ID."),
    field("name", Shape::Text, "The service's name."),
    field(
        "category",
        Shape::Text,
        "The category, mostly the platform.",
    ),
    field(
        "rate_usd_per_1000",
        Shape::Money,
        "What 1000 units cost you, in USD.",
    ),
    field(
        "min",
        Shape::Integer(0, MOST),
        "The smallest quantity of one order.",
    ),
    field(
        "max",
        Shape::Integer(0, MOST),
        "The largest quantity of one order.",
    ),
    field(
        "type",
        Shape::Text,
        "The type of its orders: Default takes a quantity, others take other members.",
    ),
    field("refill", Shape::Boolean, "Whether refills are offered."),
    field("cancel", Shape::Boolean, "Whether a cancel is offered."),
    field(
        "dripfeed",
        Shape::Boolean,
        "Whether runs and interval are taken.",
    ),
];

const PLACE_ORDER: Endpoint = Endpoint {
    id: "smm-place-order",
    action: Some("place_order"),
    method: Method::Post,
    title: "Place Order",
    summary: "Create an SMM order; the wallet is charged once the provider has accepted it. The \
              charge is rate × quantity ÷ 1000, rounded up to a millionth of a dollar.",
    parameters: &[
        Parameter {
            name: "service_id",
            aliases: &[],
            kind: Kind::CatalogueId,
            required: Required::Yes,
            place: Place::Body,
            description: "SMM service ID.",
            example: "1",
        },
        Parameter {
            name: "link",
            aliases: &[],
            kind: Kind::Link,
            required: Required::Yes,
            place: Place::Body,
            description: "Target URL, profile or video: an http or https URL of a public host \
                          that belongs to the platform of the service. Not used by Subscriptions.",
            example: "https://instagram.com/user",
        },
        Parameter {
            name: "quantity",
            aliases: &[],
            kind: Kind::Integer(1, MOST),
            required: Required::Yes,
            place: Place::Body,
            description: "Quantity within the service's min and max.",
            example: "500",
        },
        of_type(
            "comments",
            "The comments, one a line, for types that take them; a list of texts will do as well.",
            "Great!",
        ),
        of_type(
            "usernames",
            "The user names, one a line, for types that take several.",
            "ana",
        ),
        of_type("username", "The user name, for types that take one.", "ana"),
        of_type(
            "hashtags",
            "The hashtags, one a line, for types that take several.",
            "travel",
        ),
        of_type("hashtag", "The hashtag, for types that take one.", "travel"),
        of_type(
            "media",
            "The address of the media, for Mentions Media Likers.",
            "https://instagram.com/p/1",
        ),
        of_type("answer_number", "The number of the answer, for Poll.", "2"),
        of_type("keywords", "The keywords, one a line, for SEO.", "travel"),
        of_type(
            "groups",
            "The groups, one a line, for Invites from Groups.",
            "https://t.me/group",
        ),
        of_type(
            "country",
            "The country of the visitors, for Web Traffic.",
            "US",
        ),
        of_type("device", "The kind of device, for Web Traffic.", "1"),
        of_type(
            "type_of_traffic",
            "Where the visitors come from, for Web Traffic.",
            "1",
        ),
        of_type(
            "google_keyword",
            "The search word, for Web Traffic from a search.",
            "travel",
        ),
        of_type(
            "referring_url",
            "The referring page, for Web Traffic from a page.",
            "https://example.com/",
        ),
        of_type(
            "min",
            "The least quantity for each post, for Subscriptions.",
            "50",
        ),
        of_type(
            "max",
            "The greatest quantity for each post, for Subscriptions.",
            "100",
        ),
        of_type(
            "posts",
            "How many new posts are waited for, for Subscriptions: with old_posts 1 to 1000.",
            "5",
        ),
        of_type(
            "old_posts",
            "How many posts before the order are served too, for Subscriptions.",
            "0",
        ),
        of_type(
            "delay",
            "Minutes between a post and its order, for Subscriptions: 0, 5, 10, 15, 30, 60 or 90.",
            "5",
        ),
        of_type(
            "expiry",
            "The day on which a subscription ends, DD/MM/YYYY.",
            "31/12/2027",
        ),
        Parameter {
            kind: Kind::Integer(1, 10_000),
            ..of_type(
                "runs",
                "How many times the quantity is delivered, on a service with dripfeed.",
                "2",
            )
        },
        Parameter {
            kind: Kind::Integer(1, 10_080),
            ..of_type(
                "interval",
                "Minutes between two runs. Required with runs.",
                "60",
            )
        },
        Parameter {
            name: "max_price_usd",
            aliases: &[],
            kind: Kind::Money,
            required: Required::No,
            place: Place::Body,
            description: "The most you will pay for the whole order, in USD with at most six \
                          decimals and no exponent. A charge above it is refused with 409 \
                          price_changed.",
            example: "0.540000",
        },
        IDEMPOTENCY_KEY,
    ],
    sample: &[
        ("service_id", Sample::Text("1")),
        ("link", Sample::Text("https://instagram.com/user")),
        ("quantity", Sample::Number(500)),
    ],
    answer: Answer {
        description: "The provider accepted the order.",
        fields: &[
            field(
                "order_id",
                Shape::OrderId,
                "The order, to ask for its status with.",
            ),
            field("charged", Shape::Money, "What was charged, in USD."),
            field(
                "status",
                Shape::OneOf(STATUSES),
                "Pending, right after the purchase.",
            ),
        ],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": { "order_id": "15", "charged": 0.540000, "status": "Pending" }
}"#,
    },
    accepted: Some(ACCEPTED),
    leads_to: &["smm-order-status"],
    refusals: &[
        EVERYWHERE,
        WRITES,
        PURCHASES,
        &[
            "invalid_quantity",
            "quantity_out_of_range",
            "invalid_link",
            "link_host_mismatch",
            "duplicate_active_order",
            "price_changed",
        ],
    ],
    ..BASE
};

/// A member that only some order types take; the others ignore it.
const fn of_type(
    name: &'static str,
    description: &'static str,
    example: &'static str,
) -> Parameter {
    Parameter {
        name,
        aliases: &[],
        kind: Kind::Text(32_768),
        required: Required::No,
        place: Place::Body,
        description,
        example,
    }
}

const ORDER_STATUS: Endpoint = Endpoint {
    id: "smm-order-status",
    action: Some("order_status"),
    title: "Order Status",
    summary: "Poll an SMM order: status, start count, remains. A Partial order is refunded for \
              what remains, a Canceled one in full, each exactly once.",
    parameters: &[Parameter {
        name: "order_id",
        aliases: &[],
        kind: Kind::OrderId,
        required: Required::Yes,
        place: Place::Query,
        description: "Order ID returned by place order.",
        example: "15",
    }],
    sample: &[("order_id", Sample::Number(15))],
    answer: Answer {
        description: "The order's state.",
        fields: &[
            STATUS,
            REMAINS,
            START_COUNT,
            field("order_id", Shape::OrderId, "The order."),
            CHARGED,
            REFUNDED,
        ],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": { "status": "Partial", "remains": 157, "start_count": 3572, "order_id": "15", "charged": 0.540000, "refunded": 0.169560 }
}"#,
    },
    refusals: &[
        EVERYWHERE,
        &["missing_parameter", "invalid_order_id", "order_not_found"],
    ],
    ..BASE
};

const STATUS: Field = field("status", Shape::OneOf(STATUSES), "Where the order stands.");
const REMAINS: Field = field(
    "remains",
    Shape::Integer(0, MOST),
    "How many units are still to come; before the start, the quantity.",
);
const START_COUNT: Field = field(
    "start_count",
    Shape::Integer(0, MOST),
    "The count at the target when the order started; 0 before.",
);

const CHARGED: Field = field("charged", Shape::Money, "What was charged, in USD.");
const REFUNDED: Field = field(
    "refunded",
    Shape::Money,
    "What went back to the wallet, in USD.",
);

const BALANCE_OF_WALLET: Endpoint = Endpoint {
    id: "smm-balance",
    action: Some("balance"),
    title: "Balance",
    summary: "Return your API wallet balance in USD. It is the same wallet as for OTP.",
    ..BASE
};

const ORDERS: Endpoint = Endpoint {
    id: "smm-orders",
    action: Some("orders"),
    title: "List Orders",
    summary: "Return your SMM orders, the newest first, page by page.",
    parameters: &[
        LIMIT,
        CURSOR,
        Parameter {
            name: "status",
            aliases: &[],
            kind: Kind::OneOf(STATUSES),
            required: Required::No,
            place: Place::Query,
            description: "Only orders with this status: Pending, Processing, In progress, \
                          Completed, Partial or Canceled.",
            example: "Completed",
        },
        SINCE,
    ],
    sample: &[
        ("limit", Sample::Number(50)),
        ("status", Sample::Text("Completed")),
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
      { "order_id": "15", "status": "Partial", "remains": 157, "start_count": 3572, "service_id": "1", "link": "https://instagram.com/user", "quantity": 500, "charged": 0.540000, "refunded": 0.169560, "created_at": "2026-01-31T12:00:00Z" }
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
    STATUS,
    REMAINS,
    START_COUNT,
    field("service_id", Shape::Id, "The service that was asked for."),
    field("link", Shape::Text, "The target."),
    field(
        "quantity",
        Shape::Integer(1, MOST),
        "How many units were ordered.",
    ),
    CHARGED,
    REFUNDED,
    field("created_at", Shape::Time, "When it was placed."),
];
