"""Start here. The real binary as a process: start, talk to it, end it. Standard library only.

Nothing here waits a fixed time: every wait is for a condition, with a deadline after which the test
fails with the gateway's own log.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOAK = os.environ.get("FLORA_SOAK") == "1"

# Authorities of config/policy.yaml, by role.
AE, LD, ABH, BAMF, AUDITOR = "999902", "999904", "999903", "999901", "999990"

ADAPTERS = sorted((ROOT / "adapters").glob("de-*"))

# Rates that no test or benchmark meets, unless it is about rates.
FREELY = ("{requests: {per_second: 1000000, burst: 1000000}, events: {per_second: 1000000, "
          "burst: 1000000}, anonymous: {per_second: 1000000, burst: 1000000}}")

DEADLINE = 120.0  # Seconds for anything that a loaded machine does in less than one.


def wait_for(condition, what, deadline=DEADLINE):
    """Returns the first true value of condition(). Fails after `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {deadline} s")
        time.sleep(0.005)


@contextlib.contextmanager
def temporary_folder():
    """A folder that goes with the block, unless an assertion fails: then its name is printed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flora-process-"))
    try:
        yield folder
    except BaseException:
        print(f"kept for a look: {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)


class Gateway:
    """One gateway over one data folder; started and ended any number of times. Its stderr goes to
    the file `log`. Used by one thread at a time, but for `client`, which any may call."""

    def __init__(self, binary, data, config=None):
        """Without `config`: that of the folder config, with rates that no test meets."""
        self.binary = str(binary)
        self.data = pathlib.Path(data)
        self.config = config or config_with(self.data.parent, ADAPTERS)
        self.log = self.data.with_name(self.data.name + ".log")
        self.process = None
        self.port = self.operations_port = 0

    def command(self, *words, check=True, input=""):
        """Runs a subcommand to its end, with this text on its stdin. Returns it with its output as text."""
        done = subprocess.run(
            [self.binary, *map(str, words), "--config", self.config, "--data", self.data],
            capture_output=True, text=True, input=input, timeout=600)
        if check and done.returncode != 0:
            raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def init(self):
        """Makes the keys. Returns the ledger's verifier key."""
        return self.command("init").stdout.split("verifier key: ")[1].strip()

    def launch(self):
        """Starts the process and does not wait for it to listen."""
        self._ports_file().unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--config", self.config, "--data", self.data, "--port", "0",
                 "--operations-port", "0", "--port-file", self._ports_file()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self):
        self.launch()
        wait_for(self._is_listening, "the gateway listens")
        self.port, self.operations_port = map(int, self._ports_file().read_text().split())
        return self

    def kill(self):
        """SIGKILL; the process is gone on return."""
        self.process.kill()
        self.process.wait(DEADLINE)
        self.process = None

    def stop(self):
        """SIGTERM. Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE)
        self.process = None
        return code

    def client(self, authority=AE):
        return Client(self.port, authority)

    def operations(self):
        return Client(self.operations_port)

    def metric(self, name):
        """The value of a sample without labels."""
        for line in self.operations().get("/metrics").text.splitlines():
            if line.startswith(name + " "):
                return int(line.split()[1])
        raise AssertionError(f"no sample {name}")

    def wait_for_view(self, entries):
        """Waits until the read model holds so many entries: nobody else waits for it but readers."""
        wait_for(lambda: self.metric("flora_view_position") == entries, "the read model has caught up")

    def memory_kib(self):
        """VmRSS."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def ready(self):
        """The answer of /health/ready."""
        answer = self.operations().get("/health/ready")
        assert answer.status == 200, answer.text
        return answer.json

    def fsck(self):
        """Runs fsck on the files of an ended gateway; fails on any finding. Returns its report."""
        return self.command("ledger", "fsck").stdout

    def _ports_file(self):
        return self.data.with_name(self.data.name + ".ports")

    def _is_listening(self):
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise AssertionError(f"the gateway ended with {self.process.returncode}:\n{tail}")
        return self._ports_file().exists()


def prepared(binary, folder, **more):
    """A gateway with its keys over a fresh data folder within `folder`, not started."""
    gateway = Gateway(binary, pathlib.Path(folder) / "data", **more)
    gateway.init()
    return gateway


def policy_with(folder, rates, clients=""):
    """Writes a copy of config/policy.yaml with these rates and further clients, as YAML, and more searches.
    Returns its path."""
    text = (ROOT / "config" / "policy.yaml").read_text()
    before, rest = text.split("\nrates:\n")
    path = pathlib.Path(folder) / "policy.yaml"
    rest = rest.replace("\nclients:\n", f"\nclients:\n{clients}")
    rest = rest[rest.index("\n\n"):].replace("searches: {identifiers: 1000,", "searches: {identifiers: 100000,")
    path.write_text(f"{before}\nrates: {rates}\n{rest}")
    return path


def config_with(folder, adapters, **settings):
    """Writes a copy of config/gateway.yaml with these folders of adapters and top-level settings, and
    with rates that no test meets. Returns its path."""
    changed = {"adapters": json.dumps([str(adapter) for adapter in adapters]), **settings}
    if "policy" not in changed:
        changed["policy"] = policy_with(folder, FREELY)
    lines, key = [], ""
    for line in (ROOT / "config" / "gateway.yaml").read_text().splitlines():
        if not line.startswith(" "):  # Else it belongs to the setting above it.
            key = line.split(":")[0]
        if key == "statuses":
            line = f"{key}: {ROOT / 'config' / key}.yaml"
        if key not in changed:
            lines.append(line)
    lines += [f"{key}: {value}" for key, value in changed.items()]
    path = pathlib.Path(folder) / "gateway.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def export_bundle(folder):
    """A copy of tests/bundles/de-ni-export within `folder`, to be changed."""
    target = pathlib.Path(folder) / "bundles" / "de-ni-export"
    shutil.copytree(ROOT / "tests" / "bundles" / "de-ni-export", target)
    return target


def export_file(prefix, count, note=""):
    """A file for de-ni-export: so many records, each a registration of another procedure."""
    records = [f"{prefix}-{n};{prefix}{n};R;02.11.2026;{note}\n" for n in range(count)]
    return "".join(["Vorgang;D-Nummer;Status;Tag;Bemerkung\n", *records, f"SUMME;{count};;;\n"]).encode(
        "iso-8859-1")


def raw(port, octets):
    """Sends octets as they are. Returns all that comes until the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


@contextlib.contextmanager
def running(gateway):
    """A started gateway; whatever happens, its process ends with the block."""
    try:
        if gateway.process is None:
            gateway.start()
        yield gateway
    finally:
        if gateway.process is not None:
            gateway.kill()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """One connection that is kept alive. Not thread-safe."""

    def __init__(self, port, authority=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        self.headers = {"Flora-Dev-Authority": authority} if authority else {}

    def send(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body=body, headers={**self.headers, **(headers or {})})
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def get(self, path, headers=None):
        return self.send("GET", path, headers=headers)

    def submit(self, body, media_type="application/json", headers=None):
        """POST of one event, a batch or a stream: a dict, a list, text or bytes."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        return self.send("POST", "/v1/status-events", body,
                         {"Content-Type": media_type, **(headers or {})})

    def stream(self, events, headers=None):
        """POST of events as NDJSON. Yields each complete line of the answer, as bytes, when it is
        there."""
        body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        self.connection.request("POST", "/v1/status-events", body=body, headers={
            **self.headers, "Content-Type": "application/x-ndjson", **(headers or {})})
        response = self.connection.getresponse()
        assert response.status == 200, (response.status, response.read())
        while line := response.readline():
            if line.endswith(b"\n"):
                yield line
        assert response.read() == b""

    def native(self, body, adapter="de-ni-export", media_type="text/csv", headers=None):
        """POST of a native message."""
        return self.send("POST", f"/v1/adapters/{adapter}/messages", body,
                         {"Content-Type": media_type, **(headers or {})})

    def history(self, procedure):
        """All entries of a procedure, over all pages."""
        entries, cursor = [], ""
        while True:
            answer = self.get(f"/v1/procedures/{procedure}/history?limit=100{cursor}")
            assert answer.status == 200, answer.text
            entries += answer.json["entries"]
            if "next" not in answer.json:
                return entries
            cursor = "&cursor=" + answer.json["next"]

    def close(self):
        self.connection.close()


def event(identity, identifier, status="REGISTRIERUNG_ABGESCHLOSSEN", authority=AE, **more):
    """A canonical status event about the procedure of a D-Nummer."""
    body = {
        "id": identity,
        "source": "urn:flora:test",
        "status": status,
        "occurredOn": "2026-11-02",
        "procedure": {"identifiers": [{"type": "D_NUMMER", "value": identifier}]},
        "reporter": {"authority": authority},
    }
    body.update(more)
    return body


def submission_of(line):
    """The bytes of the submission within a line of a stream's answer."""
    start = line.index(b'"submission":') + len(b'"submission":')
    return line[start:line.rindex(b"}")]
