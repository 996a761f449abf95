"""Sends each case of cases.py to the gateway and to nginx, in one piece and octet by octet, and holds
what they make of it against the table.

Usage: table_test.py <flora-gateway> [name of a group or case]
"""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "process"))

import cases as table
import differences
import gateway as g

DEADLINE = 20.0
SERVED = ["OPTIONS *"]  # Good requests that nginx does not serve.

NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 256;
events {{ worker_connections 64; }}
http {{
  access_log off; client_header_timeout 1s; client_body_timeout 1s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen unix:{folder}/socket;
    location / {{ proxy_pass http://unix:{folder}/upstream; proxy_http_version 1.1; proxy_ignore_client_abort on; }}
  }}
  server {{ listen unix:{folder}/upstream; location / {{ return 200 "good"; }} }}
}}
"""


class Connection:
    """A socket and what has come on it. No answer within the deadline fails the test."""

    def __init__(self, address):
        kind = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(kind, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE)
        if kind == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(address)
        self.data = b""
        self.ended = False

    def send(self, sent, octet_by_octet=False):
        """The peer may answer and close before the end: that is no error of the client."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in ([sent[i:i + 1] for i in range(len(sent))] if octet_by_octet else [sent]):
                self.socket.sendall(piece)

    def end(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def more(self):
        """False at the end."""
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            piece = b""
        self.data += piece
        self.ended = self.ended or not piece
        return not self.ended

    def until(self, mark):
        while mark not in self.data:
            if not self.more():
                return None
        head, self.data = self.data.split(mark, 1)
        return head

    def exactly(self, count):
        while len(self.data) < count:
            if not self.more():
                raise AssertionError("the answer ends early")
        body, self.data = self.data[:count], self.data[count:]
        return body

    def chunked(self):
        body = b""
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
            if size == 0:
                return body

    def answer(self, head_only=False):
        """Status, fields and body of the next final answer; None at the end of the connection."""
        while True:
            head = self.until(b"\r\n\r\n")
            if head is None:
                return None
            lines = head.decode("latin-1").split("\r\n")
            version, status = lines[0].split(" ")[:2]
            assert version == "HTTP/1.1", lines[0]
            fields = {}
            for line in lines[1:]:
                name, value = line.split(":", 1)
                fields[name.lower()] = value.strip()
            if int(status) < 200:
                continue
            body = b""
            if not head_only and status not in ("204", "304"):
                if fields.get("transfer-encoding") == "chunked":
                    body = self.chunked()
                else:
                    body = self.exactly(int(fields.get("content-length", 0)))
            return int(status), fields, body


def observe(address, case, octet_by_octet=False):
    """The statuses of the answers, and whether the connection is open behind them. The answers
    themselves come third."""
    connection = Connection(address)
    connection.send(case.sent, octet_by_octet)
    if case.half_closed:
        connection.end()
    answers = []
    requests = max(1, len(case.statuses))
    while len(answers) < requests:
        # Behind a HEAD comes a GET, in the only case that has both.
        answer = connection.answer(case.heads and not answers)
        if answer is None:
            break
        answers.append(answer)
    opened = False
    if not connection.ended and not case.half_closed:
        connection.send(table.get())
        probe = connection.answer()
        opened = probe is not None and probe[0] < 300
    elif not connection.ended:
        extra = connection.answer()
        assert extra is None, f"one answer too many: {extra[0]}"
    connection.socket.close()
    return tuple(answer[0] for answer in answers), opened, answers


def alike(wanted, seen):
    return len(wanted) == len(seen) and all(
        w == s or (w < 300 and s < 300) for w, s in zip(wanted, seen))


def check_form(case, answers):
    """Every answer of the gateway has a date; each refusal is a problem of its status."""
    for status, fields, body in answers:
        assert "date" in fields, case.name
        if status >= 400:
            assert fields["content-type"] == "application/problem+json", (case.name, fields)
            if not case.heads:
                problem = g.json.loads(body)
                assert problem["status"] == status and problem["type"].startswith("/problems/"), problem
        if status == 405 or (status == 204 and "OPTIONS" in case.name):
            assert fields.get("allow"), (case.name, fields)
    if not case.opened and answers and not case.half_closed:
        assert answers[-1][1].get("connection") == "close", case.name


def check_gateway(port, case):
    faults = []
    # Long ones are not worth a system call for each octet.
    for octet_by_octet in (False, True) if len(case.sent) < 3000 else (False,):
        statuses, opened, answers = observe(("127.0.0.1", port), case, octet_by_octet)
        if not alike(case.statuses, statuses) or opened != case.opened:
            faults.append(f"{case.name}: wanted {case.statuses}, {'open' if case.opened else 'closed'}; got "
                          f"{statuses}, {'open' if opened else 'closed'}")
            continue
        check_form(case, answers)
    return faults


def differences_by_name():
    """What nginx does, by case: statuses, and whether the connection stays open."""
    by_name = {}
    for _, statuses, opened, names in differences.DIFFERENCES:
        for name in names:
            assert name not in by_name, f"{name}: explained twice"
            by_name[name] = (statuses, opened)
    unknown = set(by_name) - {case.name for case in chosen([])}
    assert not unknown, f"no cases: {unknown}"
    return by_name


def check_nginx(address, case, by_name):
    statuses, opened, _ = observe(address, case)
    wanted = by_name.get(case.name, (case.statuses, case.opened))
    if not alike(wanted[0], statuses) or opened != wanted[1]:
        return [f"{case.name}: nginx should do {wanted[0]}, {'open' if wanted[1] else 'closed'}; "
                f"it does {statuses}, {'open' if opened else 'closed'}"]
    if case.name in by_name and alike(case.statuses, statuses) and opened == case.opened:
        return [f"{case.name}: a difference is explained that is none"]
    if any(status >= 400 for status in statuses) and not any(status >= 400 for status in case.statuses):
        return [f"{case.name}: nginx is stricter"] if case.name not in SERVED else []
    return []


@contextlib.contextmanager
def nginx_in(folder):
    """nginx on a Unix domain socket; ended with the block."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf"),
                                "-e", str(folder / "start.log")])
    try:
        g.wait_for((folder / "socket").exists, "nginx listens")
        yield str(folder / "socket")
    finally:
        process.terminate()
        process.wait(DEADLINE)


def chosen(words):
    for group, members in table.GROUPS.items():
        for case in members:
            if not words or group in words or case.name in words:
                yield case


def main(binary, *words):
    every = list(chosen(words))
    assert every and len({case.name for case in every}) == len(every), "a name occurs twice"
    by_name = differences_by_name()
    faults = []
    with g.temporary_folder() as folder, nginx_in(folder) as nginx:
        with g.running(g.prepared(binary, folder)) as gateway:
            for case in every:
                try:
                    faults += check_gateway(gateway.port, case)
                    faults += check_nginx(nginx, case, by_name)
                except (AssertionError, TimeoutError) as problem:
                    faults.append(f"{case.name}: {problem!r}")
            assert gateway.stop() == 0
    print(*faults, sep="\n")
    print(f"{len(every)} cases, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
