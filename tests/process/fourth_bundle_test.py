"""A further Land is put on by its author alone: a bundle for fixed-width records is made, filled in, tried and
tested with the commands, then used by a real gateway. Nothing is compiled.

Usage: fourth_bundle_test.py <flora-gateway>

The dialect is invented, and so are all identifiers and the authorities of its policy.
"""

import hashlib
import json
import pathlib
import subprocess
import sys

import gateway as g

ID = "de-th-tagessatz"
AE, ABH, AUDITOR, OTHER_AE = "999916", "999917", "999990", "999902"
DELIVERED = sorted(path.parent for path in (g.ROOT / "adapters").glob("de-*/adapter.yaml"))
CODE = {".cpp", ".cc", ".cxx", ".c", ".h", ".hpp", ".o", ".a", ".so", ".py", ".sh", ".lua", ".js"}

LENGTH = 126
FIELDS = {  # The record description: name, first character, length.
    "satzart": (1, 4), "vorgang": (5, 14), "azr": (19, 12), "akte": (31, 16), "behoerde": (47, 6),
    "standort": (53, 20), "zugang": (73, 16), "abgang": (89, 16), "art": (105, 2), "ziel": (107, 8),
    "bemerkung": (115, 12),
}

POLICY = f"""authorities:
  - {{id: "{AE}", name: "Erstaufnahme Beispielwald (erfunden)", land: DE-TH, role: AE,
     sites: [SUEDHAUS, MUEHLENHOF]}}
  - {{id: "{ABH}", name: "Ausländerbehörde Beispieltal (erfunden)", land: DE-TH, role: ABH}}
  - {{id: "{OTHER_AE}", name: "Aufnahmeeinrichtung Musterstadt (erfunden)", land: DE-NI, role: AE}}
  - {{id: "{AUDITOR}", name: "Prüfstelle (erfunden)", land: DE, role: AUDITOR}}
clients: []
reading:
  - {{role: AE, procedures: [REGISTERING_LAND, REPORTER], transactions: [REPORTER], source: "contract.md"}}
"""

INPUT = """input:
  format: fixed
  charset: windows-1252
  fixed:
    length: 126
    header: "KOPFÜBERGABE"
    footer: { begins: "ENDESÄTZE", count: { at: 10, length: 6 } }
    fields:
"""

RULES = """
errors: { unit: record, max_rejected: "60%" }

maps:
  abgaenge: { file: abgaenge.map.csv, to: status }
  standorte: { file: standorte.map.csv }
  ziele: { file: ziele.map.csv }

let:
  vorgang: { from: "vorgang", do: [ { matches: "EAE/[0-9]{4}/[0-9]{5}" } ] }
  abgangstag: { from: "abgang", do: [ { before: " " }, { date: "dd.MM.yyyy" } ] }
  unbekannt: { from: "art", eq: "UV" }

require: [ $vorgang ]
reject:
  - when: { not: { from: "satzart", eq: "DATN" } }
    code: "record-kind-unknown"
    detail: "The record is neither the first, nor the last, nor data."
  - when: { all: [ { exists: "art" }, { absent: "abgang" } ] }
    code: "departure-without-time"
    detail: "The record says how the person left, but not when."
skip:
  - when: { from: "bemerkung", eq: "Übungsfall" }
    code: "exercise"
    detail: "The record belongs to an exercise."

event:
  set:
    source: { const: "de-th-tagessatz" }
    procedure.identifiers:
      - { type: AZR_NUMMER, value: { from: "azr" } }
      - { type: BAMF_AKTENZEICHEN, value: { from: "akte", do: [ strip_country_suffix ] } }
    reporter.authority: { from: "behoerde", do: [ { digits: 6 } ] }
    site: { from: "standort", do: [ { map: standorte } ] }

events:
  - name: zugang
    when: { exists: "zugang" }
    set:
      id: { concat: "${vorgang}:zugang" }
      status: { const: "ANKUNFT_AE" }
      occurredAt: { from: "zugang", do: [ &local ] }

  - name: uebergabe
    when: { all: [ { exists: "abgang" }, { not: $unbekannt } ] }
    set:
      id: { concat: "${vorgang}:abgang" }
      status: { from: "art", do: [ { map: { list: abgaenge, on: $abgangstag } } ], required: true }
      occurredAt: { from: "abgang", do: [ &local ] }
      details.empfaengerLand: { const: "DE-TH" }
      details.empfaengerBehoerde:
        { from: "ziel", do: [ { ags: DE-TH }, { map: ziele } ], required: true }

  - name: fortzug
    when: { all: [ { exists: "abgang" }, $unbekannt ] }
    set:
      id: { concat: "${vorgang}:abgang" }
      status: { const: "FORTZUG_UNBEKANNT" }
      occurredAt: { from: "abgang", do: [ &local ] }

on_no_event: skip
""".replace("&local", '{ local: { pattern: "dd.MM.yyyy HH:mm", zone: "Europe/Berlin" } }')

CODE_LISTS = {
    # The codes of departures were renamed on 1 November 2026.
    "abgaenge.map.csv": "source;target;valid_from;valid_to;comment\n"
                        "ZW;ZUWEISUNG_KOMMUNE;;;\n"
                        "W1;WEITERLEITUNG;;2026-10-31;alt\n"
                        "WL;WEITERLEITUNG;2026-11-01;;neu\n",
    "standorte.map.csv": "source;target;comment\nSüdhaus;SUEDHAUS;\nMühlenhof;MUEHLENHOF;\n",
    "ziele.map.csv": f"source;target;comment\n16099001;{ABH};Beispieltal\n",
}


def record(number, **values):
    """A record of data about the procedure of this number."""
    values = {"satzart": "DATN", "vorgang": f"EAE/2026/{number:05}", "azr": f"990101{number:06}",
              "behoerde": AE, **values}
    line = ""
    for name, (at, length) in FIELDS.items():
        value = values.get(name, "")
        assert len(line) == at - 1 and len(value) <= length, name
        line += value.ljust(length)
    return line


def day_file(*records, header="KOPFÜBERGABE", count=None):
    """The bytes of a file with these records between its first and its last."""
    last = f"ENDESÄTZE{len(records) if count is None else count:06}"
    lines = [header.ljust(LENGTH), *records, last.ljust(LENGTH)]
    return ("\r\n".join(lines) + "\r\n").encode("windows-1252")


ARRIVAL = record(1, standort="Südhaus", zugang="09.11.2026 08:15")
BOTH = record(2, standort="Mühlenhof", akte="9900002-475", zugang="25.10.2026 03:30",
              abgang="10.11.2026 14:00", art="WL", ziel="16099001")
GONE = record(3, abgang="30.10.2026 23:59", art="UV")
OLD_CODE = record(4, abgang="31.10.2026 10:00", art="W1", ziel="16099001")
NOTHING_YET = record(5)
EXERCISE = record(6, zugang="09.11.2026 08:15", bemerkung="Übungsfall")
HOUR_TWICE = record(7, zugang="25.10.2026 02:30")
HOUR_SKIPPED = record(8, zugang="29.03.2026 02:30")
CODE_TOO_OLD = record(9, abgang="01.11.2026 10:00", art="W1", ziel="16099001")
NO_DEPARTURE = record(10, zugang="09.11.2026 08:15", art="ZW")
OTHER_LAND = record(11, abgang="10.11.2026 14:00", art="ZW", ziel="6099001")
OTHER_SITE = record(12, standort="Nordhaus", zugang="09.11.2026 08:15")

GOOD = day_file(ARRIVAL, BOTH, GONE, OLD_CODE, NOTHING_YET, EXERCISE)
MISTAKES = day_file(ARRIVAL, HOUR_TWICE, HOUR_SKIPPED, CODE_TOO_OLD, NO_DEPARTURE, OTHER_LAND,
                    OTHER_SITE, BOTH, GONE, OLD_CODE)
FIXTURES = {
    "accepted/one-arrival.txt": day_file(ARRIVAL),
    "rejected/mistakes.txt": MISTAKES,
    "rejected/cut-off.txt": GOOD[:GOOD.index(b"ENDE")],
    "rejected/counts-others.txt": day_file(ARRIVAL, count=2),
    "rejected/other-file.txt": day_file(ARRIVAL, header="KOPFUEBERGABE"),
    "rejected/no-text.txt": day_file(GONE, ARRIVAL).replace(b"\xFCd", b"\x81d"),
    "rejected/too-short.txt": GOOD.replace(b"  \r\nENDE", b" \r\nENDE"),
    "skipped/nothing-yet.txt": day_file(NOTHING_YET),
    "skipped/exercise.txt": day_file(EXERCISE),
}
# The mistakes, by record: line, column of the field, name of the field, code.
PLACES = [(3, 73, "zugang", "value-malformed"), (4, 73, "zugang", "value-malformed"),
          (5, 105, "art", "value-unmapped"), (6, 1, "", "departure-without-time"),
          (7, 107, "ziel", "value-malformed"), (8, 53, "standort", "value-unmapped")]


class Author:
    """Calls `flora-gateway adapter`."""

    def __init__(self, binary, bundle):
        self.binary, self.bundle = binary, bundle

    def call(self, *words, code=0):
        done = subprocess.run([self.binary, "adapter", *map(str, words), "--json"], cwd=g.ROOT,
                              capture_output=True, text=True, timeout=g.DEADLINE)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)


def begin(author, folder):
    """A skeleton from a sample; lint names what is missing."""
    sample = folder / "tagessatz.txt"
    sample.write_bytes(GOOD)
    made = author.call("new", ID, "--sample", sample, "--land", "DE-TH", "--out", author.bundle)
    assert made["format"] == "fixed", made
    skeleton = (author.bundle / "adapter.yaml").read_text()
    assert "length: 126" in skeleton and "990101" not in skeleton, skeleton
    assert "{ at: 89, length: 11 }   # 99.99.9999" in skeleton, skeleton  # A blank cuts it.
    missing = sorted(finding["number"] for finding in author.call("lint", author.bundle, code=1))
    assert missing == ["A011", "A201", "A216", "A515", "A515", "A515", "A516", "A517"], missing


def complete(author):
    """What only the author knows. Three mistakes are told in one run and mended."""
    skeleton = (author.bundle / "adapter.yaml").read_text()
    head = skeleton[:skeleton.index("input:\n")].replace('"0.1.0"', '"1.0.0"')
    fields = "".join(f"      {name}: {{ at: {at}, length: {length} }}\n"
                     for name, (at, length) in FIELDS.items())
    rules = head + INPUT + fields + RULES
    (author.bundle / "status.map.csv").unlink()
    for name, text in CODE_LISTS.items():
        (author.bundle / name).write_text(text, encoding="utf-8")
    wrong = rules.replace("at: 115,", "at: 116,").replace('const: "ANKUNFT_AE"', 'const: "ANKUNFT"')
    wrong = wrong.replace("details.empfaengerLand", "details.empfaenger")
    (author.bundle / "adapter.yaml").write_text(wrong, encoding="utf-8")
    found = author.call("lint", author.bundle, code=1)
    assert {finding["number"] for finding in found} == {"A118", "A514", "A518", "A520"}, found
    for finding in found:
        line = wrong.splitlines()[finding["line"] - 1]
        assert finding["column"] <= len(line) and finding["file"].endswith("adapter.yaml"), finding
    (author.bundle / "adapter.yaml").write_text(rules, encoding="utf-8")
    assert author.call("lint", author.bundle, *DELIVERED) == []


def test_fixtures(author):
    """Without expected results they fail; once written, and read, they pass."""
    for name, content in FIXTURES.items():
        path = author.bundle / "fixtures" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    messages = len(FIXTURES) + 1  # The sample is one.
    assert len(author.call("test", author.bundle, code=1)[0]["failures"]) == messages
    assert author.call("test", author.bundle, "--write")[0]["written"] == messages
    passed = author.call("test", author.bundle)[0]
    assert passed["good"] and passed["fixtures"] == messages, passed
    generated = passed["generated"]
    assert generated["failures"] == [] and generated["messages"]["deleted"] > 10, generated
    told = json.loads((author.bundle / "fixtures/rejected/mistakes.expected.json").read_text())
    rejected = [item["rejected"][0] for item in told["items"] if "rejected" in item]
    assert [(issue["line"], issue["column"], issue["path"], issue["code"])
            for issue in rejected] == PLACES, rejected
    codes = {}
    for path in (author.bundle / "fixtures/rejected").glob("*.expected.json"):
        told = json.loads(path.read_text())
        codes[path.name.split(".")[0]] = [
            (issue["code"], issue["line"], issue["column"])
            for issue in told.get("rejection") or [i for item in told["items"]
                                                   for i in item.get("rejected", [])]]
    del codes["mistakes"]
    assert codes == {"cut-off": [("footer-missing", 7, 127)], "counts-others": [("footer-count", 3, 1)],
                     "other-file": [("header-missing", 1, 1)], "no-text": [("charset-violated", 3, 54)],
                     "too-short": [("fixed-length", 7, 126)]}, codes


def test_try_and_explain(author):
    """Each value's way, and what a sender would be told."""
    traced = author.call("try", author.bundle, author.bundle / "fixtures/accepted/tagessatz.txt")
    events = [item for item in traced["items"] if item["outcome"] == "event"]
    assert [event["event"]["id"] for event in events] == [
        "EAE/2026/00001:zugang", "EAE/2026/00002:zugang", "EAE/2026/00002:abgang",
        "EAE/2026/00003:abgang", "EAE/2026/00004:abgang"]
    members = {member["name"]: member["steps"][0] for member in events[1]["members"]}
    time = members["occurredAt"]
    assert time["places"][0] == {"line": 3, "column": 73, "path": "zugang", "text": "25.10.2026 03:30"}
    assert time["calls"][0]["function"] == "local" and time["result"] == "2026-10-25T02:30:00.000Z"
    assert members["site"]["places"][0]["text"] == "Mühlenhof" and members["site"]["result"] == "MUEHLENHOF"
    told = author.call("explain", author.bundle, author.bundle / "fixtures/rejected/mistakes.txt", code=1)
    issues = [issue for item in told["items"] if item["outcome"] == "rejected" for issue in item["issues"]]
    assert all(issue["advice"] and issue["ruleText"] for issue in issues), issues
    text = json.dumps(told, ensure_ascii=False)
    assert not [value for value in ("Nordhaus", "02:30", "6099001", "990101") if value in text], text
    whole = author.call("explain", author.bundle, author.bundle / "fixtures/rejected/cut-off.txt", code=1)
    assert whole["rejection"][0]["code"] == "footer-missing", whole


def hash_of(bundle):
    """As adapters/README.md says: sha256sum adapter.yaml *.map.csv | sha256sum."""
    lines = ""
    for path in sorted([bundle / "adapter.yaml", *bundle.glob("*.map.csv")]):
        lines += f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    return hashlib.sha256(lines.encode()).hexdigest()


def send(gateway, content, authority=AE, headers=None):
    return gateway.client(authority).native(content, ID, "text/plain", headers)


def entry_of(item):
    return json.loads(item["submission"]["receipt"]["entry"])


def test_installed(gateway, bundle):
    """The gateway says what it uses."""
    info = gateway.client(AE).get(f"/v1/adapters/{ID}").json
    assert info["hash"] == hash_of(bundle) and info["format"] == "fixed" and info["simulation"], info
    assert info["mediaType"] == "text/plain" and info["land"] == "DE-TH", info


def test_committed(gateway, bundle):
    """Each event is committed, with the bundle's name on it; what is skipped says why."""
    answer = send(gateway, GOOD)
    assert answer.status == 200, answer.text
    items = answer.json["items"]
    assert [item["status"] for item in items] == [201] * 5 + [200] * 2, items
    assert [item["skipped"][0]["code"] for item in items[5:]] == ["no-event", "exercise"]
    entries = [entry_of(item) for item in items[:5]]
    assert [entry["status"] for entry in entries] == [
        "ANKUNFT_AE", "ANKUNFT_AE", "WEITERLEITUNG", "FORTZUG_UNBEKANNT", "WEITERLEITUNG"]
    assert [entry["occurredAt"] for entry in entries] == [
        "2026-11-09T07:15:00.000Z", "2026-10-25T02:30:00.000Z", "2026-11-10T13:00:00.000Z",
        "2026-10-30T22:59:00.000Z", "2026-10-31T09:00:00.000Z"]
    assert [entry.get("site") for entry in entries] == ["SUEDHAUS", "MUEHLENHOF", "MUEHLENHOF", None, None]
    mark = {"id": ID, "version": "1.0.0", "hash": hash_of(bundle)}
    for entry in entries:
        assert entry["adapter"] == mark, entry
        assert (entry["authority"], entry["land"], entry["role"]) == (AE, "DE-TH", "AE"), entry
    procedures = [item["submission"]["procedureId"] for item in items[:5]]
    assert len(set(procedures)) == 4 and procedures[1] == procedures[2], procedures
    assert [entry["status"] for entry in gateway.client(AE).history(procedures[1])] == [
        "ANKUNFT_AE", "WEITERLEITUNG"]
    assert entries[2]["details"] == {"empfaengerBehoerde": ABH, "empfaengerLand": "DE-TH"}, entries[2]
    return items[:5]


def test_receipts(gateway, folder, key, items):
    """A receipt can be fetched, byte for byte, and verifies offline."""
    for item in items:
        transaction = item["submission"]["transactionId"]
        receipt = gateway.client(AE).get(f"/v1/transactions/{transaction}/receipt")
        assert receipt.status == 200 and receipt.json == item["submission"]["receipt"]
        assert gateway.client(OTHER_AE).get(f"/v1/transactions/{transaction}/receipt").status == 404
        path = folder / "receipt.json"
        path.write_bytes(receipt.body)
        gateway.command("receipt", "verify", path, "--key", key)


def test_resend(gateway, items):
    """Tomorrow's file repeats what was there, in another order: the first receipts, nothing new."""
    before = gateway.metric("flora_ledger_entries")
    again = send(gateway, day_file(OLD_CODE, GONE, BOTH, ARRIVAL)).json["items"]
    assert [item["status"] for item in again] == [200] * 5, again
    order = [4, 3, 1, 2, 0]
    assert [item["submission"] for item in again] == [items[i]["submission"] for i in order]
    assert gateway.metric("flora_ledger_entries") == before


def test_rejected(gateway):
    """Records with mistakes are refused with their places, the others are taken."""
    answer = send(gateway, MISTAKES)
    items = answer.json["items"]
    refused = [item for item in items if item["status"] == 422]
    assert [(error["line"], error["column"], error["code"])
            for item in refused for error in item["problem"]["errors"]] == [
                (line, column, code) for line, column, _, code in PLACES], refused
    assert {item["status"] for item in items if item not in refused} == {200}, items
    told = json.dumps(refused, ensure_ascii=False)
    assert not [value for value in ("Nordhaus", "02:30", "6099001") if value in told], told


def test_refused_as_a_whole(gateway):
    """Nothing is taken of a file that is not whole, nor of one for others."""
    before = gateway.metric("flora_ledger_entries")
    fresh = record(20, zugang="09.11.2026 08:15")
    for content, code in [(day_file(fresh, count=7), "footer-count"),
                          (day_file(fresh)[:-LENGTH - 2], "footer-missing"),
                          (day_file(fresh, HOUR_TWICE, HOUR_SKIPPED), "too-many-rejected")]:
        answer = send(gateway, content)
        assert answer.status == 422 and answer.json["errors"][0]["code"] == code, answer.text
    assert send(gateway, day_file(fresh), authority=OTHER_AE).status == 403
    assert send(gateway, day_file(fresh), headers={"Content-Type": "text/csv"}).status == 415
    assert gateway.metric("flora_ledger_entries") == before


def is_data(path):
    """Whether a file of a bundle, named from the bundle's folder, is one of those that it consists of."""
    if path.parts[0] == "fixtures":
        return path.suffix not in CODE
    return str(path) in ("adapter.yaml", "README.md") or path.match("*.map.csv")


def test_no_code(bundle):
    """Neither this bundle nor those that are delivered hold anything that is compiled or run."""
    folders = [bundle, *(g.ROOT / "adapters").glob("de-*")]
    assert len(folders) >= 4, folders
    others = [path for folder in folders for path in folder.rglob("*")
              if path.is_file() and not is_data(path.relative_to(folder))]
    assert not others, others


def main():
    with g.temporary_folder() as folder:
        bundle = folder / "adapters" / ID
        bundle.parent.mkdir()
        author = Author(pathlib.Path(sys.argv[1]).resolve(), bundle)
        begin(author, folder)
        complete(author)
        test_fixtures(author)
        test_try_and_explain(author)
        test_no_code(bundle)
        policy = folder / "policy.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        config = g.config_with(folder, [bundle], policy=policy, retention="{backups: P90D}")
        gateway = g.Gateway(sys.argv[1], folder / "data", config=config)
        key = gateway.init()
        with g.running(gateway):
            test_installed(gateway, bundle)
            items = test_committed(gateway, bundle)
            test_receipts(gateway, folder, key, items)
            test_resend(gateway, items)
            test_rejected(gateway)
            test_refused_as_a_whole(gateway)
            assert gateway.stop() == 0
        gateway.fsck()
    print("a fourth bundle, by its author alone: written, tested, in use")


if __name__ == "__main__":
    main()
