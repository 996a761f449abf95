"""Steers Schemathesis through the gateway's business rules, and counts what was reached.

Generated events are valid by the schema, but most would be refused by rules that no schema can say:
who may report a status, which details it carries, what an identifier looks like. Every positive event
is therefore completed: the next status in turn, details by its schema, an authority that may report
it, an identifier of its own. Likewise half of the positive cases of the operations that name something
are given something that exists: a transaction, a procedure, a tile, a message of the adapter's fixtures.
Negative cases are left as they are. At the end each status must have been committed, and each operation
must have succeeded, so that no schema of an answer goes unchecked.
"""

import itertools
import json
import os
import pathlib
import re
import sys
import urllib.request
import uuid

# Authorities of config/policy.yaml, by role.
AUTHORITIES = {"AE": "000250", "LD": "999904", "ABH": "999903", "BAMF": "099045"}
ERASER = "bamf-loeschung"

# One set of details per schema; a schema that is not listed takes none.
LIST = "urn:xoev-de:xauslaender:codeliste:"


def code(name, version, value):
    return {"list": LIST + name, "version": version, "code": value}


DETAILS = {
    "DetailsUebergabe": {"empfaengerLand": "DE-SN", "empfaengerBehoerde": "999904"},
    "DetailsAnkunftAe": {"zustaendigeAE": True},
    "DetailsNichtErschienenAe": {"verteilungErfolgt": True, "asylgesuch": False},
    "DetailsAvb": {"stufe": 1},
    "DetailsAvbTermin": {"stufe": 2, "terminUm": "2026-12-01T09:00:00.000Z"},
    "DetailsTermin": {"terminAm": "2026-12-01"},
    "DetailsNichtErfolgt": {"grund": "ERKRANKT"},
    "DetailsDublinEingeleitet": {"mitgliedstaat": code("asyl.dublinpartnerstaaten", "2.1", "129")},
    "DetailsDublinModalitaeten": {"fristende": "2027-05-01", "rueckmeldefrist": "2026-12-01"},
    "DetailsDublinBeendet": {"gruende": [code("asyl.grundbeendigungdublinverfahren", "1.2", "04")]},
    "DetailsBescheidErlassen": {"entscheidung": code("asyl.entscheidungssachverhalt", "1", "03")},
    "DetailsBescheidZugestellt": {"bescheidVom": "2026-10-30"},
    "DetailsKlage": {"verfristet": True},
    "DetailsEilantrag": {"antrag": "P80_5"},
    "DetailsRechtskraft": {
        "bescheidVom": "2026-10-30",
        "sachverhalte": [code("asyl:abschlusssachverhalt", "3.1", "11a")],
    },
    "DetailsTeilrechtskraft": {
        "bescheidVom": "2026-10-30",
        "sachverhalte": [code("asyl:teilabschlusssachverhalt", "3.1", "11a")],
    },
    "DetailsRechtskraftAufgehoben": {"mitteilungVom": "2026-10-30"},
    "DetailsRuecknahme": {"grund": code("asyl.ruecknahmegrund", "3", "01")},
    "DetailsEinstellung": {"grund": code("asyl.einstellungsgrund", "2", "02")},
    "DetailsUeberstellungTermin": {"terminAm": "2026-12-01", "ankunftszeit": "14:30"},
    "DetailsUeberstellungGescheitert": {"grund": code("asyl.grundgescheiterteueberstellung", "1.1", "02")},
    "DetailsAusreise": {"art": "FREIWILLIG_NACHGEWIESEN"},
    "DetailsDatenBerichtigt": {"anlass": code("asyl.datenberichtigungsanlass", "1", "03")},
}


def identifiers():
    return {"identifiers": [{"type": "D_NUMMER", "value": "S" + uuid.uuid4().hex[:15].upper()}]}


def complete(event, status):
    """Makes a generated event one that the gateway's rules accept."""
    for name in ("corrects", "revokes", "mergedInto", "details", "site", "test"):
        event.pop(name, None)
    event["status"] = status["name"]
    event["procedure"] = identifiers()
    event["reporter"] = {"authority": AUTHORITIES[status["reporters"][0]]}
    if status["details"] in DETAILS:
        event["details"] = DETAILS[status["details"]]
    if status["name"] == "VERFAHREN_ZUSAMMENGEFUEHRT":
        event["mergedInto"] = identifiers()
    return event["reporter"]["authority"]


def get(base, path):
    request = urllib.request.Request(base + path, headers={"Flora-Dev-Authority": "000250"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def messages():
    """The accepted fixtures of the bundle, each with the authority that sends it."""
    bundle = pathlib.Path(__file__).parents[2] / "adapters" / "de-ni-xauslaender"
    authors = {"999911": "999901", "999912": "999902", "999913": "999903"}
    for path in sorted(bundle.glob("fixtures/accepted/*.xml")):
        text = path.read_text()
        for theirs, ours in authors.items():
            text = text.replace(theirs, ours)
        author = re.search(r"<autor>.*?:(\d{6})</kennung>", text, re.DOTALL)
        if author and author[1] in authors.values():
            yield text, author[1]


class Things:
    """What exists in the gateway; everything may be seen by the BAMF."""

    def __init__(self):
        self.submissions = []
        self.messages = itertools.cycle(messages())
        self.uses = {}

    def is_turn(self, operation):
        self.uses[operation] = self.uses.get(operation, 0) + 1
        return self.uses[operation] % 2 == 0

    def give(self, case):
        """Makes the case one about something that exists. Returns the authority to ask as, or None."""
        operation = case.operation.definition.raw["operationId"]
        if operation in ("submitMessage", "translateMessage"):
            return self._give_message(case) if self.is_turn(operation) else None
        if not self.submissions or not self.is_turn(operation):
            return None
        if operation == "eraseMapping":
            # From now on it is there for nobody.
            case.path_parameters = {"id": self.submissions.pop(0)["procedureId"]}
            return ERASER
        submission = self.submissions[self.uses[operation] % len(self.submissions)]
        if operation in ("getTransaction", "getReceipt", "retryTransaction"):
            case.path_parameters = {"id": submission["transactionId"]}
        elif operation in ("getProcedure", "getHistory"):
            case.path_parameters = {"id": submission["procedureId"]}
            case.query = {name: value for name, value in (case.query or {}).items() if name != "cursor"}
        elif operation == "getAdapterVersion":
            case.path_parameters = self.adapter_version(case)
        elif operation == "getTile":
            case.path_parameters = {"level": 0, "index": "000.p/1"}
        elif operation == "searchProcedures" and isinstance(case.body, dict):
            case.body = submission["procedure"]
        else:
            return None
        return AUTHORITIES["BAMF"]

    def adapter_version(self, case):
        adapter = "de-ni-xauslaender"
        versions = get(case.operation.base_url.rstrip("/"), f"/v1/adapters/{adapter}/versions")["versions"]
        return {"adapter": adapter, "hash": versions[0]["hash"]}

    def _give_message(self, case):
        if case.media_type not in ("application/xml", "text/xml"):
            return None
        case.path_parameters = {"adapter": "de-ni-xauslaender"}
        case.headers = without(case.headers, "idempotency-key")
        case.body, author = next(self.messages)
        return author


def without(headers, *names):
    return {name: value for name, value in (headers or {}).items() if name.lower() not in names}


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def act_for(kwargs, authority):
    """Set when the request is prepared, after the headers of the configuration."""

    def auth(request):
        request.headers["Flora-Dev-Authority"] = authority
        return request

    kwargs["auth"] = auth


class Record:
    """What was reached, kept in the file of FLORA_REACHED: several runs add to it."""

    def __init__(self):
        self.path = pathlib.Path(os.environ["FLORA_REACHED"])
        empty = {"statuses": {}, "operations": {}}
        self.counts = json.loads(self.path.read_text()) if self.path.exists() else empty

    def count(self, kind, name):
        self.counts[kind][name] = self.counts[kind].get(name, 0) + 1
        self.path.write_text(json.dumps(self.counts))


def install():
    import schemathesis

    record = Record()
    things = Things()
    turn = []

    # Native messages and streams are sent as they are; texts are read as texts.
    @schemathesis.serializer(
        "application/x-ndjson", "application/xml", "application/soap+xml", "text/xml", "text/csv", "text/plain"
    )
    def as_text(context, value):
        return value.encode() if isinstance(value, str) else json.dumps(value).encode()

    @schemathesis.deserializer(
        "application/openmetrics-text", "text/css", "text/html", "text/javascript"
    )
    def read_text(context, response):
        return response.text

    def is_positive_event(case):
        return (
            case.operation.label == "POST /v1/status-events"
            and case.media_type == "application/json"
            and isinstance(case.body, dict)
            and {"id", "source", "status", "reporter", "procedure"} <= case.body.keys()
            and is_positive(case)
        )

    # Streams and batches are answered event by event: a bad one is a result of its own, not a refusal.
    @schemathesis.hook
    def filter_case(context, case):
        if case.meta is None or not case.meta.generation.mode.is_negative:
            return True
        batch = case.media_type == "application/cloudevents-batch+json"
        by_event = batch and isinstance(case.body, list) and len(case.body) <= 1000
        return not by_event and case.media_type != "application/x-ndjson"

    @schemathesis.hook
    def before_call(context, case, kwargs):
        if is_positive_event(case):
            if not turn:
                turn.append(itertools.cycle(get(case.operation.base_url.rstrip("/"), "/v1/statuses")["statuses"]))
            case.body["id"] = str(uuid.uuid4())
            case.headers = without(case.headers, "prefer", "idempotency-key", "ce-specversion", "ce-id",
                                   "ce-source", "ce-type", "ce-time")
            act_for(kwargs, complete(case.body, next(turn[0])))
        elif is_positive(case) and (authority := things.give(case)):
            act_for(kwargs, authority)

    @schemathesis.hook
    def after_call(context, case, response):
        if 200 <= response.status_code < 300:
            record.count("operations", case.operation.definition.raw["operationId"])
        if is_positive_event(case) and response.status_code == 201:
            record.count("statuses", case.body["status"])
            things.submissions.append({**response.json(), "procedure": case.body["procedure"]})


# An embedded ledger refuses nothing for good: tests/fabric/gateway_test.py has what can be tried again.
NOT_HERE = {"retryTransaction"}


def report(base, path):
    reached = json.loads(pathlib.Path(path).read_text())
    paths = get(base, "/openapi.json")["paths"].values()
    wanted = {
        "statuses": {status["name"] for status in get(base, "/v1/statuses")["statuses"]},
        "operations": {one["operationId"] for path in paths for one in path.values()
                       if isinstance(one, dict) and "operationId" in one} - NOT_HERE,
    }
    counts = reached["statuses"]
    print(f"{sum(counts.values())} events of {len(counts)} statuses were committed; "
          f"{len(reached['operations'])} operations succeeded")
    missing = sorted(name for kind in wanted for name in wanted[kind] - reached[kind].keys())
    if missing:
        sys.exit("never reached: " + ", ".join(missing))


if __name__ == "__main__":
    report(*sys.argv[1:])
else:
    install()
