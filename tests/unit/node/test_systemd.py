"""A unit of Type=notify hears when the node is ready."""

import socket

from selfedge.node.systemd import READY, tell


def test_the_state_is_sent_to_the_socket_of_the_unit(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unit:
        unit.bind(path)
        tell(READY, {"NOTIFY_SOCKET": path})
        assert unit.recv(100) == b"READY=1"


def test_an_abstract_socket_is_one_too():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unit:
        unit.bind("\0selfedge-test-notify")
        tell(READY, {"NOTIFY_SOCKET": "@selfedge-test-notify"})
        assert unit.recv(100) == b"READY=1"


def test_without_a_unit_nothing_happens(tmp_path):
    tell(READY, {})
    tell(READY, {"NOTIFY_SOCKET": str(tmp_path / "gone")})
