#!/usr/bin/env python3
"""Chaos on a real network: everything is killed, stopped and resumed at random while clients report.

Usage: chaos_test.py <flora-gateway> [<gateways>]
More than one gateway share a PostgreSQL database, which is started and disturbed as well, and clients
change from one gateway to another when they lose an answer. Afterwards every acknowledged report stands
on the ledger exactly once or is FAILED with a problem, none that was refused does, the order within each
procedure is that of acceptance, and the read model is the one that is rebuilt from nothing.
FLORA_SOAK=1: fifteen minutes; else FLORA_CHAOS_SECONDS or 30.
The seed is printed; FLORA_CHAOS_SEED repeats the draws (not the timing).
"""
import http.client
import json
import os
import pathlib
import random
import signal
import sqlite3
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from servers import Database, Network, prepared  # noqa: E402
from gateway import event, temporary_folder, wait_for  # noqa: E402

SECONDS = 900 if os.environ.get("FLORA_SOAK") == "1" else int(os.environ.get("FLORA_CHAOS_SECONDS", "30"))
SEED = int(os.environ.get("FLORA_CHAOS_SEED", str(random.SystemRandom().randrange(1 << 30))))
GATEWAYS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
TURN = 5  # Seconds after which another gateway takes the turn of one that is not heard of.
CLIENTS = 16
PROCEDURES = 40  # Of each client: several reports about one are under way at a time.
MEMBERS = ("peer0", "peer1", "orderer", "chaincode")
SETTLED = 300  # Seconds for everything to arrive once all is well again.


class Reporter(threading.Thread):
    """Reports until it is told to end. What it does not know the outcome of it sends again, as it must."""

    def __init__(self, number, gateways, ending):
        super().__init__()
        self.number, self.gateways, self.ending = number, gateways, ending
        self.draw = random.Random(SEED + number)
        self.client = None
        self.acknowledged = []  # Events and answers, in order.
        self.refused = []       # Events.
        self.lost = 0           # Answers that a death took away.

    def run(self):
        sent = 0
        while not self.ending.is_set():
            sent += 1
            procedure = f"C{self.number}P{self.draw.randrange(PROCEDURES)}"
            self.report(event(f"c{self.number}-{sent}", procedure))

    def report(self, one):
        patience = {"Prefer": f"wait={self.draw.randrange(3)}"} if self.draw.random() < 0.5 else {}
        while True:
            try:
                if self.client is None:
                    self.client = self.draw.choice(self.gateways).client()
                answer = self.client.submit(one, headers=patience)
            except (OSError, http.client.HTTPException):
                self.client = None
                self.lost += 1
                if self.ending.wait(0.05):
                    return  # Nothing is known of it.
                continue
            if answer.status in (200, 201, 202):
                self.acknowledged.append((one, answer.json))
                return
            if answer.status != 503:
                self.refused.append((one, answer.status))
                return
            if self.ending.wait(0.05):
                return  # Not acknowledged.


class Disturber:
    """What is done to gateways, members and database, one thing after the other."""

    def __init__(self, network, gateways, database):
        self.network, self.gateways, self.database = network, gateways, database
        self.targets = (*MEMBERS, "gateway", "gateway", *(["database"] if database else []))
        self.draw = random.Random(SEED)
        self.count = {}

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.draw.uniform(0.1, 1.5))
            what = self.draw.choice(self.targets)
            how = self.draw.choice(("kill", "stop"))
            self.count[f"{how} {what}"] = self.count.get(f"{how} {what}", 0) + 1
            pause = self.draw.uniform(0.05, 3.0)
            if what == "gateway":
                # Of several, long enough for another one to go on.
                longer = self.draw.uniform(0, 2 * TURN) if GATEWAYS > 1 else 0
                self.disturb_gateway(self.draw.choice(self.gateways), how, pause + longer)
            elif what == "database":
                self.database.disturb(how, pause)
            else:
                self.network.drive(how, what)
                time.sleep(pause)
                self.network.drive("restart" if how == "kill" else "continue", what)

    @staticmethod
    def disturb_gateway(gateway, how, pause):
        if how == "kill":
            gateway.kill()
            time.sleep(pause / 4)
            gateway.start()
            return
        gateway.process.send_signal(signal.SIGSTOP)
        time.sleep(pause)
        gateway.process.send_signal(signal.SIGCONT)


def states(gateway, transactions):
    client = gateway.client()
    found = {one: client.get(f"/v1/transactions/{one}").json for one in transactions}
    client.close()
    return found


def wait_until_settled(gateway, transactions):
    """The final states."""
    left, done = set(transactions), {}

    def settle():
        for one, state in states(gateway, list(left)).items():
            # Without a state it is not here yet, and was settled by another gateway.
            if state.get("state") in ("COMMITTED", "FAILED"):
                done[one] = state
                left.discard(one)
        return not left

    wait_for(settle, "every acknowledged report is settled", SETTLED)
    return done


def wait_until_all_arrived(gateways, database):
    """Also what was not acknowledged: it may have been accepted."""
    def is_settled():
        if database is not None:
            return database.ask("SELECT count(*) FROM outbox WHERE failed IS NULL") == "0"
        return gateways[0].metric("flora_outbox_entries") == gateways[0].metric("flora_network_failed")

    wait_for(is_settled, "nothing is under way", SETTLED)
    wait_for(lambda: len({one.metric("flora_ledger_entries") for one in gateways}) == 1, "all know the same", SETTLED)


def histories(gateway, procedures):
    client = gateway.client()
    found = {one: client.history(one) for one in procedures}
    client.close()
    return found


def check(network, folder, database):
    gateways = prepared(sys.argv[1], network, folder, GATEWAYS, database)
    for one in gateways:
        one.start()
    gateway = gateways[0]
    ending = threading.Event()
    reporters = [Reporter(n, gateways, ending) for n in range(CLIENTS)]
    for one in reporters:
        one.daemon = True
        one.start()
    disturber = Disturber(network, gateways, database)
    disturber.run(SECONDS)
    ending.set()
    for one in reporters:
        one.join(120)
        assert not one.is_alive(), "a client hangs"
    acknowledged = [pair for one in reporters for pair in one.acknowledged]
    refused = [pair for one in reporters for pair in one.refused]
    ids = [answer["transactionId"] for _, answer in acknowledged]
    assert len(set(ids)) == len(ids), "two events have one transaction"
    final = wait_until_settled(gateway, ids)
    failed = [one for one in ids if final[one]["state"] == "FAILED"]
    assert all("problem" in final[one] for one in failed)
    wait_until_all_arrived(gateways, database)
    procedures = {answer["procedureId"] for _, answer in acknowledged}
    before = histories(gateway, procedures)
    for one in gateways[1:]:
        wait_until_settled(one, ids)
        assert histories(one, procedures) == before, "two gateways tell different histories"
    for one in gateways:
        assert one.stop() == 0

    gateway.command("ledger", "rebuild")
    with sqlite3.connect(gateway.data / "network.db") as copy:
        entries = [json.loads(row[0]) for row in copy.execute("SELECT body FROM entry ORDER BY idx")]
    placed = [entry["id"] for entry in entries]
    assert len(set(placed)) == len(placed), "an entry stands twice on the ledger"
    assert set(ids) - set(failed) <= set(placed), "an acknowledged report is not on the ledger"
    assert not set(failed) & set(placed), "a failed report is on the ledger"
    assert not refused, f"refused: {refused[:3]}"
    order = {}
    for entry in entries:
        order.setdefault(entry["procedure"], []).append(entry["id"])
    assert all(found == sorted(found) for found in order.values()), "an order is not that of acceptance"

    gateway.start()
    assert histories(gateway, before) == before, "the rebuilt read model differs"
    assert gateway.stop() == 0
    lost = sum(one.lost for one in reporters)
    print(f"{len(ids)} acknowledged reports of {len(order)} procedures, {len(failed)} failed, {lost} answers "
          f"lost to deaths; on the ledger {len(placed)}; disturbances: {disturber.count}")
    if database is not None:
        print("turns:", database.ask("SELECT fence FROM turn"))


def main():
    print(f"seed {SEED}, {SECONDS} s", flush=True)
    network = Network()
    try:
        with temporary_folder() as folder:
            database = Database(folder) if GATEWAYS > 1 else None
            try:
                check(network, folder, database)
            finally:
                if database is not None:
                    database.end()
    finally:
        network.end()


if __name__ == "__main__":
    main()
