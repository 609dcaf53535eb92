//! What the accounts' dialects print differently.

use super::*;

#[tokio::test]
async fn the_hero_dialect_speaks_in_statuses_and_problems() {
    let world = World::new();
    let refused = async |parameters: &str| {
        let response = world.raw("juliet", parameters).await;
        let status = response.status().as_u16();
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/html"), "{kind}");
        (status, json_of(&text_of(response).await)["title"].clone())
    };
    let country = world.country_of("juliet").await;
    for (parameters, status, title) in [
        ("action=getStatus&id=1", 404, "NO_ACTIVATION"),
        ("action=nothing", 404, "BAD_ACTION"),
        ("action=getNumber&country=1&service=jtg", 400, "BAD_COUNTRY"),
    ] {
        let (found, word) = refused(parameters).await;
        assert_eq!(
            (found, word.as_str()),
            (status, Some(title)),
            "{parameters}"
        );
    }
    let (id, _) = world.buy("juliet", &country, "sbnever").await;
    let cancel = format!("action=setStatus&id={id}&status=8");
    let early = world.raw("juliet", &cancel).await;
    assert_eq!(early.status().as_u16(), 409);
    let problem = json_of(&text_of(early).await);
    assert_eq!(problem["info"]["minActivationTime"].as_u64(), Some(120));
    let listed = json_of(&world.call("juliet", "action=getActiveActivations").await);
    assert_eq!(listed["data"][0]["activationId"].to_string(), id);
    assert_eq!(
        listed["activeActivations"]["rows"][0]["activationId"].to_string(),
        id
    );
    let history = json_of(&world.call("juliet", "action=getHistory").await);
    assert_eq!(history["data"][0]["id"].as_str(), Some(id.as_str()));
}

#[tokio::test]
async fn arrays_objects_and_ladders_where_the_dialect_has_them() {
    let world = World::new();
    for account in ["juliet", "peter2", "mark"] {
        let countries = json_of(&world.call(account, "action=getCountries").await);
        assert!(countries.is_array(), "{account}");
    }
    assert!(json_of(&world.call("peter2", "action=getServicesList").await).is_object());
    assert!(json_of(&world.call("mark", "action=getServicesList").await).is_array());
    assert_eq!(
        world.call("mark", "action=getActiveActivations").await,
        "[]"
    );
    let country = world.country_of("mark").await;
    let query = format!("action=getPricesV2&country={country}&service=tg");
    let ladder = json_of(&world.call("mark", &query).await)[&country]["tg"].clone();
    assert_eq!(ladder.as_object().unwrap().len(), 3, "{ladder}");
    let query = format!("action=getNumberV2&country={country}&service=tg");
    let sold = json_of(&world.call("mark", &query).await);
    assert!(sold["activationCancel"].is_string(), "{sold}");
    let stock = json_of(
        &world
            .call(
                "mark",
                &format!("action=getNumbersStatus&country={country}"),
            )
            .await,
    );
    assert!(stock["tg"].as_u64().unwrap() > 0, "{stock}");
}

#[tokio::test]
async fn a_purchase_sent_again_under_its_id_sells_nothing_twice() {
    let world = World::new();
    let query = "action=getNumberV2&country=6&service=tg&orderId=a-1";
    let first = world.call("paul", query).await;
    assert_eq!(world.call("paul", query).await, first);
    assert_eq!(world.balance("paul").await, "99999.8500");
    let other = query.replace("=tg", "=sbnever");
    assert_eq!(world.call("paul", &other).await, "ORDER_ALREADY_EXISTS");
    let lost = "action=getNumberV2&country=6&service=sblostafter&orderId=a-2";
    assert_ne!(world.raw("paul", lost).await.status(), StatusCode::OK);
    let again = json_of(&world.call("paul", lost).await);
    assert!(again["activationId"].is_u64(), "{again}");
    assert_eq!(world.active("paul").await.len(), 2);
}
