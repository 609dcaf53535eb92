use super::*;
use crate::catalogue::ServiceIndex;
use crate::event::Event;
use domain::usd::Usd;
use std::collections::HashSet;

#[tokio::test]
async fn a_number_is_bought_receives_its_code_and_is_finished() {
    let world = World::new();
    let (id, phone) = world.buy("peter1", "61", "306343").await;
    assert!(phone.starts_with("92") && phone.len() == 12, "{phone}");
    assert_eq!(world.balance("peter1").await, "99999.966667");
    assert_eq!(world.status("peter1", &id).await, "STATUS_WAIT_CODE");
    world.pass(3_999);
    assert_eq!(world.status("peter1", &id).await, "STATUS_WAIT_CODE");
    world.pass(1);
    let answer = world.status("peter1", &id).await;
    let code = answer.strip_prefix("STATUS_OK:").unwrap();
    assert!(
        code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()),
        "{code}"
    );
    assert_eq!(world.set_status("peter1", &id, 8).await, "BAD_STATUS");
    assert_eq!(
        world.set_status("peter1", &id, 6).await,
        "ACCESS_ACTIVATION"
    );
    assert_eq!(world.status("peter1", &id).await, "STATUS_CANCEL");
    assert_eq!(world.set_status("peter1", &id, 6).await, "BAD_STATUS");
    assert_eq!(world.balance("peter1").await, "99999.966667");
    assert!(world.active("peter1").await.is_empty());
}

#[tokio::test]
async fn the_second_form_of_purchase_and_status_has_the_types_clients_insist_on() {
    let world = World::new();
    let query = "action=getNumberV2&country=6&service=tg";
    let bought = json_of(&world.call("paul", query).await);
    assert_eq!(bought["activationCost"].to_string(), "0.15");
    assert_eq!(bought["currency"].as_u64(), Some(840));
    assert_eq!(bought["countryCode"].as_str(), Some("6"));
    assert_eq!(
        bought["activationTime"].as_str(),
        Some("2026-06-01 17:30:57")
    );
    assert!(bought["phoneNumber"].is_string() && bought["activationId"].is_u64());
    let status = format!("action=getStatusV2&id={}", bought["activationId"]);
    let waiting = json_of(&world.call("paul", &status).await);
    assert!(waiting["sms"].is_null() && waiting["verificationType"].is_u64());
    world.pass(4_000);
    let sms = json_of(&world.call("paul", &status).await)["sms"].clone();
    let code = sms["code"].as_str().unwrap();
    assert_eq!(
        sms["text"].as_str().unwrap(),
        format!("Your Telegram code is {code}")
    );
    assert_eq!(sms["dateTime"].as_str(), Some("2026-06-01 17:31:01"));
}

#[tokio::test]
async fn a_cancel_is_locked_for_ten_seconds_on_romeo_and_two_minutes_elsewhere() {
    let world = World::new();
    for (account, country, lock_ms) in [("romeo", "13", 10_000), ("paul", "6", 120_000)] {
        let (id, _) = world.buy(account, country, "sbnever").await;
        assert_eq!(world.balance(account).await, "99999.9900");
        assert_eq!(world.set_status(account, &id, 1).await, "ACCESS_READY");
        assert_eq!(world.set_status(account, &id, 3).await, "BAD_STATUS");
        assert_eq!(world.set_status(account, &id, 6).await, "BAD_STATUS");
        world.pass(lock_ms - 1);
        assert_eq!(
            world.set_status(account, &id, 8).await,
            "EARLY_CANCEL_DENIED"
        );
        world.pass(1);
        assert_eq!(world.set_status(account, &id, -1).await, "ACCESS_CANCEL");
        assert_eq!(world.status(account, &id).await, "STATUS_CANCEL");
        assert_eq!(world.balance(account).await, "100000.0000");
        world.pass(20 * 60_000);
        assert_eq!(
            world.balance(account).await,
            "100000.0000",
            "refunded once, not at the end of its life too"
        );
    }
}

#[tokio::test]
async fn a_repeated_cancel_is_answered_in_four_ways_and_refunds_once() {
    let world = World::new();
    let never = |account: &str| {
        if account.starts_with("peter") {
            "990002"
        } else {
            "sbnever"
        }
    };
    let sandbox = &world.sandbox;
    let shelf = sandbox.shelf(account_named("juliet").unwrap());
    let mut listed = shelf.countries.iter();
    let pakistan = listed.find(|country| country.name == "Pakistan").unwrap();
    let juliet = pakistan.id.to_string();
    for (account, country, answer) in [
        ("paul", "6", "ACCESS_CANCEL"),
        ("juliet", &juliet, "NO_ACTIVATION"),
        ("peter1", "61", "ALREADY_CANCELED"),
        ("peter2", "61", "ACCESS_CANCEL_ALREADY"),
    ] {
        let (id, _) = world.buy(account, country, never(account)).await;
        world.pass(120_000);
        assert_eq!(world.set_status(account, &id, 8).await, "ACCESS_CANCEL");
        let again = format!("action=setStatus&id={id}&status=8");
        let said = text_of(world.raw(account, &again).await).await;
        // one of them wraps its words in a problem
        assert!(
            said == answer || said.contains(&format!("{answer:?}")),
            "{account}: {said}"
        );
        assert_eq!(world.balance(account).await, "100000.0000");
    }
}

#[tokio::test]
async fn an_unused_number_expires_after_twenty_minutes_and_is_refunded() {
    let world = World::new();
    let (id, _) = world.buy("paul", "6", "sbnever").await;
    let (received, _) = world.buy("paul", "6", "tg").await;
    world.pass(20 * 60_000 - 1);
    assert_eq!(world.active("paul").await, [id.clone(), received.clone()]);
    assert_eq!(world.balance("paul").await, "99999.8400");
    world.pass(1);
    assert_eq!(world.balance("paul").await, "99999.8500");
    assert!(world.active("paul").await.is_empty());
    let statuses: Vec<_> = world
        .sold()
        .await
        .iter()
        .map(|row| row["status"].clone())
        .collect();
    assert_eq!(statuses, ["expired", "finished"]);
    assert_eq!(world.status("paul", &id).await, "STATUS_CANCEL");
}

#[tokio::test]
async fn the_active_list_shows_a_number_at_once_and_its_messages() {
    let world = World::new();
    assert_eq!(
        world.call("romeo", "action=getActiveActivations").await,
        r#"{"status":"error","message":"NO_ACTIVATIONS"}"#
    );
    let (id, phone) = world.buy("romeo", "188", "ds").await;
    world.buy("paul", "6", "tg").await;
    let list = json_of(&world.call("romeo", "action=getActiveActivations").await);
    let rows = list["activeActivations"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{list}");
    assert_eq!(rows[0]["activationId"].to_string(), id);
    assert_eq!(rows[0]["serviceCode"].as_str(), Some("ds"));
    assert_eq!(rows[0]["phoneNumber"].as_str(), Some(phone.as_str()));
    assert_eq!(rows[0]["countryCode"].as_str(), Some("188"));
    assert_eq!(rows[0]["countryName"].as_str(), Some("USA (virtual)"));
    assert!(rows[0]["smsCode"].is_null());
    world.pass(4_000);
    let list = json_of(&world.call("romeo", "action=getActiveActivations").await);
    let code = list["activeActivations"][0]["smsCode"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        world.status("romeo", &id).await,
        format!("STATUS_OK:{code}")
    );
}

#[tokio::test]
async fn history_holds_what_is_over_newest_first() {
    let world = World::new();
    let (first, _) = world.buy("paul", "6", "tg").await;
    world.pass(5_000);
    world.set_status("paul", &first, 6).await;
    let (second, _) = world.buy("paul", "6", "sbnever").await;
    world.buy("romeo", "13", "tg").await;
    let rows = json_of(&world.call("paul", "action=getHistory").await);
    let ids: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str())
        .collect();
    assert_eq!(ids, [Some(second.as_str()), Some(first.as_str())]);
    assert_eq!(rows[1]["status"].as_str(), Some("6"));
    assert!(
        rows[1]["sms"]
            .as_str()
            .unwrap()
            .starts_with("Your Telegram code is ")
    );
    let page = world
        .call("paul", "action=getHistory&offset=1&limit=1")
        .await;
    assert_eq!(json_of(&page)[0]["id"].as_str(), Some(first.as_str()));
    let until = START_MS / 1000 + 1;
    let early = world
        .call("paul", &format!("action=getHistory&end={until}"))
        .await;
    assert_eq!(json_of(&early).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn lists_of_countries_services_and_prices_fit_together() {
    let world = World::new();
    let countries = json_of(&world.call("paul", "action=getCountries").await);
    assert_eq!(countries["6"]["eng"].as_str(), Some("Pakistan"));
    let services = json_of(&world.call("paul", "action=getServicesList").await);
    assert_eq!(services["status"].as_str(), Some("success"));
    let codes: HashSet<_> = services["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .collect();
    let prices = json_of(&world.call("paul", "action=getPrices").await);
    for (country, offers) in prices.as_object().unwrap() {
        assert!(countries.get(country).is_some(), "{country}");
        assert!(
            offers
                .as_object()
                .unwrap()
                .keys()
                .all(|code| codes.contains(code))
        );
    }
    let one = world
        .call("paul", "action=getPrices&country=6&service=tg")
        .await;
    assert_eq!(json_of(&one)["6"]["tg"], prices["6"]["tg"]);
    assert_eq!(json_of(&one).to_string().matches("cost").count(), 1);
    let ladder = json_of(
        &world
            .call("paul", "action=getPricesV2&country=6&service=tg")
            .await,
    );
    assert!(ladder["6"]["tg"].get("0.15").is_some(), "{ladder}");
}

#[tokio::test]
async fn refusals_have_their_words_and_cost_nothing() {
    let world = World::new();
    for (parameters, word) in [
        ("action=getNumber&country=6&service=nosuch", "BAD_SERVICE"),
        ("action=getNumber&country=9999&service=tg", "BAD_COUNTRY"),
        ("action=getNumber&service=tg", "BAD_COUNTRY"),
        (
            "action=getNumber&country=6&service=tg&maxPrice=0.1499",
            "WRONG_MAX_PRICE:0.15",
        ),
        ("action=dance", "BAD_ACTION"),
        ("action=getStatus&id=1", "NO_ACTIVATION"),
        ("action=setStatus&id=1&status=8", "NO_ACTIVATION"),
        ("action=setStatus&id=1&status=77", "BAD_STATUS"),
    ] {
        assert_eq!(world.call("paul", parameters).await, word, "{parameters}");
    }
    let wrong_key = world.send(
        "GET",
        "/paul/stubs/handler_api.php?api_key=x&action=getBalance",
        "",
    );
    assert_eq!(text_of(wrong_key.await).await, "BAD_KEY");
    world
        .call(
            "paul",
            "action=getNumber&country=6&service=tg&maxPrice=0.15",
        )
        .await;
    assert_eq!(world.sold().await.len(), 1);
}

#[tokio::test]
async fn an_activation_belongs_to_the_account_that_bought_it() {
    let world = World::new();
    let (id, _) = world.buy("peter1", "61", "306343").await;
    assert_eq!(world.status("peter2", &id).await, "NO_ACTIVATION");
    assert_eq!(world.set_status("romeo", &id, 8).await, "NO_ACTIVATION");
}

#[tokio::test]
async fn an_empty_float_is_refused_and_never_goes_negative() {
    let world = World::new();
    let body = r#"{"upstream":"paul","balance":"0.20"}"#;
    let (status, _) = world.control("POST", "/_sandbox/balance", body).await;
    assert_eq!(status, StatusCode::OK);
    world.buy("paul", "6", "tg").await;
    let again = world
        .call("paul", "action=getNumber&country=6&service=tg")
        .await;
    assert_eq!(again, "NO_BALANCE");
    assert_eq!(world.balance("paul").await, "0.0500");
}

#[tokio::test]
async fn ids_grow_with_gaps_and_live_numbers_are_unlike_each_other() {
    let world = World::new();
    let (mut ids, mut phones) = (Vec::new(), HashSet::new());
    for _ in 0..300 {
        for (account, country) in [("paul", "6"), ("peter1", "61"), ("romeo", "13")] {
            let service = if account == "peter1" {
                "990002"
            } else {
                "sbnever"
            };
            let (id, phone) = world.buy(account, country, service).await;
            ids.push(id.parse::<u64>().unwrap());
            assert!(phones.insert(phone));
        }
    }
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert!(ids.windows(2).any(|pair| pair[1] - pair[0] > 1));
}

#[tokio::test]
async fn parameters_may_come_as_a_form_where_there_is_no_query() {
    let world = World::new();
    let body = "api_key=sandbox-paul-key&action=getBalance";
    let response = world
        .send("POST", "/paul/stubs/handler_api.php", body)
        .await;
    assert_eq!(text_of(response).await, "ACCESS_BALANCE:100000.0000");
}

#[tokio::test]
async fn a_number_that_lives_on_another_server_is_not_given_again() {
    let first = World::new();
    let (earlier, _) = first.buy("paul", "6", "tg").await;
    let (_, wanted) = first.buy("paul", "6", "tg").await;
    let second = World::new();
    let event = Event::NumberSold {
        reference: None,
        at: START_MS,
        id: earlier.parse().unwrap(),
        account: account_named("mark").unwrap(),
        country: 1,
        service: ServiceIndex::named("Telegram").unwrap(),
        pool: None,
        phone: wanted.parse().unwrap(),
        cost_micros: Usd(1),
    };
    second
        .sandbox
        .books(|books, _| books.record(&event))
        .unwrap();
    let (_, given) = second.buy("paul", "6", "tg").await;
    assert_ne!(given, wanted);
    let alive = |number: &str| {
        let number = number.parse().unwrap();
        second
            .sandbox
            .books(|books, _| books.state.is_alive(number))
    };
    assert!(alive(&wanted) && alive(&given));
    second.pass(20 * 60_000);
    assert!(!alive(&wanted) && !alive(&given));
}
