#!/usr/bin/env python3
"""The gateway on a real Fabric network of several channels: an entry stands on those of the Länder that it is about.

Usage: channels_test.py <flora-gateway> [<unittest arguments>]
"""
import json
import pathlib
import subprocess
import sys
import unittest

from servers import WAIT, Database, Network, OnFabric, prepared
from gateway import AE, BAMF, LD, running, temporary_folder, wait_for

BINARY = ""
NI, SN, DEFAULT = "flora-ni", "flora-sn", "default"
LANDS = {"DE-NI": NI, "DE-SN": SN}


class Channels(OnFabric):
    @classmethod
    def setUpClass(cls):
        # The Länder are no members of SN's: it stands for the channel of a Land that another one serves.
        cls.network = Network(NI, f"{SN}=BundMSP")
        cls.addClassCleanup(cls.network.end)
        cls.number = 0

    def gateway(self, folder):
        return prepared(BINARY, self.network, folder, lands=LANDS)[0]

    def ask(self, channel, *words, member="BundMSP"):
        """What the chaincode of a channel says, by a client that is not the gateway's."""
        described = pathlib.Path(self.network.folder) / "config" / f"{channel}.json"
        return subprocess.run([self.network.description["client"], "-network", described, "-as", member, *words],
                              check=True, stdout=subprocess.PIPE, text=True).stdout

    def on(self, channel, procedure):
        """The transactions of a procedure on a channel."""
        return [one["id"] for one in json.loads(self.ask(channel, "evaluate", "History", procedure))]

    def entitle(self, channel, without=()):
        """All members agree on the entitlements of the network, but for some authorities."""
        agreed = {member: [one for one in authorities if one not in without]
                  for member, authorities in self.network.description["channels"][channel].items()}
        text = json.dumps(agreed, separators=(",", ":"), sort_keys=True)
        for member in agreed:
            self.ask(channel, "-admin", "submit", "SetEntitlements", text, member=member)

    def places(self, procedure):
        return {channel: self.on(channel, procedure) for channel in (DEFAULT, NI, SN)}

    def wait_for_places(self, procedure, expected):
        wait_for(lambda: self.places(procedure) == expected, f"{procedure} stands at {expected}, "
                 f"not at {self.places(procedure)}")

    def report(self, gateway, authority, person, **more):
        body = self.next_event(person, authority=authority, **more)
        answer = gateway.client(authority).submit(body, headers=WAIT)
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json

    def history(self, gateway, procedure):
        """But for the places in this gateway's copy."""
        return [{name: value for name, value in entry.items() if name != "logIndex"}
                for entry in gateway.client(BAMF).history(procedure)]

    def hand_over(self, gateway, person):
        return self.report(gateway, AE, person, status="WEITERLEITUNG",
                           details={"empfaengerLand": "DE-SN", "empfaengerBehoerde": LD})

    def verify(self, folder, answer, *members):
        path = pathlib.Path(folder) / "receipt.json"
        path.write_text(json.dumps(answer))
        said = subprocess.run([BINARY, "receipt", "verify", path, "--organisations", self.network.organisations(*members)],
                              capture_output=True, text=True)
        self.assertEqual(said.returncode, 0, said.stderr)
        return said.stdout

    def test_an_entry_stands_on_the_channels_of_the_lands_that_it_is_about(self):
        with temporary_folder() as folder:
            gateway = self.gateway(folder)
            self.assertEqual(gateway.command("check").returncode, 0)
            with running(gateway):
                histories = self.go_through(gateway, folder)
            gateway.command("ledger", "rebuild")
            with running(gateway):
                for procedure, history in histories.items():
                    self.assertEqual(self.history(gateway, procedure), history)

    def go_through(self, gateway, folder):
        """A procedure from one Land to the other, and one of the BAMF alone; their histories."""
        first = self.report(gateway, AE, "PCH1")
        procedure, a = first["procedureId"], first["transactionId"]
        self.assertEqual(self.places(procedure), {DEFAULT: [], NI: [a], SN: []})
        self.assertIn(f"on channel {NI};", self.verify(folder, first))
        handed = self.hand_over(gateway, "PCH1")
        b = handed["transactionId"]
        self.assertEqual(self.places(procedure), {DEFAULT: [], NI: [a, b], SN: [b]})
        self.assertIn(f"on channel {NI};", self.verify(folder, handed))
        self.assertEqual(json.loads(handed["receipt"]["entry"])["channel"], NI)
        later = self.report(gateway, BAMF, "PCH1", status="ANHOERUNG_ERFOLGT")
        c = later["transactionId"]
        self.assertEqual(self.places(procedure), {DEFAULT: [], NI: [a, b, c], SN: [b, c]})
        self.assertIn(f"on channel {NI};", self.verify(folder, later))
        history = self.history(gateway, procedure)
        self.assertEqual([one["transactionId"] for one in history], [a, b, c])

        other = self.report(gateway, BAMF, "PCH2", status="AKTENANLAGE_ERFOLGT")
        self.assertEqual(self.places(other["procedureId"]), {DEFAULT: [other["transactionId"]], NI: [], SN: []})
        others = self.history(gateway, other["procedureId"])
        self.assertEqual(len(others), 1)
        return {procedure: history, other["procedureId"]: others}

    def test_on_a_channel_without_the_land_the_bamf_signs_and_the_land_reads_nothing(self):
        with temporary_folder() as folder, running(self.gateway(folder)) as gateway:
            answer = self.report(gateway, LD, "PCH6")
            procedure = answer["procedureId"]
            self.assertEqual(self.on(SN, procedure), [answer["transactionId"]])
            said = self.verify(folder, answer, "BundMSP")
            self.assertIn(f"on channel {SN};", said)
            self.assertIn("BundMSP", said)
            self.assertNotIn("LaenderMSP", said)
            told = pathlib.Path(folder) / "network.json"
            told.write_text(json.dumps({**self.network.description, "channel": SN}))
            for member, allowed in ("BundMSP", True), ("LaenderMSP", False):
                asked = subprocess.run([self.network.description["client"], "-network", told, "-as", member,
                                        "evaluate", "History", procedure], capture_output=True, text=True)
                self.assertEqual(asked.returncode == 0, allowed, asked.stderr)

    def test_a_tombstone_stands_where_the_entries_stand(self):
        with temporary_folder() as folder, running(self.gateway(folder)) as gateway:
            answer = self.hand_over(gateway, "PCH3")
            procedure = answer["procedureId"]
            eraser = gateway.client()
            eraser.headers = {"Flora-Dev-Authority": "bamf-loeschung"}
            erased = eraser.send("DELETE", f"/v1/procedures/{procedure}/mapping")
            self.assertEqual(erased.status, 204, erased.text)
            places = self.places(procedure)
            self.assertEqual(places[DEFAULT], [])
            self.assertEqual(len(places[NI]), 2)
            self.assertEqual(places[NI][0], answer["transactionId"])
            self.assertEqual(places[SN], places[NI])
            self.assertEqual(gateway.client(BAMF).get(f"/v1/procedures/{procedure}").status, 404)

    def test_what_the_second_channel_refuses_has_failed_and_is_mended_by_another_try(self):
        with temporary_folder() as folder, running(self.gateway(folder)) as gateway:
            client = gateway.client()
            procedure = self.report(gateway, AE, "PCH4")["procedureId"]
            self.entitle(SN, without=[AE])
            body = self.next_event("PCH4", status="WEITERLEITUNG",
                                   details={"empfaengerLand": "DE-SN", "empfaengerBehoerde": LD})
            handed = client.submit(body)
            self.assertEqual(handed.status, 202, handed.text)
            one = handed.json["transactionId"]
            wait_for(lambda: self.state(client, handed)["state"] == "FAILED", "the hand-over has failed")
            self.assertEqual(self.state(client, handed)["problem"]["errors"][0]["code"], "not-entitled")
            self.assertIn(one, self.on(NI, procedure))
            self.assertEqual(self.on(SN, procedure), [])
            self.assertEqual(client.submit(body).json["state"], "FAILED")
            self.assertEqual(client.get(f"/v1/transactions/{one}/receipt").status, 404)
            self.entitle(SN)
            self.assertEqual(client.send("POST", f"/v1/transactions/{one}/retry").status, 202)
            wait_for(lambda: self.on(SN, procedure) == [one], "the hand-over is on the second channel")
            self.wait_until_committed(client, handed)
            self.assertEqual(len(self.on(NI, procedure)), 2)
            self.assertIn(f"on channel {NI};", self.verify(folder, client.submit(body).json))

    def test_gateways_that_share_a_store_send_to_the_same_channels_and_show_the_same(self):
        with temporary_folder() as folder:
            database = Database(folder)
            try:
                first, second = prepared(BINARY, self.network, folder, 2, database, lands=LANDS)
                with running(first), running(second):
                    procedure = self.report(first, AE, "PCH5")["procedureId"]
                    self.hand_over(second, "PCH5")
                    later = self.report(first, BAMF, "PCH5", status="ANHOERUNG_ERFOLGT")
                    for channel in NI, SN:
                        wait_for(lambda: later["transactionId"] in self.on(channel, procedure),
                                 "it is where the procedure's entries are")
                    wait_for(lambda: len(self.history(second, procedure)) == 3, "the other has followed")
                    self.assertEqual(self.history(second, procedure), self.history(first, procedure))
                second.command("ledger", "rebuild")
                with running(second):
                    self.assertEqual(len(self.history(second, procedure)), 3)
            finally:
                database.end()

    def test_what_is_killed_between_two_channels_stands_on_both(self):
        with temporary_folder() as folder:
            gateway = self.gateway(folder)
            with running(gateway):
                answers = [gateway.client().submit(self.next_event(
                    f"PCH9X{number}", status="WEITERLEITUNG",
                    details={"empfaengerLand": "DE-SN", "empfaengerBehoerde": LD})) for number in range(20)]
                self.assertEqual({answer.status for answer in answers}, {202})
                gateway.kill()
            with running(gateway):
                for answer in answers:
                    one = answer.json["transactionId"]
                    self.wait_for_places(answer.json["procedureId"], {DEFAULT: [], NI: [one], SN: [one]})


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
