"""The audit trail through the real binary: each operation leaves exactly its record; no kill loses the
record of what was answered; a trail that was cut or restored says so.

Usage: audit_test.py <flora-gateway> [kills]
"""

import collections
import http.client
import json
import random
import sqlite3
import sys
import threading

import gateway as g

BROKEN = (OSError, http.client.HTTPException)
READERS, SENDERS = 3, 3


def trail(gateway, *query):
    """The records that `audit list` gives."""
    return [json.loads(line) for line in gateway.command("audit", "list", *query).stdout.splitlines()]


def verify(gateway):
    """Fails on any finding. Returns the report."""
    return gateway.command("audit", "verify").stdout


def test_each_operation(gateway):
    """A few accesses of several callers, beside the running gateway."""
    ae, ld = gateway.client(), gateway.client(g.LD)
    answer = ae.submit(g.event("audit-1", "AUDIT1")).json
    procedure, transaction = answer["procedureId"], answer["transactionId"]
    assert ae.submit(g.event("audit-1", "AUDIT1")).status == 200
    search = json.dumps({"identifiers": [{"type": "D_NUMMER", "value": "AUDIT1"}]})
    json_type = {"Content-Type": "application/json"}
    assert ae.send("POST", "/v1/procedures/search", search, json_type).status == 200
    assert ld.send("POST", "/v1/procedures/search", search, json_type).status == 404
    assert ae.get(f"/v1/procedures/{procedure}").status == 200
    assert ld.get(f"/v1/procedures/{procedure}/history").status == 404
    assert ae.get(f"/v1/transactions/{transaction}/receipt").status == 200
    assert ld.submit(g.event("audit-2", "AUDIT1")).status == 403
    assert gateway.client(g.AUDITOR).get("/v1/log/tile/entries/000.p/1").status == 200
    records = trail(gateway)
    got = [(r["action"], r["authorities"][0], r["outcome"]) for r in records]
    assert got == [
        ("REPORT", g.AE, "ACCEPTED"), ("REPORT", g.AE, "REPEAT"), ("SEARCH", g.AE, "FOUND"),
        ("SEARCH", g.LD, "HIDDEN"), ("READ_PROCEDURE", g.AE, "FOUND"), ("READ_HISTORY", g.LD, "HIDDEN"),
        ("READ_RECEIPT", g.AE, "FOUND"), ("REPORT", g.LD, "REFUSED"), ("READ_ENTRIES", g.AUDITOR, "FOUND"),
    ], got
    assert [r["n"] for r in records] == list(range(1, 10))
    of_procedure = trail(gateway, "--procedure", procedure)
    assert [r["n"] for r in of_procedure] == [1, 2, 3, 4, 5, 6, 7], of_procedure
    assert [r["n"] for r in trail(gateway, "--client", f"development-{g.LD}")] == [4, 6, 8]
    at = records[4]["at"]
    assert trail(gateway, "--from", at)[0]["n"] <= 5
    assert not trail(gateway, "--to", records[0]["at"])
    assert len(trail(gateway, "--from", at[:10], "--to", at[:10])) >= 5
    assert gateway.command("audit", "list", "--from", "soon", check=False).returncode == 2
    print(verify(gateway).strip())


class Load:
    """Connections that report and read until the gateway is gone or it is enough, and count what was
    answered."""

    def __init__(self, gateway, number):
        self.gateway, self.number = gateway, number
        self.answered = collections.Counter()  # (action, transaction or procedure) -> answers
        self.lock = threading.Lock()
        self.wrong = []
        self.under_way, self.enough = threading.Event(), threading.Event()
        work = [self._send] * SENDERS + [self._read] * READERS
        self.threads = [threading.Thread(target=self._run, args=(one, n)) for n, one in enumerate(work)]
        self.known = []
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join()
        if self.wrong:
            raise self.wrong[0]

    def _run(self, work, connection):
        try:
            client = self.gateway.client()
            generator = random.Random(self.number * 100 + connection)
            count = 0
            while not self.enough.is_set():
                work(client, f"{self.number}-{connection}-{count}", generator)
                count += 1
        except BROKEN:
            pass  # The kill.
        except BaseException as error:
            self.wrong.append(error)

    def _note(self, action, name):
        with self.lock:
            self.answered[action, name] += 1
        self.under_way.set()

    def _send(self, client, name, generator):
        answer = client.submit(g.event(f"load-{name}", f"LOAD{generator.randrange(50)}"))
        assert answer.status == 201, answer.text
        with self.lock:
            self.known.append(answer.json["procedureId"])
        self._note("REPORT", answer.json["transactionId"])

    def _read(self, client, name, generator):
        with self.lock:
            procedure = generator.choice(self.known) if self.known else None
        if procedure is None:
            return
        answer = client.get(f"/v1/procedures/{procedure}")
        assert answer.status == 200, answer.text
        self._note("READ_PROCEDURE", procedure)


def check_answered(gateway, answered):
    """Each answer has its record; what was not answered may have one."""
    recorded = collections.Counter()
    for record in trail(gateway):
        if record["action"] == "REPORT" and record["outcome"] == "ACCEPTED":
            recorded["REPORT", record["transaction"]] += 1
        elif record["action"] == "READ_PROCEDURE":
            recorded["READ_PROCEDURE", record["procedures"][0]] += 1
    missing = answered - recorded
    assert not missing, f"answered without a record: {dict(missing.most_common(5))}"


def test_kills(gateway, kills):
    generator = random.Random(7)
    answered = collections.Counter()
    for number in range(kills):
        load = Load(gateway, number)
        load.under_way.wait(g.DEADLINE)
        enough = generator.randrange(20, 300)
        g.wait_for(lambda: sum(load.answered.values()) >= enough or load.wrong, "answers")
        gateway.kill()
        load.join()
        answered += load.answered
        verify(gateway)
        gateway.start()
        check_answered(gateway, answered)
    print(f"{kills} kills, {sum(answered.values())} answers, each with its record; {verify(gateway).strip()}")


def test_export(gateway, folder):
    """Segments are small in this configuration: some are closed."""
    gateway.command("audit", "export", 1, folder / "export")
    report = gateway.command("audit", "verify", folder / "export").stdout
    assert "1 exported segments, 0 findings" in report, report
    records = (folder / "export" / "segment-1.ndjson")
    lines = records.read_text().splitlines()
    assert [json.loads(line)["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert len(lines) >= 1000
    records.write_text("\n".join(lines[:-1]) + "\n")
    changed = gateway.command("audit", "verify", folder / "export", check=False)
    assert changed.returncode == 1 and "FINDING" in changed.stdout, changed
    assert gateway.command("audit", "export", 99, folder / "export", check=False).returncode == 1


def test_officers(gateway, folder):
    """Data protection officers read and export by the interface; an export is verified offline. Beside load."""
    load = Load(gateway, 1000)
    g.wait_for(lambda: sum(load.answered.values()) >= 100 or load.wrong, "answers")
    officer, whole = gateway.client("musterstadt-datenschutz"), folder / "whole.ndjson"
    whole.write_bytes(gateway.client("bamf-datenschutz").get("/v1/audit/export").body)
    load.enough.set()
    load.join()
    report = gateway.command("audit", "verify", whole).stdout
    assert " 0 in part" in report and "0 findings" in report and "of scope all" in report, report
    lines = whole.read_text().splitlines(keepends=True)
    assert sum('"action"' in line for line in lines) > 1000 and '"seal"' in lines[0]
    for changed in (lines[:-1], lines[:-2] + lines[-1:], [*lines[:9], lines[9].replace("ACCEPTED", "REPEAT"), *lines[10:]]):
        (folder / "changed.ndjson").write_text("".join(changed))
        found = gateway.command("audit", "verify", folder / "changed.ndjson", check=False)
        assert changed == lines or (found.returncode == 1 and "FINDING" in found.stdout), found
    procedure = load.known[0]
    own = officer.get(f"/v1/audit/records?procedure={procedure}")
    assert own.status == 200 and own.json["records"], own.text
    gateway.command("audit", "export", "--out", folder / "own.ndjson", "--procedure", procedure, "--authority", g.AE)
    report = gateway.command("audit", "verify", folder / "own.ndjson").stdout
    assert "0 findings" in report and procedure in report, report
    assert gateway.command("audit", "export", "--out", folder / "own.ndjson", check=False).returncode == 1
    subject = json.loads(gateway.command("subject-report", input="D_NUMMER AUDIT1\n").stdout)
    assert [one["action"] for one in subject["procedures"][0]["audit"]["records"]][:2] == ["REPORT", "REPORT"]
    assert gateway.command("subject-report", input="", check=False).returncode == 2
    actions = [record["action"] for record in trail(gateway, "--client", "development-musterstadt-datenschutz")]
    assert actions == ["READ_AUDIT"], actions
    assert trail(gateway, "--action", "EXPORT_AUDIT")


def last_number(gateway):
    return trail(gateway)[-1]["n"]


def refused_start(gateway, reason, expected=1):
    gateway.log.write_bytes(b"")
    gateway.launch()
    code = gateway.process.wait(g.DEADLINE)
    gateway.process = None
    text = gateway.log.read_text()
    assert code == expected and reason in text, (code, text)


def test_restore(gateway, folder):
    """The trail of a restored backup goes on behind the number that it had reached, and says so."""
    gateway.command("ledger", "backup", folder / "backup")
    client = gateway.client()
    for number in range(5):
        assert client.submit(g.event(f"lost-{number}", "LOST1")).status == 201
    end = last_number(gateway)
    assert gateway.stop() == 0
    gateway.command("ledger", "restore", folder / "backup", "--accept-loss")
    after = trail(gateway)
    assert after[-1]["action"] == "CONTINUED" and after[-1]["n"] == end + 1, (end, after[-1])
    assert after[-1]["known"] == end and after[-1]["after"] == after[-2]["n"] == end - 5, after[-2:]
    report = verify(gateway)
    assert "NOTE" in report and f"records {end - 4} to {end} are missing" in report, report
    gateway.start()
    assert gateway.client().submit(g.event("after-restore", "LOST1")).status == 201
    assert last_number(gateway) == end + 2
    print(verify(gateway).strip())


def test_cut(gateway):
    """Whoever takes the end of the trail away is found out at the next start."""
    refused = gateway.command("audit", "accept-loss", check=False)
    assert refused.returncode == 1 and "another process" in refused.stderr, refused
    assert gateway.stop() == 0
    database = sqlite3.connect(gateway.data / "store.db")
    with database:
        database.execute("DELETE FROM audit_group WHERE first=(SELECT max(first) FROM audit_group)")
    database.close()
    refused_start(gateway, "lacks records that were signed")
    assert gateway.command("audit", "verify", check=False).returncode == 1
    gateway.command("audit", "accept-loss")
    gateway.start()
    assert "NOTE" in verify(gateway)
    assert gateway.stop() == 0
    (gateway.data / "audit.head").unlink()
    refused_start(gateway, "the file of its last head is missing")


def test_without_key(binary, folder):
    gateway = g.prepared(binary, folder / "keyless")
    (gateway.data / "audit.key").unlink()
    refused_start(gateway, "make it with: flora-gateway init", expected=2)


def run(binary, kills):
    with g.temporary_folder() as folder:
        config = g.config_with(folder, [g.ROOT / "adapters" / "de-ni-xauslaender"],
                               audit="{segment_records: 1000}")
        with g.running(g.prepared(binary, folder, config=config)) as gateway:
            test_each_operation(gateway)
            test_kills(gateway, kills)
            load = Load(gateway, kills)
            g.wait_for(lambda: sum(load.answered.values()) >= 1500 or load.wrong, "answers")
            load.enough.set()
            load.join()
            check_answered(gateway, load.answered)
            test_export(gateway, folder)
            test_officers(gateway, folder)
            test_restore(gateway, folder)
            test_cut(gateway)
        (folder / "keyless").mkdir()
        test_without_key(binary, folder)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else (100 if g.SOAK else 6))
