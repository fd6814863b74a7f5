"""What R2 keeps, frees, lets readers finish, and takes back."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from r2_support import Clock, blobs, chunks, opened, read, within

from selfedge.bindings.r2 import errors
from selfedge.bindings.r2.bodies import INLINE_MAX_BYTES
from selfedge.bindings.r2.model import ListQuery, Part, PutOptions, Range
from selfedge.bindings.r2.service import R2Service

MIB = 1024 * 1024
LARGE = b"0123456789abcdef" * (MIB // 8)


async def joined(service: R2Service, key: str, *parts: bytes) -> None:
    """Upload `parts` of an object."""
    upload = await service.create_upload("b", key)
    named = [
        Part(
            number=number,
            etag=await service.uploads.part("b", key, upload, number, part),
        )
        for number, part in enumerate(parts, 1)
    ]
    await service.uploads.complete("b", key, upload, named)


@pytest.mark.parametrize(
    "size", [0, 1, INLINE_MAX_BYTES, INLINE_MAX_BYTES + 1, 3 * MIB]
)
@pytest.mark.parametrize("streamed", [False, True])
def test_bytes_come_back(tmp_path: Path, size: int, *, streamed: bool) -> None:
    value = (LARGE * 2)[:size]

    async def body(service: R2Service) -> None:
        parts = [value[at : at + 60_000] for at in range(0, size, 60_000)]
        made = await service.put(
            "b", "k", chunks(*parts) if streamed else value, size=size
        )
        assert made.etag == hashlib.md5(value).hexdigest()  # noqa: S324
        assert await read(service, "b", "k") == value
        assert blobs(tmp_path) == (size > INLINE_MAX_BYTES)

    within(tmp_path, body)
    assert within(tmp_path, lambda service: read(service, "b", "k")) == value


def test_what_is_replaced_or_deleted_leaves_no_file(tmp_path: Path) -> None:
    async def body(service: R2Service) -> None:
        await service.put("b", "k", LARGE)
        await service.put("b", "k", LARGE[1:])
        assert blobs(tmp_path) == 1
        await joined(service, "k", LARGE * 3, b"end")
        assert blobs(tmp_path) == 2
        await service.put("b", "k", b"small")
        assert blobs(tmp_path) == 0
        await joined(service, "k", LARGE)
        await service.delete("b", ["k"])
        assert blobs(tmp_path) == 0

    within(tmp_path, body)


@pytest.mark.parametrize("upload", [False, True], ids=["put", "parts"])
def test_a_reader_under_way_finishes(tmp_path: Path, *, upload: bool) -> None:
    """Its object is deleted or replaced meanwhile; then the files are freed."""

    async def body(service: R2Service) -> None:
        value = LARGE * 3 + b"end"
        if upload:
            await joined(service, "k", LARGE * 3, b"end")
        else:
            await service.put("b", "k", value)
        found = await service.get("b", "k")
        await service.delete("b", ["k"])
        with pytest.raises(errors.NoSuchKey):
            await service.head("b", "k")
        assert await found.read() == value
        await found.aclose()
        assert blobs(tmp_path) == 0

    within(tmp_path, body)


def test_a_reader_that_never_reads_lets_go(tmp_path: Path) -> None:
    async def body(service: R2Service) -> None:
        await service.put("b", "k", LARGE)
        found = await service.get("b", "k")
        await service.delete("b", ["k"])
        await found.aclose()
        await found.aclose()
        assert blobs(tmp_path) == 0

    within(tmp_path, body)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1), (6 * MIB - 1, 2), (6 * MIB, 3), (12 * MIB - 5, 100), (0, 13 * MIB)],
)
def test_ranges_over_the_joints_of_parts(
    tmp_path: Path, offset: int, length: int
) -> None:
    whole = LARGE * 6 + b"the end"

    async def body(service: R2Service) -> None:
        await joined(service, "k", LARGE * 3, LARGE * 3, b"the end")
        asked = Range(offset=offset, length=length)
        got = await read(service, "b", "k", asked=asked)
        assert got == whole[offset : offset + length]

    within(tmp_path, body)


@pytest.mark.parametrize(
    ("value", "options", "size", "expected"),
    [
        (LARGE, PutOptions(digests={"sha1": b"x"}), None, errors.BadDigest),
        (LARGE, PutOptions(storage_class="Cold"), None, errors.InvalidArgument),
        (LARGE, PutOptions(), len(LARGE) + 1, errors.InvalidArgument),
        (b"x", PutOptions(), 2, errors.InvalidArgument),
    ],
)
def test_a_put_that_is_refused_changes_nothing(
    tmp_path: Path, value: bytes, options: PutOptions, size: int | None, expected: type
) -> None:
    async def body(service: R2Service) -> None:
        await service.put("b", "k", b"old")
        with pytest.raises(expected):
            await service.put("b", "k", chunks(value), options, size=size)
        assert await read(service, "b", "k") == b"old"
        assert blobs(tmp_path) == 0

    within(tmp_path, body)


def test_an_upload_that_is_cut_stores_nothing(tmp_path: Path) -> None:
    async def cut():
        yield LARGE
        raise ConnectionResetError

    async def body(service: R2Service) -> None:
        with pytest.raises(ConnectionResetError):
            await service.put("b", "k", cut())
        with pytest.raises(errors.NoSuchKey):
            await service.head("b", "k")
        assert blobs(tmp_path) == 0

    within(tmp_path, body)


def test_one_of_many_conditional_puts_wins(tmp_path: Path) -> None:
    """`if-none-match: *` is a lock: the check and the write are one step."""
    from selfedge.bindings.r2.model import Conditions, Etag  # noqa: PLC0415

    options = PutOptions(conditions=Conditions(etag_does_not_match=[Etag("wildcard")]))

    async def body(service: R2Service) -> None:
        tries = [
            service.put("b", "k", b"%d" % number + LARGE, options)
            for number in range(8)
        ]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        won = [one for one in outcomes if not isinstance(one, Exception)]
        lost = [one for one in outcomes if isinstance(one, errors.PreconditionFailed)]
        assert (len(won), len(lost)) == (1, 7)
        assert blobs(tmp_path) == 1

    within(tmp_path, body)


def test_puts_and_deletes_together_leave_one_state(tmp_path: Path) -> None:
    async def body(service: R2Service) -> None:
        work = [service.put("b", f"k{n % 3}", LARGE[: 20_000 + n]) for n in range(30)]
        work += [service.delete("b", ["k2", "k0", "k1"]) for _ in range(5)]
        await asyncio.gather(*work)
        page = await service.list("b", ListQuery())
        for found in page.objects:
            assert len(await read(service, "b", found.key)) == found.size
        assert blobs(tmp_path) == len(page.objects)

    within(tmp_path, body)


def test_files_that_no_object_names_are_swept_at_the_start(tmp_path: Path) -> None:
    async def body(service: R2Service) -> None:
        await service.put("b", "k", LARGE)
        upload = await service.create_upload("b", "u")
        await service.uploads.part("b", "u", upload, 1, b"part")
        (tmp_path / "r2" / "blobs" / ("0" * 32)).write_bytes(b"orphan")
        (tmp_path / "r2" / "blobs" / ("1" * 32 + ".part")).write_bytes(b"half")

    within(tmp_path, body)
    assert within(tmp_path, lambda service: read(service, "b", "k")) == LARGE
    assert blobs(tmp_path) == 2


def test_uploads_that_nobody_completes_end_after_a_week(tmp_path: Path) -> None:
    clock = Clock()

    async def main() -> None:
        async with opened(tmp_path, clock) as service:
            upload = await service.create_upload("b", "k")
            await service.uploads.part("b", "k", upload, 1, b"part")
            clock.now += 7 * 24 * 3600
            await service.sweep()
            assert blobs(tmp_path) == 1
            clock.now += 1
            await service.sweep()
            assert blobs(tmp_path) == 0
            with pytest.raises(errors.NoSuchUpload):
                await service.uploads.part("b", "k", upload, 2, b"part")

    asyncio.run(main())


def test_a_bucket_takes_its_uploads_with_it(tmp_path: Path) -> None:
    async def body(service: R2Service) -> None:
        upload = await service.create_upload("mine", "k")
        await service.uploads.part("mine", "k", upload, 1, b"part")
        await service.delete_bucket("mine")
        assert blobs(tmp_path) == 0
        with pytest.raises(errors.NoSuchBucket):
            await service.buckets.find("mine")

    within(tmp_path, body)


@pytest.mark.parametrize("number", [0, 10_001])
def test_part_numbers_have_bounds(tmp_path: Path, number: int) -> None:
    async def body(service: R2Service) -> None:
        upload = await service.create_upload("b", "k")
        with pytest.raises(errors.InvalidArgument, match="10000"):
            await service.uploads.part("b", "k", upload, number, b"part")

    within(tmp_path, body)


def test_buckets_do_not_mix(tmp_path: Path) -> None:
    names = ["a", "a/b", "a%2Fb", "ab", "eu/a"]

    async def body(service: R2Service) -> None:
        for name in names:
            await service.put(name, "b/k", name.encode())
        for name in names:
            assert await read(service, name, "b/k") == name.encode()
            assert len((await service.list(name, ListQuery())).objects) == 1
        assert sorted(names) == sorted(b.name for b in await service.buckets.all())

    within(tmp_path, body)


def test_a_bound_bucket_is_there_before_its_first_object(tmp_path: Path) -> None:
    async def body(service: R2Service) -> None:
        service.buckets.bound(["mine"])
        assert (await service.buckets.find("mine")).name == "mine"
        assert [one.name for one in await service.buckets.all()] == ["mine"]
        with pytest.raises(errors.NoSuchBucket):
            await service.buckets.find("other")

    within(tmp_path, body)


@pytest.mark.slow
def test_a_page_is_never_more_than_the_engine_reads(tmp_path: Path) -> None:
    """A thousand long keys make over a MiB of JSON: the page ends before."""
    from selfedge.bindings.r2 import wire  # noqa: PLC0415

    async def body(service: R2Service) -> None:
        keys = [f"{number:04}" + "\x01" * 1000 for number in range(400)]
        await asyncio.gather(*(service.put("b", key, b"") for key in keys))
        seen: list[str] = []
        query = ListQuery()
        while True:
            page = await service.list("b", query)
            assert len(wire.page_json(page)) <= MIB
            seen += [found.key for found in page.objects]
            if page.cursor is None:
                break
            query = ListQuery(cursor=page.cursor)
        assert seen == keys

    within(tmp_path, body)
