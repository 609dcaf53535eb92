//! Statements as banks send them, and as those who wish them ill would.

use crate::bank::read;
use domain::top_up::{BankLine, Sum};

fn document(version: &str, statements: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}\">\
         <BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>{statements}</BkToCstmrStmt></Document>"
    )
}

fn statement(entries: &str) -> String {
    format!("<Stmt><Id>S-1</Id><Acct><Id><IBAN>DE02</IBAN></Id></Acct>{entries}</Stmt>")
}

/// An entry of a present version: reference, amount, currency, direction, whatever else it has.
fn entry(reference: &str, amount: (&str, &str), direction: &str, more: &str) -> String {
    let (amount, currency) = amount;
    format!(
        "<Ntry><Amt Ccy=\"{currency}\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>\
         <Sts><Cd>BOOK</Cd></Sts><AcctSvcrRef>{reference}</AcctSvcrRef>{more}</Ntry>"
    )
}

fn remittance(text: &str) -> String {
    format!("<NtryDtls><TxDtls><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls>")
}

fn lines(entries: &str) -> Vec<BankLine> {
    read(&document("08", &statement(entries))).unwrap()
}

fn refused(file: &str) -> String {
    read(file).unwrap_err()
}

fn line(id: &str, sum: Option<(&str, &str)>, text: &str) -> BankLine {
    BankLine {
        id: id.into(),
        sum: sum.and_then(|(amount, currency)| Sum::read(amount, currency)),
        is_reversal: false,
        text: text.into(),
    }
}

#[test]
fn a_statement_of_two_versions_and_two_accounts() {
    let old = "<Ntry><NtryRef>7</NtryRef><Amt Ccy=\"USD\">25.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
               <RvslInd>false</RvslInd><Sts>BOOK</Sts><NtryDtls><TxDtls><Refs>\
               <EndToEndId>NOTPROVIDED</EndToEndId></Refs><RmtInf><Ustrd>tu_42 &amp; \
               &#65;na</Ustrd><Ustrd><![CDATA[<b>]]></Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>";
    let found = read(&document("02", &statement(old))).unwrap();
    assert_eq!(
        found,
        [line("S-1:7", Some(("25.00", "USD")), "tu_42 & Ana <b>")]
    );
    let two = [
        statement(&entry("B 1", ("25.5", "USD"), "CRDT", &remittance("tu_1"))),
        statement(&entry("B2", ("7", "EUR"), "DBIT", "")),
    ];
    let prefixed = document("13", &two.concat())
        .replace("<", "<c:")
        .replace("<c:/", "</c:")
        .replace("<c:?", "<?")
        .replace("xmlns=", "xmlns:c=");
    for file in [document("08", &two.concat()), prefixed] {
        assert_eq!(
            read(&file).unwrap(),
            [
                line("B_1", Some(("25.50", "USD")), "tu_1"),
                line("B2", None, "")
            ]
        );
    }
}

#[test]
fn what_is_not_booked_is_no_line_and_a_reversal_says_so() {
    let pending = entry("B1", ("25", "USD"), "CRDT", "").replace("BOOK", "PDNG");
    let back = entry("B2", ("25", "USD"), "DBIT", "<RvslInd>true</RvslInd>");
    let found = lines(&(pending + &back));
    assert_eq!(found.len(), 1);
    assert!(found[0].is_reversal && found[0].sum.is_none());
    let ours = entry("B3", ("25", "USD"), "CRDT", "<RvslInd>1</RvslInd>");
    assert!(lines(&ours)[0].is_reversal, "money of ours that came again");
}

#[test]
fn payments_of_one_entry_are_lines_of_their_own_where_they_add_up() {
    let part = |amount: &str, text: &str| {
        format!(
            "<TxDtls><Amt Ccy=\"USD\">{amount}</Amt><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"
        )
    };
    let both = part("10.00", "tu_1") + &part("15.00", "tu_2");
    let gathered = |amount: &str| {
        let details = format!("<NtryDtls>{both}</NtryDtls>");
        lines(&entry("B1", (amount, "USD"), "CRDT", &details))
    };
    assert_eq!(
        gathered("25.00"),
        [
            line("B1/1", Some(("10.00", "USD")), "tu_1"),
            line("B1/2", Some(("15.00", "USD")), "tu_2")
        ]
    );
    // a fee was kept: nobody knows of which
    assert_eq!(
        gathered("24.00"),
        [line("B1", Some(("24.00", "USD")), "tu_1 tu_2")]
    );
}

#[test]
fn hostile_documents_are_refused_by_name() {
    let entity = "<!DOCTYPE Document [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>";
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let many = statement(&"<Ntry/>".repeat(3));
    let open = document("08", &statement("")).replace("</Document>", "");
    for (file, told) in [
        (format!("{entity}{}", document("08", "")), "document type"),
        (
            document(
                "08",
                &statement(&entry("B1", ("1", "USD"), "CRDT", &remittance("&xxe;"))),
            ),
            "entity",
        ),
        (deep, "deeper than 32"),
        (document("01", ""), "none of camt.053.001.02 to 13"),
        (document("14", ""), "none of"),
        (document("08", "").replace("053", "052"), "none of"),
        ("<Document/>".to_owned(), "none of"),
        (document("08", &many), "statement \"S-1\", entry 1: Sts"),
        (open, "ends before"),
        ("<a/><b/>".to_owned(), "one element"),
        ("<a></b>".to_owned(), "byte"),
        ("<a".to_owned(), "byte"),
        ("<".repeat(1000), "byte"),
        (format!("<!--{}", "x".repeat(3 << 20)), "longer than"),
    ] {
        let why = refused(&file);
        assert!(why.contains(told), "{told}: {why}");
    }
}

#[test]
fn entries_that_cannot_be_read_are_named() {
    let good = ("25", "USD");
    for (broken, told) in [
        (entry("B1", ("-25", "USD"), "CRDT", ""), "Amt \"-25\""),
        (entry("B1", ("1e3", "USD"), "CRDT", ""), "Amt"),
        (entry("B1", ("25", "usd"), "CRDT", ""), "Amt"),
        (entry("B1", good, "UP", ""), "CdtDbtInd \"UP\""),
        (
            entry("B1", good, "CRDT", "<RvslInd>yes</RvslInd>"),
            "RvslInd",
        ),
        (
            entry("", good, "CRDT", ""),
            "neither AcctSvcrRef nor NtryRef",
        ),
        (entry(&"B".repeat(65), good, "CRDT", ""), "too long"),
        (
            entry("B1", good, "CRDT", "").replace("BOOK", "MAYBE"),
            "Sts \"MAYBE\"",
        ),
        (
            entry("B1", good, "CRDT", "") + &entry("B1", good, "CRDT", ""),
            "entry 2: the reference \"B1\" occurs twice",
        ),
    ] {
        let why = refused(&document("08", &statement(&broken)));
        assert!(why.contains(told), "{told}: {why}");
    }
    // a charge under the reference of its payment
    let charged = entry("B1", good, "CRDT", "") + &entry("B1", ("1", "USD"), "DBIT", "");
    assert_eq!(lines(&charged).len(), 2);
}
