//! The gateway itself: whether it lives, whether it can serve, and its own description.

use super::{Answer, Endpoint, Field, Group, Method, Shape, field};

/// The endpoints of the gateway itself.
pub(super) const ENDPOINTS: &[Endpoint] = &[HEALTH, READY, DESCRIPTION];

const STATUS: &[Field] = &[field(
    "status",
    Shape::OneOf(&["ok"]),
    "Always ok; anything else is not a 200.",
)];

const HEALTH: Endpoint = Endpoint {
    id: "service-healthz",
    group: Group::Service,
    path: "/healthz",
    action: None,
    method: Method::Get,
    title: "Health",
    summary: "Say that the process lives. Needs no key and looks at nothing else, so a busy \
              store does not get the process restarted.",
    authenticated: false,
    parameters: &[],
    sample: &[],
    answer: Answer {
        description: "The process lives.",
        fields: STATUS,
        wrapped: true,
        example: r#"{
  "success": true,
  "data": { "status": "ok" }
}"#,
    },
    accepted: None,
    leads_to: &[],
    refusals: &[&["method_not_allowed", "uri_too_long"]],
};

const READY: Endpoint = Endpoint {
    id: "service-readyz",
    path: "/readyz",
    title: "Readiness",
    summary: "Say whether the gateway can serve requests now. Needs no key.",
    answer: Answer {
        description: "The gateway serves.",
        ..HEALTH.answer
    },
    refusals: &[&["method_not_allowed", "uri_too_long", "not_ready"]],
    ..HEALTH
};

const DESCRIPTION: Endpoint = Endpoint {
    id: "service-openapi",
    path: "/api/v1/openapi.json",
    title: "OpenAPI document",
    summary: "Return the description of this API as an OpenAPI 3.1 document. Needs no key.",
    answer: Answer {
        description: "The document.",
        fields: &[
            field("openapi", Shape::Text, "The version of the OpenAPI format."),
            field("info", Shape::AnyObject, "Title, version and licence."),
            field("paths", Shape::AnyObject, "The endpoints."),
            field(
                "components",
                Shape::AnyObject,
                "The schemas that the endpoints share.",
            ),
        ],
        wrapped: false,
        example: r#"{
  "openapi": "3.1.0",
  "info": { "title": "Tollgate API", "version": "0.1.0" },
  "paths": {},
  "components": {}
}"#,
    },
    refusals: &[&["method_not_allowed", "uri_too_long"]],
    ..HEALTH
};
