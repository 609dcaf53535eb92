//! The query behind a page of an account's orders, the same for both kinds.

use domain::ids::AccountId;
use domain::ports::Page;
use rusqlite::ParamsFromIter;
use rusqlite::types::Value;

/// Rows at most in one page.
const LIMIT_MAX: u32 = 100;

/// A statement and what stands for its placeholders.
pub(super) struct Query {
    pub(super) sql: String,
    values: Vec<Value>,
}

impl Query {
    /// The values in order.
    pub(super) fn args(&self) -> ParamsFromIter<&Vec<Value>> {
        rusqlite::params_from_iter(&self.values)
    }

    fn and(&mut self, term: &str, value: i64) {
        self.sql.push_str(term);
        self.values.push(value.into());
    }

    fn and_one_of(&mut self, column: &str, words: &[&'static str]) {
        if words.is_empty() {
            return;
        }
        let marks = vec!["?"; words.len()].join(", ");
        self.sql.push_str(&format!(" AND {column} IN ({marks})"));
        let texts = words.iter().map(|word| Value::from((*word).to_owned()));
        self.values.extend(texts);
    }
}

/// Newest first, without orders whose client was told that they failed. `shown` is the expression
/// for the public progress, on tables that have one.
pub(super) fn query(select: &str, shown: Option<&str>, account: AccountId, page: &Page) -> Query {
    let mut query = Query {
        sql: format!("{select} WHERE account_id = ? AND told <> 'failed'"),
        values: vec![account.0.into()],
    };
    if let Some(before) = page.before {
        query.and(" AND id < ?", before.0);
    }
    if let Some(since) = page.since {
        query.and(" AND created_at >= ?", since.0);
    }
    query.and_one_of("state", &page.states);
    if let Some(shown) = shown {
        query.and_one_of(shown, &page.progress);
    }
    let limit = page.limit.clamp(1, LIMIT_MAX);
    query.and(" ORDER BY id DESC LIMIT ?", limit.into());
    query
}
