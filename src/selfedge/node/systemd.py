"""Tells systemd how far the node is, where it was started by a unit that asks."""

import contextlib
import socket

from selfedge.types import Environ

READY = "READY=1"
STOPPING = "STOPPING=1"


def tell(state: str, environ: Environ) -> None:
    """Send `state` to the socket that NOTIFY_SOCKET names, if there is one."""
    path = environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one,
    ):
        one.sendto(state.encode(), address)
