#!/usr/bin/env python3
"""Settings of a gateway on a network that `up.sh` has started.

Usage: settings.py <network.json> [<settings to begin with>]     prints the settings

They are those of config/gateway.yaml with the ledger `fabric`: every identity that the network
has, each for the authorities that its organisation is entitled to. Paths are absolute.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ledger(network, origin="flora.example/development", lands=None):
    """The setting `ledger`. `lands`: the channels of Länder, beside the first channel as the default."""
    members = network["organisations"]
    if lands:
        written, channels = {}, {"channels": {"default": network["channel"], "lands": lands}}
    else:
        written, channels = {"channel": network["channel"]}, {"channel": network["channel"]}
    names = [network["channel"], *(lands or {}).values()]
    return {
        "kind": "fabric", "origin": origin, **written,
        "fabric": {
            **channels, "chaincode": network["chaincode"],
            "endpoints": [{"name": member["member"], "address": member["peer"],
                           "ca": member["tlsCa"], "server_name": member["tlsServerName"],
                           **({"channels": [name for name in names if member["mspId"] in network["channels"][name]]}
                              if lands else {})}
                          for member in members],
            "identities": [one for member in members for one in identities(network, member, names, lands)]}}


def identities(network, member, names, lands):
    """Of an organisation: one for each list of authorities that channels entitle it to."""
    lists = {}
    for name in names:
        if member["mspId"] in network["channels"][name]:
            lists.setdefault(tuple(network["channels"][name][member["mspId"]]), []).append(name)
    for authorities, channels in lists.items():
        yield {"msp": member["mspId"], "certificate": member["client"]["certificate"],
               "key": member["client"]["key"], "authorities": list(authorities),
               **({"channels": channels} if lands else {})}


def settings(network, base):
    """The whole file. Paths of `base` are relative to its folder."""
    folder = base.resolve().parent
    out = []
    inside = False
    for line in base.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            inside = line.startswith("ledger:")
            if inside:
                out += ["ledger: " + json.dumps(ledger(network)), ""]
        if inside:
            continue
        line = re.sub(r"^(policy|statuses): (\S+)",
                      lambda found: f"{found[1]}: {json.dumps(str(folder / found[2]))}", line)
        if line.startswith("adapters:"):
            line = re.sub(r"\.\./[^,\] ]+", lambda found: json.dumps(str((folder / found[0]).resolve())), line)
        out.append(line)
    return "\n".join(out) + "\n"


def main():
    network = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    base = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "config/gateway.yaml"
    sys.stdout.write(settings(network, base))


if __name__ == "__main__":
    main()
