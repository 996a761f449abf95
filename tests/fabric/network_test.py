"""A real network from up to down: what the chaincode answers over each organisation's peer, what it
refuses, the events, and that every member may die, stop and come back. Usage: network_test.py"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

FABRIC = pathlib.Path(__file__).resolve().parents[2] / "examples" / "fabric-network"
sys.path.insert(0, str(FABRIC))
sys.dont_write_bytecode = True
import network  # noqa: E402 pylint: disable=wrong-import-position
SECONDS = 180  # For whatever is waited for: the machine may be busy.
BUND, LAENDER = "BundMSP", "LaenderMSP"
PROCEDURE = "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"


def body(number, **members):
    """A canonical transaction of an authority of the Länder."""
    content = {"authority": "000250", "catalogue": "2026-11", "channel": "default",
               "id": f"019a4f5e-7c2b-7a31-8f00-{number:012d}", "land": "DE-NI",
               "occurredOn": "2026-11-02", "procedure": PROCEDURE,
               "recordedAt": "2026-11-03T08:15:30.123Z", "role": "AE", "salt": "0" * 32,
               "status": "REGISTRIERUNG_ABGESCHLOSSEN", "v": 1, **members}
    return json.dumps(content, separators=(",", ":"), sort_keys=True)


def id_of(text):
    return json.loads(text)["id"]


class Refused(Exception):
    pass


class NetworkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.TemporaryDirectory()
        cls.folder = os.path.join(cls.root.name, "network")
        cls.addClassCleanup(cls.root.cleanup)
        cls.addClassCleanup(cls.down)
        printed = subprocess.run([FABRIC / "up.sh", cls.folder], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout
        cls.description = printed.strip()
        cls.network = json.loads(pathlib.Path(cls.description).read_text())
        cls.recorded = 0

    @classmethod
    def down(cls):
        """Also after a failure in the middle of `up`."""
        if os.path.exists(os.path.join(cls.folder, "state.json")):
            subprocess.run([FABRIC / "down.sh", cls.folder], check=True)

    def client(self, *args, seconds=30):
        done = subprocess.run([self.network["client"], "-network", self.description,
                               "-timeout", f"{seconds}s", *args], capture_output=True, text=True)
        if done.returncode != 0:
            raise Refused(done.stderr)
        return done.stdout

    def submit(self, msp, *args, seconds=30):
        return json.loads(self.client("-as", msp, "submit", *args, seconds=seconds))

    def evaluate(self, msp, *args):
        return self.client("-as", msp, "evaluate", *args).rstrip("\n")

    def driver(self, command, *member):
        return subprocess.run([FABRIC / "network.py", command, self.folder, *member], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def record_until_done(self, msp, text):
        """As a client does: the same again, until it is there. Gives the chaincode's answer."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                return json.loads(self.submit(msp, "Record", text, seconds=10)["payload"])
            except Refused as refusal:
                self.assertNotIn("chaincode response 500", str(refusal))
                if time.monotonic() > deadline:
                    raise

    @classmethod
    def next_body(cls, **members):
        cls.recorded += 1
        return body(cls.recorded, **members)

    def test_a_transaction_is_recorded_once_and_read_over_every_peer(self):
        text = self.next_body()
        first = self.submit(LAENDER, "Record", text)
        self.assertEqual(json.loads(first["payload"]), {"repeated": False, "tx": first["tx"]})
        again = self.submit(LAENDER, "Record", text)
        self.assertNotEqual(again["tx"], first["tx"])
        self.assertEqual(json.loads(again["payload"]), {"repeated": True, "tx": first["tx"]})
        for msp in (BUND, LAENDER):
            self.wait_until(lambda m=msp: self.evaluate(m, "Get", id_of(text)) != "")
            self.assertEqual(json.loads(self.evaluate(msp, "Get", id_of(text))),
                             {"body": text, "tx": first["tx"]})
            self.assertIn(json.loads(text), json.loads(self.evaluate(msp, "History", PROCEDURE)))
        self.assertEqual(self.evaluate(BUND, "Get", id_of(body(999999))), "")

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline)

    def test_what_is_not_entitled_open_or_in_conflict_is_refused_and_writes_nothing(self):
        text = self.next_body()
        self.assert_refused("not-entitled: ", BUND, text)
        self.assert_refused("not-entitled: ", LAENDER, self.next_body(authority="099045"))
        self.assert_refused("invalid: ", LAENDER, self.next_body(name="Anna"))
        self.assert_refused("invalid: ", LAENDER, text + " ")
        self.assertEqual(self.evaluate(BUND, "Get", id_of(text)), "")
        self.submit(LAENDER, "Record", text)
        self.assert_refused("conflict: ", LAENDER, text.replace("DE-NI", "DE-SN"))

    def assert_refused(self, word, msp, text):
        with self.assertRaises(Refused) as refused:
            self.submit(msp, "Record", text)
        self.assertIn("chaincode response 500, " + word, str(refused.exception))
        self.assertNotIn("Anna", str(refused.exception))

    def test_one_organisation_cannot_entitle_itself(self):
        text = json.dumps({BUND: ["000250"]}, separators=(",", ":"))
        agreed = json.dumps(self.network["entitlements"], separators=(",", ":"))
        with self.assertRaises(Refused) as refused:
            self.submit(BUND, "SetEntitlements", text)
        self.assertIn("not-entitled: ", str(refused.exception))
        answer = json.loads(self.client("-as", BUND, "-admin", "submit", "SetEntitlements", text))
        self.assertEqual(answer["payload"], '{"inForce":false}')
        self.assertEqual(self.evaluate(BUND, "Entitlements"), agreed)
        self.assert_refused("not-entitled: ", BUND, self.next_body())

    def test_events_hold_the_body_of_what_was_recorded_first(self):
        text = self.next_body()
        first = self.submit(LAENDER, "Record", text)
        self.submit(LAENDER, "Record", text)
        following = self.next_body()
        second = self.submit(LAENDER, "Record", following)
        lines = self.client("-as", BUND, "-block", str(first["block"]), "events", "2").splitlines()
        self.assertEqual([json.loads(line) for line in lines],
                         [{"tx": one["tx"], "block": one["block"], "name": "recorded", "payload": told}
                          for one, told in ((first, text), (second, following))])

    def test_many_transactions_of_one_procedure_are_valid_at_once(self):
        texts = [self.next_body() for _ in range(16)]
        clients = [subprocess.Popen([self.network["client"], "-network", self.description, "-as", LAENDER,
                                     "submit", "Record", text], stdout=subprocess.PIPE, text=True)
                   for text in texts]
        answers = [json.loads(client.communicate()[0]) for client in clients]
        self.assertEqual([client.returncode for client in clients], [0] * len(clients))
        self.assertTrue(all(json.loads(one["payload"])["repeated"] is False for one in answers))

    def test_of_many_that_record_one_transaction_at_once_one_does_and_repeats_get_its_answer(self):
        text = self.next_body()
        clients = [subprocess.Popen([self.network["client"], "-network", self.description, "-as", LAENDER,
                                     "submit", "Record", text], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True) for _ in range(8)]
        answers = [client.communicate() for client in clients]
        for client, (_, said) in zip(clients, answers):
            lost = "MVCC_READ_CONFLICT" in said or "ProposalResponsePayloads do not match" in said
            self.assertEqual(lost, client.returncode != 0, said)
        payloads = [json.loads(json.loads(told)["payload"]) for told, _ in answers if told]
        self.assertEqual([one["repeated"] for one in payloads].count(False), 1)
        tx = next(one["tx"] for one in payloads if not one["repeated"])
        self.assertEqual({one["tx"] for one in payloads}, {tx})
        self.assertEqual(self.record_until_done(LAENDER, text), {"repeated": True, "tx": tx})

    def test_what_cannot_be_done_is_told_and_changes_nothing(self):
        for command in ([FABRIC / "up.sh", self.folder],
                        [FABRIC / "network.py", "kill", self.folder, "nobody"],
                        [FABRIC / "down.sh", os.path.join(self.root.name, "nowhere")]):
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(self.driver("status").count(" runs\n"), 4)

    def test_every_member_may_be_killed_and_come_back(self):
        for member in ("peer0", "peer1", "orderer", "chaincode"):
            with self.subTest(member):
                before = self.next_body()
                first = self.record_until_done(LAENDER, before)
                self.driver("kill", member)
                self.assertIn(f"{member} does not run", self.driver("status"))
                with self.assertRaises(Refused):
                    self.submit(LAENDER, "Record", self.next_body(), seconds=3)
                self.driver("restart", member)
                self.assertEqual(self.record_until_done(LAENDER, before),
                                 {"repeated": True, "tx": first["tx"]})
                self.assertFalse(self.record_until_done(LAENDER, self.next_body())["repeated"])

    def test_a_member_that_was_stopped_goes_on(self):
        for member in ("peer0", "orderer", "chaincode"):
            with self.subTest(member):
                text = self.next_body()
                self.driver("stop", member)
                with self.assertRaises(Refused):
                    self.submit(LAENDER, "Record", text, seconds=2)
                self.driver("continue", member)
                self.record_until_done(LAENDER, text)
                self.assertNotEqual(self.evaluate(LAENDER, "Get", id_of(text)), "")

    def test_two_networks_run_side_by_side_and_down_leaves_nothing(self):
        other = os.path.join(self.root.name, "other")
        subprocess.run([FABRIC / "up.sh", other], check=True, stdout=subprocess.DEVNULL)
        pids = [int(file.read_text().split()[0])
                for file in pathlib.Path(other, "run").glob("*.pid")]
        self.assertEqual(len(pids), 4)
        self.assertEqual(self.driver("status").count(" runs\n"), 4)
        subprocess.run([FABRIC / "down.sh", other], check=True)
        self.assertFalse(os.path.exists(other))
        self.assertEqual([pid for pid in pids if network.start_time(pid)], [])
        self.record_until_done(LAENDER, self.next_body())


if __name__ == "__main__":
    unittest.main(verbosity=2)
