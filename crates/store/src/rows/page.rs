//! The query behind a page of an account's orders, the same for both kinds.

use domain::ids::AccountId;
use domain::ports::Page;

use crate::sql::Arg;

/// Rows at most in one page.
const LIMIT_MAX: u32 = 100;

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

    fn and(&mut self, term: &str, value: i64) {
        let place = self.place(Arg::Int(value));
        self.sql.push_str(&format!("{term} {place}"));
    }

    fn and_one_of(&mut self, column: &str, words: &[&'static str]) {
        if words.is_empty() {
            return;
        }
        let places: Vec<_> = words
            .iter()
            .map(|word| self.place(Arg::Text((*word).into())))
            .collect();
        let places = places.join(", ");
        self.sql.push_str(&format!(" AND {column} IN ({places})"));
    }
}

/// Newest first, without orders whose client was told that they failed. `shown` is the expression
/// for the public progress, on tables that have one.
pub(crate) fn query(select: &str, shown: Option<&str>, account: AccountId, page: &Page) -> Query {
    let mut query = Query {
        sql: format!("{select} WHERE told <> 'failed'"),
        args: Vec::new(),
    };
    query.and(" AND account_id =", account.0);
    if let Some(before) = page.before {
        query.and(" AND id <", before.0);
    }
    if let Some(since) = page.since {
        query.and(" AND created_at >=", since.0);
    }
    query.and_one_of("state", &page.states);
    if let Some(shown) = shown {
        query.and_one_of(shown, &page.progress);
    }
    let limit = page.limit.clamp(1, LIMIT_MAX);
    query.and(" ORDER BY id DESC LIMIT", limit.into());
    query
}
