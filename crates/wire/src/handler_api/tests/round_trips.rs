//! What is printed reads back the same, and no bytes break a parser.

use super::*;
use crate::fuzz::handler_api_reply;
use proptest::option;
use proptest::prelude::*;

fn word() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,12}"
}

fn number_id() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..u64::MAX).prop_map(|id| id.to_string()),
        "[a-zA-Z][a-zA-Z0-9]{0,30}"
    ]
}

fn cost() -> impl Strategy<Value = Decimal> {
    (0..1_000_000_i64, 0..6_u32).prop_map(|(units, scale)| Decimal::new(units, scale))
}

fn text() -> impl Strategy<Value = String> + Clone {
    "\\PC{1,40}".prop_filter_map("says something", |text| {
        let text = text.trim().to_owned();
        (!text.is_empty() && !text.eq_ignore_ascii_case("null")).then_some(text)
    })
}

prop_compose! {
    fn number_v2()(
        id in number_id(), phone in "[0-9]{7,15}", cost in option::of(cost()),
        currency in option::of(1..1000_u32), country in option::of(word()),
        another_sms: bool, time in option::of(text()), operator in option::of(text()),
        end in option::of(text()), cancel_from in option::of(text()),
    ) -> NumberV2 {
        NumberV2 {
            id, phone, cost, currency, country, another_sms, time, operator, end, cancel_from,
        }
    }
}

prop_compose! {
    fn active()(
        id in number_id(), service in word(), phone in "[0-9]{7,15}", cost in option::of(cost()),
        state in prop_oneof![
            Just(ActiveState::Waiting), Just(ActiveState::Received), Just(ActiveState::RetryAsked),
            Just(ActiveState::Other("STATUS_NEW".to_owned())),
        ],
        codes in prop::collection::vec(text(), 0..3), text in option::of(text()),
        time in option::of(word()), country in option::of(word()),
        country_name in option::of(text()), another_sms: bool, currency in option::of(1..1000_u32),
    ) -> Active {
        Active {
            id, service, phone, cost, state, codes, text, time, country, country_name, another_sms,
            currency,
        }
    }
}

prop_compose! {
    fn history_row()(
        id in number_id(), date in word(), phone in word(), sms in option::of(text()),
        cost in option::of(cost()), status in word(), currency in option::of(1..1000_u32),
    ) -> HistoryRow {
        HistoryRow { id, date, phone, sms, cost, status, currency }
    }
}

prop_compose! {
    fn order()(
        service in text(), country in option::of(text()), operator in option::of(text()),
        max_price in option::of(cost()), provider_ids in option::of(text()),
        except_provider_ids in option::of(text()), phone_exception in option::of(text()),
        order_id in option::of(text()),
    ) -> NumberOrder {
        NumberOrder {
            service, country, operator, max_price, provider_ids, except_provider_ids,
            phone_exception, order_id,
        }
    }
}

fn request() -> impl Strategy<Value = Request> {
    let filter = (option::of(text()), option::of(text()))
        .prop_map(|(service, country)| PriceFilter { service, country });
    let page = (option::of(any::<u64>()), option::of(any::<u64>()))
        .prop_map(|(offset, limit)| Page { offset, limit });
    let status = prop_oneof![
        Just(SetStatus::Ready),
        Just(SetStatus::Retry),
        Just(SetStatus::Finish),
        Just(SetStatus::Cancel)
    ];
    prop_oneof![
        Just(Request::Balance),
        Just(Request::Countries),
        option::of(text()).prop_map(|country| Request::Services { country }),
        filter.clone().prop_map(Request::Prices),
        filter.clone().prop_map(Request::PricesV2),
        filter.prop_map(Request::PricesV3),
        order().prop_map(Request::Number),
        order().prop_map(Request::NumberV2),
        text().prop_map(Request::Status),
        text().prop_map(Request::StatusV2),
        (text(), status).prop_map(|(id, status)| Request::SetStatus(id, status)),
        page.clone().prop_map(Request::Active),
        (option::of(any::<u64>()), option::of(any::<u64>()), page)
            .prop_map(|(start, end, page)| Request::History { start, end, page }),
    ]
}

/// Rows grouped as a server would list them: no service twice in one country.
fn price_rows(per_provider: bool) -> impl Strategy<Value = Vec<PriceRow>> {
    let cell = (cost(), any::<u32>(), option::of(any::<u32>()));
    prop::collection::btree_map((word(), word()), cell, 0..12).prop_map(move |cells| {
        let row = |((country, service), (cost, count, physical))| PriceRow {
            country,
            service,
            pool: per_provider.then(|| "11".to_owned()),
            cost,
            count: u64::from(count),
            physical_count: (!per_provider).then_some(physical).flatten().map(u64::from),
        };
        cells.into_iter().map(row).collect()
    })
}

proptest! {
    #[test]
    fn requests_survive_the_trip(key in text(), request in request()) {
        let call = Call { key, request };
        prop_assert_eq!(Call::parse(&call.query()), Ok(call));
    }

    #[test]
    fn short_replies_survive_the_trip(value in cost(), id in number_id(), phone in "[+0-9]{1,15}") {
        let balance = Balance(value);
        prop_assert_eq!(Balance::parse(Answer::ok(&balance.print())), Ok(balance));
        let sold = NumberSold { id, phone };
        prop_assert_eq!(NumberSold::parse(Answer::ok(&sold.print())), Ok(sold));
    }

    #[test]
    fn number_v2_survives_the_trip(number in number_v2()) {
        prop_assert_eq!(NumberV2::parse(Answer::ok(&number.print())), Ok(number));
    }

    #[test]
    fn statuses_survive_the_trip(code in "[^:\\pC]{1,30}") {
        let code = code.trim().to_owned();
        prop_assume!(!code.is_empty() && !code.eq_ignore_ascii_case("null"));
        for status in [
            Status::WaitCode, Status::WaitRetry(None), Status::WaitRetry(Some(code.clone())),
            Status::WaitResend, Status::Code(code.clone()), Status::Cancelled,
        ] {
            prop_assert_eq!(Status::parse(Answer::ok(&status.print())), Ok(status));
        }
    }

    #[test]
    fn status_v2_survives_the_trip(
        verification_type in 0..3_u32, texts in prop::array::uniform5(option::of(text())),
        parsing_count: u32, sms: bool, call: bool,
    ) {
        let [date_time, code, text, from, url] = texts.map(Option::unwrap_or_default);
        let status = StatusV2 {
            verification_type,
            sms: sms.then(|| SmsV2 {
                date_time: date_time.clone(), code: code.clone(), text: text.clone(),
            }),
            call: call.then_some(CallV2 { from, text, code, date_time, url, parsing_count }),
        };
        let printed = status.print();
        prop_assert_eq!(StatusV2Reply::parse(Answer::ok(&printed)), Ok(StatusV2Reply::Object(status)));
    }

    #[test]
    fn lists_survive_the_trip(
        actives in prop::collection::vec(active(), 0..4),
        history in prop::collection::vec(history_row(), 0..4),
        names in prop::collection::btree_map(word(), text(), 0..6),
        visible: bool,
    ) {
        let actives = ActiveList { rows: actives, skipped: 0 };
        prop_assert_eq!(ActiveList::parse(Answer::ok(&actives.print(ActiveShape::Wrapped))), Ok(actives));
        let history = History { rows: history, skipped: 0 };
        prop_assert_eq!(History::parse(Answer::ok(&history.print())), Ok(history));
        let countries = names.clone().into_iter();
        let countries = Countries(countries.map(|(id, name)| Country { id, name, visible }).collect());
        prop_assert_eq!(Countries::parse(Answer::ok(&countries.print())), Ok(countries));
        let services = names.into_iter().map(|(code, name)| Service { code, name });
        let services = Services(services.collect());
        for shape in [ServiceShape::Wrapped, ServiceShape::Array, ServiceShape::Object] {
            prop_assert_eq!(
                Services::parse(Answer::ok(&services.print(shape))), Ok(services.clone()));
        }
    }

    #[test]
    fn prices_survive_the_trip(single in price_rows(false), pools in price_rows(true)) {
        let single = Prices { rows: single, skipped: 0 };
        let printed = single.print(PriceShape::Single);
        prop_assert_eq!(&Prices::parse(Answer::ok(&printed), PriceShape::Single), &Ok(single.clone()));
        let printed = single.print(PriceShape::Ladder);
        let ladder = Prices::parse(Answer::ok(&printed), PriceShape::Ladder).unwrap();
        let costs = |rows: &[PriceRow]| -> Vec<_> { rows.iter().map(|r| (r.cost, r.count)).collect() };
        prop_assert_eq!(costs(&ladder.rows), costs(&single.rows));
        let pools = Prices { rows: pools, skipped: 0 };
        let printed = pools.print(PriceShape::PerProvider);
        prop_assert_eq!(Prices::parse(Answer::ok(&printed), PriceShape::PerProvider), Ok(pools));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), status: u16) {
        let body = &String::from_utf8_lossy(&bytes);
        handler_api_reply(Answer { status, body });
    }

    #[test]
    fn no_mangled_reply_panics(
        which in 0..8_usize, at in 0..400_usize, byte in "[\"{}\\[\\]:,0e\\\\-]", status in 200..600_u16,
    ) {
        let bodies = [
            fixture!("prices.json"), fixture!("prices_v3.json"), fixture!("number_v2.json"),
            fixture!("active_rows.json"), fixture!("status_v2.json"), fixture!("countries_array.json"),
            fixture!("problem_hero.json"), fixture!("history.json"),
        ];
        let mut characters: Vec<char> = bodies[which].body.chars().collect();
        let at = at % characters.len();
        characters.splice(at..=at, byte.chars());
        let body = &characters.into_iter().collect::<String>();
        handler_api_reply(Answer { status, body });
    }
}
