"""Many connections that are kept alive and do nothing. For tests and benchmarks."""

import resource
import socket

import gateway as g

PER_ADDRESS = 1000  # Below the limit of the gateway for one address.
REQUEST = b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n"


def allow_descriptors(count):
    """Raises the soft limit of this process as far as so many connections need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + 200
    assert hard == resource.RLIM_INFINITY or hard >= needed, f"{needed} open descriptors are needed, {hard} allowed"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))


def ask(connection):
    """One request and its whole answer, on a connection that stays open."""
    connection.sendall(REQUEST)
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(4096)
        assert piece, "the connection has ended"
        answer += piece
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(4096)


def opened(port, count, tls=None):
    """So many connections from several addresses, each of which has asked once. With `tls`, an
    ssl.SSLContext, over TLS."""
    connections = []
    for number in range(count):
        source = f"127.0.{1 + number // PER_ADDRESS}.1"
        connection = socket.create_connection(("127.0.0.1", port), g.DEADLINE, (source, 0))
        if tls:
            connection = tls.wrap_socket(connection, server_hostname="localhost")
        ask(connection)
        connections.append(connection)
    return connections
