// Spans on their way to a collector that is well, slow, down, or says no.
#include "gateway/telemetry/exporter.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "gateway/base/bytes.h"
#include "gateway/base/log.h"
#include "tests/fake_env.h"
#include "tests/telemetry/collector_fixture.h"

using namespace flora;
using namespace flora::telemetry;
using flora::test::comes_true;
using flora::test::ReservedPort;
using flora::test::TestCollector;
using Json = nlohmann::json;

namespace {

using ms = std::chrono::milliseconds;

Span span_named(const std::string& name, Env& env) {
  const TraceContext context = trace_of({}, 1, env);
  Span span{context.trace, context.span, std::nullopt, name, Span::Kind::server,
            1000,          2000,         {},           false};
  return span;
}

ExporterOptions quick(const std::string& endpoint) {
  log::set_level(log::Level::error);
  ExporterOptions options;
  options.endpoint = endpoint;
  options.resource = {{"service.name", "test"}};
  options.delay = ms(1);
  options.timeout = ms(30'000);
  options.first_pause = ms(1);
  options.longest_pause = ms(8);
  return options;
}

struct Running {
  FakeEnv env;
  std::unique_ptr<Exporter> exporter;

  explicit Running(ExporterOptions options) {
    auto started = Exporter::start(std::move(options), env);
    REQUIRE(started.has_value());
    exporter = std::move(*started);
  }
  void add(const std::string& name) { exporter->add({span_named(name, env)}); }
  ExporterCounters counters() const { return exporter->counters(); }
};

std::vector<std::string> names_in(const std::string& body) {
  std::vector<std::string> names;
  const Json spans = Json::parse(body)["resourceSpans"][0]["scopeSpans"][0]["spans"];
  for (const Json& span : spans) names.push_back(span["name"]);
  return names;
}

http::Response status(int code, std::vector<http::Header> headers = {}) {
  return {code, std::move(headers), {}};
}

}  // namespace

TEST_CASE("a span is written as OTLP's JSON encoding says") {
  FakeEnv env;
  Span span = span_named("GET /v1/statuses", env);
  span.parent = random_span_id(env);
  span.attributes = {{"http.route", "/v1/statuses"}, {"http.response.status_code", 500}};
  span.failed = true;
  const std::vector<Attribute> resource = {{"service.name", "a \"name\""}};
  const Json json = Json::parse(otlp_json(resource, {&span, 1}));
  const Json& part = json["resourceSpans"][0];
  CHECK(part["resource"]["attributes"][0]["key"] == "service.name");
  CHECK(part["resource"]["attributes"][0]["value"]["stringValue"] == "a \"name\"");
  const Json& written = part["scopeSpans"][0]["spans"][0];
  CHECK(written["traceId"] == to_hex(span.trace));
  CHECK(written["spanId"] == to_hex(span.id));
  CHECK(written["parentSpanId"] == to_hex(*span.parent));
  CHECK(written["kind"] == 2);
  CHECK(written["startTimeUnixNano"] == "1000");
  CHECK(written["endTimeUnixNano"] == "2000");
  CHECK(written["attributes"][1]["value"]["intValue"] == "500");
  CHECK(written["status"]["code"] == 2);
}

TEST_CASE("what a collector says it rejected is read, and nothing of what is none") {
  CHECK(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3"}})") == 3);
  CHECK(rejected_spans(R"({"partialSuccess":{"rejectedSpans":4,"errorMessage":"x"}})") == 4);
  for (const char* text :
       {"", "{}", "[]", "{\"partialSuccess\":1}", "<html>", R"({"partialSuccess":{}})",
        R"({"partialSuccess":{"rejectedSpans":"many"}})"}) {
    CAPTURE(text);
    CHECK(rejected_spans(text) == 0);
  }
}

TEST_CASE("spans reach the collector as JSON") {
  TestCollector collector;
  Running running(quick(collector.endpoint()));
  running.add("first");
  const auto bodies = collector.wait_for_requests(1);
  CHECK(names_in(bodies[0]) == std::vector<std::string>{"first"});
  const auto head = collector.heads().front();
  CHECK(head.method == "POST");
  CHECK(head.path == "/v1/traces");
  CHECK(head.find("content-type") == "application/json");
  CHECK(comes_true([&] { return running.counters().exported == 1; }));
}

TEST_CASE("spans that come together are sent together, up to the size of a batch") {
  TestCollector collector;
  ExporterOptions options = quick(collector.endpoint());
  options.delay = ms(60'000);
  options.batch = 3;
  Running running(std::move(options));
  for (const char* name : {"a", "b", "c"}) running.add(name);
  CHECK(names_in(collector.wait_for_requests(1)[0]) == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("what is left at the end is sent") {
  TestCollector collector;
  {
    ExporterOptions options = quick(collector.endpoint());
    options.delay = ms(60'000);
    options.last_wait = ms(60'000);
    Running running(std::move(options));
    running.add("last");
  }
  CHECK(names_in(collector.wait_for_requests(1)[0]) == std::vector<std::string>{"last"});
}

TEST_CASE("a collector that is down gets everything when it is back") {
  const ReservedPort port;
  Running running(quick("http://127.0.0.1:" + std::to_string(port.number()) + "/v1/traces"));
  running.add("early");
  CHECK(comes_true([&] { return running.counters().failures >= 3; }));
  running.add("late");
  TestCollector collector(port.number());
  CHECK(comes_true([&] { return running.counters().exported == 2; }));
  CHECK(running.counters().dropped == 0);
}

TEST_CASE("a collector that says later is asked again") {
  TestCollector collector;
  collector.answer_with({status(429), status(502), status(503), status(504)});
  Running running(quick(collector.endpoint()));
  running.add("patient");
  const auto bodies = collector.wait_for_requests(5);
  for (const std::string& body : bodies) CHECK(body == bodies.front());
  CHECK(comes_true([&] { return running.counters().exported == 1; }));
  CHECK(running.counters().failures == 4);
}

TEST_CASE("a collector that says never is not asked again, and the next batch is sent") {
  TestCollector collector;
  collector.answer_with({status(400)});
  Running running(quick(collector.endpoint()));
  running.add("refused");
  CHECK(comes_true([&] { return running.counters().rejected == 1; }));
  running.add("taken");
  const auto bodies = collector.wait_for_requests(2);
  CHECK(names_in(bodies[1]) == std::vector<std::string>{"taken"});
  CHECK(comes_true([&] { return running.counters().exported == 1; }));
}

TEST_CASE("a part that the collector rejects is counted") {
  TestCollector collector;
  collector.answer_with({{200, {}, R"({"partialSuccess":{"rejectedSpans":"1"}})"}});
  ExporterOptions options = quick(collector.endpoint());
  options.delay = ms(60'000);
  options.batch = 2;
  Running running(std::move(options));
  running.add("good");
  running.add("bad");
  CHECK(comes_true([&] { return running.counters().exported == 1; }));
  CHECK(running.counters().rejected == 1);
}

TEST_CASE("Retry-After is waited for, also at the end") {
  TestCollector collector;
  collector.answer_with({status(503, {{"retry-after", "3600"}})});
  {
    ExporterOptions options = quick(collector.endpoint());
    options.longest_pause = ms(7'200'000);
    Running running(std::move(options));
    running.add("waits");
    CHECK(comes_true([&] { return running.counters().failures == 1; }));
  }
  // Without the field there would have been a last try.
  CHECK(collector.wait_for_requests(1).size() == 1);
}

TEST_CASE("a Retry-After without measure is bounded") {
  TestCollector collector;
  collector.answer_with({status(503, {{"retry-after", "99999999999"}})});
  Running running(quick(collector.endpoint()));
  running.add("again");
  CHECK(collector.wait_for_requests(2).size() >= 2);
}

TEST_CASE("a silent collector delays nobody: what finds no room is dropped and counted") {
  TestCollector collector;
  collector.fall_silent();
  ExporterOptions options = quick(collector.endpoint());
  options.queue = 10;
  options.batch = 1;
  Running running(std::move(options));
  running.add("under way");
  collector.wait_for_requests(1);
  for (int i = 0; i < 100; ++i) running.add("waits or goes");
  CHECK(running.counters().dropped == 90);
  CHECK(running.counters().exported == 0);
}

TEST_CASE("a try that gets no answer in time is made again") {
  TestCollector collector;
  collector.fall_silent();
  ExporterOptions options = quick(collector.endpoint());
  options.timeout = ms(50);
  Running running(std::move(options));
  running.add("patient");
  collector.wait_for_requests(2);
  collector.speak();
  CHECK(comes_true([&] { return running.counters().exported == 1; }));
}

TEST_CASE("neither a silent nor an absent collector keeps the process from ending") {
  TestCollector silent;
  silent.fall_silent();
  const ReservedPort absent;
  for (const std::string& endpoint :
       {silent.endpoint(), "http://127.0.0.1:" + std::to_string(absent.number()) + "/"}) {
    ExporterOptions options = quick(endpoint);
    options.last_wait = ms(100);
    options.batch = 1;
    Running running(std::move(options));
    for (int i = 0; i < 50; ++i) running.add("left behind");
  }
}

TEST_CASE("the spans of a request are taken all or none") {
  TestCollector collector;
  ExporterOptions options = quick(collector.endpoint());
  options.queue = 2;
  Running running(std::move(options));
  running.exporter->add(
      {span_named("a", running.env), span_named("b", running.env), span_named("c", running.env)});
  CHECK(running.counters().dropped == 3);
}
