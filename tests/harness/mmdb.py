"""Writes a small MaxMind-format database: IPv4 networks → records."""

import ipaddress
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

_MARKER = b"\xab\xcd\xefMaxMind.com"
_STRING, _DOUBLE, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 3, 5, 6, 7, 9, 11
_RECORD_BITS = 24


class _Uint(NamedTuple):
    """A number of the type that readers insist on."""

    kind: int
    value: int


def write_mmdb(path: Path, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a database with one record for each network."""
    nodes: list[list[int | None]] = [[None, None]]
    data = b""
    leaves: list[tuple[int, int, int]] = []
    for network, record in records.items():
        leaves.append((*_leaf(nodes, network), len(data)))
        data += _encode(record)
    for node, bit, offset in leaves:
        nodes[node][bit] = len(nodes) + 16 + offset
    tree = b"".join(
        (len(nodes) if branch is None else branch).to_bytes(3, "big")
        for node in nodes
        for branch in node
    )
    metadata = {
        "binary_format_major_version": _Uint(_UINT16, 2),
        "binary_format_minor_version": _Uint(_UINT16, 0),
        "build_epoch": _Uint(_UINT64, 1),
        "database_type": "Test-City",
        "description": {"en": "made by a test"},
        "ip_version": _Uint(_UINT16, 4),
        "languages": ["en"],
        "node_count": _Uint(_UINT32, len(nodes)),
        "record_size": _Uint(_UINT16, _RECORD_BITS),
    }
    path.write_bytes(tree + bytes(16) + data + _MARKER + _encode(metadata))


def _leaf(nodes: list[list[int | None]], network: str) -> tuple[int, int]:
    """Grow the tree down to `network`; return its last node and branch."""
    parsed = ipaddress.IPv4Network(network)
    bits = f"{int(parsed.network_address):032b}"[: parsed.prefixlen]
    node = 0
    for bit in map(int, bits[:-1]):
        branch = nodes[node][bit]
        if branch is None:
            nodes.append([None, None])
            branch = nodes[node][bit] = len(nodes) - 1
        node = branch
    return node, int(bits[-1])


def _encode(value: Any) -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return _control(_STRING, len(raw)) + raw
    if isinstance(value, float):
        return _control(_DOUBLE, 8) + struct.pack(">d", value)
    if isinstance(value, _Uint):
        raw = value.value.to_bytes(8, "big").lstrip(b"\0")
        return _control(value.kind, len(raw)) + raw
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_encode, value))
    pairs = (_encode(key) + _encode(item) for key, item in value.items())
    return _control(_MAP, len(value)) + b"".join(pairs)


def _control(kind: int, size: int) -> bytes:
    assert size < 29 + 256
    extended = kind > 7
    first = (0 if extended else kind) << 5
    more = bytes([kind - 7]) if extended else b""
    if size < 29:
        return bytes([first | size]) + more
    return bytes([first | 29]) + more + bytes([size - 29])
