//! The practice payment processors: words of invoices and payments, calls that go wrong, events
//! that are signed and come again.

use super::*;
use crate::payments::btcpay::{BTCPAY_KEY, BTCPAY_WEBHOOK_SECRET};
use crate::payments::nowpayments::{NOWPAYMENTS_IPN_SECRET, NOWPAYMENTS_KEY};
use domain::top_up::Stand;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wire::btcpay::{Invoice, received};
use wire::nowpayments::Payment;

const INVOICES: &str = "/btcpay/api/v1/stores/practice/invoices";

impl World {
    async fn asked(&self, method: &str, path: &str, body: &str) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:7000")
            .header("authorization", format!("token {BTCPAY_KEY}"))
            .header("x-api-key", NOWPAYMENTS_KEY)
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn answered(&self, method: &str, path: &str, body: &str) -> String {
        let response = self.asked(method, path, body).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        text_of(response).await
    }

    async fn invoice(&self, shop: &str) -> Invoice {
        let order = json!({
            "amount": "25.00", "currency": "USD", "metadata": { "orderId": "tu_42" },
            "checkout": { "redirectURL": format!("{shop}/wallet/top-up/42") },
        });
        Invoice::parse(&self.answered("POST", INVOICES, &order.to_string()).await).unwrap()
    }

    /// Does something without telling anybody; gives the bodies of the events.
    async fn quietly(&self, processor: &str, act: Value) -> Option<Vec<Value>> {
        let order = json!({ "processor": processor, "act": act, "deliver": { "times": 0 } });
        let (status, made) = self
            .control("POST", "/_sandbox/payments", &order.to_string())
            .await;
        (status == StatusCode::OK).then(|| made["events"].as_array().unwrap().clone())
    }

    async fn read(&self, id: &str) -> Invoice {
        let body = self.answered("GET", &format!("{INVOICES}/{id}"), "").await;
        Invoice::parse(&body).unwrap()
    }
}

#[tokio::test]
async fn invoices_go_the_ways_of_a_btcpay_server() {
    let world = World::new();
    let stories: [(&[&str], &str, &str, i64); 7] = [
        (&["pay"], "Settled", "None", 2500),
        (&["receive", "settle"], "Settled", "None", 2500),
        (&["over"], "Settled", "PaidOver", 3000),
        (&["partial", "expire"], "Expired", "PaidPartial", 1250),
        (&["expire", "late", "settle"], "Settled", "PaidLate", 2500),
        (&["mark"], "Settled", "Marked", 0),
        (&["pay", "void"], "Invalid", "None", 2500),
    ];
    for (story, status, additional, cents) in stories {
        let one = world.invoice("http://127.0.0.1:1").await;
        for action in story {
            let act = json!({ "id": one.id, "do": action });
            let events = world.quietly("btcpay", act).await.unwrap();
            for event in &events {
                let (body, signature) = (&event["body"], &event["signature"]);
                let body = body.as_str().unwrap().as_bytes();
                let header = signature.as_str().unwrap();
                assert!(wire::btcpay::verify(&[BTCPAY_WEBHOOK_SECRET], header, body).is_ok());
            }
        }
        let now = world.read(&one.id).await;
        assert_eq!(
            (now.status.as_str(), now.additional.as_str()),
            (status, additional)
        );
        let ways = format!("{INVOICES}/{}/payment-methods", one.id);
        let ways = world.answered("GET", &ways, "").await;
        assert_eq!(received(&ways, "USD").unwrap().minor, cents, "{story:?}");
    }
    let one = world.invoice("http://127.0.0.1:1").await;
    let set = json!({ "id": one.id, "do": "set", "status": "Settled", "additional": "Invalid" });
    assert!(world.quietly("btcpay", set).await.is_some());
    let nothing = json!({ "id": one.id, "do": "partial" });
    assert_eq!(
        world.quietly("btcpay", nothing).await,
        None,
        "it is settled"
    );
    let settled = format!("{INVOICES}?status=Settled&take=3&skip=1");
    let settled = wire::btcpay::list(&world.answered("GET", &settled, "").await).unwrap();
    assert_eq!(settled.len(), 3);
    world.pass(3_600_000);
    let late = world.invoice("http://127.0.0.1:1").await;
    world.pass(3_600_000);
    assert_eq!(world.read(&late.id).await.status, "Expired");
    let strange = json!({ "amount": "x", "currency": "<b>" }).to_string();
    let refused = world.asked("POST", INVOICES, &strange).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let stranger = world.send("GET", INVOICES, "").await;
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn payments_go_the_ways_of_nowpayments() {
    let world = World::new();
    let order = json!({
        "price_amount": 25.00, "price_currency": "usd", "order_id": "tu_42",
        "ipn_callback_url": "http://127.0.0.1:1/hooks/nowpayments",
        "success_url": "http://127.0.0.1:1/wallet/top-up/42",
    });
    let opened = world
        .answered("POST", "/nowpayments/v1/invoice", &order.to_string())
        .await;
    let (invoice, url) = wire::nowpayments::invoice(&opened).unwrap();
    let page = url.strip_prefix("http://127.0.0.1:7000").unwrap();
    assert!(world.answered("GET", page, "").await.contains("25.00 USD"));
    let last = async |action: &str| {
        let act = json!({ "id": invoice, "do": action });
        let events = world.quietly("nowpayments", act).await.unwrap();
        for event in &events {
            let (body, header) = (event["body"].as_str().unwrap(), &event["signature"]);
            assert!(body.contains("0.00001"), "small numbers are part of it");
            let secrets = [NOWPAYMENTS_IPN_SECRET];
            let header = header.as_str().unwrap();
            assert!(wire::nowpayments::verify(&secrets, header, body.as_bytes()).is_ok());
        }
        let body = events.last().unwrap()["body"].as_str().unwrap();
        (events.len(), Payment::parse(body).unwrap())
    };
    assert_eq!(last("wait").await.0, 1);
    let (steps, part) = last("partial").await;
    assert_eq!((steps, part.status.as_str()), (4, "partially_paid"));
    assert_eq!(part.fact().received.unwrap().minor, 1250);
    let (_, second) = last("again").await;
    assert_ne!(second.id, part.id);
    assert_eq!(second.fact().stand, Stand::Paid);
    assert_eq!(last("refund").await.1.status, "refunded");
    let path = format!("/nowpayments/v1/payment/{}", second.id);
    let read = Payment::parse(&world.answered("GET", &path, "").await).unwrap();
    assert_eq!(read.status, "refunded");
    let stranger = world.send("GET", &path, "").await;
    assert_eq!(stranger.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_next_calls_go_wrong_as_they_are_told_to() {
    let world = World::new();
    let calls = r#"["lost_before","error500_after","none","lost_after"]"#;
    let (status, _) = world
        .control("POST", "/_sandbox/payments/calls", calls)
        .await;
    assert_eq!(status, StatusCode::OK);
    let order = r#"{"amount":"25.00","currency":"USD"}"#;
    assert!(hung_up(&world.asked("POST", INVOICES, order).await));
    let lost = world.asked("POST", INVOICES, order).await;
    assert_eq!(lost.status(), StatusCode::INTERNAL_SERVER_ERROR);
    world.answered("POST", INVOICES, order).await;
    assert!(hung_up(&world.asked("POST", INVOICES, order).await));
    let (_, shown) = world.control("GET", "/_sandbox/payments", "").await;
    assert_eq!(
        shown["payments"].as_array().unwrap().len(),
        3,
        "what was lost is there"
    );
}

/// A shop that refuses the first event it hears; gives what it heard.
async fn heard(shop: TcpListener, events: usize) -> Vec<String> {
    let mut heard = Vec::new();
    for number in 0..events {
        let (mut stream, _) = shop.accept().await.unwrap();
        let mut request = vec![0; 8192];
        let length = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8(request[..length].to_vec()).unwrap();
        let status = if number == 0 { "500 No" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        heard.push(request);
    }
    heard
}

#[tokio::test]
async fn an_event_that_was_not_taken_comes_again_as_the_same_news() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = format!("http://{}", listener.local_addr().unwrap());
    let one = world.invoice(&shop).await;
    let order = json!({ "processor": "btcpay", "act": { "id": one.id, "do": "expire" } });
    let order = order.to_string();
    let told = world.control("POST", "/_sandbox/payments", &order);
    let ((status, made), heard) = tokio::join!(told, heard(listener, 2));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(made["events"][0]["answers"], json!([500]));
    let body = |place: usize| json_of(heard[place].split("\r\n\r\n").nth(1).unwrap());
    assert!(heard[0].starts_with("POST /hooks/btcpay HTTP/1.1"));
    assert_eq!(body(1)["originalDeliveryId"], body(0)["deliveryId"]);
    assert_ne!(body(1)["deliveryId"], body(0)["deliveryId"]);
    assert_eq!(
        (&body(0)["isRedelivery"], &body(1)["isRedelivery"]),
        (&json!(false), &json!(true))
    );
}
