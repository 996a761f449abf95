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


def run(binary):
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        assert samples_of(gateway)[("flora_ledger_entries",)] == 0
        work(gateway)
        gateway.wait_for_view(23)
        samples = samples_of(gateway)
        responses = lambda group: samples[("flora_responses_total", ("operation", "submitStatusEvents"),
                                           ("status_class", group))]
        assert samples[("flora_ledger_entries",)] == samples[("flora_view_position",)] == 23
        assert samples[("flora_events_total", ("status", "201"))] == 23
        assert samples[("flora_events_total", ("status", "200"))] == 1
        assert samples[("flora_events_total", ("status", "400"))] == 1
        assert (responses("2xx"), responses("4xx")) == (5, 1)
        print(f"{len(samples)} samples")


if __name__ == "__main__":
    run(sys.argv[1])
