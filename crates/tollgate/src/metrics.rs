//! What whoever watches the gateway can measure: the counters of all rooms, and what stands at the
//! moment it is asked for.

use anyhow::Context;
use app::Engine;
use app::{ComparedDays, LogVerified, OpenWork, TopUps};
use domain::ports::{Audit, StoreError};
use domain::time::Timestamp;
use domain::usd::Usd;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::Arc;
use web::Metrics;

/// Upper bounds of buckets, in seconds: from an answer out of memory to a provider's worst.
const SECONDS: [f64; 14] = [
    0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0,
];
/// Upper bounds of buckets of how many changes were written together.
const CHANGES: [f64; 11] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
];

/// Takes up what all rooms count from now on.
///
/// # Errors
/// Somebody else in this process counts already.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let buckets = "the buckets of the metrics";
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| {
            let changes = Matcher::Full("tollgate_commit_changes".to_owned());
            builder.set_buckets_for_metric(changes, &CHANGES)
        })
        .context(buckets)?
        .install_recorder()
        .context("the metrics cannot be counted")?;
    describe();
    describe_upstreams();
    describe_top_ups();
    describe_pages();
    describe_audit_log();
    Ok(handle)
}

fn describe() {
    describe_counter!(
        "tollgate_requests_total",
        "Requests answered, by route, action and status."
    );
    describe_histogram!("tollgate_request_seconds", "From request to answer.");
    describe_counter!(
        "tollgate_api_log_dropped_total",
        "Requests missing in the customers' API log."
    );
    describe_counter!(
        "tollgate_purchase_calls_total",
        "Purchase calls that left for an upstream, by what came of them."
    );
    describe_histogram!(
        "tollgate_upstream_call_seconds",
        "Calls to upstreams, by kind of answer."
    );
    describe_counter!(
        "tollgate_unknown_statuses_total",
        "Status words of panels that nobody knows."
    );
    describe_counter!(
        "tollgate_over_delivered_total",
        "SMM orders of which a panel delivered more than was ordered."
    );
    describe_counter!(
        "tollgate_late_codes_total",
        "Numbers whose upstream had a code after it had confirmed their cancel."
    );
    describe_histogram!(
        "tollgate_commit_seconds",
        "From the first write of a group to its flush."
    );
    describe_histogram!("tollgate_commit_changes", "Changes written together.");
    describe_gauge!(
        "tollgate_store_log_bytes",
        "Written since it was last folded into the database file; SQLite only."
    );
    describe_counter!("tollgate_audits_total", "Audits of the books, by result.");
    describe_gauge!(
        "tollgate_audit_violations",
        "Rules broken in the books at the last audit; anything but 0 is an alarm."
    );
    describe_gauge!(
        "tollgate_audit_timestamp_seconds",
        "When the books were last audited."
    );
    describe_gauge!(
        "tollgate_open_holds",
        "Holds without a settlement at the last audit."
    );
    describe_gauge!(
        "tollgate_queue_rows",
        "Rows whose time has come, at most 1000 are counted."
    );
    describe_gauge!(
        "tollgate_queue_age_seconds",
        "How long the oldest of them has waited."
    );
    describe_gauge!("tollgate_tickets_open", "What a person has to look at.");
    describe_gauge!(
        "tollgate_money_moves",
        "1 while the store takes writes and the clock is not behind the books."
    );
}

fn describe_upstreams() {
    describe_counter!(
        "tollgate_upstream_cancels_total",
        "Requests to cancel a number, by what came of them."
    );
    describe_gauge!(
        "tollgate_upstream_rating",
        "What a provider thinks of our account, in its own points."
    );
    describe_gauge!(
        "tollgate_upstream_open",
        "1 where purchases pass, 0 where none do."
    );
    describe_gauge!(
        "tollgate_upstream_in_doubt",
        "Purchases whose outcome is unknown."
    );
    describe_gauge!(
        "tollgate_upstream_doubt_overdue",
        "Those of them whose window is over by more than five minutes."
    );
    describe_gauge!(
        "tollgate_upstream_balance_usd",
        "Our balance there as last read."
    );
}

fn describe_top_ups() {
    describe_gauge!(
        "tollgate_topup_unexplained_days",
        "Days on which our credits and the processor's list differ, and whose ticket is open."
    );
    describe_gauge!(
        "tollgate_topup_uncompared_days",
        "Days that could not be compared with the processor's list."
    );
}

fn describe_pages() {
    describe_counter!(
        "tollgate_lists_total",
        "Lists of what is on sale, sent from memory or made from the catalogue."
    );
    describe_counter!(
        "tollgate_csp_reports_total",
        "What browsers refused to run on pages, by directive."
    );
    describe_gauge!(
        "tollgate_limits_shared",
        "1 while requests are counted for all nodes together, 0 while this one counts by itself."
    );
}

fn describe_audit_log() {
    describe_gauge!(
        "tollgate_audit_log_intact",
        "1 while the audit log is as it was written, 0 once a line or a checkpoint is not."
    );
    describe_counter!(
        "tollgate_audit_log_checkpoints_failed_total",
        "Checkpoints of the audit log that could not be kept."
    );
}

/// What a look at the whole audit log found.
pub fn log_verified(found: &LogVerified) {
    gauge!("tollgate_audit_log_intact").set(f64::from(u8::from(found.is_ok())));
}

/// A checkpoint of the audit log could not be kept.
pub fn not_witnessed() {
    counter!("tollgate_audit_log_checkpoints_failed_total").increment(1);
}

/// The text of all metrics, with what stands now.
pub fn drawn(
    (engine, top_ups): (&Arc<Engine>, &Arc<TopUps>),
    store: &Arc<store::Database>,
    handle: PrometheusHandle,
) -> Metrics {
    let (engine, top_ups) = (Arc::clone(engine), Arc::clone(top_ups));
    let store = Arc::clone(store);
    Arc::new(move || {
        let (engine, top_ups) = (Arc::clone(&engine), Arc::clone(&top_ups));
        let handle = handle.clone();
        if let Some(bytes) = store.log_bytes() {
            gauge!("tollgate_store_log_bytes")
                .set(count(usize::try_from(bytes).unwrap_or(usize::MAX)));
        }
        Box::pin(async move {
            upstreams(&engine);
            match engine.open_work().await {
                Ok(work) => waiting(&work, engine.now()),
                Err(error) => tracing::warn!(%error, "the queues could not be measured"),
            }
            match top_ups.compared_days().await {
                Ok(days) => compared(&days),
                Err(error) => tracing::warn!(%error, "the compared days could not be counted"),
            }
            let healthy = engine.store().healthy() && !engine.clock_is_behind();
            gauge!("tollgate_money_moves").set(f64::from(u8::from(healthy)));
            handle.run_upkeep();
            handle.render()
        })
    })
}

/// The books were audited.
pub fn audited(audit: &Result<Audit, StoreError>, at: Timestamp) {
    let result = match audit {
        Ok(audit) if audit.violations.is_empty() => "in_order",
        Ok(_) => "violations",
        Err(_) => "failed",
    };
    counter!("tollgate_audits_total", "result" => result).increment(1);
    if let Ok(audit) = audit {
        gauge!("tollgate_audit_violations").set(count(audit.violations.len()));
        gauge!("tollgate_audit_timestamp_seconds").set(seconds(at.0));
        gauge!("tollgate_open_holds").set(count(
            usize::try_from(audit.open_holds).unwrap_or(usize::MAX),
        ));
    }
}

fn waiting(work: &OpenWork, now: Timestamp) {
    gauge!("tollgate_tickets_open").set(count(work.tickets));
    for queue in &work.queues {
        let age = queue.oldest.map_or(0, |oldest| (now - oldest).0.max(0));
        gauge!("tollgate_queue_rows", "queue" => queue.name).set(count(queue.rows));
        gauge!("tollgate_queue_age_seconds", "queue" => queue.name).set(seconds(age));
    }
}

fn compared(days: &[ComparedDays]) {
    for of in days {
        let processor = [("processor", of.processor.slug())];
        gauge!("tollgate_topup_unexplained_days", &processor).set(count(of.unexplained));
        gauge!("tollgate_topup_uncompared_days", &processor).set(count(of.failed));
    }
}

fn upstreams(engine: &Engine) {
    for health in engine.upstream_health() {
        let of = [("upstream", health.upstream)];
        let open = f64::from(u8::from(health.closed.is_none()));
        gauge!("tollgate_upstream_open", &of).set(open);
        gauge!("tollgate_upstream_in_doubt", &of).set(count(health.in_doubt));
        gauge!("tollgate_upstream_doubt_overdue", &of).set(count(health.overdue));
        if let Some((balance, _)) = health.balance {
            gauge!("tollgate_upstream_balance_usd", &of).set(usd(balance));
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge shows, nothing is booked from it"
)]
fn count(rows: usize) -> f64 {
    rows as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge shows, nothing is booked from it"
)]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1e3
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge shows, nothing is booked from it"
)]
fn usd(amount: Usd) -> f64 {
    amount.0 as f64 / 1e6
}
