"""Stripe's own package against the practice processor and against the gateway's hook.

Arguments: address of the practice processor, its key, address of the hook, its secret, and an event
of a top-up that is paid at the practice processor but that the gateway was not told of.
"""

import json
import sys
import time
import urllib.error
import urllib.request

import stripe

base, key, hook, secret, event = sys.argv[1:]
stripe.api_base = base + "/stripe"
stripe.api_key = key
stripe.max_network_retries = 0


def expect(right, what):
    if not right:
        sys.exit(f"not as expected: {what}")


def refused(error, call, *args, **named):
    try:
        call(*args, **named)
    except error as why:
        return why
    sys.exit(f"{call} was not refused with {error}")


def control(act):
    order = {"processor": "stripe", "act": act, "deliver": {"times": 0}}
    body = json.dumps(order).encode()
    with urllib.request.urlopen(base + "/_sandbox/payments", body) as answer:
        return json.load(answer)["events"][0]


order = dict(
    mode="payment",
    success_url="http://127.0.0.1:1/done?s={CHECKOUT_SESSION_ID}",
    cancel_url="http://127.0.0.1:1/back",
    client_reference_id="py_1",
    line_items=[
        {
            "quantity": 1,
            "price_data": {
                "currency": "usd",
                "unit_amount": 2500,
                "product_data": {"name": "Wallet top-up"},
            },
        }
    ],
    metadata={"topup_id": "py_1"},
    payment_intent_data={"metadata": {"topup_id": "py_1"}},
    expires_at=int(time.time()) + 3600,
)
session = stripe.checkout.Session.create(**order, idempotency_key="py_1")
again = stripe.checkout.Session.create(**order, idempotency_key="py_1")
expect(again.id == session.id, "one key, one session")
expect((session.status, session.payment_status) == ("open", "unpaid"), "a new session")
expect((session.amount_total, session.currency, session.livemode) == (2500, "usd", False), "terms")
expect(session.metadata["topup_id"] == "py_1" and session.url.startswith(base), "reference, page")

paid = control({"id": session.id, "do": "pay"})
told = stripe.Webhook.construct_event(paid["body"], paid["signature"], secret)
expect(told.type == "checkout.session.completed", "the event that is told")
expect(told.data.object.id == session.id, "what it is about")
session = stripe.checkout.Session.retrieve(session.id)
expect((session.status, session.payment_status) == ("complete", "paid"), "a paid session")
part = stripe.Refund.create(
    payment_intent=session.payment_intent, amount=1000, idempotency_key="back_1"
)
same = stripe.Refund.create(
    payment_intent=session.payment_intent, amount=1000, idempotency_key="back_1"
)
expect((part.status, part.amount, same.amount) == ("succeeded", 1000, 1000), "a refund")
rest = stripe.Refund.create(payment_intent=session.payment_intent)
expect(rest.amount == 1500, "the rest of it: a key counts once")
too_much = refused(
    stripe.InvalidRequestError, stripe.Refund.create, payment_intent=session.payment_intent, amount=1
)
expect(too_much.code == "charge_already_refunded", "more than was paid")

other = stripe.checkout.Session.create(**order)
expect(stripe.checkout.Session.expire(other.id).status == "expired", "an expired session")
listed = [one.id for one in stripe.checkout.Session.list(limit=1).auto_paging_iter()]
expect(listed.count(session.id) == 1 and listed.count(other.id) == 1, "all, page by page")
refused(stripe.InvalidRequestError, stripe.checkout.Session.retrieve, "cs_test_unknown")
refused(stripe.InvalidRequestError, stripe.checkout.Session.create, mode="payment")
refused(stripe.AuthenticationError, stripe.checkout.Session.retrieve, session.id, api_key="sk_x")

moved = list(stripe.BalanceTransaction.list(limit=1).auto_paging_iter())
of_session = [one for one in moved if session.id in (one.source or "")]
kinds = [(one.type, one.amount, one.fee, one.net) for one in reversed(of_session)]
expect(kinds[0] == ("charge", 2500, 102, 2398), "a payment and what it cost")
expect(kinds[1:] == [("refund", -1000, 0, -1000), ("refund", -1500, 0, -1500)], "what went back")
payout = stripe.Payout.create(amount=100, currency="usd")
sent = stripe.BalanceTransaction.list(created={"gte": int(time.time()) - 60}).data[0]
expect((payout.status, sent.id) == ("paid", payout.balance_transaction), "a payout")
expect((sent.type, sent.amount, sent.source) == ("payout", -100, payout.id), "what it moved")
too_much = refused(stripe.InvalidRequestError, stripe.Payout.create, amount=10**9, currency="usd")
expect(too_much.code == "balance_insufficient", "more than is there")


def delivered(body, signature):
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
    try:
        with urllib.request.urlopen(urllib.request.Request(hook, body.encode(), headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as why:
        return why.code


def signature(body, by, at):
    return stripe.WebhookSignature.generate_signature_header(body, by, at)


now = int(time.time())
for wrong in [
    signature(event, "whsec_other", now),
    signature(event, secret, now - 400),
    signature(event, secret, now + 400),
    signature(event + " ", secret, now),
    signature(event, secret.removeprefix("whsec_"), now),
]:
    expect(delivered(event, wrong) == 400, f"a wrong signature is refused: {wrong}")
for _ in range(2):
    expect(delivered(event, signature(event, secret, now)) == 200, "the right one is taken")
