//! What the changes of one group have in common: a change that touches what an earlier one of the
//! same group touched must not rest on what was read before the group.

use domain::change::{Change, Write};
use domain::ids::{AccountId, OrderId};
use domain::link;
use domain::people::PeopleWrite;
use domain::policy::PolicyWrite;
use domain::policy::velocity::Ordered;

/// Something that a guard looks at or a write changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Touched<'c> {
    /// An order with all rows beside it.
    Order(OrderId),
    /// A number, whoever has it.
    Phone(&'c str),
    /// The open order of a service for a target.
    OpenLink(&'c str, String),
    /// An id at an upstream.
    Link(&'c str, &'c str),
    /// An idempotency key.
    Claim(AccountId, &'c str, &'c str),
    /// A row by its table.
    Row(&'static str, i64),
    /// Readings of an upstream's balance.
    Readings(&'c str),
    /// Everything of one kind: what is rare is not looked at closely.
    All(&'static str),
}

/// What a change touches. Wallets are not among it: a group keeps them in memory.
pub(crate) fn touched(change: &Change) -> Vec<Touched<'_>> {
    let mut all = Vec::with_capacity(change.writes.len() + 1);
    for write in &change.writes {
        one(write, &mut all);
    }
    all
}

fn one<'c>(write: &'c Write, all: &mut Vec<Touched<'c>>) {
    use Touched as T;
    match write {
        Write::InsertActivation(a) | Write::UpdateActivation(a) => {
            all.push(T::Order(a.id));
            all.extend(a.phone.as_ref().map(|phone| T::Phone(phone.digits())));
        }
        Write::InsertSmmOrder(o) | Write::UpdateSmmOrder(o) => {
            all.push(T::Order(o.id));
            all.push(T::OpenLink(&o.service_id, link::target(&o.link)));
        }
        Write::InsertSmmRequest(r) | Write::UpdateSmmRequest(r) => all.push(T::Order(r.order)),
        Write::PostponeSmmOrder { order, .. }
        | Write::Message { order, .. }
        | Write::Hold { order, .. }
        | Write::Rehold { order, .. }
        | Write::Resolve { order, .. }
        | Write::Adjust { order, .. } => all.push(T::Order(*order)),
        Write::BeginAttempt(attempt) => all.push(T::Order(attempt.order)),
        Write::EndAttempt(end) => all.push(T::Order(end.order)),
        Write::Observe(seen) => all.push(T::Order(seen.order)),
        Write::Link {
            upstream,
            upstream_id,
            order,
        } => {
            all.push(T::Link(upstream, upstream_id));
            all.extend(order.map(T::Order));
        }
        Write::Claim(claim) => all.push(T::Claim(claim.account, &claim.endpoint, &claim.key)),
        Write::InsertOrphan(o) | Write::UpdateOrphan(o) => all.push(T::Row("orphan", o.id)),
        Write::KnowList { .. } => all.push(T::All("first_attempt")),
        Write::ReadBalance(reading) => all.push(T::Readings(&reading.upstream)),
        // their rows are new and their wallets in memory
        Write::Book(_) | Write::Credit { .. } | Write::Debit { .. } | Write::ApiLog(_) => {}
        Write::People(PeopleWrite::TouchSession(_)) => {}
        Write::People(_) => all.push(T::All("people")),
        Write::Pool(_) => all.push(T::All("pool")),
        Write::TopUp(_) => all.push(T::All("topup")),
        Write::Policy(PolicyWrite::KeepPace(pace)) => {
            // an earlier order of the group is one more in its past; a target's may be anybody's
            all.push(T::Row("pace", pace.account.0));
            if let Ordered::Smm { .. } = pace.ordered {
                all.push(T::All("pace_smm"));
            }
        }
        Write::Policy(PolicyWrite::RoomForKey { .. }) => all.push(T::All("account")),
        Write::Policy(PolicyWrite::ForgetAccount(_)) => {
            // open orders show in its wallet, which the group has in memory
            all.extend([T::All("policy"), T::All("topup")]);
        }
        Write::Policy(_) => all.push(T::All("policy")),
        Write::Desk(_) => all.push(T::All("desk")),
        Write::Audit(_) => all.push(T::All("audit_log")),
        Write::Redeem { .. } | Write::RedeemCode(_) => all.push(T::All("redeem_code")),
        Write::OpenTicket(_) | Write::CloseTicket { .. } => all.push(T::All("ticket")),
        Write::NumberSmmService { .. } => all.push(T::All("smm_service_id")),
        Write::InsertAccount(_)
        | Write::UpdateAccount(_)
        | Write::InsertKey(_)
        | Write::UpdateKey(_)
        | Write::RevokeKey { .. } => all.push(T::All("account")),
    }
}
