"""A procedure ends, its period passes, and the real binary erases its mapping by itself; backups expire.

Usage: retention_test.py <flora-gateway>

The settings have periods of two seconds, which the environment `development` allows. What the store has of the
person is read before; afterwards nothing of it stands in any file that the gateway or its commands have made.
"""

import json
import pathlib
import shutil
import sqlite3
import sys

import erasure_test as e
import gateway as g

SHORT = '{mapping: PT2S, authority: "999901", backups: PT2S}'
LONG = '{mapping: P10Y, authority: "999901", backups: P90D}'
FINAL = {"bescheidVom": "2026-10-01", "sachverhalte": [
    {"list": "urn:xoev-de:xauslaender:codeliste:asyl:abschlusssachverhalt", "version": "3.1", "code": "01"}]}


def use(gateway, retention):
    g.config_with(gateway.data.parent, g.ADAPTERS, retention=retention)


def report(gateway, event):
    answer = gateway.client(event["reporter"]["authority"]).submit(event, headers={"Idempotency-Key": f'"{event["id"]}"'})
    assert answer.status == 201, answer.text
    return answer.json


def end(gateway, person):
    report(gateway, g.event(f"end-{person}", person, "RECHTSKRAFT", g.BAMF, details=FINAL))


def records(gateway, action):
    return [json.loads(line) for line in gateway.command("audit", "list", "--action", action).stdout.splitlines()]


def status(gateway):
    return json.loads(gateway.command("retention", "status", "--json").stdout)


def files_below(folder):
    return [path for path in pathlib.Path(folder).rglob("*") if path.is_file()]


def contents(folder):
    """But for what SQLite puts beside a database that is read."""
    return {path: path.read_bytes() for path in files_below(folder) if not path.name.endswith(("-wal", "-shm"))}


def check_nowhere(folder, values):
    left = [f"{name} in {path}" for path in files_below(folder) for value, name in values
            if any(form in path.read_bytes() for form in e.forms(value))]
    assert left == [], left


def test_expiry(gateway, folder):
    first, other = g.event("first-OLD1", "OLD1"), g.event("first-OTHER", "OTHER")
    procedure = report(gateway, first)["procedureId"]
    report(gateway, other)
    values = e.values_of(gateway, procedure)
    said = gateway.command("ledger", "backup", folder / "backups" / "before").stdout
    assert "expires 20" in said, said
    assert status(gateway)["mappings"] == {"period": "P10Y", "ended": 0, "due": 0}
    end(gateway, "OLD1")
    ended = g.wait_for(lambda: (now := status(gateway)["mappings"])["ended"] == 1 and now, "the read model has the end")
    assert ended["due"] == 0 and ended["next"] > "2036", ended
    assert gateway.stop() == 0

    use(gateway, SHORT)
    gateway.start()
    g.wait_for(lambda: e.search(gateway, first).status == 404, "the mapping is erased")
    g.wait_for(lambda: gateway.metric("flora_retention_erased_total") == 1, "the run is counted")
    assert e.search(gateway, other).status == 200
    [expire], [erased] = records(gateway, "EXPIRE"), records(gateway, "ERASED")
    assert expire["outcome"] == "ACCEPTED" and "client" not in expire, expire
    assert expire["procedures"] == erased["procedures"] == [procedure]
    e.check_gone(gateway, first, values)
    assert gateway.client(g.BAMF).get(f"/v1/procedures/{procedure}").status == 404
    # Ordered once, and by an authority that cannot be anybody else's.
    assert e.order(gateway, procedure) == 204
    assert gateway.metric("flora_ledger_entries") == 4
    assert gateway.stop() == 0
    print(gateway.fsck().strip())
    return first, procedure, values


def test_kill(gateway):
    """What was due when the process died is erased by the next one."""
    first = g.event("first-OLD2", "OLD2")
    report(gateway.start(), first)
    end(gateway, "OLD2")
    gateway.kill()
    gateway.start()
    g.wait_for(lambda: e.search(gateway, first).status == 404, "the mapping is erased")
    assert len(records(gateway, "ERASED")) == 2
    assert gateway.stop() == 0


def test_restore(gateway, folder, first, values):
    before = folder / "backups" / "before"
    kept = contents(before)
    refused = gateway.command("ledger", "restore", before, "--accept-loss", check=False)
    assert refused.returncode == 1 and "has expired" in refused.stderr, refused.stderr
    assert not list(gateway.data.glob("*.before-restore-*"))
    assert contents(before) == kept

    # With a longer period it may be used, and brings nobody back.
    use(gateway, LONG)
    said = gateway.command("ledger", "restore", before, "--accept-loss").stdout
    assert "1 procedures had been erased and were purged" in said, said
    aside = list(gateway.data.glob("*.before-restore-*"))
    assert aside
    gateway.start()
    assert e.search(gateway, first).status == 404
    assert set(map(str, aside)) <= {
        str(path) for one in status(gateway)["copies"] for path in pathlib.Path(one["path"]).parent.glob(
            pathlib.Path(one["path"]).name + "*")}
    assert gateway.stop() == 0
    use(gateway, SHORT)
    gateway.start()
    g.wait_for(lambda: not list(gateway.data.glob("*.before-restore-*")), "what was put aside is deleted")
    e.check_gone(gateway, first, values)
    assert gateway.stop() == 0


def test_pruning(gateway, folder, values):
    backups = folder / "backups"
    shutil.copytree(backups / "before", backups / "undated")
    (backups / "undated" / "backup.txt").unlink()
    shutil.copytree(backups / "before", backups / "shared")
    (backups / "shared" / "notes.txt").write_text("mine")
    (backups / "broken").mkdir()
    shutil.copy(backups / "before" / "backup.txt", backups / "broken")
    (backups / "broken" / "store.db").write_bytes((backups / "before" / "store.db").read_bytes()[:5000])
    others = []
    for name, octets in (("text", b"not a database"), ("foreign", None)):
        (backups / name).mkdir()
        others.append(backups / name / "store.db")
        if octets:
            others[-1].write_bytes(octets)
        else:
            sqlite3.connect(others[-1]).execute("CREATE TABLE identifier(hash)").connection.close()
    # What a gateway with other settings works with, though it was not used for long.
    shutil.copytree(backups / "undated", backups / "idle")
    shutil.copy(gateway.data / "view.db", backups / "idle")
    others += files_below(backups / "idle")
    (backups / "link").symlink_to(gateway.data)

    def prune(*more):
        return gateway.command("ledger", "prune-backups", backups, *more, check=False)

    use(gateway, LONG)
    assert prune().stdout.count("KEPT") == 4
    use(gateway, SHORT)
    before = contents(folder)
    dry = prune("--dry-run")
    assert dry.stdout.count("EXPIRED") == 4 and dry.stdout.count("LEFT ALONE") == 3, dry.stdout
    assert contents(folder) == before
    done = prune()
    assert done.returncode == 1 and done.stdout.count("DELETED") == 4, done.stdout
    assert sorted(path for path in files_below(backups)) == sorted([*others, backups / "shared" / "notes.txt"])
    after = contents(folder)
    assert all(after[path] == octets for path, octets in before.items() if path in others)
    assert sorted(path.name for path in backups.iterdir()) == ["foreign", "idle", "link", "shared", "text"]
    own = gateway.command("ledger", "prune-backups", gateway.data)
    assert own.stdout.startswith("IN USE"), own.stdout
    for path in others:
        path.unlink()
    assert prune().returncode == 0
    check_nowhere(folder, [one for one in values])
    gateway.start()  # Its own files are whole.
    assert gateway.stop() == 0
    print(gateway.fsck().strip())


def run(binary):
    with g.temporary_folder() as folder:
        gateway = g.prepared(binary, folder)
        use(gateway, LONG)
        with g.running(gateway):
            first, _, values = test_expiry(gateway, folder)
            test_kill(gateway)
            test_restore(gateway, folder, first, values)
            test_pruning(gateway, folder, values)


if __name__ == "__main__":
    run(sys.argv[1])
