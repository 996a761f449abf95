"""The whole gateway, measured against a ceiling in the same run. Start with run.sh.

Usage: run.py BUILD FOLDER [--pairs N] [--singles N] [--stream N] [--paced SECONDS] [--only abc]

Each pair measures the ceiling and the gateway one after the other, over fresh databases; medians over
the pairs are printed. Nothing is asserted, but for the status of every answer.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "process"))
import gateway as g  # noqa: E402

CONNECTIONS = 64
GROUP = 256     # Events that a stream hands over together.
WINDOW = 4096   # Events of one stream between parser and answer.
PROBES = 500


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("folder", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--singles", type=int, default=20_000, help="events per run of A")
    parser.add_argument("--stream", type=int, default=40_000, help="events per run of B")
    parser.add_argument("--paced", type=int, default=5, help="seconds per run of C")
    parser.add_argument("--only", default="abc")
    return parser.parse_args()


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = options.folder / "run"
        self.body = 0  # Bytes of a transaction, as the gateway stores it.

    def program(self, name, *words, first=0):
        """Runs a program of the benchmarks; returns what it printed."""
        path = self.options.build / name
        done = subprocess.run([path, *map(str, words)], capture_output=True, text=True, check=False,
                              env={**os.environ, "BENCH_FIRST": str(first)})
        if done.returncode != 0:
            print(f"{name} {words}: {done.returncode} {done.stdout}{done.stderr}", file=sys.stderr)
        return json.loads(done.stdout)

    def load(self, mode, port, *words, first=0):
        return self.program("tests/bench/bench_load", mode, port, *words, first=first)

    def fresh(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    @contextlib.contextmanager
    def gateway(self):
        self.fresh()
        gateway = g.prepared(self.options.build / "gateway" / "flora-gateway", self.folder)
        with g.running(gateway):
            yield gateway
            gateway.stop()

    def bare(self, events, producers, rows):
        self.fresh()
        return self.program("tests/bench/bench_bare_commits", "commits", self.folder, events,
                            producers, rows, self.body)

    def fdatasync(self):
        return self.program("tests/bench/bench_bare_commits", "fdatasync", self.folder, PROBES)

    def measure_body(self):
        with self.gateway() as gateway:
            self.load("closed", gateway.port, 1, 100)
        with contextlib.closing(sqlite3.connect(self.folder / "data" / "ledger.db")) as database:
            self.body = round(database.execute("SELECT avg(length(body)) FROM entry").fetchone()[0])

    def single(self):
        with self.gateway() as gateway:
            return self.load("closed", gateway.port, CONNECTIONS, self.options.singles)

    def no_op(self):
        echo = subprocess.Popen([self.options.build / "tests" / "http" / "http_echo_server", "0"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with echo:
            port = int(echo.stdout.readline())
            result = self.load("closed", port, CONNECTIONS, 5 * self.options.singles, "/", 200)
            echo.stdin.close()
        return result

    def stream(self, connections, kind):
        with self.gateway() as gateway:
            before = gateway.memory_kib()
            result = self.load("stream", gateway.port, connections, self.options.stream, kind)
            result["memory_mib"] = (gateway.memory_kib() - before) / 1024
        return result


def rate(results):
    return statistics.median(result["per_second"] for result in results)


def ratio(results, ceilings):
    """The median of the pairs' ratios, with the smallest and the largest."""
    pairs = [a["per_second"] / b["per_second"] for a, b in zip(results, ceilings)]
    return f"{statistics.median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})"


def single_events(bench):
    bare, gateway, no_op = [], [], []
    for _ in range(bench.options.pairs):
        bare.append(bench.bare(bench.options.singles, CONNECTIONS, 1))
        gateway.append(bench.single())
        no_op.append(bench.no_op())
    p50 = statistics.median(result["p50_ms"] for result in gateway)
    p99 = statistics.median(result["p99_ms"] for result in gateway)
    print(f"\nA. Single events, {CONNECTIONS} connections, durable before 201")
    print(f"   bare commits          {rate(bare):9.0f} events/s")
    print(f"   gateway               {rate(gateway):9.0f} events/s   p50 {p50:.2f} ms, "
          f"p99 {p99:.2f} ms")
    print(f"   gateway / bare        {ratio(gateway, bare)}")
    print(f"   no-op POST            {rate(no_op):9.0f} requests/s")
    print(f"   gateway / no-op       {ratio(gateway, no_op)}", flush=True)
    return rate(gateway)


def streams(bench):
    kinds = [(connections, kind) for connections in (1, 4) for kind in ("minimal", "receipts")]
    results = {kind: [] for kind in kinds}
    bare = {1: [], 4: []}
    for _ in range(bench.options.pairs):
        for connections, kind in kinds:
            if kind == "minimal":
                bare[connections].append(
                    bench.bare(bench.options.stream, connections * WINDOW // GROUP, GROUP))
            results[connections, kind].append(bench.stream(connections, kind))
    print(f"\nB. NDJSON streams of {bench.options.stream} events in all")
    for connections in (1, 4):
        print(f"   bare, {connections:2} × {WINDOW} rows   {rate(bare[connections]):9.0f} events/s")
        for kind in ("minimal", "receipts"):
            runs = results[connections, kind]
            memory = statistics.median(run["memory_mib"] for run in runs)
            print(f"   {connections} streams, {kind:9}  {rate(runs):9.0f} events/s   ratio "
                  f"{ratio(runs, bare[connections])}   memory +{memory:.0f} MiB", flush=True)


def half_load(bench, full):
    events_per_second = round(full / 2)
    count = events_per_second * bench.options.paced
    runs, disk = [], []
    with bench.gateway() as gateway:
        for pair in range(bench.options.pairs):
            disk.append(bench.fdatasync())
            runs.append(bench.load("paced", gateway.port, CONNECTIONS, count, events_per_second,
                                   first=pair * count))
    print(f"\nC. Single events at half the load of A: {events_per_second} events/s, open loop")
    for name, results in (("gateway", runs), ("4 KiB write and fdatasync", disk)):
        p50 = statistics.median(result["p50_ms"] for result in results)
        p99 = statistics.median(result["p99_ms"] for result in results)
        print(f"   {name:25}  p50 {p50:.2f} ms   p99 {p99:.2f} ms")
    achieved = rate(runs)
    print(f"   achieved                   {achieved:.0f} events/s", flush=True)


def main():
    options = arguments()
    bench = Bench(options)
    bench.measure_body()
    print(f"{options.pairs} interleaved pairs, medians; {options.singles} single events per run; "
          f"{bench.body} bytes per transaction; load {os.getloadavg()[0]:.1f} of "
          f"{os.cpu_count()} cores at the start", flush=True)
    full = single_events(bench) if "a" in options.only or "c" in options.only else 0
    if "b" in options.only:
        streams(bench)
    if "c" in options.only:
        half_load(bench, full)
    shutil.rmtree(bench.folder)


if __name__ == "__main__":
    main()
