"""One authority floods the gateway, three others report: all of theirs is accepted meanwhile, and the
flooder is told to wait, once by its rate and once, without rates, by what is left of the queues.

Usage: flood_test.py <flora-gateway>. Nothing here asserts on time: tests/bench/flood.py measures it.
"""

import contextlib
import json
import pathlib
import subprocess
import sys
import threading

import gateway as g

FLOODER = g.AE
OTHERS = ["000250", "000160", "999912"]
EVENTS = 2000 if g.SOAK else 30  # Of each of the others.
STREAMS, SINGLES = 8, 8

RATES = ("{requests: {per_second: 1000000, burst: 1000000}, "
         "events: {per_second: 200, burst: 1000}}")


@contextlib.contextmanager
def flood(gateway, streams=STREAMS, singles=SINGLES):
    """While the block runs the flooder does. Yields a dict that holds its counts afterwards."""
    counts = {}
    process = subprocess.Popen(
        [sys.executable, pathlib.Path(__file__).with_name("flooder.py"), str(gateway.port), FLOODER,
         str(streams), str(singles)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield counts
        counts.update(json.loads(process.communicate(timeout=g.DEADLINE)[0]))
    finally:
        process.kill()
        process.wait()


def report(gateway, authority, count, done):
    """Reports so many events one after the other; the statuses go to `done`."""
    client = gateway.client(authority)
    for number in range(count):
        answer = client.submit(g.event(f"e-{authority}-{number}", f"{authority}N{number}",
                                       authority=authority))
        done.append(answer.status)


def others_finish(gateway):
    statuses = {authority: [] for authority in OTHERS}
    threads = [threading.Thread(target=report, args=(gateway, authority, EVENTS, done))
               for authority, done in statuses.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(g.DEADLINE)
    for authority, done in statuses.items():
        assert done == [201] * EVENTS, (authority, len(done), set(done))


def run(gateway, expected):
    with flood(gateway) as counts:
        g.wait_for(lambda: gateway.metric("flora_ledger_entries") > 1000, "the flood has begun")
        others_finish(gateway)
    singles = {int(status): count for status, count in counts["singles"].items()}
    streams = {int(status): count for status, count in counts["streams"].items()}
    items = {int(status): count for status, count in counts["items"].items()}
    assert set(singles) <= expected, singles
    assert set(streams) <= expected, streams
    assert set(items) <= expected, items
    refused = sum(count for status, count in singles.items() if status in (429, 503))
    assert counts["retry_after"] == refused, counts
    print(f"{len(OTHERS)} x {EVENTS} events accepted during the flood; flooder: singles {singles}, "
          f"streams {streams}, items {items}")
    return singles


def main():
    binary = sys.argv[1]
    with g.temporary_folder() as folder:
        config = g.config_with(folder, g.ADAPTERS, policy=g.policy_with(folder, RATES))
        with g.running(g.prepared(binary, folder, config=config)) as gateway:
            singles = run(gateway, {200, 201, 429, 503})
            assert singles.get(429, 0) > 0, singles
            refusals = gateway.log.read_bytes().count(b'"problem":"quota-exceeded"')
            assert 0 < refusals < 100, f"{refusals} lines: who asks too often can fill the log"
            gateway.stop()
            gateway.fsck()
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        run(gateway, {200, 201, 503})
        gateway.stop()
        gateway.fsck()


if __name__ == "__main__":
    main()
