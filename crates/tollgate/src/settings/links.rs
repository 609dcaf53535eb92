//! What only shows when all sections are read: names that point at nothing, and the order of the
//! servers.

use super::nearest::hint;
use super::reader::{Origin, Reader};
use super::{Protocol, Settings};

/// What stands for the SMM side where a markup rule names a server.
const SMM_SERVER: &str = "smm";

/// Notes every name that leads nowhere, and puts the servers into the operator's order.
pub fn check(settings: &mut Settings, reader: &Reader<'_>) {
    routes(settings, reader);
    default_server(settings, reader);
    order(settings, reader);
    super::smm::check(settings, reader);
    markup(settings, reader);
    hooks(settings, reader);
}

/// A webhook's signature covers the address the carrier was told.
fn hooks(settings: &Settings, reader: &Reader<'_>) {
    // the demo's carrier is told where the listener is
    let told = settings.listen.public_url.is_some() || reader.given == Origin::Demo;
    if settings.hooks.door().takes_twilio() && !told {
        let why = "is missing: the signatures of [hooks.twilio] cover the public address";
        reader.problem("listen.public_url", why);
    }
}

fn routes(settings: &Settings, reader: &Reader<'_>) {
    for server in &settings.servers {
        for (at, route) in server.routes.iter().enumerate() {
            let key = format!("servers.{}.routes[{at}].upstream", server.name);
            match settings.upstream(&route.upstream) {
                Some(upstream) if upstream.protocol == Protocol::PanelV2 => {
                    reader.problem(&key, "names an SMM panel, which has no numbers");
                }
                None if !reader.has_problem(&key) => {
                    reader.problem(&key, unknown_upstream(settings, &route.upstream));
                }
                _ => {}
            }
        }
    }
}

/// Without any server nothing is sold yet, and the default names nobody; that is a fair start.
fn default_server(settings: &Settings, reader: &Reader<'_>) {
    let name = &settings.otp.default_server;
    let fits = settings.server(name).is_some_and(|server| server.enabled);
    if !settings.servers.is_empty() && !fits {
        let enabled = settings.servers.iter().filter(|server| server.enabled);
        let near = hint(name, enabled.map(|server| server.name.as_str()));
        reader.problem(
            "otp.default_server",
            format!("is \"{name}\", which is not a server that is switched on{near}"),
        );
    }
}

fn order(settings: &mut Settings, reader: &Reader<'_>) {
    let order = settings.otp.order.clone();
    for (at, name) in order.iter().enumerate() {
        let key = format!("otp.order[{at}]");
        if settings.server(name).is_none() {
            let near = hint(
                name,
                settings.servers.iter().map(|server| server.name.as_str()),
            );
            reader.problem(&key, format!("names no server in [servers]{near}"));
        } else if order[..at].contains(name) {
            reader.problem(&key, "is there twice");
        }
    }
    let place = |name: &str| {
        order
            .iter()
            .position(|known| known == name)
            .unwrap_or(order.len())
    };
    settings.servers.sort_by_key(|server| place(&server.name));
}

/// A rule may also be for the SMM side, which prices know as the server `smm`.
fn markup(settings: &Settings, reader: &Reader<'_>) {
    let is_known = |name: &str| name == SMM_SERVER || settings.server(name).is_some();
    for (at, rule) in settings.markup.rules.iter().enumerate() {
        if let Some(name) = rule.server.as_deref().filter(|name| !is_known(name)) {
            let near = hint(
                name,
                settings.servers.iter().map(|server| server.name.as_str()),
            );
            reader.problem(
                &format!("markup.rules[{at}].server"),
                format!("names no server in [servers], nor \"{SMM_SERVER}\"{near}"),
            );
        }
    }
}

/// Why a name of an upstream leads nowhere.
pub fn unknown_upstream(settings: &Settings, name: &str) -> String {
    let near = hint(
        name,
        settings
            .upstreams
            .iter()
            .map(|upstream| upstream.name.as_str()),
    );
    format!("names no upstream in [upstreams]{near}")
}
