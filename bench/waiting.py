#!/usr/bin/env python3
"""What orders cost that wait: the program is killed over them, started again, and watched for a minute.

They are bought through the API, one by one, from practice providers in a process of their own, in a
production's settings (those of `tollgate serve`, nothing shortened): numbers of four providers whose
code never comes, and SMM orders that stay in progress. Then SIGKILL, a start on the same data, and the
figures: seconds until /readyz says yes, memory, processor time of a minute, calls to providers.

usage: bench/waiting.py [--program FILE] [--numbers N] [--orders N] [--seconds N]

Needs a built program: cargo build --profile dist -p tollgate
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from compare import until

ROOT = Path(__file__).resolve().parent.parent
BUYERS = 16
# asked for in place of what was bought: `serve` sells no service that misbehaves
NEVER = b"service=sbnever"
# server, its dialect
SELLERS = {"romeo": "classic", "luke": "classic", "paul": "classic", "mark": "grizzly"}
# `serve` takes no key that everybody knows: of the same length, so that no request changes its length
OURS, THEIRS = b"waiting-", b"sandbox-"

SETTINGS = """
[listen]
address = "127.0.0.1:{port}"
[store]
data_dir = "data"
[otp]
order = {servers}
default_server = "romeo"
[smm]
upstream = "panel"
[policy]
lifted = ["inauthentic_engagement"]
smm_confirmation = {{ by = "bench", at = "2026-01-01", statement = "practice providers only" }}
[upstreams.panel]
protocol = "panel_v2"
url = "{practice}/panel/api/v2"
key = "waiting-panel-key"
allow_plain_http = true
"""

UPSTREAM = """
[upstreams.{name}]
protocol = "handler_api"
dialect = "{dialect}"
url = "{practice}/{name}/stubs/handler_api.php"
key = "waiting-{name}-key"
allow_plain_http = true
[servers.{name}]
routes = [{{ upstream = "{name}" }}]
"""


def translate(listener, practice, calls):
    """Passes everything on, our keys as those that the practice providers know and each number as one whose code
    never comes, and counts the calls."""

    async def pump(reader, writer, change):
        # whoever hangs up or dies ends the other side, too
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                writer.write(change(piece))
                await writer.drain()
        writer.close()

    def ours(piece):
        calls.value += piece.count(b" HTTP/1.1\r\n")
        if b"action=getNumber" in piece:
            piece = re.sub(rb"service=\w+", NEVER, piece)
        return piece.replace(OURS, THEIRS)

    async def serve(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", practice)
        both = (pump(reader, there[1], ours), pump(there[0], writer, lambda piece: piece))
        await asyncio.gather(*both)

    async def run():
        server = await asyncio.start_server(serve, sock=listener)
        await server.serve_forever()

    asyncio.run(run())


def secret(path, text):
    path.touch(mode=0o600)
    path.write_text(text)


class Gateway:
    """The program, in a folder with its settings."""

    def __init__(self, program, folder, practice):
        self.program, self.folder, self.process = program, folder, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        text = SETTINGS.format(port=self.port, practice=practice, servers=json.dumps(list(SELLERS)))
        sellers = (UPSTREAM.format(name=name, dialect=dialect, practice=practice) for name, dialect in SELLERS.items())
        secret(folder / "tollgate.toml", text + "".join(sellers))
        pepper = os.urandom(32).hex()
        secret(folder / "tollgate.pepper", pepper)
        secret(folder / "tollgate.keys", f"index:{pepper},1:{pepper}")

    def furnish(self):
        """An account with money and a key."""
        self.start()
        account = str(self.cli("account", "create", "--email", "bench@example.com")["account_id"])
        self.cli("wallet", "credit", "--account", account, "--usd", "1000000", "--note", "bench")
        self.key = self.cli("key", "create", "--account", account, "--rate-limit", "1000000000")["api_key"]

    def start(self):
        """Gives the seconds until it is ready."""
        begun = time.monotonic()
        log = (self.folder / "log").open("a")
        self.process = subprocess.Popen([self.program, "serve"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=log)
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > begun + 120:
                sys.exit("it does not come up:\n" + (self.folder / "log").read_text()[-2000:])
            time.sleep(0.005)
        return time.monotonic() - begun

    def is_ready(self):
        try:
            asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
            asked.request("GET", "/readyz")
            return asked.getresponse().status == 200
        except OSError:
            return False

    def cli(self, *words):
        command = [self.program, *words, "--json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=self.folder).stdout)

    def ask(self, connection, path, body=None):
        headers = {"X-API-Key": self.key, "Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def listed(self, connection, path, name):
        """A list, once something is on it: catalogues are read while it answers already."""
        rows = []

        def shown():
            status, answer = self.ask(connection, f"/api/v1/{path}")
            rows.extend(answer["data"][name] if status == 200 else [])
            return rows

        until(shown, path)
        return rows

    def purchase(self, server):
        """What is bought there."""
        connection = self.connection()
        country = str(self.listed(connection, f"otp?action=countries&server={server}", "countries")[0]["id"])
        path = f"otp?action=services&server={server}&country_id={country}"
        service = self.listed(connection, path, "services")[0]["service_id"]
        return {"server": server, "country_id": country, "service_id": service}

    def used(self):
        """Seconds of processor time, MiB of memory now, and at most so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks = int(fields[11]) + int(fields[12])
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kib = lambda name: int(re.search(rf"{name}:\s+(\d+)", status).group(1))
        return ticks / os.sysconf("SC_CLK_TCK"), kib("VmRSS") / 1024, kib("VmHWM") / 1024


def buy_all(gateway, bodies):
    """Places everything, by a few buyers at once."""
    bodies, lock, refused = iter(bodies), threading.Lock(), []

    def buy():
        connection = gateway.connection()
        while True:
            with lock:
                one = next(bodies, None)
            if one is None or refused:
                return
            status, answer = gateway.ask(connection, *one)
            if status != 200:
                refused.append(answer)

    buyers = [threading.Thread(target=buy) for _ in range(BUYERS)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    if refused:
        sys.exit(f"not everything was sold: {refused[0]}")


def purchases(gateway, numbers, orders):
    gateway.listed(gateway.connection(), "smm?action=services", "services")
    wanted = [gateway.purchase(server) for server in SELLERS]
    for place in range(numbers):
        yield "/api/v1/otp?action=buy_number", wanted[place % len(wanted)]
    for place in range(orders):
        link = f"https://instagram.com/waiting{place}?sandbox=never"
        yield "/api/v1/smm?action=place_order", {"service_id": "1", "link": link, "quantity": 50}


def measure(options, gateway, calls):
    begun = time.monotonic()
    buy_all(gateway, list(purchases(gateway, options.numbers, options.orders)))
    print(f"{options.numbers} numbers and {options.orders} SMM orders in {time.monotonic() - begun:.0f} s", flush=True)
    starts = []
    for _ in range(3):
        gateway.process.kill()
        gateway.process.wait()
        starts.append(gateway.start())
    print("ready again after a kill:", ", ".join(f"{span:.2f} s" for span in starts))
    # the audit of the start and the first lists are no part of an ordinary minute
    time.sleep(options.settle)
    (before, _, _), asked = gateway.used(), calls.value
    most = 0
    for _ in range(options.seconds):
        time.sleep(1)
        most = max(most, gateway.used()[1])
    after, _, peak = gateway.used()
    share = 100 * (after - before) / options.seconds
    print(f"{options.seconds} s of polling: {share:.1f} % of a core, {calls.value - asked} calls to providers")
    print(f"memory: at most {most:.0f} MiB meanwhile, {peak:.0f} MiB since its start")
    verified = gateway.cli("ledger", "verify")
    print("ledger verify:", {name: verified[name] for name in ("ok", "open_holds", "violations")})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target/dist/tollgate")
    parser.add_argument("--numbers", type=int, default=50_000)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--settle", type=int, default=30)
    options = parser.parse_args()
    options.program = options.program.resolve()
    with tempfile.TemporaryDirectory() as name:
        providers = subprocess.Popen(
            [options.program, "sandbox", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
        )
        port = int(re.search(r"http://[\d.]+:(\d+)", providers.stdout.readline()).group(1))
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        calls = multiprocessing.Value("q", 0)
        between = multiprocessing.Process(target=translate, args=(listener, port, calls), daemon=True)
        between.start()
        practice = f"http://127.0.0.1:{listener.getsockname()[1]}"
        gateway = Gateway(options.program, Path(name), practice)
        try:
            gateway.furnish()
            measure(options, gateway, calls)
        finally:
            gateway.process.terminate()
            gateway.process.wait(60)
            between.terminate()
            providers.terminate()
            providers.wait(30)


main()
