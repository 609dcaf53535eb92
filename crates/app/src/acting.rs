//! On whose behalf use cases run. What an operator asks for is asked inside [`acting`]; every change
//! that comes of it then carries a line of the audit log, whichever use case made it: none has to
//! remember, and none can forget.

use crate::accounts::AdminError;
use domain::audit_log::{Actor, AuditWrite, By, Note};
use domain::change::Write;
use domain::ids::{AccountId, PersonId};
use domain::ports::OwnAccounts;
use std::future::Future;

tokio::task_local! {
    static BY: By;
}

/// Runs use cases on behalf of somebody. Work that is spawned meanwhile acts for nobody.
pub async fn acting<W: Future>(by: By, work: W) -> W::Output {
    Box::pin(BY.scope(by, work)).await
}

/// Who acts now.
pub(crate) fn by() -> Option<By> {
    BY.try_with(Clone::clone).ok()
}

/// The member of staff who acts now, if one does.
pub(crate) fn staff() -> Option<PersonId> {
    match by()?.actor {
        Actor::Staff(person) => Some(person),
        _ => None,
    }
}

/// Nobody decides on money or cases of an account of their own.
pub(crate) async fn not_own(
    rows: &dyn OwnAccounts,
    who: Option<PersonId>,
    account: AccountId,
) -> Result<(), AdminError> {
    let Some(who) = who else { return Ok(()) };
    match rows.is_own(who, account).await? {
        true => Err(AdminError::Forbidden(
            "this is an account of your own: somebody else decides on it",
        )),
        false => Ok(()),
    }
}

/// The line that belongs into a change of these writes, if somebody acts and it has none yet.
pub(crate) fn line(action: &str, writes: &[Write]) -> Option<Write> {
    let has_one = |write: &Write| matches!(write, Write::Audit(AuditWrite::Note(_)));
    if writes.iter().any(has_one) {
        return None;
    }
    let note = Note::of(&by()?, action, writes)?;
    Some(Write::Audit(AuditWrite::Note(Box::new(note))))
}
