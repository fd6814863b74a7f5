"""What the embedded engine promises beyond the contract: faults, in clear words."""

import asyncio
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from selfedge.errors import StorageError
from selfedge.storage.embedded import EmbeddedStorage


def open_records(root: Path) -> None:
    async def main() -> None:
        async with EmbeddedStorage(root) as storage:
            storage.records("kv")

    asyncio.run(main())


def test_a_clean_close_leaves_one_file(tmp_path: Path) -> None:
    async def main() -> None:
        async with EmbeddedStorage(tmp_path) as storage:
            await storage.records("kv").write([(b"k", b"v")])

    asyncio.run(main())
    assert [path.name for path in (tmp_path / "kv").iterdir()] == ["records.sqlite"]


def test_a_write_on_its_way_is_kept_by_a_clean_close(tmp_path: Path) -> None:
    async def main() -> None:
        async with EmbeddedStorage(tmp_path) as storage:
            write = asyncio.ensure_future(storage.records("kv").write([(b"k", b"v")]))
            await asyncio.sleep(0)
        await write
        async with EmbeddedStorage(tmp_path) as storage:
            assert await storage.records("kv").get(b"k") == b"v"

    asyncio.run(main())


def test_a_damaged_file_is_named_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "kv" / "records.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but it is all that I have" * 100)
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"records\.sqlite is damaged.*mv") as caught:
        open_records(tmp_path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_damage_that_a_read_meets_later_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        async with EmbeddedStorage(tmp_path) as storage:
            await storage.records("kv").write(
                [(b"%d" % i, b"v" * 1000) for i in range(500)]
            )
        path = tmp_path / "kv" / "records.sqlite"
        data = bytearray(path.read_bytes())
        data[8192:] = b"\xa5" * (len(data) - 8192)
        path.write_bytes(data)
        async with EmbeddedStorage(tmp_path) as storage:
            with pytest.raises(StorageError, match=r"records\.sqlite is damaged"):
                await storage.records("kv").scan(b"", b"\xff", 1000)
            with pytest.raises(StorageError, match=r"records\.sqlite is damaged"):
                await storage.records("kv").get(b"250")

    asyncio.run(main())


def test_the_move_that_the_error_tells_lets_it_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "kv" / "records.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"x" * 5000)
    with pytest.raises(StorageError) as caught:
        open_records(tmp_path)
    command = str(caught.value).split("move the file away: ")[1]
    subprocess.run(["/bin/sh", "-c", command], check=True)
    open_records(tmp_path)
    assert path.with_name("records.sqlite.damaged").read_bytes() == b"x" * 5000


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kv" / "records.sqlite"
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(StorageError, match=r"format 9.*another folder"):
        open_records(tmp_path)


def test_a_state_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StorageError, match="state"):
        open_records(tmp_path / "state")


def test_a_full_disk_is_an_error_that_names_the_folder_and_passes(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with EmbeddedStorage(tmp_path) as storage:
            records = storage.records("kv")
            await records.write([(b"old", b"v")])
            records._db.execute("PRAGMA max_page_count = 20")
            with pytest.raises(StorageError, match=r"disk.*/kv is full.*free"):
                await records.write([(b"large", b"x" * 200_000)])
            assert await records.get(b"old") == b"v"
            assert await records.get(b"large") is None
            await records.write([(b"small", b"v")])
            records._db.execute("PRAGMA max_page_count = 100000")
            await records.write([(b"large", b"x" * 200_000)])
            assert await records.get(b"large") == b"x" * 200_000

    asyncio.run(main())


def test_of_writes_in_one_commit_only_the_one_too_large_fails(tmp_path: Path) -> None:
    async def main() -> None:
        async with EmbeddedStorage(tmp_path) as storage:
            records = storage.records("kv")
            records._db.execute("PRAGMA max_page_count = 20")
            outcomes = await asyncio.gather(
                records.write([(b"a", b"1")]),
                records.write([(b"large", b"x" * 200_000)]),
                records.write([(b"b", b"2")]),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [
                type(None),
                StorageError,
                type(None),
            ]
            assert await records.get(b"a") == b"1"
            assert await records.get(b"b") == b"2"

    asyncio.run(main())


def test_uploads_that_a_crash_cut_are_removed_at_start(tmp_path: Path) -> None:
    folder = tmp_path / "kv" / "blobs"
    folder.mkdir(parents=True)
    (folder / "0123.part").write_bytes(b"half")
    (folder / "4567").write_bytes(b"whole")

    async def main() -> None:
        async with EmbeddedStorage(tmp_path) as storage:
            assert await storage.blobs("kv").ids() == ["4567"]

    asyncio.run(main())
    assert [path.name for path in folder.iterdir()] == ["4567"]


def test_a_blob_folder_that_has_gone_is_named(tmp_path: Path) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"x"

    async def main() -> None:
        async with EmbeddedStorage(tmp_path) as storage:
            blobs = storage.blobs("kv")
            (tmp_path / "kv" / "blobs").rmdir()
            with pytest.raises(StorageError, match="blobs"):
                await blobs.write(once())

    asyncio.run(main())
