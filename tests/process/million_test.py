"""Very many events in one stream: the memory of the process stays flat, and after a restart the first
event is still known.

Usage: million_test.py <flora-gateway> [events]

1. Events are sent, and their receipts kept.
2. 1,000,000 further events (20,000 without FLORA_SOAK=1) are sent as one NDJSON stream with
   `Prefer: return=minimal`, while VmRSS is sampled. It must not grow over the second half of the stream
   by more than 16 MiB.
3. After a restart each event of step 1 is answered 200 with the same bytes. Start-up time and memory are
   reported after each stream; shorter ones come before, up to 10^4 and 10^5 entries.
"""

import json
import os
import socket
import statistics
import sys
import threading
import time

import gateway as g

EARLY = 50
ALLOWED_GROWTH_KIB = 16 * 1024
CHUNK = 500  # Lines that are written at once.


def events(first, count):
    for number in range(first, first + count):
        yield (f'{{"id":"million-{number}","source":"urn:flora:test","status":"REGISTRIERUNG_ABGESCHLOSSEN",'
               f'"occurredOn":"2026-11-02","procedure":{{"identifiers":[{{"type":"D_NUMMER",'
               f'"value":"M{number // 8}"}}]}},"reporter":{{"authority":"{g.AE}"}}}}\n')


class Stream:
    """One request of any length: a thread writes, the caller reads."""

    def __init__(self, gateway, lines):
        self.socket = socket.create_connection(("127.0.0.1", gateway.port), g.DEADLINE)
        self.lines = lines
        self.failure = None
        self.writer = threading.Thread(target=self._write)
        self.writer.start()

    def answers(self):
        """Yields the lines of the answer."""
        with self.socket.makefile("rb", buffering=1 << 16) as answer:
            status = answer.readline()
            assert status == b"HTTP/1.1 200 OK\r\n", status
            fields = set()
            while (field := answer.readline()) != b"\r\n":
                fields.add(field.lower().strip())
            assert {b"transfer-encoding: chunked", b"preference-applied: return=minimal"} <= fields, fields
            yield from self._lines(answer)
        self.writer.join()
        assert self.failure is None, self.failure

    @staticmethod
    def _lines(answer):
        rest = b""
        while size := int(answer.readline(), 16):
            *lines, rest = (rest + answer.read(size)).split(b"\n")
            answer.readline()
            yield from lines
        assert rest == b"", rest

    def _write(self):
        try:
            self.socket.sendall(
                b"POST /v1/status-events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                b"Content-Type: application/x-ndjson\r\nPrefer: return=minimal\r\nConnection: close\r\n"
                b"Flora-Dev-Authority: " + g.AE.encode() + b"\r\n\r\n")
            pending = []
            for line in self.lines:
                pending.append(line)
                if len(pending) == CHUNK:
                    self._chunk("".join(pending))
                    pending = []
            if pending:
                self._chunk("".join(pending))
            self.socket.sendall(b"0\r\n\r\n")
        except OSError as error:
            self.failure = error

    def _chunk(self, text):
        data = text.encode()
        self.socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))


def send_stream(gateway, first, count):
    """Returns samples of (events answered, VmRSS in KiB), and the seconds that it took."""
    samples, answered = [], 0
    every = max(1, count // 200)
    begin = time.monotonic()
    for line in Stream(gateway, events(first, count)).answers():
        assert b'"status":201' in line, line
        assert b"receipt" not in line, line
        answered += 1
        if answered % every == 0:
            samples.append((answered, gateway.memory_kib()))
    assert answered == count, (answered, count)
    return samples, time.monotonic() - begin


def check_flat(samples):
    half = [memory for _, memory in samples[len(samples) // 2:]]
    quarter = max(1, len(half) // 4)
    growth = statistics.median(half[-quarter:]) - statistics.median(half[:quarter])
    assert growth < ALLOWED_GROWTH_KIB, f"VmRSS grew by {growth} KiB: {samples}"
    return growth


def restart(gateway):
    """Returns the seconds from exec to the first answer, and VmRSS in KiB after it."""
    assert gateway.stop() == 0
    begin = time.monotonic()
    gateway.start()
    assert gateway.client().get("/health/live").status == 200
    return time.monotonic() - begin, gateway.memory_kib()


def report(samples, seconds, growth):
    step = max(1, len(samples) // 10)
    table = ", ".join(f"{answered:,}: {memory / 1024:.0f}" for answered, memory in samples[step - 1::step])
    print(f"stream of {samples[-1][0]:,} events in {seconds:.1f} s ({samples[-1][0] / seconds:,.0f} events/s, "
          f"the client is Python); VmRSS in MiB by events answered: {table}; growth over the second half "
          f"{growth / 1024:.1f} MiB", flush=True)


def run(binary, count):
    # In a sanitizer build freed memory would be kept for long.
    os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=8")
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        client = gateway.client()
        early = [g.event(f"early-{n}", f"EARLY{n}") for n in range(EARLY)]
        answers = [client.submit(event) for event in early]
        assert {answer.status for answer in answers} == {201}
        client.close()
        # Streams that bring the ledger to powers of ten, then the long one.
        ends = [total for total in (10_000, 100_000) if total < count]
        sent = 0
        for end in (*ends, count + max(ends, default=0)):
            samples, seconds = send_stream(gateway, sent, end - sent)
            report(samples, seconds, check_flat(samples))
            sent = end
            started, memory = restart(gateway)
            print(f"start with {gateway.metric('flora_ledger_entries'):,} entries: {started * 1000:.0f} ms, "
                  f"VmRSS {memory / 1024:.1f} MiB", flush=True)
        client = gateway.client()
        for event, answer in zip(early, answers):
            again = client.submit(event)
            assert (again.status, again.body) == (200, answer.body), (again.status, again.body)
        assert gateway.metric("flora_ledger_entries") == EARLY + sent
        repeated = json.loads(next(iter(events(count // 2, 1))))
        assert client.submit(repeated).status == 200
        assert gateway.stop() == 0
        print(gateway.fsck().strip())
    print(f"{EARLY} events from before {sent:,} others and a restart: each answered 200 with the same bytes")


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else (1_000_000 if g.SOAK else 20_000))
