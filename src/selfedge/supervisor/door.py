"""Where the clients of a group of Workers come in."""

import socket
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from selfedge.supervisor.sockets import ClientPort

Sockets: TypeAlias = Mapping[str, socket.socket]
"""Listening sockets by the name that the engine's config has for them."""


class Door(Protocol):
    """Gives each process of a group sockets of its own, and leads clients to one."""

    def open(self, names: Sequence[str]) -> Sockets:
        """Return a listening socket for each of `names`, for one more process."""

    async def steer(self, to: Sockets) -> None:
        """Lead clients to these sockets from now on; return when it is so."""

    def close(self, given: Sockets) -> None:
        """Take back the sockets of a process that has ended."""

    def close_all(self) -> None:
        """Let nobody in any more."""


class Ports:
    """A door of TCP ports, by the name of their socket in the engine's config."""

    def __init__(self, ports: Mapping[str, ClientPort]) -> None:
        self._ports = ports

    def open(self, names: Sequence[str]) -> Sockets:
        """Return a listening socket of each port."""
        return {name: self._ports[name].open() for name in names}

    async def steer(self, to: Sockets) -> None:
        """Have the kernel send new connections there."""
        for name, one in to.items():
            self._ports[name].steer(one)

    def close(self, given: Sockets) -> None:
        """Take the sockets back for the next process."""
        for name, one in given.items():
            self._ports[name].close(one)

    def close_all(self) -> None:
        """Give up the ports."""
        for port in self._ports.values():
            port.close_all()


_: type[Door] = Ports
