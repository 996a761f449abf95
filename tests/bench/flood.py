"""How much one authority's flood costs the others: they report steadily, without and with the flood.

Usage: flood.py FLORA_GATEWAY FOLDER [--seconds N] [--per-second N] [--streams N] [--singles N] [--rates]

Three authorities report single events at a fixed pace, each over a few connections; a fourth floods
with streams and singles. Prints the others' latency (milliseconds) and what the flooder achieved.
With --rates the rates of config/policy.yaml are in force, else none that matters: then the queues
alone share the gateway out. Latency counts from the moment at which an event was due.
"""

import argparse
import concurrent.futures
import pathlib
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "process"))
import flood_test  # noqa: E402
import gateway as g  # noqa: E402


CONNECTIONS = 8  # Of each of the others: as many of its events may be under way.


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("folder", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--per-second", type=float, default=20, help="events of each of the others")
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--singles", type=int, default=32)
    parser.add_argument("--rates", action="store_true")
    return parser.parse_args()


def pace(gateway, authority, name, options, latencies, statuses):
    own = threading.local()

    def report(number, due):
        if not hasattr(own, "client"):
            own.client = gateway.client(authority)
        answer = own.client.submit(g.event(f"{name}-{authority}-{number}", f"{name}{authority}{number}",
                                           authority=authority))
        latencies.append((time.monotonic() - due) * 1000)
        statuses.append(answer.status)

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        for number in range(int(options.seconds * options.per_second)):
            due = start + number / options.per_second
            time.sleep(max(0, due - time.monotonic()))
            pool.submit(report, number, due)


def measure(gateway, name, options):
    latencies, statuses = [], []
    threads = [threading.Thread(target=pace, args=(gateway, authority, name, options, latencies, statuses))
               for authority in flood_test.OTHERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hundredths = statistics.quantiles(latencies, n=100)
    good = sum(status == 201 for status in statuses)
    print(f"{name:8} {len(statuses)} events, {good} new; p50 {hundredths[49]:.2f} ms, "
          f"p99 {hundredths[98]:.2f} ms, max {max(latencies):.2f} ms")


def main():
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    rates = {"policy": ROOT / "config" / "policy.yaml"} if options.rates else {}
    config = g.config_with(options.folder, g.ADAPTERS, **rates)
    with g.running(g.prepared(options.binary, options.folder, config=config)) as gateway:
        measure(gateway, "warm", options)
        measure(gateway, "without", options)
        before = gateway.metric("flora_ledger_entries")
        start = time.monotonic()
        with flood_test.flood(gateway, options.streams, options.singles) as counts:
            measure(gateway, "with", options)
            seconds = time.monotonic() - start
            entries = gateway.metric("flora_ledger_entries") - before
        print(f"flooder  {counts}; {entries / seconds:.0f} entries/s in all")
        gateway.stop()


if __name__ == "__main__":
    main()
