"""The catalog on disk: one change at a time, whole or not at all."""

import asyncio
import resource
import stat
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from selfedge.catalog.files import explained
from selfedge.catalog.model import (
    Account,
    Assets,
    ScriptState,
    State,
    StoredModule,
    Version,
)
from selfedge.catalog.revisions import KEPT
from selfedge.catalog.store import Catalog
from selfedge.errors import StorageError

ID = "8a7d2a54-0000-4000-8000-000000000001"


@pytest.fixture
def heard():
    return []


@pytest.fixture
def catalog(tmp_path, heard):
    return Catalog.open(tmp_path, heard.append)


def named(name):
    """Return the edit that adds an account."""
    account = Account(id=name, name=name, subdomain=name, created_on="now")

    def edit(state):
        return msgspec.structs.replace(
            state, accounts={**state.accounts, name: account}
        )

    return edit


def with_script(*versions):
    script = ScriptState(
        name="w", tag="t", created_on="now", modified_on="now", versions=versions
    )

    def edit(state):
        account = msgspec.structs.replace(state.accounts["a"], scripts={"w": script})
        return msgspec.structs.replace(state, accounts={"a": account})

    return edit


def version(sha256, secret, version_id=ID):
    return Version(
        id=version_id,
        number=1,
        created_on="now",
        source="api",
        author="me",
        main_module="index.js",
        modules=(
            StoredModule(name="index.js", type="esModule", sha256=sha256, size_bytes=1),
        ),
        bindings=({"name": "S", "type": "secret_text", "secret": secret},),
        compatibility_date="2026-01-01",
    )


def revisions(tmp_path):
    return sorted(int(path.stem) for path in (tmp_path / "catalog").glob("*.json"))


def test_a_change_is_there_after_a_restart(tmp_path, catalog):
    state = asyncio.run(catalog.change(named("a")))
    assert state.revision == 1
    again = Catalog.open(tmp_path, print)
    assert again.state == state


def test_an_edit_that_raises_changes_nothing(tmp_path, catalog):
    def refuse(state):
        raise KeyError("no")

    with pytest.raises(KeyError):
        asyncio.run(catalog.change(refuse))
    assert catalog.state == State()
    assert revisions(tmp_path) == []
    assert asyncio.run(catalog.change(named("a"))).revision == 1


def test_the_same_state_is_no_new_revision(tmp_path, catalog):
    asyncio.run(catalog.change(lambda state: state))
    assert revisions(tmp_path) == []


def test_changes_at_the_same_time_all_count(catalog):
    async def all_of_them():
        await asyncio.gather(*(catalog.change(named(f"a{n}")) for n in range(20)))

    asyncio.run(all_of_them())
    assert catalog.state.revision == 20
    assert len(catalog.state.accounts) == 20


def test_a_cancelled_change_is_on_disk_and_in_memory_or_in_neither(tmp_path, catalog):
    async def cut():
        change = asyncio.ensure_future(catalog.change(named("a")))
        await asyncio.sleep(0)
        change.cancel()
        await asyncio.wait([change])

    asyncio.run(cut())
    assert Catalog.open(tmp_path, print).state == catalog.state


def test_only_the_newest_revisions_are_kept(tmp_path, catalog):
    async def many():
        for number in range(KEPT + 3):
            await catalog.change(named(f"a{number}"))

    asyncio.run(many())
    assert revisions(tmp_path) == list(range(4, KEPT + 4))


@pytest.mark.parametrize("damage", [b"", b"{", b'{"sha256":"00","state":{}}'])
def test_a_damaged_revision_is_told_and_the_one_before_counts(tmp_path, heard, damage):
    catalog = Catalog.open(tmp_path, heard.append)
    asyncio.run(catalog.change(named("a")))
    good = catalog.state
    asyncio.run(catalog.change(named("b")))
    (tmp_path / "catalog" / "2.json").write_bytes(damage)
    again = Catalog.open(tmp_path, heard.append)
    assert again.state == good
    assert len(heard) == 1
    assert "2.json is damaged" in heard[0]
    assert (tmp_path / "catalog" / "2.json.damaged").read_bytes() == damage
    assert asyncio.run(again.change(named("c"))).revision == 2


def test_a_flipped_bit_is_damage(tmp_path, heard, catalog):
    asyncio.run(catalog.change(named("aaaa")))
    path = tmp_path / "catalog" / "1.json"
    path.write_bytes(path.read_bytes().replace(b"aaaa", b"aaab"))
    with pytest.raises(StorageError, match="backup"):
        Catalog.open(tmp_path, heard.append)
    assert "checksum" in heard[0]


def test_a_full_disk_changes_nothing_and_says_so(tmp_path, catalog):
    """RLIMIT_FSIZE stands for the disk; its error is not ENOSPC, but fails alike."""
    asyncio.run(catalog.change(named("a")))
    before = catalog.state
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, limits[1]))
    try:
        with pytest.raises(StorageError):
            asyncio.run(catalog.change(named("b")))
        with pytest.raises(StorageError):
            asyncio.run(catalog.add_blob(b"x" * 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert catalog.state == before
    assert Catalog.open(tmp_path, print).state == before
    assert list(tmp_path.rglob("*.part")) == []


def test_a_full_device_is_told_with_the_remedy(tmp_path):
    with (
        pytest.raises(StorageError, match=r"is full\. .*free some space"),
        explained(tmp_path / "file"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"x")


def test_the_same_blob_may_come_from_several_at_once(tmp_path, catalog):
    async def all_of_them():
        same = (catalog.add_blob(b"x" * 100_000) for _ in range(20))
        assets = (catalog.add_asset("a", "ab", b"x" * 100_000, None) for _ in range(20))
        await asyncio.gather(*same, *assets)

    asyncio.run(all_of_them())
    assert catalog.asset("a", "ab").size_bytes == 100_000
    assert list(tmp_path.rglob("*.part")) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "catalog").write_text("a file")
    with pytest.raises(StorageError, match="catalog"):
        Catalog.open(tmp_path, print)


def test_versions_blobs_and_assets_come_back(tmp_path, catalog):
    async def add():
        digest = await catalog.add_blob(b"export default {}")
        assert await catalog.add_blob(b"export default {}") == digest
        await catalog.add_version(version(digest, "0" * 32))
        await catalog.add_asset("acc", "ab12", b"<p>", "text/html")
        return digest

    digest = asyncio.run(add())
    again = Catalog.open(tmp_path, print)
    assert again.version(ID) == version(digest, "0" * 32)
    assert again.version(ID) is again.version(ID)
    assert asyncio.run(again.blob(digest)) == b"export default {}"
    asset = again.asset("acc", "ab12")
    assert (asset.size_bytes, asset.content_type) == (3, "text/html")
    assert again.blob_file(asset.sha256).read_bytes() == b"<p>"
    assert again.asset("other", "ab12") is None


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "x" * 65])
def test_no_name_leads_out_of_the_folders(catalog, name):
    for call in (catalog.version, catalog.blob_file, catalog.reveal):
        with pytest.raises(StorageError):
            call(name)
    with pytest.raises(StorageError):
        catalog.asset("acc", name)


def test_a_blob_that_changed_is_not_given(catalog):
    digest = asyncio.run(catalog.add_blob(b"good"))
    catalog.blob_file(digest).write_bytes(b"evil")
    with pytest.raises(StorageError, match="damaged"):
        asyncio.run(catalog.blob(digest))


def test_a_secret_is_nowhere_readable_and_comes_back(tmp_path, catalog):
    secret = asyncio.run(catalog.seal("hunter2 ☃"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(b"hunter2" in path.read_bytes() for path in files)
    key = tmp_path / "secrets" / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert Catalog.open(tmp_path, print).reveal(secret) == "hunter2 ☃"


def test_a_lost_or_foreign_key_is_told_and_never_replaced(tmp_path, catalog):
    secret = asyncio.run(catalog.seal("x"))
    key = tmp_path / "secrets" / "key"
    key.write_bytes(b"k" * 32)
    with pytest.raises(StorageError, match="another node's"):
        Catalog.open(tmp_path, print).reveal(secret)
    key.unlink()
    with pytest.raises(StorageError, match="is gone"):
        asyncio.run(Catalog.open(tmp_path, print).seal("y"))
    assert not key.exists()


def test_a_sealed_value_cannot_be_put_in_place_of_another(tmp_path, catalog):
    one, two = (asyncio.run(catalog.seal(text)) for text in "ab")
    (tmp_path / "secrets" / one).write_bytes((tmp_path / "secrets" / two).read_bytes())
    with pytest.raises(StorageError):
        catalog.reveal(one)


def test_what_nothing_names_is_swept(tmp_path, catalog):
    async def fill():
        used = await catalog.add_blob(b"used")
        gone = await catalog.add_blob(b"gone")
        secrets = await catalog.seal("used"), await catalog.seal("gone")
        await catalog.add_version(version(used, secrets[0]))
        await catalog.add_version(version(gone, secrets[1], ID[:-1] + "2"))
        await catalog.add_asset("a", "ab12", b"<p>", None)
        await catalog.change(named("a"))
        await catalog.change(with_script(ID))
        return used, gone, secrets

    used, gone, secrets = asyncio.run(fill())
    again = Catalog.open(tmp_path, print)
    again.sweep()
    assert asyncio.run(again.blob(used)) == b"used"
    assert again.reveal(secrets[0]) == "used"
    assert again.version(ID).number == 1
    assert again.asset("a", "ab12") is None
    assert not again.blob_file(gone).exists()
    with pytest.raises(StorageError):
        again.reveal(secrets[1])
    with pytest.raises(StorageError):
        again.version(ID[:-1] + "2")


def test_nothing_is_swept_while_a_version_cannot_be_read(tmp_path, heard, catalog):
    async def fill():
        digest = await catalog.add_blob(b"used")
        await catalog.change(named("a"))
        await catalog.change(with_script(ID))
        return digest

    digest = asyncio.run(fill())
    again = Catalog.open(tmp_path, heard.append)
    again.sweep()
    assert again.blob_file(digest).exists()
    assert "Nothing" in heard[-1]


def test_a_damaged_static_file_does_not_keep_a_node_from_its_start(
    tmp_path, heard, catalog
):
    async def fill():
        digest = await catalog.add_blob(b"used")
        secret = await catalog.seal("s")
        await catalog.add_asset("a", "ab12", b"<p>", None)
        files = Assets(files={"/": "ab12"}, config={})
        await catalog.add_version(replace(version(digest, secret), assets=files))
        await catalog.change(named("a"))
        await catalog.change(with_script(ID))
        return digest

    digest = asyncio.run(fill())
    (tmp_path / "catalog" / "assets" / "a" / "ab12.json").write_bytes(b"{")
    again = Catalog.open(tmp_path, heard.append)
    again.sweep()
    assert "ab12.json is damaged" in heard[-1]
    assert again.blob_file(digest).exists()


def test_static_files_that_versions_have_stay(tmp_path, catalog):
    async def fill():
        await catalog.add_asset("a", "ab12", b"<p>", None)
        await catalog.add_asset("a", "cd34", b"<b>", None)
        files = Assets(files={"/": "ab12"}, config={})
        one = replace(version("0" * 64, "0" * 32), assets=files)
        await catalog.add_version(one)
        await catalog.change(named("a"))
        await catalog.change(with_script(ID))

    asyncio.run(fill())
    again = Catalog.open(tmp_path, print)
    again.sweep()
    kept = again.asset("a", "ab12")
    assert again.blob_file(kept.sha256).read_bytes() == b"<p>"
    assert again.asset("a", "cd34") is None
    assert len(list((tmp_path / "catalog" / "blobs").iterdir())) == 1
