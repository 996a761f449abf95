"""Who may include whom, and which library is known where. Usage: includes_test.py <source folder>"""
import pathlib
import re
import sys

# A part and the parts that it may include, besides itself. The longest prefix of a path counts.
BASE = {"gateway/base"}
MODEL = BASE | {"gateway/model"}
LIBRARIES = MODEL | {"ledger-client", "adapters", "openapi"}
COMBINED = {"gateway/audit", "gateway/store", "gateway/policy", "gateway/privacy", "gateway/view"}
ALLOWED = {
    "gateway/base": set(),
    "gateway/model": BASE,
    "ledger-client": MODEL,
    "adapters": MODEL,
    "openapi": MODEL,
    "gateway/http": LIBRARIES,
    "gateway/telemetry": BASE,
    "gateway/auth": BASE,
    "gateway/settings": LIBRARIES,
    "gateway/audit": LIBRARIES,
    "gateway/store": LIBRARIES,
    "gateway/policy": LIBRARIES,
    "gateway/privacy": LIBRARIES,
    "gateway/view": LIBRARIES,
    "gateway/intake": LIBRARIES | COMBINED,
    "gateway/erasure": LIBRARIES | COMBINED | {"gateway/intake"},
    "gateway/api": LIBRARIES | COMBINED
    | {"gateway/intake", "gateway/erasure", "gateway/http", "gateway/telemetry", "gateway/auth"},
    "gateway/commands": LIBRARIES | COMBINED
    | {"gateway/intake", "gateway/erasure", "gateway/http", "gateway/telemetry", "gateway/auth",
       "gateway/api", "gateway/settings"},
    "gateway/main.cpp": MODEL | {"gateway/commands", "gateway/settings"},
}

# A library's headers and the only places that may include them.
HOMES = {
    r"pistache/": ["gateway/http/"],
    r"openssl/": ["gateway/base/crypto.cpp", "gateway/http/", "gateway/auth/public_key.cpp",
                  "ledger-client/fabric/certificate.cpp", "ledger-client/fabric/ecdsa.cpp",
                  "ledger-client/fabric/signer.cpp"],
    r"grpcpp/|wire\.": ["ledger-client/fabric/"],
    r"libpq-fe\.h": ["gateway/base/sql_postgresql"],
    r"sqlite3\.h": ["gateway/base/sqlite", "ledger-client/embedded/"],
    r"spdlog/": ["gateway/base/log.cpp"],
    r"curl/": ["gateway/telemetry/", "gateway/auth/download.cpp"],
    r"yaml-cpp/": ["gateway/base/yaml.cpp"],
    r"p11-kit/": ["gateway/base/pkcs11.h"],
    r"systemd/": ["gateway/commands/service_manager.cpp"],
    r"date/": ["adapters/engine/time_zone.cpp"],
    r"regex$": [],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def part_of(path):
    matches = [part for part in ALLOWED if path == part or path.startswith(part + "/")]
    return max(matches, key=len) if matches else None


def check(root):
    faults = []
    checked = 0
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root).as_posix()
        if file.suffix not in (".h", ".cpp") or path.startswith(("tests/", "build/")):
            continue
        part = part_of(path)
        if part is None:
            faults.append(f"{path}: belongs to no part")
            continue
        checked += 1
        for bracket, target in INCLUDE.findall(file.read_text(encoding="utf-8")):
            if bracket == '"':
                other = part_of(target)
                if other is None:
                    faults.append(f"{path}: \"{target}\" is not a path from the root")
                elif other != part and other not in ALLOWED[part]:
                    faults.append(f"{path}: {part} may not include {other} ({target})")
                elif not (root / target).exists():
                    faults.append(f"{path}: \"{target}\" does not exist")
            for library, homes in HOMES.items():
                if re.match(library, target) and not any(path.startswith(home) for home in homes):
                    faults.append(f"{path}: <{target}> has its home in {homes or 'no part'}")
    return checked, faults


def main():
    checked, faults = check(pathlib.Path(sys.argv[1]))
    for fault in faults:
        print(fault)
    print(f"{checked} files, {len(faults)} faults")
    return 1 if faults or checked < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
