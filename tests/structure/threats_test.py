"""gateway/THREATS.md names tests that exist, answers each item of its checklists, and leaves no threat without a
control. Usage: threats_test.py <source folder>

A test is named in one of two forms: `program: sentence`, a doctest case in the sources of that program, or
`program` alone, an entry of ctest.
"""
import pathlib
import re
import sys

ENTRY = re.compile(r"(?:add_test\(NAME|flora_\w*test\(|flora_fuzz\()\s*(\w+)")
PROGRAM = re.compile(r"(?:flora_test|flora_fuzz)\(\s*(\w+)\s+(?:OPTIMISED\s+)?SOURCES\s+([^)]*?)(?:\s+LIBS|\s+CORPUS|\))", re.DOTALL)
CASE = re.compile(r'TEST_CASE(?:_FIXTURE)?\(\s*(?:\w+,\s*)?((?:"(?:[^"\\]|\\.)*"\s*)+)'
                  r'(?:\*\s*doctest::skip\(\w+\(\)\)\s*)?\)', re.DOTALL)
NAMED = re.compile(r"`([^`]+)`")

OWASP = [f"API{n}:2023" for n in range(1, 11)]
LINDDUN = ["Linking", "Identifying", "Non-repudiation", "Detecting", "Data disclosure", "Unawareness and unintervenability",
           "Non-compliance"]
NOT_COVERED = "not covered, because "


def tests_of(root):
    """Each entry of ctest, with the sentences of its cases if it is a doctest program."""
    found = {}
    for listing in sorted((root / "tests").rglob("CMakeLists.txt")):
        text = listing.read_text(encoding="utf-8")
        for name in ENTRY.findall(text):
            found.setdefault(name, set())
        for name, sources in PROGRAM.findall(text):
            for source in sources.split():
                file = listing.parent / source
                if file.is_file():
                    found[name] |= cases_of(file.read_text(encoding="utf-8"))
    return found


def cases_of(text):
    joined = (re.findall(r'"((?:[^"\\]|\\.)*)"', one) for one in CASE.findall(text))
    return {"".join(parts).replace('\\"', '"') for parts in joined}


def rows_of(text):
    """The cells of each row of each table, by the heading above it."""
    heading, rows = "", {}
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line[3:].strip()
        elif line.startswith("|") and not set(line) <= set("|- "):
            rows.setdefault(heading, []).append([cell.strip() for cell in line.strip("|").split("|")])
    return {name: cells[1:] for name, cells in rows.items()}


def missing_tests(cell, tests):
    for name in NAMED.findall(cell):
        program, _, sentence = name.partition(": ")
        if program not in tests:
            yield f"no test is called `{program}`"
        elif sentence and sentence not in tests[program]:
            yield f"`{program}` has no case \"{sentence}\""


def check_row(cells, tests, columns):
    if len(cells) != columns or not all(cells):
        yield f"a row needs {columns} cells with text"
        return
    last = cells[-1]
    yield from missing_tests(last, tests)
    if not NAMED.search(last) and NOT_COVERED not in cells[-2] + last:
        yield f"it names no test and does not say \"{NOT_COVERED}…\""


def check(text, tests):
    rows = rows_of(text)
    faults = []
    for heading, columns in (("Threats", 4), ("OWASP API Security Top 10 (2023)", 3), ("LINDDUN", 3)):
        for cells in rows.get(heading, []):
            faults += [f"{heading}, {cells[0]}: {fault}" for fault in check_row(cells, tests, columns)]
    for heading, items in (("OWASP API Security Top 10 (2023)", OWASP), ("LINDDUN", LINDDUN)):
        answered = [cells[0] for cells in rows.get(heading, [])]
        faults += [f"{heading}: {item} is not answered" for item in items
                   if not any(answer.startswith(item) for answer in answered)]
    if len(rows.get("Threats", [])) < 20:
        faults.append("Threats: the table is too short to be true")
    return faults


def check_itself(tests):
    """What must be found is found."""
    row = "## Threats\n| t | c | d | t |\n|---|---|---|---|\n| a | b | c | {} |\n"
    for cell, fault in (("`no_such_test`", "no test is called"), ("`gateway_audit_test: no such case`", "has no case"),
                        ("a promise", "it names no test")):
        assert any(fault in one for one in check(row.format(cell), tests)), cell
    assert any("API3:2023 is not answered" in one for one in check(row, tests))
    assert "the text of a record" in tests["gateway_audit_test"] and "process_privacy" in tests


def main():
    root = pathlib.Path(sys.argv[1])
    tests = tests_of(root)
    check_itself(tests)
    text = (root / "gateway" / "THREATS.md").read_text(encoding="utf-8")
    faults = check(text, tests)
    for fault in faults:
        print(fault)
    print(f"{len(NAMED.findall(text))} names, {len(tests)} tests, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
