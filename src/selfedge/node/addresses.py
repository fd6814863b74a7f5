"""Addresses to listen on, and how they are written in URLs."""

import os
import socket

from selfedge.errors import UsageError

BACKLOG = 128
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def listen_at(host: str, port: int) -> socket.socket:
    """Listen for callers of the API.

    Raises:
        UsageError: the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UsageError(
            f"the control API cannot listen on {host}:{port}: "
            f"{os.strerror(error.errno or 0)}. Choose another address with --api."
        ) from error


def shown(host: str) -> str:
    """Return `host` as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    return host in _LOOPBACK
