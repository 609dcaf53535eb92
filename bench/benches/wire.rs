//! What reading and printing each wire type costs: requests and replies of both protocols, single
//! answers and lists of a believable size.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::upstream::Purchase;
use rust_decimal::Decimal;
use std::hint::black_box;
use wire::answer::Answer;
use wire::{handler_api, panel_v2};

/// Countries in the lists.
const COUNTRIES: usize = 100;
/// Services in the lists, and SMM services.
const SERVICES: usize = 200;
/// Rows of active and past activations, orders, and ids in one batch.
const ROWS: usize = 100;

fn price(at: usize) -> Decimal {
    Decimal::new(1 + (at as i64 * 37) % 2_000, 3)
}

/// Measures printing a value and reading what was printed.
fn both<T>(
    criterion: &mut Criterion,
    name: &str,
    value: &T,
    print: impl Fn(&T) -> String,
    parse: impl Fn(&str) -> bool,
) {
    let text = print(value);
    assert!(parse(&text), "{name} does not read what it prints");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("print", |bench| bench.iter(|| print(black_box(value))));
    group.bench_function("parse", |bench| bench.iter(|| parse(black_box(&text))));
    group.finish();
}

fn handler_requests(criterion: &mut Criterion) {
    use handler_api::{Call, NumberOrder, Request};
    let order = NumberOrder {
        service: "tg".to_owned(),
        country: Some("6".to_owned()),
        max_price: Some(price(5)),
        provider_ids: Some("11".to_owned()),
        ..NumberOrder::default()
    };
    let call = Call {
        key: "0123456789abcdef".to_owned(),
        request: Request::NumberV2(order),
    };
    both(
        criterion,
        "handler_api/request",
        &call,
        Call::query,
        |text| Call::parse(text).is_ok(),
    );
}

fn handler_replies(criterion: &mut Criterion) {
    use handler_api::{Balance, NumberSold, NumberV2};
    let balance = Balance(Decimal::new(124_500, 4));
    both(
        criterion,
        "handler_api/balance",
        &balance,
        |value| value.print(),
        |text| Balance::parse(Answer::ok(text)).is_ok(),
    );
    let sold = NumberSold {
        id: "635468024".to_owned(),
        phone: "79584123456".to_owned(),
    };
    both(
        criterion,
        "handler_api/number",
        &sold,
        NumberSold::print,
        |text| NumberSold::parse(Answer::ok(text)).is_ok(),
    );
    let number = NumberV2 {
        id: sold.id.clone(),
        phone: sold.phone.clone(),
        cost: Some(price(7)),
        currency: Some(840),
        country: Some("6".to_owned()),
        another_sms: true,
        time: Some("2026-06-01 17:30:57".to_owned()),
        ..NumberV2::default()
    };
    both(
        criterion,
        "handler_api/number_v2",
        &number,
        NumberV2::print,
        |text| NumberV2::parse(Answer::ok(text)).is_ok(),
    );
}

fn handler_statuses(criterion: &mut Criterion) {
    use handler_api::{SetStatusReply, SmsV2, Status, StatusV2, StatusV2Reply};
    let status = Status::Code("415127".to_owned());
    both(
        criterion,
        "handler_api/status",
        &status,
        Status::print,
        |text| Status::parse(Answer::ok(text)).is_ok(),
    );
    let sms = SmsV2 {
        date_time: "2026-06-01 17:32:10".to_owned(),
        code: "415127".to_owned(),
        text: "Your code is 415127".to_owned(),
    };
    let status = StatusV2Reply::Object(StatusV2 {
        sms: Some(sms),
        ..StatusV2::default()
    });
    both(
        criterion,
        "handler_api/status_v2",
        &status,
        StatusV2Reply::print,
        |text| StatusV2Reply::parse(Answer::ok(text)).is_ok(),
    );
    let set = SetStatusReply::Cancelled;
    both(
        criterion,
        "handler_api/set_status",
        &set,
        |value| value.print().to_owned(),
        |text| SetStatusReply::parse(Answer::ok(text)).is_ok(),
    );
}

fn active() -> handler_api::ActiveList {
    let row = |at: usize| handler_api::Active {
        id: (635_468_024 + at).to_string(),
        service: "tg".to_owned(),
        phone: (79_584_123_456 + at).to_string(),
        cost: Some(price(at)),
        state: handler_api::ActiveState::Received,
        codes: vec!["415127".to_owned()],
        text: Some("Your code is 415127".to_owned()),
        time: Some("2026-06-01 17:30:57".to_owned()),
        country: Some("6".to_owned()),
        country_name: Some("Indonesia".to_owned()),
        another_sms: true,
        currency: Some(840),
    };
    handler_api::ActiveList {
        rows: (0..ROWS).map(row).collect(),
        skipped: 0,
    }
}

fn prices() -> handler_api::Prices {
    let row = |at: usize| handler_api::PriceRow {
        country: (at / SERVICES).to_string(),
        service: format!("s{}", at % SERVICES),
        pool: Some("11".to_owned()),
        cost: price(at),
        count: at as u64 % 5_000,
        physical_count: Some(at as u64 % 100),
    };
    handler_api::Prices {
        rows: (0..COUNTRIES * SERVICES).map(row).collect(),
        skipped: 0,
    }
}

fn handler_lists(criterion: &mut Criterion) {
    use handler_api::{
        ActiveList, ActiveShape, Countries, Country, History, HistoryRow, PriceShape, Prices,
        Service, ServiceShape, Services,
    };
    both(
        criterion,
        "handler_api/active",
        &active(),
        |list: &ActiveList| list.print(ActiveShape::Wrapped),
        |text| ActiveList::parse(Answer::ok(text)).is_ok(),
    );
    let row = |at: usize| HistoryRow {
        id: at.to_string(),
        ..HistoryRow::default()
    };
    let history = History {
        rows: (0..ROWS).map(row).collect(),
        skipped: 0,
    };
    both(
        criterion,
        "handler_api/history",
        &history,
        History::print,
        |text| History::parse(Answer::ok(text)).is_ok(),
    );
    let country = |at: usize| Country {
        id: at.to_string(),
        name: format!("Country {at}"),
        visible: true,
    };
    let countries = Countries((0..COUNTRIES).map(country).collect());
    both(
        criterion,
        "handler_api/countries",
        &countries,
        Countries::print,
        |text| Countries::parse(Answer::ok(text)).is_ok(),
    );
    let service = |at: usize| Service {
        code: format!("s{at}"),
        name: format!("Service {at}"),
    };
    let services = Services((0..SERVICES).map(service).collect());
    let print = |value: &Services| value.print(ServiceShape::Wrapped);
    both(
        criterion,
        "handler_api/services",
        &services,
        print,
        |text| Services::parse(Answer::ok(text)).is_ok(),
    );
    let prices = prices();
    for (name, shape) in [
        ("handler_api/prices", PriceShape::Single),
        ("handler_api/prices_v2", PriceShape::Ladder),
        ("handler_api/prices_v3", PriceShape::PerProvider),
    ] {
        let print = |value: &Prices| value.print(shape);
        both(criterion, name, &prices, print, |text| {
            Prices::parse(Answer::ok(text), shape).is_ok()
        });
    }
}

fn panel_requests(criterion: &mut Criterion) {
    use panel_v2::{Add, Call, Ids, Request};
    let member = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let add = Add {
        service: "1".to_owned(),
        request_id: None,
        members: vec![
            member("link", "https://example.test/p/1"),
            member("quantity", "500"),
        ],
    };
    let key = Some("0123456789abcdef".to_owned());
    let call = Call {
        key: key.clone(),
        request: Request::Add(add),
    };
    both(
        criterion,
        "panel_v2/add_request",
        &call,
        Call::form,
        |text| Call::parse_form(text).is_ok(),
    );
    let ids = (0..ROWS).map(|at| (90_210 + at).to_string()).collect();
    let call = Call {
        key,
        request: Request::Status(Ids::Many(ids)),
    };
    both(
        criterion,
        "panel_v2/status_request",
        &call,
        Call::form,
        |text| Call::parse_form(text).is_ok(),
    );
}

fn status() -> panel_v2::OrderStatus {
    panel_v2::OrderStatus {
        charge: Some(Decimal::new(126, 2)),
        start_count: Some(812),
        status: "In progress".to_owned(),
        remains: Some(140),
        currency: Some("USD".to_owned()),
        children: vec![],
    }
}

fn panel_replies(criterion: &mut Criterion) {
    use panel_v2::{Added, OrderStatus, Profile, print_error, purchase};
    let added = Added("90210".to_owned());
    both(criterion, "panel_v2/added", &added, Added::print, |text| {
        Added::parse(Answer::ok(text), false).is_ok()
    });
    let error = "Not enough funds on balance".to_owned();
    both(
        criterion,
        "panel_v2/refusal",
        &error,
        |text| print_error(text),
        |text| {
            let sent = ["https://example.test/p/1"];
            matches!(
                purchase(Answer::ok(text), sent, Profile::default()),
                Purchase::Refused(_)
            )
        },
    );
    both(
        criterion,
        "panel_v2/status",
        &status(),
        OrderStatus::print,
        |text| OrderStatus::parse(Answer::ok(text)).is_ok(),
    );
}

fn panel_batches(criterion: &mut Criterion) {
    use panel_v2::{Balance, Cancels, Refills, Statuses, UNKNOWN_ORDER};
    let rows = (0..ROWS)
        .map(|at| ((90_210 + at).to_string(), Ok(status())))
        .collect();
    both(
        criterion,
        "panel_v2/statuses",
        &Statuses(rows),
        Statuses::print,
        |text| Statuses::parse(Answer::ok(text)).is_ok(),
    );
    let refused = |at: usize| {
        let result = if at.is_multiple_of(2) {
            Ok(())
        } else {
            Err(UNKNOWN_ORDER.to_owned())
        };
        ((90_210 + at).to_string(), result)
    };
    let cancels = Cancels((0..ROWS).map(refused).collect());
    both(
        criterion,
        "panel_v2/cancels",
        &cancels,
        Cancels::print,
        |text| Cancels::parse(Answer::ok(text), &[]).is_ok(),
    );
    let refills = (0..ROWS)
        .map(|at| (at.to_string(), Ok((at + 1).to_string())))
        .collect();
    both(
        criterion,
        "panel_v2/refills",
        &Refills(refills),
        Refills::print,
        |text| Refills::parse(Answer::ok(text)).is_ok(),
    );
    let balance = Balance {
        balance: Decimal::new(84_209_150, 6),
        currency: Some("USD".to_owned()),
    };
    both(
        criterion,
        "panel_v2/balance",
        &balance,
        Balance::print,
        |text| Balance::parse(Answer::ok(text)).is_ok(),
    );
}

fn panel_lists(criterion: &mut Criterion) {
    use panel_v2::{OrderRow, Orders, ServiceRow, Services};
    let service = |at: usize| ServiceRow {
        id: at.to_string(),
        name: format!("Followers {at}, refill 30 days"),
        kind: "Default".to_owned(),
        category: "Instagram".to_owned(),
        rate: price(at),
        min: 50,
        max: 10_000,
        refill: true,
        ..ServiceRow::default()
    };
    let services = Services {
        rows: (0..SERVICES).map(service).collect(),
        skipped: 0,
    };
    both(
        criterion,
        "panel_v2/services",
        &services,
        Services::print,
        |text| Services::parse(Answer::ok(text)).is_ok(),
    );
    let order = |at: usize| OrderRow {
        id: (90_210 + at).to_string(),
        service: "1".to_owned(),
        link: format!("https://example.test/p/{at}"),
        quantity: Some(500),
        charge: Some(price(at)),
        status: "Pending".to_owned(),
        created_s: Some(1_780_000_000),
    };
    let orders = Orders {
        rows: (0..ROWS).map(order).collect(),
        skipped: 0,
    };
    both(
        criterion,
        "panel_v2/orders",
        &orders,
        Orders::print,
        |text| Orders::parse(Answer::ok(text)).is_ok(),
    );
}

criterion_group!(
    benches,
    handler_requests,
    handler_replies,
    handler_statuses,
    handler_lists,
    panel_requests,
    panel_replies,
    panel_batches,
    panel_lists
);
criterion_main!(benches);
