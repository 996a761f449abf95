"""Native files of many records: two passes, answers in order, bounded memory; clients that go away or do
not read; files beyond the memory that is set aside for them.

Usage: large_messages_test.py <flora-gateway>

With FLORA_SOAK=1 the first file has 64 MiB, else 20,000 records.
"""

import re
import socket
import sys

import gateway as g

MIB = 1 << 20
MOST_BYTES = 64 * MIB
ALLOWANCE_KIB = 96 * 1024  # Caches, windows and buffers, whatever the size of the file.
PATH = "/v1/adapters/de-ni-export/messages"
MINIMAL = {"Prefer": "return=minimal"}
LINE = re.compile(rb'\{"item":(\d+),"status":(\d+),')


def head(fields):
    return (f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
            f"Flora-Dev-Authority: {g.AE}\r\n{fields}\r\n\r\n").encode()


class RawRequest:
    """One message over a connection of its own, read as slowly as the test wants."""

    def __init__(self, gateway, body):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.socket.settimeout(g.DEADLINE)
        self.socket.connect(("127.0.0.1", gateway.port))
        self.socket.sendall(head(f"Content-Length: {len(body)}\r\nConnection: close") + body)
        self.answer = self.socket.makefile("rb", buffering=4096)
        assert self.answer.readline() == b"HTTP/1.1 200 OK\r\n"

    def lines(self):
        """The lines of the answer, to its end."""
        while self.answer.readline() != b"\r\n":
            pass
        rest = b""
        while size := int(self.answer.readline(), 16):
            *lines, rest = (rest + self.answer.read(size)).split(b"\n")
            self.answer.readline()
            yield from lines
        assert rest == b"", rest

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.answer.close()
        self.socket.close()


def statuses(lines):
    """The statuses of the lines, which must stand in order."""
    found = []
    for number, line in enumerate(lines):
        match = LINE.match(line)
        assert match and int(match[1]) == number, (number, line)
        found.append(int(match[2]))
    return found


def largest_file():
    note = "x" * 70
    record = len(f"BIG-{100000};BIG{100000};R;02.11.2026;{note}\n")
    count = (MOST_BYTES - 100) // record
    return g.export_file("BIG", count, note), count


def test_one_large_file(gateway, body, count):
    """Every record is committed, in order; memory grows by the file and a fixed allowance."""
    assert gateway.client().native(g.export_file("WARM", 4000), headers=MINIMAL).status == 200
    before = gateway.metric("flora_ledger_entries")
    base, most = gateway.memory_kib(), 0
    client = gateway.client()
    client.connection.request("POST", PATH, body, {**client.headers, **MINIMAL,
                                                   "Content-Type": "text/csv"})
    response = client.connection.getresponse()
    assert response.status == 200 and response.headers["Content-Type"] == "application/x-ndjson"
    for number in range(count):
        line = response.readline()
        match = LINE.match(line)
        assert match and (int(match[1]), match[2]) == (number, b"201"), line
        if number % (count // 50) == 0:
            most = max(most, gateway.memory_kib())
    assert response.read() == b""
    assert gateway.metric("flora_ledger_entries") == before + count
    growth = most - base
    assert growth < len(body) / 1024 + ALLOWANCE_KIB, f"VmRSS grew by {growth} KiB"
    print(f"{count:,} records in {len(body) / 2**20:.1f} MiB: each committed, in order; VmRSS grew by "
          f"{growth / 1024:.0f} MiB at most")


def test_resend(gateway):
    """Each record again gets its first receipt, byte for byte."""
    body = g.export_file("AGAIN", 3000)
    first, second = (gateway.client().native(body).body.splitlines() for _ in range(2))
    assert statuses(first) == [201] * 3000 and statuses(second) == [200] * 3000
    assert list(map(g.submission_of, first)) == list(map(g.submission_of, second))
    print("a file sent again: the same receipts")


def test_memory_used_up(gateway):
    """Large files wait for their turn, everything else goes on."""
    body = g.export_file("FULL", 30_000, "x" * 70)
    assert len(body) > 2 * MIB
    base = gateway.memory_kib()
    with socket.create_connection(("127.0.0.1", gateway.port), g.DEADLINE) as holder:
        holder.sendall(head(f"Content-Length: {MOST_BYTES}\r\nExpect: 100-continue"))
        assert holder.recv(100).startswith(b"HTTP/1.1 100")
        holder.sendall(bytes(MOST_BYTES - 1))
        g.wait_for(lambda: gateway.memory_kib() - base > (MOST_BYTES - 2 * MIB) / 1024,
                   "the memory is used up")
        refused = gateway.client().native(body, headers=MINIMAL)
        assert refused.status == 503 and refused.headers["Retry-After"], refused.text
        assert refused.json["type"].endswith("#temporary-reduced-capacity")
        assert gateway.client().native(g.export_file("SMALL", 5)).status == 200
        assert gateway.client().submit(g.event("small", "SMALL5")).status == 201
    g.wait_for(lambda: gateway.client().native(body, headers=MINIMAL).status == 200,
               "the memory is free again")
    print("memory used up: 503 for a large file, small ones go on")


def test_client_goes_away(gateway):
    """The second pass ends; what was committed is recognised when the file comes again."""
    count = 20_000
    body = g.export_file("GONE", count)
    before = gateway.metric("flora_ledger_entries")
    request = RawRequest(gateway, body)
    g.wait_for(lambda: gateway.metric("flora_ledger_entries") > before, "the first are committed")
    request.reset()
    answer = gateway.client().native(body, headers=MINIMAL)
    found = statuses(answer.body.splitlines())
    assert len(found) == count and set(found) == {200, 201}, set(found)
    assert gateway.metric("flora_ledger_entries") == before + count
    print(f"client gone in the middle: {found.count(200):,} of {count:,} were committed, all after "
          "the resend, none twice")


def test_client_does_not_read(gateway):
    """The file waits, others do not; then the answer is complete."""
    count = 20_000
    before = gateway.metric("flora_ledger_entries")
    request = RawRequest(gateway, g.export_file("SLOW", count))
    g.wait_for(lambda: gateway.metric("flora_ledger_entries") > before + 1000, "some are committed")
    assert gateway.client().submit(g.event("beside", "BESIDE1")).status == 201
    assert gateway.metric("flora_ledger_entries") < before + count
    assert statuses(request.lines()) == [201] * count
    print("client that does not read: its file waits, others go on")


def test_broken_file(gateway):
    """Nothing is committed of a file that was cut off, however late that shows."""
    before = gateway.metric("flora_ledger_entries")
    body = g.export_file("CUT", 20_000)
    answer = gateway.client().native(body[:body.rindex(b"SUMME")])
    assert answer.status == 422 and answer.json["errors"][0]["line"] == 20_001, answer.text
    assert gateway.metric("flora_ledger_entries") == before
    print("file without its last line: 422, nothing committed")


def main():
    with g.temporary_folder() as folder:
        config = g.config_with(folder, [g.export_bundle(folder)], adapter_memory_mib=64)
        gateway = g.prepared(sys.argv[1], folder, config=config)
        with g.running(gateway):
            test_one_large_file(gateway, *(largest_file() if g.SOAK else
                                           (g.export_file("BIG", 20_000), 20_000)))
            test_resend(gateway)
            test_memory_used_up(gateway)
            test_client_goes_away(gateway)
            test_client_does_not_read(gateway)
            test_broken_file(gateway)
            entries = gateway.metric("flora_ledger_entries")
            assert gateway.stop() == 0
        report = gateway.fsck()
        assert f"{entries} entries" in report and " 0 findings" in report, report


if __name__ == "__main__":
    main()
