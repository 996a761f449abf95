#!/usr/bin/python3
"""Starts, disturbs and ends a Hyperledger Fabric network of two organisations on 127.0.0.1.

  network.py up <folder> --programs <folder> --chaincode <program>   (up.sh gives these)
             [--channels <channel>...]     further channels: a name, or name=MSP+MSP for their members
  network.py down <folder>                 ends all processes and deletes the folder
  network.py status <folder>               one line for each member: its name, and whether it runs
  network.py kill <folder> <member>        at once (SIGKILL)
  network.py stop <folder> <member>        suspends it (SIGSTOP): connections stay, nothing answers
  network.py continue <folder> <member>    resumes it (SIGCONT)
  network.py restart <folder> <member>     ends it if it runs, starts it, returns when it serves

Members: peer0 (BundMSP), peer1 (LaenderMSP), orderer, chaincode. A restarted member has its old port
and data. Processes are found by files with their pid and start time, so that a pid that the system has
given to another process is never signalled.
"""
import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import socket
import string
import subprocess
import sys
import tarfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
CHANNEL = "default"  # As in config/gateway.yaml. The first; others may be given.
CHAINCODE = "flora"
ORDERER_DOMAIN = "betrieb.flora.example"
# Per organisation: the member that is its peer, its MSP and its domain.
ORGANISATIONS = [
    ("peer0", "BundMSP", "bund.flora.example"),
    ("peer1", "LaenderMSP", "laender.flora.example"),
]
MEMBERS = ["orderer", "peer0", "peer1", "chaincode"]
LOG_FORMAT = "%{time:2006-01-02 15:04:05.000 MST} %{level} [%{module}] %{message}"
START_SECONDS = 120  # A machine may be busy; when nothing is in the way it takes about two.
LEAD_SECONDS = 15    # For an orderer to lead its raft; when nothing is in the way it takes about one.


class Failure(Exception):
    """What is told to whoever called, in one line or with the end of a log."""


def free_ports(names):
    """A port for each name that nothing listens on now. They lie below the range from which the system
    takes ports for outgoing connections: so none takes the port of a member that is down."""
    ports = {}
    while len(ports) < len(names):
        port = random.SystemRandom().randrange(12000, 32000)
        with contextlib.closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports.values():
            ports[names[len(ports)]] = port
    return ports


def start_time(pid):
    """When a process began, in the kernel's ticks; None if there is none, or only a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def wait_for(condition, what, seconds=START_SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Network:
    """A network in a folder. What `up` decided about it stands in state.json there."""

    def __init__(self, folder, state=None):
        self.folder = os.path.abspath(folder)
        if state is None:
            try:
                with open(self.path("state.json"), encoding="utf-8") as file:
                    state = json.load(file)
            except OSError as error:
                raise Failure(f"there is no network in {self.folder}") from error
        self.ports = state["ports"]
        self.programs = state["programs"]
        self.chaincode = state["chaincode"]
        self.package_id = state["package_id"]
        self.channels = state["channels"]  # Name: MSP ids of its members.

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def save(self):
        state = {key: getattr(self, key)
                 for key in ("ports", "programs", "chaincode", "package_id", "channels")}
        self.write("state.json", json.dumps(state, indent=1))

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def address(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def program(self, name):
        return os.path.join(self.programs, name)

    # Where cryptogen puts things.

    def organisation(self, domain, *parts):
        return self.path("crypto", "peerOrganizations", domain, *parts)

    def node(self, domain, host, *parts):
        return self.organisation(domain, "peers", f"{host}.{domain}", *parts)

    def orderer_node(self, *parts):
        return self.path("crypto", "ordererOrganizations", ORDERER_DOMAIN, "orderers",
                         f"orderer.{ORDERER_DOMAIN}", *parts)

    def identity(self, domain, user):
        msp = self.organisation(domain, "users", f"{user}@{domain}", "msp")
        return {"certificate": os.path.join(msp, "signcerts", f"{user}@{domain}-cert.pem"),
                "key": os.path.join(msp, "keystore", "priv_sk")}

    # Processes.

    def pid(self, member):
        """The process of a member, or None."""
        try:
            with open(self.path("run", f"{member}.pid"), encoding="ascii") as file:
                pid, began = file.read().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(pid) == began else None

    def signal(self, member, number):
        pid = self.pid(member)
        if pid is None:
            raise Failure(f"{member} does not run")
        os.kill(pid, number)

    def end(self, member):
        """Ends a member, also one that is suspended, and waits until it is gone."""
        pid = self.pid(member)
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.pid(member) is None, f"the end of {member}")

    def start(self, member):
        command, environment = self.command(member)
        os.makedirs(self.path("run"), exist_ok=True)
        with open(self.path("run", f"{member}.log"), "ab") as log:
            # In a session of its own: it survives whoever has called.
            process = subprocess.Popen(
                command, env={"FABRIC_LOGGING_FORMAT": LOG_FORMAT, **environment},
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self.write(f"run/{member}.pid", f"{process.pid} {start_time(process.pid)}\n")
        return process

    def listens(self, member):
        with contextlib.closing(socket.socket()) as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.ports[member])) == 0

    def wait_until_listening(self, member, process):
        def ready():
            if process.poll() is not None:
                raise Failure(f"{member} has ended:\n{self.end_of_log(member)}")
            return self.listens(member)
        wait_for(ready, f"the start of {member}")

    def restart(self, member):
        """Returns when it serves. An orderer of this release may start and never lead: its raft loop
        and what applies its log wait for each other (hyperledger/fabric, issue 4199, which later ones have mended)."""
        for _ in range(8):
            self.end(member)
            self.wait_until_listening(member, self.start(member))
            if member != "orderer":
                return
            with contextlib.suppress(Failure):
                wait_for(self.leads, "a leader", LEAD_SECONDS)
                return
        raise Failure(f"the orderer does not lead:\n{self.end_of_log(member)}")

    def leads(self):
        """The orderer, every channel that it has."""
        with contextlib.suppress(OSError):
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with direct.open(f"http://{self.address('orderer_operations')}/metrics", timeout=5) as answer:
                leading = re.findall(r"^consensus_etcdraft_is_leader\{.*\} (\d)", answer.read().decode(), re.MULTILINE)
            return bool(leading) and set(leading) == {"1"}
        return False

    def end_of_log(self, member):
        with open(self.path("run", f"{member}.log"), encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-15:])

    def command(self, member):
        if member == "orderer":
            return [self.program("orderer")], self.orderer_environment()
        if member == "chaincode":
            return [self.chaincode], self.chaincode_environment()
        return [self.program("peer"), "node", "start"], self.peer_environment(member)

    def orderer_environment(self):
        tls = self.orderer_node("tls")
        environment = {
            "FABRIC_CFG_PATH": self.path("config"),
            "ORDERER_GENERAL_LISTENPORT": str(self.ports["orderer"]),
            "ORDERER_GENERAL_LOCALMSPID": "BetriebMSP",
            "ORDERER_GENERAL_LOCALMSPDIR": self.orderer_node("msp"),
            "ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE": f"{tls}/server.crt",
            "ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY": f"{tls}/server.key",
            "ORDERER_FILELEDGER_LOCATION": self.path("data", "orderer"),
            "ORDERER_CONSENSUS_WALDIR": self.path("data", "orderer", "wal"),
            "ORDERER_CONSENSUS_SNAPDIR": self.path("data", "orderer", "snapshots"),
            "ORDERER_ADMIN_LISTENADDRESS": self.address("orderer_admin"),
            "ORDERER_ADMIN_TLS_CLIENTROOTCAS": f"[{tls}/ca.crt]",
            "ORDERER_OPERATIONS_LISTENADDRESS": self.address("orderer_operations"),
            "ORDERER_GENERAL_TLS_ROOTCAS": f"[{tls}/ca.crt]",
        }
        for part in ("GENERAL", "ADMIN"):
            environment[f"ORDERER_{part}_TLS_CERTIFICATE"] = f"{tls}/server.crt"
            environment[f"ORDERER_{part}_TLS_PRIVATEKEY"] = f"{tls}/server.key"
        return environment

    def peer_environment(self, member):
        _, msp, domain = next(o for o in ORGANISATIONS if o[0] == member)
        return {
            **self.cli_environment(member, msp, domain),
            "CORE_PEER_ID": f"peer.{domain}",
            "CORE_PEER_LISTENADDRESS": self.address(member),
            "CORE_PEER_MSPCONFIGPATH": self.node(domain, "peer", "msp"),
            "CORE_PEER_GOSSIP_BOOTSTRAP": self.address(member),
            "CORE_PEER_GOSSIP_EXTERNALENDPOINT": self.address(member),
            "CORE_PEER_TLS_CERT_FILE": self.node(domain, "peer", "tls", "server.crt"),
            "CORE_PEER_TLS_KEY_FILE": self.node(domain, "peer", "tls", "server.key"),
            "CORE_PEER_FILESYSTEMPATH": self.path("data", member),
            "CORE_LEDGER_SNAPSHOTS_ROOTDIR": self.path("data", member, "snapshots"),
            "CORE_OPERATIONS_LISTENADDRESS": self.address(f"{member}_operations"),
            "FLORA_CHAINCODE_CONNECTION": self.path("config", f"connection-{member}.json"),
        }

    def cli_environment(self, member, msp, domain):
        """For the peer's command line, as an admin of an organisation."""
        return {
            "FABRIC_CFG_PATH": self.path("config"),
            "FABRIC_LOGGING_SPEC": "warn",
            "CORE_PEER_ADDRESS": self.address(member),
            "CORE_PEER_LOCALMSPID": msp,
            "CORE_PEER_MSPCONFIGPATH": self.organisation(domain, "users", f"Admin@{domain}", "msp"),
            "CORE_PEER_TLS_ROOTCERT_FILE": self.node(domain, "peer", "tls", "ca.crt"),
        }

    def chaincode_environment(self):
        tls = self.node(ORGANISATIONS[0][2], "chaincode", "tls")
        return {
            "CHAINCODE_ID": self.package_id,
            "CHAINCODE_SERVER_ADDRESS": self.address("chaincode"),
            "CHAINCODE_TLS_CERT": f"{tls}/server.crt",
            "CHAINCODE_TLS_KEY": f"{tls}/server.key",
            "CHAINCODE_CLIENT_CA_CERT": self.path("config", "chaincode-clients.pem"),
            "FLORA_CHANNELS": ",".join(f"{name}={'+'.join(members)}" for name, members in self.channels.items()),
        }

    def run(self, command, environment):
        done = subprocess.run(command, env=environment, cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()
            raise Failure(f"{os.path.basename(command[0])} {command[1]}: {said[-2000:]}")
        return done.stdout

    def run_until_done(self, command, environment, seconds=START_SECONDS):
        """Again while the network is still coming together, such as until raft has a leader."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.run(command, environment)
            except Failure:
                if time.monotonic() > deadline:
                    raise
                for member in MEMBERS:
                    if self.pid(member) is None:
                        raise Failure(f"{member} has ended:\n{self.end_of_log(member)}") from None
                time.sleep(0.1)

    def members(self, channel):
        return [one for one in ORGANISATIONS if one[1] in self.channels[channel]]

    # What clients are told.

    def description(self, channel=CHANNEL):
        organisations = []
        for member, msp, domain in self.members(channel):
            ca = self.organisation(domain, "ca", f"ca.{domain}-cert.pem")
            organisations.append({
                "mspId": msp, "member": member, "peer": self.address(member),
                "tlsCa": self.node(domain, "peer", "tls", "ca.crt"),
                "tlsServerName": f"peer.{domain}", "ca": [ca],
                "client": self.identity(domain, "User1"), "admin": self.identity(domain, "Admin"),
            })
        orderer = {"mspId": "BetriebMSP", "member": "orderer", "address": self.address("orderer"),
                   "tlsCa": self.orderer_node("tls", "ca.crt"),
                   "tlsServerName": f"orderer.{ORDERER_DOMAIN}"}
        channels = {name: entitlements(members) for name, members in self.channels.items()}
        return {"channel": channel, "channels": channels, "chaincode": CHAINCODE, "organisations": organisations,
                "orderer": orderer, "chaincodeMember": "chaincode", "entitlements": channels[channel],
                "client": self.program("client")}


def entitlements(members):
    """Who of the members of a channel reports for which authority of config/policy.yaml: the Bund for its own, the
    Länder for theirs; one alone for all."""
    with open(os.path.join(REPOSITORY, "config", "policy.yaml"), encoding="utf-8") as file:
        listed = re.findall(r'^  - \{id: "([0-9]{6})",.* land: ([A-Z-]+),', file.read(), re.MULTILINE)
    chosen = {msp: [] for msp in members}
    for authority, land in listed:
        own = "BundMSP" if land == "DE" else "LaenderMSP"
        chosen[own if own in chosen else members[0]].append(authority)
    return {msp: sorted(authorities) for msp, authorities in chosen.items()}


def canonical(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def package_of_chaincode():
    """The package that each organisation installs: it says no more than that there is a service."""
    def archive(entries, mode):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as tar:
            for name, content in entries:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return out.getvalue()
    metadata = canonical({"label": CHAINCODE, "path": "", "type": "flora-service"}).encode()
    code = archive([("README", b"The chaincode runs as a service.\n")], "w:gz")
    return archive([("metadata.json", metadata), ("code.tar.gz", code)], "w:gz")


def prepare(folder, programs, chaincode, channels):
    """Makes keys, configuration and the first block of each channel of a new network."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.listdir(folder):
        raise Failure(f"{folder} is not empty: end the network in it with down.sh")
    package = package_of_chaincode()
    names = ["peer0", "peer1", "orderer", "chaincode", "orderer_admin", "orderer_operations",
             "peer0_operations", "peer1_operations"]
    network = Network(folder, {
        "ports": free_ports(names), "programs": os.path.abspath(programs),
        "chaincode": os.path.abspath(chaincode),
        "package_id": f"{CHAINCODE}:{hashlib.sha256(package).hexdigest()}",
        "channels": channels})
    network.save()
    with open(network.path("chaincode.tgz"), "wb") as file:
        file.write(package)
    both = ", ".join(f"*{msp.removesuffix('MSP')}" for _, msp, _ in ORGANISATIONS)
    values = {"crypto": network.path("crypto"), "builder": os.path.join(HERE, "builder"), "members": both}
    for member in ("orderer", "peer0", "peer1"):
        values[f"{member}_host"] = "127.0.0.1"
        values[f"{member}_port"] = network.ports[member]
    for name in os.listdir(os.path.join(HERE, "config")):
        with open(os.path.join(HERE, "config", name), encoding="utf-8") as file:
            network.write(f"config/{name}", string.Template(file.read()).substitute(values))
    configuration = {"FABRIC_CFG_PATH": network.path("config"), "FABRIC_LOGGING_SPEC": "warn"}
    network.run([network.program("cryptogen"), "generate",
                 f"--config={network.path('config', 'cryptogen.yaml')}",
                 f"--output={network.path('crypto')}"], configuration)
    for channel, members in network.channels.items():
        own = ", ".join(f"*{msp.removesuffix('MSP')}" for msp in members)
        text = read(network.path("config", "configtx.yaml"))
        network.write(f"config/{channel}/configtx.yaml", text.replace(both, own))
        network.run([network.program("configtxgen"), "-profile", "Flora", "-channelID", channel, "-configPath",
                     network.path("config", channel), "-outputBlock", network.path(f"{channel}.block")],
                    configuration)
    connect_chaincode(network)
    return network


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def connect_chaincode(network):
    """Mutual TLS between each peer, which shows its own certificate, and the service."""
    server_ca = read(network.node(ORGANISATIONS[0][2], "chaincode", "tls", "ca.crt"))
    client_cas = ""
    for member, _, domain in ORGANISATIONS:
        tls = network.node(domain, "peer", "tls")
        client_cas += read(f"{tls}/ca.crt")
        network.write(f"config/connection-{member}.json", json.dumps({
            "address": network.address("chaincode"), "dial_timeout": "10s", "tls_required": True,
            "client_auth_required": True, "client_key": read(f"{tls}/server.key"),
            "client_cert": read(f"{tls}/server.crt"), "root_cert": server_ca}))
    network.write("config/chaincode-clients.pem", client_cas)


def join_channel(network, channel):
    tls = network.orderer_node("tls")
    block = network.path(f"{channel}.block")
    network.run_until_done(
        [network.program("osnadmin"), "channel", "join", "--channelID", channel,
         "--config-block", block, "-o", network.address("orderer_admin"), "--ca-file",
         f"{tls}/ca.crt", "--client-cert", f"{tls}/server.crt", "--client-key",
         f"{tls}/server.key"], {})
    for organisation in network.members(channel):
        network.run_until_done([network.program("peer"), "channel", "join", "-b", block],
                               network.cli_environment(*organisation))


def install_chaincode(network):
    for organisation in ORGANISATIONS:
        network.run([network.program("peer"), "lifecycle", "chaincode", "install",
                     network.path("chaincode.tgz")], network.cli_environment(*organisation))


def define_chaincode(network, channel):
    """Each organisation approves what it has installed, one commits: the network's lifecycle."""
    peer = network.program("peer")
    definition = ["--channelID", channel, "--name", CHAINCODE, "--version", "1", "--sequence", "1",
                  "-o", network.address("orderer"), "--tls", "--cafile",
                  network.orderer_node("tls", "ca.crt")]
    endorsers = []
    for member, msp, domain in network.members(channel):
        environment = network.cli_environment(member, msp, domain)
        network.run_until_done([peer, "lifecycle", "chaincode", "approveformyorg", "--package-id",
                                network.package_id, *definition], environment)
        endorsers += ["--peerAddresses", network.address(member), "--tlsRootCertFiles",
                      network.node(domain, "peer", "tls", "ca.crt")]
    network.run_until_done([peer, "lifecycle", "chaincode", "commit", *definition, *endorsers],
                           network.cli_environment(*network.members(channel)[0]))


def agree_on_entitlements(network, channel):
    """An admin of each member submits the same text, through its own peer. That all succeed shows
    that the channel takes transactions from each."""
    description = network.description(channel)
    text = canonical(description["entitlements"])
    told = f"config/{channel}.json"
    network.write(told, json.dumps(description))
    for msp in network.channels[channel]:
        network.run_until_done(
            [network.program("client"), "-network", network.path(told), "-as", msp,
             "-admin", "submit", "SetEntitlements", text], {})


def read_channels(given):
    channels = {CHANNEL: [msp for _, msp, _ in ORGANISATIONS]}
    for one in given:
        name, _, members = one.partition("=")
        channels[name] = members.split("+") if members else channels[CHANNEL]
        if not set(channels[name]) <= set(channels[CHANNEL]):
            raise Failure(f"{one}: the organisations are {' and '.join(channels[CHANNEL])}")
    return channels


def up(folder, programs, chaincode, channels):
    """Leaves no process behind if it fails or is asked to end."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    network = prepare(folder, programs, chaincode, channels)
    try:
        processes = {member: network.start(member) for member in MEMBERS}
        for member, process in processes.items():
            network.wait_until_listening(member, process)
        for channel in network.channels:
            join_channel(network, channel)
        install_chaincode(network)
        for channel in network.channels:
            define_chaincode(network, channel)
        for channel in network.channels:
            agree_on_entitlements(network, channel)
        network.write("network.json", json.dumps(network.description(), indent=1) + "\n")
    except BaseException:
        for member in MEMBERS:
            network.end(member)
        raise
    print(network.path("network.json"))


def down(folder):
    network = Network(folder)
    for member in MEMBERS:
        network.end(member)
    shutil.rmtree(network.folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["up", "down", "status", "kill", "stop", "continue",
                                            "restart"])
    parser.add_argument("folder")
    parser.add_argument("member", nargs="?", choices=MEMBERS)
    parser.add_argument("--programs")
    parser.add_argument("--chaincode")
    parser.add_argument("--channels", nargs="*", default=[])
    given = parser.parse_args()
    if given.command == "up":
        return up(given.folder, given.programs, given.chaincode, read_channels(given.channels))
    if given.command == "down":
        return down(given.folder)
    network = Network(given.folder)
    if given.command == "status":
        for member in MEMBERS:
            print(member, "runs" if network.pid(member) else "does not run")
        return None
    if given.member is None:
        parser.error(f"{given.command} needs a member")
    if given.command == "kill":
        network.signal(given.member, signal.SIGKILL)
        wait_for(lambda: network.pid(given.member) is None, f"the end of {given.member}")
    elif given.command == "restart":
        network.restart(given.member)
    else:
        network.signal(given.member, signal.SIGSTOP if given.command == "stop" else signal.SIGCONT)
    return None


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"network: {failure}", file=sys.stderr)
        sys.exit(1)
