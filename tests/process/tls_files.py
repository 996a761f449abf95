"""A CA and certificates that it signs, made by the openssl program, and clients that use them."""

import hashlib
import http.client
import pathlib
import ssl
import subprocess

import gateway as g


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    """A CA in a folder: ca.pem and whatever certificates are asked for."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self._key("ca")
        _openssl("req", "-x509", "-new", "-key", self.key("ca"), "-subj", "/CN=Test CA", "-days", "30",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", self.certificate("ca"))

    def certificate(self, name):
        return self.folder / f"{name}.pem"

    def key(self, name):
        return self.folder / f"{name}.key"

    def make(self, name, usage):
        """Makes or replaces a certificate and its key; usage is serverAuth or clientAuth. The files
        come one after the other, as an operator would copy them. Returns the fingerprint."""
        fresh = name + ".new"
        self._key(fresh)
        request, extensions = self.folder / f"{fresh}.csr", self.folder / f"{fresh}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
                              f"keyUsage=critical,digitalSignature\nextendedKeyUsage={usage}\n")
        _openssl("req", "-new", "-key", self.key(fresh), "-subj", f"/CN={name}", "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate("ca"), "-CAkey", self.key("ca"),
                 "-days", "30", "-extfile", extensions, "-out", self.certificate(fresh))
        self.key(fresh).rename(self.key(name))
        self.certificate(fresh).rename(self.certificate(name))
        der = ssl.PEM_cert_to_DER_cert(self.certificate(name).read_text())
        return hashlib.sha256(der).hexdigest()

    def context(self, client):
        """What a client with this certificate trusts and shows."""
        context = ssl.create_default_context(cafile=self.certificate("ca"))
        context.load_cert_chain(self.certificate(client), self.key(client))
        return context

    def _key(self, name):
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key(name))
        self.key(name).chmod(0o600)


class TlsClient(g.Client):
    """One connection that is kept alive, with a client certificate. Not thread-safe."""

    def __init__(self, port, context):
        super().__init__(port)
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=g.DEADLINE, context=context)
