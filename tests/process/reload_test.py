"""Bundles that change while the gateway runs: SIGHUP replaces what is good, keeps what it replaces, and
leaves the old version where the new one is not good.

Usage: reload_test.py <flora-gateway>
"""

import json
import signal
import sys
import threading

import gateway as g

ADAPTER = "/v1/adapters/de-ni-export"


def edit(bundle, old, new):
    path = bundle / "adapter.yaml"
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new))


def state(gateway):
    return gateway.ready()["adapters"][0]


def reload(gateway, condition, what):
    gateway.process.send_signal(signal.SIGHUP)
    g.wait_for(lambda: condition(state(gateway)), what)


def mark_of(item):
    return json.loads(item["submission"]["receipt"]["entry"])["adapter"]


class Sender:
    """Sends files of one record until the block ends; each must be committed."""

    def __init__(self, gateway, name):
        self.gateway, self.name = gateway, name
        self.stopping = threading.Event()
        self.marks, self.wrong = [], []
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        assert not self.wrong, self.wrong[0]

    def wait_for(self, count):
        g.wait_for(lambda: len(self.marks) >= count or self.wrong, f"{count} answers")

    def _run(self):
        client = self.gateway.client()
        number = 0
        while not self.stopping.is_set() and not self.wrong:
            answer = client.native(g.export_file(f"{self.name}{number}X", 1))
            number += 1
            if answer.status != 200 or answer.json["items"][0]["status"] != 201:
                self.wrong.append(answer.text)
                return
            self.marks.append(mark_of(answer.json["items"][0]))


def test_swap_under_load(gateway, bundle):
    """No request fails, and each transaction names a version that was in use. Returns the hashes."""
    hashes = [state(gateway)["hash"]]
    with Sender(gateway, "A") as first, Sender(gateway, "B") as second:
        for version in range(1, 6):
            edit(bundle, f'version: "1.{version - 1}.0"', f'version: "1.{version}.0"')
            reload(gateway, lambda now, want=f"1.{version}.0": now["version"] == want, "the new version")
            hashes.append(state(gateway)["hash"])
            for sender in (first, second):
                sender.wait_for(len(sender.marks) + 5)
    marks = first.marks + second.marks
    used = {mark["hash"] for mark in marks}
    assert len(set(hashes)) == 6 and used <= set(hashes) and len(used) >= 5, (hashes, used)
    print(f"5 versions under load: {len(marks)} files, each committed under a version that was in use")
    return hashes


def test_broken_bundle(gateway, bundle):
    """The old version stays, readiness and log say why, a repaired bundle comes into use."""
    before = state(gateway)
    (bundle / "status.map.csv").write_text("source;target;comment\nR;ERFUNDEN;no such status\n")
    reload(gateway, lambda now: now["state"] == "STALE", "the reasons")
    now = state(gateway)
    assert (now["version"], now["hash"]) == (before["version"], before["hash"])
    assert any(reason.startswith("de-ni-export/status.map.csv:2:") for reason in now["reasons"]), now
    log = gateway.log.read_text()
    assert "adapter not reloaded, the old version stays" in log and "status.map.csv:2:" in log
    answer = gateway.client().native(g.export_file("STALE", 1))
    assert mark_of(answer.json["items"][0])["hash"] == before["hash"]
    (bundle / "status.map.csv").write_text(
        "source;target;comment\nR;REGISTRIERUNG_ABGESCHLOSSEN;registered\n")
    reload(gateway, lambda now: now["state"] == "CURRENT", "the repaired bundle")
    print("broken bundle: the old version stays, readiness and log say why")


def test_old_versions(gateway, folder, hashes):
    """Every version can be read and exported beside the running gateway."""
    listed = gateway.client().get(ADAPTER + "/versions").json["versions"]
    assert [version["hash"] for version in listed] == hashes, (listed, hashes)
    for number, version in enumerate(hashes):
        answer = gateway.client().get(f"{ADAPTER}/versions/{version}")
        target = folder / f"exported-{number}"
        gateway.command("adapter", "export", version, target)
        files = {file["name"]: file["text"] for file in answer.json["files"]}
        assert files == {path.name: path.read_text() for path in target.iterdir()}
    again = gateway.command("adapter", "export", hashes[0], folder / "exported-0", check=False)
    assert again.returncode == 1 and "is there already" in again.stderr, again
    unknown = gateway.command("adapter", "export", "0" * 64, folder / "unknown", check=False)
    assert unknown.returncode == 1 and not (folder / "unknown").exists(), unknown
    print(f"{len(hashes)} versions listed, read and exported")


def test_backup_carries_them(gateway, folder, hashes):
    gateway.command("ledger", "backup", folder / "backup")
    restored = g.Gateway(gateway.binary, folder / "restored", config=gateway.config)
    restored.data.mkdir()
    for name in ("ledger.key", "mapping.secret", "audit.key", "checkpoint"):
        (restored.data / name).write_bytes((gateway.data / name).read_bytes())
    restored.command("ledger", "restore", folder / "backup")
    restored.command("adapter", "export", hashes[0], folder / "from-backup")
    assert (folder / "from-backup" / "adapter.yaml").read_text() == (
        folder / "exported-0" / "adapter.yaml").read_text()
    print("a restored backup has them")


def test_bad_bundle_at_the_start(gateway, bundle):
    edit(bundle, "map: status", "map: wrods")
    gateway.log.write_bytes(b"")
    gateway.launch()
    code = gateway.process.wait(g.DEADLINE)
    gateway.process = None
    text = gateway.log.read_text()
    assert code == 2 and "de-ni-export/adapter.yaml:" in text and "wrods" in text, (code, text)
    print("a bad bundle at the start: exit code 2, with the reasons")


def main():
    with g.temporary_folder() as folder:
        bundle = g.export_bundle(folder)
        gateway = g.prepared(sys.argv[1], folder, config=g.config_with(folder, [bundle]))
        with g.running(gateway):
            hashes = test_swap_under_load(gateway, bundle)
            test_broken_bundle(gateway, bundle)
            test_old_versions(gateway, folder, hashes)
            test_backup_carries_them(gateway, folder, hashes)
            assert gateway.stop() == 0
            test_bad_bundle_at_the_start(gateway, bundle)


if __name__ == "__main__":
    main()
