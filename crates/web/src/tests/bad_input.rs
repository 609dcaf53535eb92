//! The catalogue of bad input: every row, its answer, and that nothing changed.

mod access;
mod lists;
mod numbers;
mod orders;
mod smm;
mod transport;

use super::world::World;

const BALANCE: &str = "/api/v1/otp?action=balance";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];

/// Number in the catalogue, method, target, headers, body, status, code.
type Row<'a> = (
    &'a str,
    &'a str,
    &'a str,
    &'a [(&'a str, &'a str)],
    &'a str,
    u16,
    &'a str,
);

async fn refuses(world: &World, rows: &[Row<'_>]) {
    let before = world.books().await;
    for (number, method, target, headers, body, status, code) in rows {
        let request = world.request(method, target, headers, body);
        let answer = world.send(request).await;
        let shown = format!("{number}: {method} {target} {body:.100}: {}", answer.text);
        assert_eq!(answer.status, *status, "{shown}");
        assert_eq!(answer.code(), *code, "{shown}");
        let envelope = answer.json();
        assert_eq!(envelope["success"], false, "{shown}");
        assert!(
            envelope["error"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{shown}"
        );
        assert!(answer.header("x-request-id").is_some(), "{shown}");
        assert_eq!(world.books().await, before, "{shown}");
    }
}

/// Refuses every line of a table: number | status code | JSON body of a POST to `target`.
async fn refuses_bodies(world: &World, target: &str, table: &str) {
    for (number, status, code, body) in lines(table) {
        let row = (number, "POST", target, JSON, body, status, code);
        refuses(world, &[row]).await;
    }
}

/// Refuses every line of a table: number | status code | what follows `target` in a GET.
async fn refuses_queries(world: &World, target: &str, table: &str) {
    for (number, status, code, query) in lines(table) {
        let target = format!("{target}&{query}");
        let row = (number, "GET", target.as_str(), &[][..], "", status, code);
        refuses(world, &[row]).await;
    }
}

fn lines(table: &str) -> impl Iterator<Item = (&str, u16, &str, &str)> {
    table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let mut cells = line.splitn(3, '|').map(str::trim);
            let number = cells.next().unwrap();
            let (status, code) = cells.next().unwrap().split_once(' ').unwrap();
            (number, status.parse().unwrap(), code, cells.next().unwrap())
        })
}
