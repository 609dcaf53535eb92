//! camt.053 (ISO 20022, "Bank to customer statement"), versions 001.02 to 001.13: one file with any
//! number of statements. Only booked entries count. An entry that gathers several payments is one line
//! for each of them, where their amounts are told and add up.

use super::xml::{self, Element};
use super::{LINES_MAX, is_id};
use domain::top_up::{BankLine, Sum};
use std::collections::HashSet;

/// What the namespace begins with; the version follows.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";
/// Versions whose entries are read alike.
const VERSIONS: std::ops::RangeInclusive<u8> = 2..=13;
/// What stands in the place of a reference that nobody gave.
const NO_REFERENCE: &str = "NOTPROVIDED";
/// Longest text kept of a line, in bytes.
const TEXT_MAX: usize = 4_000;

/// All booked lines, or what is wrong with the file and where.
pub(super) fn read(file: &str) -> Result<Vec<BankLine>, String> {
    let document = xml::read(file)?;
    check_version(&document)?;
    let message = document.at(&["BkToCstmrStmt"]);
    let message = message.ok_or("there is no BkToCstmrStmt in the document")?;
    let (mut lines, mut ids) = (Vec::new(), HashSet::new());
    for statement in message.all("Stmt") {
        for (number, entry) in (1..).zip(statement.all("Ntry")) {
            let name = statement.text_at(&["Id"]).unwrap_or_default();
            let wrong = |why: String| format!("statement {name:?}, entry {number}: {why}");
            for line in entry_lines(statement, entry).map_err(wrong)? {
                // a charge may go under the reference of what it is charged for
                if line.sum.is_some() && !line.is_reversal && !ids.insert(line.id.clone()) {
                    return Err(wrong(format!("the reference {:?} occurs twice", line.id)));
                }
                lines.push(line);
            }
            if lines.len() > LINES_MAX {
                return Err(format!("more than {LINES_MAX} lines: import it in parts"));
            }
        }
    }
    Ok(lines)
}

fn check_version(document: &Element) -> Result<(), String> {
    let namespace = document.namespace.as_deref().unwrap_or_default();
    let version = namespace.strip_prefix(NAMESPACE);
    let version = version.filter(|digits| digits.len() == 2);
    let known = version
        .and_then(|digits| digits.parse().ok())
        .is_some_and(|version: u8| VERSIONS.contains(&version));
    if document.name == "Document" && known {
        return Ok(());
    }
    let namespace: String = namespace.chars().take(80).collect();
    Err(format!(
        "the namespace {namespace:?} is none of camt.053.001.{:02} to {:02}",
        VERSIONS.start(),
        VERSIONS.end()
    ))
}

/// The lines of one entry; none where it is not booked yet.
fn entry_lines(statement: &Element, entry: &Element) -> Result<Vec<BankLine>, String> {
    if !is_booked(entry)? {
        return Ok(Vec::new());
    }
    let id = entry_id(statement, entry)?;
    let is_reversal = match entry.text_at(&["RvslInd"]) {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(other) => return Err(format!("RvslInd {other:?} is neither true nor false")),
    };
    let incoming = is_incoming(entry)?;
    let amount = entry.at(&["Amt"]).ok_or("there is no Amt")?;
    let whole = sum(amount)?;
    let details: Vec<&Element> = entry
        .all("NtryDtls")
        .flat_map(|part| part.all("TxDtls"))
        .collect();
    let line = |id: String, sum: Sum, parts: &[&Element]| BankLine {
        id,
        sum: incoming.then_some(sum),
        is_reversal,
        text: text(entry, parts),
    };
    match parts(&whole, &details).filter(|_| incoming && !is_reversal) {
        None => Ok(vec![line(id, whole, &details)]),
        Some(sums) => {
            let mut lines = Vec::new();
            for (number, (sum, part)) in (1..).zip(sums.into_iter().zip(&details)) {
                let id = format!("{id}/{number}");
                check_id(&id)?;
                lines.push(line(id, sum, &[part]));
            }
            Ok(lines)
        }
    }
}

/// Early versions have the word itself in `Sts`, later ones in a code inside it.
fn is_booked(entry: &Element) -> Result<bool, String> {
    let word = entry.text_at(&["Sts", "Cd"]).or(entry.text_at(&["Sts"]));
    match word {
        Some("BOOK") => Ok(true),
        Some("PDNG" | "INFO" | "FUTR") => Ok(false),
        other => Err(format!(
            "Sts {:?} is no state of an entry",
            other.unwrap_or_default()
        )),
    }
}

fn is_incoming(entry: &Element) -> Result<bool, String> {
    match entry.text_at(&["CdtDbtInd"]) {
        Some("CRDT") => Ok(true),
        Some("DBIT") => Ok(false),
        other => Err(format!(
            "CdtDbtInd {:?} is neither CRDT nor DBIT",
            other.unwrap_or_default()
        )),
    }
}

/// The bank's own reference; else the entry's number, which only counts within its statement.
fn entry_id(statement: &Element, entry: &Element) -> Result<String, String> {
    let given = |text: &&str| *text != NO_REFERENCE;
    let id = match entry.text_at(&["AcctSvcrRef"]).filter(given) {
        Some(reference) => reference.to_owned(),
        None => {
            let number = entry.text_at(&["NtryRef"]).filter(given);
            let number = number.ok_or("there is neither AcctSvcrRef nor NtryRef to name it by")?;
            let statement = statement.text_at(&["Id"]);
            let statement = statement.ok_or("its statement has no Id")?;
            format!("{statement}:{number}")
        }
    };
    let id = id.replace(' ', "_");
    check_id(&id)?;
    Ok(id)
}

fn check_id(id: &str) -> Result<(), String> {
    match is_id(id) {
        true => Ok(()),
        false => {
            let shown: String = id.chars().take(80).collect();
            Err(format!(
                "the reference {shown:?} is too long or has odd letters"
            ))
        }
    }
}

fn sum(amount: &Element) -> Result<Sum, String> {
    let (written, currency) = (
        amount.text.trim(),
        amount.currency.as_deref().unwrap_or_default(),
    );
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    let sum = Sum::read(written, currency).filter(|_| is_code);
    sum.ok_or_else(|| {
        let shown: String = written.chars().take(40).collect();
        format!("Amt {shown:?} {currency:?} is no amount with a currency")
    })
}

/// What each payment of an entry brought, where there are several, all are told in the entry's currency,
/// all came in and they add up to the entry.
fn parts(whole: &Sum, details: &[&Element]) -> Option<Vec<Sum>> {
    if details.len() < 2 {
        return None;
    }
    let mut total = 0_i64;
    let mut sums = Vec::new();
    for part in details {
        let amount = part
            .at(&["Amt"])
            .or(part.at(&["AmtDtls", "TxAmt", "Amt"]))?;
        let sum = sum(amount).ok()?;
        let incoming = matches!(part.text_at(&["CdtDbtInd"]), None | Some("CRDT"));
        if !incoming || sum.currency != whole.currency {
            return None;
        }
        total = total.checked_add(sum.minor)?;
        sums.push(sum);
    }
    (total == whole.minor).then_some(sums)
}

/// Whatever a payer may have written into a payment.
fn text(entry: &Element, parts: &[&Element]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for part in parts {
        words.extend(part.text_at(&["Refs", "EndToEndId"]));
        words.extend(part.text_at(&["AddtlTxInf"]));
        for remittance in part.all("RmtInf") {
            let free = remittance.all("Ustrd").map(|free| free.text.trim());
            words.extend(free);
            for structured in remittance.all("Strd") {
                words.extend(structured.text_at(&["CdtrRefInf", "Ref"]));
                let more = structured.all("AddtlRmtInf").map(|more| more.text.trim());
                words.extend(more);
            }
        }
    }
    words.extend(entry.text_at(&["AddtlNtryInf"]));
    words.retain(|word| *word != NO_REFERENCE);
    crate::amount::cut(&words.join(" "), TEXT_MAX)
}

#[cfg(test)]
mod tests;
