"""The keys of the mapping are changed under load, also with kills in between, and within a token.

Usage: keys_test.py <flora-gateway> [rotations]

Four connections report, repeat and search without a pause. Each change: new keys are made and come first
in the settings, SIGHUP, until `keys status` says that the old ones may be removed; then they are removed,
SIGHUP. No request fails, no event is doubled, no procedure gets a second pseudonym. In some changes the
gateway is killed while it brings rows under the new keys: then it goes on where it was. At last all keys
are searched for in all files, in the log and in the memory of the gateway.
"""

import base64
import hmac
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading

import gateway as g

CONNECTIONS = 4
EVENTS_PER_PROCEDURE = 3
AT_ONCE = 500  # Events that are sent before an answer is read.
STOCK = 20_000 if g.SOAK else 2_000  # Events before the first change.
LARGEST_MAPPING = 1 << 30   # Sanitizers reserve more.
BESIDE = 2_000 if g.SOAK else 200        # Reports before a change and after it, with the same load.
BROKEN = (OSError, g.http.client.HTTPException)


class Book:
    """What was answered. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.count = 0
        self.procedures = {}    # Identifier -> procedure id
        self.transactions = {}  # Event id -> transaction id
        self.requests = 0

    def fresh(self):
        with self.lock:
            number = self.count
            self.count += 1
        return event_of(number)

    def known(self, generator):
        with self.lock:
            return generator.randrange(self.count)

    def note(self, event, answer):
        identifier = event["procedure"]["identifiers"][0]["value"]
        with self.lock:
            self.requests += 1
            procedure = self.procedures.setdefault(identifier, answer["procedureId"])
            assert procedure == answer["procedureId"], f"{identifier} has a second pseudonym"
            transaction = self.transactions.setdefault(event["id"], answer["transactionId"])
            assert transaction == answer["transactionId"], f"{event['id']} is doubled"


def event_of(number):
    """Of a new person or, of those that come beside a change, every second of one whose rows are older."""
    person = number // EVENTS_PER_PROCEDURE
    if number >= STOCK and number % 2 == 1:
        person = random.Random(number).randrange(STOCK // EVENTS_PER_PROCEDURE)
    return g.event(f"event-{number}", f"KEYS{person}")


class Load:
    """Connections that send until they are told to stop, or the gateway is killed."""

    def __init__(self, gateway, book, seed):
        self.gateway, self.book = gateway, book
        self.wrong = []
        self.ends = threading.Event()
        self.is_killed = False
        self.threads = [threading.Thread(target=self._run, args=(random.Random(seed * 100 + n),))
                        for n in range(CONNECTIONS)]
        for thread in self.threads:
            thread.start()

    def go_on(self):
        """Until some more is answered."""
        wanted = self.book.requests + BESIDE
        g.wait_for(lambda: self.wrong or self.book.requests > wanted, "the load")

    def kill(self):
        self.is_killed = True
        self.gateway.kill()
        self.stop()

    def stop(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()
        if self.wrong:
            raise self.wrong[0]

    def _run(self, generator):
        try:
            client = self.gateway.client()
            while not self.ends.is_set():
                self._one(client, generator)
        except BROKEN as error:
            if not self.is_killed:
                self.wrong.append(error)
        except BaseException as error:
            self.wrong.append(error)

    def _one(self, client, generator):
        kind = generator.random()
        if kind < 0.2:
            return self._search(client, generator)
        event = self.book.fresh() if kind < 0.7 else event_of(self.book.known(generator))
        answer = client.submit(event)
        assert answer.status in (200, 201, 202), (answer.status, answer.text)
        self.book.note(event, answer.json)

    def _search(self, client, generator):
        with self.book.lock:
            identifier, procedure = generator.choice(list(self.book.procedures.items()))
        answer = client.send("POST", "/v1/procedures/search", json.dumps(
            {"identifiers": [{"type": "D_NUMMER", "value": identifier}]}).encode(),
            {"Content-Type": "application/json"})
        assert answer.status == 200 and answer.json["procedureId"] == procedure, (
            identifier, answer.status, answer.text)


def stock_up(gateway, book):
    client = gateway.client()
    for _ in range(STOCK // AT_ONCE):
        events = [book.fresh() for _ in range(AT_ONCE)]
        for line, event in zip(client.stream(events), events):
            book.note(event, json.loads(g.submission_of(line)))
    client.close()


class Keys:
    """The keys in the settings of a gateway."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.base = [line for line in gateway.config.read_text().splitlines()
                     if not line.startswith(("mapping_secret", "keys"))]
        self.lookup, self.wrapping, self.secret = [], [], True
        self.made = 0

    def add(self):
        """New keys come first."""
        self.made += 1
        for kind, keys in (("lookup", self.lookup), ("wrapping", self.wrapping)):
            file = self.gateway.data / f"{kind}-{self.made}.key"
            self.gateway.command("keys", "new", file)
            keys.insert(0, {"id": f"{kind}-{self.made}", "file": str(file)})
        self.write()

    def drop_old(self):
        del self.lookup[1:], self.wrapping[1:]
        self.secret = False
        self.write()

    def secrets(self):
        return [base64.b64decode(pathlib.Path(key["file"]).read_text()) for key in self.lookup + self.wrapping]

    def write(self):
        lines = self.base + [f"keys: {json.dumps({'lookup': self.lookup, 'wrapping': self.wrapping})}"]
        if self.secret:
            lines.append("mapping_secret: data:mapping.secret")
        self.gateway.config.write_text("\n".join(lines) + "\n")

    def status(self):
        """State by kind and id."""
        done = self.gateway.command("keys", "status", "--json", check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(done.stderr)
        return {(key["kind"], key["id"]): key for key in json.loads(done.stdout)["keys"]}

    def old_are_removable(self):
        states = self.status()
        current = {("LOOKUP", self.lookup[0]["id"]), ("WRAPPING", self.wrapping[0]["id"])}
        return all(key["state"] == ("CURRENT" if name in current else "REMOVABLE")
                   for name, key in states.items())


def reload(gateway):
    before = gateway.log.read_text().count("keys reloaded")
    gateway.process.send_signal(signal.SIGHUP)
    g.wait_for(lambda: gateway.log.read_text().count("keys reloaded") > before, "the new keys")
    stale = [part for part in gateway.ready()["configuration"] if part["state"] == "STALE"]
    assert not stale, stale


def change(gateway, book, keys, number, kill):
    generator = random.Random(number)
    keys.add()
    load = Load(gateway, book, number)
    load.go_on()
    if kill:
        gateway.process.send_signal(signal.SIGHUP)
        rows = gateway.metric("flora_key_rotation_rows_total")
        wanted = rows + generator.randrange(1, STOCK)
        g.wait_for(lambda: gateway.metric("flora_key_rotation_rows_total") > wanted, "some rows")
        load.kill()
        gateway.start()
        load = Load(gateway, book, number + 1000)
    else:
        reload(gateway)
    g.wait_for(keys.old_are_removable, "nothing names the old keys")
    keys.drop_old()
    reload(gateway)
    load.go_on()
    load.stop()
    assert gateway.metric("flora_key_rotation_running") == 0
    assert gateway.metric("flora_key_rotation_damaged_rows") == 0


def check_all(gateway, book):
    """Everything that was answered is there once, under the keys that are left."""
    client = gateway.client()
    events = [event_of(number) for number in range(book.count) if f"event-{number}" in book.transactions]
    for start in range(0, len(events), AT_ONCE):
        chunk = events[start:start + AT_ONCE]
        for line, event in zip(client.stream(chunk), chunk):
            assert json.loads(line)["status"] == 200, line[:300]
            book.note(event, json.loads(g.submission_of(line)))
    assert len(set(book.procedures.values())) == len(book.procedures)
    client.close()


def check_missing_key(gateway, keys):
    """A start without a key that rows name ends, and says which one."""
    first, keys.lookup = keys.lookup, []
    keys.secret = True  # So that there is one of each kind.
    keys.write()
    gateway.launch()
    code = gateway.process.wait(g.DEADLINE)
    gateway.process = None
    last = gateway.log.read_text().splitlines()[-1]
    name = first[0]["id"]
    assert code == 2 and f'rows name the lookup key "{name}"' in last, (code, last)
    assert keys.status()[("LOOKUP", name)]["state"] == "MISSING"
    checked = gateway.command("check", check=False)
    assert checked.returncode == 2 and f'rows name the lookup key "{name}"' in checked.stderr, checked
    keys.lookup, keys.secret = first, False
    keys.write()


def check_no_key_in_plain(gateway, secrets):
    """No file but its own holds a key: as bytes, Base 64 or hexadecimal digits."""
    files = [path for path in gateway.data.iterdir() if path.suffix not in (".key", ".secret")]
    for path in [*files, gateway.log]:
        data = path.read_bytes()
        for secret in secrets:
            for form in (secret, base64.b64encode(secret), secret.hex().encode()):
                assert form not in data, f"a key stands in {path.name}"
    print(f"{len(secrets)} keys in none of {len(files) + 1} files")


def derived(gateway, secret, purpose):
    """The key that the gateway derives from a secret: HKDF-SHA-256 (RFC 5869), a single block."""
    environment = re.search(r"^environment: *(\S+)", gateway.config.read_text(), re.MULTILINE)[1]
    prk = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(prk, f"flora/1/{environment}/{purpose}".encode() + b"\x01", "sha256")


def memory_of(gateway):
    """(Is it left out of core dumps, bytes) of each mapping that the gateway can write to."""
    pid = gateway.process.pid
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for mapping in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", pathlib.Path(f"/proc/{pid}/smaps").read_text()):
            begin, end, mode = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", mapping).groups()
            begin, size = int(begin, 16), int(end, 16) - int(begin, 16)
            resident = int(re.search(r"^Rss: *(\d+)", mapping, re.MULTILINE)[1])
            if not mode.startswith("rw") or resident == 0 or size > LARGEST_MAPPING:
                continue
            memory.seek(begin)
            flags = re.search(r"^VmFlags: (.*)", mapping, re.MULTILINE)[1].split()
            yield "dd" in flags, memory.read(size)


def check_memory(gateway, secrets, current):
    """No secret is in memory; what is derived from the current ones only where no core dump has it, and
    of others nothing."""
    wanted = {secret: [derived(gateway, secret, purpose) for purpose in ("identifier-lookup", "key-wrapping")]
              for secret in secrets}
    seen = set()
    for is_guarded, data in memory_of(gateway):
        for secret, keys in wanted.items():
            assert secret not in data and base64.b64encode(secret) not in data, "a secret stays in memory"
            for key in keys:
                if key in data:
                    assert is_guarded, "a key is where a core dump has it"
                    seen.add(secret)
    assert seen == set(current), f"{len(seen)} keys are in memory, {len(current)} are in use"
    print(f"{len(secrets)} secrets are nowhere in memory, keys of {len(seen)} of them in guarded pages alone")


def run_rotations(binary, rotations):
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        book, keys = Book(), Keys(gateway)
        secrets = [base64.b64decode((gateway.data / "mapping.secret").read_text())]
        stock_up(gateway, book)
        for number in range(rotations):
            change(gateway, book, keys, number, kill=number % 2 == 1)
            check_all(gateway, book)
        secrets += [base64.b64decode(path.read_text()) for path in gateway.data.glob("*-*.key")]
        assert gateway.stop() == 0
        gateway.fsck()
        check_missing_key(gateway, keys)
        gateway.start()
        keys.add()  # Older ones have gone without a restart.
        reload(gateway)
        g.wait_for(keys.old_are_removable, "nothing names the old keys")
        keys.drop_old()
        reload(gateway)
        check_all(gateway, book)
        secrets += keys.secrets()
        check_memory(gateway, secrets, keys.secrets())
        assert gateway.stop() == 0
        check_no_key_in_plain(gateway, secrets)
    print(f"{rotations} changes of keys under load ({rotations // 2} with a kill), {book.requests} reports "
          f"answered, {len(book.procedures)} procedures: none failed, none doubled, no second pseudonym")


def softhsm(folder, *words):
    done = subprocess.run(["softhsm2-util", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def make_token(folder):
    """A token with an AES key. Returns how the settings name it."""
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    softhsm(folder, "--init-token", "--free", "--label", "flora", "--so-pin", "87654321", "--pin", "27182818")
    # softhsm2-util reads a line of text: a key ends at its first zero byte or line feed.
    (folder / "kek").write_bytes(bytes(random.SystemRandom().choices(range(0x0b, 0x100), k=32)))
    softhsm(folder, "--import", folder / "kek", "--aes", "--token", "flora", "--label", "kek", "--id", "01",
            "--pin", "27182818")
    (folder / "kek").unlink()
    (folder / "pin").write_text("27182818\n")
    (folder / "pin").chmod(0o600)
    module = next(path for path in pathlib.Path("/usr/lib").glob("**/libsofthsm2.so"))
    return {"id": "hsm-1", "pkcs11": {"module": str(module), "token": "flora", "label": "kek",
                                      "pin_file": str(folder / "pin")}}


def run_token(binary):
    """From the mapping secret to a wrapping key within a token, and over a restart."""
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        book, keys = Book(), Keys(gateway)
        client = gateway.client()
        for _ in range(60):
            event = book.fresh()
            book.note(event, client.submit(event).json)
        keys.wrapping = [make_token(folder)]
        keys.write()
        assert gateway.process is not None
        # A module reads its own settings from the environment that the process was started with.
        assert gateway.stop() == 0
        gateway.start()
        g.wait_for(lambda: gateway.metric("flora_key_rotation_running") == 0, "all keys are wrapped")
        status = keys.status()
        assert status[("WRAPPING", "hsm-1")]["procedures"] == 20, status
        check_all(gateway, book)
        client = gateway.client()
        more = g.event("more", "MORE1")
        assert client.submit(more).status == 201
        more["procedure"]["identifiers"].append({"type": "AZR_NUMMER", "value": "260815123456"})
        more["id"] = "more-2"
        assert client.submit(more).status == 201
        reload(gateway)
        assert gateway.stop() == 0
        assert "27182818" not in gateway.log.read_text()
        (folder / "pin").write_text("11111111\n")
        gateway.launch()
        code = gateway.process.wait(g.DEADLINE)
        gateway.process = None
        tail = gateway.log.read_text()
        assert code == 2 and 'PKCS#11 token "flora": C_Login: the PIN is wrong' in tail, (code, tail[-500:])
        assert "11111111" not in tail
    print("a wrapping key within a token: brought under it, restarted, reloaded; a wrong PIN is told")


if __name__ == "__main__":
    run_rotations(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else (40 if g.SOAK else 4))
    run_token(sys.argv[1])
