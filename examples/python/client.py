"""A complete Tollgate client with nothing but the standard library.

Buys a number and waits for its code, then places an SMM order and follows it.
Settings come from the environment:

    TOLLGATE_KEY            the API key (required)
    TOLLGATE_URL            the API's address, up to and including /api/v1
    TOLLGATE_SERVER, TOLLGATE_SERVICE, TOLLGATE_COUNTRY, TOLLGATE_PROVIDER_TYPE
                            what number to buy
    TOLLGATE_SMM_SERVICE, TOLLGATE_LINK, TOLLGATE_QUANTITY
                            what SMM order to place
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Refused(Exception):
    """The API answered with success: false."""

    def __init__(self, answer):
        super().__init__(f"{answer.get('error')} [{answer.get('code')}]")
        self.code = answer.get("code")


class Tollgate:
    def __init__(self, base_url, key):
        self.base_url = base_url.rstrip("/")
        self.key = key

    def request(self, door, action, query=None, body=None):
        """One call; a body makes it a write. Returns the answer's data."""
        parameters = urllib.parse.urlencode({"action": action, **(query or {})})
        headers = {"X-API-Key": self.key}
        if body is not None:
            headers["Content-Type"] = "application/json"
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = urllib.request.Request(
            f"{self.base_url}/{door}?{parameters}",
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
            method="GET" if body is None else "POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as refusal:
            answer = json.load(refusal)  # a refusal is JSON too
        if not answer.get("success"):
            raise Refused(answer)
        return answer["data"]


def setting(name, default):
    return os.environ.get(f"TOLLGATE_{name}", default)


def receive_code(api):
    number = api.request("otp", "buy_number", body={
        "service_id": setting("SERVICE", "306343"),
        "country_id": setting("COUNTRY", "61"),
        "server": setting("SERVER", "peter"),
        "provider_type": int(setting("PROVIDER_TYPE", "1")),
    })
    print(f"order {number['order_id']}: {number.get('phone_number', 'number pending')}")
    for _ in range(600):
        status = api.request("otp", "get_status", {"order_id": number["order_id"]})
        if status["status"] == "received":
            print(f"code: {status['code']}")
            return
        if status["status"] == "cancelled":
            raise RuntimeError("the order was cancelled before a code came")
        time.sleep(max(1, status.get("poll_after_s", 1)))
    raise RuntimeError("no code came in time")


def place_order(api):
    wanted = setting("SMM_SERVICE", "1")
    services = api.request("smm", "services")["services"]
    service = next((s for s in services if s["service_id"] == wanted), None)
    if service is None:
        raise RuntimeError(f"no SMM service {wanted} among {len(services)}")
    print(f"{service['category']} {service['name']}: ${service['rate_usd_per_1000']} per 1000")
    order = api.request("smm", "place_order", body={
        "service_id": wanted,
        "link": setting("LINK", f"https://instagram.com/user{uuid.uuid4().hex[:8]}"),
        "quantity": int(setting("QUANTITY", "500")),
    })
    print(f"order {order['order_id']}: {order['status']}")
    for _ in range(600):
        status = api.request("smm", "order_status", {"order_id": order["order_id"]})
        if status["status"] in ("Completed", "Partial", "Canceled"):
            print(f"order {order['order_id']}: {status['status']}, {status['remains']} remain")
            return
        time.sleep(1)
    raise RuntimeError("the order did not end in time")


def main():
    key = os.environ.get("TOLLGATE_KEY")
    if not key:
        sys.exit("set TOLLGATE_KEY to your API key")
    api = Tollgate(setting("URL", "http://127.0.0.1:8080/api/v1"), key)
    try:
        print(f"balance: ${api.request('otp', 'balance')['wallet_balance']}")
        receive_code(api)
        place_order(api)
    except (Refused, RuntimeError, OSError, ValueError) as problem:
        sys.exit(f"failed: {problem}")


main()
