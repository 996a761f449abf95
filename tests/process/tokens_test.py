"""Access tokens of the real binary: what another library issues is accepted, over a hundred others are refused
with the right challenge; bound tokens, certificates by name; keys that change, an issuer that is down, and how
often it is asked.

Usage: tokens_test.py <flora-gateway>
"""

import contextlib
import http.client
import json
import secrets
import ssl
import sys
import time

import gateway as g
from invalid_tokens import PLAIN, TWICE, Row, Table, bearer
from issuer import base64url, issuing
from pki import Pki

ALGORITHMS = {"es": "ES256", "ps": "PS256", "rs": "RS256", "ed": "EdDSA"}
REFRESH, PAUSE = 10, 5  # Seconds: refresh_seconds below, and the least between two fetches.
STORM = 200             # Tokens with key ids that nobody knows.

CLIENTS = """  - {name: lab, token_client: lab, authorities: ["999902"]}
  - {name: named, token_client: named, certificate_san: "dns:fachverfahren.land.example", authorities: ["999902"]}
  - {name: urn, certificate_san: "uri:urn:example:fachverfahren", authorities: ["999903"]}
  - {name: fingerprint, certificate_sha256: "FINGERPRINT", authorities: ["999904"]}
"""

# Certificates by their SAN, and whether the policy knows a client by it.
NAMES = {
    "named": ("DNS:fachverfahren.land.example", True),
    "upper": ("DNS:Fachverfahren.LAND.example", True),
    "several": ("DNS:other.example,DNS:fachverfahren.land.example", True),
    "urn": ("URI:urn:example:fachverfahren", True),
    "fingerprint": ("DNS:nobody.example", True),
    "fachverfahren.land.example": ("DNS:other.example", False),  # The subject counts for nothing.
    "wildcard": ("DNS:*.land.example", False),
    "longer": ("DNS:fachverfahren.land.example.org", False),
    "shorter": ("DNS:land.example", False),
    "other kind": ("URI:fachverfahren.land.example", False),
    "mail": ("email:fachverfahren.land.example@land.example", False),
    "two clients": ("DNS:fachverfahren.land.example,URI:urn:example:fachverfahren", False),
}


class World:
    """A PKI, an issuer with a key for each algorithm, and what a gateway needs to take its tokens."""

    def __init__(self, binary, folder, issuer, pki):
        self.binary, self.folder, self.issuer, self.pki = binary, folder, issuer, pki
        self.published = {name: issuer.generate(name, alg) for name, alg in ALGORITHMS.items()}
        issuer.generate("stranger", "ES256")
        issuer.publish(*ALGORITHMS)

    def gateway(self, name, ca, bound):
        clients = CLIENTS.replace("FINGERPRINT", self.pki.fingerprint("fingerprint").hex())
        policy = g.policy_with(self.pki.folder, g.FREELY, clients)
        tokens = {"issuer": "https://idp.example", "audience": "https://flora.example", "jwks_uri": self.issuer.uri(),
                  "jwks_ca": str(ca), "bound": bound, "refresh_seconds": REFRESH}
        config = self.pki.config(policy=policy, authentication=json.dumps({"development_header": False, "tokens": tokens}))
        folder = self.folder / name
        folder.mkdir()
        gateway = g.prepared(self.binary, folder, config=config)
        gateway.command("check")
        return gateway

    def thumbprint(self, name):
        return base64url(self.pki.fingerprint(name))

    def claims(self, client="lab", certificate="lab"):
        now = int(time.time())
        bound = {"cnf": {"x5t#S256": self.thumbprint(certificate)}} if certificate else {}
        return {"iss": "https://idp.example", "aud": "https://flora.example", "sub": client, "client_id": client,
                "jti": secrets.token_hex(8), "iat": now, "exp": now + 600, **bound}

    def token(self, key="es", **more):
        return self.issuer.token(key, self.claims(**more))


class Connections:
    """One connection for each certificate, opened again when it has ended."""

    def __init__(self, gateway, pki):
        self.gateway, self.pki, self.open = gateway, pki, {}

    def to(self, shows):
        if shows not in self.open:
            context = ssl.create_default_context(cafile=self.pki.path("ca.pem"))
            if shows:
                context.load_cert_chain(self.pki.path(f"{shows}.pem"), self.pki.path(f"{shows}.key"))
            self.open[shows] = http.client.HTTPSConnection(
                "127.0.0.1", self.gateway.port, timeout=g.DEADLINE, context=context)
        return self.open[shows]

    def send(self, row):
        """The answer; its challenges are `headers.get_all`."""
        connection = self.to(row.shows)
        connection.putrequest("GET" if row.body is None else "POST", row.path)
        for name, value in row.fields:
            connection.putheader(name, value)
        if row.body is not None:
            connection.putheader("Content-Length", len(row.body))
        connection.endheaders(row.body)
        response = connection.getresponse()
        answer = g.Answer(response.status, response.headers, response.read())
        assert "Flora-Development" not in answer.headers, "the development header is not taken here"
        return answer

    def status(self, token, shows="lab"):
        return self.send(Row("", PLAIN, bearer(token) if token else [], shows=shows)).status


def check_refusal(row, answer):
    """401, a challenge for certificates, and one of RFC 6750 that says what the row says."""
    what = (row, answer.status, answer.headers.items(), answer.text)
    assert answer.status == 401 and answer.json["type"].endswith("unauthenticated"), what
    certificate, bearer_challenge = answer.headers.get_all("WWW-Authenticate")
    assert certificate == 'ClientCertificate realm="flora"', what
    if row.why is PLAIN:
        assert bearer_challenge == 'Bearer realm="flora"', what
        return
    error = "invalid_request" if row.why == TWICE else "invalid_token"
    assert bearer_challenge.startswith(f'Bearer realm="flora", error="{error}", error_description="'), what
    assert bearer_challenge.endswith('"') and row.why in bearer_challenge, what


def accepted(world, connections, gateway):
    for key, alg in ALGORITHMS.items():
        g.wait_for(lambda: connections.status(world.token(key)) != 503, "the issuer's keys")
        token = world.token(key)
        for _ in range(2):  # Verified, and known.
            assert connections.status(token) == 200, alg
        event = json.dumps(g.event(f"e-{key}", f"T{key}")).encode()
        answer = connections.send(Row(alg, None, bearer(token) + [("Content-Type", "application/json")],
                                      path="/v1/status-events", body=event))
        assert answer.status == 201, (alg, answer.text)
    named = world.token(client="named", certificate="named")
    assert connections.status(named, shows="named") == 200, "a token beside a certificate of the same client"
    print(f"{len(ALGORITHMS)} algorithms of jose accepted")


def refused(world, connections, gateway):
    rows = Table(world.issuer, world.claims(), world.thumbprint, world.published["rs"]).all()
    assert len(rows) >= 60
    for row in rows:
        check_refusal(row, connections.send(row))
        assert connections.to(row.shows).sock is not None, ("the connection goes on", row)
    assert connections.status(world.token()) == 200, "and what is right is still accepted"
    told = gateway.log.read_text()
    assert "eyJ" not in told and world.thumbprint("lab") not in told, "nothing of a token is in the log"
    print(f"{len(rows)} invalid tokens refused, each with its challenge")


def certificates(connections):
    for name, (_, known) in NAMES.items():
        assert connections.status(None, shows=name) == (200 if known else 401), name
    print(f"{len(NAMES)} certificates by name")


def unknown_key(world):
    head = json.dumps({"typ": "at+jwt", "alg": "ES256", "kid": secrets.token_hex(8)})
    return world.issuer.signed(head, json.dumps(world.claims()), key="stranger")


def storm(world, connections):
    """Key ids that nobody knows make the gateway ask, and not more often than it would for one."""
    before, begin = world.issuer.fetches(), time.monotonic()
    for _ in range(STORM):
        assert connections.status(unknown_key(world)) == 401
    g.wait_for(lambda: world.issuer.fetches() > before, "the gateway asks")
    fetches, seconds = world.issuer.fetches() - before, time.monotonic() - begin
    assert fetches <= 1 + seconds / PAUSE, (fetches, seconds)
    print(f"{STORM} unknown keys: {fetches} fetch{'es' * (fetches > 1)}")


def rotation(world, connections):
    """A new key is found by its first token; the old one goes with the set."""
    old = world.token("es")
    assert connections.status(old) == 200
    world.issuer.generate("next", "ES256")
    world.issuer.publish("next", "ps", "rs", "ed")
    assert connections.status(world.token("next")) == 401
    g.wait_for(lambda: connections.status(world.token("next")) == 200, "the new key")
    assert connections.status(old) == 401, "also what was known of a token goes with its key"
    print("a new key is found, the old one is not taken any more")


def state_of_keys(gateway):
    parts = {part["name"]: part for part in gateway.ready()["configuration"]}
    return parts["token-keys"]["state"], parts["token-keys"]["reasons"]


def outage(world, connections, gateway):
    """The last good set stays in force while the issuer answers nonsense, and while nobody listens."""
    def asked_until(condition, what):
        g.wait_for(lambda: connections.status(unknown_key(world)) == 401 and condition(), what)

    world.issuer.answer(500, "")
    asked_until(lambda: state_of_keys(gateway)[0] == "STALE", "readiness tells of the issuer's fault")
    fault = state_of_keys(gateway)[1]
    assert connections.status(world.token("ps")) == 200
    world.issuer.close()
    asked_until(lambda: state_of_keys(gateway)[1] != fault, "readiness tells that nobody listens")
    assert connections.status(world.token("ps")) == 200
    world.issuer.publish("next", "ps", "rs", "ed")
    world.issuer.open()
    asked_until(lambda: state_of_keys(gateway) == ("CURRENT", []), "the issuer is back")
    print("an issuer that is down: tokens are accepted meanwhile, and it is found again")


def stranger_as_issuer(world, other):
    """A key set from a server of another CA is none: 503 for tokens, certificates go on."""
    gateway = world.gateway("other", other.path("ca.pem"), "required")
    with g.running(gateway):
        connections = Connections(gateway, world.pki)
        g.wait_for(lambda: "SSL" in " ".join(state_of_keys(gateway)[1]), "readiness tells of the certificate")
        answer = connections.send(Row("", None, bearer(world.token("ps"))))
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
        assert connections.status(None, shows="named") == 200
        assert gateway.stop() == 0
    print("an issuer whose certificate is another CA's is not believed")


def unbound(world):
    """Where the settings say so, a token without a certificate; a bound one still needs its own."""
    gateway = world.gateway("unbound", world.pki.path("ca.pem"), "optional")
    with g.running(gateway):
        connections = Connections(gateway, world.pki)
        token = world.token("ps", certificate=None)
        g.wait_for(lambda: connections.status(token, shows=None) != 503, "the issuer's keys")
        assert connections.status(token, shows=None) == 200
        assert connections.status(token, shows="stranger") == 200
        assert connections.status(token, shows="urn") == 401, "a certificate of another client"
        assert connections.status(world.token("ps"), shows=None) == 401
        assert connections.status(world.token("ps"), shows="stranger") == 401
        assert connections.status(world.token("ps")) == 200
        assert gateway.stop() == 0
    print("unbound tokens where the settings take them")


def main():
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(g.temporary_folder())
        pki = Pki(folder / "pki")
        pki.issue("server")
        for name in ("lab", "stranger"):
            pki.issue(name, usage="clientAuth")
        for name, (names, _) in NAMES.items():
            pki.issue(name, usage="clientAuth", names=names)
        issuer = stack.enter_context(issuing(pki.path("server.pem"), pki.path("server.key")))
        world = World(sys.argv[1], folder, issuer, pki)
        gateway = world.gateway("main", pki.path("ca.pem"), "required")
        with g.running(gateway):
            connections = Connections(gateway, pki)
            accepted(world, connections, gateway)
            refused(world, connections, gateway)
            certificates(connections)
            storm(world, connections)
            rotation(world, connections)
            outage(world, connections, gateway)
            assert gateway.stop() == 0
        unbound(world)
        stranger_as_issuer(world, Pki(folder / "other-pki"))


if __name__ == "__main__":
    main()
