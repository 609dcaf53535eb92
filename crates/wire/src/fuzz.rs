//! Every parser of this crate as a plain function over bytes: run by `cargo fuzz` with coverage, and
//! by the tests here over the kept inputs and seeded mutations of them.

use crate::answer::Answer;
use crate::{
    amount, bank, btcpay, fivesim, handler_api, json, nowpayments, panel_v2, smspool, stripe,
    telnyx, twilio,
};
use domain::top_up::Processor;

#[cfg(test)]
mod tests;

/// Something to feed bytes to. It must not panic, whatever they are.
pub type Target = fn(&[u8]);

/// Every target with its name, which is the name of its directory of inputs too.
pub const TARGETS: [(&str, Target); 9] = [
    ("fivesim", fivesim),
    ("handler_api", handler_api),
    ("panel_v2", panel_v2),
    ("smspool", smspool),
    ("requests", requests),
    ("webhooks", webhooks),
    ("payments", payments),
    ("statements", statements),
    ("values", values),
];

/// Statuses an answer is read under.
const STATUSES: [u16; 6] = [200, 302, 404, 409, 429, 500];

/// The body under every status that changes what it means.
fn under_every_status(bytes: &[u8], mut read: impl FnMut(Answer<'_>)) {
    let body = String::from_utf8_lossy(bytes);
    for status in STATUSES {
        let body = &body;
        read(Answer { status, body });
    }
}

/// Replies of `handler_api`.
pub fn handler_api(bytes: &[u8]) {
    under_every_status(bytes, handler_api_reply);
}

/// One reply of `handler_api`; what is read must print and read back the same.
pub(crate) fn handler_api_reply(answer: Answer<'_>) {
    use handler_api::*;
    let _ = (Countries::parse(answer), Services::parse(answer));
    let _ = (NumbersStatus::parse(answer), History::parse(answer));
    let _ = (NumberSold::parse(answer), SetStatusReply::parse(answer));
    let _ = (Status::parse(answer), StatusV2Reply::parse(answer));
    let _ = Balance::currency(answer);
    if let Ok(balance) = Balance::parse(answer) {
        assert_eq!(Balance::parse(Answer::ok(&balance.print())), Ok(balance));
    }
    if let Ok(number) = NumberV2::parse(answer) {
        assert!(!number.id.is_empty() && !number.phone.is_empty());
    }
    if let Ok(list) = ActiveList::parse(answer) {
        for shape in [ActiveShape::Wrapped, ActiveShape::Data, ActiveShape::Bare] {
            let again = ActiveList::parse(Answer::ok(&list.print(shape)));
            assert_eq!(again.map(|again| again.rows.len()), Ok(list.rows.len()));
        }
    }
    for shape in [
        PriceShape::Single,
        PriceShape::Ladder,
        PriceShape::PerProvider,
    ] {
        if let Ok(prices) = Prices::parse(answer, shape) {
            let negative = |row: &PriceRow| row.cost.is_sign_negative();
            assert!(!prices.rows.iter().any(negative));
        }
    }
}

/// Replies of SMM panels.
pub fn panel_v2(bytes: &[u8]) {
    under_every_status(bytes, panel_v2_reply);
}

/// One reply of an SMM panel.
pub(crate) fn panel_v2_reply(answer: Answer<'_>) {
    use panel_v2::*;
    let asked = ["1".to_owned(), "2".to_owned()];
    let _ = (Services::parse(answer), Orders::parse(answer));
    let _ = (OrderStatus::parse(answer), Statuses::parse(answer));
    let _ = (Balance::parse(answer), Added::parse(answer, true));
    let _ = (Refill::parse(answer), Refills::parse(answer));
    let _ = (RefillStatus::parse(answer), RefillStatuses::parse(answer));
    let _ = Cancels::parse(answer, &asked);
    let body = answer.body;
    let _ = purchase(answer, [body], panel_v2::Profile::default());
    let _ = (class_of(body), progress(body), without_sent(body, [body]));
    let _ = OrderType::parse(body);
}

/// Replies of 5sim.
pub fn fivesim(bytes: &[u8]) {
    use fivesim::*;
    under_every_status(bytes, |answer| {
        let _ = (Countries::parse(answer), Products::parse(answer));
        let _ = (Profile::parse(answer), OrderList::parse(answer));
        let _ = Order::parse(answer);
        for order in [PriceOrder::Country, PriceOrder::Product] {
            let _ = read_prices(answer, order, |_| ());
        }
    });
}

/// Webhooks of carriers and payment processors, once their signature was found good.
pub fn webhooks(bytes: &[u8]) {
    let _ = (
        twilio::parse(twilio::Body::Form(bytes)),
        twilio::parse(twilio::Body::Json(bytes)),
    );
    let _ = telnyx::parse(bytes);
    let _ = (stripe::notice(bytes), btcpay::notice(bytes));
    let _ = nowpayments::notice(bytes);
    let text = String::from_utf8_lossy(bytes);
    if let Some(canonical) = nowpayments::canonical(&text) {
        let again = nowpayments::canonical(&canonical);
        assert_eq!(again, Some(canonical));
    }
    signatures(&text, bytes);
}

/// What says who signed, as it comes in headers; none of it is the right signature.
fn signatures(text: &str, bytes: &[u8]) {
    let now = domain::time::Timestamp(0);
    let (head, tail) = text.split_once('\n').unwrap_or((text, ""));
    assert!(stripe::verify(&["secret"], head, bytes, now).is_err());
    assert!(btcpay::verify(&["secret"], head, bytes).is_err());
    assert!(nowpayments::verify(&["secret"], head, bytes).is_err());
    let _ = (
        stripe::error_text(text),
        twilio::SignatureSettings::parse(head),
    );
    for algorithm in [twilio::Algorithm::Sha1, twilio::Algorithm::Sha256] {
        let body = twilio::Body::Json(bytes);
        assert!(twilio::verify(("secret", algorithm), head, body, tail).is_err());
    }
    if let Some(key) = telnyx::PublicKey::parse("A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=") {
        assert!(telnyx::verify(&key, (head, tail), bytes, now).is_err());
    }
    let _ = telnyx::PublicKey::parse(head);
}

/// What payment processors answer, and what is asked of them as the practice ones read it.
pub fn payments(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    let _ = (stripe::Session::parse(text), stripe::list(text));
    let _ = (
        stripe::CreateSession::parse(text),
        stripe::Refund::parse(text),
    );
    let (moved, _) = stripe::balance_list(text).unwrap_or_default();
    let lines = moved.iter().filter_map(stripe::BalanceTransaction::line);
    let lines: Vec<_> = lines.collect();
    let _ = domain::top_up::movements(Processor::Stripe, &lines, &[]);
    let _ = stripe::payout(text);
    let _ = (btcpay::Invoice::parse(text), btcpay::list(text));
    let _ = (btcpay::received(text, "USD"), btcpay::read_create(text));
    let _ = (nowpayments::invoice(text), nowpayments::read_create(text));
    let _ = (
        nowpayments::Payment::parse(text),
        nowpayments::turned(text, 1),
    );
}

/// Statements of bank accounts, as CSV and as camt.053.
pub fn statements(bytes: &[u8]) {
    let _ = bank::read(&String::from_utf8_lossy(bytes));
}

/// Replies of SMSPool.
pub fn smspool(bytes: &[u8]) {
    use smspool::*;
    under_every_status(bytes, |answer| {
        let _ = (Countries::parse(answer), NamedList::parse(answer));
        let _ = (Balance::parse(answer), Cancelled::parse(answer));
        let _ = (Resent::parse(answer), Check::parse(answer));
        let _ = (Orders::parse(answer), NumberBought::parse(answer));
        let _ = (Price::parse(answer), PriceList::each(answer, |_| ()));
    });
}

/// Requests as servers of the protocols read them; one that is read must print and read the same.
pub fn requests(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(call) = handler_api::Call::parse(&text) {
        let again = handler_api::Call::parse(&call.query());
        assert_eq!(again.map(|again| again.request), Ok(call.request));
    }
    let _ = panel_v2::Call::parse_form(&text);
    let _ = panel_v2::Call::parse_json(&text);
    let (path, form) = text.split_once('?').unwrap_or((&text, ""));
    let _ = panel_v2::Call::read(vec![(path.to_owned(), form.to_owned())]);
    let _ = smspool::Call::parse(path, form);
    let _ = fivesim::Request::parse(path, form);
}

/// Amounts, ids and raw JSON.
pub fn values(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for read in [amount::amount, amount::amount_with_separators] {
        assert!(read(&text).is_none_or(|amount| !amount.is_sign_negative() || amount.is_zero()));
    }
    let _ = (amount::whole(&text), amount::count(&text));
    if let Some(id) = amount::id(&text) {
        assert_eq!(amount::id(&id), Some(id));
    }
    let _ = (smspool::plain(&text), fivesim::Slug::parse(&text));
    if let Some(node) = json::Node::read(&text) {
        let _ = (node.object(), node.items(), node.text(), node.values());
    }
}
