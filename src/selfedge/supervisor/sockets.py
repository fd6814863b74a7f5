"""Listening sockets that we own and lend to engine processes."""

import contextlib
import ctypes
import errno
import os
import socket
import struct
from pathlib import Path

from selfedge.errors import UsageError
from selfedge.supervisor.ports import owner_of_port

BACKLOG = 4096
_ATTACH_REUSEPORT_CBPF = 51  # SO_ATTACH_REUSEPORT_CBPF of Linux
_BPF_RETURN_CONSTANT = 0x06


class ClientPort:
    """One TCP port for a row of processes: each has a listening socket of its own.

    All sockets share the port (SO_REUSEPORT). A one-instruction program in the
    kernel sends each new connection to the socket of the process that is current,
    so a process that is about to stop gets none, and one that has not started yet
    finds them waiting in its backlog. Where the kernel cannot do that, all
    processes share one socket, and the old one forwards what it accepts.
    """

    def __init__(self, host: str, port: int) -> None:
        """Take the port; 0 takes any that is free.

        Raises:
            UsageError: the port is in use, or `host` is not an address here.
        """
        self.host = host
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        _probe(self._family, host, port)
        self._port = port
        self._sockets = [self._listen()]  # in the kernel's order
        self._port = self._sockets[0].getsockname()[1]
        self._free = list(self._sockets)
        self._steers = _steer(self._sockets[0], 0)

    @property
    def port(self) -> int:
        """The number of the port."""
        return self._port

    @property
    def steers(self) -> bool:
        """Whether the kernel sends connections where we say."""
        return self._steers

    def open(self) -> socket.socket:
        """Return a listening socket for one more process."""
        if self._free:
            return self._free.pop()
        if not self._steers:
            return self._sockets[0].dup()
        self._sockets.append(self._listen())
        return self._sockets[-1]

    def steer(self, to: socket.socket) -> None:
        """Send all connections from now on to the socket `to`."""
        if self._steers:
            _steer(to, self._sockets.index(to))

    def close(self, one: socket.socket) -> None:
        """Take back a socket whose process has ended.

        It stays open for the next process: closing it would move others to new
        places in the kernel's row, and connections would go astray meanwhile.
        """
        if one in self._sockets:
            cut_off(one)
            self._free.append(one)
        else:
            one.close()

    def close_all(self) -> None:
        """Give up the port."""
        for one in self._sockets:
            one.close()

    def _listen(self) -> socket.socket:
        one = socket.socket(self._family, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind((self.host, self._port))
        one.listen(BACKLOG)
        return one


def cut_off(one: socket.socket) -> None:
    """Close connections that wait in vain: their process hung, and has ended."""
    one.setblocking(False)  # noqa: FBT003 - the name says it
    with contextlib.suppress(OSError):
        while True:
            one.accept()[0].close()


def listen_unix(path: Path) -> socket.socket:
    """Listen on `path`, replacing what a dead process left there."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.bind(str(path))
    one.listen(BACKLOG)
    return one


class Entrance:
    """A unix socket that takes the place of its predecessor's at the same path."""

    def __init__(self, path: Path, base: Path) -> None:
        self._path = path
        self._fresh = base.with_suffix(f".{path.name}")
        self.socket = listen_unix(self._fresh)
        self._inode = self._fresh.stat().st_ino

    def publish(self) -> None:
        """Let new connections to the path come here."""
        if self._fresh.exists():
            self._fresh.replace(self._path)

    def close(self) -> None:
        """Let nobody in; a successor's socket at the path stays."""
        self.socket.close()
        self._fresh.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()


def _probe(family: int, host: str, port: int) -> None:
    """Bind without SO_REUSEPORT once: sharing with a stranger would split traffic."""
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as error:
            raise UsageError(_refusal(host, port, error)) from error


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        owner = owner_of_port(port)
        by = f" by {owner}" if owner else ""
        return f"port {port} is in use{by}. Choose another: --port 0 takes any."
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights. Choose one above 1023: --port 8787."
    return f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}."


def _steer(member: socket.socket, index: int) -> bool:
    program = ctypes.create_string_buffer(
        struct.pack("HBBI", _BPF_RETURN_CONSTANT, 0, 0, index)
    )
    filters = struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
    try:
        member.setsockopt(socket.SOL_SOCKET, _ATTACH_REUSEPORT_CBPF, filters)
    except OSError:
        return False
    return True
