//! The query behind a page of an account's orders, the same for both kinds.

use domain::ids::AccountId;
use domain::ports::Page;

use crate::sql::Arg;

/// Rows at most in one page.
const LIMIT_MAX: u32 = 100;

/// Orders from a time on among which the one with the least id is sought.
const FIRST_SINCE: u32 = 1_000;

/// A statement and what stands for its placeholders.
pub(crate) struct Query {
    pub(crate) sql: String,
    args: Vec<Arg<'static>>,
}

impl Query {
    /// The values in order.
    pub(crate) fn args(&self) -> &[Arg<'static>] {
        &self.args
    }

    /// One value more: its placeholder.
    fn place(&mut self, arg: Arg<'static>) -> String {
        self.args.push(arg);
        format!("?{}", self.args.len())
    }
}

/// Where a kind of order lies.
pub(crate) struct Listed {
    /// Its table.
    pub(crate) table: &'static str,
    /// The columns asked for.
    pub(crate) columns: &'static str,
    /// The expression for the public progress, on tables that have one.
    pub(crate) shown: Option<&'static str>,
}

/// Newest first, without orders whose client was told that they failed. A filter by words asks for
/// the newest of each word apart: an index leads to those, and no page looks through all orders.
pub(crate) fn query(listed: &Listed, account: AccountId, page: &Page) -> Query {
    let mut query = Query {
        sql: String::new(),
        args: Vec::new(),
    };
    let limit = page.limit.clamp(1, LIMIT_MAX);
    let limit = query.place(Arg::Int(limit.into()));
    let bounds = bounds(&mut query, listed.table, account, page);
    let Listed { table, columns, .. } = listed;
    let (column, words) = match listed.shown {
        Some(shown) if !page.progress.is_empty() => (shown, &page.progress),
        // by state, or not at all
        _ => ("state", &page.states),
    };
    let chosen = if words.is_empty() {
        bounds
    } else {
        let newest: Vec<_> = words
            .iter()
            .enumerate()
            .map(|(at, word)| {
                let word = query.place(Arg::Text((*word).into()));
                format!(
                    "SELECT id FROM (SELECT id FROM {table} WHERE {bounds} AND {column} = {word} \
                     ORDER BY id DESC LIMIT {limit}) newest{at}"
                )
            })
            .collect();
        format!("id IN ({})", newest.join(" UNION ALL "))
    };
    query.sql =
        format!("SELECT {columns} FROM {table} WHERE {chosen} ORDER BY id DESC LIMIT {limit}");
    query
}

/// Whose orders, and from where to where. Ids rise with time but for commits that overtake each other:
/// the least id of the first few since a time leaves what is older alone.
fn bounds(query: &mut Query, table: &str, account: AccountId, page: &Page) -> String {
    let account = query.place(Arg::Int(account.0));
    let mut bounds = format!("told <> 'failed' AND account_id = {account}");
    if let Some(before) = page.before {
        let before = query.place(Arg::Int(before.0));
        bounds.push_str(&format!(" AND id < {before}"));
    }
    if let Some(since) = page.since {
        let since = query.place(Arg::Int(since.0));
        bounds.push_str(&format!(
            " AND created_at >= {since} AND id >= (SELECT MIN(id) FROM (SELECT id FROM {table} \
             WHERE account_id = {account} AND created_at >= {since} \
             ORDER BY created_at LIMIT {FIRST_SINCE}) first_since)"
        ));
    }
    bounds
}
