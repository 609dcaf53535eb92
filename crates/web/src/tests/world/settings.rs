//! What a world is set to.

use crate::DoorSettings;
use app::{CatalogueSettings, Settings};
use domain::activation::Plan;
use domain::catalogue::{Server, ServerRoute};
use domain::markup::{Markup, Markups};
use domain::policy::Rules;
use domain::policy::velocity::Velocity;
use domain::time::Millis;
use std::collections::HashMap;
use std::sync::Arc;

fn servers() -> Vec<Server> {
    let server = |name: &str, enabled, routes: &[i64]| Server {
        name: name.to_owned(),
        enabled,
        routes: routes
            .iter()
            .map(|provider_type| ServerRoute {
                provider_type: *provider_type,
                upstream: name.to_owned(),
            })
            .collect(),
    };
    vec![
        server("peter", true, &[1, 2]),
        server("paul", true, &[0]),
        server("andrew", true, &[0]),
        server("luke", false, &[0]),
    ]
}

pub(super) fn settings() -> Settings {
    let plan = Plan {
        lease: Millis::seconds(35),
        in_doubt_window: Millis::seconds(60),
        min_cancel_age: Millis::seconds(120),
        lifetime: Millis::minutes(20),
        retry: Millis::seconds(2),
    };
    let named = |name: &str| ((name.to_owned(), name.to_owned()), plan);
    Settings {
        default_server: "peter".to_owned(),
        servers: servers(),
        activations: ["peter", "paul", "andrew"].map(named).into(),
        smm: HashMap::new(),
        activation_poll: Millis::seconds(1),
        upstreams: HashMap::new(),
        routing: app::Routing::default(),
        sync_budget: Millis(400),
        price_grace: Millis::seconds(60),
        key_lifetime: Millis::minutes(24 * 60),
        orphan_after: Millis::minutes(5),
        reconcile_every: Millis::minutes(60),
        balance_steps: HashMap::new(),
        markups: Arc::new(Markups {
            general: Markup {
                parts_per_million: 200_000,
                ..Markup::default()
            },
            rules: Vec::new(),
        }),
        rules: Rules::demo(),
        velocity: Velocity::of_tiers(),
        catalogue: CatalogueSettings::default(),
    }
}

pub(in crate::tests) fn generous() -> DoorSettings {
    DoorSettings {
        requests_per_minute: 1_000_000.into(),
        account_requests_per_minute: crate::AccountFigures::default(),
        failed_auth_per_minute: 1_000_000.into(),
        misses_per_minute: 1_000_000.into(),
        trusted_proxies: Vec::new(),
        public_url: None,
        hooks: crate::Hooks::default(),
        console: crate::ConsoleDoor {
            beside_customers: true,
            allowed: Vec::new(),
        },
    }
}
