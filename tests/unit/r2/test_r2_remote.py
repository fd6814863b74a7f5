"""Bodies in an S3-compatible store: R2 is the same, and the disk stays small."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from r2_support import blobs, chunks, read

from harness.store import KEYS, s3_store
from selfedge.bindings.r2 import errors
from selfedge.bindings.r2.model import Part, Range
from selfedge.bindings.r2.remote import Places, Remote, state_name
from selfedge.bindings.r2.remote import read as read_table
from selfedge.bindings.r2.service import R2Service
from selfedge.errors import StorageError, UsageError
from selfedge.storage.embedded import EmbeddedStorage

MIB = 1024 * 1024
LARGE = b"0123456789abcdef" * (MIB // 8)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of moto's
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A store that speaks S3, with the bucket `bodies`."""
    with s3_store("bodies") as url:
        yield url


@asynccontextmanager
async def opened(root: Path, endpoint: str | None) -> AsyncIterator[R2Service]:
    """Open the service with the store, or without one."""
    async with EmbeddedStorage(root) as storage:
        records, place = storage.records("r2"), storage.blobs("r2")
        used = place
        if endpoint is not None:
            from selfedge.bindings.r2.remote.bucket import BucketBlobs  # noqa: PLC0415

            remote = Remote(url="s3://bodies/some/prefix", endpoint=endpoint)
            there = BucketBlobs(remote, await state_name(records), KEYS)
            used = Places(place, there)
        service = R2Service(records=records, blobs=used, clock=lambda: 1.0)
        await service.remove_orphans()
        yield service


def test_objects_live_in_the_store(tmp_path: Path, endpoint: str) -> None:
    async def main() -> None:
        async with opened(tmp_path, endpoint) as r2:
            await r2.put("b", "large", chunks(*[LARGE[:70_000]] * 300))
            await r2.put("b", "small", b"small")
            asked = Range(offset=69_999, length=2)
            assert await read(r2, "b", "large", asked=asked) == b"f0"
            upload = await r2.create_upload("b", "parts")
            parts = [
                Part(
                    number=number,
                    etag=await r2.uploads.part("b", "parts", upload, number, value),
                )
                for number, value in enumerate((LARGE * 3, b"end"), 1)
            ]
            await r2.uploads.complete("b", "parts", upload, parts)
        assert blobs(tmp_path) == 0
        async with opened(tmp_path, endpoint) as r2:
            assert await read(r2, "b", "large") == LARGE[:70_000] * 300
            assert await read(r2, "b", "parts") == LARGE * 3 + b"end"
            await r2.delete("b", ["large", "parts", "small"])

    asyncio.run(main())


def test_what_is_on_the_disk_stays_readable(tmp_path: Path, endpoint: str) -> None:
    async def main() -> None:
        async with opened(tmp_path, None) as r2:
            await r2.put("b", "old", LARGE)
        async with opened(tmp_path, endpoint) as r2:
            await r2.put("b", "new", LARGE)
            assert await read(r2, "b", "old") == LARGE
            await r2.delete("b", ["old"])
        assert blobs(tmp_path) == 0
        async with opened(tmp_path, endpoint) as r2:
            assert await read(r2, "b", "new") == LARGE

    asyncio.run(main())


def test_another_state_directory_keeps_its_objects(
    tmp_path: Path, endpoint: str
) -> None:
    """Two nodes may share a prefix: neither sweeps what is the other's."""

    async def main() -> None:
        for name in ("one", "two", "one"):
            async with opened(tmp_path / name, endpoint) as r2:
                await r2.put("b", f"by {name}", LARGE)
        async with opened(tmp_path / "two", endpoint) as r2:
            assert await read(r2, "b", "by two") == LARGE

    asyncio.run(main())


def test_an_upload_that_is_cut_stores_nothing(tmp_path: Path, endpoint: str) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield LARGE * 5
        raise ConnectionResetError

    async def main() -> None:
        async with opened(tmp_path, endpoint) as r2:
            with pytest.raises((ConnectionResetError, StorageError)):
                await r2.put("b", "k", cut())
            with pytest.raises(errors.NoSuchKey):
                await r2.head("b", "k")

    asyncio.run(main())


def test_a_store_that_does_not_answer_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        remote = Remote(url="s3://bodies/x", endpoint="http://127.0.0.1:9")
        from selfedge.bindings.r2.remote.bucket import BucketBlobs  # noqa: PLC0415

        with pytest.raises(StorageError, match=r"s3://bodies/x of \[r2\]"):
            await BucketBlobs(remote, "state", KEYS).delete("blob")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[r2]\nurl = "http://x"', "url"),
        ("[r2]\nurl = 5", "url"),
        ("[r2]", "url"),
        ("r2 = 5", "r2"),
        ('[r2]\nurl = "s3://b"\nbucket = "x"', "bucket"),
        ("[r2", "selfedge.toml"),
    ],
)
def test_a_wrong_table_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "selfedge.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_table(file)


def test_no_table_is_no_store(tmp_path: Path) -> None:
    file = tmp_path / "selfedge.toml"
    assert read_table(None) is None
    assert read_table(file) is None
    file.write_text("[ai]\n")
    assert read_table(file) is None


def test_a_key_that_is_not_set_is_told() -> None:
    remote = Remote(url="s3://b", key_env="MY_KEY", secret_env="MY_SECRET")
    with pytest.raises(UsageError, match="MY_SECRET"):
        remote.keys({"MY_KEY": "x"})
    assert remote.keys({"MY_KEY": "x", "MY_SECRET": "y"}) == ("x", "y")
