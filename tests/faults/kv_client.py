"""What was put into a KV and acknowledged, and a check that it is there."""

import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

WRITERS = 16
_KEYS_EACH = 12
_TTL = 100_000


@dataclass(frozen=True)
class Put:
    """What a put wrote; `expires` is the range in which its expiration must lie."""

    value: bytes
    metadata: Any
    expires: tuple[int, int] | None


@dataclass
class Journal:
    """For each key, what it may hold: the last acknowledged, and all tried since."""

    possible: dict[str, list[Put | None]] = field(
        default_factory=lambda: defaultdict(lambda: [None])
    )
    acknowledged: int = 0

    def tried(self, key: str, put: Put | None) -> None:
        self.possible[key].append(put)

    def done(self, key: str) -> None:
        del self.possible[key][:-1]
        self.acknowledged += 1

    def refused(self, key: str) -> None:
        self.possible[key].pop()


def session(path: Path) -> aiohttp.ClientSession:
    """Open a client of the KV on the unix socket `path`."""
    connector = aiohttp.UnixConnector(str(path), limit=WRITERS)
    return aiohttp.ClientSession("http://fake-host", connector=connector)


async def write(
    client: aiohttp.ClientSession, journal: Journal, random: Random, writer: int
) -> None:
    """Put and delete, one after another, until the connection breaks."""
    number = 0
    while True:
        number += 1
        key = f"writer {writer}/{random.randrange(_KEYS_EACH)}"
        if random.random() < 0.1:
            await delete(client, journal, key)
        else:
            size = random.choice([10, 100, 3000, 17_000, 90_000])
            value = f"{writer} {number} ".encode().ljust(size, b".")
            reason = await put(client, journal, key, value, ttl=random.random() < 0.5)
            assert reason is None, reason


async def put(
    client: aiohttp.ClientSession,
    journal: Journal,
    key: str,
    value: bytes,
    *,
    ttl: bool = False,
) -> str | None:
    """Put `value`; return the reason when it was refused."""
    now = int(time.time())
    expires = (now + _TTL, now + _TTL + 60) if ttl else None
    metadata = {"é": value[:20].decode()}
    journal.tried(key, Put(value, metadata, expires))
    target = f"/{quote(key, safe='')}?urlencoded=true"
    if ttl:
        target += f"&expiration_ttl={_TTL}"
    headers = {"CF-KV-Metadata": json.dumps(metadata, ensure_ascii=False)}
    async with client.put(_url(target), data=value, headers=headers) as reply:
        if reply.status == 200:
            journal.done(key)
            return None
        journal.refused(key)
        return reply.reason


async def delete(client: aiohttp.ClientSession, journal: Journal, key: str) -> None:
    """Delete `key`."""
    journal.tried(key, None)
    target = f"/{quote(key, safe='')}?urlencoded=true"
    async with client.delete(_url(target)) as reply:
        assert reply.status == 200, reply.reason
        journal.done(key)


async def check(client: aiohttp.ClientSession, journal: Journal) -> None:
    """Assert that every key holds what it may, and take that as acknowledged."""
    async with client.get("/") as reply:
        listed = {
            key["name"]: key for key in (await reply.json(content_type=None))["keys"]
        }
    assert listed.keys() <= journal.possible.keys()
    for key, possible in journal.possible.items():
        found = await _found(client, key, listed.get(key))
        matching = [put for put in possible if _is(put, found)]
        assert matching, f"{key} holds {found}, but may hold {possible}"
        journal.possible[key] = [matching[-1]]


Found = tuple[bytes, Any, int | None]


async def _found(
    client: aiohttp.ClientSession, key: str, listed: dict[str, Any] | None
) -> Found | None:
    target = f"/{quote(key, safe='')}?urlencoded=true"
    async with client.get(_url(target)) as reply:
        if reply.status == 404:
            assert listed is None, f"{key} is listed but cannot be read"
            return None
        assert reply.status == 200, reply.reason
        assert listed is not None, f"{key} can be read but is not listed"
        metadata = reply.headers["CF-KV-Metadata"]
        assert metadata == listed["metadata"]
        return await reply.read(), json.loads(metadata), listed.get("expiration")


def _is(put: Put | None, found: Found | None) -> bool:
    if put is None or found is None:
        return put is found
    value, metadata, expiration = found
    if (value, metadata) != (put.value, put.metadata):
        return False
    if put.expires is None or expiration is None:
        return put.expires is expiration
    return put.expires[0] <= expiration <= put.expires[1]


def _url(target: str) -> URL:
    return URL(target, encoded=True)
