"""sslscan, testssl.sh and `openssl s_client` judge the TLS of the running gateway, with an EC and with an RSA
certificate: what profile.py lists is offered, and nothing else.

Usage: profile_test.py <flora-gateway>
"""

import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "process"))

import gateway as g
import profile
from pki import Pki


# The server closes behind the answer: by then a client has seen its session tickets.
REQUEST = "GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n"


def run(*words, **more):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, **more)


def same(what, seen, wanted):
    assert seen == wanted, f"{what}: not of the profile {seen - wanted}, missing {wanted - seen}"


def sslscan(address, kind, folder):
    report = folder / f"sslscan-{kind}.xml"
    done = run("sslscan", "--no-colour", "--show-sigs", f"--xml={report}", address)
    assert done.returncode == 0, done.stdout + done.stderr
    scan = xml.etree.ElementTree.parse(report).getroot().find("ssltest")

    def named(tag, name):
        return {f"{item.get('sslversion')} {item.get(name)}" for item in scan.findall(tag)}

    protocols = {f"{p.get('type')} {p.get('version')}": p.get("enabled") == "1" for p in scan.findall("protocol")}
    assert len(protocols) == 6, protocols
    same("protocols", {name for name, enabled in protocols.items() if enabled}, profile.PROTOCOLS)
    same("cipher suites", named("cipher", "cipher"), profile.SUITES[kind])
    same("groups", named("group", "name"), profile.GROUPS[kind])
    same("signatures", named("connection-signature-algorithm", "name"),
         {f"TLSv1.3 {scheme}" for scheme in profile.SIGNATURES[kind]})
    assert scan.find("renegotiation").get("supported") == "0", "renegotiation"
    heartbleed = scan.findall("heartbleed")
    assert heartbleed and all(item.get("vulnerable") == "0" for item in heartbleed), "heartbleed"


def s_client(address, *options):
    """What it reports of a connection on which it was answered; None if the server refuses the handshake."""
    # Without the limits of the machine's own openssl.cnf.
    done = run("openssl", "s_client", "-connect", address, "-ign_eof", *options, input=REQUEST,
               env={**os.environ, "OPENSSL_CONF": "/dev/null"})
    answered = "HTTP/1.1 200" in done.stdout
    assert answered or "SSL alert number" in done.stderr, (options, done.stdout, done.stderr)
    return done.stdout if answered else None


def refusals(address, kind):
    for name, options in profile.TAKEN.items():
        assert s_client(address, *options), f"{name} is refused with a key of kind {kind}"
    for scheme in profile.SIGNATURES[kind]:
        for version in ("-tls1_2", "-tls1_3"):
            assert s_client(address, version, "-sigalgs", scheme), f"{scheme} is refused with {version}"
    for name, options in profile.REFUSED.items():
        seen = s_client(address, *options)
        assert seen is None, f"{name} is taken with a key of kind {kind}:\n{seen}"


def requests(address):
    """What clients are told: no compression, no early data, these signatures."""
    for version in ("-tls1_2", "-tls1_3"):
        seen = s_client(address, version)
        fields = dict(line.split(": ", 1) for line in map(str.strip, seen.splitlines()) if ": " in line)
        asked = {item for item in fields["Requested Signature Algorithms"].split(":")}
        same("signatures of clients", asked, profile.CLIENT_SIGNATURES)
        assert "Compression: NONE" in seen
        assert "Secure Renegotiation IS" in seen
    assert "Extended master secret: yes" in s_client(address, "-tls1_2")
    early = [line.strip() for line in s_client(address, "-tls1_3").splitlines() if "Max Early Data" in line]
    assert early and set(early) == {"Max Early Data: 0"}, early


def testssl(address, folder):
    report = folder / "testssl.json"
    run("testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", "127.0.0.1",
        "--jsonfile", report, "--protocols", "--std", "--fs", "--vulnerable", "--cipher-per-proto",
        address)
    findings = {item["id"]: item for item in json.loads(report.read_text())}
    # WARN: it could not look, at something else than what must be sound.
    bad = [item for item in findings.values() if item["severity"] not in ("OK", "INFO", "WARN")]
    assert not bad, bad
    for name in profile.SOUND:
        assert findings[name]["severity"] == "OK", findings[name]
    suites = {name.rsplit("_x", 1)[1] for name in findings if name.startswith("cipher-")}
    same("cipher suites", suites, profile.SUITE_NUMBERS)
    same("groups", set(findings["PFS_ECDHE_curves"]["finding"].split()), profile.CURVES)


def main():
    with g.temporary_folder() as folder:
        pki = Pki(folder / "pki")
        for kind in ("EC", "RSA"):
            pki.issue(kind, key=kind)
            (folder / kind).mkdir()
            gateway = g.prepared(sys.argv[1], folder / kind, config=pki.config(server=kind))
            with g.running(gateway):
                address = f"127.0.0.1:{gateway.port}"
                sslscan(address, kind, folder)
                refusals(address, kind)
                requests(address)
                if kind == "EC":
                    testssl(address, folder)
                assert gateway.stop() == 0
            print(f"With a key of kind {kind}: {len(profile.SUITES[kind])} cipher suites, "
                  f"{len(profile.GROUPS[kind])} groups, {len(profile.REFUSED)} refusals.")


if __name__ == "__main__":
    main()
