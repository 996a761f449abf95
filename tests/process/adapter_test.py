"""The tools for authors of bundles, as their users call them: each good and bad, with exit codes and JSON.

Usage: adapter_test.py <flora-gateway>

A bundle is made from a sample of each format, filled in, linted, tried, tested and broken again; no gateway
runs and no settings are read.
"""

import json
import pathlib
import shutil
import subprocess
import sys

import gateway as g

ADAPTERS = g.ROOT / "adapters"
BUNDLES = sorted(path.parent for path in ADAPTERS.glob("de-*/adapter.yaml"))
NI = ADAPTERS / "de-ni-xauslaender"
SKELETON = ["A201", "A216", "A515", "A515", "A515", "A516", "A517"]

XML = """<f:meldung xmlns:f="urn:fall:1" xmlns:p="urn:person">
  <f:nummer>F-2026-0001</f:nummer>
  <p:person azr="991231000133"><p:am>09.11.2026</p:am></p:person>
  <p:person azr="991231000134"><p:am>10.11.2026</p:am></p:person>
</f:meldung>
"""
SOAP = ("<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>" + XML
        + "</s:Body></s:Envelope>")
JSON = json.dumps({"nummer": "F-2026-0001", "nach": {"990630004100": "x"},
                   "personen": [{"azr": "991231000133", "am": "09.11.2026", "leer": None}]})
CSV = "Nummer;AZR;Am\nF-2026-0001;991231000133;09.11.2026\n"
FIXED = "F20260001 991231000133 20261109\nF20260002 991231000134 20261110\n"

RULES = """messages:
  - root: "a:meldung"
    events:
      - for_each: "b:person"
        set:
          id: { concat: "${nummer}:${index}" }
          source: { const: "de-xx-xml" }
          status: { const: "ANKUNFT_AE" }
          occurredOn: { from: "b:am", do: [ { date: "dd.MM.yyyy" } ] }
          procedure.identifiers: [ { type: AZR_NUMMER, value: { from: "@azr" } } ]
          reporter.authority: { const: "999902" }
"""


class Tools:
    def __init__(self, binary):
        self.binary = str(binary)

    def run(self, *words, code=0, cwd=g.ROOT):
        done = subprocess.run([self.binary, "adapter", *map(str, words)], capture_output=True,
                              text=True, timeout=g.DEADLINE, cwd=cwd)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def text(self, *words, code=0):
        return self.run(*words, code=code).stdout

    def json(self, *words, code=0):
        return json.loads(self.run(*words, "--json", code=code).stdout)


def numbers(findings):
    return sorted(finding["number"] for finding in findings)


def test_usage(tools, folder):
    assert "adapter <command>" in tools.text("--help")
    for words in [(), ("polish",), ("lint",), ("try", NI), ("explain",), ("bench", NI), ("new",),
                  ("lint", NI, "--colour"), ("new", "de-xx", "--sample", folder / "none")]:
        assert tools.run(*words, code=2).stderr, words
    # Without the catalogue nothing can be checked; another folder has none.
    missing = tools.run("lint", NI, code=2, cwd=folder)
    assert "--statuses" in missing.stderr
    tools.run("lint", NI, "--statuses", g.ROOT / "config" / "statuses.yaml", cwd=folder)


def test_lint(tools, folder):
    assert tools.json("lint", *BUNDLES) == []
    assert f"{len(BUNDLES)} bundles, 0 mistakes" in tools.text("lint", *(f"{b}/" for b in BUNDLES))
    again = tools.json("lint", NI, NI, code=1)
    assert again == [{"file": f"{NI}/adapter.yaml", "line": 3, "column": 7, "number": "A104",
                      "message": f"the bundle in {NI} has the same id"}], again
    assert numbers(tools.json("lint", folder / "nowhere", code=1)) == ["A002"]
    broken = folder / "broken"
    shutil.copytree(NI, broken)
    rules = (NI / "adapter.yaml").read_text()
    (broken / "adapter.yaml").write_text(
        rules.replace("occurredOn: { from: \"/*/xa:datum\"", "occuredOn: { from: \"/*/xa:datum\"")
        .replace("\"NICHT_ERSCHIENEN_AE\"", "\"NICHT_ERSCHIENEN\"")
        .replace("details.verteilungErfolgt", "details.verteilung"))
    found = tools.json("lint", broken, NI, code=1)
    assert {"A104", "A511", "A514", "A516"} <= set(numbers(found)), found
    lines = tools.text("lint", broken, code=1).splitlines()
    for finding in tools.json("lint", broken, code=1):
        assert (f"{finding['file']}:{finding['line']}:{finding['column']}: {finding['message']} "
                f"[{finding['number']}]") in lines, finding
    (broken / "adapter.yaml").write_text("adapter: {")
    assert numbers(tools.json("lint", broken, code=1)) == ["A001"]
    message = NI / "fixtures" / "accepted" / "111211-late.xml"
    for tool in ("try", "explain", "bench"):
        assert numbers(tools.json(tool, broken, message, code=1)["findings"]) == ["A001"]
        assert "[A001]" in tools.text(tool, broken, message, code=1)


def test_explain_number(tools):
    kind = tools.json("explain", "A007")
    assert kind["number"] == "A007" and kind["name"] == "unquoted-text" and kind["wrong"] != kind["right"]
    text = tools.text("explain", "A007")
    assert kind["meaning"] in text and "Wrong:" in text and "Right:" in text
    tools.run("explain", "A999", code=2)


def test_explain_message(tools):
    rejected = NI / "fixtures" / "rejected" / "item-malformed-azr.xml"
    text = tools.text("explain", NI, rejected, code=1)
    for part in ("1 item rejected", "value-malformed at line 42, column 5, /*/xa:person[2]/xa:aZRNummer",
                 "`99999999999A`", "rule: adapter.yaml:", "from: \"xa:aZRNummer\"", "what to do: "):
        assert part in text, (part, text)
    told = tools.json("explain", NI, rejected, code=1)
    assert [item["outcome"] for item in told["items"]] == ["event", "rejected"]
    issue = told["items"][1]["issues"][0]
    assert (issue["code"], issue["line"], issue["column"]) == ("value-malformed", 42, 5)
    assert issue["ruleText"] == 'from: "xa:aZRNummer"' and issue["advice"]
    whole = tools.json("explain", NI, NI / "fixtures" / "rejected" / "xml-doctype.xml", code=1)
    assert [issue["code"] for issue in whole["rejection"]] == ["xml-doctype"] and whole["items"] == []
    skipped = tools.json("explain", NI, NI / "fixtures" / "skipped" / "111205-test.xml")
    assert skipped["items"][0]["outcome"] == "skipped"
    accepted = tools.text("explain", NI, NI / "fixtures" / "accepted" / "111207-two-persons.xml")
    assert "2 events, 0 items rejected, 0 skipped" in accepted
    tools.run("explain", NI, NI / "none.xml", code=1)


def test_try(tools):
    message = NI / "fixtures" / "accepted" / "111207-two-persons.xml"
    text = tools.text("try", NI, message)
    assert "do not pass it on" in text
    assert 'event: {"id":' in text and text.count("\nevent (") == 2
    traced = tools.json("try", NI, message)
    events = [item for item in traced["items"] if item["outcome"] == "event"]
    members = {member["name"]: member for member in events[1]["members"]}
    step = members["details.verteilungErfolgt"]["steps"][0]
    assert step["kind"] == "from" and step["state"] == "present" and step["result"] == "false"
    place = step["places"][0]
    line = message.read_text().splitlines()[place["line"] - 1]
    assert place["text"] in line and line[place["column"] - 1:].startswith("<xa:verteilungErfolgt")
    assert step["calls"][0]["function"] == "boolean" and step["calls"][0]["result"] == "false"
    assert events[1]["event"]["status"] == "NICHT_ERSCHIENEN_AE" and traced["complete"] is True
    failed = tools.json("try", NI, NI / "fixtures" / "rejected" / "item-malformed-azr.xml", code=1)
    last = failed["items"][-1]
    assert last["outcome"] == "rejected" and last["issues"][0]["code"] == "value-malformed"
    refused = tools.json("try", NI, NI / "fixtures" / "rejected" / "xml-doctype.xml", code=1)
    assert refused["items"] == [] and refused["rejection"]


def test_fixtures(tools, folder):
    for result in tools.json("test", *BUNDLES):
        assert result["good"] and result["fixtures"] > 20 and not result["failures"], result
    copy = folder / "fixtures-copy"
    shutil.copytree(NI, copy)
    fixtures = copy / "fixtures"
    expected = fixtures / "accepted" / "111211-late.expected.json"
    good = expected.read_text()
    expected.write_text(good.replace('"column":', '"column" :', 1))
    (fixtures / "skipped" / "alone.xml").write_text("<a/>")
    result = tools.json("test", copy, code=1)[0]
    assert len(result["failures"]) == 3, result  # It differs; no expected result; not skipped.
    assert "accepted/111211-late.xml: the result differs" in tools.text("test", copy, code=1)
    (fixtures / "skipped" / "alone.xml").unlink()
    written = tools.json("test", copy, "--write")[0]
    assert written["written"] == 1 and expected.read_text() == good
    shutil.rmtree(fixtures / "accepted")
    assert "accepted: no fixture" in tools.json("test", copy, code=1)[0]["failures"]
    (copy / "adapter.yaml").write_text("adapter: {")
    assert numbers(tools.json("test", copy, code=1)[0]["findings"]) == ["A001"]


def test_new(tools, folder):
    samples = {"xml": XML, "soap": SOAP, "json": JSON, "csv": CSV, "fixed": FIXED}
    values = ["990630004100", "F-2026", "F2026", "991231000", "20261109", "11.2026"]
    for name, text in samples.items():
        sample = folder / f"sample-{name}"
        sample.write_text(text)
        bundle = folder / f"de-xx-{name}"
        made = tools.json("new", bundle.name, "--sample", sample, "--out", bundle, "--land", "DE-SN")
        assert made["format"] == name, made
        assert (bundle / "fixtures" / "accepted" / sample.name).read_text() == text
        assert "simulation until" in (bundle / "README.md").read_text()
        rules = (bundle / "adapter.yaml").read_text()
        assert not [value for value in values if value in rules], rules
        missing = ["A011"] if name == "fixed" else []  # The fields, which only the author knows.
        assert numbers(tools.json("lint", bundle, code=1)) == sorted(SKELETON + missing), name
        tools.run("new", bundle.name, "--sample", sample, "--out", bundle, code=2)
    rules = (folder / "de-xx-xml" / "adapter.yaml").read_text()
    for line in ('root: "a:meldung"', 'a: ["urn:fall:1"]', '# b: ["urn:person"]', "b:person  ", "2 times",
                 "A-9999-9999"):
        assert line in rules, (line, rules)
    assert "/personen/*/azr" in (folder / "de-xx-json" / "adapter.yaml").read_text()
    assert 'columns: ["Nummer", "AZR", "Am"]' in (folder / "de-xx-csv" / "adapter.yaml").read_text()
    assert "{ at: 11, length: 13 }" in (folder / "de-xx-fixed" / "adapter.yaml").read_text()

    headless = folder / "headless.csv"
    headless.write_text("\n".join(CSV.splitlines()[1:] * 2))
    tools.run("new", "de-xx-headless", "--sample", headless, "--out", folder / "headless")
    rules = (folder / "headless" / "adapter.yaml").read_text()
    assert "header: false" in rules and '"column 1"' in rules and "F-2026" not in rules
    assert "A011" in numbers(tools.json("lint", folder / "headless", code=1))  # The Land.

    bad = folder / "bad.xml"
    bad.write_text("<a><b></a>")
    assert "line 1, column 7" in tools.run("new", "de-xx", "--sample", bad, "--out", folder / "bad",
                                           code=1).stderr
    tools.run("new", "de-xx", "--sample", bad, "--out", folder / "bad", "--format", "yml", code=2)
    assert not (folder / "bad").exists()


def test_the_authors_day(tools, folder):
    """From the skeleton to a bundle that passes its own fixtures."""
    bundle = folder / "de-xx-xml"
    rules = (bundle / "adapter.yaml").read_text()
    rules = rules.replace("# b:", "b:").replace("maps:\n  status: { file: status.map.csv, to: status }\n",
                                                'let:\n  nummer: { from: "a:nummer", do: [ trim ] }\n')
    (bundle / "adapter.yaml").write_text(rules[:rules.index("messages:\n")] + RULES)
    (bundle / "status.map.csv").unlink()
    assert tools.json("lint", bundle) == []
    accepted, rejected = bundle / "fixtures" / "accepted", bundle / "fixtures" / "rejected"
    tools.run("try", bundle, accepted / "sample-xml")
    (rejected / "day.xml").write_text(XML.replace("09.11.2026", "31.11.2026"))
    assert len(tools.json("test", bundle, code=1)[0]["failures"]) == 2
    tested = tools.json("test", bundle, "--write")[0]
    assert tested["good"] and tested["generated"]["messages"]["deleted"] >= 2, tested
    assert (rejected / "day.expected.json").is_file()
    # A rule that reads the wrong place fails the bundle, whatever is expected.
    (bundle / "adapter.yaml").write_text(
        (bundle / "adapter.yaml").read_text().replace('{ from: "@azr" }', '{ from: "b:am" }'))
    failures = tools.json("test", bundle, "--write", code=1)[0]["failures"]
    assert failures == ["accepted/sample-xml: it gives no event, or something of it is rejected"], failures


def test_bench(tools):
    message = NI / "fixtures" / "accepted" / "111207-two-persons.xml"
    told = tools.json("bench", NI, message)
    assert told["bytes"] == message.stat().st_size and told["eventsPerSecond"] > 0
    assert abs(told["eventsPerSecond"] / told["messagesPerSecond"] - 2) < 1e-6
    tools.run("bench", NI, NI / "none.xml", code=1)


def run(binary):
    tools = Tools(pathlib.Path(binary).resolve())
    with g.temporary_folder() as folder:
        test_usage(tools, folder)
        test_lint(tools, folder)
        test_explain_number(tools)
        test_explain_message(tools)
        test_try(tools)
        test_fixtures(tools, folder)
        test_new(tools, folder)
        test_the_authors_day(tools, folder)
        test_bench(tools)


if __name__ == "__main__":
    run(*sys.argv[1:])
