"""Certificates and CRLs for tests, made by the openssl program, and a configuration that uses them."""

import hashlib
import ssl
import subprocess
import time

import gateway as g

KEYS = {"EC": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "RSA": ["-newkey", "rsa:3072"]}


def openssl(*words, **more):
    """Runs it to its end; a failure fails the test. Returns its output."""
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=g.DEADLINE, **more)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


class Pki:
    """A CA in a folder: ca.pem, ca.key, and what it issues."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        openssl("req", "-x509", *KEYS["EC"], "-nodes", "-days", "30", "-subj", "/CN=Test CA",
                "-keyout", self.path("ca.key"), "-out", self.path("ca.pem"))

    def path(self, name):
        return self.folder / name

    def issue(self, name, key="EC", usage="serverAuth", names="DNS:localhost,IP:127.0.0.1"):
        """Writes <name>.pem and <name>.key; the subject is CN=<name>, the SAN `names`."""
        extensions = self.path("extensions")
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage={usage}\n")
        openssl("req", *KEYS[key], "-nodes", "-subj", f"/CN={name}",
                "-keyout", self.path(f"{name}.key"), "-out", self.path("request"))
        openssl("x509", "-req", "-in", self.path("request"), "-CA", self.path("ca.pem"), "-CAkey",
                self.path("ca.key"), "-days", "30", "-extfile", extensions, "-out", self.path(f"{name}.pem"))

    def write_crl(self, revoked=()):
        """Writes crl.pem, in force for a day."""
        day = time.strftime("%y%m%d%H%M%SZ", time.gmtime())
        lines = []
        for name in revoked:
            serial = openssl("x509", "-in", self.path(f"{name}.pem"), "-noout", "-serial").split("=")[1].strip()
            lines.append(f"R\t{day}\t{day}\t{serial}\tunknown\t/CN={name}\n")
        self.path("index").write_text("".join(lines))
        self.path("ca.conf").write_text(
            f"[ca]\ndefault_ca = own\n[own]\ndatabase = {self.path('index')}\ndefault_md = sha256\n")
        openssl("ca", "-gencrl", "-config", self.path("ca.conf"), "-cert", self.path("ca.pem"),
                "-keyfile", self.path("ca.key"), "-crldays", "1", "-out", self.path("crl.pem"))

    def fingerprint(self, name):
        """SHA-256 of the certificate."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.path(f"{name}.pem").read_text())).digest()

    def config(self, server="server", clients="optional", crl=False, **settings):
        """config/gateway.yaml without adapters and with these settings (gateway.config_with), its public
        listener with TLS. Returns its path."""
        tls = {"certificate": f"{server}.pem", "key": f"{server}.key", "client_ca": "ca.pem"}
        if crl:
            tls["crl"] = "crl.pem"
        items = [f"{key}: {self.path(name)}" for key, name in tls.items()]
        path = g.config_with(self.folder, [], **settings)
        plain = "port: 8080}"
        text = path.read_text()
        assert plain in text
        items.append(f"client_certificates: {clients}")
        path.write_text(text.replace(plain, f"port: 8080, tls: {{{', '.join(items)}}}}}"))
        return path
