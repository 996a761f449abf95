"""Compiles each of our files by itself, as the release is and the builds of run.sh are not, and throws the result away:
each has all that it names, without a warning. Usage: alone_test.py <source> <build>; <build> has what is generated."""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

PARTS = ("gateway", "adapters", "openapi", "ledger-client")


def compile_commands(source, build):
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        subprocess.run(["cmake", "--preset", "release", "-B", work / "build", "-DFLORA_TESTS=OFF", "-DFLORA_WERROR=ON",
                        "-DCCACHE=OFF", f"-DFLORA_VIEWER_DIR={work}"],
                       cwd=source, check=True, stdout=subprocess.DEVNULL)
        text = (work / "build/compile_commands.json").read_text().replace(str(work / "build"), str(build))
    for one in json.loads(text):
        file = pathlib.Path(one["file"])
        if file.is_relative_to(source) and file.relative_to(source).parts[0] in PARTS:
            yield file, shlex.split(one["command"])


def complaints(file, command):
    at = command.index("-o")
    command = command[:at] + command[at + 2:] + ["-fsyntax-only"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return f"{file}\n{done.stderr}" if done.returncode or done.stderr else ""


def main():
    source, build = (pathlib.Path(one).resolve() for one in sys.argv[1:])
    commands = list(compile_commands(source, build))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [one for one in pool.map(lambda pair: complaints(*pair), commands) if one]
    print("".join(found) + f"{len(commands)} files, {len(found)} with complaints")
    return 1 if found or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
