"""What idle connections cost: memory of the server for each, and the latency of active clients beside them;
the same against nginx with one worker, plain and over TLS.

Usage: idle.py <flora-gateway> [number of idle connections, default 10,000]

Needs as many open descriptors for itself and for the gateway (ulimit -Hn).
"""

import contextlib
import pathlib
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "process"))
import gateway as g  # noqa: E402
import idle  # noqa: E402

REQUESTS = 4000
NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log crit;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; }}
http {{
  access_log off; keepalive_timeout 3600s; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} {tls} backlog=4096;
    {certificate}
    location / {{ default_type application/json; return 200 '{{"status":"UP"}}'; }}
  }}
}}
"""


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "certificate.pem", "-days", "2",
                    "-subj", "/CN=localhost"], check=True, capture_output=True)


def trusting():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def memory_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


@contextlib.contextmanager
def gateway(binary, folder, tls, count):
    listener = "{address: 127.0.0.1, port: 0}"
    if tls:
        listener = (f"{{address: 127.0.0.1, port: 0, tls: {{certificate: {folder}/certificate.pem, "
                    f"key: {folder}/key.pem}}}}")
    config = g.config_with(folder, [g.ROOT / "adapters" / "de-ni-xauslaender"],
                           limits=f"{{connections: {count + 1000}, idle_seconds: 3600}}",
                           listen=f"{{public: {listener}, operations: {{address: 127.0.0.1, port: 0}}}}")
    server = g.prepared(binary, folder, config=config)
    with g.running(server):
        yield server.port, server.process.pid
        server.stop()


@contextlib.contextmanager
def nginx(folder, tls, count):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    certificate = f"ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;" if tls else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, files=count + 1000, port=port,
                                                    tls="ssl" if tls else "", certificate=certificate))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf"),
                                "-e", str(folder / "start.log")])
    try:
        g.wait_for((folder / "pid").exists, "nginx listens")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(g.DEADLINE)


def latency(port, tls):
    """Milliseconds of one active client: p50 and p99."""
    (connection,) = idle.opened(port, 1, tls)
    times = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        idle.ask(connection)
        times.append((time.perf_counter() - start) * 1000)
    connection.close()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def measure(name, port, pid, tls, count):
    alone = latency(port, tls)
    before = memory_kib(pid)
    connections = idle.opened(port, count, tls)
    each = (memory_kib(pid) - before) / count
    beside = latency(port, tls)
    print(f"{name:22} {count:6} idle  {each:6.2f} KiB each   active client alone: p50 {alone[0]:.3f} ms, p99 "
          f"{alone[1]:.3f} ms; beside them: p50 {beside[0]:.3f} ms, p99 {beside[1]:.3f} ms", flush=True)
    for connection in connections:
        connection.close()


def main(binary, count=10_000):
    count = int(count)
    idle.allow_descriptors(count)
    for tls in (None, trusting()):
        kind = "TLS" if tls else "plain"
        with g.temporary_folder() as folder:
            make_certificate(folder)
            with gateway(binary, folder, tls, count) as (port, pid):
                measure(f"gateway, {kind}", port, pid, tls, count)
        with g.temporary_folder() as folder:
            make_certificate(folder)
            with nginx(folder, tls, count) as (port, pid):
                measure(f"nginx, {kind}", port, pid, tls, count)


if __name__ == "__main__":
    main(*sys.argv[1:])
