//! Statements of bank accounts as banks let them be saved: a table with a head, parted by commas,
//! semicolons or tabs, cells in double quotes where they need it (RFC 4180).

use super::{ID_MAX, LINES_MAX, is_id};
use domain::top_up::{BankLine, Sum};
use std::collections::HashSet;

/// Columns that must be there.
const COLUMNS: [&str; 4] = ["id", "amount", "currency", "text"];

/// All lines, or what is wrong with the file and where.
pub(super) fn read(file: &str) -> Result<Vec<BankLine>, String> {
    let head = file.lines().next().unwrap_or_default();
    let parted = [';', '\t'].into_iter().find(|one| head.contains(*one));
    let mut rows = table(file, parted.unwrap_or(','))?.into_iter();
    let head = rows.next().unwrap_or_default();
    let place = |name: &str| {
        let found = head
            .iter()
            .position(|cell| cell.trim().eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("line 1: there is no column {name:?}; needed are {COLUMNS:?}"))
    };
    let places = COLUMNS.map(place);
    let [id, amount, currency, text] = places;
    let places = [id?, amount?, currency?, text?];
    let (mut lines, mut ids): (Vec<BankLine>, HashSet<String>) = Default::default();
    for (number, row) in rows.enumerate() {
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let line = line(&row, places).map_err(|why| format!("line {}: {why}", number + 2))?;
        if !ids.insert(line.id.clone()) {
            return Err(format!(
                "line {}: the id {:?} occurs twice",
                number + 2,
                line.id
            ));
        }
        lines.push(line);
        if lines.len() > LINES_MAX {
            return Err(format!("more than {LINES_MAX} lines: import it in parts"));
        }
    }
    Ok(lines)
}

fn line(row: &[String], [id, amount, currency, text]: [usize; 4]) -> Result<BankLine, String> {
    let cell = |place: usize| row.get(place).map_or("", |cell| cell.trim());
    let id = cell(id);
    if !is_id(id) {
        return Err(format!(
            "the id must be 1 to {ID_MAX} visible ASCII letters"
        ));
    }
    let written = cell(amount);
    let sum = match written.starts_with('-') {
        true => None,
        false => Some(sum(written, cell(currency))?),
    };
    Ok(BankLine {
        id: id.to_owned(),
        sum,
        is_reversal: false,
        text: cell(text).to_owned(),
    })
}

/// An amount with a dot or a comma before its decimals, and nothing between its thousands.
fn sum(written: &str, currency: &str) -> Result<Sum, String> {
    let is_word = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic());
    let plain = written.trim_start_matches('+').replace(',', ".");
    let sum = Sum::read(&plain, currency).filter(|_| is_word);
    sum.ok_or_else(|| {
        format!("{written:?} {currency:?}: give an amount such as 25.00 and a currency such as USD")
    })
}

/// Rows of cells. A quote inside a quoted cell is written twice; one that nothing closes is an error, for
/// it would take all lines after it for text.
fn table(file: &str, parted: char) -> Result<Vec<Vec<String>>, String> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, file.chars().peekable());
    let (mut line, mut opened_at) = (1, 1);
    while let Some(letter) = letters.next() {
        line += usize::from(letter == '\n');
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => (quoted, opened_at) = (true, line),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            one if one == parted && !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            other => cell.push(other),
        }
    }
    if quoted {
        return Err(format!("line {opened_at}: a cell's quote is not closed"));
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use crate::bank::read;
    use domain::top_up::{BankLine, Sum};

    #[test]
    fn statements_are_read_whatever_parts_their_cells() {
        let expected = [
            BankLine {
                id: "B1".into(),
                sum: Sum::read("25.00", "USD"),
                is_reversal: false,
                text: "tu_42, \"Ana\"".into(),
            },
            BankLine {
                id: "B2".into(),
                sum: None,
                is_reversal: false,
                text: String::new(),
            },
        ];
        for file in [
            "Id,Date,Amount,Currency,Text\nB1,2026-11-23,25.00,USD,\"tu_42, \"\"Ana\"\"\"\nB2,,-7,USD,\n",
            "\u{feff}date;id;amount;currency;text\r\n;B1;25,00;USD;\"tu_42, \"\"Ana\"\"\"\r\n;B2;-7,00;USD;\r\n\r\n",
            "id\tamount\tcurrency\ttext\nB1\t+25\tUSD\t\"tu_42, \"\"Ana\"\"\"\nB2\t-1\tUSD",
        ] {
            assert_eq!(read(file).unwrap(), expected, "{file}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        let head = "id,amount,currency,text\n";
        for (rest, told) in [
            ("B1,x,USD,a", "line 2: \"x\" \"USD\""),
            ("B1,1.000.00,USD,a", "line 2"),
            ("B1,1,dollars,a", "line 2"),
            (",1,USD,a", "line 2: the id"),
            (
                "B1,1,USD,a\nB2,1,USD,\"tu_42\nB3,1,USD,b\nB4,1,USD,c",
                "line 3: a cell's quote is not closed",
            ),
            (
                "B1,1,USD,a\nB1,1,USD,a",
                "line 3: the id \"B1\" occurs twice",
            ),
        ] {
            let why = read(&format!("{head}{rest}")).unwrap_err();
            assert!(why.starts_with(told), "{rest}: {why}");
        }
        let why = read("id,amount,text\n").unwrap_err();
        assert!(why.contains("\"currency\""), "{why}");
        assert!(read("").is_err());
    }
}
