"""Reading a wrangler file never fails in another way than with a ManifestError."""

import json
import os
import string
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from selfedge.errors import ManifestError
from selfedge.manifest import keys
from selfedge.manifest.compatibility import engine_flags
from selfedge.manifest.model import Manifest
from selfedge.manifest.reader import find, read

GOOD = 'name = "a"\nmain = "w.js"\ncompatibility_date = "2025-01-01"\n'
TABLES = ("kv_namespaces", "durable_objects", "services", "ai")
NAMES = st.sampled_from([*sorted(keys.known()), "kv", "x"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["w.js", "2025-01-01", "nodejs_compat", "experimental", "a\0b"])
    | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=6)
quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read_or_refuse(folder: Path, name: str, raw: bytes) -> None:
    """Read `raw` under `name`, for the top level and for an environment."""
    (folder / "w.js").touch()
    path = folder / name
    path.write_bytes(raw)
    for environment in (None, "x"):
        with suppress(ManifestError):
            manifest = read(path, environment=environment, tables=TABLES)
            assert isinstance(manifest, Manifest)
            json.dumps(manifest.tables, allow_nan=False, ensure_ascii=False).encode()


@quick
@given(text=st.text() | st.text(alphabet="[]{}=\"',:#\\/*.\n \t_azAZ019-"))
@example(text="[" * 5000)
@example(text='{"a":' * 5000)
@example(text="a = " + "[" * 500 + "]" * 500)
@example(text="a." * 3000 + "b = 1")
@example(text="a = " + "9" * 5000)
@example(text="\x00")
@example(text='main = "' + "x" * 5000 + '"')
def test_any_text_is_a_manifest_or_a_manifest_error(tmp_path: Path, text: str) -> None:
    """Whatever the file holds, reading ends in one of these two ways."""
    for name in ("wrangler.toml", "wrangler.jsonc"):
        read_or_refuse(tmp_path, name, text.encode("utf-8", "replace"))


@quick
@given(raw=st.binary(max_size=40))
def test_any_bytes_are_a_manifest_or_a_manifest_error(
    tmp_path: Path, raw: bytes
) -> None:
    """Also what is not UTF-8."""
    for name in ("wrangler.toml", "wrangler.jsonc"):
        read_or_refuse(tmp_path, name, raw)


@quick
@given(document=DOCUMENTS, section=DOCUMENTS)
def test_any_values_are_a_manifest_or_a_manifest_error(
    tmp_path: Path, document: dict[str, object], section: dict[str, object]
) -> None:
    """Known keys with values of any type, in an environment too."""
    document.setdefault("main", "w.js")
    document.setdefault("env", {"x": section})
    raw = json.dumps(document).encode()
    read_or_refuse(tmp_path, "wrangler.jsonc", raw)


@quick
@given(text=st.text(alphabet=string.printable, max_size=60))
@example(text="A=" + "$A" * 50)
@example(text="\n" * 3000)
def test_any_local_values_can_be_read(tmp_path: Path, text: str) -> None:
    """`.dev.vars` and `.env` may hold anything."""
    (tmp_path / "w.js").touch()
    (tmp_path / "wrangler.toml").write_text(GOOD, "utf-8")
    for name in (".env", ".dev.vars"):
        (tmp_path / name).write_text(text, "utf-8")
        read(tmp_path / "wrangler.toml")
    (tmp_path / ".dev.vars").unlink()


def test_the_nearest_kind_of_file_is_found_as_wrangler_does(tmp_path: Path) -> None:
    """JSON wins over JSONC over TOML; a folder above will do."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "wrangler.toml").touch()
    assert find(inner) == tmp_path / "wrangler.toml"
    (inner / "wrangler.jsonc").touch()
    assert find(inner) == inner / "wrangler.jsonc"
    (inner / "wrangler.json").touch()
    assert find(inner) == inner / "wrangler.json"


def test_a_folder_that_is_named_like_a_local_file_is_passed_over(
    tmp_path: Path,
) -> None:
    """`.env` is often a folder with a Python environment."""
    (tmp_path / "w.js").touch()
    (tmp_path / ".env").mkdir()
    (tmp_path / "wrangler.toml").write_text(GOOD, "utf-8")
    assert read(tmp_path / "wrangler.toml").secrets == {}


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """The message says why it cannot be read."""
    with pytest.raises(ManifestError, match=r"cannot be read: Is a directory"):
        read(tmp_path)


def test_experimental_flags_are_all_refused(tmp_path: Path) -> None:
    """Each is named, with its place."""
    (tmp_path / "w.js").touch()
    path = tmp_path / "wrangler.toml"
    for flag in sorted(engine_flags().experimental):
        path.write_text(f'{GOOD}compatibility_flags = ["{flag}"]\n', "utf-8")
        with pytest.raises(ManifestError, match=rf":4:24: .*`{flag}` is experimental"):
            read(path)


def test_a_local_file_may_appear_later(tmp_path: Path) -> None:
    """`files` names it before it exists, so that a watcher sees it come."""
    (tmp_path / "w.js").touch()
    path = tmp_path / "wrangler.toml"
    path.write_text(GOOD, "utf-8")
    watched = read(path).files
    (tmp_path / ".dev.vars").write_text("TOKEN=t\n", "utf-8")
    assert tmp_path / ".dev.vars" in watched
    assert read(path).secrets == {"TOKEN": "t"}


def test_reading_is_quick(tmp_path: Path) -> None:
    """A typical file takes well under 5 ms."""
    (tmp_path / "w.js").touch()
    path = tmp_path / "wrangler.toml"
    path.write_text(
        GOOD
        + 'compatibility_flags = ["nodejs_compat"]\n'
        + "".join(
            f'[[kv_namespaces]]\nbinding = "K{i}"\nid = "{i}"\n' for i in range(9)
        ),
        "utf-8",
    )
    read(path, tables=TABLES)

    def once() -> float:
        start = time.perf_counter()
        read(path, tables=TABLES)
        return time.perf_counter() - start

    assert min(once() for _ in range(20)) < 0.005


def test_reading_loads_nothing_heavy() -> None:
    """Start-up time has a budget, and reading the manifest comes first."""
    code = "import sys, selfedge.manifest.reader; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ""},
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"aiohttp", "asyncio", "capnp", "rich", "pyjson5", "tomllib"}
