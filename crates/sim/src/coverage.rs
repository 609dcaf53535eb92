//! What must be reached: every named crash point in each of its four ways, every class of answer,
//! every race. A cell that a run does not reach proves nothing.

use crate::products;
use crate::story::PLOTS;
use crate::world::Reached;
use std::fmt::Write;

/// Commits of the engine, by name. At each one a node can die before or after, and the storage can
/// fail with the change stored or not.
const COMMITS: [&str; 32] = [
    "buy_number",
    "next_route",
    "number_bought",
    "purchase_refused",
    "in_doubt",
    "still_in_doubt",
    "linked",
    "absent",
    "number_disclosed",
    "message",
    "ask_cancel",
    "claim_cancel_step",
    "cancel_too_early",
    "cancel_waits",
    "closed",
    "closed_upstream",
    "orphan_found",
    "orphan",
    "watched",
    "place_order",
    "order_accepted",
    "order_refused",
    "smm_linked",
    "smm_absent",
    "request_waits",
    "smm_status",
    "smm_status_missing",
    "smm_request",
    "request_leased",
    "request_answered",
    "cancel_followed",
    "refill_followed",
];

/// The same commits around the second service of an SMM order whose first one refused.
pub const OF_NEXT_SERVICE: [(&str, &str); 5] = [
    ("next_route", "next service: next_route"),
    ("order_accepted", "next service: order_accepted"),
    ("order_refused", "next service: order_refused"),
    ("in_doubt", "next service: in_doubt"),
    ("smm_linked", "next service: smm_linked"),
];

/// The four ways in which a commit goes wrong.
const WAYS: [&str; 4] = [
    "crash before",
    "crash after",
    "error, not done",
    "error, done",
];

/// Classes of answer to a purchase.
const SALES: [&str; 18] = [
    "sold",
    "no stock",
    "our funds there",
    "not sent",
    "lost before",
    "answer lost",
    "processed late",
    "processed after the window",
    "answered slowly",
    "wrong country",
    "number in use",
    "id linked before",
    "made twice",
    "made twice, answer lost",
    "above the quote",
    "unreadable",
    "unlisted error",
    "id cut short",
];

/// Other answers, and the races.
const OTHERS: [(&str, &str); 88] = [
    ("buy", "our fault"),
    ("fail-over", "the next route sold, dearer"),
    ("fail-over", "the next route sold, cheaper"),
    ("fail-over", "the next route is in doubt"),
    ("fail-over", "all routes refused"),
    ("fail-over", "none after an unknown outcome"),
    ("fail-over", "none after a refusal that others share"),
    ("service fail-over", "the next service sold"),
    ("service fail-over", "the next service sold, found later"),
    ("service fail-over", "the next service is in doubt"),
    ("service fail-over", "all services refused"),
    ("service fail-over", "none after an unknown outcome"),
    (
        "service fail-over",
        "none after a refusal that others share",
    ),
    ("list", "fresh"),
    ("list", "stale"),
    ("list", "failed"),
    ("status", "code"),
    ("status", "closed"),
    ("status", "closed somehow"),
    ("status", "waiting"),
    ("status", "lost before"),
    ("cancel", "taken"),
    ("cancel", "taken, with code"),
    ("cancel", "too early"),
    ("cancel", "code was there"),
    ("cancel", "over already"),
    ("cancel", "lost before"),
    ("cancel", "answer lost"),
    ("orders", "listed"),
    ("orders", "failed"),
    ("orders", "listed, undated"),
    ("panel cancel", "asked"),
    ("panel cancel", "lost"),
    ("panel cancel", "answer lost"),
    ("panel cancel", "refused"),
    ("panel refill", "taken"),
    ("panel refill", "lost"),
    ("panel refill", "answer lost"),
    ("panel refill", "refused"),
    ("refill status", "answered"),
    ("refill status", "failed"),
    ("refill status", "id missing"),
    ("request", "cancel came true"),
    ("request", "cancel came to nothing"),
    ("request", "refilled"),
    ("request", "refill refused"),
    ("order cancel", "order_final"),
    ("statuses", "answered"),
    ("statuses", "failed"),
    ("statuses", "id missing"),
    ("statuses", "error for one id"),
    ("statuses", "id not known"),
    ("statuses", "an order not asked for"),
    ("client", "hangs up"),
    ("client", "sends a key twice at once"),
    ("any moment", "crash"),
    ("race", "cancel against code, refunded"),
    ("race", "cancel against code, code won"),
    ("race", "two cancels at once"),
    ("race", "stale writer refused"),
    ("race", "late answer after doubt"),
    ("race", "expiry against code"),
    ("race", "client gone as its number came"),
    ("race", "code before the number was shown"),
    ("balance", "lost before"),
    ("balance", "paid in"),
    ("balance", "opening"),
    ("balance", "deposit"),
    ("balance", "kept"),
    ("balance", "returned"),
    ("balance", "unlisted"),
    ("balance", "unexplained"),
    ("orphan", "cancelled, its age is told"),
    ("orphan", "cancelled, its age is known by sight"),
    ("orphan", "left alone, it is told to be older"),
    ("orphan", "left alone, its age is not known"),
    ("ticket", "foreign_number"),
    ("ticket", "large_adjustment"),
    ("ticket", "order_in_review"),
    ("ticket", "placed_without_id"),
    ("ticket", "outcome_reversed"),
    ("told", "bought"),
    ("told", "pending"),
    ("told", "purchase_outcome_unknown"),
    ("told", "insufficient_balance"),
    ("told", "idempotency_in_progress"),
    ("told", "storage_unavailable"),
    ("told", "no answer"),
];

/// All cells that a run must reach.
pub fn required() -> Vec<(&'static str, &'static str)> {
    let of_next = OF_NEXT_SERVICE.iter().map(|(_, cell)| cell);
    let points = COMMITS
        .iter()
        .chain(of_next)
        .flat_map(|name| WAYS.iter().map(|way| (*name, *way)));
    let buys = SALES.iter().map(|sale| ("buy", *sale));
    let not_of_panels = ["wrong country", "number in use", "above the quote"];
    let places = SALES
        .iter()
        .filter(move |sale| !not_of_panels.contains(sale));
    let stories = PLOTS.iter().map(|(_, _, name)| ("story", *name));
    let all = points
        .chain(buys)
        .chain(places.map(|sale| ("place", *sale)));
    let deaths = products::CELLS.iter().map(|cell| (products::WHAT, *cell));
    all.chain(stories).chain(OTHERS).chain(deaths).collect()
}

/// Cells that were reached less often than asked for.
pub fn missing(reached: &Reached, at_least: u64) -> Vec<(&'static str, &'static str)> {
    let count = |cell: &(&'static str, &'static str)| reached.get(cell).copied().unwrap_or(0);
    required()
        .into_iter()
        .filter(|cell| count(cell) < at_least)
        .collect()
}

/// The table, one cell on a line.
pub fn table(reached: &Reached) -> String {
    let mut text = String::new();
    for ((what, how), count) in reached {
        // writing to a string does not fail
        let _ = writeln!(text, "{what:22} {how:34} {count:>9}");
    }
    text
}
