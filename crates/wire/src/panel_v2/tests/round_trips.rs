//! What is printed reads back the same, and no bytes break a parser.

use super::*;
use crate::fuzz::panel_v2_reply;
use proptest::option;
use proptest::prelude::*;

fn order_id() -> impl Strategy<Value = String> + Clone {
    (1..i64::MAX).prop_map(|id| id.to_string())
}

fn amount() -> impl Strategy<Value = Decimal> + Clone {
    (0..1_000_000_i64, 0..6_u32).prop_map(|(units, scale)| Decimal::new(units, scale))
}

fn text() -> impl Strategy<Value = String> + Clone {
    "\\PC{1,40}".prop_filter_map("says something", |text| {
        let text = text.trim().to_owned();
        (!text.is_empty() && text != "false").then_some(text)
    })
}

fn result<T: std::fmt::Debug>(
    ok: impl Strategy<Value = T>,
) -> impl Strategy<Value = Result<T, String>> {
    prop_oneof![ok.prop_map(Ok), text().prop_map(Err)]
}

fn per_id<T: std::fmt::Debug>(ok: impl Strategy<Value = T>) -> impl Strategy<Value = PerId<T>> {
    prop::collection::vec((order_id(), result(ok)), 0..5)
}

prop_compose! {
    fn service_row()(
        id in order_id(), name in text(), kind in text(), category in text(), rate in amount(),
        min: u64, max: u64, flags: [bool; 3], description in option::of(text()),
    ) -> ServiceRow {
        let [refill, cancel, dripfeed] = flags;
        ServiceRow { id, name, kind, category, rate, min, max, refill, cancel, dripfeed, description }
    }
}

prop_compose! {
    fn order_status()(
        charge in option::of(amount()), start_count in option::of(any::<i64>()), status in text(),
        remains in option::of(any::<i64>()), currency in option::of("[A-Z]{3}"),
        children in prop::collection::vec(order_id(), 0..3),
    ) -> OrderStatus {
        OrderStatus { charge, start_count, status, remains, currency, children }
    }
}

prop_compose! {
    fn order_row()(
        id in order_id(), service in order_id(), link in text(), quantity in option::of(any::<u64>()),
        charge in option::of(amount()), status in text(), created_s in option::of(any::<i64>()),
    ) -> OrderRow {
        OrderRow { id, service, link, quantity, charge, status, created_s }
    }
}

fn ids() -> impl Strategy<Value = Ids> + Clone {
    prop_oneof![
        order_id().prop_map(Ids::One),
        prop::collection::btree_set(order_id(), 1..=100)
            .prop_map(|ids| Ids::Many(ids.into_iter().collect())),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let members = prop::collection::vec(("[b-j][a-z_]{0,8}", text()), 0..6);
    let add = (text(), option::of(text()), members).prop_map(|(service, request_id, members)| {
        Request::Add(Add {
            service,
            request_id,
            members,
        })
    });
    prop_oneof![
        Just(Request::Services),
        Just(Request::Balance),
        Just(Request::Orders),
        add,
        ids().prop_map(Request::Status),
        ids().prop_map(Request::Refill),
        ids().prop_map(Request::RefillStatus),
        ids().prop_map(Request::Cancel),
    ]
}

proptest! {
    #[test]
    fn requests_survive_the_trip(key in option::of(text()), request in request()) {
        let call = Call { key, request };
        prop_assert_eq!(Call::parse_form(&call.form()), Ok(call.clone()));
        prop_assert_eq!(Call::parse_json(&call.json()), Ok(call));
    }

    #[test]
    fn services_survive_the_trip(rows in prop::collection::vec(service_row(), 0..5)) {
        let services = Services { rows, skipped: 0 };
        prop_assert_eq!(Services::parse(Answer::ok(&services.print())), Ok(services));
    }

    #[test]
    fn statuses_survive_the_trip(status in order_status(), rows in per_id(order_status())) {
        prop_assert_eq!(OrderStatus::parse(Answer::ok(&status.print())), Ok(status));
        let statuses = Statuses(rows);
        prop_assert_eq!(Statuses::parse(Answer::ok(&statuses.print())), Ok(statuses));
    }

    #[test]
    fn short_replies_survive_the_trip(
        id in order_id(), balance in amount(), currency in option::of("[A-Z]{3}"), word in text(),
    ) {
        let balance = Balance { balance, currency };
        prop_assert_eq!(Balance::parse(Answer::ok(&balance.print())), Ok(balance));
        let added = Added(id.clone());
        prop_assert_eq!(Added::parse(Answer::ok(&added.print()), false), Ok(added));
        let refill = Refill(id);
        prop_assert_eq!(Refill::parse(Answer::ok(&refill.print())), Ok(refill));
        let status = RefillStatus(word);
        prop_assert_eq!(RefillStatus::parse(Answer::ok(&status.print())), Ok(status));
    }

    #[test]
    fn lists_survive_the_trip(
        refills in per_id(order_id()), statuses in per_id(text()), cancels in per_id(Just(())),
        orders in prop::collection::vec(order_row(), 0..5),
    ) {
        let refills = Refills(refills);
        prop_assert_eq!(Refills::parse(Answer::ok(&refills.print())), Ok(refills));
        let statuses = RefillStatuses(statuses);
        prop_assert_eq!(RefillStatuses::parse(Answer::ok(&statuses.print())), Ok(statuses));
        let cancels = Cancels(cancels);
        prop_assert_eq!(Cancels::parse(Answer::ok(&cancels.print()), &[]), Ok(cancels));
        let orders = Orders { rows: orders, skipped: 0 };
        prop_assert_eq!(Orders::parse(Answer::ok(&orders.print())), Ok(orders));
    }

    #[test]
    fn error_bodies_survive_the_trip(text in text()) {
        let printed = print_error(&text);
        let failure = open(Answer::ok(&printed)).unwrap_err();
        prop_assert_eq!(failure, Failure::Error { text, status: 200 });
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), status: u16) {
        let body = &String::from_utf8_lossy(&bytes);
        panel_v2_reply(Answer { status, body });
    }

    #[test]
    fn no_mangled_reply_panics(
        which in 0..6_usize, at in 0..700_usize, byte in "[\"{}\\[\\]:,0e\\\\-]", status in 200..600_u16,
    ) {
        let bodies = [
            fixture!("services_variants.json"), fixture!("status_variants.json"),
            fixture!("refill_statuses.json"), fixture!("cancels.json"), fixture!("orders.json"),
            fixture!("added.json"),
        ];
        let mut characters: Vec<char> = bodies[which].body.chars().collect();
        let at = at % characters.len();
        characters.splice(at..=at, byte.chars());
        let body = &characters.into_iter().collect::<String>();
        panel_v2_reply(Answer { status, body });
    }

    #[test]
    fn nothing_unsettled_settles_a_purchase(text in text(), status in 500..600_u16) {
        let body = print_error(&text);
        let profile = Profile { error_means_refused: true, ..Profile::default() };
        let answer = Answer { status, body: &body };
        prop_assert_eq!(purchase(answer, [], profile), Purchase::Unknown);
    }
}
