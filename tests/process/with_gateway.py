"""Runs a command against a gateway of its own, and hands on its exit code.

Usage: with_gateway.py <flora-gateway> <command> [argument …]
An argument {url} becomes the address of the gateway, {operations} that of its operators' side. The
gateway must outlive the command and end with 0 at SIGTERM.
"""

import subprocess
import sys

import gateway as g


def run(binary, command):
    with g.temporary_folder() as folder, g.running(g.prepared(binary, folder)) as gateway:
        places = {"{url}": gateway.port, "{operations}": gateway.operations_port}
        done = subprocess.run([f"http://127.0.0.1:{places[word]}" if word in places else word
                               for word in command])
        assert gateway.process.poll() is None, "the gateway has ended"
        assert gateway.stop() == 0, "the gateway did not end well"
        return done.returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
