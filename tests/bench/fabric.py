"""The gateway on a real Fabric network against its own client in a bare loop (bare_fabric.cpp): the same
network, as many transactions under way, in interleaved pairs.

Usage: fabric.py BUILD FOLDER [--pairs N] [--transactions N] [--in-flight N ...] [--singles N] [--backlog N]

The gateway's figure is that of clients that wait for the commit (`Prefer: wait=30`), as many as transactions
under way: HTTP, store, outbox, network, local copy, receipt left out. With one client it is the latency of a
single event. The backlog is what was accepted while the orderer was away; its draining is timed from the
orderer's return.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "fabric"))
from servers import Network, prepared  # noqa: E402
import gateway as g  # noqa: E402

CALLER = "Flora-Dev-Authority: 999902"
WAITING = CALLER + "\r\nPrefer: wait=30, return=minimal"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("folder", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--transactions", type=int, default=3000)
    parser.add_argument("--in-flight", type=int, nargs="*", default=[64])
    parser.add_argument("--singles", type=int, default=100)
    parser.add_argument("--backlog", type=int, default=10_000)
    return parser.parse_args()


def program(path, *words, **environment):
    """Runs it; returns what it printed."""
    done = subprocess.run([path, *map(str, words)], capture_output=True, text=True,
                          env={**os.environ, **environment})
    assert done.returncode == 0, (path, words, done.stdout, done.stderr)
    return json.loads(done.stdout)


class Bench:
    def __init__(self, args, network, gateway):
        self.args, self.network, self.gateway = args, network, gateway
        self.tools = args.build / "tests" / "bench"
        self.first = 0

    def bare(self, count, in_flight):
        return program(self.tools / "bench_bare_fabric", self.network.path, count, in_flight)

    def whole(self, count, in_flight, caller=WAITING, status="201"):
        self.first += count
        return program(self.tools / "bench_load", "closed", self.gateway.port, in_flight, count,
                       "/v1/status-events", status, BENCH_FIRST=str(self.first), BENCH_CALLER=caller)

    def pairs(self, count, in_flight):
        self.bare(count // 10 + 1, in_flight)  # Warm.
        self.whole(count // 10 + 1, in_flight)
        found = []
        for n in range(self.args.pairs):
            order = (self.bare, self.whole) if n % 2 == 0 else (self.whole, self.bare)
            figures = {step: step(count, in_flight) for step in order}
            found.append((figures[self.bare], figures[self.whole]))
            print(f"  bare {found[-1][0]}  gateway {found[-1][1]}", flush=True)
        return found

    def rates(self):
        for in_flight in self.args.in_flight:
            print(f"transactions per second, {in_flight} under way:", flush=True)
            found = self.pairs(self.args.transactions, in_flight)
            ratios = [whole["per_second"] / bare["per_second"] for bare, whole in found]
            print(f"  ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")

    def latency(self):
        print("milliseconds of a single event, one client:", flush=True)
        found = self.pairs(self.args.singles, 1)
        ratios = [whole["p50_ms"] / bare["p50_ms"] for bare, whole in found]
        print(f"  ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")

    def drain(self):
        print(f"a backlog of {self.args.backlog}:", flush=True)
        self.network.drive("kill", "orderer")
        begin = time.monotonic()
        self.whole(self.args.backlog, 64, CALLER, "202")
        print(f"  accepted in {time.monotonic() - begin:.2f} s, orderer away")
        self.network.drive("restart", "orderer")
        begin = time.monotonic()
        g.wait_for(lambda: self.gateway.metric("flora_outbox_entries") == 0, "the backlog is drained", 600)
        seconds = time.monotonic() - begin
        print(f"  drained in {seconds:.1f} s: {self.args.backlog / seconds:.0f} per second")


def main():
    args = arguments()
    shutil.rmtree(args.folder, ignore_errors=True)
    args.folder.mkdir(parents=True)
    network = Network()
    try:
        network.path = str(args.folder / "network.json")
        pathlib.Path(network.path).write_text(json.dumps(network.description))
        gateway = prepared(args.build / "gateway" / "flora-gateway", network, args.folder)[0]
        with g.running(gateway):
            bench = Bench(args, network, gateway)
            bench.rates()
            bench.latency()
            bench.drain()
    finally:
        network.end()


if __name__ == "__main__":
    main()
