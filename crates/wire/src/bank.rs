//! Statements of bank accounts: CSV as banks let them be saved, and camt.053 (ISO 20022, "Bank to
//! customer statement").

mod camt;
mod csv;
mod xml;

use domain::top_up::BankLine;

/// Longest statement, in bytes.
pub const LENGTH_MAX: usize = 2 * 1024 * 1024;
/// Most lines of one.
const LINES_MAX: usize = 10_000;
/// Longest id, in bytes.
const ID_MAX: usize = 64;

/// All lines of a statement, or what is wrong with it and where.
pub fn read(file: &str) -> Result<Vec<BankLine>, String> {
    if file.len() > LENGTH_MAX {
        return Err(format!("the file is longer than {LENGTH_MAX} bytes"));
    }
    let file = file.trim_start_matches('\u{feff}');
    match file.trim_start().starts_with('<') {
        true => camt::read(file),
        false => csv::read(file),
    }
}

/// Whether a text can be a bank's id of a line.
fn is_id(text: &str) -> bool {
    (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
