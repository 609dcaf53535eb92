//! From the panel's words to the engine's: the rules of what counts as what.

use super::Exchange;
use domain::time::Timestamp;
use domain::upstream::{
    CancelReply, ListedPanelOrder, PanelService, PanelStatus, Progress, ReadFailure, RefillReply,
    Refusal,
};
use wire::panel_v2::{
    Cancels, Class, Failure, OrderRow, OrderStatus, Refill, RefillStatus, ServiceRow, class_of,
    progress,
};

/// A failed read. `clean` takes secrets out of what the panel said.
pub(super) fn read_failure(failure: &Failure, clean: impl Fn(&str) -> String) -> ReadFailure {
    match failure.class() {
        Some(Class::Refused(refusal)) => ReadFailure::Refused(refusal),
        Some(Class::UnknownOrder) => ReadFailure::UnknownOrder,
        None if matches!(failure, Failure::Unreadable(_)) => {
            ReadFailure::Unusable(clean(&said(failure)))
        }
        Some(Class::RefillRefused) | None => ReadFailure::Fault(clean(&said(failure))),
    }
}

/// What a panel says of one id among many.
pub(super) fn row_failure(text: &str, clean: impl Fn(&str) -> String) -> ReadFailure {
    match class_of(text) {
        Some(Class::Refused(refusal)) => ReadFailure::Refused(refusal),
        Some(Class::UnknownOrder) => ReadFailure::UnknownOrder,
        Some(Class::RefillRefused) | None => ReadFailure::Fault(clean(text)),
    }
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::Error { text, status } => format!("answered {status} {text}"),
        Failure::Unsettled(status) => format!("HTTP status {status}"),
        Failure::Html => "answered a page for people".to_owned(),
        Failure::Unreadable(why) => why.clone(),
    }
}

/// Failures of a read that the next try may not see.
pub(super) fn may_pass(failure: &ReadFailure) -> bool {
    matches!(
        failure,
        ReadFailure::Fault(_) | ReadFailure::Refused(Refusal::Unreachable)
    )
}

/// What the words and amounts of one panel mean.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// From its currency to ours.
    pub(super) exchange: Exchange,
    /// Status words of its own, which count before those that all panels use.
    pub(super) words: &'a [(String, Progress)],
}

impl Reading<'_> {
    fn progress(self, word: &str) -> Option<Progress> {
        let own = self.words.iter();
        let own = own.filter(|(known, _)| known.eq_ignore_ascii_case(word.trim()));
        own.map(|(_, progress)| *progress)
            .next()
            .or_else(|| progress(word))
    }

    /// State of one order; its children are named and not asked for.
    pub(super) fn status(self, status: &OrderStatus) -> PanelStatus {
        let charge = status.charge;
        PanelStatus {
            progress: self.progress(&status.status),
            raw_status: status.status.clone(),
            remains: status.remains,
            start_count: status.start_count,
            charge: charge.and_then(|charge| self.exchange.cost(charge)),
            children: Vec::new(),
            child_ids: status.children.clone(),
        }
    }
}

/// A row of the panel's own order list.
pub(super) fn listed(row: OrderRow, exchange: Exchange) -> ListedPanelOrder {
    ListedPanelOrder {
        id: row.id,
        service: row.service,
        link: row.link,
        quantity: row.quantity,
        charge: row.charge.and_then(|charge| exchange.cost(charge)),
        created_at: row
            .created_s
            .and_then(|seconds| seconds.checked_mul(1000))
            .map(Timestamp),
    }
}

/// A service on sale; nothing where its rate does not fit. `per` is what the rate counts; a flat
/// type's rate is the price of one package and not scaled.
pub(super) fn service(row: ServiceRow, exchange: Exchange, per: u32) -> Option<PanelService> {
    let kind = row.order_type();
    let flat = kind.is_some_and(|kind| kind.is_flat());
    Some(PanelService {
        rate: exchange.rate(row.rate, if flat { 1000 } else { per })?,
        id: row.id,
        name: row.name,
        category: row.category,
        kind: kind.map(|kind| kind.title()),
        min: row.min,
        max: row.max,
        refill: row.refill,
        cancel: row.cancel,
        dripfeed: row.dripfeed,
    })
}

/// What came of asking for one cancel. "Cancelled" means that the request was taken.
pub(super) fn cancelled(id: &str, answer: Result<Cancels, Failure>) -> CancelReply {
    match answer {
        Ok(Cancels(rows)) => match rows.into_iter().find(|(order, _)| order == id) {
            Some((_, Ok(()))) => CancelReply::Cancelled,
            Some((_, Err(text))) => not_cancelled(&text),
            None => CancelReply::Unknown,
        },
        Err(Failure::Error {
            text,
            status: 200..300,
        }) => not_cancelled(&text),
        Err(_) => CancelReply::Unknown,
    }
}

/// The panel said no. Where that is about us and not about the order, it may say yes later.
fn not_cancelled(text: &str) -> CancelReply {
    use Refusal::{AccountBlocked, Throttled, UpstreamAuth};
    match class_of(text) {
        Some(Class::UnknownOrder) => CancelReply::UnknownOrder,
        Some(Class::Refused(AccountBlocked | Throttled | UpstreamAuth)) => CancelReply::Unknown,
        _ => CancelReply::BadTransition,
    }
}

/// What came of asking for one refill.
pub(super) fn refilled(answer: Result<Refill, Failure>) -> RefillReply {
    use Refusal::{AccountBlocked, Throttled, UpstreamAuth};
    match answer {
        Ok(Refill(id)) => RefillReply::Taken(id),
        Err(failure @ Failure::Error { .. }) => match failure.class() {
            Some(Class::Refused(AccountBlocked | Throttled | UpstreamAuth)) => RefillReply::Unknown,
            _ => RefillReply::Refused,
        },
        Err(_) => RefillReply::Unknown,
    }
}

/// What a panel says of one refill among many: one it does not know is an unknown id.
pub(super) fn refill_failure(text: &str, clean: impl Fn(&str) -> String) -> ReadFailure {
    match class_of(text) {
        Some(Class::RefillRefused) => ReadFailure::UnknownOrder,
        _ => row_failure(text, clean),
    }
}

/// What a panel without the plural form says of one refill: that it does not know it is a word on the
/// refill, as it would be among many, and no failure of the call.
pub(super) fn refill_alone(
    answer: Result<RefillStatus, Failure>,
) -> Result<Result<String, String>, Failure> {
    match answer {
        Ok(RefillStatus(word)) => Ok(Ok(word)),
        Err(failure) => match (failure.class(), failure) {
            (Some(Class::UnknownOrder | Class::RefillRefused), Failure::Error { text, .. }) => {
                Ok(Err(text))
            }
            (_, failure) => Err(failure),
        },
    }
}
