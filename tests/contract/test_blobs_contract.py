"""What any engine's Blobs must do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from storage_engines import Engine

from selfedge.errors import StorageError
from selfedge.storage.contract import Blobs


def within(
    engine: Engine, root: Path, body: Callable[[Blobs], Awaitable[object]]
) -> object:
    async def main() -> object:
        async with engine(root) as storage:
            return await body(storage.blobs("test"))

    return asyncio.run(main())


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(blobs: Blobs, blob: str, *span: int) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(blob, *span)])


@pytest.mark.parametrize(
    "parts",
    [(), (b"",), (b"abc",), (b"a", b"", b"bc"), (b"x" * 300_000, b"y" * 700_001)],
    ids=["nothing", "empty", "one", "several", "large"],
)
def test_a_blob_is_read_as_it_was_written(
    engine: Engine, tmp_path: Path, parts: tuple[bytes, ...]
) -> None:
    async def body(blobs: Blobs) -> None:
        blob, size = await blobs.write(chunks(*parts))
        assert size == sum(map(len, parts))
        assert await read(blobs, blob) == b"".join(parts)
        assert await blobs.ids() == [blob]

    within(engine, tmp_path, body)


def test_blobs_are_there_after_reopening(engine: Engine, tmp_path: Path) -> None:
    blob, _ = within(engine, tmp_path, lambda blobs: blobs.write(chunks(b"abc")))
    assert within(engine, tmp_path, lambda blobs: read(blobs, blob)) == b"abc"


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (0, 1), (5, 9), (0, 262_144), (262_143, 262_145), (600_000, 999_999)],
)
def test_a_range_is_half_open_and_ends_with_the_blob(
    engine: Engine, tmp_path: Path, start: int, end: int
) -> None:
    data = bytes(range(256)) * 2400

    async def body(blobs: Blobs) -> None:
        blob, _ = await blobs.write(chunks(data))
        assert await read(blobs, blob, start, end) == data[start:end]
        assert await read(blobs, blob, start) == data[start:]

    within(engine, tmp_path, body)


def test_a_cut_upload_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield b"x" * 600_000
        raise ConnectionResetError("the client has gone")

    async def body(blobs: Blobs) -> None:
        with pytest.raises(ConnectionResetError):
            await blobs.write(cut())
        assert await blobs.ids() == []

    within(engine, tmp_path, body)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_cancelled_upload_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    async def body(blobs: Blobs) -> None:
        under_way = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            yield b"x" * 300_000
            under_way.set()
            await asyncio.Event().wait()

        upload = asyncio.create_task(blobs.write(endless()))
        await under_way.wait()
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        assert await blobs.ids() == []

    within(engine, tmp_path, body)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_deleted_blob_is_gone_and_deleting_again_is_no_error(
    engine: Engine, tmp_path: Path
) -> None:
    async def body(blobs: Blobs) -> None:
        blob, _ = await blobs.write(chunks(b"abc"))
        await blobs.delete(blob)
        await blobs.delete(blob)
        assert await blobs.ids() == []
        with pytest.raises(StorageError, match=blob):
            await read(blobs, blob)

    within(engine, tmp_path, body)


def test_a_reader_keeps_what_it_has_begun_to_read(
    engine: Engine, tmp_path: Path
) -> None:
    async def body(blobs: Blobs) -> None:
        blob, _ = await blobs.write(chunks(b"x" * 600_000))
        reading = blobs.read(blob)
        first = await anext(reading)
        await blobs.delete(blob)
        rest = [chunk async for chunk in reading]
        assert len(first) + sum(map(len, rest)) == 600_000

    within(engine, tmp_path, body)


def test_a_folder_of_its_own_is_there_for_who_asks(
    engine: Engine, tmp_path: Path
) -> None:
    async def main() -> None:
        async with engine(tmp_path) as storage:
            folder = storage.directory("vectors")
            assert folder.is_dir()
            assert folder != storage.directory("others")
            with pytest.raises(ValueError, match="not a name"):
                storage.directory("../elsewhere")

    asyncio.run(main())
