//! What the port of SMM panels promises, put to the adapter against a panel that keeps books.

use super::gate::{Act, Gate};
use super::party::{HandClock, PATIENT_MS, Practice, panel_adapter, practice_account};
use domain::time::Millis;
use domain::upstream::{
    CancelReply, PanelRequest, PanelStatus, PanelUpstream, Progress, Purchase, ReadFailure,
    RefillProgress, RefillReply, Refusal,
};
use domain::usd::Usd;
use std::sync::Arc;
use upstream::Panel;

struct Desk {
    panel: Panel,
    gate: Gate,
    practice: Practice,
    clock: Arc<HandClock>,
}

impl Desk {
    async fn open() -> Self {
        let clock = HandClock::new();
        let practice = Practice::open(&clock).await;
        let gate = Gate::before(practice.address());
        Self {
            panel: panel_adapter(&gate.url(), practice_account("panel").key, PATIENT_MS),
            gate,
            practice,
            clock,
        }
    }

    async fn placed(&self, request: &PanelRequest) -> String {
        let reply = self.panel.place(request).await;
        match reply.outcome {
            Purchase::Done(id) => id,
            other => panic!("{other:?} {}", reply.raw),
        }
    }

    async fn status(&self, id: &str) -> PanelStatus {
        let rows = self.panel.statuses(&[id.to_owned()]).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].0, id);
        rows[0].1.clone().unwrap()
    }
}

/// Followers of the first service, with this behind the link.
fn followers(quantity: &str, link: &str) -> PanelRequest {
    let link = format!("https://instagram.com/{link}");
    PanelRequest {
        service: "1".to_owned(),
        members: vec![("link", link), ("quantity", quantity.to_owned())],
        ..PanelRequest::default()
    }
}

#[tokio::test]
async fn services_are_listed_with_known_types_and_prices() {
    let desk = Desk::open().await;
    let services = desk.panel.services().await.unwrap();
    assert!(services.len() >= 40, "{}", services.len());
    for service in &services {
        assert!(service.kind.is_some() && service.rate.0 > 0, "{service:?}");
        assert!(service.min <= service.max, "{service:?}");
    }
}

#[tokio::test]
async fn an_order_is_paid_listed_delivered_and_refilled() {
    let desk = Desk::open().await;
    assert!(desk.panel.capabilities().balance && desk.panel.capabilities().list_active);
    let before = desk.panel.balance().await.unwrap();
    let id = desk.placed(&followers("1000", "ana")).await;
    let paid = before.checked_sub(Usd(900_000)).unwrap();
    assert_eq!(desk.panel.balance().await, Ok(paid));
    let orders = desk.panel.orders().await.unwrap();
    assert_eq!(orders.len(), 1);
    let row = (
        &orders[0].id,
        orders[0].service.as_str(),
        orders[0].link.as_str(),
    );
    assert_eq!(row, (&id, "1", "https://instagram.com/ana"));
    assert_eq!(desk.status(&id).await.progress, Some(Progress::Pending));
    let early = desk.panel.refill(&id).await.outcome;
    assert_eq!(early, RefillReply::Refused);
    desk.clock.pass(Millis::seconds(7));
    let done = desk.status(&id).await;
    assert_eq!(
        (done.progress, done.remains, done.charge),
        (Some(Progress::Completed), Some(0), Some(Usd(900_000)))
    );
    let RefillReply::Taken(refill) = desk.panel.refill(&id).await.outcome else {
        panic!("no refill")
    };
    desk.clock.pass(Millis::seconds(6));
    let rows = desk
        .panel
        .refill_statuses(std::slice::from_ref(&refill))
        .await;
    assert_eq!(rows, Ok(vec![(refill, Ok(RefillProgress::Completed))]));
    let late = desk.panel.cancel(&id).await.outcome;
    assert_eq!(late, CancelReply::BadTransition);
}

#[tokio::test]
async fn a_cancel_is_a_request_and_its_outcome_a_status() {
    let desk = Desk::open().await;
    let before = desk.panel.balance().await.unwrap();
    let id = desk.placed(&followers("1000", "ana")).await;
    assert_eq!(desk.panel.cancel(&id).await.outcome, CancelReply::Cancelled);
    assert_eq!(desk.status(&id).await.progress, Some(Progress::Pending));
    desk.clock.pass(Millis::seconds(2));
    assert_eq!(desk.status(&id).await.progress, Some(Progress::Canceled));
    assert_eq!(desk.panel.balance().await, Ok(before));
    let unknown = desk.panel.cancel("987654321").await.outcome;
    assert_eq!(unknown, CancelReply::UnknownOrder);
}

#[tokio::test]
async fn of_many_ids_each_has_a_row_of_its_own_and_an_error_of_one_is_data() {
    let desk = Desk::open().await;
    let first = desk.placed(&followers("50", "ana")).await;
    let second = desk.placed(&followers("60", "bob?sandbox=partial:7")).await;
    desk.clock.pass(Millis::seconds(7));
    let asked = [first.clone(), "987654321".to_owned(), second.clone()];
    let rows = desk.panel.statuses(&asked).await.unwrap();
    let of = |id: &str| rows.iter().find(|(row, _)| row == id).unwrap().1.clone();
    assert_eq!(rows.len(), 3);
    assert_eq!(of(&first).unwrap().progress, Some(Progress::Completed));
    let partial = of(&second).unwrap();
    assert_eq!(
        (partial.progress, partial.remains),
        (Some(Progress::Partial), Some(7))
    );
    assert_eq!(of("987654321"), Err(ReadFailure::UnknownOrder));
    let many: Vec<String> = (1..=101).map(|id| id.to_string()).collect();
    assert!(desk.panel.statuses(&many).await.is_err());
}

#[tokio::test]
async fn every_class_of_refusal_is_told_apart_and_nothing_is_bought() {
    let desk = Desk::open().await;
    let refused = async |request: PanelRequest| match desk.panel.place(&request).await.outcome {
        Purchase::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    let gone = PanelRequest {
        service: "999999".to_owned(),
        ..followers("50", "ana")
    };
    assert_eq!(refused(gone).await, Refusal::NotSold);
    let quantity = Refusal::RejectedInput {
        member: Some("quantity"),
    };
    assert_eq!(refused(followers("1", "ana")).await, quantity);
    assert_eq!(refused(followers("99999999", "ana")).await, quantity);
    let link = Refusal::RejectedInput {
        member: Some("link"),
    };
    assert_eq!(refused(followers("50", "a b")).await, link);
    // words of the customer's own never look like the panel's
    let words = followers("1", "?x=Not-enough-funds-on-balance");
    assert_eq!(refused(words).await, quantity);
    let stranger = panel_adapter(&desk.gate.url(), "not-the-key", PATIENT_MS);
    let reply = stranger.place(&followers("50", "ana")).await;
    assert_eq!(reply.outcome, Purchase::Refused(Refusal::UpstreamAuth));
    let nobody = panel_adapter("http://127.0.0.1:9", "key", PATIENT_MS);
    let reply = nobody.place(&followers("50", "ana")).await;
    assert_eq!(reply.outcome, Purchase::Refused(Refusal::Unreachable));
    let empty = "{\"upstream\":\"panel\",\"balance\":\"0.00\"}";
    desk.practice.post("/_sandbox/balance", empty).await;
    assert_eq!(
        refused(followers("50", "ana")).await,
        Refusal::UpstreamFunds
    );
    assert_eq!(desk.practice.sold().await, 0);
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_in_doubt_and_was_sent_once() {
    let desk = Desk::open().await;
    for (number, (wish, booked)) in [("lost", 1), ("lostbefore", 1)].into_iter().enumerate() {
        let lost = followers("50", &format!("ana{number}?sandbox={wish}"));
        let before = desk.gate.requests().len();
        assert_eq!(
            desk.panel.place(&lost).await.outcome,
            Purchase::Unknown,
            "{wish}"
        );
        assert_eq!(desk.gate.requests().len(), before + 1, "{wish}");
        assert_eq!(desk.practice.sold().await, booked, "{wish}");
    }
    assert_eq!(desk.panel.orders().await.unwrap().len(), 1);
    desk.gate.does(Act::HangUp);
    let before = desk.gate.requests().len();
    let reply = desk.panel.place(&followers("50", "bob")).await;
    assert_eq!(reply.outcome, Purchase::Unknown);
    assert_eq!(desk.gate.requests().len(), before + 1);
}

#[tokio::test]
async fn a_panel_read_that_fails_is_a_failure_and_never_an_empty_list() {
    let desk = Desk::open().await;
    let id = desk.placed(&followers("50", "ana")).await;
    desk.practice
        .post("/_sandbox/faults", "{\"rates\":{\"read_500\":1}}")
        .await;
    assert!(desk.panel.statuses(&[id]).await.is_err());
    assert!(desk.panel.orders().await.is_err());
    assert!(desk.panel.balance().await.is_err());
    assert!(desk.panel.services().await.is_err());
}

#[tokio::test]
async fn a_poll_takes_its_answer_and_a_subscription_is_told_by_its_children() {
    let desk = Desk::open().await;
    let poll = |answer: &str| PanelRequest {
        service: "102".to_owned(),
        members: vec![
            ("link", "https://t.me/channel/7".to_owned()),
            ("quantity", "50".to_owned()),
            ("answer_number", answer.to_owned()),
        ],
        ..PanelRequest::default()
    };
    desk.placed(&poll("2")).await;
    let refused = desk.panel.place(&poll("none")).await.outcome;
    assert!(matches!(refused, Purchase::Refused(_)), "{refused:?}");
    let subscription = PanelRequest {
        service: "14".to_owned(),
        members: [
            ("username", "ana"),
            ("min", "20"),
            ("max", "40"),
            ("posts", "2"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec(),
        ..PanelRequest::default()
    };
    let before = desk.panel.balance().await.unwrap();
    let id = desk.placed(&subscription).await;
    assert_eq!(desk.panel.balance().await, Ok(before), "nobody has posted");
    let begun = desk.status(&id).await;
    assert_eq!(
        (begun.progress, begun.child_ids.len()),
        (Some(Progress::InProgress), 0)
    );
    desk.clock.pass(Millis::seconds(5));
    let told = desk.status(&id).await;
    assert_eq!(
        (told.progress, told.child_ids.len()),
        (Some(Progress::Completed), 2)
    );
    desk.clock.pass(Millis::seconds(6));
    let mut children = Vec::new();
    for child in desk.status(&id).await.child_ids {
        children.push(desk.status(&child).await);
    }
    let done = |child: &PanelStatus| child.progress == Some(Progress::Completed);
    assert!(children.iter().all(done), "{children:?}");
    let charged = children.iter().map(|child| child.charge.unwrap().0).sum();
    let left = before.checked_sub(Usd(charged)).unwrap();
    assert_eq!(desk.panel.balance().await, Ok(left));
    // what a subscription makes was not placed, and so is no order that somebody lost
    assert_eq!(desk.panel.orders().await.unwrap().len(), 2);
}
