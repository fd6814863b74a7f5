"""What the kernel tells of connections: whose they are, and when they were used."""

import os
import socket
import time

from selfedge.supervisor.connections import active_connections


def test_connections_that_were_used_lately_are_counted():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def used(within_s):
            return active_connections(os.getpid(), [port], within_s)

        assert used(60) == 0
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listener.accept()
            with accepted:
                client.sendall(b"x")
                assert used(60) == 1
                while time.monotonic() - began < 0.2:
                    assert used(60) == 1
                assert used(0.01) == 0  # it has been quiet for longer
                client.sendall(b"x")
                assert used(10) == 1
        assert used(60) == 0


def test_connections_of_other_processes_are_not_counted():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address) as client:
            client.sendall(b"x")
            accepted, _ = listener.accept()
            with accepted:
                assert active_connections(os.getppid(), [address[1]], 60) == 0


def test_ipv6_is_seen_too():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        address = listener.getsockname()
        with socket.create_connection(address[:2]) as client:
            client.sendall(b"x")
            accepted, _ = listener.accept()
            with accepted:
                assert active_connections(os.getpid(), [address[1]], 60) == 1
