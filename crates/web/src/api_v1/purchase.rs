//! A purchase whose client may hang up: then nobody waits for its outcome, and the engine, which
//! sees that, undoes a success that nobody could be told of.

use super::Call;
use app::{Answer, KeyedRequest, Purchased, Refusal};
use domain::access::KeptAnswer;
use domain::ids::OrderId;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is looked whether an order stands under a key whose client hung up.
const LOOK: Duration = Duration::from_millis(50);

/// Waits for a purchase as long as its client does. Dropping the purchase is what tells the
/// engine; the answer given here is for a caller who only closed the sending side.
pub(super) async fn while_awaited<T>(
    call: &Call,
    purchase: impl Future<Output = Answer<Purchased<T>>> + Send,
) -> Answer<Purchased<T>> {
    let Some(connection) = &call.connection else {
        return purchase.await;
    };
    let purchase: Pin<Box<dyn Future<Output = Answer<Purchased<T>>> + Send>> = Box::pin(purchase);
    let Some(key) = &call.key else {
        let unknown = || Answer::first(Err(Refusal::OutcomeUnknown));
        tokio::select! {
            biased;
            // who is gone already gets nothing bought
            () = connection.ended() => return unknown(),
            () = std::future::ready(()) => {}
        }
        return tokio::select! {
            biased;
            answer = purchase => answer,
            () = connection.ended() => unknown(),
        };
    };
    tokio::select! {
        biased;
        answer = purchase => answer,
        order = async {
            connection.ended().await;
            promised(call, key).await
        } => Answer::first(Ok(Purchased::Pending(order))),
    }
}

/// The order under the key. Until there is one the purchase has not begun and must not be cut.
async fn promised(call: &Call, key: &KeyedRequest) -> OrderId {
    let store = call.engine.store();
    loop {
        sleep(LOOK).await;
        let account = call.caller.account.id;
        let claim = store.claim(account, &key.endpoint, &key.key, call.engine.now());
        if let Ok(Some(claim)) = claim.await
            && let KeptAnswer::Order(order) = claim.answer
            && claim.fingerprint == key.fingerprint
        {
            return order;
        }
    }
}
