"""An issuer of access tokens: tests/conformance/issuer.mjs as a process, told what to do over its stdin."""

import base64
import contextlib
import json
import subprocess

import gateway as g


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Issuer:
    """Each method is an action of issuer.mjs. Not thread-safe."""

    def __init__(self, certificate, key):
        self.process = subprocess.Popen(
            ["node", g.ROOT / "tests" / "conformance" / "issuer.mjs", certificate, key],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._answer()["port"]

    def _answer(self):
        line = self.process.stdout.readline()
        assert line, "the issuer has ended"
        return json.loads(line)

    def _do(self, action, **wanted):
        self.process.stdin.write(json.dumps({"action": action, **wanted}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def generate(self, name, alg, **more):
        """A key pair. Returns its public part: jwk, and pem."""
        return self._do("generate", name=name, alg=alg, **more)

    def publish(self, *names):
        """The keys of these names are the set from now on."""
        self._do("publish", names=names)

    def answer(self, status, body):
        self._do("answer", status=status, body=body)

    def token(self, key, claims):
        """As jose makes it."""
        return self._do("token", key=key, claims=claims)["token"]

    def signed(self, header, claims, key="es", alg="ES256"):
        """A token of these texts as they are, whatever they say."""
        text = f"{base64url(header.encode())}.{base64url(claims.encode())}"
        return f"{text}.{self._do('sign', key=key, alg=alg, text=text)['signature']}"

    def mac(self, header, claims, secret):
        """The same with HMAC-SHA256 under the secret."""
        text = f"{base64url(header.encode())}.{base64url(claims.encode())}"
        return f"{text}.{self._do('mac', secret=secret, text=text)['signature']}"

    def fetches(self):
        """How often the key set was asked for."""
        return self._do("fetches")["fetches"]

    def close(self):
        """Nobody listens on the port any more."""
        self._do("close")

    def open(self):
        self._do("open", port=self.port)

    def uri(self):
        return f"https://127.0.0.1:{self.port}/keys"


@contextlib.contextmanager
def issuing(certificate, key):
    issuer = Issuer(certificate, key)
    try:
        yield issuer
    finally:
        issuer.process.kill()
        issuer.process.wait(g.DEADLINE)
