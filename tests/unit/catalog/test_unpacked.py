"""Static files of versions on disk: whole or absent, named by what they hold."""

import asyncio
import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.catalog import unpacked
from selfedge.catalog.model import (
    Account,
    Assets,
    Deployment,
    ScriptState,
    Share,
    State,
    Version,
)
from selfedge.catalog.paths import clash, fault
from selfedge.catalog.store import Catalog
from selfedge.catalog.unpacked import RETAIN_S, Unpacked
from selfedge.errors import StorageError

ACCOUNT = "0" * 32
NOW = "2026-01-01T00:00:00Z"


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def catalog(tmp_path):
    return Catalog.open(tmp_path, lambda _: None)


@pytest.fixture
def folders(catalog, tmp_path, clock):
    made = Unpacked(catalog, tmp_path / "assets", clock)
    made.open()
    return made


def stored(catalog, files):
    """Keep `files` (path → bytes) as an upload does."""
    hashes = {}
    for path, data in files.items():
        digest = unpacked.hashlib.sha256(data).hexdigest()[:32]
        asyncio.run(catalog.add_asset(ACCOUNT, digest, data, None))
        hashes[path] = digest
    return Assets(files=hashes, config={})


def unpack(folders, assets):
    return asyncio.run(folders.folder(ACCOUNT, assets))


def shown(folder):
    return {
        f"/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def deploy(catalog, number, assets):
    """Have version `number` of one Worker deployed, with `assets`."""
    version = Version(
        id=f"00000000-0000-4000-8000-{number:012}",
        number=number,
        created_on=NOW,
        source="api",
        author="a",
        main_module=None,
        compatibility_date="2026-01-01",
        assets=assets,
    )
    asyncio.run(catalog.add_version(version))
    share = Share(version_id=version.id, percentage=100)
    deployment = Deployment(
        id="d", created_on=NOW, source="api", author="a", versions=(share,)
    )
    script = ScriptState(
        name="s",
        tag="t",
        created_on=NOW,
        modified_on=NOW,
        versions=(version.id,),
        deployments=(deployment,),
    )
    account = Account(
        id=ACCOUNT, name="a", subdomain="a", created_on=NOW, scripts={"s": script}
    )
    asyncio.run(catalog.change(lambda _: State(accounts={ACCOUNT: account})))


def test_a_folder_holds_the_files_of_its_version(catalog, folders):
    files = {"/index.html": b"home", "/d e/ü.txt": b"deep", "/empty": b""}
    folder = unpack(folders, stored(catalog, files))
    assert shown(folder) == files


def test_the_same_files_are_one_folder_and_others_another(catalog, folders):
    one = stored(catalog, {"/a": b"1", "/b": b"2"})
    again = Assets(files=dict(reversed(one.files.items())), config={"x": 1})
    other = stored(catalog, {"/a": b"1", "/b": b"3"})
    assert unpack(folders, one) == unpack(folders, again) != unpack(folders, other)


def test_a_file_keeps_its_time_from_one_version_to_the_next(catalog, folders):
    one = unpack(folders, stored(catalog, {"/a": b"stays", "/b": b"1"}))
    two = unpack(folders, stored(catalog, {"/a": b"stays", "/b": b"2"}))
    assert (one / "a").stat().st_mtime_ns == (two / "a").stat().st_mtime_ns
    assert (one / "b").stat().st_mtime_ns != (two / "b").stat().st_mtime_ns


def test_where_there_are_no_links_files_are_copied(catalog, folders, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EMLINK, "too many links")

    linked = unpack(folders, stored(catalog, {"/a": b"x"}))
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    copied = unpack(folders, stored(catalog, {"/a": b"x", "/b": b"y"}))
    assert shown(copied) == {"/a": b"x", "/b": b"y"}
    times = {(folder / "a").stat().st_mtime_ns for folder in (linked, copied)}
    assert len(times) == 1


def test_a_file_that_is_gone_is_told_and_nothing_is_left(catalog, folders, tmp_path):
    assets = stored(catalog, {"/a": b"x", "/b": b"gone"})
    name = catalog.asset(ACCOUNT, assets.files["/b"]).sha256
    catalog.blob_file(name).unlink()
    with pytest.raises(StorageError, match=r"'/b' is not whole .* deploy the"):
        unpack(folders, assets)
    assert list((tmp_path / "assets").iterdir()) == []


def test_a_file_that_was_cut_is_told(catalog, folders):
    assets = stored(catalog, {"/a": b"whole"})
    name = catalog.asset(ACCOUNT, assets.files["/a"]).sha256
    catalog.blob_file(name).write_bytes(b"wh")
    with pytest.raises(StorageError, match="damaged"):
        unpack(folders, assets)


def test_a_full_disk_leaves_nothing_half_made(catalog, folders, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "hardlink_to", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StorageError, match="is full"):
        unpack(folders, stored(catalog, {"/a": b"x"}))
    assert list((tmp_path / "assets").iterdir()) == []


def test_what_a_crash_left_is_not_taken_for_whole(catalog, folders, tmp_path, clock):
    assets = stored(catalog, {"/a": b"x"})
    name = unpacked.name_of(ACCOUNT, assets)
    half = tmp_path / "assets" / f"{name}.part"
    half.mkdir()
    (half / "b").touch()
    assert shown(unpack(folders, assets)) == {"/a": b"x"}
    half.mkdir()
    Unpacked(catalog, tmp_path / "assets", clock).open()
    assert not half.exists()


def test_a_start_keeps_what_is_deployed_alone(catalog, folders, tmp_path, clock):
    old, new = stored(catalog, {"/a": b"1"}), stored(catalog, {"/a": b"2"})
    before, after = unpack(folders, old), unpack(folders, new)
    deploy(catalog, 1, new)
    Unpacked(catalog, tmp_path / "assets", clock).open()
    assert after.is_dir()
    assert not before.exists()


def test_what_was_deployed_stays_until_its_process_must_have_ended(
    catalog, folders, clock
):
    versions = [stored(catalog, {"/a": str(n).encode()}) for n in range(3)]
    unpack(folders, versions[0])  # it was tried first
    deploy(catalog, 1, versions[0])
    old = unpack(folders, versions[0])
    clock.now += 10 * RETAIN_S
    deploy(catalog, 2, versions[1])
    unpack(folders, versions[1])
    assert old.is_dir()
    clock.now += RETAIN_S + 1
    unpack(folders, versions[1])
    assert not old.exists()


def test_a_version_that_was_tried_is_there_again_when_it_is_deployed(
    catalog, folders, clock
):
    tried = stored(catalog, {"/a": b"tried"})
    folder = unpack(folders, tried)
    clock.now += RETAIN_S + 1
    unpack(folders, stored(catalog, {"/a": b"other"}))
    assert not folder.exists()
    assert shown(unpack(folders, tried)) == {"/a": b"tried"}


@pytest.mark.parametrize(
    "path",
    [
        "index.html",
        "/../secret",
        "/a/../../secret",
        "/./a",
        "//a",
        "/a/",
        "/",
        "",
        "/a\\b",
        "/a\nb",
        "/a\0b",
        "/" + "a" * 256,
        "/" + "/".join(["a" * 250] * 5),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path, catalog, folders):
    assert fault(path)
    assets = stored(catalog, {"/a": b"x"})
    wrong = Assets(files={path: assets.files["/a"]}, config={})
    with pytest.raises(StorageError, match="cannot be named so"):
        unpack(folders, wrong)


@given(st.text(max_size=40).map(lambda text: f"/{text}"))
def test_a_path_that_passes_stays_in_its_folder(path):
    root = "/r/assets"
    if fault(path) is None:
        target = os.path.normpath(Path(root) / path.lstrip("/"))
        assert target.startswith(f"{root}/")
        assert target == f"{root}{path}"


def test_a_file_cannot_be_a_folder_too():
    assert clash(["/a", "/b/c", "/a/b"])
    assert clash(["/a/b/c", "/a"])
    assert clash(["/a", "/ab/c", "/b/a"]) is None
