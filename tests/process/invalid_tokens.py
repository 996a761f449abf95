"""Requests whose token must be refused, as a table: each row has one thing wrong, and says which."""

import base64
import dataclasses
import json

from issuer import base64url

# What the challenge says: an error with its description (a part of it), or nothing but the scheme.
PLAIN = None
FORM = "no signed JWT in compact form"
LONG = "too long"
HEADER = "brings a key or an extension"
TYPE = "its type is not at+jwt"
ALGORITHM = "is not ES256, PS256, RS256 or EdDSA"
KEY = "no key with the id and the algorithm"
SIGNATURE = "signature of the token is not valid"
CLAIMS = "is missing or has another form"
ISSUER = "of another issuer"
AUDIENCE = "for another audience"
EXPIRED = "has expired"
EARLY = "not valid yet"
LIFETIME = "issued for too long"
CONFIRMATION = "bound to something else"
UNBOUND = "not bound to a client certificate"
OTHER_CERTIFICATE = "a certificate that the connection does not show"
NOBODY = "knows no client"
TWICE = "more than once"


@dataclasses.dataclass
class Row:
    name: str
    why: str | None
    fields: list               # Header fields of the request.
    shows: str | None = "lab"  # The certificate of the connection.
    path: str = "/v1/statuses"
    body: bytes | None = None


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


class Table:
    """Makes the rows. `good` are claims of a token that is accepted, signed with the key `es` and bound to the
    certificate `lab`; `thumbprint(name)` is the thumbprint of a certificate; `published` is the public part of
    the key `rs`."""

    def __init__(self, issuer, good, thumbprint, published):
        self.issuer, self.good, self.thumbprint, self.published = issuer, good, thumbprint, published
        self.now = good["iat"]
        self.head = {"typ": "at+jwt", "alg": "ES256", "kid": "es"}
        self.token = issuer.token("es", good)
        self.rows = []

    def add(self, name, why, token, **more):
        self.rows.append(Row(name, why, bearer(token), **more))

    def sign(self, head, claims, key="es", alg="ES256"):
        """Objects or texts; a member that is None is left out."""
        texts = [part if isinstance(part, str) else json.dumps({k: v for k, v in part.items() if v is not None})
                 for part in (head, claims)]
        return self.issuer.signed(*texts, key=key, alg=alg)

    def with_head(self, **changes):
        return self.sign({**self.head, **changes}, self.good)

    def with_claims(self, **changes):
        return self.sign(self.head, {**self.good, **changes})

    def algorithms(self):
        unsigned = f"{base64url(json.dumps({**self.head, 'alg': 'none'}).encode())}.{self.token.split('.')[1]}."
        self.add("alg none without a signature", ALGORITHM, unsigned)
        for word in ("none", "None", "nOnE", "", "HS256", "ES384", "RS512", "ES256K", "es256", "ES256 ", "RSA-OAEP"):
            self.add(f"alg {word!r}", ALGORITHM, self.with_head(alg=word))
        for word in (None, 256, ["ES256"], {"alg": "ES256"}, True):
            self.add(f"alg {word!r}", ALGORITHM, self.with_head(alg=word))
        head, claims = json.dumps({**self.head, "alg": "HS256", "kid": "rs"}), json.dumps(self.good)
        pem, jwk = self.published["pem"], self.published["jwk"]
        for form, secret in (("PEM", pem), ("JWK", json.dumps(jwk)), ("modulus", jwk["n"])):
            self.add(f"HMAC under the public key as {form}", ALGORITHM, self.issuer.mac(head, claims, secret))
        for said, kid, used in (("RS256", "ps", "RS256"), ("PS256", "rs", "PS256"), ("ES256", "rs", "RS256"),
                                ("EdDSA", "es", "ES256"), ("RS256", "es", "ES256")):
            head = {**self.head, "alg": said, "kid": kid}
            self.add(f"{said} with the key {kid}", KEY, self.sign(head, self.good, key=kid, alg=used))

    def signatures(self):
        head, claims, signature = self.token.split(".")
        def with_signature(octets):
            return f"{head}.{claims}.{base64url(octets)}"
        raw = base64.urlsafe_b64decode(signature + "==")
        self.add("no signature", SIGNATURE, with_signature(b""))
        self.add("r and s are zero", SIGNATURE, with_signature(bytes(64)))
        self.add("r and s are the order of the curve", SIGNATURE, with_signature(bytes.fromhex(
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") * 2))
        self.add("a byte too few", SIGNATURE, with_signature(raw[:-1]))
        self.add("a byte too many", SIGNATURE, with_signature(raw + b"\0"))
        self.add("r and s exchanged", SIGNATURE, with_signature(raw[32:] + raw[:32]))
        self.add("a signature in DER", SIGNATURE, self.sign(self.head, self.good, alg="ES256_DER"))
        self.add("the signature of another token", SIGNATURE,
                 f"{head}.{claims}.{self.issuer.token('es', {**self.good, 'jti': '2'}).split('.')[2]}")
        self.add("signed with a key of somebody else", SIGNATURE, self.sign(self.head, self.good, key="stranger"))
        self.add("claims changed afterwards", SIGNATURE,
                 f"{head}.{base64url(json.dumps({**self.good, 'client_id': 'named'}).encode())}.{signature}")
        self.add("header changed afterwards", SIGNATURE,
                 f"{base64url(json.dumps({**self.head, 'extra': 1}).encode())}.{claims}.{signature}")
        for alg, wanted in (("RS256", "rs"), ("PS256", "ps"), ("EdDSA", "ed")):
            good = self.issuer.token(wanted, self.good)
            changed = good[:-20] + ("A" if good[-20] != "A" else "B") + good[-19:]
            self.add(f"a changed signature of {alg}", SIGNATURE, changed)
        head = {**self.head, "alg": "PS256", "kid": "ps"}
        self.add("PS256 with a short salt", SIGNATURE, self.sign(head, self.good, key="ps", alg="PS256_SHORT_SALT"))
        self.add("RS256 where PS256 is said", SIGNATURE, self.sign(head, self.good, key="ps", alg="RS256"))
        head = {**self.head, "alg": "RS256", "kid": "rs"}
        self.add("RS512 where RS256 is said", SIGNATURE, self.sign(head, self.good, key="rs", alg="RS512"))

    def headers(self):
        for word in ("JWT", None, "id_token+jwt", "dpop+jwt", "at+jwt;x", "", 1, ["at+jwt"]):
            self.add(f"typ {word!r}", TYPE, self.with_head(typ=word))
        for name, value in (("crit", ["exp"]), ("crit", []), ("crit", "exp"), ("b64", False), ("b64", True),
                            ("jku", "https://evil.example/keys"), ("x5u", "https://evil.example/chain"),
                            ("x5c", ["MIIB"])):
            self.add(f"{name} {value!r}", HEADER, self.with_head(**{name: value}))
        evil = self.issuer.generate("evil", "ES256")["jwk"]
        self.add("an embedded key that signed it", HEADER,
                 self.sign({**self.head, "jwk": evil}, self.good, key="evil"))
        self.add("an unknown critical extension with its value", HEADER,
                 self.with_head(crit=["urn:example:more"], **{"urn:example:more": True}))
        for kid in (None, "", 1, "unknown", "ES", "es ", "../../../dev/null", "es' OR '1'='1", "k" * 4000):
            self.add(f"kid {str(kid)[:20]!r}", KEY, self.with_head(kid=kid))
        twice = '{"alg":"none",' + json.dumps(self.head)[1:]
        self.add("alg twice", FORM, self.sign(twice, self.good))
        self.add("kid twice, once escaped", FORM, self.sign('{"\\u006bid":"rs",' + json.dumps(self.head)[1:], self.good))
        for name, text in (("a list", '["at+jwt"]'), ("no JSON", "at+jwt"), ("empty", ""), ("cut off", '{"typ":"at+jwt"'),
                           ("with something behind it", json.dumps(self.head) + "{}"), ("a text", '"at+jwt"'),
                           ("with a byte order mark", "\ufeff" + json.dumps(self.head)),
                           ("with a comment", "/**/" + json.dumps(self.head))):
            self.add(f"a header that is {name}", FORM, self.sign(text, self.good))

    def claims(self):
        rows = [
            ("iss", ISSUER, ["https://other.example", "https://idp.example/", "HTTPS://idp.example"]),
            ("iss", CLAIMS, [None, "", 1, ["https://idp.example"]]),
            ("aud", AUDIENCE, ["https://other.example", "https://flora.exampl", "https://flora.example/",
                               ["https://a.example", "https://b.example"], ""]),
            ("aud", CLAIMS, [None, [], ["https://flora.example", 1], {"": "https://flora.example"}, True]),
            ("exp", EXPIRED, [self.now - 3600, 0]),
            ("exp", CLAIMS, [None, "soon", str(self.now + 60), -1, 1e300, True, [self.now + 60]]),
            ("exp", LIFETIME, [self.now + 90_000, 253402300799]),
            ("iat", EARLY, [self.now + 3600]),
            ("iat", CLAIMS, [None, "now", -1]),
            ("nbf", EARLY, [self.now + 3600]),
            ("nbf", CLAIMS, ["now", {}]),
            ("sub", CLAIMS, [None, "", 1, "s" * 256]),
            ("client_id", CLAIMS, [None, "", ["lab"], "c" * 256]),
            ("client_id", NOBODY, ["nobody", "LAB", "lab "]),
            ("jti", CLAIMS, [None, "", 7]),
            ("cnf", UNBOUND, [None]),
            ("cnf", CONFIRMATION, [{}, "lab", [], {"jkt": self.thumbprint("lab")}, {"x5t#S256": 1},
                                   {"x5t#S256": self.thumbprint("lab") + "="}, {"x5t#S256": ""},
                                   {"x5t#S256": "00" * 32}, {"x5t": self.thumbprint("lab")},
                                   {"x5t#S256": self.thumbprint("lab"), "jkt": "x"}]),
            ("cnf", OTHER_CERTIFICATE, [{"x5t#S256": self.thumbprint("named")}, {"x5t#S256": "A" * 43}]),
        ]
        for member, why, values in rows:
            for value in values:
                self.add(f"{member} {str(value)[:80]!r}", why, self.with_claims(**{member: value}))
        good = json.dumps(self.good)
        self.add("exp twice", FORM, self.sign(self.head, f'{{"exp":{self.now - 1},' + good[1:]))
        self.add("client_id twice, once escaped", FORM, self.sign(self.head, '{"client\\u005fid":"named",' + good[1:]))
        self.add("a member of no interest twice", FORM, self.sign(self.head, '{"x":1,"x":1,' + good[1:]))
        self.add("claims nested deeply", FORM, self.sign(self.head, '{"x":' + "[" * 500 + "]" * 500 + "," + good[1:]))
        self.add("claims as a list", FORM, self.sign(self.head, f"[{good}]"))
        self.add("claims that are no JSON", FORM, self.sign(self.head, "lab"))
        self.add("claims with a lone surrogate", FORM, self.sign(self.head, '{"x":"\\ud800",' + good[1:]))
        self.add("exp as a number with a leading zero", FORM, self.sign(self.head, '{"x":01,' + good[1:]))

    def forms(self):
        head, claims, signature = self.token.split(".")
        padded = {"header": f"{head}=.{claims}.{signature}", "claims": f"{head}.{claims}=.{signature}",
                  "signature": f"{head}.{claims}.{signature}=="}
        for part, token in padded.items():
            self.add(f"padding behind the {part}", FORM, token)
        last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        loose = signature[:-1] + last[last.index(signature[-1]) + 1]  # 64 bytes leave four bits, all zero.
        self.add("unused bits that are not zero", FORM, f"{head}.{claims}.{loose}")
        for name, token in (("one part", head), ("two parts", f"{head}.{claims}"), ("four parts", f"{self.token}.{head}"),
                            ("five parts", ".".join([head, "", "", claims, signature])), ("only dots", ".."),
                            ("nothing but a letter", "a"), ("quotation marks", f'"{self.token}"'),
                            ("a blank within", f"{head}. {claims}.{signature}"),
                            ("a tab within", f"{head}.{claims}\t.{signature}"),
                            ("dots that are encoded", self.token.replace(".", "%2E")),
                            ("two tokens", f"{self.token}, Bearer {self.token}"),
                            ("two tokens, one blank", f"{self.token} {self.token}"),
                            ("the other alphabet", f"{head}.{claims}.{signature[:-2]}+/"),
                            ("a parameter behind it", f"{self.token}, realm=x"),
                            ("JSON serialization", json.dumps({"payload": claims, "protected": head, "signature": signature})),
                            ("a letter of another script", f"{head}.{claims}.{signature}\xe4")):
            self.add(name, FORM, token)
        self.add("a giant", LONG, self.with_claims(more="x" * 7000))
        self.add("a giant of letters", LONG, "a" * 8193)

    def fields(self):
        def row(name, why, fields, **more):
            self.rows.append(Row(name, why, fields, **more))
        good = bearer(self.token)
        row("Authorization twice", TWICE, good + good)
        row("Authorization twice, one Basic", TWICE, good + [("Authorization", "Basic bGFiOmxhYg==")])
        for text in ("", "Bearer", "Bearer ", "Basic bGFiOmxhYg==", self.token, f"DPoP {self.token}", f"Bearer:{self.token}",
                     f"BearerX {self.token}", f"Bearer\t{self.token}", f"Token {self.token}", f", Bearer {self.token}"):
            row(f"Authorization {text[:16]!r}", PLAIN, [("Authorization", text)])
        row("no credential", PLAIN, [])
        row("no credential and no certificate", PLAIN, [], shows=None)
        row("in the query", PLAIN, [], path=f"/v1/statuses?access_token={self.token}")
        row("in a form", PLAIN, [("Content-Type", "application/x-www-form-urlencoded")],
            path="/v1/status-events", body=f"access_token={self.token}".encode())
        row("in a body of JSON", PLAIN, [("Content-Type", "application/json")],
            path="/v1/status-events", body=json.dumps({"access_token": self.token}).encode())
        for name in ("Proxy-Authorization", "X-Access-Token", "X-Forwarded-Authorization", "Cookie", "Token"):
            row(f"in the field {name}", PLAIN, [(name, f"Bearer {self.token}")])
        row("the development header", PLAIN, [("Flora-Dev-Authority", "999902")])
        row("a bad token and the development header", FORM, bearer("x") + [("Flora-Dev-Authority", "999902")])
        row("a bad token and a good certificate", FORM, bearer("x"), shows="named")
        row("bound, without a certificate", OTHER_CERTIFICATE, good, shows=None)
        row("bound, with another certificate", OTHER_CERTIFICATE, good, shows="stranger")
        row("bound, the certificate in a field", OTHER_CERTIFICATE,
            good + [("Client-Cert", ":" + self.thumbprint("lab") + ":"), ("X-SSL-Client-SHA256", self.thumbprint("lab"))],
            shows=None)
        row("of another client than the certificate's", NOBODY,
            bearer(self.with_claims(cnf={"x5t#S256": self.thumbprint("named")})), shows="named")

    def all(self):
        for part in (self.algorithms, self.signatures, self.headers, self.claims, self.forms, self.fields):
            part()
        names = [row.name for row in self.rows]
        assert len(names) == len(set(names)), "a row stands there twice"
        return self.rows
