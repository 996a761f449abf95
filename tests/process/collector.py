"""An OpenTelemetry collector for tests: keeps what is posted to it."""

import contextlib
import http.server
import json
import threading

import gateway as g


class Collector:
    """Thread-safe."""

    def __init__(self, server):
        self.server = server
        self.bodies = []
        self.lock = threading.Lock()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"

    def keep(self, body):
        with self.lock:
            self.bodies.append(body)

    def spans(self):
        """All spans that have come, attributes as a dict."""
        with self.lock:
            parts = [json.loads(body) for body in self.bodies]
        spans = [span for part in parts for resource in part["resourceSpans"]
                 for scope in resource["scopeSpans"] for span in scope["spans"]]
        for span in spans:
            span["attributes"] = {one["key"]: next(iter(one["value"].values()))
                                  for one in span["attributes"]}
        return spans

    def wait_for_span(self, condition):
        """Returns the first span that fulfils the condition, when it has come."""
        return g.wait_for(lambda: next(filter(condition, self.spans()), None), "a span")


@contextlib.contextmanager
def collecting():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            collector.keep(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
