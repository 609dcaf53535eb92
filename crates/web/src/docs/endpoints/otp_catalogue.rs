//! The part of `/api/v1/otp` that says what can be bought: countries and services.

use super::otp::{BASE, PROVIDER_TYPE, SERVER};
use super::{
    Answer, Endpoint, Field, Kind, Parameter, Place, Required, Sample, Shape, field, maybe,
};
use crate::docs::errors::EVERYWHERE;

const PROVIDER_SOURCES: Field = field(
    "provider_sources",
    Shape::List(&Shape::Text),
    "The public servers that are enabled, in the operator's order.",
);

/// Where numbers can be bought.
pub(super) const COUNTRIES: Endpoint = Endpoint {
    id: "otp-countries",
    action: Some("countries"),
    title: "Get Countries",
    summary: "Return available OTP countries. Pass server for one public server, or omit it to \
              merge all enabled route sources.",
    parameters: &[SERVER],
    answer: Answer {
        description: "The countries, one entry each.",
        fields: &[
            field(
                "countries",
                Shape::List(&Shape::Object(COUNTRY)),
                "The countries.",
            ),
            PROVIDER_SOURCES,
        ],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": {
    "countries": [
      { "id": "61", "key": "pakistan", "name": "Pakistan", "routes": [{ "provider_type": 1, "country_id": "61" }], "providers": ["peter"], "provider_country_ids": { "peter": ["61"] } },
      { "id": "13", "key": "unitedstates", "name": "USA", "providers": ["romeo"], "provider_country_ids": { "romeo": ["13", "188"] } }
    ],
    "provider_sources": ["romeo", "juliet", "peter", "paul", "andrew", "mark", "luke", "john"]
  }
}"#,
    },
    refusals: &[
        EVERYWHERE,
        &[
            "unknown_server",
            "conflicting_parameters",
            "parameter_too_long",
            "provider_unavailable",
        ],
    ],
    ..BASE
};

const COUNTRY: &[Field] = &[
    field(
        "id",
        Shape::Id,
        "The route country ID at the default server where it sells this country, else at the \
         first of providers.",
    ),
    field(
        "key",
        Shape::Text,
        "The country's one key over all servers, for country_key.",
    ),
    field("name", Shape::Text, "The country's name."),
    maybe(
        "routes",
        Shape::List(&Shape::Object(ROUTE)),
        "The typed routes, where a server has them.",
    ),
    field(
        "providers",
        Shape::List(&Shape::Text),
        "The public servers that sell it.",
    ),
    field(
        "provider_country_ids",
        Shape::Map(&Shape::List(&Shape::Id)),
        "Each server's own IDs of the country.",
    ),
];

const ROUTE: &[Field] = &[
    field(
        "provider_type",
        Shape::Integer(0, 65_535),
        "The route server type.",
    ),
    field("country_id", Shape::Id, "The country ID on that route."),
];

/// What numbers can be bought for.
pub(super) const SERVICES: Endpoint = Endpoint {
    id: "otp-services",
    action: Some("services"),
    title: "Get Services",
    summary: "List OTP services with marked-up USD prices. Pass server plus country_id for one \
              public server, or pass country_key and optionally routes for all enabled route \
              sources. Sorted by name, then price.",
    parameters: &[
        Parameter {
            name: "country_id",
            aliases: &[],
            kind: Kind::CatalogueId,
            required: Required::Conditional,
            place: Place::Query,
            description: "Route country ID. Required for single-source calls; without a server \
                          it is one of the default server.",
            example: "61",
        },
        SERVER,
        PROVIDER_TYPE,
        Parameter {
            name: "country_key",
            aliases: &[],
            kind: Kind::Text(64),
            required: Required::Conditional,
            place: Place::Query,
            description: "Merged country key from the countries endpoint. Required when \
                          country_id is not given.",
            example: "pakistan",
        },
        Parameter {
            name: "routes",
            aliases: &[],
            kind: Kind::Routes,
            required: Required::No,
            place: Place::Query,
            description: "Comma-separated typed routes like 1:61,2:61, to narrow what \
                          country_key finds.",
            example: "1:61,2:61",
        },
    ],
    sample: &[
        ("country_key", Sample::Text("pakistan")),
        ("routes", Sample::Text("1:61")),
    ],
    answer: Answer {
        description: "The services.",
        fields: &[
            field(
                "services",
                Shape::List(&Shape::Object(SERVICE)),
                "The services.",
            ),
            PROVIDER_SOURCES,
        ],
        wrapped: true,
        example: r#"{
  "success": true,
  "data": {
    "services": [
      { "service_id": "306343", "name": "Discord", "provider_source": "peter", "country_id": "61", "provider_type": 1, "your_price_usd": 0.040000, "success_rate": 86, "success_samples": 240, "avg_delivery_s": 11 },
      { "service_id": "tg", "name": "Telegram", "provider_source": "paul", "country_id": "6", "provider_type": 0, "your_price_usd": 0.180000, "success_rate": 91, "success_samples": 0, "avg_delivery_s": null }
    ],
    "provider_sources": ["romeo", "juliet", "peter", "paul", "andrew", "mark", "luke", "john"]
  }
}"#,
    },
    refusals: &[
        EVERYWHERE,
        &[
            "unknown_server",
            "conflicting_parameters",
            "missing_country_id",
            "missing_parameter",
            "invalid_routes",
            "invalid_provider_type",
            "invalid_parameter",
            "parameter_too_long",
            "country_not_found",
            "provider_unavailable",
        ],
    ],
    ..BASE
};

const SERVICE: &[Field] = &[
    field("service_id", Shape::Id, "The service's ID at this server."),
    field("name", Shape::Text, "The service's name."),
    field(
        "provider_source",
        Shape::Text,
        "The public server that sells it.",
    ),
    field(
        "country_id",
        Shape::Id,
        "The route country ID, to buy with.",
    ),
    field(
        "provider_type",
        Shape::Integer(0, 65_535),
        "The route server type, to buy with.",
    ),
    maybe("pool_id", Shape::Id, "The pool, on a server with pools."),
    field(
        "your_price_usd",
        Shape::Money,
        "What one number costs you, in USD.",
    ),
    field(
        "success_rate",
        Shape::Nullable(&Shape::Integer(0, 100)),
        "How many of the route's last numbers received a code, in percent; null while nobody \
         knows.",
    ),
    field(
        "success_samples",
        Shape::Integer(0, u32::MAX as u64),
        "How many of our own orders that is measured from, old ones counted in part; below 5 the \
         rate is what the provider states.",
    ),
    field(
        "avg_delivery_s",
        Shape::Nullable(&Shape::Integer(0, u32::MAX as u64)),
        "Mean time from purchase to code, in seconds; null while too few were measured.",
    ),
    maybe(
        "available",
        Shape::Integer(0, u32::MAX as u64),
        "How many numbers there are, where it is known.",
    ),
];
