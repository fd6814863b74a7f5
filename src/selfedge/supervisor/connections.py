"""TCP connections of a process, as the kernel knows them (NETLINK_SOCK_DIAG)."""

import socket
import struct
from collections.abc import Collection, Iterator
from pathlib import Path

from selfedge.supervisor.ports import socket_inodes

_SOCK_DIAG = 4  # protocol of netlink; also the module's name, sock_diag
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
_DONE, _ERROR = 3, 2
_ESTABLISHED = 1
_INFO = 2  # INET_DIAG_INFO: struct tcp_info
_HEADER = struct.Struct("=IHHII")
_MESSAGE_BYTES = 72  # struct inet_diag_msg, after the header
_INODE_AT = 68
_LAST_DATA_RECEIVED_AT = 52  # in struct tcp_info: milliseconds ago
_ANSWER_TIMEOUT_S = 0.2


def active_connections(pid: int, ports: Collection[int], within_s: float) -> int:
    """Count connections to `ports` of which process `pid` heard in the last seconds.

    0 where the kernel does not tell.
    """
    mine = socket_inodes(Path("/proc", str(pid)))
    within_ms = within_s * 1000
    try:
        return sum(
            age_ms <= within_ms and f"socket:[{inode}]" in mine
            for port in ports
            for family in (socket.AF_INET, socket.AF_INET6)
            for inode, age_ms in _connections(family, port)
        )
    except OSError:  # a kernel without sock_diag, or a sandbox that forbids it
        return 0


def _connections(family: int, port: int) -> Iterator[tuple[int, int]]:
    """Yield inode and milliseconds since the last data, of each connection."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as asking:
        asking.settimeout(_ANSWER_TIMEOUT_S)
        asking.send(_request(family, port))
        while True:
            answer = asking.recv(1 << 16)
            while answer:
                length, kind, *_ = _HEADER.unpack_from(answer)
                if kind in (_DONE, _ERROR):
                    return
                body = answer[_HEADER.size : length]
                local = struct.unpack_from(">H", body, 4)[0]
                if local == port:  # the request's port is a hint on some kernels
                    yield struct.unpack_from("=I", body, _INODE_AT)[0], _age_ms(body)
                answer = answer[_aligned(length) :]


def _request(family: int, port: int) -> bytes:
    head = struct.pack(
        "=BBBBI", family, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0, 1 << _ESTABLISHED
    )
    # struct inet_diag_sockid: our port, then any peer, interface and cookie
    body = head + struct.pack(">H", port) + bytes(38) + b"\xff" * 8
    return _HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _DUMP, 1, 0) + body


def _age_ms(body: bytes) -> int:
    at = _MESSAGE_BYTES
    while at < len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if kind == _INFO:
            found: int = struct.unpack_from(
                "=I", body, at + 4 + _LAST_DATA_RECEIVED_AT
            )[0]
            return found
        at += _aligned(length)
    return 0  # it does not say: take it for busy


def _aligned(length: int) -> int:
    return (length + 3) & ~3
