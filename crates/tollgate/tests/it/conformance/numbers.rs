//! What the port of numbers promises, put to every adapter against a provider that keeps books.

use super::gate::Act;
use super::party::{Party, misbehaves};
use domain::time::Millis;
use domain::upstream::{
    CancelReply, Number, NumberOffer, NumberRequest, NumberStatus, Purchase, ReadFailure, Refusal,
};
use domain::usd::Usd;
use sandbox::Misbehaviour;
use std::collections::HashSet;
use tokio::task::JoinSet;

impl Party {
    async fn offers(&self) -> Vec<NumberOffer> {
        let listing = self.upstream.listing().await;
        listing
            .unwrap_or_else(|why| panic!("{}: {why}", self.name))
            .offers
    }

    /// Something that is sold in the ordinary way.
    async fn ordinary(&self) -> NumberRequest {
        let fits = |offer: &&NumberOffer| {
            offer.available != Some(0) && misbehaves(&offer.service).is_none()
        };
        let offers = self.offers().await;
        wanted(offers.iter().find(fits).unwrap())
    }

    /// Something that goes wrong in this way.
    async fn going_wrong(&self, how: Misbehaviour) -> Option<NumberRequest> {
        let offers = self.offers().await;
        let found = offers
            .iter()
            .find(|offer| misbehaves(&offer.service) == Some(how));
        found.map(wanted)
    }

    async fn refusal_of(&self, request: &NumberRequest) -> Refusal {
        match self.upstream.buy(request).await.outcome {
            Purchase::Refused(refusal) => refusal,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    async fn bought(&self, request: &NumberRequest) -> Number {
        let reply = self.upstream.buy(request).await;
        match reply.outcome {
            Purchase::Done(number) => number,
            other => panic!("{}: {other:?} {}", self.name, reply.raw),
        }
    }
}

fn wanted(offer: &NumberOffer) -> NumberRequest {
    NumberRequest {
        service: offer.service.clone(),
        country: offer.country.clone(),
        pool: offer.pool.clone(),
        max_cost: offer.cost,
        reference: "tollgate-1-1-1780000000000".to_owned(),
    }
}

fn called(request: &NumberRequest, reference: &str) -> NumberRequest {
    NumberRequest {
        reference: reference.to_owned(),
        ..request.clone()
    }
}

#[tokio::test]
async fn a_listing_names_all_that_it_sells_and_nothing_is_free() {
    for party in Party::all().await {
        let name = &party.name;
        let listing = party.upstream.listing().await.unwrap();
        let ids = |rows: &[(String, String)]| -> HashSet<String> {
            rows.iter().map(|(id, _)| id.clone()).collect()
        };
        let (countries, services) = (ids(&listing.countries), ids(&listing.services));
        assert_eq!(countries.len(), listing.countries.len(), "{name}");
        assert_eq!(services.len(), listing.services.len(), "{name}");
        for offer in &listing.offers {
            assert!(countries.contains(&offer.country), "{name}: {offer:?}");
            assert!(services.contains(&offer.service), "{name}: {offer:?}");
            assert!(offer.cost > Usd::ZERO, "{name}: {offer:?}");
            assert!(offer.success_rate.is_none_or(|rate| rate <= 100), "{name}");
        }
        let distinct: HashSet<_> = listing
            .offers
            .iter()
            .map(|offer| (&offer.country, &offer.service, &offer.pool))
            .collect();
        assert_eq!(distinct.len(), listing.offers.len(), "{name}: sold twice");
        assert!(!listing.offers.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_number_is_rented_waits_receives_and_ends() {
    for party in Party::all().await {
        let (name, upstream) = (&party.name, &party.upstream);
        let sheet = upstream.capabilities().clone();
        let before = upstream.balance().await;
        assert_eq!(before.is_ok(), sheet.balance, "{name}: {before:?}");
        let request = party.ordinary().await;
        let number = party.bought(&request).await;
        assert!(
            number.cost.is_none_or(|cost| cost <= request.max_cost),
            "{name}"
        );
        assert!(number.lifetime.is_none_or(|life| life.0 > 0), "{name}");
        if let (Ok(before), Some(cost)) = (&before, number.cost) {
            assert_eq!(
                upstream.balance().await,
                Ok(before.checked_sub(cost).unwrap()),
                "{name}"
            );
        }
        assert_eq!(
            upstream.status(&number.id).await,
            Ok(NumberStatus::Waiting),
            "{name}"
        );
        listed(&party, &request, &number).await;
        party.code_comes(&number.phone).await;
        let status = upstream.status(&number.id).await;
        let Ok(NumberStatus::Code(sms)) = status else {
            panic!("{name}: {status:?}");
        };
        assert_eq!(sms.code.len(), 6, "{name}: {sms:?}");
        assert!(
            sms.text.is_none_or(|text| text.contains(&sms.code)),
            "{name}"
        );
        assert_eq!(
            upstream.cancel(&number.id).await.outcome,
            CancelReply::BadTransition,
            "{name}"
        );
        let finished = upstream.finish(&number.id).await;
        assert!(
            matches!(finished, Ok(()) | Err(ReadFailure::NotOffered)),
            "{name}: {finished:?}"
        );
        // an ended activation never reads as one that ended without a code
        let status = upstream.status(&number.id).await;
        assert!(
            matches!(
                status,
                Ok(NumberStatus::Code(_) | NumberStatus::ClosedAmbiguous)
            ),
            "{name}: {status:?}"
        );
    }
}

/// The list of what is active tells a sale by all that a lost answer is recognised by.
async fn listed(party: &Party, request: &NumberRequest, number: &Number) {
    let name = &party.name;
    let active = party.upstream.active().await;
    if !party.upstream.capabilities().list_active {
        return;
    }
    let active = active.unwrap_or_else(|why| panic!("{name}: {why}"));
    assert_eq!(active.len(), 1, "{name}: {active:?}");
    let row = &active[0];
    assert_eq!(
        (&row.id, &row.service, row.phone.as_ref()),
        (&number.id, &request.service, Some(&number.phone)),
        "{name}"
    );
    assert!(
        row.country
            .as_ref()
            .is_none_or(|country| *country == request.country),
        "{name}: {row:?}"
    );
    assert_eq!((&row.sms, row.retry_asked), (&None, false), "{name}");
}

#[tokio::test]
async fn a_cancel_is_refused_too_early_then_granted_once_and_for_all() {
    for party in Party::all().await {
        let (name, upstream) = (&party.name, &party.upstream);
        let sheet = upstream.capabilities().clone();
        assert!(sheet.cancel, "{name}");
        let before = upstream.balance().await;
        let request = match party.going_wrong(Misbehaviour::NeverACode).await {
            Some(never) => never,
            None => party.ordinary().await,
        };
        let number = party.bought(&request).await;
        let provider_locks = party.gate().is_some() && sheet.min_cancel_age > Millis(0);
        if provider_locks {
            let early = upstream.cancel(&number.id).await.outcome;
            assert!(
                matches!(early, CancelReply::TooEarly(_)),
                "{name}: {early:?}"
            );
            assert_eq!(
                upstream.status(&number.id).await,
                Ok(NumberStatus::Waiting),
                "{name}"
            );
        }
        party.clock.pass(sheet.min_cancel_age);
        let cancelled = upstream.cancel(&number.id).await.outcome;
        assert_eq!(cancelled, CancelReply::Cancelled, "{name}");
        // some forget what they cancelled, some say that it is over: the engine asks for the status
        let again = upstream.cancel(&number.id).await.outcome;
        let open = matches!(again, CancelReply::TooEarly(_) | CancelReply::Unknown);
        assert!(!open, "{name}: {again:?}");
        let status = upstream.status(&number.id).await;
        assert!(
            matches!(
                status,
                Ok(NumberStatus::Closed | NumberStatus::ClosedAmbiguous)
            ),
            "{name}: {status:?}"
        );
        assert_eq!(
            upstream.balance().await,
            before,
            "{name}: money stays there"
        );
        if sheet.list_active {
            assert_eq!(upstream.active().await, Ok(vec![]), "{name}");
        }
    }
}

#[tokio::test]
async fn every_class_of_refusal_is_told_apart_and_nothing_is_bought() {
    for party in Party::all().await {
        let name = &party.name;
        let request = party.ordinary().await;
        let unsold = NumberRequest {
            service: "nosuchservice".to_owned(),
            ..request.clone()
        };
        assert_eq!(party.refusal_of(&unsold).await, Refusal::NotSold, "{name}");
        if let Some(none) = party.going_wrong(Misbehaviour::NoNumbers).await {
            assert_eq!(party.refusal_of(&none).await, Refusal::NoStock, "{name}");
        }
        if party.upstream.capabilities().max_price {
            let capped = NumberRequest {
                max_cost: Usd(request.max_cost.0 - 1),
                ..request.clone()
            };
            // one protocol has the same words for "none" and for "none at that price"
            let refusal = party.refusal_of(&capped).await;
            assert!(
                matches!(refusal, Refusal::PriceMoved | Refusal::NoStock),
                "{name}: {refusal:?}"
            );
        }
        if let Some(stranger) = party.with_wrong_key() {
            let reply = stranger.buy(&request).await;
            assert_eq!(
                reply.outcome,
                Purchase::Refused(Refusal::UpstreamAuth),
                "{name}"
            );
            assert!(!reply.raw.contains("not-the-key"), "{name}: {}", reply.raw);
            assert!(stranger.balance().await.is_err(), "{name}");
        }
        if let Some(nobody) = party.at_nobody() {
            let reply = nobody.buy(&request).await;
            assert_eq!(
                reply.outcome,
                Purchase::Refused(Refusal::Unreachable),
                "{name}"
            );
        }
        if party.upstream.capabilities().balance {
            party.spend_everything().await;
            assert_eq!(
                party.refusal_of(&request).await,
                Refusal::UpstreamFunds,
                "{name}"
            );
        }
        if let Some(practice) = party.practice() {
            assert_eq!(practice.sold().await, 0, "{name}");
        }
    }
}

#[tokio::test]
async fn an_id_that_was_never_given_out_is_unknown_and_not_closed() {
    for party in Party::all().await {
        let (name, upstream) = (&party.name, &party.upstream);
        for id in ["987654321", "ZZZZZZZZ", ""] {
            let status = upstream.status(id).await;
            assert!(status.is_err(), "{name} {id:?}: {status:?}");
            let cancelled = upstream.cancel(id).await.outcome;
            let open = matches!(cancelled, CancelReply::UnknownOrder | CancelReply::Unknown);
            // a provider may not tell an unknown id from one that was cancelled before
            let forgotten = cancelled == CancelReply::Cancelled;
            assert!(open || forgotten, "{name} {id:?}: {cancelled:?}");
        }
        assert_eq!(
            upstream.status("987654321").await,
            Err(ReadFailure::UnknownOrder),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_purchase_whose_answer_is_lost_is_in_doubt_and_was_sent_once() {
    for party in Party::all().await {
        let (name, Some(gate)) = (&party.name, party.gate()) else {
            continue;
        };
        let sheet = party.upstream.capabilities().clone();
        let request = party.ordinary().await;
        for (how, booked) in [
            (Misbehaviour::LostAfterSale, 1),
            (Misbehaviour::LostBeforeSale, 1),
            (Misbehaviour::Garbage, 1),
        ] {
            let lost = party.going_wrong(how).await.unwrap();
            let lost = called(&lost, &format!("tollgate-{how:?}"));
            let before = gate.requests().len();
            let reply = party.upstream.buy(&lost).await;
            let sent = gate.requests().len() - before;
            let sold = party.practice().unwrap().sold().await;
            if sheet.idempotency_key {
                // sent again with its id: that cannot buy twice, and may tell what became of it
                assert!(sent <= 2, "{name} {how:?}");
            } else {
                assert_eq!(
                    (&reply.outcome, sent),
                    (&Purchase::Unknown, 1),
                    "{name} {how:?}"
                );
            }
            assert_eq!(sold, booked, "{name} {how:?}");
        }
        let before = gate.requests().len();
        gate.does(Act::HangUp);
        let reply = party
            .upstream
            .buy(&called(&request, "tollgate-hung-up"))
            .await;
        assert_eq!(reply.outcome, Purchase::Unknown, "{name}");
        let sent = gate.requests().len() - before;
        assert_eq!(sent, 1 + usize::from(sheet.idempotency_key), "{name}");
        gate.does(Act::Pass);
        // the sale whose answer was lost can be found, where sales are listed
        if sheet.list_active {
            assert_eq!(party.upstream.active().await.unwrap().len(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn two_purchases_are_two_numbers_and_a_repeat_is_one_where_the_sheet_says_so() {
    for party in Party::all().await {
        let name = &party.name;
        let sheet = party.upstream.capabilities().clone();
        assert_eq!(sheet.dup_window, Millis(0), "{name}");
        let request = party.ordinary().await;
        let first = party.bought(&called(&request, "tollgate-a")).await;
        let second = party.bought(&called(&request, "tollgate-b")).await;
        assert_ne!(first.id, second.id, "{name}");
        assert_ne!(first.phone, second.phone, "{name}");
        if sheet.idempotency_key {
            let again = party.bought(&called(&request, "tollgate-a")).await;
            assert_eq!(again.id, first.id, "{name}");
        }
    }
}

#[tokio::test]
async fn more_sales_than_one_page_holds_are_all_listed() {
    for party in Party::all().await {
        let sheet = party.upstream.capabilities().clone();
        let Some(page) = sheet.list_page_limit.filter(|rows| *rows <= 100) else {
            continue;
        };
        let request = party.ordinary().await;
        for number in 0..=page {
            party
                .bought(&called(&request, &format!("tollgate-{number}")))
                .await;
        }
        let active = party.upstream.active().await.unwrap();
        assert_eq!(
            active.len(),
            usize::try_from(page).unwrap() + 1,
            "{}",
            party.name
        );
    }
}

#[tokio::test]
async fn a_read_that_fails_is_a_failure_and_never_an_empty_list() {
    // each waits before it asks again: all of them at once
    let mut parties = JoinSet::new();
    for party in Party::all().await {
        parties.spawn(async move { reads_fail(&party).await });
    }
    while let Some(done) = parties.join_next().await {
        done.unwrap();
    }
}

async fn reads_fail(party: &Party) {
    let Some(practice) = party.practice() else {
        return;
    };
    let number = party.bought(&party.ordinary().await).await;
    let faults = "{\"rates\":{\"read_500\":1}}";
    practice.post("/_sandbox/faults", faults).await;
    let (name, upstream) = (&party.name, &party.upstream);
    assert!(upstream.status(&number.id).await.is_err(), "{name}");
    assert!(upstream.active().await.is_err(), "{name}");
    assert!(upstream.balance().await.is_err(), "{name}");
    assert!(upstream.listing().await.is_err(), "{name}");
}
