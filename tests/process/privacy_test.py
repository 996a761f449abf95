"""Nothing that names a person or an event leaves memory in plain: not to ledger, read model,
checkpoint, log, metrics, spans or answers; and the mapping holds it encrypted only.

Usage: privacy_test.py <flora-gateway>

Sends every fixture of the bundle de-ni-xauslaender and canonical events in all forms, good and bad, also
with identifiers in places where they do not belong (unknown members, URLs, header fields). Then all
files and all answers are searched for each identifier, event id, source and name of the input: as text,
without separators, percent-encoded, in hexadecimal, in Base 64 at each alignment, and as an SQLite
integer. Excepted is what a dry run of an adapter (POST …/translations) answers: that is the sender's
own message.
"""

import base64
import json
import pathlib
import re
import sys
import urllib.parse

import collector as c
import gateway as g

FIXTURES = g.ROOT / "adapters" / "de-ni-xauslaender" / "fixtures"
# The invented authors of the fixtures, and authorities of config/policy.yaml of the same role.
REPORTERS = {"999911": g.BAMF, "999912": g.AE, "999913": g.ABH}
ADAPTER = "/v1/adapters/de-ni-xauslaender"

# Elements of a message whose text names a person, a file or the message itself.
NAMING = ("name", "aZRNummer", "bAMFAktenzeichen", "nachrichtenUUID", "strasse", "wohnort", "ort",
          "eURODACNummer", "optionsnummer", "ankunftsnachweisnummer", "dNummer", "nachname")


def is_searchable(text):
    """Not so short that it would be found by chance among hashes."""
    return len(text) >= 10 or (len(text) >= 7 and re.search("[g-zG-Z]", text) is not None)


class Evidence:
    """The values to search for, and the bytes to search in."""

    def __init__(self):
        self.values = set()
        self.places = {}
        self.statuses = set()

    def value(self, text):
        if is_searchable(text):
            self.values.add(text)
        return text

    def answer(self, request, answer):
        headers = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
        self.places[f"answer {len(self.places)} to {request}"] = headers.encode() + answer.body
        assert answer.status < 500 or answer.status == 501, (request, answer.status, answer.body)
        return answer

    def file(self, path):
        self.places[str(path)] = path.read_bytes()


def needles(value):
    """The forms in which a value could be hidden, as lower-case bytes where case may differ."""
    plain = {value, re.sub(r"[\s/-]", "", value), urllib.parse.quote(value, safe="")}
    forms = {text.lower().encode() for text in plain if is_searchable(text)}
    forms |= {text.encode().hex().encode() for text in plain if is_searchable(text)}
    return forms


def exact_needles(value):
    """The forms in which case matters."""
    data = value.encode()
    forms = set()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + data)
        # Characters that depend on the neighbours do not count.
        core = coded[(0, 2, 3)[shift]:len(coded) - (0, 4, 3)[-(shift + len(data)) % 3]]
        forms |= {core.rstrip(b"="), core.rstrip(b"=").translate(bytes.maketrans(b"+/", b"-_"))}
    if value.isdigit() and len(value) >= 11 and value[0] != "0":
        forms.add(int(value).to_bytes(6, "big"))
    return forms


def search(evidence):
    low = {name: data.lower() for name, data in evidence.places.items()}
    found = []
    for value in sorted(evidence.values):
        for form in needles(value):
            found += [(value, name) for name, data in low.items() if form in data]
        for form in exact_needles(value):
            found += [(value, name) for name, data in evidence.places.items() if form in data]
    return sorted(set(found))


def distinct(message):
    """The fixture with names and numbers that are long enough to search for."""
    message = re.sub(r"<((?:\w+:)?name)>([^<]+)</", r"<\1>\2zeugwort</", message)
    message = re.sub(r"(<(?:\w+:)?ort>)([^<]+)</", r"\1\2zeugort</", message)
    return re.sub(r"(<(?:\w+:)?bAMFAktenzeichen>)(\d{7})(?=[<-])", r"\g<1>\g<2>731", message)


def note_message(evidence, message):
    for name in NAMING:
        for text in re.findall(rf"<(?:\w+:)?{name}>\s*([^<]+?)\s*</", message):
            evidence.value(text)
    for text in re.findall(r"<kennung>([^<:]+:[^<]+)</", message):
        evidence.value("xauslaender:" + text)


def send_fixtures(gateway, evidence):
    """Each message as each caller that it could be of. Returns the statuses that were committed."""
    committed, expected = set(), set()
    for path in sorted(FIXTURES.rglob("*.xml")):
        message = distinct(path.read_text(encoding="utf-8", errors="surrogateescape"))
        if path.parent.name == "accepted":
            wanted = json.loads(path.with_suffix(".expected.json").read_text())
            expected |= {item["event"]["status"] for item in wanted["items"] if "event" in item}
        for theirs, ours in REPORTERS.items():
            message = message.replace(theirs, ours)
        note_message(evidence, message)
        body = message.encode("utf-8", errors="surrogateescape")
        for caller in REPORTERS.values():
            committed |= statuses_of(send_message(gateway, evidence, body, caller, path.name))
    missing = expected - committed
    assert not missing, f"never committed: {missing}"
    return committed


def send_message(gateway, evidence, body, caller, name):
    client = gateway.client(caller)
    answer = evidence.answer(f"message {name}", client.send(
        "POST", ADAPTER + "/messages", body, {"Content-Type": "application/xml"}))
    translation = client.send("POST", ADAPTER + "/translations", body,
                              {"Content-Type": "application/xml"})
    if translation.status == 200:
        for item in translation.json["items"]:
            note_event(evidence, item.get("event", {}))
    else:
        evidence.answer(f"translation {name}", translation)
    client.close()
    return answer


def note_event(evidence, event):
    for name in ("id", "source"):
        evidence.value(event.get(name, ""))
    for reference in (event.get("procedure", {}), event.get("mergedInto", {})):
        for identifier in reference.get("identifiers", []):
            evidence.value(identifier["value"])


def statuses_of(answer):
    if answer.status != 200:
        return set()
    receipts = [item.get("submission", {}).get("receipt") for item in answer.json["items"]]
    return {json.loads(receipt["entry"])["status"] for receipt in receipts if receipt}


IDENTIFIERS = [
    ("BAMF_AKTENZEICHEN", "9912345678-475"), ("AZR_NUMMER", "99 06 30 777123"),
    ("EURODAC_NUMMER", "DE1260101ABC45678"), ("OPTIONSNUMMER", "MU-261103-ab3|x9z-07"),
    ("EASY_OPTIONSNUMMER", "MU9876541"), ("ANKUNFTSNACHWEIS", "q9182736"),
    ("D_NUMMER", "d/2026-887766551"),
]


class Events:
    """Canonical events whose every identity is noted."""

    def __init__(self, evidence):
        self.evidence = evidence
        self.count = 0

    def make(self, **more):
        self.count += 1
        event = g.event(f"vorgang-{self.count}-geheimnis", f"DNR-88{self.count:07}")
        event["source"] = f"urn:fachverfahren:quelle-{self.count % 3}"
        event["procedure"]["identifiers"] += [
            {"type": kind, "value": value + str(self.count % 10) if kind == "D_NUMMER" else value}
            for kind, value in IDENTIFIERS[self.count % 7:self.count % 7 + 1]]
        event.update(more)
        note_event(self.evidence, event)
        return event

    def cloud_event(self):
        event = self.make()
        data = {name: value for name, value in event.items() if name not in ("id", "source")}
        return {"specversion": "1.0", "type": "de.bamf.flora.status-event.v1", "id": event["id"],
                "source": event["source"], "subject": self.evidence.value("betreff-erdacht-ida-911"),
                "vendorextension": self.evidence.value("erweiterung-99063077"), "data": data}


def send_good(gateway, evidence, events):
    client = gateway.client()
    send = lambda what, *rest: evidence.answer(what, client.submit(*rest))
    first = events.make()
    for _ in range(2):
        assert send("event", first).status in (200, 201)
    assert send("conflict", {**first, "occurredOn": "2026-11-03"}).status == 409
    key = evidence.value('"schluessel-vorgang-1-geheimnis"')
    assert send("key", events.make(), "application/json", {"Idempotency-Key": key}).status == 201
    assert send("key of other", events.make(), "application/json", {"Idempotency-Key": key}).status == 422
    assert send("early", events.make(), "application/json", {"Prefer": "respond-async"}).status == 202
    cloud = "application/cloudevents"
    assert send("structured", events.cloud_event(), cloud + "+json").status == 201
    assert send("batch", [events.cloud_event(), {}, events.cloud_event()], cloud + "-batch+json").status == 200
    event = events.cloud_event()
    fields = {"ce-" + name: event[name] for name in event if name != "data"}
    assert send("binary", event["data"], "application/json", fields).status == 201
    assert send("test mark", events.make(test=True)).status == 200
    correction = events.make(corrects={"source": first["source"], "id": first["id"]},
                             procedure=first["procedure"])
    assert send("correction", correction).status == 201
    lines = b"".join(json.dumps(events.make()).encode() + b"\n" for _ in range(50))
    assert send("stream", lines + b'{"id": "vorgang-kaputt-geheimnis"\n', "application/x-ndjson").status == 200
    evidence.value("vorgang-kaputt-geheimnis")
    for identifier in first["procedure"]["identifiers"]:
        evidence.answer("search", client.send(
            "POST", "/v1/procedures/search", json.dumps({"identifiers": [identifier]}),
            {"Content-Type": "application/json"}))
    client.close()


def bad_events(evidence, events):
    """Events that are refused, each with identifiers where they do not belong."""
    secret = lambda number: evidence.value(f"99063077{number:04}")
    for kind, value in IDENTIFIERS:
        malformed = evidence.value(value + "/unbrauchbar-5551")
        yield events.make(procedure={"identifiers": [{"type": kind, "value": malformed}]})
    yield events.make(procedure={"identifiers": [{"type": secret(1), "value": secret(2)}]})
    yield events.make(**{"azr-" + secret(3): 1})
    yield events.make(**{secret(4): secret(5)})
    yield events.make(details={secret(6): secret(7)})
    yield events.make(status=secret(8))
    yield events.make(occurredOn=secret(9))
    yield events.make(site=secret(10))
    yield events.make(regime=secret(11))
    yield events.make(reporter={"authority": secret(12)})
    yield events.make(reporter={"authority": g.AE, "land": secret(13), secret(14): secret(15)})
    yield events.make(sourceSequence=int(secret(16)))
    yield events.make(procedure={"procedureId": secret(17)})
    yield events.make(procedure={"identifiers": [], "name": evidence.value("Erdachtnam, Ida Zeugwort")})
    yield {**events.make(), "procedure": {"identifiers": secret(18)}}
    yield events.make(corrects={"transactionId": secret(19)})
    yield events.make(revokes={"source": evidence.value("urn:unbekannte-quelle-1"), "id": secret(20)},
                      corrects={"source": evidence.value("urn:unbekannte-quelle-2"), "id": secret(21)})
    yield events.make(id=evidence.value("vorgang-" + "x" * 220))
    yield events.make(authority=g.BAMF, reporter={"authority": g.BAMF})
    yield [events.make()]
    yield evidence.value("nur-ein-text-990630777")


def send_bad(gateway, evidence, events):
    client = gateway.client()
    bad = [json.dumps(event) for event in bad_events(evidence, events)]
    whole = json.dumps(events.make())
    bad += [whole[:-5], whole.replace(":", ": \x01", 1), whole + whole, whole.replace("vorgang", "\\ud800", 1),
            '{"' + evidence.value("kein-json-990630777") + '"}']
    for media_type in ("application/json", "application/cloudevents+json", "application/x-ndjson",
                       "application/cloudevents-batch+json"):
        for text in bad:
            answer = evidence.answer(f"bad {media_type}", client.submit(text, media_type))
            assert answer.status != 201, text
            evidence.answer("bad in batch", client.submit(
                f"[{text}]", "application/cloudevents-batch+json"))
    send_misplaced(client, evidence)
    client.close()


def send_misplaced(client, evidence):
    """Identifiers in URLs and header fields."""
    secret = evidence.value("990630778899")
    for path in (f"/v1/transactions/{secret}", f"/v1/procedures/{secret}", f"/v1/{secret}",
                 f"/v1/procedures/{secret}/history", f"/v1/statuses?{secret}={secret}",
                 f"/v1/procedures/27fd4402-bff2-4bb0-9f54-09cd2721514f/history?cursor={secret}",
                 f"/v1/procedures/27fd4402-bff2-4bb0-9f54-09cd2721514f/history?limit={secret}",
                 f"/v1/adapters/{secret}", f"/problems/{secret}", f"/docs/{secret}",
                 f"/v1/log/tile/0/{secret}", f"/{secret}%zz"):
        evidence.answer("path", client.get(path))
    event = {"Content-Type": "application/json"}
    for fields in ({"Content-Type": f"application/{secret}"}, {**event, "Accept": f"text/{secret}"},
                   {**event, "Idempotency-Key": secret}, {**event, "traceparent": secret},
                   {**event, "tracestate": f"{secret}={secret}"}, {**event, "baggage": f"id={secret}"},
                   {**event, "Prefer": f"wait={secret}"}, {**event, secret: secret},
                   {**event, "Flora-Dev-Authority": secret}, {**event, "Authorization": "Bearer " + secret},
                   {**event, "ce-specversion": secret, "ce-id": secret + "%zz", "ce-source": secret}):
        evidence.answer("field", client.send("POST", "/v1/status-events", "{}", fields))
    evidence.answer("method", client.send(secret, "/v1/status-events"))


def send_broken(gateway, evidence):
    """Identifiers in what the server itself refuses, before any handler."""
    secret = evidence.value("990630778900").encode()
    host = b" HTTP/1.1\r\nHost: x\r\n"
    for octets in (b"GET /" + secret + b"\r\n\r\n", secret + b"\r\n\r\n",
                   b"GET /" + secret + b" HTTP/" + secret + b"\r\n\r\n",
                   b"GET /" + secret + b" HTTP/1.1\r\n\r\n",
                   b"GET /" + secret + host + secret + b" : 1\r\n\r\n",
                   b"GET /" + secret + host + b"x: " + secret + b"\0\r\n\r\n",
                   b"GET /" + secret + host + b"Expect: " + secret + b"\r\n\r\n",
                   b"GET /" + secret * 1000 + host + b"\r\n",
                   b"GET /" + secret + host + b"x: " + secret * 4000 + b"\r\n\r\n",
                   b"POST /" + secret + host + b"Content-Length: " + secret + b"x\r\n\r\n"):
        answer = g.raw(gateway.port, octets)
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")), answer
        evidence.places[f"answer {len(evidence.places)} to broken octets"] = answer


def read_as_officers(gateway, evidence, folder):
    """Audit, exports and data-subject reports, by the interface and on the machine."""
    for name in ("bamf-datenschutz", "musterstadt-datenschutz"):
        client = gateway.client(name)
        records = evidence.answer("audit records", client.get("/v1/audit/records?limit=1000"))
        exported = evidence.answer("audit export", client.get("/v1/audit/export"))
        assert len(records.json["records"]) > 50 and exported.body.count(b"\n") > 50, name
        for kind, value in IDENTIFIERS:
            report = evidence.answer("report", client.send(
                "POST", "/v1/data-subject-reports",
                json.dumps({"identifiers": [{"type": kind, "value": value}]}),
                {"Content-Type": "application/json"}))
            assert report.status == 200, report.text
        client.close()
    gateway.command("audit", "export", "--out", folder / "export.ndjson")
    evidence.file(folder / "export.ndjson")
    for kind, value in IDENTIFIERS:
        evidence.places[f"subject-report {kind}"] = gateway.command(
            "subject-report", input=f"{kind} {value}\n").stdout.encode()
    assert any(b'"procedureId"' in data for name, data in evidence.places.items() if "subject-report" in name)
    refused = gateway.command("subject-report", input=f"AZR_NUMMER {evidence.value('99063077712399')}\n",
                              check=False)
    assert refused.returncode == 2, refused
    evidence.places["subject-report refused"] = (refused.stdout + refused.stderr).encode()


def collect(gateway, evidence, backup):
    gateway.command("ledger", "backup", backup)
    evidence.places["audit list"] = gateway.command("audit", "list").stdout.encode()
    assert evidence.places["audit list"].count(b'"outcome":"ACCEPTED"') > 50
    read_as_officers(gateway, evidence, backup.parent)
    evidence.answer("metrics", gateway.operations().get("/metrics"))
    evidence.answer("readiness", gateway.operations().get("/health/ready"))
    for path in [*gateway.data.iterdir(), *backup.iterdir()]:
        if path.suffix not in (".key", ".secret"):
            evidence.file(path)
    names = {pathlib.Path(name).name for name in evidence.places}
    assert {"ledger.db", "ledger.db-wal", "view.db", "view.db-wal", "store.db", "store.db-wal",
            "checkpoint", "audit.head"} <= names, names


def check_the_search(evidence):
    """It must be able to find: what was sent, in each form, put among the places."""
    value = max(evidence.values, key=lambda text: (text.isdigit(), len(text)))
    for form in needles(value) | exact_needles(value):
        planted = Evidence()
        planted.value(value)
        planted.places = {"planted": b"ab\x00" + form + b"\xffcd"}
        assert search(planted), form
    for shift in range(3):
        planted.places = {"planted": base64.b64encode(b"#" * shift + value.encode() + b"#")}
        assert search(planted), shift


def observed(binary, folder, collector):
    """A gateway that tells all it can tell."""
    adapters = [g.ROOT / "adapters" / name
                for name in ("de-ni-xauslaender", "de-sn-assist", "de-bb-export")]
    telemetry = json.dumps({"otlp_endpoint": collector.endpoint})
    return g.prepared(binary, folder, config=g.config_with(folder, adapters, log="{level: debug}",
                                                           telemetry=telemetry))


def check_what_operators_see(gateway, collector):
    """Lines and spans of all forms were there to be searched."""
    lines = [json.loads(line) for line in gateway.log.read_text().splitlines()]
    routes = {line.get("route") for line in lines}
    assert {"/v1/status-events", "/v1/procedures/search", "/v1/procedures/{id}/history", "/metrics",
            "/v1/adapters/{adapter}/messages", "/v1/transactions/{id}", None} <= routes, routes
    assert {"request", "request refused by the server"} <= {line["event"] for line in lines}
    assert len(collector.spans()) > 100


def run(binary):
    evidence = Evidence()
    with g.temporary_folder() as folder, c.collecting() as collector, \
            g.running(observed(binary, folder, collector)) as gateway:
        statuses = send_fixtures(gateway, evidence)
        events = Events(evidence)
        send_good(gateway, evidence, events)
        send_bad(gateway, evidence, events)
        send_broken(gateway, evidence)
        entries = gateway.metric("flora_ledger_entries")
        collect(gateway, evidence, folder / "backup")
        assert gateway.stop() == 0
        evidence.file(gateway.log)
        check_what_operators_see(gateway, collector)
        for number, body in enumerate(collector.bodies):
            evidence.places[f"spans {number}"] = body
        for path in gateway.data.iterdir():
            if path.suffix not in (".key", ".secret"):
                evidence.places[f"{path} after the end"] = path.read_bytes()
    check_the_search(evidence)
    found = search(evidence)
    for value, place in found[:40]:
        print(f"FOUND {value!r} in {place}")
    size = sum(map(len, evidence.places.values()))
    print(f"{entries} entries of {len(statuses)} statuses of the bundle; {len(evidence.values)} values in "
          f"{len(evidence.places)} files and answers ({size} bytes): found {len(found)}")
    assert not found


if __name__ == "__main__":
    run(sys.argv[1])
