"""Client certificates and CRLs of the real binary: SIGHUP takes a new CRL, a bad one changes nothing, the
log says why a client is refused, and `check` refuses what the start would refuse.

Usage: tls_test.py <flora-gateway>
"""

import http.client
import json
import signal
import ssl
import sys

import gateway as g
from pki import Pki


class TlsClient:
    """One connection that shows a certificate."""

    def __init__(self, gateway, pki, name):
        context = ssl.create_default_context(cafile=pki.path("ca.pem"))
        context.load_cert_chain(pki.path(f"{name}.pem"), pki.path(f"{name}.key"))
        self.connection = http.client.HTTPSConnection("127.0.0.1", gateway.port, timeout=g.DEADLINE, context=context)

    def get(self):
        """Status and whether the connection is kept; None if there is no answer."""
        try:
            self.connection.request("GET", "/health/live")
            response = self.connection.getresponse()
            response.read()
            return response.status, response.headers.get("Connection") != "close"
        except (ssl.SSLError, ConnectionError, http.client.HTTPException):
            self.connection.close()
            return None


def events(gateway, name):
    """Lines of the log with this event."""
    lines = [json.loads(line) for line in gateway.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def reload(gateway, event):
    before = len(events(gateway, event))
    gateway.process.send_signal(signal.SIGHUP)
    g.wait_for(lambda: len(events(gateway, event)) > before, event)


def revocation(binary, folder):
    pki = Pki(folder / "pki")
    pki.issue("server")
    for name in ("good", "bad"):
        pki.issue(name, usage="clientAuth")
    pki.write_crl()
    gateway = g.prepared(binary, folder, config=pki.config(clients="required", crl=True))
    with g.running(gateway):
        good, bad = TlsClient(gateway, pki, "good"), TlsClient(gateway, pki, "bad")
        assert good.get() == (200, True) and bad.get() == (200, True)

        pki.write_crl(revoked=["bad"])
        reload(gateway, "certificates reloaded")
        assert good.get() == (200, False), "an answer on an old connection, which is the last"
        assert good.get() == (200, True)
        assert bad.get() is None and bad.get() is None
        refusals = events(gateway, "a client certificate is refused")
        assert {line["reason"] for line in refusals} == {"certificate revoked"}, refusals
        assert gateway.metric("flora_tls_clients_untrusted_total") == 2

        pki.path("crl.pem").write_text("no CRL")
        check = gateway.command("check", check=False)
        assert check.returncode != 0 and f"cannot read the CRL {pki.path('crl.pem')}" in check.stdout + check.stderr
        reload(gateway, "certificates not reloaded, the old ones stay")
        assert good.get() == (200, True)
        assert TlsClient(gateway, pki, "bad").get() is None
        assert gateway.metric("flora_tls_certificate_end_seconds") > gateway.metric("flora_tls_crl_end_seconds")
        assert gateway.stop() == 0

    pki.write_crl()
    gateway.command("check")


def main():
    with g.temporary_folder() as folder:
        revocation(sys.argv[1], folder)
    print("A reloaded CRL ends what it revokes, on open connections too, and nothing else.")


if __name__ == "__main__":
    main()
