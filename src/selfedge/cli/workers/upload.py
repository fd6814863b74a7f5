"""A Worker as an upload says it: metadata, migrations and modules in a form; pure."""

import gzip
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from selfedge.binding import AnyBinding
from selfedge.bundle.model import Bundle
from selfedge.errors import UsageError
from selfedge.manifest.deployment import Deployment
from selfedge.manifest.model import Manifest

Entry = Mapping[str, Any]

MIGRATIONS = "migrations"
OTHERWISE = frozenset({MIGRATIONS, "triggers"})
"""Tables that are deployed in other ways than as bindings."""

KEPT = ("secret_text", "secret_key")
KEPT_WITH_VARS = ("plain_text", "json", *KEPT)
_TYPES = {
    "esModule": "application/javascript+module",
    "commonJsModule": "application/javascript",
    "wasm": "application/wasm",
    "data": "application/octet-stream",
    "text": "text/plain",
    "json": "application/json",
}
_MAP_TYPE = "application/source-map"


def entries(manifest: Manifest, bindings: Sequence[AnyBinding]) -> Sequence[Entry]:
    """Return the bindings of a wrangler file as the metadata of an upload has them.

    Raises:
        UsageError: a table cannot be deployed.
        msgspec.ValidationError: a table has a wrong shape.
    """
    known = {one.table: one for one in bindings if one.table is not None}
    found: list[Entry] = []
    for table, value in manifest.tables.items():
        if table in OTHERWISE or not value:
            continue
        upload = known[table].upload if table in known else None
        if upload is None or upload.entries is None:
            raise UsageError(f"`{table}` of {manifest.path} cannot be deployed yet")
        found += upload.entries(value)
    return found


def metadata(
    manifest: Manifest,
    told: Deployment,
    bindings: Sequence[Entry],
    annotations: Mapping[str, str],
    *,
    main_module: str | None,
) -> dict[str, Any]:
    """Return the part `metadata` of an upload; without a main module: files alone."""
    return {
        **({"main_module": main_module} if main_module is not None else {}),
        "bindings": list(bindings),
        "compatibility_date": manifest.compatibility_date,
        "compatibility_flags": list(manifest.compatibility_flags),
        "keep_bindings": list(KEPT_WITH_VARS if told.keep_vars else KEPT),
        **({"annotations": dict(annotations)} if annotations else {}),
        **told.version_keys(),
    }


def pending(manifest: Manifest, at: str | None) -> Mapping[str, Any] | None:
    """Return the migrations that come after the tag `at`; None when there are none.

    A Worker without a tag, or with one that the file does not know, gets all.
    """
    table: Any = manifest.tables.get(MIGRATIONS) or []
    tags = [one["tag"] for one in table]
    start = tags.index(at) + 1 if at in tags else 0
    if not table[start:]:
        return None
    steps = [
        {key: value for key, value in one.items() if key != "tag"}
        for one in table[start:]
    ]
    old = {"old_tag": at} if at else {}
    return {**old, "new_tag": tags[-1], "steps": steps}


def form(told: Mapping[str, Any], bundle: Bundle) -> tuple[bytes, str]:
    """Return the body of an upload and its content type."""
    boundary = f"selfedge-{uuid.uuid4().hex}"
    parts = [_part(boundary, 'name="metadata"', "", json.dumps(told).encode())]
    if "main_module" in told:
        parts += _code(boundary, bundle)
    body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={boundary}"


def _code(boundary: str, bundle: Bundle) -> list[bytes]:
    parts = [
        _file(boundary, module.name, _TYPES[module.type], module.content)
        for module in bundle.modules
    ]
    if bundle.source_map is not None:
        name = f"{bundle.modules[0].name}.map"
        parts.append(_file(boundary, name, _MAP_TYPE, bundle.source_map))
    return parts


def sizes(bundle: Bundle) -> tuple[int, int]:
    """Return how many bytes the modules have, and how many with gzip."""
    code = b"".join(module.content for module in bundle.modules)
    return len(code), len(gzip.compress(code, 6))


def _file(boundary: str, name: str, kind: str, content: bytes) -> bytes:
    quoted = name.replace('"', "%22")
    head = f'name="{quoted}"; filename="{quoted}"'
    return _part(boundary, head, f"Content-Type: {kind}\r\n", content)


def _part(boundary: str, head: str, kind: str, content: bytes) -> bytes:
    start = f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n{kind}\r\n"
    return start.encode() + content + b"\r\n"
