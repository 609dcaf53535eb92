//! What the policy engine asks inside a change, and what it remembers.

use super::{abuse, account_case, retention, rule_change};
use crate::database::Database;
use crate::sql::cells::{Cells, exists, many};
use crate::sql::fault::Fault;
use crate::sql::{Connection, Row, params};
use domain::activation::Wanted;
use domain::change::{Reason, Refused};
use domain::ids::{AccountId, OrderId};
use domain::policy::velocity::{
    Ordered, Past, PastNumber, PastSmm, Velocity, keeps_pace, smm_since, target_since,
};
use domain::policy::{
    AbuseCase, AccountCase, Attestation, Behind, Blocked, BlockedKind, Counters, LegalHold, NotYet,
    PaceCheck, PolicyWrite, RecentNumber, RuleChange,
};
use domain::ports::{PolicyRows, Read};
use domain::time::Timestamp;
use domain::usd::Usd;

/// The guards of a write, by reads alone.
pub(crate) fn check(
    conn: &dyn Connection,
    write: &PolicyWrite,
    at: Timestamp,
) -> Result<(), Fault> {
    match write {
        PolicyWrite::KeepPace(pace) => check_pace(conn, pace, at),
        PolicyWrite::RoomForKey { account, most } => {
            let sql = "SELECT 1 FROM api_key WHERE account_id = ?1 AND revoked = 0 \
                       AND (expires_at IS NULL OR expires_at > ?2) LIMIT ?3";
            let live = many(conn, sql, params![account.0, at.0, *most], |_| Ok(()))?;
            let full = u32::try_from(live.len()).is_ok_and(|live| live >= *most);
            (!full)
                .then_some(())
                .ok_or(Fault::Refused(Refused::TooManyKeys))
        }
        PolicyWrite::Unblock { kind, value, .. } => is_blocked(conn, *kind, value)?
            .then_some(())
            .ok_or(Fault::Refused(Refused::Stale)),
        PolicyWrite::CloseCase { case, .. } => {
            let sql = "SELECT 1 FROM abuse_case WHERE id = ?1 AND closed_at IS NULL";
            found(exists(conn, sql, params![case])?)
        }
        PolicyWrite::AskLoosening(change) => found(!rule_change::is_asked(conn, change)?),
        PolicyWrite::DecideLoosening(change) => found(rule_change::may_become(conn, change)?),
        PolicyWrite::MoveCase(case) => found(account_case::is_current(conn, case)?),
        PolicyWrite::EaseCases(account) => found(!account_case::is_shut(conn, *account)?),
        PolicyWrite::Release(held) => found(abuse::operator_holds(conn, *held)?),
        _ => Ok(()),
    }
}

/// Whether what a write is about is there.
fn found(found: bool) -> Result<(), Fault> {
    found.then_some(()).ok_or(Fault::Refused(Refused::Stale))
}

fn check_pace(conn: &dyn Connection, pace: &PaceCheck, at: Timestamp) -> Result<(), Fault> {
    if let Some(version) = pace.attestation {
        let sql = "SELECT 1 FROM attestation WHERE account_id = ?1 AND version >= ?2";
        if !exists(conn, sql, params![pace.account.0, version])? {
            return Err(Fault::Refused(Refused::NotAttested));
        }
    }
    if !pace.velocity.bounds_orders() && pace.velocity.cancel_percent.is_none() {
        return Ok(());
    }
    let past = past(conn, pace, at)?;
    keeps_pace(&pace.velocity, &pace.ordered, &past, at)
        .map_err(|exceeded| Fault::Refused(Refused::TooFast(exceeded)))
}

fn past(conn: &dyn Connection, pace: &PaceCheck, at: Timestamp) -> Result<Past, Fault> {
    let (account, velocity) = (pace.account, &pace.velocity);
    let mut past = Past {
        open_activations: open(conn, account)?,
        numbers: numbers(conn, account, velocity)?,
        ..Past::default()
    };
    let counts_smm = velocity.smm_per_day.is_some() || velocity.daily_spend.is_some();
    if counts_smm {
        past.smm = smm(conn, account, smm_since(at))?;
    }
    if let (Ordered::Smm { target, .. }, Some(most)) = (&pace.ordered, velocity.smm_per_target_week)
    {
        let sql = "SELECT created_at FROM smm_order WHERE target = ?1 AND created_at > ?2 \
                   AND state <> 'failed' ORDER BY created_at DESC LIMIT ?3";
        let (since, most) = (target_since(at).0, most.max(1));
        past.target = many(conn, sql, params![target.as_str(), since, most], |row| {
            Cells::new("smm_order", row).time()
        })?;
    }
    Ok(past)
}

fn open(conn: &dyn Connection, account: AccountId) -> Result<u32, Fault> {
    let sql = "SELECT count(*) FROM activation WHERE account_id = ?1 \
               AND state IN ('calling', 'in_doubt', 'active', 'cancel_requested', 'undo')";
    let counts = many(conn, sql, params![account.0], |row| {
        Cells::new("activation", row).count()
    })?;
    let count = counts.first().copied().unwrap_or(0);
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn numbers(
    conn: &dyn Connection,
    account: AccountId,
    velocity: &Velocity,
) -> Result<Vec<PastNumber>, Fault> {
    let sql = "SELECT a.created_at, a.service_name, a.country_key, a.state, r.reason, r.at, \
               COALESCE(r.posted, h.amount) FROM activation a \
               JOIN hold h ON h.order_id = a.id LEFT JOIN resolution r ON r.order_id = a.id \
               WHERE a.account_id = ?1 ORDER BY a.id DESC LIMIT ?2";
    many(conn, sql, params![account.0, velocity.look_back()], |row| {
        let cells = &mut Cells::new("activation", row);
        let (at, service, country) = (cells.time()?, cells.take()?, cells.take()?);
        let state: String = cells.take()?;
        let reason = cells.maybe_word(Reason::from_slug)?;
        let ended = cells.maybe_time()?;
        Ok(PastNumber {
            at,
            service,
            country,
            failed: state == "failed",
            cancelled_at: ended.filter(|_| reason == Some(Reason::Cancelled)),
            spent: cells.usd()?,
        })
    })
}

fn smm(conn: &dyn Connection, account: AccountId, since: Timestamp) -> Result<Vec<PastSmm>, Fault> {
    let sql = "SELECT o.created_at, o.state, COALESCE(r.posted, h.amount) - COALESCE((\
               SELECT sum(amount) FROM adjustment WHERE order_id = o.id), 0) FROM smm_order o \
               JOIN hold h ON h.order_id = o.id LEFT JOIN resolution r ON r.order_id = o.id \
               WHERE o.account_id = ?1 AND o.created_at > ?2 ORDER BY o.id DESC LIMIT 5000";
    many(conn, sql, params![account.0, since.0], |row| {
        let cells = &mut Cells::new("smm_order", row);
        let at = cells.time()?;
        let state: String = cells.take()?;
        let spent: Usd = cells.usd()?;
        Ok(PastSmm {
            at,
            failed: state == "failed",
            spent,
        })
    })
}

/// Whether somebody does not want this to be used.
pub(crate) fn is_blocked(
    conn: &dyn Connection,
    kind: BlockedKind,
    value: &str,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM blocked WHERE kind = ?1 AND value = ?2 AND removed_at IS NULL";
    exists(conn, sql, params![kind.slug(), value])
}

/// The rows of a write whose guards have passed.
pub(crate) fn write(
    conn: &dyn Connection,
    write: &PolicyWrite,
    now: Timestamp,
) -> Result<(), Fault> {
    match write {
        PolicyWrite::KeepPace(_) | PolicyWrite::RoomForKey { .. } => Ok(()),
        PolicyWrite::Attest(one) => conn.write(
            "INSERT INTO attestation (id, account_id, version, purpose, at) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![one.id, one.account.0, one.version, one.purpose, one.at.0],
        ),
        PolicyWrite::Block(one) if is_blocked(conn, one.kind, &one.value)? => Ok(()),
        PolicyWrite::Block(one) => conn.write(
            "INSERT INTO blocked (id, kind, value, why, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![one.id, one.kind.slug(), one.value, one.why, one.at.0],
        ),
        PolicyWrite::Unblock { kind, value, at } => conn.write_one(
            "UPDATE blocked SET removed_at = ?3 WHERE kind = ?1 AND value = ?2 \
             AND removed_at IS NULL",
            params![kind.slug(), value.as_str(), at.0],
            Refused::Stale,
        ),
        PolicyWrite::AskLoosening(change) => rule_change::ask(conn, change),
        PolicyWrite::DecideLoosening(change) => rule_change::decide(conn, change),
        PolicyWrite::RaiseCase(case) => account_case::raise(conn, case),
        PolicyWrite::MoveCase(case) => account_case::step(conn, case),
        PolicyWrite::EaseCases(account) => account_case::ease(conn, *account),
        other => abuse::write(conn, other, now),
    }
}

fn attestation(row: &Row<'_>) -> Result<Attestation, Fault> {
    let cells = &mut Cells::new("attestation", row);
    Ok(Attestation {
        id: cells.take()?,
        account: AccountId(cells.take()?),
        version: cells.take()?,
        purpose: cells.take()?,
        at: cells.time()?,
    })
}

fn blocked(row: &Row<'_>) -> Result<Blocked, Fault> {
    let cells = &mut Cells::new("blocked", row);
    Ok(Blocked {
        id: cells.take()?,
        kind: cells.word(BlockedKind::from_slug)?,
        value: cells.take()?,
        why: cells.take()?,
        at: cells.time()?,
    })
}

impl PolicyRows for Database {
    fn attestations(&self, account: AccountId) -> Read<'_, Vec<Attestation>> {
        let sql = "SELECT id, account_id, version, purpose, at FROM attestation \
                   WHERE account_id = ?1 ORDER BY id DESC LIMIT 100";
        self.ask(move |conn| many(conn, sql, params![account.0], attestation))
    }

    fn blocked(&self, limit: u32) -> Read<'_, Vec<Blocked>> {
        let sql = "SELECT id, kind, value, why, at FROM blocked WHERE removed_at IS NULL \
                   ORDER BY id DESC LIMIT ?1";
        self.ask(move |conn| many(conn, sql, params![limit], blocked))
    }

    fn abuse_cases(&self, open_only: bool, limit: u32) -> Read<'_, Vec<AbuseCase>> {
        self.ask(move |conn| abuse::cases(conn, open_only, limit))
    }

    fn abuse_case(&self, id: i64) -> Read<'_, Option<AbuseCase>> {
        self.ask(move |conn| abuse::case(conn, id))
    }

    fn activation_holding<'a>(
        &'a self,
        number: &'a str,
        at: Option<Timestamp>,
    ) -> Read<'a, Option<Behind>> {
        let (number, hash) = (number.to_owned(), self.hash_of(number));
        self.ask(move |conn| abuse::holding(conn, &number, &hash, at))
    }

    fn smm_order_before<'a>(&'a self, target: &'a str, at: Timestamp) -> Read<'a, Option<Behind>> {
        let target = target.to_owned();
        self.ask(move |conn| abuse::ordered_for(conn, &target, at))
    }

    fn legal_holds(&self, limit: u32) -> Read<'_, Vec<LegalHold>> {
        self.ask(move |conn| abuse::holds(conn, limit))
    }

    fn numbers_to_forget(
        &self,
        account: Option<AccountId>,
        before: Timestamp,
        limit: u32,
    ) -> Read<'_, Vec<(OrderId, String)>> {
        let due = self.ask(move |conn| retention::numbers_due(conn, account, before, limit));
        Box::pin(async move {
            let due = due.await?.into_iter();
            Ok(due
                .map(|(order, number)| (order, self.hash_of(&number)))
                .collect())
        })
    }

    fn is_overdue(&self, before: Timestamp) -> Read<'_, bool> {
        self.ask(move |conn| retention::is_overdue(conn, before))
    }

    fn keeps_account(&self, account: AccountId) -> Read<'_, Option<NotYet>> {
        self.ask(move |conn| retention::keeps_stored(conn, account))
    }

    fn rule_changes(&self, limit: u32) -> Read<'_, Vec<RuleChange>> {
        self.ask(move |conn| rule_change::list(conn, limit))
    }

    fn rule_change(&self, id: i64) -> Read<'_, Option<RuleChange>> {
        self.ask(move |conn| rule_change::by_id(conn, id))
    }

    fn account_cases(
        &self,
        account: Option<AccountId>,
        open_only: bool,
        limit: u32,
    ) -> Read<'_, Vec<AccountCase>> {
        self.ask(move |conn| account_case::list(conn, account, open_only, limit))
    }

    fn account_case(&self, id: i64) -> Read<'_, Option<AccountCase>> {
        self.ask(move |conn| account_case::by_id(conn, id))
    }

    fn account_cases_due(&self, until: Timestamp, limit: u32) -> Read<'_, Vec<AccountCase>> {
        self.ask(move |conn| account_case::due(conn, until, limit))
    }

    fn recent_numbers(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Read<'_, Vec<(Wanted, RecentNumber)>> {
        self.ask(move |conn| account_case::recent(conn, account, limit))
    }

    fn withheld_since(&self, account: AccountId, since: Timestamp) -> Read<'_, u64> {
        self.ask(move |conn| account_case::withheld(conn, account, since))
    }

    fn shared_devices(&self, since: Timestamp) -> Read<'_, Vec<Vec<AccountId>>> {
        self.ask(move |conn| account_case::shared_devices(conn, since))
    }

    fn policy_counters(&self) -> Read<'_, Counters> {
        self.ask(abuse::counters)
    }
}
