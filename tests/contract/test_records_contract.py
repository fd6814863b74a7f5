"""What any engine's Records must do."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from storage_engines import Engine

from selfedge.storage.contract import Records


def within(
    engine: Engine, root: Path, body: Callable[[Records], Awaitable[object]]
) -> object:
    """Run `body` on the records of a storage that is opened and closed for it."""

    async def main() -> object:
        async with engine(root) as storage:
            return await body(storage.records("test"))

    return asyncio.run(main())


def test_a_value_that_was_written_is_returned(engine: Engine, tmp_path: Path) -> None:
    async def body(records: Records) -> None:
        await records.write([(b"k", b"v"), (b"", b""), (b"\xff\x00", b"\x00" * 70_000)])
        assert await records.get(b"k") == b"v"
        assert await records.get(b"") == b""
        assert await records.get(b"\xff\x00") == b"\x00" * 70_000
        assert await records.get(b"K") is None

    within(engine, tmp_path, body)


def test_values_are_there_after_reopening(engine: Engine, tmp_path: Path) -> None:
    within(engine, tmp_path, lambda records: records.write([(b"k", b"v")]))
    assert within(engine, tmp_path, lambda records: records.get(b"k")) == b"v"


def test_deletes_come_after_puts_and_absent_keys_are_no_error(
    engine: Engine, tmp_path: Path
) -> None:
    async def body(records: Records) -> None:
        await records.write([(b"a", b"1"), (b"b", b"2")], [b"b", b"never"])
        assert await records.get(b"a") == b"1"
        assert await records.get(b"b") is None
        await records.write()

    within(engine, tmp_path, body)


def test_the_last_of_two_puts_of_one_key_wins(engine: Engine, tmp_path: Path) -> None:
    async def body(records: Records) -> None:
        await records.write([(b"k", b"1"), (b"k", b"2")])
        assert await records.get(b"k") == b"2"

    within(engine, tmp_path, body)


def test_scan_is_ordered_by_bytes_half_open_and_limited(
    engine: Engine, tmp_path: Path
) -> None:
    async def body(records: Records) -> None:
        keys = [b"a", b"a\x00", b"a\xff", b"b", "é".encode(), "😀".encode(), b"B"]
        await records.write([(key, key) for key in keys])
        everything = await records.scan(b"", b"\xff", 100)
        assert [key for key, _ in everything] == sorted(keys)
        assert [key for key, _ in await records.scan(b"a", b"b", 100)] == [
            b"a",
            b"a\x00",
            b"a\xff",
        ]
        assert len(await records.scan(b"a", b"b", 2)) == 2
        assert await records.scan(b"b", b"a", 100) == []

    within(engine, tmp_path, body)


def test_writes_that_run_together_are_all_kept_in_their_order(
    engine: Engine, tmp_path: Path
) -> None:
    async def body(records: Records) -> None:
        async with asyncio.TaskGroup() as tasks:
            for i in range(200):
                own = [(b"%d" % i, b"x"), (b"shared", b"%d" % i)]
                tasks.create_task(records.write(own))
        assert len(await records.scan(b"", b"\xff", 1000)) == 201
        assert await records.get(b"shared") == b"199"

    within(engine, tmp_path, body)


def test_a_write_whose_caller_gave_up_harms_no_other(
    engine: Engine, tmp_path: Path
) -> None:
    async def body(records: Records) -> None:
        given_up = asyncio.ensure_future(records.write([(b"a", b"1")]))
        other = asyncio.ensure_future(records.write([(b"b", b"2")]))
        await asyncio.sleep(0)
        given_up.cancel()
        await other
        assert await records.get(b"b") == b"2"

    within(engine, tmp_path, body)


def test_stores_of_different_names_do_not_mix(engine: Engine, tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(tmp_path) as storage:
            await storage.records("one").write([(b"k", b"1")])
            assert await storage.records("two").get(b"k") is None
            assert await storage.records("one").get(b"k") == b"1"

    asyncio.run(main())


def test_records_behave_as_a_sorted_dict(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run_state_machine_as_test(
        lambda: AgainstADict(engine, tmp_path_factory.mktemp("records")),
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None),
    )


_KEYS = st.binary(max_size=3)
_VALUES = st.binary(max_size=40)


class AgainstADict(RuleBasedStateMachine):
    """Does the same to Records and to a dict, reopening at any time."""

    def __init__(self, engine: Engine, root: Path) -> None:
        super().__init__()
        self.engine = engine
        self.root = root
        self.model: dict[bytes, bytes] = {}
        self.runner = asyncio.Runner()

    @initialize()
    def open(self) -> None:
        self.storage = self.engine(self.root)
        self.run(self.storage.__aenter__())
        self.records = self.storage.records("test")

    def run(self, awaitable: Awaitable[object]) -> object:
        async def main() -> object:
            return await awaitable

        return self.runner.run(main())

    @rule(puts=st.lists(st.tuples(_KEYS, _VALUES)), deletes=st.lists(_KEYS))
    def write(self, puts: list[tuple[bytes, bytes]], deletes: list[bytes]) -> None:
        self.run(self.records.write(puts, deletes))
        self.model.update(puts)
        for key in deletes:
            self.model.pop(key, None)

    @rule(key=_KEYS)
    def get(self, key: bytes) -> None:
        assert self.run(self.records.get(key)) == self.model.get(key)

    @rule(start=_KEYS, end=_KEYS, limit=st.integers(1, 5))
    def scan(self, start: bytes, end: bytes, limit: int) -> None:
        expected = sorted(i for i in self.model.items() if start <= i[0] < end)
        found = self.run(self.records.scan(start, end, limit))
        assert list(found) == expected[:limit]

    @rule()
    def reopen(self) -> None:
        self.run(self.storage.__aexit__(None, None, None))
        self.open()

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "records"):
            everything = self.run(self.records.scan(b"", b"\xff" * 4, 10_000))
            assert dict(everything) == self.model

    def teardown(self) -> None:
        if hasattr(self, "storage"):
            self.run(self.storage.__aexit__(None, None, None))
        self.runner.close()
