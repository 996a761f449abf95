"""One authority without mercy: streams without end and single events without pause, over many
connections, until its standard input ends. Then it prints as JSON how often it saw which status, per
single event and per item of its streams. A process of its own, so that nobody shares its interpreter.

Usage: flooder.py <port> <authority> <streams> <singles>
"""

import collections
import itertools
import json
import re
import socket
import sys
import threading

import gateway as g

EVENTS_OF_A_PIECE = 200
STATUS = re.compile(rb'"status":(\d{3})')


class Flooder:
    def __init__(self, port, authority):
        self.port, self.authority = port, authority
        self.stopping = threading.Event()
        self.numbers = itertools.count()
        self.lock = threading.Lock()
        self.singles = collections.Counter()
        self.items = collections.Counter()
        self.streams = collections.Counter()
        self.retry_after = 0  # Of the answers 429 and 503: how many said when to come again.

    def event(self):
        number = next(self.numbers)
        return json.dumps(g.event(f"flood-{number}", f"FLOOD{number}", authority=self.authority))

    def run_singles(self):
        while not self.stopping.is_set():
            client = g.Client(self.port, self.authority)
            try:
                while not self.stopping.is_set():
                    answer = client.submit(self.event())
                    with self.lock:
                        self.singles[answer.status] += 1
                        self.retry_after += answer.headers["Retry-After"] is not None
            except OSError:
                pass  # Cut off at the end.
            finally:
                client.close()

    def run_streams(self):
        while not self.stopping.is_set():
            with socket.create_connection(("127.0.0.1", self.port), g.DEADLINE) as connection:
                connection.sendall(
                    (f"POST /v1/status-events HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n"
                     f"Content-Type: application/x-ndjson\r\nPrefer: return=minimal\r\n"
                     f"Flora-Dev-Authority: {self.authority}\r\n\r\n").encode())
                sender = threading.Thread(target=self.send_events, args=(connection,), daemon=True)
                sender.start()
                self.read_answers(connection)
                connection.shutdown(socket.SHUT_RDWR)
                sender.join()

    def send_events(self, connection):
        try:
            while not self.stopping.is_set():
                piece = "".join(self.event() + "\n" for _ in range(EVENTS_OF_A_PIECE)).encode()
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        except OSError:
            pass  # The gateway, or the end, has closed the connection.

    def read_answers(self, connection):
        connection.settimeout(0.1)
        first = True
        rest = b""
        while not self.stopping.is_set():
            try:
                data = connection.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            if first:
                first = False
                status = int(data.split(b" ")[1])
                with self.lock:
                    self.streams[status] += 1
                if status != 200:
                    return
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            with self.lock:
                self.items.update(int(match[1]) for line in lines if (match := STATUS.search(line)))


def main():
    port, authority, streams, singles = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    flooder = Flooder(port, authority)
    threads = [threading.Thread(target=flooder.run_streams, daemon=True) for _ in range(streams)]
    threads += [threading.Thread(target=flooder.run_singles, daemon=True) for _ in range(singles)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    flooder.stopping.set()
    with flooder.lock:
        print(json.dumps({"singles": flooder.singles, "items": flooder.items, "streams": flooder.streams,
                          "retry_after": flooder.retry_after}), flush=True)
    for thread in threads:
        thread.join(10)


if __name__ == "__main__":
    main()
