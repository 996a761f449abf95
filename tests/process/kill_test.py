"""Kills the gateway at random instants under concurrent load. After each restart no acknowledged event
is lost, none is doubled, and fsck is clean.

Usage: kill_test.py <flora-gateway> [kills]

Four connections send single events, two send streams. Identities are fresh, repeated, or sent by two
connections at the same time; some ask for an early answer (202). After a kill everything that was ever
sent in that round is sent again: what was acknowledged must answer 200 with the same transaction and the
same bytes of the receipt, what was not may be new. Then each identity has one transaction, so that the
ledger must have exactly as many entries as there are identities, and a procedure's history exactly its
transactions.
"""

import collections
import http.client
import json
import random
import sys
import threading
import time

import gateway as g

SINGLES, STREAMS = 4, 2
LINES = 60               # Of a stream.
EVENTS_PER_PROCEDURE = 7
RECHECKED = 40           # Acknowledged events of earlier rounds that are sent again in each round.
BROKEN = (OSError, http.client.HTTPException)


class Book:
    """What was sent, and what was acknowledged. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.events = []               # Of all rounds, in the order of their first sending.
        self.acknowledged = {}         # id -> (transaction id, submission with its receipt or None)
        self.procedures = collections.defaultdict(set)  # procedure id -> transaction ids
        self.in_the_air = []           # Of this round.
        self.acknowledgements = 0      # Before kills.

    def fresh(self):
        with self.lock:
            number = len(self.events)
            event = g.event(f"event-{number}", f"KILL{number // EVENTS_PER_PROCEDURE}")
            self.events.append(event)
            self.in_the_air.append(event)
            return event

    def of_this_round(self, generator):
        """One that somebody has sent or is sending."""
        with self.lock:
            return generator.choice(self.in_the_air[-12:]) if self.in_the_air else None

    def note(self, event, status, submission):
        """Notes an answer; it must agree with every earlier one."""
        answer = json.loads(submission)
        if status not in (200, 201, 202):
            raise AssertionError(f"{event['id']}: {status} {submission[:400]}")
        transaction = answer["transactionId"]
        receipt = submission if answer["state"] == "COMMITTED" and "receipt" in answer else None
        with self.lock:
            self.procedures[answer["procedureId"]].add(transaction)
            if event["id"] not in self.acknowledged:
                self.acknowledged[event["id"]] = (transaction, receipt)
                return
            old, old_receipt = self.acknowledged[event["id"]]
            if old != transaction:
                raise AssertionError(f"{event['id']} is doubled: {old} and {transaction}")
            if receipt and old_receipt and receipt != old_receipt:
                raise AssertionError(f"{event['id']} has two receipts:\n{old_receipt}\n{receipt}")
            self.acknowledged[event["id"]] = (old, old_receipt or receipt)


class Load:
    """Connections that send until the gateway is gone. A wrong answer is kept in `wrong`."""

    def __init__(self, gateway, book, seed):
        self.gateway, self.book = gateway, book
        self.wrong = []
        self.under_way = threading.Event()
        work = [self._singles] * SINGLES + [self._streams] * STREAMS
        self.threads = [threading.Thread(target=self._run, args=(one, random.Random(seed * 100 + n)))
                        for n, one in enumerate(work)]
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join()
        if self.wrong:
            raise self.wrong[0]

    def _run(self, work, generator):
        try:
            work(self.gateway.client(), generator)
        except BROKEN:
            pass  # The kill.
        except BaseException as error:
            self.wrong.append(error)

    def _next(self, generator):
        repeated = self.book.of_this_round(generator) if generator.random() < 0.25 else None
        return repeated or self.book.fresh()

    def _singles(self, client, generator):
        while True:
            event = self._next(generator)
            early = {"Prefer": "respond-async"} if generator.random() < 0.1 else None
            answer = client.submit(event, headers=early)
            self.book.note(event, answer.status, answer.body)
            self.under_way.set()

    def _streams(self, client, generator):
        while True:
            events = [self._next(generator) for _ in range(LINES)]
            for line, event in zip(client.stream(events), events):
                self.book.note(event, json.loads(line)["status"], g.submission_of(line))


def resend(gateway, book, events):
    """Sends events again, until each has its 200 or 201; the acknowledged ones must not be new."""
    client = gateway.client()
    with book.lock:
        known = set(book.acknowledged)
    for start in range(0, len(events), 500):
        chunk = events[start:start + 500]
        answered = 0
        for line, event in zip(client.stream(chunk), chunk):
            status = json.loads(line)["status"]
            if event["id"] in known and status != 200:
                raise AssertionError(f"{event['id']} was acknowledged and is lost: {line[:400]}")
            book.note(event, status, g.submission_of(line))
            answered += 1
        assert answered == len(chunk), (answered, len(chunk))
    client.close()


def check_histories(gateway, book, procedures):
    client = gateway.client()
    for procedure in procedures:
        entries = [entry["transactionId"] for entry in client.history(procedure)]
        assert len(entries) == len(set(entries)), f"{procedure}: an entry occurs twice"
        assert set(entries) == book.procedures[procedure], f"{procedure}: {entries}"
    client.close()


def check(gateway, book, generator):
    """Everything that was sent before the kill is there once."""
    old = generator.sample(book.events, min(RECHECKED, len(book.events)))
    resend(gateway, book, book.in_the_air + old)
    with book.lock:
        book.in_the_air = []
        transactions = {transaction for transaction, _ in book.acknowledged.values()}
        assert len(book.acknowledged) == len(book.events) == len(transactions)
        newest = list(book.procedures)[-3:]
    entries = gateway.metric("flora_ledger_entries")
    assert entries == len(book.events), f"{entries} entries of {len(book.events)} events"
    gateway.wait_for_view(entries)
    check_histories(gateway, book, newest + generator.sample(list(book.procedures), 3))


def kill_under_load(gateway, book, number, generator):
    load = Load(gateway, book, number)
    # The instant is random: from the first answer on, or earlier.
    if generator.random() < 0.8:
        load.under_way.wait(g.DEADLINE)
    time.sleep(generator.random() * 0.4)
    gateway.kill()
    load.join()
    book.acknowledgements = len(book.acknowledged)


def run(binary, kills):
    generator = random.Random(20261103)
    book = Book()
    begin = time.monotonic()
    sure = starting = 0
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        for number in range(kills):
            if generator.random() < 0.2 and number > 0:
                # Within start-up, recovery included.
                gateway.kill()
                gateway.launch()
                time.sleep(generator.random() * 0.1)
                gateway.kill()
                starting += 1
                gateway.fsck()
                gateway.start()
                check(gateway, book, generator)
                continue
            before = len(book.acknowledged)
            kill_under_load(gateway, book, number, generator)
            sure += len(book.acknowledged) - before
            gateway.fsck()
            gateway.start()
            check(gateway, book, generator)
        check_histories(gateway, book, list(book.procedures))
        assert gateway.stop() == 0
        print(gateway.fsck().strip())
    print(f"{kills} kills ({starting} within start-up), {sure} events acknowledged before a kill, "
          f"{len(book.events)} events sent: 0 lost, 0 doubled, fsck clean each time; "
          f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else (200 if g.SOAK else 15))
