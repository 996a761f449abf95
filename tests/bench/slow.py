"""What slow clients cost the others: latency of well-behaved requests, alone and beside slowhttptest with slow
heads, slow bodies and slow readers, with the deadlines that are delivered.

Usage: slow.py <flora-gateway> [number of slow connections, default 1,000]
"""

import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "process"))
import gateway as g  # noqa: E402
import slow_test  # noqa: E402

SECONDS = 15
PAUSE = 0.002  # Between two requests: latency, not throughput.


def measure(name, gateway, tool=None):
    """One client that reports and reads, until the tool ends or the time is over."""
    client, times, number = gateway.client(), {"POST": [], "GET": []}, 0
    end = time.monotonic() + SECONDS
    while (tool.poll() is None) if tool else (time.monotonic() < end):
        number += 1
        identity = f"{name.replace(' ', '')}{number}"
        start = time.perf_counter()
        assert client.submit(g.event(identity, identity)).status == 201
        times["POST"].append((time.perf_counter() - start) * 1000)
        start = time.perf_counter()
        assert client.get("/v1/statuses").status == 200
        times["GET"].append((time.perf_counter() - start) * 1000)
        time.sleep(PAUSE)
    parts = [f"{kind} p50 {statistics.median(some):.2f} ms, p99 {statistics.quantiles(some, n=100)[98]:.2f} ms"
             for kind, some in times.items()]
    print(f"{name:14} {number:6} of each   " + "   ".join(parts), flush=True)


def main(binary, count=1000):
    with g.temporary_folder() as folder:
        config = g.config_with(folder, [g.ROOT / "adapters" / "de-ni-xauslaender"],
                               limits="{connections_per_address: 0}")
        gateway = g.prepared(binary, folder, config=config)
        with g.running(gateway):
            measure("alone", gateway)
            for name, words in slow_test.ATTACKS.items():
                tool = slow_test.attack(gateway.port, words, int(count), SECONDS)
                measure(name, gateway, tool)
                tool.communicate(timeout=g.DEADLINE)
            assert gateway.stop() == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
