"""slowhttptest against the real binary: slow heads, slow bodies, slow readers. They are cut off at their
deadlines, while every request of everybody else is answered.

Usage: slow_test.py <flora-gateway>

Deadlines are short, so that what they cut off is seen soon. tests/bench/slow.py measures what the attacks
cost the others, with the deadlines that are delivered.
"""

import shutil
import subprocess
import sys
import threading

import gateway as g

CONNECTIONS = 200
SECONDS = 6
HONEST = 4
LARGE = "/docs/swagger-ui-bundle.js"
LIMITS = "{head_seconds: 1, body_seconds: 2, write_seconds: 1}"

# The tool sends one field of our choice, Cookie; a line break in it makes another one of it.
FIELDS = f"x=y\r\nFlora-Dev-Authority: {g.AE}"
ATTACKS = {
    "slow heads": ["-H", "-u", "/v1/statuses"],
    "slow bodies": ["-B", "-t", "POST", "-f", "application/json", "-j", FIELDS, "-s", "8192", "-u",
                    "/v1/status-events"],
    "slow readers": ["-X", "-w", "1", "-y", "2", "-n", "1", "-z", "8", "-k", "3", "-u", LARGE],
}


def attack(port, words, connections, seconds):
    """Starts the tool; it ends by itself."""
    words = [f"http://127.0.0.1:{port}{word}" if word.startswith("/") else word for word in words]
    program = shutil.which("slowhttptest") or "/usr/bin/slowhttptest"
    return subprocess.Popen([program, *words, "-c", str(connections), "-r", str(connections), "-i", "1",
                             "-l", str(seconds), "-p", "20", "-v", "1"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Honest(threading.Thread):
    """Reports and reads until the tool has ended. Each answer must be the right one."""

    def __init__(self, gateway, tool, name):
        super().__init__()
        self.client, self.tool, self.prefix = gateway.client(), tool, name
        self.done, self.wrong = 0, []

    def run(self):
        try:
            while self.tool.poll() is None:
                identity = f"{self.prefix}-{self.done}"
                answers = (self.client.submit(g.event(identity, identity.replace("-", "X"))),
                           self.client.get("/v1/statuses"), self.client.get("/health/live"))
                statuses = [answer.status for answer in answers]
                if statuses != [201, 200, 200]:
                    self.wrong.append(statuses)
                self.done += 1
        except OSError as problem:
            self.wrong.append(problem)


def cut_off(gateway):
    """Connections that ended at a deadline, or because nobody read their answers."""
    return gateway.metric("flora_http_timeouts_total") + gateway.metric("flora_http_slow_readers_total")


def withstand(gateway, name, words, number):
    before = cut_off(gateway)
    entries = gateway.metric("flora_ledger_entries")
    tool = attack(gateway.port, words, CONNECTIONS, SECONDS)
    honest = [Honest(gateway, tool, f"S{number}H{i}") for i in range(HONEST)]
    for one in honest:
        one.start()
    output, _ = tool.communicate(timeout=g.DEADLINE)
    for one in honest:
        one.join(g.DEADLINE)
        assert not one.is_alive() and not one.wrong and one.done > 0, (name, one.wrong[:3], one.done)
        one.client.close()
    ended = cut_off(gateway) - before
    assert ended >= CONNECTIONS // 2, (name, ended, output[-2000:])
    g.wait_for(lambda: gateway.metric("flora_http_connections_open") < 10, "the slow ones are gone")
    events = sum(one.done for one in honest)
    assert gateway.metric("flora_ledger_entries") == entries + events
    print(f"{CONNECTIONS} {name}: {ended} cut off; {events * 3} requests of {HONEST} others, each answered")


def main(binary):
    with g.temporary_folder() as folder:
        config = g.config_with(folder, [g.ROOT / "adapters" / "de-ni-xauslaender"], limits=LIMITS)
        gateway = g.prepared(binary, folder, config=config)
        with g.running(gateway):
            for number, (name, words) in enumerate(ATTACKS.items()):
                withstand(gateway, name, words, number)
            assert gateway.stop() == 0
        gateway.fsck()


if __name__ == "__main__":
    main(sys.argv[1])
