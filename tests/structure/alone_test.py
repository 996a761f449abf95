"""Each of our sources compiles by itself, without a warning. Usage: alone_test.py <source> <build>

The builds of run.sh join files, and would not miss an #include or a name that one of them has from another.
What is generated is in <build>.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

source, build = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])


def compile_one(entry):
    command = shlex.split(entry["command"])
    output = command.index("-o")
    del command[output : output + 2]
    command[1:1] = ["-fsyntax-only", "-Werror", "-Wreserved-identifier"]
    done = subprocess.run(command, cwd=build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout if done.returncode else ""


with tempfile.TemporaryDirectory() as work:
    subprocess.run(
        ["cmake", "-S", source, "-B", work, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=clang++", "-DCMAKE_BUILD_TYPE=Debug",
         "-DFLORA_TESTS=OFF", f"-DFLORA_VIEWER_DIR={work}"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    commands = (pathlib.Path(work) / "compile_commands.json").read_text().replace(work, build)
entries = [entry for entry in json.loads(commands) if not entry["file"].startswith(build)]
assert len(entries) > 200, f"only {len(entries)} sources"
with ThreadPoolExecutor(os.cpu_count()) as pool:
    complaints = [text for text in pool.map(compile_one, entries) if text]
print("".join(complaints), end="")
print(f"{len(entries)} sources, {len(complaints)} that do not compile alone")
sys.exit(bool(complaints))
