#!/usr/bin/env python3
"""Two gateways on one real Fabric network and one PostgreSQL database: each answers for both.

Usage: shared_test.py <flora-gateway> [<unittest arguments>]
"""
import contextlib
import signal
import sys
import unittest

from servers import WAIT, Database, OnFabric, prepared, settings
from gateway import AE, running, temporary_folder, wait_for

BINARY = ""


class TwoGateways(OnFabric):
    @contextlib.contextmanager
    def two(self, **changes):
        """The gateways, both running and the first with the turn, and their database."""
        with temporary_folder() as folder:
            database = Database(folder)
            try:
                first, second = prepared(BINARY, self.network, folder, 2, database, **changes)
                with running(first):
                    self.wait_for_turn(first)
                    with running(second):
                        yield first, second, database
            finally:
                database.end()

    def has_turn(self, gateway):
        return gateway.metric("flora_outbox_turn") == 1

    def wait_for_turn(self, gateway):
        wait_for(lambda: self.has_turn(gateway), "the gateway has the turn")

    def wait_for_state(self, client, answer, wanted="COMMITTED"):
        """Never a transaction that is not known: 503 while the copy of this gateway lags behind."""
        path = f"/v1/transactions/{answer.json['transactionId']}"

        def has_come():
            found = client.get(path)
            self.assertIn(found.status, (200, 503), found.text)
            return found.status == 200 and found.json["state"] == wanted

        wait_for(has_come, f"the report is {wanted}")

    def test_each_answers_for_what_the_other_has_accepted(self):
        with self.two() as (first, second, _):
            self.assertFalse(self.has_turn(second))
            for here, there in ((first, second), (second, first)):
                one, waited = self.next_event(), self.next_event()
                answer = here.client().submit(one)
                self.assertEqual(answer.status, 202, answer.text)
                elsewhere = there.client()
                self.wait_for_state(elsewhere, answer)
                repeat = elsewhere.submit(one, headers=WAIT)
                self.assertEqual(repeat.status, 200, repeat.text)
                self.assertEqual(repeat.json["transactionId"], answer.json["transactionId"])
                committed = here.client().submit(waited, headers=WAIT)
                self.assertEqual(committed.status, 201, committed.text)
                repeat = elsewhere.submit(waited, headers=WAIT)
                self.assertEqual(repeat.json["receipt"]["entry"], committed.json["receipt"]["entry"])
                self.assertEqual(elsewhere.history(committed.json["procedureId"]),
                                 here.client().history(committed.json["procedureId"]))
                more = self.next_event(waited["procedure"]["identifiers"][0]["value"])
                led_on = elsewhere.submit(more)
                self.assertEqual(led_on.json["procedureId"], committed.json["procedureId"])

    def test_who_is_stopped_past_its_turn_submits_nothing_when_it_goes_on(self):
        with self.two() as (first, second, _):
            client = first.client()
            self.network.drive("kill", "orderer")
            answers = [client.submit(self.next_event()) for _ in range(20)]
            self.assertEqual({answer.status for answer in answers}, {202})
            # While the network is away one try at a time looks for it.
            wait_for(lambda: first.metric("flora_network_away") == 1, "the network is found to be away")
            tries = first.metric("flora_network_tries_total")
            first.process.send_signal(signal.SIGSTOP)
            self.wait_for_turn(second)
            self.network.drive("restart", "orderer")
            other = second.client()
            for answer in answers:
                self.wait_for_state(other, answer)
            first.process.send_signal(signal.SIGCONT)
            wait_for(lambda: "another gateway has the turn" in first.log.read_text(), "its turn is over")
            self.assertFalse(self.has_turn(first))
            self.assertLessEqual(first.metric("flora_network_tries_total"), tries + 2)
            tries = first.metric("flora_network_tries_total")
            late = first.client().submit(self.next_event(), headers=WAIT)
            self.assertEqual(late.status, 201, late.text)
            self.assertEqual(first.metric("flora_network_tries_total"), tries)
            self.assertTrue(self.has_turn(second))
            answers.append(late)
            first.stop()
            copies, _ = self.copies(first, [answer.json["transactionId"] for answer in answers])
            self.assertEqual(set(copies.values()), {1})
            first.start()

    def test_the_death_of_the_one_that_has_the_turn_costs_time_alone(self):
        with self.two() as (first, second, _):
            client = first.client()
            answers = [client.submit(self.next_event()) for _ in range(20)]
            first.kill()
            answers.append(second.client().submit(self.next_event(), headers=WAIT))
            self.assertEqual(answers[-1].status, 201, answers[-1].text)
            for answer in answers:
                self.wait_for_state(second.client(), answer)
            self.assertTrue(self.has_turn(second))
            first.start()
            copies, _ = self.copies_of_stopped(first, answers)
            self.assertEqual(set(copies.values()), {1})

    def copies_of_stopped(self, gateway, answers):
        gateway.stop()
        try:
            return self.copies(gateway, [answer.json["transactionId"] for answer in answers])
        finally:
            gateway.start()

    def test_without_the_database_nothing_is_accepted_and_afterwards_all_goes_on(self):
        with self.two() as (first, second, database):
            before = first.client().submit(self.next_event(), headers=WAIT)
            self.assertEqual(before.status, 201, before.text)
            checked = first.command("check", check=False)
            self.assertNotIn("store.connection", checked.stdout + checked.stderr)
            database.kill()
            for gateway in (first, second):
                # 504: a commit was under way, and it is not known yet what became of it.
                self.assertIn(gateway.client().submit(self.next_event()).status, (503, 504))
            checked = first.command("check", check=False)
            self.assertIn("nothing starts without it", checked.stdout + checked.stderr)
            database.restart()
            for gateway in (first, second):
                if gateway.process.poll() is not None:  # It could not find out.
                    gateway.start()
                client = gateway.client()
                late = self.next_event()
                wait_for(lambda client=client, late=late: client.submit(late).status in (200, 202),
                         "the store is back")
                self.assertEqual(client.submit(late, headers=WAIT).status, 200)

    def test_what_is_refused_is_known_to_both_and_tried_again_by_the_command(self):
        wrong = settings.ledger(self.network.description)["fabric"]
        wrong["identities"] = [dict(wrong["identities"][0], authorities=[], default=True)]
        with self.two(fabric=wrong) as (first, second, _):
            refused = second.client().submit(self.next_event())
            self.assertEqual(refused.status, 202, refused.text)
            identity = refused.json["transactionId"]
            for gateway in (first, second):
                self.wait_for_state(gateway.client(), refused, "FAILED")
                listed = gateway.client().get("/v1/transactions?state=FAILED").json["transactions"]
                self.assertEqual([one["transactionId"] for one in listed], [identity])
                self.assertIn(identity, gateway.command("outbox", "failed").stdout)
            right = prepared(BINARY, self.network, first.data.parent / "right")[0]
            text = right.config.read_text().split("\nledger: ")[1].split("\n")[0]
            for gateway in (first, second):
                gateway.stop()
                lines = gateway.config.read_text().splitlines()
                gateway.config.write_text("\n".join(f"ledger: {text}" if line.startswith("ledger: ") else line
                                                    for line in lines) + "\n")
                gateway.start()
            second.command("outbox", "retry", identity)
            for gateway in (first, second):
                self.wait_for_state(gateway.client(), refused)
                self.assertEqual(gateway.client(AE).get("/v1/transactions?state=FAILED").json, {"transactions": []})


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
