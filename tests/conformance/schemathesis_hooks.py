"""Steers Schemathesis through the gateway's business rules, and counts what was committed.

Generated events are valid by the schema, but most would be refused by rules that no schema can say:
who may report a status, which details it carries, what an identifier looks like. Every positive event
is therefore completed: the next status in turn, details by its schema, an authority that may report
it, an identifier of its own. Negative cases are left as they are.
"""

import itertools
import json
import os
import sys
import urllib.request
import uuid

# Authorities of config/policy.yaml, by role.
AUTHORITIES = {"AE": "000250", "LD": "999904", "ABH": "999903", "BAMF": "099045"}

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


def catalogue(base):
    request = urllib.request.Request(base + "/v1/statuses", headers={"Flora-Dev-Authority": "000250"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["statuses"]


def install():
    import schemathesis

    reached = {}
    turn = []

    # Native messages and streams are sent as they are; texts are read as texts.
    @schemathesis.serializer("application/x-ndjson", "application/xml", "text/xml")
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
            and case.meta is not None
            and case.meta.generation.mode.is_positive
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
        if not is_positive_event(case):
            return
        if not turn:
            turn.append(itertools.cycle(catalogue(case.operation.base_url.rstrip("/"))))
        case.body["id"] = str(uuid.uuid4())
        case.headers = {
            name: value
            for name, value in (case.headers or {}).items()
            if not name.lower().startswith("ce-") and name.lower() not in ("prefer", "idempotency-key")
        }
        authority = complete(case.body, next(turn[0]))

        # Set when the request is prepared, after the headers of the configuration.
        def act_for(request):
            request.headers["Flora-Dev-Authority"] = authority
            return request

        kwargs["auth"] = act_for

    @schemathesis.hook
    def after_call(context, case, response):
        if is_positive_event(case) and response.status_code == 201:
            status = case.body["status"]
            reached[status] = reached.get(status, 0) + 1
            with open(os.environ["FLORA_REACHED"], "w") as file:
                json.dump(reached, file)


def report(base, path):
    statuses = {status["name"] for status in catalogue(base)}
    with open(path) as file:
        reached = json.load(file)
    missing = sorted(statuses - reached.keys())
    print(f"{sum(reached.values())} events of {len(reached)} statuses were committed")
    if missing:
        sys.exit("never committed: " + ", ".join(missing))


if __name__ == "__main__":
    report(*sys.argv[1:])
else:
    install()
