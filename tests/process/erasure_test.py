"""Persons are erased under load, the gateway is killed at every step of it, and a backup from before is
restored.

Usage: erasure_test.py <flora-gateway> [erasures]

Connections report about ever new persons and about the one who is to be erased. What the store has of that
person (hashes, encrypted values, wrapped key) is read from the file before. The process is killed at a random
instant from the order on. After a restart an erasure that was answered is done, and any other ends well when it
is ordered again; then nothing of what was read stands in any file of the gateway, as bytes, hex or base64, and
the person's first event opens a new procedure, or belongs to the one that a later report has opened. At last
old copies of the mapping come back, alone and with an old ledger: who was erased stays erased.
"""

import base64
import contextlib
import http.client
import json
import random
import shutil
import sqlite3
import sys
import threading
import time

import gateway as g

CONNECTIONS = 3
ERASER = "bamf-loeschung"  # A client of config/policy.yaml.
BROKEN = (OSError, http.client.HTTPException)

HASH = "the hash of an identifier"
ROWS = {
    "SELECT wrapped FROM procedure WHERE pseudonym=:id": "the wrapped key",
    "SELECT hash FROM identifier WHERE procedure=(SELECT n FROM procedure WHERE pseudonym=:id)": HASH,
    "SELECT value FROM identifier WHERE procedure=(SELECT n FROM procedure WHERE pseudonym=:id)":
        "the value of an identifier",
    "SELECT identity, content, native, sealed FROM submission WHERE procedure="
    "(SELECT n FROM procedure WHERE pseudonym=:id)": "a fingerprint",
    "SELECT key, request FROM kept_answer WHERE procedure=:id": "an answer's key",
}


def values_of(gateway, procedure):
    """What the store has of a procedure, as bytes with a name each. Beside a running gateway."""
    wanted = {"id": bytes.fromhex(procedure.replace("-", ""))}
    values = []
    with contextlib.closing(sqlite3.connect(f"file:{gateway.data}/store.db?mode=ro", uri=True)) as store:
        for query, name in ROWS.items():
            found = [value for row in store.execute(query, wanted) for value in row if value is not None]
            assert found, f"{name}: not there before the erasure"
            values += [(bytes(value), name) for value in found]
    return values


def forms(value):
    yield value
    yield value.hex().encode()
    yield value.hex().upper().encode()
    for skip in range(3):  # Wherever it begins within what is encoded.
        rest = value[skip:]
        yield base64.b64encode(rest[:len(rest) // 3 * 3])
        yield base64.urlsafe_b64encode(rest[:len(rest) // 3 * 3])


def places_of(gateway, values):
    """Where in the gateway's files values stand: one line each."""
    found = []
    for path in [*gateway.data.iterdir(), gateway.log]:
        if path.is_file():
            octets = path.read_bytes()
            found += [f"{name} in {path.name}" for value, name in values
                      if any(form in octets for form in forms(value))]
    return found


class Load:
    """Connections that report until the gateway is gone or stop() is called. A wrong answer is kept in
    `wrong`."""

    def __init__(self, gateway, round_, victim):
        self.gateway, self.round, self.victim = gateway, round_, victim
        self.ending = threading.Event()
        self.under_way = threading.Event()
        self.wrong, self.reports = [], 0
        self.procedures = set()  # That the victim's reports belong to.
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(CONNECTIONS)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ending.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join()
        if self.wrong:
            raise self.wrong[0]

    def _run(self, connection):
        try:
            client = self.gateway.client()
            number = 0
            while not self.ending.is_set():
                number += 1
                name = f"{self.round}-{connection}-{number}"
                about_victim = number % 4 == 0
                person = self.victim if about_victim else f"LOAD{name}"
                answer = client.submit(g.event(f"load-{name}", person))
                # 503: the person is just being erased.
                assert answer.status in ((201, 503) if about_victim else (201,)), answer.text
                if answer.status == 201:
                    self.reports += 1
                    if about_victim:
                        self.procedures.add(answer.json["procedureId"])
                self.under_way.set()
        except BROKEN:
            pass  # The kill.
        except BaseException as error:
            self.wrong.append(error)


def order(gateway, procedure):
    """Orders an erasure. The status of the answer, or None if it has none."""
    try:
        return g.Client(gateway.port, ERASER).send("DELETE", f"/v1/procedures/{procedure}/mapping").status
    except BROKEN:
        return None


def erase(gateway, procedure):
    """Orders it until it is done."""
    status = g.wait_for(lambda: (answered := order(gateway, procedure)) != 503 and answered, "the erasure is done")
    assert status == 204, status


def search(gateway, first_event):
    return gateway.client(g.BAMF).send(
        "POST", "/v1/procedures/search", json.dumps({"identifiers": first_event["procedure"]["identifiers"]}),
        {"Content-Type": "application/json"})


def check_gone(gateway, first_event, values):
    """Nothing of the values is left. A new procedure of the person has the same identifier, and so its hash."""
    back = search(gateway, first_event).status == 200
    left = [(value, name) for value, name in values if not (back and name == HASH)]
    assert (places := places_of(gateway, left)) == [], places


def check_erased(gateway, person, procedure, first_event, values):
    check_gone(gateway, first_event, values)
    client = gateway.client(g.BAMF)
    assert client.get(f"/v1/procedures/{procedure}").status == 404
    found = search(gateway, first_event)
    assert found.status == 404 or found.json["procedureId"] != procedure, found.text
    again = gateway.client().submit(first_event)
    assert again.status == 201, (person, again.text)
    assert again.json["procedureId"] != procedure
    if found.status == 200:
        assert again.json["procedureId"] == found.json["procedureId"]
    client.close()


def erase_under_load(gateway, number, generator):
    """One erasure with a kill. Returns whether it was answered before."""
    person = f"ERASE{number}"
    first = g.event(f"first-{number}", person)
    made = gateway.client().submit(first, headers={"Idempotency-Key": f'"key-{number}"'})
    assert made.status == 201, made.text
    procedure = made.json["procedureId"]
    load = Load(gateway, number, person)
    load.under_way.wait(g.DEADLINE)
    values = values_of(gateway, procedure)
    assert any(values[0][0] in path.read_bytes() for path in gateway.data.glob("store.db*")), "it finds nothing"
    statuses = []
    ordering = threading.Thread(target=lambda: statuses.append(order(gateway, procedure)))
    ordering.start()
    time.sleep(generator.random() ** 2 * 0.03)
    gateway.kill()
    ordering.join()
    load.join()
    gateway.fsck()
    gateway.start()
    done = statuses == [204]
    assert done or statuses in ([None], [503]), statuses
    if done:
        check_gone(gateway, first, values)  # Also after the kill and a start.
    erase(gateway, procedure)
    check_erased(gateway, person, procedure, first, values)
    return done


def test_kills(gateway, erasures):
    generator = random.Random(20261126)
    done = [erase_under_load(gateway, number, generator) for number in range(erasures)]
    print(f"{erasures} erasures under load, each with a kill: {sum(done)} were answered before it")


def test_load_goes_on(gateway):
    """Without kills nobody else notices an erasure."""
    person, numbers = "ERASEX", range(5)
    reports = 0
    for number in numbers:
        first = g.event(f"beside-{number}", person)
        answer = gateway.client().submit(first, headers={"Idempotency-Key": f'"beside-{number}"'})
        assert answer.status == 201, answer.text
        procedure = answer.json["procedureId"]
        load = Load(gateway, f"beside{number}", person)
        load.under_way.wait(g.DEADLINE)
        values = values_of(gateway, procedure)
        erase(gateway, procedure)
        before = load.reports
        g.wait_for(lambda: load.reports > before + 50, "the load goes on")
        load.stop()
        check_gone(gateway, first, [one for one in values if one[1] != HASH])
        # Each report landed before the erasure, or in a new procedure.
        assert len(load.procedures - {procedure}) <= 1, load.procedures
        reports += load.reports
    print(f"{len(numbers)} erasures beside {reports} reports, none of which failed")


def test_old_copies(gateway, folder):
    """A backup from before an erasure resurrects nobody."""
    people = {}
    for name in ("OLD1", "OLD2", "OLD3"):
        first = g.event(f"first-{name}", name)
        answer = gateway.client().submit(first, headers={"Idempotency-Key": f'"{name}"'})
        assert answer.status == 201, answer.text
        people[name] = (answer.json["procedureId"], first, values_of(gateway, answer.json["procedureId"]))
    gateway.command("ledger", "backup", folder / "before")
    erase(gateway, people["OLD1"][0])
    assert gateway.stop() == 0

    # The mapping alone, put in its place by hand.
    for path in gateway.data.glob("store.db*"):
        path.unlink()
    shutil.copy(folder / "before" / "store.db", gateway.data / "store.db")
    assert places_of(gateway, people["OLD1"][2])
    gateway.command("audit", "accept-loss")
    gateway.start()
    check_erased(gateway, "OLD1", *people["OLD1"])

    # Mapping and ledger, which then lacks the tombstone.
    erase(gateway, people["OLD2"][0])
    assert gateway.stop() == 0
    said = gateway.command("ledger", "restore", folder / "before", "--accept-loss").stdout
    assert "2 procedures had been erased and were purged" in said, said
    # What was replaced is a copy of its own, and has the new procedure of OLD1.
    for copy in gateway.data.glob("*.before-restore-*"):
        copy.unlink()
    for name in ("OLD1", "OLD2"):
        assert (places := places_of(gateway, people[name][2])) == [], places
    gateway.start()
    for name in ("OLD1", "OLD2"):
        check_erased(gateway, name, *people[name])
    # Who was not erased is there, and the tombstones are on the new ledger.
    assert places_of(gateway, people["OLD3"][2])
    for name in ("OLD1", "OLD2"):
        assert order(gateway, people[name][0]) == 204
    assert gateway.stop() == 0
    print(gateway.fsck().strip())


def run(binary, erasures):
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        test_kills(gateway, erasures)
        test_load_goes_on(gateway)
        test_old_copies(gateway, folder)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200 if g.SOAK else 20)
