//! Cancels and refills of SMM orders.

use super::smm::BASE;
use super::{
    Answer, Endpoint, Field, IDEMPOTENCY_KEY, Kind, Method, Parameter, Place, Required, Sample,
    Shape, field,
};
use crate::docs::errors::{EVERYWHERE, WRITES};

const ORDER_ID: Parameter = Parameter {
    name: "order_id",
    aliases: &[],
    kind: Kind::OrderId,
    required: Required::Yes,
    place: Place::Body,
    description: "Order ID returned by place order.",
    example: "15",
};

pub(super) const CANCEL_ORDER: Endpoint = Endpoint {
    id: "smm-cancel-order",
    action: Some("cancel_order"),
    method: Method::Post,
    title: "Cancel Order",
    summary: "Ask for a running order to be cancelled, where its service has cancel. It is a \
              request: what comes of it shows in the order's status, as Canceled, as Partial, or \
              not at all. Asked again while it is open, the answer is the same.",
    parameters: &[ORDER_ID, IDEMPOTENCY_KEY],
    sample: &[("order_id", Sample::Number(15))],
    answer: Answer {
        description: "The cancel is asked for.",
        fields: &[
            field("order_id", Shape::OrderId, "The order."),
            field("cancel", Shape::OneOf(&["requested"]), "Always requested."),
        ],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": { "order_id": "15", "cancel": "requested" }
}"#,
    },
    leads_to: &["smm-order-status"],
    refusals: &[
        EVERYWHERE,
        WRITES,
        &[
            "invalid_order_id",
            "order_not_found",
            "order_pending",
            "order_final",
            "cancel_not_offered",
            "provider_unavailable",
        ],
    ],
    ..BASE
};

const REFILL_STATUSES: &[&str] = &["Pending", "In progress", "Completed", "Rejected"];

const REFILL_FIELDS: &[Field] = &[
    field(
        "refill_id",
        Shape::Id,
        "The refill, to ask for its status with.",
    ),
    field("order_id", Shape::OrderId, "Its order."),
    field(
        "status",
        Shape::OneOf(REFILL_STATUSES),
        "Where the refill stands.",
    ),
];

pub(super) const REFILL: Endpoint = Endpoint {
    id: "smm-refill",
    action: Some("refill"),
    method: Method::Post,
    title: "Refill",
    summary: "Ask for what dropped off a Completed order to be delivered again, where its service \
              has refill. A refill costs nothing; one at a time for an order, and one in 24 hours.",
    parameters: &[ORDER_ID, IDEMPOTENCY_KEY],
    sample: &[("order_id", Sample::Number(15))],
    answer: Answer {
        description: "The refill is asked for.",
        fields: REFILL_FIELDS,
        wrapped: true,
        example: r#"{
  "success": true,
  "data": { "refill_id": "7", "order_id": "15", "status": "Pending" }
}"#,
    },
    leads_to: &["smm-order-status"],
    refusals: &[
        EVERYWHERE,
        WRITES,
        &[
            "invalid_order_id",
            "order_not_found",
            "order_pending",
            "refill_not_offered",
            "refill_not_due",
            "refill_open",
            "provider_unavailable",
        ],
    ],
    ..BASE
};

pub(super) const REFILL_STATUS: Endpoint = Endpoint {
    id: "smm-refill-status",
    action: Some("refill_status"),
    title: "Refill Status",
    summary: "Poll a refill: Pending, In progress, Completed or Rejected.",
    parameters: &[Parameter {
        name: "refill_id",
        aliases: &[],
        kind: Kind::OrderId,
        required: Required::Yes,
        place: Place::Query,
        description: "Refill ID returned by refill.",
        example: "7",
    }],
    sample: &[("refill_id", Sample::Number(7))],
    answer: Answer {
        description: "The refill's state.",
        fields: REFILL_FIELDS,
        wrapped: true,
        example: r#"{
  "success": true,
  "data": { "refill_id": "7", "order_id": "15", "status": "Completed" }
}"#,
    },
    refusals: &[
        EVERYWHERE,
        &["missing_parameter", "invalid_parameter", "refill_not_found"],
    ],
    ..BASE
};
