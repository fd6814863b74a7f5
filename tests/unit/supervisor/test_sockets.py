"""One port for a row of processes: connections go where they are sent."""

import contextlib
import socket

import pytest

from selfedge.errors import UsageError
from selfedge.supervisor.ports import owner_of_port
from selfedge.supervisor.sockets import ClientPort


@contextlib.contextmanager
def client_port(port=0):
    opened = ClientPort("127.0.0.1", port)
    try:
        yield opened
    finally:
        opened.close_all()


def arrivals(port, listeners, count=12):
    """Return how many of `count` new connections each listener was given."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        return [_accepted(listener) for listener in listeners]


def _accepted(listener):
    listener.settimeout(0)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


def test_all_connections_go_to_the_socket_that_was_steered_to():
    with client_port() as port:
        first, second = port.open(), port.open()
        port.steer(first)
        assert arrivals(port.port, [first, second]) == [12, 0]
        port.steer(second)
        assert arrivals(port.port, [first, second]) == [0, 12]


def test_a_socket_that_was_taken_back_is_lent_again_and_gets_nothing_meanwhile():
    with client_port() as port:
        first, second = port.open(), port.open()
        port.steer(second)
        port.close(first)
        assert arrivals(port.port, [first, second]) == [0, 12]
        assert port.open() is first


def test_a_port_in_use_names_the_process_and_the_remedy():
    with client_port() as port, pytest.raises(UsageError) as caught:
        ClientPort("127.0.0.1", port.port)
    assert f"port {port.port} is in use by" in str(caught.value)
    assert "--port 0" in str(caught.value)


def test_an_address_that_is_not_ours_is_refused():
    with pytest.raises(UsageError, match=r"cannot listen on 203\.0\.113\.1"):
        ClientPort("203.0.113.1", 0)


def test_nobody_owns_a_port_on_which_nobody_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert owner_of_port(unused.getsockname()[1]) is None
