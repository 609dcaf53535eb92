//! Places to pay: what becomes of a top-up whose processor answers late, never, or with a no.

use super::*;
use crate::tests::dashboard::browser::{Browser, customer, location, signed_in};
use app::NotBegun;
use domain::change::{Change, Write};
use domain::top_up::TopUpWrite;

const FORM: [(&str, &str); 3] = [("method", "stripe"), ("currency", "USD"), ("amount", "25")];

/// A top-up whose processor did not answer, by the path of its page.
async fn begun_unanswered(world: &World, ana: &mut Browser<'_>) -> (i64, String) {
    ana.get("/wallet/top-up").await;
    world.payments.is_away(true);
    let begun = ana.tops_up(&FORM).await;
    assert_eq!(begun.status, 303, "{}", begun.text);
    world.payments.is_away(false);
    let path = location(&begun).to_owned();
    (path.rsplit('/').next().unwrap().parse().unwrap(), path)
}

#[tokio::test]
async fn a_place_to_pay_whose_answer_was_lost_is_asked_for_again_for_the_same_top_up() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let (_, path) = begun_unanswered(&world, &mut ana).await;
    world.payments.is_away(true);
    let page = ana.get(&path).await.text;
    assert!(page.contains("did not answer"), "{page}");
    let open = format!("{path}/open");
    assert_eq!(ana.post(&open, &[]).await.status, 503, "still away");
    world.payments.is_away(false);
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut bob = signed_in(&world, bob).await;
    bob.get("/wallet").await;
    assert_ne!(bob.post(&open, &[]).await.status, 303, "it is not his");
    for _ in 0..2 {
        let opened = ana.post(&open, &[]).await;
        assert_eq!((opened.status, location(&opened)), (303, path.as_str()));
    }
    let page = ana.get(&path).await.text;
    assert!(page.contains("pay.example"), "{page}");
    assert!(!page.contains("did not answer"), "{page}");
    let own = world.door.top_ups.of(world.account).await.unwrap();
    assert_eq!(own.len(), 1, "it is the same top-up");
    assert_eq!(world.payments.sessions().len(), 1);
    world.payments.pay(&own[0]);
    world.clock.advance(Millis::seconds(61));
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_no_to_asking_again_leaves_the_top_up_as_it_is() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let (id, path) = begun_unanswered(&world, &mut ana).await;
    let before = row(&world, id).await;
    world.payments.refuses.store(true, Ordering::SeqCst);
    let refused = ana.post(&format!("{path}/open"), &[]).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.text.contains("Try again"), "{}", refused.text);
    assert_eq!(row(&world, id).await, before);
    world.payments.refuses.store(false, Ordering::SeqCst);
    let opened = ana.post(&format!("{path}/open"), &[]).await;
    assert_eq!(opened.status, 303, "{}", opened.text);
    assert!(row(&world, id).await.pay_url.is_some());
    // a first no is final: nobody can pay it
    world.payments.refuses.store(true, Ordering::SeqCst);
    assert_eq!(ana.tops_up(&FORM).await.status, 503);
    let own = world.door.top_ups.of(world.account).await.unwrap();
    assert_eq!(own[0].state, TopUpState::Failed);
}

/// Stripe takes no offer that is good for less than half an hour, and this one was good for an hour.
#[tokio::test]
async fn nobody_is_asked_again_when_too_little_time_is_left() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let (id, path) = begun_unanswered(&world, &mut ana).await;
    world.clock.advance(Millis::minutes(29));
    let page = ana.get(&path).await.text;
    assert!(page.contains("Try again"), "{page}");
    world.clock.advance(Millis::minutes(6));
    let page = ana.get(&path).await.text;
    assert!(!page.contains("Try again"), "{page}");
    assert!(page.contains("begin a new"), "{page}");
    let before = row(&world, id).await;
    let sent = ana.post(&format!("{path}/open"), &[]).await;
    assert_eq!((sent.status, location(&sent)), (303, path.as_str()));
    assert_eq!(world.payments.sessions().len(), 0, "it was not asked");
    assert_eq!(row(&world, id).await, before);
    world.clock.advance(Millis::minutes(26));
    world.door.top_ups.run_due().await;
    assert_eq!(state(&world, &before).await, TopUpState::Expired);
}

#[tokio::test]
async fn a_suspended_account_opens_no_place_to_pay_again() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let (id, _) = begun_unanswered(&world, &mut ana).await;
    world
        .change_account(|account| account.suspended = true)
        .await;
    let refused = world.door.top_ups.reopen(world.account, id).await;
    assert_eq!(refused, Err(NotBegun::Suspended));
    assert_eq!(world.payments.sessions().len(), 0, "it was not asked");
}

/// A look at the processor writes the row while the place to pay is on its way.
#[tokio::test]
async fn a_place_that_was_opened_is_kept_whoever_wrote_the_row_meanwhile() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let (id, _) = begun_unanswered(&world, &mut ana).await;
    world.payments.waits.store(true, Ordering::SeqCst);
    let top_ups = &world.door.top_ups;
    let meanwhile = async {
        world.payments.asked.0.acquire().await.unwrap().forget();
        let looked = row(&world, id).await.looked_at(world.clock.now());
        let update = Write::TopUp(TopUpWrite::Update(Box::new(looked)));
        let change = Change::new("test", world.clock.now(), vec![update]);
        world.store.commit(change).await.unwrap();
        world.payments.goes_on.0.add_permits(1);
    };
    let (opened, ()) = tokio::join!(top_ups.reopen(world.account, id), meanwhile);
    let opened = opened.unwrap();
    assert_eq!(opened, row(&world, id).await);
    assert!(opened.pay_url.is_some(), "{opened:?}");
    assert_eq!(opened.tries, 1, "the look counts");
}

#[tokio::test]
async fn two_who_ask_again_at_once_get_the_same_place() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let (id, _) = begun_unanswered(&world, &mut ana).await;
    world.payments.waits.store(true, Ordering::SeqCst);
    let top_ups = &world.door.top_ups;
    let both = async {
        world
            .payments
            .asked
            .0
            .acquire_many(2)
            .await
            .unwrap()
            .forget();
        world.payments.goes_on.0.add_permits(2);
    };
    let (first, second, ()) = tokio::join!(
        top_ups.reopen(world.account, id),
        top_ups.reopen(world.account, id),
        both
    );
    assert_eq!(first.unwrap(), second.unwrap());
}
