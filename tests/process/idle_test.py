"""Very many idle connections: each still answers, and everybody else is served beside them.

Usage: idle_test.py <flora-gateway>

With FLORA_SOAK=1 there are 10,000 of them, else 400. tests/bench/idle.py measures what they cost.
"""

import sys

import gateway as g
import idle

COUNT = 10_000 if g.SOAK else 400


def main(binary):
    idle.allow_descriptors(COUNT)
    with g.temporary_folder() as folder:
        config = g.config_with(folder, [g.ROOT / "adapters" / "de-ni-xauslaender"],
                               limits=f"{{connections: {COUNT + 1000}, idle_seconds: 3600}}")
        gateway = g.prepared(binary, folder, config=config)
        with g.running(gateway):
            connections = idle.opened(gateway.port, COUNT)
            assert gateway.metric("flora_http_connections_open") >= COUNT
            for number in range(50):
                assert gateway.client().submit(g.event(f"idle-{number}", f"IDLE{number}")).status == 201
            for connection in connections:
                idle.ask(connection)
            assert gateway.metric("flora_http_connections_refused_total") == 0
            for connection in connections:
                connection.close()
            g.wait_for(lambda: gateway.metric("flora_http_connections_open") < 10, "all are gone")
            assert gateway.stop() == 0
    print(f"{COUNT} idle connections: each answers again, others are served beside them")


if __name__ == "__main__":
    main(sys.argv[1])
