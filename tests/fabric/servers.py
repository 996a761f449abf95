"""What gateways stand on: a real network, a PostgreSQL server, and several gateways that share both."""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FABRIC = ROOT / "examples" / "fabric-network"
sys.path[:0] = [str(ROOT / "tests" / "process"), str(FABRIC)]
import settings  # noqa: E402 pylint: disable=wrong-import-position
from gateway import (ADAPTERS, Gateway, config_with, event,  # noqa: E402 pylint: disable=wrong-import-position
                     wait_for)

WAIT = {"Prefer": "wait=30"}


class Network:
    """A network in a folder of its own. `channels` are there besides the first."""

    def __init__(self, *channels):
        self.root = tempfile.TemporaryDirectory()
        self.folder = os.path.join(self.root.name, "network")
        printed = subprocess.run([FABRIC / "up.sh", self.folder, *channels], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout
        self.description = json.loads(pathlib.Path(printed.strip()).read_text())

    def end(self):
        if os.path.exists(os.path.join(self.folder, "state.json")):
            subprocess.run([FABRIC / "down.sh", self.folder], check=True)
        self.root.cleanup()

    def drive(self, command, member):
        subprocess.run([FABRIC / "network.py", command, self.folder, member], check=True,
                       stdout=subprocess.DEVNULL)

    def organisations(self, *members):
        """For `receipt verify`: these, or all."""
        return ",".join(f"{one['mspId']}={one['ca'][0]}" for one in self.description["organisations"]
                        if not members or one["mspId"] in members)


class Database:
    """On a PostgreSQL server of its own."""

    def __init__(self, folder):
        self.file = pathlib.Path(folder) / "connection"
        self._drive("start")
        self.server = self.file.read_text().strip()
        self.connection = self.server + " dbname=shared"
        self.ask("CREATE DATABASE shared ENCODING 'UTF8' TEMPLATE template0", "postgres")

    def ask(self, text, database="shared"):
        return subprocess.run(["psql", "-AtqX", "-c", text, f"{self.server} dbname={database}"], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()

    def kill(self):
        self._drive("signal", "KILL")

    def restart(self):
        self._drive("restart")

    def disturb(self, how, pause):
        self._drive("signal", "KILL" if how == "kill" else "STOP")
        time.sleep(pause)
        self._drive(*(["restart"] if how == "kill" else ["signal", "CONT"]))

    def end(self):
        self._drive("stop")

    def _drive(self, command, *words):
        subprocess.run([ROOT / "tests" / "postgresql.sh", command, self.file, *words], check=True)


def prepared(binary, network, folder, count=1, database=None, lands=None, **changes):
    """Gateways with the same keys, each in a folder of its own, not started. `lands` are channels of Länder,
    `changes` are of the setting `ledger`."""
    changed = {"ledger": json.dumps({**settings.ledger(network.description, lands=lands), **changes})}
    if database is not None:
        changed["store"] = json.dumps({"kind": "postgresql", "connection": database.connection})
    gateways = []
    for number in range(count):
        home = pathlib.Path(folder) / f"gateway{number}"
        home.mkdir(parents=True)
        gateways.append(Gateway(binary, home / "data", config_with(home, ADAPTERS, **changed)))
    gateways[0].command("init")
    for one in gateways[1:]:
        shutil.copytree(gateways[0].data, one.data)
    return gateways


class OnFabric(unittest.TestCase):
    """Tests with a network of their own."""

    @classmethod
    def setUpClass(cls):
        cls.network = Network()
        cls.addClassCleanup(cls.network.end)
        cls.number = 0

    @classmethod
    def next_event(cls, procedure=None, **more):
        cls.number += 1
        return event(f"f-{os.getpid()}-{cls.number}", procedure or f"P{os.getpid()}X{cls.number}", **more)

    def state(self, client, answer):
        return client.get(f"/v1/transactions/{answer.json['transactionId']}").json

    def wait_until_committed(self, client, answer):
        return wait_for(lambda: self.state(client, answer)["state"] == "COMMITTED" and
                        self.state(client, answer), "the report is committed")

    def copies(self, gateway, transactions):
        """How often each transaction stands on the ledger, by a copy that is followed from nothing."""
        gateway.command("ledger", "rebuild")
        with sqlite3.connect(gateway.data / "network.db") as copy:
            found = [row[0] for row in copy.execute("SELECT body FROM entry ORDER BY idx")]
        ids = [json.loads(body)["id"] for body in found]
        return {one: ids.count(one) for one in transactions}, found
