"""The life of a gateway: it is checked as a whole before it starts, reads its configuration again while
requests run, and ends without losing or cutting off anything.

Usage: life_test.py <flora-gateway>
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import gateway as g
import tls_files

RELOADS = 200 if g.SOAK else 12
IDLE_RELOADS = 1000 if g.SOAK else 100
READ_AGAIN = "configuration read again"
BROKEN = (http.client.HTTPException, ConnectionError)


class Site:
    """A folder with configuration, keys, certificates and one bundle; TLS with client certificates."""

    def __init__(self, binary, folder):
        self.folder = folder
        self.tls = tls_files.Authority(folder / "tls")
        self.tls.make("server", "serverAuth")
        self.lab = self.tls.make("lab", "clientAuth")
        self.other = self.tls.make("other", "clientAuth")
        self.bundle = g.export_bundle(folder)
        shutil.copy(g.ROOT / "config" / "statuses.yaml", folder)
        self.write_policy()
        self.write_settings()
        (folder / "checkpoints").mkdir()
        self.gateway = g.Gateway(binary, folder / "data", config=folder / "gateway.yaml")
        self.gateway.init()

    def write_settings(self, workers=2, grace_ms=0, bound_ms=60000, level="info"):
        (self.folder / "gateway.yaml").write_text(f"""\
environment: test
data: data
listen:
  public:
    address: 127.0.0.1
    port: 0
    tls: {{certificate: tls/server.pem, key: tls/server.key, client_ca: tls/ca.pem,
           client_certificates: required}}
  operations: {{address: 127.0.0.1, port: 0}}
workers: {workers}
log: {{level: {level}}}
shutdown: {{grace_ms: {grace_ms}, bound_ms: {bound_ms}}}
authentication: {{development_header: false}}
ledger: {{kind: embedded, origin: flora.example/test, key: "data:ledger.key",
         checkpoint: checkpoints/checkpoint, channel: default}}
mapping_secret: data:mapping.secret
policy: policy.yaml
statuses: statuses.yaml
adapters: [{self.bundle}]
""")

    def write_policy(self, other=True, note="Aufnahme", land="DE-NI"):
        clients = [f'  - {{name: lab, certificate_sha256: "{self.lab}", authorities: ["{g.AE}"]}}\n']
        if other:
            clients.append(f'  - {{name: other, certificate_sha256: "{self.other}", '
                           f'authorities: ["{g.ABH}"]}}\n')
        fresh = self.folder / "policy.new"
        fresh.write_text("authorities:\n"
                         f'  - {{id: "{g.AE}", name: "{note}", land: {land}, role: AE}}\n'
                         f'  - {{id: "{g.ABH}", name: "Ausländerbehörde", land: DE-NI, role: ABH}}\n'
                         "clients:\n" + "".join(clients) + f"rates: {g.FREELY}\n")
        fresh.rename(self.folder / "policy.yaml")

    def edit_bundle(self, old, new):
        path = self.bundle / "adapter.yaml"
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new))

    def client(self, name="lab"):
        return tls_files.TlsClient(self.gateway.port, self.tls.context(name))

    def log(self):
        return self.gateway.log.read_text(errors="replace")

    def reload(self):
        """SIGHUP, until all is read again."""
        before = self.log().count(READ_AGAIN)
        self.gateway.process.send_signal(signal.SIGHUP)
        g.wait_for(lambda: self.log().count(READ_AGAIN) > before, "the configuration is read again")

    def state(self, part):
        return next(one for one in self.gateway.ready()["configuration"] if one["name"] == part)


class Load:
    """Reports events on connections that stay and on fresh ones, until the block ends or the gateway
    closes. What fails although it was sent before `ending` is wrong."""

    def __init__(self, site, name, kept=2, fresh=1):
        self.site, self.name = site, name
        self.lock = threading.Lock()
        self.acknowledged, self.wrong = {}, []
        self.ending = None
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number, number < kept))
                        for number in range(kept + fresh)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:3]

    def wait_for(self, count):
        g.wait_for(lambda: len(self.acknowledged) >= count or self.wrong, f"{count} answers")

    def _run(self, number, keep):
        context = self.site.tls.context("lab")
        client = None
        for count in range(10**9):
            if self.over.is_set():
                return
            event = g.event(f"{self.name}-{number}-{count}", f"LIFE{self.name}{number}-{count // 9}")
            sent_at = None
            try:
                client = client or tls_files.TlsClient(self.site.gateway.port, context)
                client.connection.request("POST", "/v1/status-events", json.dumps(event).encode(),
                                          {"Content-Type": "application/json"})
                sent_at = time.monotonic()
                response = client.connection.getresponse()
                body = response.read()
            except (*BROKEN, OSError) as error:
                # What was not sent completely before the end may find nobody.
                if self.ending is None or (sent_at is not None and sent_at < self.ending):
                    self.wrong.append((event["id"], repr(error)))
                return
            if response.status != 201:
                self.wrong.append((event["id"], response.status, body))
                return
            with self.lock:
                self.acknowledged[event["id"]] = (event, json.loads(body)["transactionId"])
            if not keep:
                client.close()
                client = None


class EndlessStream:
    """A stream of events, chunked, that goes on until the gateway breaks it off."""

    def __init__(self, site):
        self.connection = site.client().connection
        self.events, self.lines = [], []
        self.complete = False
        self.thread = threading.Thread(target=self._read)
        self.connection.putrequest("POST", "/v1/status-events")
        self.connection.putheader("Content-Type", "application/x-ndjson")
        self.connection.putheader("Transfer-Encoding", "chunked")
        self.connection.endheaders()
        self.send()
        self.thread.start()

    def send(self):
        event = g.event(f"stream-{len(self.events)}", "LIFESTREAM")
        line = json.dumps(event).encode() + b"\n"
        self.events.append(event)
        self.connection.send(b"%x\r\n%s\r\n" % (len(line), line))

    def _read(self):
        response = self.connection.getresponse()
        while line := response.readline():
            self.lines.append(json.loads(line))
        self.complete = response.chunk_left is None  # The last chunk has come.


def descriptors(gateway):
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))


def test_check(site):
    """All mistakes at once, for people and for machines; a gateway does not start with them."""
    good = site.gateway.command("check")
    assert "The settings are good" in good.stdout, good
    assert json.loads(site.gateway.command("check", "--json").stdout)["good"] is True
    site.write_settings(workers=99)
    site.write_policy(land="DE-XX")
    (site.folder / "data" / "ledger.key").chmod(0o644)
    bad = site.gateway.command("check", check=False)
    assert bad.returncode == 2, bad
    for told in ("gateway.yaml:10:10: a number from 1 to 64", "policy.yaml:2:44: no such Land",
                 "has the mode 0644"):
        assert told in bad.stderr, (told, bad.stderr)
    report = site.gateway.command("check", "--json", check=False)
    assert report.returncode == 2
    findings = json.loads(report.stdout)["findings"]
    errors = [one for one in findings if one["weight"] == "ERROR"]
    assert len(errors) == 3, findings
    assert any(one["line"] == 2 and one["column"] == 44 and one["file"].endswith("policy.yaml")
               for one in errors), findings
    site.gateway.launch()
    assert site.gateway.process.wait(g.DEADLINE) == 2
    site.gateway.process = None
    assert "no such Land" in site.log() and "has the mode 0644" in site.log()
    (site.folder / "data" / "ledger.key").chmod(0o600)
    site.write_settings()
    site.write_policy()
    print("check: all mistakes at once, with places; a gateway does not start with them")


def test_reload_under_load(site):
    """Certificates, policy and bundle change; no request fails."""
    with g.running(site.gateway), Load(site, "reload") as load:
        for number in range(RELOADS):
            site.tls.make("server", "serverAuth")
            site.write_policy(note=f"Aufnahme {number}")
            site.edit_bundle(f'version: "1.{number}.0"', f'version: "1.{number + 1}.0"')
            site.reload()
            for part in ("certificates", "policy", "settings", "statuses"):
                assert site.state(part)["state"] == "CURRENT", site.state(part)
            load.wait_for(len(load.acknowledged) + 5)
        assert site.gateway.ready()["adapters"][0]["version"] == f"1.{RELOADS}.0"
        count = len(load.acknowledged)
    site.edit_bundle(f'version: "1.{RELOADS}.0"', 'version: "1.0.0"')
    print(f"{RELOADS} reloads under load: {count} requests, none failed")


def test_removed_client(site):
    """It is refused from its next request on, on the connection that it has; it may come back."""
    with g.running(site.gateway.start()):
        client = site.client("other")
        assert client.get("/v1/adapters").status == 200
        site.write_policy(other=False)
        site.reload()
        assert client.get("/v1/adapters").status == 401
        assert site.client("lab").get("/v1/adapters").status == 200
        site.write_policy()
        site.reload()
        assert client.get("/v1/adapters").status == 200
    print("a client that the policy does not name any more is refused on its open connection")


def test_faulty_reload(site):
    """The old one stays in force; log and readiness say why, with places; what needs a restart is told."""
    with g.running(site.gateway.start()):
        client = site.client()
        site.write_policy(land="DE-XX")
        (site.folder / "tls" / "server.pem").rename(site.folder / "tls" / "away.pem")
        site.write_settings(workers=3)
        site.reload()
        assert "policy.yaml:2:" in site.state("policy")["reasons"][0], site.state("policy")
        assert "no such Land" in site.state("policy")["reasons"][0]
        assert "server.pem" in site.state("certificates")["reasons"][0]
        assert re.search(r"gateway\.yaml:10:10: workers .* needs a restart", site.state("settings")["reasons"][0])
        assert all(site.state(part)["state"] == "STALE" for part in ("policy", "certificates", "settings"))
        assert site.gateway.metric("flora_configuration_stale") == 3
        assert "no such Land" in site.log()
        assert client.submit(g.event("faulty-1", "LIFEFAULTY")).status == 201
        assert site.client().submit(g.event("faulty-2", "LIFEFAULTY")).status == 201
        (site.folder / "tls" / "away.pem").rename(site.folder / "tls" / "server.pem")
        site.write_policy()
        site.write_settings(level="error")
        site.gateway.process.send_signal(signal.SIGHUP)
        g.wait_for(lambda: site.gateway.metric("flora_configuration_stale") == 0, "all is mended")
        # The level of the log has changed: this reload is not told.
        before = site.log()
        site.gateway.process.send_signal(signal.SIGHUP)
        site.write_settings()
        site.gateway.process.send_signal(signal.SIGHUP)
        g.wait_for(lambda: READ_AGAIN in site.log()[len(before):], "the old level is back")
    print("faulty files: the old ones stay in force, log and readiness name the places")


def test_descriptors(site):
    with g.running(site.gateway.start()):
        site.reload()
        before = descriptors(site.gateway)
        for _ in range(IDLE_RELOADS):
            site.reload()
        g.wait_for(lambda: descriptors(site.gateway) <= before, "descriptors are closed")
    print(f"{IDLE_RELOADS} reloads: {before} descriptors before and after")


def test_sigterm_under_load(site):
    """Exit code 0; what was sent before is answered, what was acknowledged is on the ledger, and a stream
    without end is broken off after its answers."""
    with g.running(site.gateway.start()):
        with Load(site, "sigterm", kept=4, fresh=2) as load:
            stream = EndlessStream(site)
            load.wait_for(100)
            for _ in range(50):
                stream.send()
            g.wait_for(lambda: len(stream.lines) > 10, "the stream is answered")
            for _ in range(50):
                stream.send()
            load.ending = time.monotonic()
            assert site.gateway.stop() == 0, site.log()[-2000:]
            stream.thread.join(g.DEADLINE)
        assert stream.lines and not stream.complete, "a stream that was broken off looks complete"
        acknowledged = list(load.acknowledged.values())
        acknowledged += [(stream.events[line["item"]], line["submission"]["transactionId"])
                         for line in stream.lines]
        site.gateway.start()
        client = site.client()
        for event, transaction in acknowledged:
            again = client.submit(event)
            assert again.status == 200 and again.json["transactionId"] == transaction, (event, again.text)
        # What the stream has not been told was not accepted either.
        for event in stream.events[len(stream.lines):]:
            assert client.submit(event).status == 201, event
        assert site.gateway.stop() == 0
    site.gateway.fsck()
    print(f"SIGTERM under load: exit code 0, {len(acknowledged)} acknowledged events are on the ledger")


def stuck_request(site):
    """A request whose body does not come. Returns its connection."""
    connection = site.client().connection
    connection.putrequest("POST", "/v1/status-events")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "100")
    connection.endheaders()
    connection.send(b"{")
    return connection


def test_bounds_of_the_end(site):
    """Grace, bound, and a second signal."""
    site.write_settings(grace_ms=600000)
    with g.running(site.gateway.start()):
        client = site.client()
        site.gateway.process.send_signal(signal.SIGTERM)
        g.wait_for(lambda: site.gateway.operations().get("/health/ready").status == 503, "it is not ready")
        assert client.submit(g.event("grace-1", "LIFEGRACE")).status == 201
        assert site.client().submit(g.event("grace-2", "LIFEGRACE")).status == 201
        assert site.gateway.stop() == 0
    site.write_settings(bound_ms=600000)
    with g.running(site.gateway.start()):
        stuck = stuck_request(site)
        site.gateway.process.send_signal(signal.SIGTERM)
        g.wait_for(lambda: '"stopping"' in site.log().splitlines()[-1], "it stops")
        g.wait_for(lambda: refuses(site.gateway.port), "nobody is accepted any more")
        assert site.gateway.stop() == 0
        assert "what is left is closed" in site.log()
        assert ends_without_answer(stuck)
    site.write_settings(bound_ms=100)
    with g.running(site.gateway.start()):
        stuck = stuck_request(site)
        assert site.gateway.stop() == 0
        assert ends_without_answer(stuck)
    site.write_settings()
    print("grace serves on without being ready; a second signal and the bound close what is left")


def held_reload(site):
    """SIGHUP with a policy that does not come to its end. Returns the descriptor that it is read from."""
    policy = site.folder / "policy.yaml"
    policy.unlink()
    os.mkfifo(policy, 0o600)
    site.gateway.process.send_signal(signal.SIGHUP)

    def is_read():
        try:
            return os.open(policy, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    return g.wait_for(is_read, "the policy is being read")


def test_stop_during_reload(site):
    """Requests do not wait for a reload, nor does their end; the process does, up to the bound."""
    with g.running(site.gateway.start()):
        writer = held_reload(site)
        assert site.client().submit(g.event("held-1", "LIFEHELD")).status == 201
        site.gateway.process.send_signal(signal.SIGTERM)
        g.wait_for(lambda: refuses(site.gateway.port), "nobody is accepted any more")
        assert site.gateway.process.poll() is None
        os.close(writer)
        assert site.gateway.process.wait(g.DEADLINE) == 0
        site.gateway.process = None
    site.write_policy()
    site.write_settings(bound_ms=100)
    with g.running(site.gateway.start()):
        writer = held_reload(site)
        assert site.gateway.stop() == 4
        os.close(writer)
    site.write_policy()
    site.write_settings()
    site.gateway.fsck()
    print("a stop during a reload: everybody is answered; what hangs ends with exit code 4 at the bound")


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return False
    except ConnectionError:
        return True


def ends_without_answer(connection):
    try:
        connection.getresponse()
        return False
    except (*BROKEN, OSError):
        return True


def test_notification(site):
    """What systemd is told, over a socket of ours."""
    path = site.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(g.DEADLINE)
        told = []

        def wait_for(word):
            while True:
                told.append(manager.recv(4096).decode().splitlines())
                if word in told[-1]:
                    return told[-1]

        os.environ.update(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="400000")
        try:
            site.gateway.launch()
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        with g.running(site.gateway):
            assert any(word.startswith("STATUS=") for word in wait_for("READY=1")) and len(told) == 1
            for _ in range(3):
                wait_for("WATCHDOG=1")
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            site.gateway.process.send_signal(signal.SIGHUP)
            stamp = [word for word in wait_for("RELOADING=1") if word.startswith("MONOTONIC_USEC=")]
            assert len(stamp) == 1 and int(stamp[0].split("=")[1]) >= now, stamp
            wait_for("READY=1")
            site.gateway.process.send_signal(signal.SIGTERM)
            wait_for("STOPPING=1")
            assert site.gateway.process.wait(g.DEADLINE) == 0
            site.gateway.process = None
    print("systemd is told: ready, alive, reloading, ready again, stopping")


def test_unit(site):
    """systemd's own tools find no fault in the unit, and the unit says what exit codes mean."""
    unit = site.folder / "flora-gateway.service"
    text = (g.ROOT / "config" / "flora-gateway.service").read_text()
    unit.write_text(text.replace("/usr/bin/flora-gateway", os.path.abspath(site.gateway.binary)))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert verified.returncode == 0 and not verified.stderr.strip(), verified
    graded = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit],
                            capture_output=True, text=True)
    assert graded.returncode == 0, graded
    lines = set(text.splitlines())
    for needed in ("Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077", "LimitCORE=0",
                   "CapabilityBoundingSet=", "RestartPreventExitStatus=2", "ExecReload=/bin/kill -HUP $MAINPID"):
        assert needed in lines, needed
    print("the unit: verified, and graded as well protected")


def main():
    with g.temporary_folder() as folder:
        site = Site(sys.argv[1], folder)
        test_check(site)
        test_reload_under_load(site)
        test_removed_client(site)
        test_faulty_reload(site)
        test_descriptors(site)
        test_sigterm_under_load(site)
        test_bounds_of_the_end(site)
        test_stop_during_reload(site)
        test_notification(site)
        test_unit(site)


if __name__ == "__main__":
    main()
