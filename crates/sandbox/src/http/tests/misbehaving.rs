use super::*;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn no_numbers() {
    let world = World::new();
    let answer = world
        .call("paul", "action=getNumber&country=6&service=sbnonumbers")
        .await;
    assert_eq!(answer, "NO_NUMBERS");
    assert!(world.sold().await.is_empty());
}

#[tokio::test]
async fn never_a_code_and_a_late_code() {
    let world = World::new();
    let (never, _) = world.buy("paul", "6", "sbnever").await;
    let (late, _) = world.buy("paul", "6", "sblate").await;
    world.pass(59_999);
    assert_eq!(world.status("paul", &late).await, "STATUS_WAIT_CODE");
    world.pass(1);
    assert!(world.status("paul", &late).await.starts_with("STATUS_OK:"));
    world.pass(1_000_000);
    assert_eq!(world.status("paul", &never).await, "STATUS_WAIT_CODE");
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_booked_at_once_and_comes_after_five_seconds() {
    let world = World::new();
    let begun = Instant::now();
    let buying = world.buy("paul", "6", "sbslow");
    let watching = async {
        tokio::time::sleep(Duration::from_millis(4_900)).await;
        assert_eq!(world.sold().await.len(), 1);
        world.active("paul").await
    };
    let ((id, _), active) = tokio::join!(buying, watching);
    assert_eq!(active, [id]);
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn an_answer_lost_after_the_sale_leaves_a_number_and_one_lost_before_does_not() {
    let world = World::new();
    let query = |service: &str| format!("action=getNumber&country=6&service={service}");
    assert!(hung_up(&world.raw("paul", &query("sblostbefore")).await));
    assert!(world.sold().await.is_empty());
    assert_eq!(world.balance("paul").await, "100000.0000");
    assert!(hung_up(&world.raw("paul", &query("sblostafter")).await));
    assert_eq!(world.active("paul").await.len(), 1);
    assert_eq!(world.balance("paul").await, "99999.9900");
}

#[tokio::test]
async fn garbage_is_a_page_for_people_and_books_nothing() {
    let world = World::new();
    let answer = world
        .call("paul", "action=getNumber&country=6&service=sbgarbage")
        .await;
    assert!(answer.starts_with("<!DOCTYPE html>"), "{answer}");
    assert!(world.sold().await.is_empty());
}

#[tokio::test]
async fn the_provider_cancels_by_itself_and_refunds() {
    let world = World::new();
    let (id, _) = world.buy("paul", "6", "sbcancelled").await;
    world.pass(5_999);
    assert_eq!(world.status("paul", &id).await, "STATUS_WAIT_CODE");
    world.pass(1);
    assert_eq!(world.status("paul", &id).await, "STATUS_CANCEL");
    assert_eq!(world.balance("paul").await, "100000.0000");
    assert_eq!(world.sold().await[0]["status"], "cancelled");
}

#[tokio::test]
async fn a_second_code_comes_with_or_without_being_asked_for() {
    let world = World::new();
    let (asked, _) = world.buy("paul", "6", "sbsecond").await;
    let (unasked, _) = world.buy("paul", "6", "sbsecond").await;
    world.pass(4_000);
    let first = world.status("paul", &asked).await;
    let other = world.status("paul", &unasked).await;
    assert_eq!(
        world.set_status("paul", &asked, 3).await,
        "ACCESS_RETRY_GET"
    );
    world.pass(1_000);
    assert_eq!(
        world.set_status("paul", &asked, 3).await,
        "ACCESS_RETRY_GET"
    );
    let old = first.strip_prefix("STATUS_OK:").unwrap();
    assert_eq!(
        world.status("paul", &asked).await,
        format!("STATUS_WAIT_RETRY:{old}")
    );
    let list = world.call("paul", "action=getActiveActivations").await;
    assert_eq!(
        json_of(&list)["activeActivations"][0]["activationStatus"].as_str(),
        Some("3")
    );
    world.pass(7_000);
    for (id, before) in [(&asked, &first), (&unasked, &other)] {
        let second = world.status("paul", id).await;
        assert!(
            second.starts_with("STATUS_OK:") && second != *before,
            "{second}"
        );
    }
    assert_eq!(
        world.set_status("paul", &asked, 6).await,
        "ACCESS_ACTIVATION"
    );
}

#[tokio::test]
async fn the_text_of_a_bank_reads_like_one() {
    let world = World::new();
    let (id, _) = world.buy("paul", "6", "sbbank").await;
    world.pass(4_000);
    let answer = world.status("paul", &id).await;
    assert!(
        answer.contains("Bank") && answer.contains("transfer"),
        "{answer}"
    );
    assert_eq!(
        answer.matches(':').count(),
        1,
        "clients split at every colon"
    );
    let status = json_of(
        &world
            .call("paul", &format!("action=getStatusV2&id={id}"))
            .await,
    );
    assert!(
        status["sms"]["text"]
            .as_str()
            .unwrap()
            .contains("Do not share")
    );
}

#[tokio::test]
async fn they_are_there_on_every_server() {
    let world = World::new();
    for account in accounts()
        .iter()
        .filter(|account| account.protocol == Protocol::HandlerApi)
    {
        let prices = json_of(&world.call(account.name, "action=getPrices").await);
        let code = if account.server == "peter" {
            "990001"
        } else {
            "sbnonumbers"
        };
        for (country, offers) in prices.as_object().unwrap() {
            assert!(offers.get(code).is_some(), "{} {country}", account.name);
        }
    }
    let prices = world.john_json("guest/prices").await;
    for (country, offers) in prices.as_object().unwrap() {
        assert!(offers.get("sbnonumbers").is_some(), "john {country}");
    }
}
