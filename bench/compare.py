#!/usr/bin/env python3
"""Measures the program against references that ship in Debian, in turn, on this machine.

Every figure is a ratio: the program and its reference answer the same load generator with the same
number of connections, one after the other, several rounds; the median round counts. Loopback only.

usage: bench/compare.py [--program FILE] [--seconds N] [--rounds N] [FIGURE …]
figures: status services orders commit postgres; without any, all of them.

Needs nginx, wrk and PostgreSQL (apt-get install nginx-light wrk postgresql) and a built program:
cargo build --profile dist -p tollgate
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 64

NGINX = """
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    open_file_cache max=10 inactive=1h;
    sendfile on;
    tcp_nopush on;
    server {{
        listen 127.0.0.1:{port} reuseport;
        location = /small {{ return 200 '{small}'; }}
        location = /large {{ alias {folder}/large.json; }}
    }}
}}
"""

# each thread of the load generator orders for links of its own
ORDERS = """
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function init(args) sent = 0; key = args[1]; service = args[2]; seed = args[3] end
function request()
  sent = sent + 1
  local target = seed .. "x" .. id .. "x" .. sent
  local body = string.format('{"service_id":"%s","link":"https://instagram.com/%s","quantity":1000}', service, target)
  return wrk.format("POST", nil, {["X-API-Key"] = key, ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = target}, body)
end
function response(status, headers, body)
  if status ~= 200 and not told then told = true; print("answer " .. status .. ": " .. body) end
end
"""


class Processes:
    """What was started here, and is ended with us."""

    def __init__(self):
        self.running = []

    def start(self, *command, **options):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
        self.running.append(child)
        return child

    def end(self):
        for child in reversed(self.running):
            child.terminate()
            child.wait(30)


class Gateway:
    """The program over practice providers in a process of their own, with an account that has money."""

    def __init__(self, processes, program, folder):
        self.program, self.data = program, folder / "data"
        line = processes.start(program, "sandbox", "--listen", "127.0.0.1:0").stdout.readline()
        practice = re.search(r"http://[\d.:]+", line).group()
        started = processes.start(
            program, "demo", "--data", self.data, "--listen", "127.0.0.1:0", "--sandbox-url", practice
        )
        self.process = started
        until(lambda: (self.data / "demo.json").exists(), "the demo's file")
        facts = json.loads((self.data / "demo.json").read_text())
        self.base = facts["base_url"]
        account = str(facts["account_id"])
        made = self.cli("key", "create", "--account", account, "--rate-limit", "1000000000")
        self.key = made["api_key"]
        self.cli("wallet", "credit", "--account", account, "--usd", "1000000", "--note", "bench")

    def cli(self, *arguments):
        command = [self.program, *arguments, "--data", self.data, "--json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def ask(self, path, body=None):
        headers = {"X-API-Key": self.key, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()


def until(holds, what):
    give_up = time.monotonic() + 60
    while not holds():
        if time.monotonic() > give_up:
            sys.exit(f"waited a minute for {what}")
        time.sleep(0.05)


def wrk(url, seconds, *arguments, script=None, headers=()):
    """Requests a second, and the 99th percentile in milliseconds."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", script]
    out = subprocess.run([*command, url, "--", *arguments], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "answer " in out:
        sys.exit(f"{url} did not only answer 200:\n{out}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    span, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return rate, float(span) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def in_turn(rounds, *measures):
    """The median of each measure over several rounds in which all have their turn."""
    found = [[measure() for measure in measures] for _ in range(rounds)]
    return [tuple(map(statistics.median, zip(*one))) for one in zip(*found)]


def nginx(processes, folder, small, large):
    port = 18080
    (folder / "large.json").write_bytes(large)
    os.chmod(folder, 0o755)
    text = NGINX.format(workers=os.cpu_count(), folder=folder, port=port, small=small.decode())
    (folder / "nginx.conf").write_text(text)
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    processes.start(binary, "-c", folder / "nginx.conf", "-g", "daemon off;")
    time.sleep(0.5)
    return f"http://127.0.0.1:{port}"


def report(name, rate, late, against, limit):
    reference, slowest = against
    print(
        f"{name}: {rate:,.0f}/s, p99 {late:.2f} ms; nginx {reference:,.0f}/s, p99 {slowest:.2f} ms; "
        f"ratio {rate / reference:.2f} (wanted {limit}), p99 × {late / slowest:.1f}"
    )


def reads(options, processes, folder):
    gateway = Gateway(processes, options.program, folder)
    headers = [f"X-API-Key: {gateway.key}"]
    countries = json.loads(gateway.ask("/api/v1/otp?action=countries&server=peter"))["data"]
    lists = {}
    for country in countries["countries"][:40]:
        path = f"/api/v1/otp?action=services&server=peter&country_id={country['id']}"
        lists[path] = gateway.ask(path)
    listing = max(lists, key=lambda path: len(lists[path]))
    order = buy(gateway)
    status = f"/api/v1/otp?action=get_status&order_id={order}"
    small = gateway.ask(status)
    reference = nginx(processes, folder, small, lists[listing])
    for name, path, there in [("status", status, "/small"), ("services", listing, "/large")]:
        if name not in options.figures:
            continue
        ours, theirs = in_turn(
            options.rounds,
            lambda: wrk(gateway.base + path, options.seconds, headers=headers),
            lambda: wrk(reference + there, options.seconds, headers=headers),
        )
        size = len(gateway.ask(path))
        report(f"{name} ({size:,} bytes, {CONNECTIONS} connections)", *ours, theirs, "0.80")
    return gateway


def buy(gateway):
    """An activation whose code is there, so that its status no longer changes."""
    bought = {"server": "peter", "country_id": "61", "service_id": "306343"}
    answer = json.loads(gateway.ask("/api/v1/otp?action=buy_number", bought))
    order = answer["data"]["order_id"]
    path = f"/api/v1/otp?action=get_status&order_id={order}"
    until(lambda: json.loads(gateway.ask(path))["data"]["status"] == "received", "the practice provider's code")
    return order


def orders(options, gateway, folder):
    listing = json.loads(gateway.ask("/api/v1/smm?action=services"))["data"]["services"]
    service = next(row["service_id"] for row in listing if row["type"] == "Default" and row["min"] <= 1000)
    script = folder / "orders.lua"
    script.write_text(ORDERS)
    url = gateway.base + "/api/v1/smm?action=place_order"
    for round in range(options.rounds):
        rate, late = wrk(url, options.seconds, gateway.key, str(service), f"r{round}", script=script)
        print(f"place_order over HTTP, {CONNECTIONS} connections: {rate:,.0f}/s, p99 {late:.1f} ms")
    print("ledger verify:", gateway.cli("ledger", "verify"))


def commit(*arguments):
    command = ["cargo", "bench", "-q", "-p", "bench", "--bench", "commit", "--", *arguments]
    subprocess.run(command, check=True, cwd=ROOT)


def postgres(options, processes, folder):
    place = folder / "postgres"
    os.chmod(folder, 0o755)
    server = processes.start(ROOT / "scripts/private-postgres", place, stdin=subprocess.PIPE)
    server.stdout.readline()
    at = ["-h", str(place), "-U", "tollgate"]
    subprocess.run(["psql", "-q", *at, "postgres", "-c", "CREATE DATABASE pgbench", "-c", "CREATE DATABASE tollgate"], check=True)
    subprocess.run(["pgbench", "-q", "-i", "-s", "10", *at, "pgbench"], check=True, capture_output=True)
    bench = ["pgbench", "-n", "-N", "-c", "64", "-j", "2", "-T", str(options.seconds), *at, "pgbench"]
    for _ in range(options.rounds):
        out = subprocess.run(bench, check=True, capture_output=True, text=True).stdout
        print("pgbench -N -c 64:", re.search(r"tps = [\d.]+", out).group())
    commit("--postgres", f"postgres:///tollgate?user=tollgate&host={place}")
    server.stdin.close()
    server.wait(60)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target/dist/tollgate")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("figures", nargs="*", default=["status", "services", "orders", "commit", "postgres"])
    options = parser.parse_args()
    processes = Processes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            if {"status", "services", "orders"} & set(options.figures):
                gateway = reads(options, processes, folder)
                if "orders" in options.figures:
                    orders(options, gateway, folder)
            if "commit" in options.figures:
                commit()
            if "postgres" in options.figures:
                postgres(options, processes, folder)
        finally:
            processes.end()


if __name__ == "__main__":
    main()
