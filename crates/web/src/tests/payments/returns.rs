//! Money that goes back: refunds of theirs and ours, disputes, and funds that wait because they may.

use super::*;
use domain::change::{Change, Write};

/// Ten dollars of a paid top-up are on their way back, and the processor did not say whether it has
/// heard; it answers again.
async fn unanswered(world: &World) -> TopUp {
    let top_up = paid(world).await;
    world.payments.is_away(true);
    let lost = world
        .door
        .top_ups
        .refund(top_up.id, plain(Usd(10_000_000), "asked"));
    assert!(lost.await.unwrap_err().to_string().contains("told again"));
    assert_eq!(available(world).await, "65.000000");
    world.payments.is_away(false);
    top_up
}

/// What is due does not tell the processor of the refund again.
async fn is_left_to_a_person(world: &World, top_up: &TopUp) {
    let top_ups = &world.door.top_ups;
    top_ups.run_due().await;
    assert_eq!(*world.payments.refunds.lock().unwrap(), [], "told no more");
    let refunds = top_ups.refunds(top_up.id).await.unwrap();
    assert_eq!(refunds[0].state, RefundState::ByHand);
    let tickets = world.store.tickets(true, 10).await.unwrap();
    let [ticket] = &tickets[..] else {
        panic!("{tickets:?}");
    };
    assert_eq!(ticket.kind, TicketKind::TopUpReturned);
    assert!(ticket.detail.contains("look there first"), "{ticket:?}");
    audited(world).await;
}

#[tokio::test]
async fn a_refund_before_its_payment_waits_for_it() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(
        deliver(&world, &refunded("evt_2", &top_up, 1000)).await,
        200
    );
    assert_eq!(available(&world).await, "50.000000");
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    assert_eq!(available(&world).await, "65.000000");
    audited(&world).await;
}

#[tokio::test]
async fn what_was_spent_and_returned_is_owed_and_stops_purchases() {
    let world = World::start().await;
    let (bob, key) = world.new_account("bob@example.com").await;
    let top_up = begun_by(&world, bob, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let body = r#"{"service_id":"306343","country_id":"61"}"#;
    let buy = async || {
        let headers = [
            ("x-api-key", key.as_str()),
            ("content-type", "application/json"),
        ];
        let target = "/api/v1/otp?action=buy_number";
        world
            .send(world.request("POST", target, &headers, body))
            .await
    };
    assert_eq!(buy().await.status, 200);
    let spent = 25_000_000 - world.store.wallet(bob).await.unwrap().unwrap().available.0;
    assert!(spent > 0);
    for _ in 0..2 {
        assert_eq!(
            deliver(&world, &refunded("evt_2", &top_up, 2500)).await,
            200
        );
    }
    let taken = "charge.dispute.funds_withdrawn";
    assert_eq!(
        deliver(&world, &disputed("evt_3", taken, &top_up, "dp_1")).await,
        200
    );
    let wallet = world.store.wallet(bob).await.unwrap().unwrap();
    assert_eq!(
        (wallet.available, wallet.receivable),
        (Usd::ZERO, Usd(spent))
    );
    let refused = buy().await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (402, "insufficient_balance")
    );
    let due = format!("{} USD are due", Usd(spent).short());
    assert!(refused.text.contains(&due), "{}", refused.text);
    let next = begun_by(&world, bob, "30.00").await;
    let session = world.payments.pay(&next);
    assert_eq!(deliver(&world, &completed("evt_4", &session)).await, 200);
    let wallet = world.store.wallet(bob).await.unwrap().unwrap();
    assert_eq!(
        (wallet.available, wallet.receivable),
        (Usd(30_000_000 - spent), Usd::ZERO)
    );
    assert_eq!(buy().await.status, 200);
    audited(&world).await;
}

#[tokio::test]
async fn a_dispute_takes_and_gives_back_once() {
    let world = World::start().await;
    let top_up = paid(&world).await;
    let taken = disputed("evt_2", "charge.dispute.funds_withdrawn", &top_up, "dp_1");
    let won = |id| disputed(id, "charge.dispute.funds_reinstated", &top_up, "dp_1");
    // won before it was lost: it waits
    assert_eq!(deliver(&world, &won("evt_3")).await, 200);
    assert_eq!(available(&world).await, "75.000000");
    assert_eq!(deliver(&world, &taken).await, 200);
    assert_eq!(available(&world).await, "50.000000");
    world.clock.advance(Millis::seconds(11));
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    assert_eq!(deliver(&world, &won("evt_4")).await, 200);
    assert_eq!(deliver(&world, &taken).await, 200);
    assert_eq!(available(&world).await, "75.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_banks_warning_freezes_the_account() {
    let world = World::start().await;
    let top_up = paid(&world).await;
    let warning = Object::FraudWarning {
        id: "issfr_1".into(),
        payment_intent: format!("pi_{}", top_up.id),
    };
    let warning = event("evt_2", "radar.early_fraud_warning.created", warning);
    assert_eq!(deliver(&world, &warning).await, 200);
    let account = world.store.account(world.account).await.unwrap().unwrap();
    assert!(account.suspended);
}

#[tokio::test]
async fn our_own_refund_leaves_the_wallet_first_and_is_not_taken_twice() {
    let world = World::start().await;
    let top_up = paid(&world).await;
    let top_ups = &world.door.top_ups;
    let amount = Usd(10_000_000);
    top_ups
        .refund(top_up.id, plain(amount, "asked for it"))
        .await
        .unwrap();
    assert_eq!(available(&world).await, "65.000000");
    assert_eq!(world.payments.refunds.lock().unwrap()[0].1, amount);
    assert_eq!(
        deliver(&world, &refunded("evt_2", &top_up, 1000)).await,
        200
    );
    assert_eq!(available(&world).await, "65.000000");
    let more = top_ups
        .refund(top_up.id, plain(Usd(20_000_000), "again"))
        .await;
    assert!(more.is_err(), "15.00 are left of it");
    audited(&world).await;
}

#[tokio::test]
async fn a_refund_that_nobody_answers_is_told_again_under_its_key() {
    let world = World::start().await;
    let top_up = unanswered(&world).await;
    let top_ups = &world.door.top_ups;
    world.clock.advance(Millis::minutes(3));
    top_ups.run_due().await;
    top_ups.run_due().await;
    let told = world.payments.refunds.lock().unwrap().clone();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].2, format!("refund-{}-1", top_up.id));
    let refunds = top_ups.refunds(top_up.id).await.unwrap();
    assert_eq!(refunds[0].state, RefundState::Sent);
    assert_eq!(available(&world).await, "65.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_refund_that_stays_unanswered_is_left_to_a_person_before_its_key_is_forgotten() {
    let world = World::start().await;
    let top_up = unanswered(&world).await;
    world.clock.advance(Millis::minutes(20 * 60));
    is_left_to_a_person(&world, &top_up).await;
}

#[tokio::test]
async fn a_refund_of_a_backup_is_left_to_a_person() {
    let world = World::start().await;
    let top_up = unanswered(&world).await;
    world.clock.advance(Millis::minutes(3));
    let now = world.door.engine.now();
    world.door.engine.note_restoration(Some(now));
    is_left_to_a_person(&world, &top_up).await;
}

#[tokio::test]
async fn money_of_new_accounts_waits_and_is_refunded_before_it_is_spent() {
    let world = World::start().await;
    let (bob, key) = world.new_account("bob@example.com").await;
    let known = world.store.account(bob).await.unwrap().unwrap();
    let engine = &world.door.engine;
    engine.set_tier(bob, 0).await.unwrap();
    assert_ne!(known.tier, 0);
    let top_up = begun_by(&world, bob, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let wallet = async || world.store.wallet(bob).await.unwrap().unwrap();
    let held = wallet().await;
    assert_eq!(
        (held.available, held.uncleared),
        (Usd::ZERO, Usd(25_000_000))
    );
    let headers = [("x-api-key", key.as_str())];
    let target = "/api/v1/otp?action=balance";
    let balance = world.send(world.request("GET", target, &headers, "")).await;
    assert!(balance.text.contains("\"0.000000\""), "{}", balance.text);
    let top_ups = &world.door.top_ups;
    top_ups
        .refund(top_up.id, plain(Usd(5_000_000), "asked"))
        .await
        .unwrap();
    assert_eq!(wallet().await.uncleared, Usd(20_000_000));
    world.clock.advance(Millis::minutes(59));
    top_ups.run_due().await;
    assert_eq!(wallet().await.available, Usd::ZERO);
    world.clock.advance(Millis::minutes(1));
    top_ups.run_due().await;
    let free = wallet().await;
    assert_eq!(
        (free.available, free.uncleared),
        (Usd(20_000_000), Usd::ZERO)
    );
    assert_eq!(row(&world, top_up.id).await.clears_at, None);
    audited(&world).await;
}

#[tokio::test]
async fn a_bonus_is_beside_the_credit_and_goes_back_with_it() {
    let world = World::start().await;
    let top_up = begun(&world, "100.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    assert_eq!(available(&world).await, "155.000000");
    assert_eq!(
        deliver(&world, &refunded("evt_2", &top_up, 5000)).await,
        200
    );
    assert_eq!(available(&world).await, "102.500000");
    audited(&world).await;
}

/// So much of a wallet is gone.
async fn spend(world: &World, account: AccountId, amount: Usd) {
    let debit = Write::Debit {
        account,
        row: world.store.next_row_id(),
        amount,
        note: "spent".into(),
    };
    let change = Change::new("test", world.clock.now(), vec![debit]);
    world.store.commit(change).await.unwrap();
}

fn warned(id: &str, top_up: &TopUp) -> String {
    let warning = Object::FraudWarning {
        id: "issfr_1".into(),
        payment_intent: format!("pi_{}", top_up.id),
    };
    event(id, "radar.early_fraud_warning.created", warning)
}

#[tokio::test]
async fn a_banks_warning_returns_the_payment_where_the_operator_wants_that() {
    let world = World::start().await;
    let top_up = paid(&world).await;
    spend(&world, world.account, Usd(60_000_000)).await;
    let top_ups = otherwise(&world, |settings| {
        settings.on_fraud_warning = OnFraudWarning::Refund;
    });
    let body = warned("evt_2", &top_up);
    top_ups
        .receive(Processor::Stripe, body.as_bytes())
        .await
        .unwrap();
    let account = world.store.account(world.account).await.unwrap().unwrap();
    assert!(account.suspended);
    assert_eq!(row(&world, top_up.id).await.refunded, Usd(25_000_000));
    top_ups.run_due().await;
    top_ups.run_due().await;
    // again, and as the processor tells of it afterwards
    top_ups
        .receive(Processor::Stripe, body.as_bytes())
        .await
        .unwrap();
    let told = refunded("evt_3", &top_up, 2500);
    top_ups
        .receive(Processor::Stripe, told.as_bytes())
        .await
        .unwrap();
    let refunds = world.payments.refunds.lock().unwrap().clone();
    assert_eq!(refunds.len(), 1);
    assert_eq!(refunds[0].1, Usd(25_000_000));
    let wallet = world.wallet().await;
    assert_eq!(
        (wallet.available, wallet.receivable),
        (Usd::ZERO, Usd(10_000_000))
    );
    audited(&world).await;
}

#[tokio::test]
async fn what_the_wallet_lacks_of_our_refund_is_owed_where_whoever_asks_says_so() {
    let world = World::start().await;
    let (bob, _) = world.new_account("bob@example.com").await;
    let top_up = begun_by(&world, bob, "25.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    spend(&world, bob, Usd(20_000_000)).await;
    let top_ups = &world.door.top_ups;
    let order = plain(Usd(25_000_000), "not theirs");
    let short = top_ups.refund(top_up.id, order).await.unwrap_err();
    assert!(short.to_string().contains("5.00 available"), "{short}");
    let order = RefundOrder {
        may_owe: true,
        seen: Some(0),
        ..order
    };
    let done = top_ups.refund(top_up.id, order).await.unwrap();
    assert_eq!(done.unwrap().reversed.amount, Usd(25_000_000));
    let again = top_ups.refund(top_up.id, order).await.unwrap_err();
    assert!(again.to_string().contains("moved meanwhile"), "{again}");
    let wallet = world.store.wallet(bob).await.unwrap().unwrap();
    assert_eq!(
        (wallet.available, wallet.receivable),
        (Usd::ZERO, Usd(20_000_000))
    );
    audited(&world).await;
}

#[tokio::test]
async fn money_that_clears_pays_a_debt_first() {
    let world = World::start().await;
    let (bob, _) = world.new_account("bob@example.com").await;
    let engine = &world.door.engine;
    let (first, second) = (begun_by(&world, bob, "25.00").await, {
        engine.set_tier(bob, 0).await.unwrap();
        begun_by(&world, bob, "30.00").await
    });
    for (event, row) in [("evt_1", &first), ("evt_2", &second)] {
        let session = world.payments.pay(row);
        assert_eq!(deliver(&world, &completed(event, &session)).await, 200);
    }
    spend(&world, bob, Usd(25_000_000)).await;
    assert_eq!(deliver(&world, &refunded("evt_3", &first, 1000)).await, 200);
    let wallet = async || world.store.wallet(bob).await.unwrap().unwrap();
    assert_eq!(wallet().await.receivable, Usd(10_000_000));
    world.clock.advance(Millis::minutes(61));
    world.door.top_ups.run_due().await;
    let cleared = wallet().await;
    assert_eq!(
        (cleared.available, cleared.receivable, cleared.uncleared),
        (Usd(20_000_000), Usd::ZERO, Usd::ZERO)
    );
    audited(&world).await;
}

#[tokio::test]
async fn a_large_refund_needs_two_people_in_parts_as_well() {
    let world = World::start().await;
    let top_up = begun(&world, "300.00").await;
    let session = world.payments.pay(&top_up);
    assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
    let top_ups = &world.door.top_ups;
    let part = plain(Usd(150_000_000), "a part");
    let first = top_ups.refund(top_up.id, part).await.unwrap();
    assert_eq!(first.unwrap().reversed.amount, part.amount);
    let second = top_ups.refund(top_up.id, part).await.unwrap();
    assert_eq!(second, None, "it waits for somebody else");
    assert_eq!(world.payments.refunds.lock().unwrap().len(), 1);
    audited(&world).await;
}
