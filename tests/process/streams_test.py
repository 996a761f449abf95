"""Streams that together bring more than the gateway takes are slowed, not refused.

Usage: streams_test.py <flora-gateway>
"""

import sys
import threading

import gateway as g

STREAMS, EVENTS = 8, 6000  # Several times what the store lets wait.


def send(gateway, number, results):
    events = [g.event(f"event-{number}-{i}", f"STREAM{number}X{i}") for i in range(EVENTS)]
    answers = list(gateway.client().stream(events, {"Prefer": "return=minimal"}))
    results[number] = sum(b'"status":201' in line for line in answers)


def main():
    with g.temporary_folder() as folder:
        gateway = g.prepared(sys.argv[1], folder)
        with g.running(gateway):
            results = {}
            threads = [threading.Thread(target=send, args=(gateway, number, results))
                       for number in range(STREAMS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert results == {number: EVENTS for number in range(STREAMS)}, results
            assert gateway.stop() == 0
    print(f"{STREAMS} streams of {EVENTS} events at once: each event committed")


if __name__ == "__main__":
    main()
