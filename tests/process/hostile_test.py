"""Clients that take and do not give: floods of connections, too few descriptors, uploads that break off, and
readers that do not read. Everybody else is served, and nothing that was acknowledged is lost.

Usage: hostile_test.py <flora-gateway>
"""

import os
import pathlib
import resource
import signal
import socket
import sys

import gateway as g

DESCRIPTORS = 300       # Of a gateway that has few.
CONNECTIONS = 92        # What it does not keep for itself.
PER_ADDRESS = 60
FLOOD = 400
ANSWER_MIB = 16         # Of answers that wait for their clients.
ALLOWANCE_MIB = 600     # Caches and buffers; in a build with sanitizers, what these hold back.
SILENT = 150            # Readers, each of which asks for some twenty MiB.
LARGE = "/docs/swagger-ui-bundle.js"


def connected(port):
    connection = socket.create_connection(("127.0.0.1", port), g.DEADLINE)
    connection.settimeout(g.DEADLINE)
    return connection


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def everything(connection):
    """All that comes until the end, however it comes."""
    out = b""
    try:
        while piece := connection.recv(65536):
            out += piece
    except ConnectionError:
        pass
    return out


def with_descriptors(binary, folder, count):
    """A program that runs the gateway with so many descriptors, soft and hard."""
    program = pathlib.Path(folder) / "limited"
    program.write_text(f'#!/bin/sh\nulimit -n {count}\nexec "{binary}" "$@"\n')
    program.chmod(0o700)
    return program


def processor_seconds(gateway):
    fields = pathlib.Path(f"/proc/{gateway.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def states(operators):
    """Of the adapters."""
    return {adapter["state"] for adapter in operators.get("/health/ready").json["adapters"]}


def submit_some(client, prefix, count):
    for number in range(count):
        answer = client.submit(g.event(f"{prefix}-{number}", f"{prefix}{number}"))
        assert answer.status == 201, answer.text


def check_ledger(gateway, entries):
    """After the end: each acknowledged event is on the ledger, once."""
    assert gateway.stop() == 0
    gateway.fsck()
    gateway.start()
    assert gateway.metric("flora_ledger_entries") == entries


def flooded(gateway, addresses):
    """FLOOD connections from so many addresses, each within a request: none is idle and makes room."""
    flood = []
    for number in range(FLOOD):
        source = f"127.0.1.{1 + number % addresses}"
        connection = socket.create_connection(("127.0.0.1", gateway.port), g.DEADLINE, (source, 0))
        connection.settimeout(g.DEADLINE)
        flood.append(connection)
        try:
            connection.sendall(b"GET /v1/st")
        except ConnectionError:
            pass  # Refused already.
    return flood


def refused_among(flood):
    """How many got the answer for those who are refused; the others have got nothing."""
    refused = 0
    for connection in flood:
        if has_answer(connection):
            answer = everything(connection)
            assert answer.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: " in answer.lower(), answer
            assert b"#temporary-reduced-capacity" in answer, answer
            refused += 1
    return refused


def end_flood(gateway, flood):
    for connection in flood:
        connection.close()
    g.wait_for(lambda: gateway.metric("flora_http_connections_open") < 10, "the flood is gone")


def test_flood(binary, folder):
    """Connections end below the descriptors: those beyond are told so, operators still see it, and reloads
    work. One address takes no more than its share."""
    config = g.config_with(folder, [g.ROOT / "adapters" / "de-ni-xauslaender"],
                           limits=f"{{connections_per_address: {PER_ADDRESS}, head_seconds: 600}}")
    gateway = g.prepared(with_descriptors(binary, folder, DESCRIPTORS), folder, config=config)
    with g.running(gateway):
        assert b"fewer connections" in gateway.log.read_bytes()
        submit_some(gateway.client(), "BEFORE", 3)
        flood = flooded(gateway, 8)
        g.wait_for(lambda: gateway.metric("flora_http_connections_refused_total") >= FLOOD - CONNECTIONS,
                   "all beyond the limit are refused")
        before = processor_seconds(gateway)
        gateway.process.send_signal(signal.SIGHUP)
        g.wait_for(lambda: gateway.log.read_bytes().count(b"adapter in use") >= 2, "adapters are read again")
        assert states(gateway.operations()) == {"CURRENT"}
        used = processor_seconds(gateway) - before
        refused = refused_among(flood)
        assert FLOOD - CONNECTIONS <= refused < FLOOD, refused
        end_flood(gateway, flood)

        flood = flooded(gateway, 1)
        g.wait_for(lambda: refused_among(flood[PER_ADDRESS:]) > 0, "the address is at its limit")
        submit_some(gateway.client(), "BESIDE", 20)
        end_flood(gateway, flood)
        assert gateway.metric("flora_http_accept_pauses_total") == 0
        submit_some(gateway.client(), "AFTER", 3)
        check_ledger(gateway, 26)
        assert gateway.stop() == 0
    print(f"{FLOOD} connections on {DESCRIPTORS} descriptors: {refused} refused, the others held, operators served; "
          f"{used:.2f} s of processor time meanwhile; beside one address 20 of 20 events committed")


def has_answer(connection):
    """True if an answer or the end is there already."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    finally:
        connection.settimeout(g.DEADLINE)


def test_no_descriptors(binary, folder):
    """None at all are left: who is connected is served, nothing is harmed, and later it goes on."""
    gateway = g.prepared(binary, folder)
    with g.running(gateway):
        client, operators = gateway.client(), gateway.operations()
        submit_some(client, "FIRST", 2)
        assert operators.get("/health/ready").status == 200
        old = resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE)
        open_now = len(os.listdir(f"/proc/{gateway.process.pid}/fd"))
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (open_now, old[1]))
        waiting = [connected(gateway.port) for _ in range(50)]
        for connection in waiting:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        g.wait_for(lambda: "\nflora_http_accept_pauses_total 0\n" not in operators.get("/metrics").text,
                   "accepting pauses")
        before = processor_seconds(gateway)
        submit_some(client, "WITHOUT", 50)
        gateway.process.send_signal(signal.SIGHUP)
        g.wait_for(lambda: states(operators) != {"CURRENT"}, "adapters cannot be read")
        submit_some(client, "MORE", 10)
        used = processor_seconds(gateway) - before
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, old)
        for connection in waiting:
            assert everything(connection).startswith(b"HTTP/1.1 200 ")
            connection.close()
        log = gateway.log.read_bytes()
        assert log.count(b"accepting pauses") == 1, "the log is flooded"
        gateway.process.send_signal(signal.SIGHUP)
        g.wait_for(lambda: states(gateway.operations()) == {"CURRENT"}, "adapters are read again")
        submit_some(gateway.client(), "LATER", 2)
        check_ledger(gateway, 64)
        assert gateway.stop() == 0
    print(f"no descriptors left: 60 events committed, those who waited are served later; {used:.2f} s of "
          "processor time meanwhile")


def test_too_few(binary, folder):
    gateway = g.prepared(binary, folder)
    gateway.binary = str(with_descriptors(binary, folder, 100))
    done = gateway.command("serve", check=False)
    assert done.returncode != 0 and "RLIMIT_NOFILE" in done.stderr + done.stdout, done.stderr
    print("a gateway with 100 descriptors does not start and says why")


def test_broken_uploads(gateway):
    """Uploads that break off anywhere leave nothing behind."""
    body = g.json.dumps(g.event("broken", "BROKEN1")).encode()
    head = (f"POST /v1/status-events HTTP/1.1\r\nHost: h\r\nFlora-Dev-Authority: {g.AE}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    whole = head + body
    before = gateway.metric("flora_ledger_entries")
    for cut in range(0, len(whole), 3):
        connection = connected(gateway.port)
        connection.sendall(whole[:cut])
        reset(connection)
    for cut in range(1, len(whole), 29):
        with connected(gateway.port) as connection:
            connection.sendall(whole[:cut])
            connection.shutdown(socket.SHUT_WR)
            assert everything(connection).startswith(b"HTTP/1.1 400 "), cut
    assert gateway.metric("flora_ledger_entries") == before
    with connected(gateway.port) as connection:
        connection.sendall(whole)
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection).startswith(b"HTTP/1.1 201 ")
    print("uploads cut at each third octet: nothing is committed; a client that ends its side is answered")


def test_silent_streams(gateway):
    """Who does not read the answers of its stream is cut off; what was committed stays."""
    count = 6000
    events = [g.event(f"silent-{n}", f"SILENT{n}") for n in range(count)]
    body = b"".join(g.json.dumps(one).encode() + b"\n" for one in events)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(g.DEADLINE)
    connection.connect(("127.0.0.1", gateway.port))
    cut_off = gateway.metric("flora_http_timeouts_total")
    before = gateway.metric("flora_ledger_entries")
    try:
        connection.sendall(f"POST /v1/status-events HTTP/1.1\r\nHost: h\r\nFlora-Dev-Authority: {g.AE}\r\n"
                           f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    except ConnectionError:
        pass
    g.wait_for(lambda: gateway.metric("flora_http_timeouts_total") > cut_off, "the reader is cut off")
    assert gateway.client().submit(g.event("beside", "BESIDE1")).status == 201
    connection.close()
    found = [int(line.split(b'"status":')[1][:3]) for line in gateway.client().stream(events, {
        "Prefer": "return=minimal"})]
    assert len(found) == count and set(found) <= {200, 201}, set(found)
    assert gateway.metric("flora_ledger_entries") == before + count + 1
    assert found.count(200) > 0
    print(f"a stream whose answers nobody reads is cut off; {found.count(200)} of its {count} events were committed, "
          "all after the stream came again, none twice")


def test_silent_readers(gateway):
    """Answers that nobody reads hold bounded memory together, whoever asks for them."""
    base = gateway.memory_kib()
    request = f"GET {LARGE} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    silent, most = [], 0
    for _ in range(SILENT):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", gateway.port))
        connection.sendall(request * 16)
        silent.append(connection)
        assert gateway.client().get(LARGE).status == 200
        most = max(most, gateway.memory_kib())
    g.wait_for(lambda: gateway.metric("flora_http_slow_readers_total") > SILENT // 2, "silent readers are cut off")
    growth = (most - base) / 1024
    assert growth < ANSWER_MIB + ALLOWANCE_MIB, f"VmRSS grew by {growth:.0f} MiB"
    for connection in silent:
        connection.close()
    print(f"{SILENT} readers that do not read {SILENT * 16} answers of more than a MiB: VmRSS grew by {growth:.0f} MiB")


def main(binary):
    with g.temporary_folder() as folder:
        for name, test in (("flood", test_flood), ("none", test_no_descriptors), ("few", test_too_few)):
            (folder / name).mkdir()
            test(binary, folder / name)
        config = g.config_with(folder, [g.ROOT / "adapters" / "de-ni-xauslaender"],
                               limits=f"{{write_seconds: 1, answer_memory_mib: {ANSWER_MIB}}}")
        gateway = g.prepared(binary, folder, config=config)
        with g.running(gateway):
            test_broken_uploads(gateway)
            test_silent_streams(gateway)
            test_silent_readers(gateway)
            assert gateway.stop() == 0
        gateway.fsck()


if __name__ == "__main__":
    main(sys.argv[1])
