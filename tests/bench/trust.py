"""What authentication, authorisation and pseudonymisation cost, of a request with one event whose token is
cached: processor time of the parts (trust_bench.cpp) against that of the whole request, in the same run.

Usage: trust.py BUILD FOLDER [--pairs N] [--events N] [--seconds S]

The whole is the processor time of the gateway's process, threads and kernel included, for each event of 64
connections that are kept busy: there its commits are shared by many, so that it is as cheap as it gets. Beside
it stands what one client alone waits for.
"""

import argparse
import http.server
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "process"))
import gateway as g  # noqa: E402

CONNECTIONS = 64
PARTS = ("authentication", "authorisation", "pseudonymisation")
TICK = 1e6 / os.sysconf("SC_CLK_TCK")  # Microseconds.
CLIENT = '  - {name: lab, token_client: lab, authorities: ["999902"]}\n'


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("folder", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each part and pair")
    return parser.parse_args()


def program(path, *words, **environment):
    """Runs it; returns what it printed."""
    done = subprocess.run([path, *map(str, words)], capture_output=True, text=True,
                          env={**os.environ, **environment})
    assert done.returncode == 0, (path, words, done.stdout, done.stderr)
    return json.loads(done.stdout)


class KeySet(http.server.BaseHTTPRequestHandler):
    """Answers every request with `body`, which the server has."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


def processor_us(process):
    """Of all its threads, in user space and in the kernel."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")")[-1].split()
    return (int(fields[11]) + int(fields[12])) * TICK


class Bench:
    def __init__(self, options, issuer):
        self.options = options
        self.folder = options.folder / "trust"
        self.issuer = issuer
        made = program(self.tool("trust_bench"), "token", int(time.time()))
        issuer.body, self.token = made["keys"].encode(), made["token"]

    def tool(self, name):
        return self.options.build / "tests" / "bench" / name

    def load(self, gateway, connections, events, first):
        return program(self.tool("bench_load"), "closed", gateway.port, connections, events,
                       BENCH_FIRST=str(first), BENCH_CALLER=f"Authorization: Bearer {self.token}")

    def configured(self):
        """A gateway that takes the token, over a fresh folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        policy = g.policy_with(self.folder, g.FREELY, CLIENT)
        tokens = {"issuer": "https://idp", "audience": "https://flora", "bound": "optional",
                  "jwks_uri": f"http://127.0.0.1:{self.issuer.server_address[1]}/keys"}
        config = g.config_with(self.folder, g.ADAPTERS, policy=policy,
                               authentication=json.dumps({"development_header": True, "tokens": tokens}))
        return g.prepared(self.options.build / "gateway" / "flora-gateway", self.folder, config=config)

    def whole(self):
        """Microseconds of the processor for each event, and of one client's wait."""
        with g.running(self.configured()) as gateway:
            fields = {"Authorization": f"Bearer {self.token}"}
            g.wait_for(lambda: g.Client(gateway.port).get("/v1/statuses", fields).status == 200, "the keys")
            before = processor_us(gateway.process)
            self.load(gateway, CONNECTIONS, self.options.events, 0)
            busy = (processor_us(gateway.process) - before) / self.options.events
            alone = self.load(gateway, 1, self.options.events // 20, self.options.events)["p50_ms"] * 1000
            gateway.stop()
        return busy, alone

    def parts(self):
        return program(self.tool("trust_bench"), "parts", self.folder / "policy.yaml", self.options.seconds)


def median(values, digits=2):
    return f"{statistics.median(values):8.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main():
    options = arguments()
    issuer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), KeySet)
    threading.Thread(target=issuer.serve_forever, daemon=True).start()
    bench = Bench(options, issuer)
    print(f"{options.pairs} interleaved pairs, medians; {options.events} single events per run; load "
          f"{os.getloadavg()[0]:.1f} of {os.cpu_count()} cores at the start", flush=True)
    runs = []
    for _ in range(options.pairs):
        busy, alone = bench.whole()
        runs.append({"busy": busy, "alone": alone, **bench.parts()})
    shutil.rmtree(bench.folder)
    sums = [sum(run[part] for part in PARTS) for run in runs]
    lines = [(part, [run[part] for run in runs], 2) for part in PARTS]
    lines += [
        ("the three together", sums, 2),
        (f"the whole request, {CONNECTIONS} connections", [run["busy"] for run in runs], 2),
        ("the three / the whole (goal: under 0.25)", [own / run["busy"] for own, run in zip(sums, runs)], 3),
        ("one client alone, from sending to 201", [run["alone"] for run in runs], 0),
        ("the three / one client's wait", [own / run["alone"] for own, run in zip(sums, runs)], 4),
    ]
    print("\nA request with one event whose token is cached, in µs of the processor; one client's wait in µs")
    for name, values, digits in lines:
        print(f"   {name:42} {median(values, digits)}")


if __name__ == "__main__":
    main()
