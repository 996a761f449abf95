"""What must not stand in the tree. Usage: hygiene_test.py <source folder>"""
import pathlib
import re
import subprocess
import sys

SOURCE = {".h", ".cpp", ".sh", ".py", ".yaml", ".md", ".txt", ".json", ".mjs", ".go"}
RULES = [
    (re.compile(r"\bstd::regex\b|#include <regex>"), {".h", ".cpp"},
     "std::regex overflows the stack on long input; use RE2"),
    (re.compile(r"\bsleep_for\b|\busleep\s*\("), {".h", ".cpp"}, "nothing sleeps to wait"),
    (re.compile(r"(?<![A-Za-z0-9_./-])/(home|root|work)/"), SOURCE, "an absolute path of a machine"),
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b"), SOURCE, "unfinished"),
]
MAX_LINES = 700
READMES = ["", "gateway", "gateway/base", "gateway/model", "gateway/http", "gateway/audit", "gateway/store",
           "gateway/policy", "gateway/privacy", "gateway/view", "gateway/intake", "gateway/api",
           "gateway/commands", "gateway/settings", "ledger-client", "adapters", "openapi", "config",
           "tests", "examples", "examples/fabric-network", "ledger-client/fabric/chaincode"]
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "README.md", "gateway", "adapters", "openapi",
             "ledger-client", "config", "tests", "examples"}


def tracked(root):
    # The test must also run on an unpacked archive, which has no history.
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True)
    if listed.returncode == 0:
        return [name for name in listed.stdout.decode().split("\0") if name]
    return [p.relative_to(root).as_posix() for p in root.rglob("*")
            if p.is_file() and "build" not in p.parts and "node_modules" not in p.parts]


def unused_usings(text):
    """Using declarations of a .cpp outside of classes whose name nothing else in it says."""
    for match in re.finditer(r"^using [\w:]+::(\w+);$", text, re.MULTILINE):
        if len(re.findall(rf"\b{match[1]}\b", re.sub(r"//.*", "", text))) < 2:
            yield text.count("\n", 0, match.start()) + 1


def main():
    root = pathlib.Path(sys.argv[1])
    faults = []
    names = tracked(root)
    for name in names:
        file = root / name
        top = name.split("/")[0]
        if top not in TOP_LEVEL and not top.startswith("."):
            faults.append(f"{name}: not in the fixed top level")
        if file.suffix not in SOURCE or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        lines = text.splitlines()
        if file.suffix in (".h", ".cpp") and len(lines) > MAX_LINES:
            faults.append(f"{name}: {len(lines)} lines; one thing each")
        if file.suffix == ".cpp":
            faults += [f"{name}:{number}: nothing uses this" for number in unused_usings(text)]
        for pattern, suffixes, why in RULES:
            if file.suffix not in suffixes:
                continue
            for number, line in enumerate(lines, 1):
                if pattern.search(line) and "hygiene_test.py" not in name:
                    faults.append(f"{name}:{number}: {why}")
    for folder in READMES:
        if not (root / folder / "README.md").is_file():
            faults.append(f"{folder}/README.md is missing")
    for fault in faults:
        print(fault)
    print(f"{len(names)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
