"""The reference parser of OpenMetrics accepts what a gateway that has worked says of itself.

Usage: openmetrics_test.py <flora-gateway>. Run by openmetrics.sh, in whose environment the parser is.
"""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

import gateway as g


def samples_of(gateway):
    answer = gateway.operations().get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    return {(sample.name, *sorted(sample.labels.items())): sample.value
            for family in families for sample in family.samples}


def work(gateway):
    client = gateway.client()
    for number in range(3):
        assert client.submit(g.event(f"metrics-{number}", "METRICS1")).status == 201
    assert client.submit(g.event("metrics-0", "METRICS1")).status == 200
    assert client.submit("{").status == 400
    assert len(list(client.stream(g.event(f"line-{n}", "METRICS2") for n in range(20)))) == 20
    assert client.get("/nowhere").status == 404
    assert gateway.client(None).get("/v1/statuses").status == 401
    assert client.send("OWN-METHOD", "/v1/statuses").status == 501
    assert g.raw(gateway.port, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def work_with_adapters(gateway):
    client = gateway.client(g.BAMF)
    for operation in ("messages", "translations"):
        answer = client.send("POST", f"/v1/adapters/de-bb-export/{operation}", "no export",
                             {"Content-Type": "text/csv"})
        assert answer.status == 422, answer.text
    assert client.native("{}", "de-ni-xauslaender", "application/json").status == 415
    sample = sorted((g.ROOT / "adapters" / "de-sn-assist" / "fixtures" / "accepted").glob("*.json"))
    message = next(path for path in sample if not path.name.endswith(".expected.json"))
    assert client.native(message.read_bytes(), "de-sn-assist", "application/json").status == 200


# OpenTelemetry's advice for http.server.request.duration, in seconds.
BOUNDS = ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0",
          "7.5", "10.0", "+Inf"]


def check_labels(samples):
    """Routes are templates of the document, methods of a closed list: nothing of a client."""
    document = (g.ROOT / "openapi" / "flora-gateway.yaml").read_text()
    for name in samples:
        labels = dict(name[1:])
        if "http_route" in labels:
            assert f"\n  {labels['http_route']}:\n" in document, labels
        assert labels.get("http_request_method", "GET") in (
            "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "_OTHER")


def check_adapters(samples):
    messages = lambda operation, outcome: samples[(
        "flora_adapter_messages_total", ("adapter", "de-bb-export"), ("operation", operation),
        ("outcome", outcome))]
    assert messages("submitMessage", "rejected") == 1
    assert messages("translateMessage", "rejected") == 1
    assert messages("submitMessage", "translated") == messages("submitMessage", "refused") == 0
    assert samples[("flora_adapter_messages_total", ("adapter", "de-ni-xauslaender"),
                    ("operation", "submitMessage"), ("outcome", "refused"))] == 1
    items = {name[3][1]: value for name, value in samples.items()
             if name[0] == "flora_adapter_items_total" and ("adapter", "de-sn-assist") in name
             and ("operation", "submitMessage") in name}
    assert items["event"] > 0, items


def run(binary):
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        assert samples_of(gateway)[("flora_ledger_entries",)] == 0
        work(gateway)
        gateway.wait_for_view(23)
        samples = samples_of(gateway)
        duration = "http_server_request_duration_seconds"
        route = lambda method, status, path: (
            ("flora_listener", "public"), ("http_request_method", method),
            ("http_response_status_code", status), *([("http_route", path)] if path else []),
            ("url_scheme", "http"))
        requests = lambda *labels: samples[(duration + "_count", *route(*labels))]
        assert samples[("flora_ledger_entries",)] == samples[("flora_view_position",)] == 23
        assert samples[("flora_events_total", ("status", "201"))] == 23
        assert samples[("flora_events_total", ("status", "200"))] == 1
        assert samples[("flora_events_total", ("status", "400"))] == 1
        submit = ("POST", "/v1/status-events")
        counts = {status: requests(submit[0], status, submit[1]) for status in ("200", "201", "400")}
        assert counts == {"200": 2, "201": 3, "400": 1}, counts
        assert requests("GET", "404", None) == 1
        assert requests("GET", "401", "/v1/statuses") == 1
        assert requests("_OTHER", "501", None) == 1
        assert samples[(duration + "_sum", *route("POST", "201", submit[1]))] > 0
        bounds = [dict(name[1:])["le"] for name in samples if name[0] == duration + "_bucket"
                  and ("http_response_status_code", "404") in name]
        assert bounds == BOUNDS, bounds
        assert samples[("http_server_active_requests", ("flora_listener", "public"),
                        ("http_request_method", "POST"), ("url_scheme", "http"))] == 0
        check_labels(samples)
        assert samples[("flora_http_server_answers_total", ("problem", "malformed-request"))] == 1
        assert samples[("flora_log_lines_dropped_total",)] == 0
        work_with_adapters(gateway)
        check_adapters(samples_of(gateway))
        print(f"{len(samples)} samples")


if __name__ == "__main__":
    run(sys.argv[1])
