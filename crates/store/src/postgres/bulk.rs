//! Many writes of one form as one statement over arrays: what one row costs the server is then
//! little more than the row.

use std::collections::HashMap;

use tokio_postgres::types::Type;

/// Tables whose rows come by the hundred in one group, each row touched by one change of it.
const BULKY: [&str; 14] = [
    "activation",
    "adjustment",
    "attempt",
    "entry",
    "hold",
    "hold_change",
    "journal",
    "message",
    "observation",
    "resolution",
    "smm_order",
    "spending",
    "upstream_link",
    "wallet",
];

/// The table a statement writes to.
fn table(sql: &str) -> &str {
    let rest = ["INSERT INTO ", "UPDATE ", "DELETE FROM "]
        .iter()
        .find_map(|verb| sql.strip_prefix(verb));
    let rest = rest.unwrap_or(sql);
    rest.split([' ', '(']).next().unwrap_or_default()
}

/// A statement for many rows of `sql`, if it is of a form that allows it. `types` are those of its
/// placeholders.
pub(super) fn statement(sql: &str, types: &[Type]) -> Option<String> {
    if types.is_empty() || !is_bulky(sql) {
        return None;
    }
    let arrays = (1..)
        .zip(types)
        .map(|(at, kind)| format!("${at}::{}[]", kind.name()));
    let names = (1..=types.len()).map(|at| format!("p{at}"));
    let (arrays, names) = (arrays.collect::<Vec<_>>(), names.collect::<Vec<_>>());
    let source = format!("unnest({}) AS v({})", arrays.join(", "), names.join(", "));
    let named = |text: &str| text.replace('?', "v.p");
    if let Some((head, rest)) = sql.split_once(" VALUES (") {
        let (values, decision) = match rest.split_once(DECISION) {
            Some((values, decision)) => (values, format!(" ON CONFLICT {decision}")),
            None => (rest.rsplit_once(')')?.0, String::new()),
        };
        return Some(format!(
            "{head} SELECT {} FROM {source}{decision}",
            named(values)
        ));
    }
    let (set, condition) = sql.split_once(" WHERE ")?;
    Some(format!(
        "{} FROM {source} WHERE {}",
        named(set),
        named(condition)
    ))
}

/// Where the values of an insert end and its decision about conflicts begins.
const DECISION: &str = ") ON CONFLICT ";

/// The one table whose rows decide about conflicts and yet leave together: a group adds to each of
/// them once.
const SUMMED: &str = "spending";

/// Whether rows of this statement may be written together. One that decides about conflicts, or
/// looks elsewhere, stays by itself.
pub(super) fn is_bulky(sql: &str) -> bool {
    let decides = sql.contains(DECISION) && table(sql) != SUMMED;
    let plain = !decides && !sql.contains("SELECT ");
    plain && !sql.starts_with("DELETE") && BULKY.contains(&table(sql))
}

/// Which writes leave together, as places in the order they came in.
pub(super) struct Bucket<'w> {
    pub(super) sql: &'w str,
    pub(super) places: Vec<usize>,
}

/// Sorts writes into buckets. A write never passes an earlier one of its own change on the same
/// table, nor one that stays by itself on the same table; changes of one group touch no row in
/// common, so all else may pass each other.
pub(super) fn buckets<'w>(writes: impl Iterator<Item = (&'w str, u64)>) -> Vec<Bucket<'w>> {
    let mut buckets: Vec<Bucket<'w>> = Vec::new();
    let mut newest: HashMap<(u64, &str), usize> = HashMap::new();
    let mut alone: HashMap<&str, usize> = HashMap::new();
    for (place, (sql, change)) in writes.enumerate() {
        let table = table(sql);
        let joins = is_bulky(sql);
        let own = newest.get(&(change, table)).map_or(0, |at| {
            // one statement changes a row once
            at + usize::from(sql.starts_with("UPDATE"))
        });
        let first = own.max(alone.get(table).map_or(0, |at| at + 1));
        let found = (first..buckets.len()).find(|at| joins && buckets[*at].sql == sql);
        let at = found.unwrap_or(buckets.len());
        match buckets.get_mut(at) {
            Some(bucket) => bucket.places.push(place),
            None => buckets.push(Bucket {
                sql,
                places: vec![place],
            }),
        }
        newest.insert((change, table), at);
        if !joins {
            alone.insert(table, at);
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: &str = "INSERT INTO hold (order_id, amount) VALUES (?1, ?2)";
    const END: &str = "UPDATE attempt SET state = ?2 WHERE order_id = ?1";
    const BEGIN: &str = "INSERT INTO attempt (order_id, state) VALUES (?1, ?2)";
    const FIRST: &str = "INSERT INTO first_attempt (upstream) VALUES (?1) ON CONFLICT DO NOTHING";

    #[test]
    fn inserts_and_updates_become_statements_over_arrays() {
        let types = [Type::INT8, Type::TEXT];
        assert_eq!(
            statement(BEGIN, &types).unwrap(),
            "INSERT INTO attempt (order_id, state) SELECT v.p1, v.p2 \
             FROM unnest($1::int8[], $2::text[]) AS v(p1, p2)"
        );
        assert_eq!(
            statement(END, &types).unwrap(),
            "UPDATE attempt SET state = v.p2 \
             FROM unnest($1::int8[], $2::text[]) AS v(p1, p2) WHERE order_id = v.p1"
        );
        assert_eq!(statement(FIRST, &[Type::TEXT]), None);
        let sum = "INSERT INTO spending (day, orders) VALUES (?1, ?2) \
                   ON CONFLICT (day) DO UPDATE SET orders = spending.orders + excluded.orders";
        assert_eq!(
            statement(sum, &[Type::INT8, Type::INT8]).unwrap(),
            "INSERT INTO spending (day, orders) SELECT v.p1, v.p2 \
             FROM unnest($1::int8[], $2::int8[]) AS v(p1, p2) \
             ON CONFLICT (day) DO UPDATE SET orders = spending.orders + excluded.orders"
        );
        assert_eq!(
            statement("DELETE FROM hold WHERE order_id = ?1", &types),
            None
        );
        assert_eq!(
            statement("UPDATE ticket SET note = ?2 WHERE id = ?1", &types),
            None
        );
    }

    fn places(writes: &[(&'static str, u64)]) -> Vec<Vec<usize>> {
        let buckets = buckets(writes.iter().copied());
        buckets.into_iter().map(|bucket| bucket.places).collect()
    }

    #[test]
    fn equal_writes_of_many_changes_leave_together() {
        let writes = [
            (HOLD, 1),
            (BEGIN, 1),
            (FIRST, 1),
            (HOLD, 2),
            (BEGIN, 2),
            (FIRST, 2),
        ];
        assert_eq!(places(&writes), [vec![0, 3], vec![1, 4], vec![2], vec![5]]);
    }

    #[test]
    fn a_change_keeps_its_order_on_a_table() {
        // the second change ends an attempt before it begins another: only one may live
        let writes = [(BEGIN, 1), (END, 2), (BEGIN, 2), (BEGIN, 3)];
        assert_eq!(places(&writes), [vec![0, 3], vec![1], vec![2]]);
        let twice = [(END, 1), (END, 1)];
        assert_eq!(places(&twice), [vec![0], vec![1]]);
    }
}
