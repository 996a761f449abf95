"""What operators see of a request: its line in the log, its spans, and how the two are joined.

Usage: observe_test.py <flora-gateway>
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import collector as c
import gateway as g

ADAPTERS = [g.ROOT / "adapters" / name for name in ("de-ni-xauslaender", "de-sn-assist", "de-bb-export")]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"

# The members that a line of a request may have.
MEMBERS = {"time", "level", "event", "method", "route", "operation", "status", "duration_us", "client",
           "authority", "problem", "instance", "transaction_id", "items", "trace_id", "span_id",
           "left_out", "stream"}


def lines_of(gateway):
    """All complete lines of the log, each of which is one JSON object."""
    text = gateway.log.read_bytes()
    return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]


def line_where(gateway, **members):
    """The only line with these members, when it is there."""
    matches = lambda: [line for line in lines_of(gateway)
                       if all(line.get(name) == value for name, value in members.items())]
    g.wait_for(matches, f"a line with {members}")
    found = matches()
    assert len(found) == 1, found
    return found[0]


def configured(folder, **settings):
    return g.prepared(sys.argv[1], folder, config=g.config_with(folder, ADAPTERS, **settings))


def a_submission_is_one_line_that_joins_trace_and_transaction(gateway):
    answer = gateway.client().submit(g.event("line-1", "LINE1"), headers={"traceparent": TRACEPARENT})
    assert answer.status == 201
    line = line_where(gateway, event="request", trace_id=TRACE)
    assert set(line) <= MEMBERS, line
    assert line["transaction_id"] == answer.json["transactionId"]
    assert (line["method"], line["route"], line["operation"], line["status"]) == (
        "POST", "/v1/status-events", "submitStatusEvents", 201)
    assert line["client"] == "development-" + g.AE and line["authority"] == g.AE
    assert line["span_id"] != PARENT and line["duration_us"] >= 0 and line["level"] == "info"


def an_invalid_traceparent_is_replaced(gateway):
    client = gateway.client()
    for n, value in enumerate(("00-" + "0" * 32 + f"-{PARENT}-01", TRACEPARENT + "-x", "nonsense")):
        assert client.submit(g.event(f"invalid-{n}", "LINE1"), headers={
            "traceparent": value, "tracestate": "vendor=value"}).status == 201
    lines = [line for line in lines_of(gateway) if line.get("operation") == "submitStatusEvents"]
    traces = [line["trace_id"] for line in lines]
    assert len(set(traces)) == len(traces) == 4, traces
    assert all(len(trace) == 32 and set(trace) != {"0"} for trace in traces)


def a_problem_is_found_by_its_instance(gateway):
    client = gateway.client()
    for answer, name in ((client.submit("{"), "malformed-json"),
                         (client.get("/v1/nowhere"), "not-found"),
                         (gateway.client(None).get("/v1/statuses"), "unauthenticated"),
                         (client.send("DELETE", "/v1/statuses"), "method-not-allowed")):
        line = line_where(gateway, instance=answer.json["instance"])
        assert (line["problem"], line["status"]) == (name, answer.status), line
    malformed = g.raw(gateway.port, b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    instance = json.loads(malformed.split(b"\r\n\r\n")[1])["instance"]
    assert line_where(gateway, instance=instance)["problem"] == "malformed-request"


def streams_and_batches_tell_how_many_items(gateway):
    client = gateway.client()
    events = [g.event(f"items-{n}", "LINE2") for n in range(30)]
    assert len(list(client.stream(events))) == 30
    assert line_where(gateway, items=30)["status"] == 200


def what_a_stranger_causes_is_bounded(gateway):
    before = gateway.metric("flora_log_lines_suppressed_total")
    for _ in range(100):
        assert g.raw(gateway.port, b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    stranger = gateway.client(None)
    for _ in range(100):
        assert stranger.get("/v1/statuses").status == 401
    assert gateway.metric("flora_log_lines_suppressed_total") - before >= 150
    for problem in ("malformed-request", "unauthenticated"):
        lines = [line for line in lines_of(gateway) if line.get("problem") == problem]
        assert 1 <= len(lines) <= 40, (problem, len(lines))
    # Who is known is told of, always.
    client = gateway.client()
    for n in range(50):
        assert client.get("/v1/transactions/5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10").status == 404
    known = lambda: [line for line in lines_of(gateway) if line.get("operation") == "getTransaction"]
    g.wait_for(lambda: len(known()) == 50, "a line for each")


def health_is_not_told(gateway):
    for path in ("/health/ready", "/metrics"):
        assert gateway.operations().get(path).status == 200
    assert gateway.client().get("/health/live").status == 200
    assert not [line for line in lines_of(gateway)
                if line.get("route") in ("/health/live", "/health/ready", "/metrics")]


def check_log(folder):
    with g.running(configured(folder)) as gateway:
        for check in (a_submission_is_one_line_that_joins_trace_and_transaction,
                      an_invalid_traceparent_is_replaced, a_problem_is_found_by_its_instance,
                      streams_and_batches_tell_how_many_items, health_is_not_told,
                      what_a_stranger_causes_is_bounded):
            check(gateway)
            print(check.__name__.replace("_", " "))
        assert gateway.stop() == 0
        events = [line["event"] for line in lines_of(gateway)]
        assert events[-1] == "stopped" and "listening" in events, events[-3:]


def check_debug_level(folder):
    with g.running(configured(folder, log="{level: debug}")) as gateway:
        assert gateway.operations().get("/health/ready").status == 200
        assert line_where(gateway, route="/health/ready")["level"] == "debug"
    print("at level debug health is told")


def check_spans(folder):
    """Parent-based: a sampled parent is followed, and of the traces that begin here none."""
    with c.collecting() as collector:
        gateway = configured(folder, telemetry=json.dumps(
            {"otlp_endpoint": collector.endpoint, "sample_ratio": 0}))
        with g.running(gateway):
            client = gateway.client()
            assert client.submit(g.event("quiet", "SPAN1")).status == 201
            assert client.submit(g.event("span", "SPAN1"), headers={"traceparent": TRACEPARENT}).status == 201
            sample = ADAPTERS[1] / "fixtures" / "accepted" / "assigned.json"
            assert gateway.client(g.BAMF).native(
                sample.read_bytes(), "de-sn-assist", "application/json",
                {"traceparent": f"00-{TRACE[::-1]}-{PARENT}-01"}).status == 200
            server = collector.wait_for_span(lambda span: span["name"] == "POST /v1/status-events")
            collector.wait_for_span(lambda span: span["name"].endswith("/messages"))
            assert gateway.metric("flora_spans_dropped_total") == 0
            assert gateway.stop() == 0
            line = line_where(gateway, trace_id=TRACE)
        spans = collector.spans()
    assert (server["traceId"], server["parentSpanId"], server["kind"]) == (TRACE, PARENT, 2)
    assert server["spanId"] == line["span_id"]
    assert server["attributes"] == {
        "http.request.method": "POST", "url.scheme": "http", "http.response.status_code": "201",
        "http.route": "/v1/status-events"}
    children = {span["name"]: span for span in spans if span.get("parentSpanId") == server["spanId"]}
    assert set(children) == {"accept", "append to the ledger"}, children
    for child in children.values():
        times = [int(span[name]) for span, name in (
            (server, "startTimeUnixNano"), (child, "startTimeUnixNano"), (child, "endTimeUnixNano"),
            (server, "endTimeUnixNano"))]
        assert times == sorted(times), times
    assert "translate" in {span["name"] for span in spans if span["traceId"] == TRACE[::-1]}
    assert {span["traceId"] for span in spans} == {TRACE, TRACE[::-1]}
    print("a sampled request has spans for itself and its phases; others have none")


def check_absent_collector(folder):
    """Nobody listens where spans go: requests do not notice, and the end comes."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1/traces"
        with g.running(configured(folder, telemetry=json.dumps({"otlp_endpoint": endpoint}))) as gateway:
            assert gateway.client().submit(g.event("no-collector", "SPAN2")).status == 201
            g.wait_for(lambda: gateway.metric("flora_spans_export_failures_total") > 0, "a failed try")
            assert line_where(gateway, event="telemetry: the collector does not take spans")
            assert gateway.stop() == 0
    print("without a collector requests are answered, and the gateway ends")


def check_stalled_log(folder):
    """Nobody reads stderr: requests are answered all the same, and SIGTERM is heeded."""
    gateway = configured(folder)
    read_end, write_end = os.pipe()
    ports = gateway.data.with_name("stalled.ports")
    process = subprocess.Popen(
        [sys.argv[1], "serve", "--config", gateway.config, "--data", gateway.data, "--port", "0",
         "--operations-port", "0", "--port-file", ports], stdin=subprocess.DEVNULL, stderr=write_end)
    os.close(write_end)
    gateway.process = process
    with g.running(gateway):
        g.wait_for(ports.exists, "the gateway listens")
        gateway.port, gateway.operations_port = map(int, ports.read_text().split())
        request = (b"GET /v1/statuses HTTP/1.1\r\nHost: x\r\nFlora-Dev-Authority: 999902\r\n"
                   b"If-None-Match: *\r\n\r\n")
        count = 0
        while gateway.metric("flora_log_lines_dropped_total") == 0:
            answers = g.raw(gateway.port, request * 1000)
            assert answers.count(b"HTTP/1.1 304 ") == 1000
            count += 1000
            assert count < 100_000, "nothing was dropped"
        process.send_signal(signal.SIGTERM)
        assert process.wait(g.DEADLINE) == 0
        gateway.process = None
    os.close(read_end)
    print(f"with a log that nobody reads {count} requests were answered")


def run():
    with g.temporary_folder() as folder:
        for number, check in enumerate((check_log, check_debug_level, check_spans, check_absent_collector,
                                        check_stalled_log)):
            place = pathlib.Path(folder) / str(number)
            place.mkdir()
            check(place)


if __name__ == "__main__":
    run()
