"""Writers of R2 that remember what was acknowledged."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

KEYS = 40
SIZES = (10, 5_000, 20_000, 400_000)
WRITERS = 6


@dataclass
class Journal:
    """What each key may hold: one value, or two while a write is not answered."""

    possible: dict[str, set[bytes | None]] = field(default_factory=dict)
    acknowledged: int = 0

    def begin(self, key: str, value: bytes | None) -> None:
        self.possible.setdefault(key, {None}).add(value)

    def done(self, key: str, value: bytes | None) -> None:
        self.possible[key] = {value}
        self.acknowledged += 1


def session(path: Path) -> aiohttp.ClientSession:
    """Return a client of the unix socket `path`."""
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(path)),
        timeout=aiohttp.ClientTimeout(total=20),
    )


async def put(client: aiohttp.ClientSession, key: str, value: bytes) -> str | None:
    """Put; return the error's message if it was refused."""
    fields = {"method": "put", "object": key}
    return await _write(client, fields, value)


async def delete(client: aiohttp.ClientSession, keys: list[str]) -> None:
    """Delete several."""
    error = await _write(client, {"method": "delete", "objects": keys}, b"")
    assert error is None, error


async def upload(client: aiohttp.ClientSession, key: str, value: bytes) -> None:
    """Put in parts; one part is enough."""
    made = await _asked(client, {"method": "createMultipartUpload", "object": key}, b"")
    one = {"object": key, "uploadId": made["uploadId"]}
    part = await _asked(client, {"method": "uploadPart", "partNumber": 1, **one}, value)
    parts = [{"part": 1, "etag": part["etag"]}]
    await _asked(
        client, {"method": "completeMultipartUpload", "parts": parts, **one}, b""
    )


async def get(client: aiohttp.ClientSession, key: str) -> bytes | None:
    """Return an object's bytes, whose checksum must be its own."""
    headers = {"CF-R2-Request": json.dumps({"method": "get", "object": key})}
    async with client.get("http://r2/", headers=headers) as answer:
        raw = await answer.read()
        if answer.status == 404:
            return None
        assert answer.status == 200, answer.headers
        size = int(answer.headers["CF-R2-Metadata-Size"])
    block, value = json.loads(raw[:size]), raw[size:]
    assert len(value) == block["size"], f"{key} is half there"
    md5 = hashlib.md5(value).hexdigest()  # noqa: S324
    assert block["checksums"].get("0", md5) == md5, f"{key} holds other bytes"
    return value


async def write(
    client: aiohttp.ClientSession, journal: Journal, random: Random, number: int
) -> None:
    """Write and delete the keys of one writer until the server has gone."""
    while True:
        key = f"k{number}-{random.randrange(KEYS // WRITERS)}"
        size = random.choice(SIZES)
        value = random.randbytes(16) * (size // 16 + 1)
        kind = random.choice(("put", "put", "upload", "delete"))
        journal.begin(key, None if kind == "delete" else value)
        if kind == "put":
            assert await put(client, key, value) is None
        elif kind == "upload":
            await upload(client, key, value)
        else:
            await delete(client, [key])
        journal.done(key, None if kind == "delete" else value)


async def check(client: aiohttp.ClientSession, journal: Journal) -> None:
    """Fail unless each key holds what it may; then it holds only that."""
    keys = list(journal.possible)
    found = await asyncio.gather(*(get(client, key) for key in keys))
    for key, value in zip(keys, found, strict=True):
        assert value in journal.possible[key], f"{key} lost an acknowledged write"
        journal.possible[key] = {value}


async def _asked(
    client: aiohttp.ClientSession, fields: dict[str, Any], body: bytes
) -> Any:
    block = json.dumps(fields).encode()
    headers = {"CF-R2-Metadata-Size": str(len(block))}
    async with client.put(
        "http://r2/", headers=headers, data=BytesIO(block + body)
    ) as answer:
        assert answer.status == 200, answer.headers
        return await answer.json(content_type=None)


async def _write(
    client: aiohttp.ClientSession, fields: dict[str, Any], body: bytes
) -> str | None:
    block = json.dumps(fields).encode()
    headers = {"CF-R2-Metadata-Size": str(len(block))}
    async with client.put(
        "http://r2/", headers=headers, data=BytesIO(block + body)
    ) as answer:
        await answer.read()
        if answer.status == 200:
            return None
        return str(json.loads(answer.headers["CF-R2-Error"])["message"])
