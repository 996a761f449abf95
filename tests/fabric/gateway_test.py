#!/usr/bin/env python3
"""The gateway on a real Fabric network: what is accepted arrives once, whatever dies.

Usage: gateway_test.py <flora-gateway> [<unittest arguments>]
"""
import json
import pathlib
import random
import subprocess
import sys
import threading
import unittest

from servers import WAIT, OnFabric, prepared, settings
from gateway import BAMF, SOAK, running, temporary_folder

BINARY = ""


class GatewayOnFabric(OnFabric):
    def gateway(self, folder, **changes):
        """One with its keys, not started. `changes` are of the setting `ledger`."""
        return prepared(BINARY, self.network, folder, **changes)[0]

    def test_a_report_is_durable_at_once_and_committed_if_one_waits(self):
        with temporary_folder() as folder, running(self.gateway(folder)) as gateway:
            client = gateway.client()
            accepted = client.submit(self.next_event())
            self.assertEqual(accepted.status, 202)
            self.assertEqual(accepted.json["state"], "ACCEPTED")
            self.assertEqual(accepted.headers["Location"], f"/v1/transactions/{accepted.json['transactionId']}")
            self.wait_until_committed(client, accepted)

            one = self.next_event()
            answer = client.submit(one, headers=WAIT)
            self.assertEqual(answer.status, 201, answer.text)
            self.assertEqual(answer.headers["Preference-Applied"], "wait=30")
            receipt = answer.json["receipt"]
            self.assertEqual(receipt["endorsement"]["verification"], "OFFLINE")
            self.assertEqual(receipt["commit"]["verification"], "STATEMENT")
            again = client.submit(one, headers=WAIT)
            self.assertEqual(again.status, 200)
            self.assertEqual(again.json["receipt"], receipt)
            fetched = client.get(f"/v1/transactions/{answer.json['transactionId']}/receipt")
            self.assertEqual(fetched.json, receipt)
            self.assertEqual(len(client.history(answer.json["procedureId"])), 1)

            path = pathlib.Path(folder) / "receipt.json"
            path.write_text(answer.text)
            said = subprocess.run([BINARY, "receipt", "verify", path, "--organisations",
                                   self.network.organisations()], capture_output=True, text=True)
            self.assertEqual(said.returncode, 0, said.stderr)
            self.assertIn("endorsed by BundMSP LaenderMSP", said.stdout)
            forged = json.loads(answer.text)
            forged["receipt"]["entry"] = forged["receipt"]["entry"].replace("2026-11-02", "2026-11-01")
            path.write_text(json.dumps(forged))
            said = subprocess.run([BINARY, "receipt", "verify", path, "--organisations",
                                   self.network.organisations()], capture_output=True, text=True)
            self.assertEqual(said.returncode, 1)

    def test_an_erasure_ends_when_the_tombstone_is_on_the_network(self):
        with temporary_folder() as folder, running(self.gateway(folder)) as gateway:
            client = gateway.client()
            answer = client.submit(self.next_event(), headers=WAIT)
            self.assertEqual(answer.status, 201)
            eraser = gateway.client()
            eraser.headers = {"Flora-Dev-Authority": "bamf-loeschung"}
            procedure = answer.json["procedureId"]
            erased = eraser.send("DELETE", f"/v1/procedures/{procedure}/mapping")
            self.assertEqual(erased.status, 204, erased.text)
            self.assertEqual(gateway.client(BAMF).get(f"/v1/procedures/{procedure}").status, 404)

    def test_what_the_network_refuses_is_listed_and_can_be_tried_again(self):
        wrong = settings.ledger(self.network.description)["fabric"]
        wrong["identities"] = [dict(wrong["identities"][0], authorities=[], default=True)]
        with temporary_folder() as folder:
            gateway = self.gateway(folder, fabric=wrong)
            with running(gateway):
                client = gateway.client()
                procedure = self.next_event()["procedure"]
                refused = client.submit(self.next_event() | {"procedure": procedure}, headers=WAIT)
                self.assertEqual(refused.status, 202, refused.text)
                self.assertEqual(refused.json["state"], "FAILED")
                self.assertEqual(refused.json["problem"]["type"], "/problems/refused-by-ledger")
                self.assertEqual(refused.json["problem"]["errors"][0]["code"], "not-entitled")
                listed = client.get("/v1/transactions?state=FAILED").json["transactions"]
                self.assertEqual([one["transactionId"] for one in listed], [refused.json["transactionId"]])
                others = gateway.client("999912").get("/v1/transactions?state=FAILED").json
                self.assertEqual(others, {"transactions": []})
                receipt = client.get(f"/v1/transactions/{refused.json['transactionId']}/receipt")
                self.assertEqual(receipt.status, 404)
            good = self.gateway(folder / "good")
            gateway.config = good.config
            with running(gateway):
                client = gateway.client()
                self.assertEqual(self.state(client, refused)["state"], "FAILED")
                path = f"/v1/transactions/{refused.json['transactionId']}/retry"
                self.assertEqual(gateway.client("999912").send("POST", path).status, 404)
                self.assertEqual(client.send("POST", path).status, 202)
                self.wait_until_committed(client, refused)
                self.assertEqual(client.send("POST", path).status, 409)
                self.assertEqual(client.get("/v1/transactions?state=FAILED").json, {"transactions": []})

    def test_a_gateway_that_is_killed_again_and_again_loses_and_doubles_nothing(self):
        with temporary_folder() as folder:
            gateway = self.gateway(folder)
            acknowledged = []
            for _ in range(4):
                with running(gateway):
                    acknowledged += self.submit_until_killed(gateway, 40)
            with running(gateway):
                client = gateway.client()
                for identity, answer in acknowledged:
                    self.wait_until_committed(client, answer)
                    self.assertEqual(client.submit(identity).json["transactionId"],
                                     answer.json["transactionId"])
            copies, _ = self.copies(gateway, [answer.json["transactionId"] for _, answer in acknowledged])
            self.assertEqual(set(copies.values()), {1})

    def submit_until_killed(self, gateway, count):
        """Four clients report; the gateway is killed when `count` reports are acknowledged."""
        acknowledged, enough = [], threading.Event()
        lock = threading.Lock()

        def report():
            client = gateway.client()
            try:
                while not enough.is_set():
                    with lock:
                        one = self.next_event()
                    answer = client.submit(one)
                    if answer.status in (200, 201, 202):
                        with lock:
                            acknowledged.append((one, answer))
                            if len(acknowledged) >= count:
                                enough.set()
            except OSError:
                pass  # It was killed: nothing was acknowledged.

        clients = [threading.Thread(target=report) for _ in range(4)]
        for one in clients:
            one.start()
        self.assertTrue(enough.wait(120))
        gateway.kill()
        for one in clients:
            one.join()
        return acknowledged

    def test_without_an_orderer_reports_are_accepted_up_to_the_bound_and_arrive_in_order(self):
        with temporary_folder() as folder:
            gateway = self.gateway(folder, outbox=60)
            with running(gateway):
                client = gateway.client()
                self.network.drive("kill", "orderer")
                procedures = [self.next_event()["procedure"] for _ in range(7)]
                answers, refused = [], None
                for n in range(100):
                    answer = client.submit(self.next_event() | {"procedure": procedures[n % 7]})
                    if answer.status != 202:
                        refused = answer
                        break
                    answers.append(answer)
                self.assertIsNotNone(refused)
                self.assertEqual(refused.status, 503)
                self.assertIn("Retry-After", refused.headers)
                self.assertGreaterEqual(len(answers), 60)
                states = {self.state(client, answer)["state"] for answer in answers}
                self.assertLessEqual(states, {"ACCEPTED", "SUBMITTED"})
                self.network.drive("restart", "orderer")
                for answer in answers:
                    self.wait_until_committed(client, answer)
            ids = [answer.json["transactionId"] for answer in answers]
            copies, bodies = self.copies(gateway, ids)
            self.assertEqual(set(copies.values()), {1})
            order = {}
            for body in map(json.loads, bodies):
                if body["id"] in copies:
                    order.setdefault(body["procedure"], []).append(body["id"])
            self.assertEqual(len(order), 7)
            for found in order.values():
                self.assertEqual(found, sorted(found, key=ids.index))

    def test_a_peer_that_dies_between_submit_and_commit_leaves_no_second_entry(self):
        """The only peer that the gateway knows is killed at a random moment of a try, again and again."""
        fabric = settings.ledger(self.network.description)["fabric"]
        fabric["endpoints"] = fabric["endpoints"][:1]
        fabric["deadlines"] = {"commit_ms": 2000}
        draw = random.Random(7)
        with temporary_folder() as folder:
            gateway = self.gateway(folder, fabric=fabric)
            answers = []
            with running(gateway):
                client = gateway.client()
                for _ in range(100 if SOAK else 2):
                    moment = threading.Timer(draw.uniform(0, 0.15), self.network.drive, ("kill", "peer0"))
                    moment.start()
                    answers.append(client.submit(self.next_event()))
                    moment.join()
                    self.network.drive("restart", "peer0")
                    self.wait_until_committed(client, answers[-1])
                tries = gateway.metric("flora_network_tries_total")
            self.assertEqual({answer.status for answer in answers}, {202})
            copies, _ = self.copies(gateway, [answer.json["transactionId"] for answer in answers])
            self.assertEqual(set(copies.values()), {1})
            print(f"{len(answers)} reports, {tries} tries", file=sys.stderr)

    def test_peers_and_chaincode_that_die_cost_time_alone(self):
        with temporary_folder() as folder:
            gateway = self.gateway(folder)
            with running(gateway):
                client = gateway.client()
                answers = []
                for member in ("peer0", "peer1", "chaincode"):
                    answers += [client.submit(self.next_event()) for _ in range(10)]
                    self.network.drive("kill", member)
                    answers += [client.submit(self.next_event()) for _ in range(10)]
                    self.network.drive("restart", member)
                self.assertEqual({answer.status for answer in answers}, {202})
                for answer in answers:
                    self.wait_until_committed(client, answer)
                histories = {answer.json["procedureId"]: client.history(answer.json["procedureId"])
                             for answer in answers}
            copies, _ = self.copies(gateway, [answer.json["transactionId"] for answer in answers])
            self.assertEqual(set(copies.values()), {1})
            with running(gateway):  # On what was rebuilt.
                client = gateway.client()
                for procedure, history in histories.items():
                    self.assertEqual(client.history(procedure), history)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
