"""R2 does what a dict would, whatever is done in whatever order, over restarts."""

import asyncio
import hashlib
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
)
from r2_support import opened, read

from selfedge.bindings.r2 import errors
from selfedge.bindings.r2.model import (
    Conditions,
    Etag,
    ListQuery,
    Part,
    PutOptions,
    Range,
)
from selfedge.bindings.r2.service import R2Service

KEYS = st.sampled_from(
    ["a", "a/b", "a/b/c", "a/c", "b", "é", "é/1", "/", "//", "\x00", "😀", "a\x7f"]
)
VALUES = st.one_of(
    st.binary(max_size=40),
    st.integers(16_000, 70_000).map(bytes),
)
BUCKET = "b"


def md5(value: bytes) -> str:
    return hashlib.md5(value).hexdigest()  # noqa: S324


def expected(keys: list[str], query: ListQuery) -> tuple[list[str], list[str]]:
    """Return all objects and prefixes of a list."""
    items: list[tuple[str, bool]] = []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(query.prefix) or (
            query.start_after and key.encode() <= query.start_after.encode()
        ):
            continue
        at = key.find(query.delimiter, len(query.prefix)) if query.delimiter else -1
        item = (key, False) if at < 0 else (key[: at + len(query.delimiter)], True)
        if item not in items:
            items.append(item)
    objects = [text for text, shared in items if not shared]
    return objects, [text for text, shared in items if shared]


class R2Machine(RuleBasedStateMachine):
    """R2 beside a dict."""

    uploads = Bundle("uploads")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.stack = AsyncExitStack()
        self.open()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def open(self) -> None:
        root = Path(self.folder.name)
        self.r2: R2Service = self.run(self.stack.enter_async_context(opened(root)))

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()

    @rule()
    def restart(self) -> None:
        self.run(self.stack.aclose())
        self.open()

    @rule(key=KEYS, value=VALUES)
    def put(self, key: str, value: bytes) -> None:
        made = self.run(self.r2.put(BUCKET, key, value))
        assert made.etag == md5(value)
        self.objects[key] = (value, made.etag)

    @rule(key=KEYS, value=VALUES, etag=st.sampled_from(["*", "current", "other"]))
    def put_if_none_match(self, key: str, value: bytes, etag: str) -> None:
        current = self.objects.get(key)
        names = {"current": current[1] if current else "none", "other": "other"}
        one = Etag("wildcard") if etag == "*" else Etag("strong", names[etag])
        options = PutOptions(conditions=Conditions(etag_does_not_match=[one]))
        holds = current is None or etag == "other"
        try:
            made = self.run(self.r2.put(BUCKET, key, value, options))
        except errors.PreconditionFailed:
            assert not holds
        else:
            assert holds
            self.objects[key] = (value, made.etag)

    @rule(keys=st.lists(KEYS, max_size=4))
    def delete(self, keys: list[str]) -> None:
        self.run(self.r2.delete(BUCKET, keys))
        for key in keys:
            self.objects.pop(key, None)

    @rule(key=KEYS, offset=st.integers(0, 80_000), length=st.integers(1, 80_000))
    def read_a_range(self, key: str, offset: int, length: int) -> None:
        asked = Range(offset=offset, length=length)
        try:
            got = self.run(read(self.r2, BUCKET, key, asked=asked))
        except errors.NoSuchKey:
            assert key not in self.objects
        except errors.InvalidRange:
            assert offset >= len(self.objects[key][0])
        else:
            assert got == self.objects[key][0][offset : offset + length]

    @rule(
        prefix=st.sampled_from(["", "a", "a/", "é", "x"]),
        delimiter=st.sampled_from(["", "/", "b/"]),
        limit=st.integers(1, 4),
        start_after=st.sampled_from(["", "a", "a/b", "b"]),
    )
    def pages(self, prefix: str, delimiter: str, limit: int, start_after: str) -> None:
        query = ListQuery(
            limit=limit, prefix=prefix, delimiter=delimiter, start_after=start_after
        )
        objects: list[str] = []
        prefixes: list[str] = []
        cursor = None
        while True:
            page = self.run(self.r2.list(BUCKET, _at(query, cursor)))
            assert len(page.objects) + len(page.prefixes) <= limit
            objects += [found.key for found in page.objects]
            prefixes += page.prefixes
            cursor = page.cursor
            if cursor is None:
                break
        assert (objects, prefixes) == expected([*self.objects], query)

    @rule(target=uploads, key=KEYS)
    def begin(self, key: str) -> tuple[str, str]:
        upload = self.run(self.r2.create_upload(BUCKET, key))
        self.parts[upload] = {}
        return key, upload

    @rule(one=uploads, number=st.integers(1, 3), value=VALUES)
    def part(self, one: tuple[str, str], number: int, value: bytes) -> None:
        key, upload = one
        etag = self.run(self.r2.uploads.part(BUCKET, key, upload, number, value))
        assert etag == md5(value)
        self.parts[upload][number] = value

    @rule(one=consumes(uploads))
    def abort(self, one: tuple[str, str]) -> None:
        self.run(self.r2.uploads.abort(BUCKET, *one))
        del self.parts[one[1]]

    @rule(one=consumes(uploads), data=st.data())
    def complete_with_one_part(self, one: tuple[str, str], data: Any) -> None:
        """Parts of this size can only be the last."""
        key, upload = one
        uploaded = self.parts.pop(upload)
        if not uploaded:
            self.run(self.r2.uploads.abort(BUCKET, key, upload))
            return
        number = data.draw(st.sampled_from(sorted(uploaded)))
        value = uploaded[number]
        named = [Part(number=number, etag=md5(value))]
        made = self.run(self.r2.uploads.complete(BUCKET, key, upload, named))
        assert made.etag.endswith("-1")
        self.objects[key] = (value, made.etag)

    @invariant()
    def all_is_as_in_the_dict(self) -> None:
        for key, (value, etag) in self.objects.items():
            found = self.run(self.r2.head(BUCKET, key))
            assert (found.etag, found.size) == (etag, len(value))
            assert self.run(read(self.r2, BUCKET, key)) == value

    @invariant()
    def nothing_else_is_on_disk(self) -> None:
        files = list((Path(self.folder.name) / "r2" / "blobs").iterdir())
        names = sum(len(parts) for parts in self.parts.values())
        empty = sum(not v for parts in self.parts.values() for v in parts.values())
        held = sum(
            bool(value) and (len(value) > 16 * 1024 or etag.endswith("-1"))
            for value, etag in self.objects.values()
        )
        assert len(files) == names - empty + held


def _at(query: ListQuery, cursor: str | None) -> ListQuery:
    return ListQuery(
        limit=query.limit,
        prefix=query.prefix,
        delimiter=query.delimiter,
        start_after=query.start_after,
        cursor=cursor,
    )


TestR2 = R2Machine.TestCase
TestR2.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
