"""What must survive: restart, SIGTERM under load, backup and restore; and what must be refused: an older
ledger put in place, a second process.

Usage: restart_test.py <flora-gateway> [<go>]
With the path of the Go tool the receipts, checkpoints, tiles and entries from before and after restart
and restore are also verified by the modules of tests/golang, which are not ours.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import http.client

import gateway as g

BROKEN = (OSError, http.client.HTTPException)


class Sender:
    """Sends events on several connections until the gateway closes or the block ends."""

    def __init__(self, gateway, name, connections=4):
        self.gateway, self.name = gateway, name
        self.lock = threading.Lock()
        self.sent, self.acknowledged, self.wrong = [], {}, []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(connections)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:3]

    def wait_for(self, count):
        g.wait_for(lambda: len(self.acknowledged) >= count or self.wrong, f"{count} answers")

    def _run(self, connection):
        client = self.gateway.client()
        number = 0
        while not self.stopping.is_set():
            event = g.event(f"{self.name}-{connection}-{number}", f"RESTART{connection}-{number // 9}")
            number += 1
            with self.lock:
                self.sent.append(event)
            try:
                answer = client.submit(event)
            except BROKEN:
                return
            with self.lock:
                if answer.status == 201:
                    self.acknowledged[event["id"]] = answer.body
                elif answer.status != 503:
                    self.wrong.append((answer.status, answer.body))


def receipts_of(gateway, transactions):
    client = gateway.client()
    answers = [client.get(f"/v1/transactions/{one}/receipt") for one in transactions]
    assert all(answer.status == 200 for answer in answers), [a.status for a in answers]
    return [answer.body for answer in answers]


def transactions_of(bodies):
    return [json.loads(body)["transactionId"] for body in bodies]


def verify_offline(gateway, folder, bodies, key):
    """`receipt verify` on files, without the gateway; a changed receipt must not pass."""
    path = folder / "receipt.json"
    for body in bodies:
        path.write_bytes(body)
        gateway.command("receipt", "verify", path, "--key", key)
    receipt = json.loads(bodies[0])
    receipt["entry"] = receipt["entry"].replace("DE-NI", "DE-SN")
    path.write_text(json.dumps(receipt))
    refused = gateway.command("receipt", "verify", path, "--key", key, check=False)
    assert refused.returncode != 0 and "does not verify" in refused.stderr, refused


class Publication:
    """What the log shows to others, as files for tests/golang/main.go."""

    def __init__(self, folder, key):
        self.folder = folder
        self.checkpoints = 0
        self._write("vkey", key.encode())

    def checkpoint(self, gateway):
        answer = gateway.client().get("/v1/log/checkpoint")
        assert answer.status == 200
        self._write(f"checkpoint-{self.checkpoints}", answer.body)
        self.checkpoints += 1
        return int(answer.text.split("\n")[1])

    def receipts(self, bodies):
        for body in bodies:
            receipt = json.loads(body)
            self._write(f"body-{receipt['logIndex']}", receipt["entry"].encode())
            self._write(f"proof-{receipt['logIndex']}", receipt["proof"].encode())

    def tiles(self, gateway, size):
        client = gateway.client(g.AUDITOR)
        level = 0
        while size >> (8 * level):
            for path in self._paths(size >> (8 * level)):
                self._fetch(client, f"tile/{level}/{path}")
                if level == 0:
                    self._fetch(client, f"tile/entries/{path}")
            level += 1

    def verify(self, go):
        done = subprocess.run([go, "run", ".", str(self.folder)], cwd=g.ROOT / "tests" / "golang",
                              env={**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false"},
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        print("Go:", done.stdout.strip())

    @staticmethod
    def _paths(hashes):
        yield from (f"{n:03}" for n in range(hashes // 256))
        if hashes % 256:
            yield f"{hashes // 256:03}.p/{hashes % 256}"

    def _fetch(self, client, path):
        answer = client.get("/v1/log/" + path)
        assert answer.status == 200, (path, answer.status)
        self._write(path, answer.body)

    def _write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def fresh_place(gateway, folder, name, with_checkpoint):
    """A gateway on a new data folder that has the keys, as an operator would prepare it."""
    place = g.Gateway(gateway.binary, folder / name)
    place.data.mkdir()
    for file in ("ledger.key", "mapping.secret", "audit.key", *(["checkpoint"] if with_checkpoint else [])):
        shutil.copy(gateway.data / file, place.data / file)
    return place


def refused_start(gateway, reason):
    """The gateway must end by itself, and say why."""
    gateway.log.write_bytes(b"")
    gateway.launch()
    code = gateway.process.wait(g.DEADLINE)
    gateway.process = None
    text = gateway.log.read_text()
    assert code != 0 and reason in text, (code, text)
    return text


def test_sigterm_under_load(gateway, folder):
    """Every answered 201 is there afterwards; the exit code is 0. Returns the answers."""
    with Sender(gateway, "sigterm") as sender:
        sender.wait_for(80)
        assert gateway.stop() == 0
    gateway.fsck()
    gateway.start()
    client = gateway.client()
    events = {event["id"]: event for event in sender.sent}
    for identity, body in sender.acknowledged.items():
        again = client.submit(events[identity])
        assert (again.status, again.body) == (200, body), (identity, again.status, again.body)
    print(f"SIGTERM under load: exit code 0, {len(sender.acknowledged)} of {len(sender.sent)} answered, "
          "each there with the same bytes")
    return list(sender.acknowledged.values())


def test_second_process(gateway):
    second = g.Gateway(gateway.binary, gateway.data)
    second.log = gateway.data.with_name("second.log")
    text = refused_start(second, "another process uses this ledger")
    assert gateway.client().get("/health/live").status == 200
    fsck = gateway.command("ledger", "fsck", check=False)
    assert fsck.returncode != 0 and "another process" in fsck.stderr, fsck
    print("second process refused:", text.strip())


def test_backup_under_load(gateway, folder):
    """Returns the sender; what was acknowledged before the backup began is in `before`."""
    with Sender(gateway, "backup", connections=6) as sender:
        sender.wait_for(60)
        before = dict(sender.acknowledged)
        gateway.command("ledger", "backup", folder / "early")
        sender.wait_for(len(sender.acknowledged) + 60)
    refused = gateway.command("ledger", "backup", folder / "early", check=False)
    assert refused.returncode != 0 and "already" in refused.stderr, refused
    return sender, before


def test_restore_without_loss(gateway, folder, transactions, receipts, publication):
    """The newest backup, in a fresh folder: nothing is lost, every receipt is the same."""
    gateway.command("ledger", "backup", folder / "late")
    place = fresh_place(gateway, folder, "restored", with_checkpoint=True)
    report = place.command("ledger", "restore", folder / "late").stdout
    assert " 0 signed entries lost" in report and "new origin" not in report, report
    place.fsck()
    with g.running(place):
        assert receipts_of(place, transactions) == receipts
        answer = place.client().submit(g.event("after-restore", "AFTER1"))
        assert answer.status == 201
        publication.receipts(receipts_of(place, transactions[::7]))
        publication.tiles(place, publication.checkpoint(place))
        assert place.stop() == 0
    print("restored without loss:", report.strip())


def test_restore_with_loss(gateway, folder, sender, before, expected):
    """A backup that was made under load, in a fresh folder: what was acknowledged before it is there;
    after all senders have sent again, each event is there once, beside `expected` older entries."""
    place = fresh_place(gateway, folder, "lossy", with_checkpoint=True)
    refused = place.command("ledger", "restore", folder / "early", check=False)
    assert refused.returncode != 0 and "signed entries would be lost" in refused.stderr, refused
    place = fresh_place(gateway, folder, "unknown", with_checkpoint=False)
    refused = place.command("ledger", "restore", folder / "early", check=False)
    assert refused.returncode != 0 and "no checkpoint file" in refused.stderr, refused
    report = place.command("ledger", "restore", folder / "early", "--accept-loss").stdout
    assert "an unknown number of signed entries lost, a new origin begins" in report, report
    place.fsck()
    with g.running(place):
        client = place.client()
        found = {json.loads(line)["status"] for line in client.stream(
            event for event in sender.sent if event["id"] in before)}
        assert found == {200}, found
        again = [json.loads(line)["status"] for line in client.stream(sender.sent)]
        assert set(again) <= {200, 201}, set(again)
        others = place.metric("flora_ledger_entries") - len(sender.sent)
        assert others == expected, f"{others - expected} events are doubled"
        verify_own_keys(place, folder)
        assert place.stop() == 0
    place.fsck()
    print("restored with loss:", report.strip())


def verify_own_keys(gateway, folder):
    """Each receipt verifies with the key that it came with, also those of an earlier origin."""
    entries = gateway.metric("flora_ledger_entries")
    client = gateway.client(g.AUDITOR)
    bundle = client.get(f"/v1/log/tile/entries/000{'' if entries >= 256 else f'.p/{entries}'}").body
    first = json.loads(bundle[2:2 + int.from_bytes(bundle[:2], "big")])["id"]
    new = gateway.client().submit(g.event("new-origin", "ORIGIN1")).json["receipt"]
    keys = set()
    for receipt in (json.loads(receipts_of(gateway, [first])[0]), new):
        path = folder / "own.json"
        path.write_text(json.dumps(receipt))
        gateway.command("receipt", "verify", path, "--key", receipt["verifierKey"])
        keys.add(receipt["verifierKey"])
    assert len(keys) == 2, keys


def test_roll_back(gateway, folder, sender, old_receipts, key, expected):
    """An older ledger.db in place of the present one is refused; to go on needs an explicit word. What
    was lost keeps its transaction id and is committed when it is sent again."""
    for ending in ("", "-wal", "-shm"):
        gateway.data.joinpath("ledger.db" + ending).unlink(missing_ok=True)
    shutil.copy(folder / "early" / "ledger.db", gateway.data / "ledger.db")
    text = refused_start(gateway, "lacks entries that were signed")
    print("roll-back refused:", text.strip().split("\n")[-1])
    refused = gateway.command("ledger", "restore", check=False)
    assert refused.returncode != 0 and "would be lost" in refused.stderr, refused
    report = gateway.command("ledger", "restore", "--accept-loss").stdout
    assert "a new origin begins" in report and " 0 signed entries" not in report, report
    gateway.fsck()
    with g.running(gateway):
        for line, event in zip(gateway.client().stream(sender.sent), sender.sent):
            answer = json.loads(line)
            assert answer["status"] in (200, 201), line
            old = json.loads(sender.acknowledged.get(event["id"], "{}"))
            assert answer["submission"]["transactionId"] == old.get(
                "transactionId", answer["submission"]["transactionId"]), line
        assert gateway.metric("flora_ledger_entries") == expected + len(sender.sent)
        assert gateway.client().submit(g.event("after-roll-back", "ROLLBACK1")).status == 201
        verify_offline(gateway, folder, old_receipts[:2], key)
        verify_own_keys(gateway, folder)
        assert gateway.stop() == 0
    gateway.fsck()
    print("roll-back accepted:", report.strip())


def run(binary, go=None):
    with g.temporary_folder() as folder:
        gateway = g.Gateway(binary, folder / "data")
        key = gateway.init()
        publication = Publication(folder / "published", key)
        with g.running(gateway):
            first = test_sigterm_under_load(gateway, folder)
            transactions = transactions_of(first)
            receipts = receipts_of(gateway, transactions)
            for body, receipt in zip(first, receipts):
                assert json.loads(body)["receipt"] == json.loads(receipt)
            publication.checkpoint(gateway)
            publication.receipts(receipts[::5])
            gateway.kill()
            gateway.start()
            assert receipts_of(gateway, transactions) == receipts
            publication.checkpoint(gateway)
            test_second_process(gateway)
            older = gateway.metric("flora_ledger_entries")
            sender, before = test_backup_under_load(gateway, folder)
            assert gateway.stop() == 0
            newer = transactions_of(sender.acknowledged.values())
            gateway.start()
            newer_receipts = receipts_of(gateway, newer)
            assert gateway.stop() == 0
        verify_offline(gateway, folder, receipts[:3] + list(sender.acknowledged.values())[-2:], key)
        test_restore_without_loss(gateway, folder, transactions + newer, receipts + newer_receipts,
                                  publication)
        if go:
            publication.verify(go)
        test_restore_with_loss(gateway, folder, sender, before, older)
        test_roll_back(gateway, folder, sender, receipts, key, older)


if __name__ == "__main__":
    run(*sys.argv[1:])
