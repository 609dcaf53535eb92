//! The actions of both paths: one line each.

use super::members::Given;
use super::problem::Problem;
use super::query::Pairs;
use super::reply::Reply;
use super::{Call, otp, smm};
use domain::access::Scope;
use domain::upstream::Pending;

/// One of the two paths.
pub(crate) struct Service {
    /// Its path.
    pub path: &'static str,
    /// The scope that a key needs for it.
    pub scope: Scope,
    /// What requests without a known action are counted under.
    pub bucket: &'static str,
    actions: &'static [Action],
}

/// One action.
#[derive(Debug)]
pub(crate) struct Action {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it is counted under.
    pub bucket: &'static str,
    /// Whether it changes something: then it is POST, with its parameters in the body.
    pub write: bool,
    /// Its endpoint.
    pub run: fn(Call) -> Pending<'static, Result<Reply, Problem>>,
}

macro_rules! read {
    ($path:ident, $action:ident) => {
        Action {
            name: stringify!($action),
            bucket: concat!(stringify!($path), ":", stringify!($action)),
            write: false,
            run: |call| Box::pin($path::$action::handle(call)),
        }
    };
}

macro_rules! write {
    ($path:ident, $action:ident) => {
        Action {
            write: true,
            ..read!($path, $action)
        }
    };
}

impl Service {
    /// Its name, as logs have it.
    pub fn name(&self) -> &'static str {
        self.path.trim_start_matches("/api/v1/")
    }

    /// The names of its actions.
    pub fn action_names(&self) -> impl Iterator<Item = &'static str> {
        self.actions.iter().map(|action| action.name)
    }

    /// `/api/v1/otp`.
    pub const OTP: Self = Self {
        path: "/api/v1/otp",
        scope: Scope::Otp,
        bucket: "otp:?",
        actions: &[
            read!(otp, countries),
            read!(otp, services),
            write!(otp, buy_number),
            read!(otp, get_status),
            write!(otp, cancel),
            read!(otp, balance),
            read!(otp, orders),
        ],
    };

    /// `/api/v1/smm`.
    pub const SMM: Self = Self {
        path: "/api/v1/smm",
        scope: Scope::Smm,
        bucket: "smm:?",
        actions: &[
            read!(smm, services),
            write!(smm, place_order),
            read!(smm, order_status),
            write!(smm, cancel_order),
            write!(smm, refill),
            read!(smm, refill_status),
            read!(smm, balance),
            read!(smm, orders),
        ],
    };

    /// The action that a query asks for.
    pub fn choose(&self, pairs: &Pairs, asked: Option<&Given>) -> Result<&'static Action, Problem> {
        if pairs.repeated.as_deref() == Some("action") {
            return Err(Problem::duplicate("action"));
        }
        let known = match asked {
            None => {
                let sentence = "Parameter action is missing from the query.";
                return Err(Problem::bad("missing_action", sentence));
            }
            Some(Given::Text(name)) => self.actions.iter().find(|action| action.name == name),
            Some(_) => None,
        };
        known.ok_or_else(|| {
            let names: Vec<_> = self.actions.iter().map(|action| action.name).collect();
            let sentence = format!("Parameter action must be one of {}.", names.join(", "));
            Problem::bad("unknown_action", sentence)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::endpoints::{self, Method};

    #[test]
    fn the_actions_are_those_of_the_documentation() {
        let mut known: Vec<_> = [Service::OTP, Service::SMM]
            .iter()
            .flat_map(|service| {
                let named = |action: &Action| (service.path, action.name, action.write);
                service.actions.iter().map(named)
            })
            .collect();
        let mut documented: Vec<_> = endpoints::all()
            .filter_map(|one| Some((one.path, one.action?, one.method == Method::Post)))
            .collect();
        known.sort_unstable();
        documented.sort_unstable();
        assert_eq!(known, documented);
    }
}
