"""The keys of a wrangler file are those of wrangler itself."""

import importlib.util
import os
from pathlib import Path

import msgspec
import pytest

from selfedge.manifest import keys

ROOT = Path(__file__).parents[3]
PLACES = (
    os.environ.get("SELFEDGE_WRANGLER", ""),  # the unpacked npm package
    str(ROOT / "node_modules/wrangler"),
    str(ROOT / "benchmarks/.scratch/node_modules/wrangler"),
)


def test_the_table_is_that_of_wrangler() -> None:
    """The table that is checked in is what the tool writes for this wrangler."""
    package = next((Path(p) for p in PLACES if p and Path(p).is_dir()), None)
    if package is None:
        pytest.skip("npm wrangler is not installed: SELFEDGE_WRANGLER may name it")
    spec = importlib.util.spec_from_file_location(
        "config_schema", ROOT / "tools/config_schema.py"
    )
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    table = tool.table(package)
    assert msgspec.convert(table["keys"], dict[str, keys.Key]) == keys.known()


def test_every_key_that_is_handled_is_one_of_wrangler() -> None:
    """A key that wrangler drops, or that is misspelt here, is noticed."""
    assert set(keys.known()) >= keys.READ_HERE
    assert set(keys.known()) >= keys.WITHOUT_MEANING
    assert not keys.READ_HERE & keys.WITHOUT_MEANING
    assert not set(keys.known()) & set(keys.REMOVED)


def test_environments_bring_their_own_bindings() -> None:
    """The three scopes are told apart as wrangler does."""
    scopes = {name: key.scope for name, key in keys.known().items()}
    assert scopes["kv_namespaces"] == scopes["vars"] == scopes["define"] == "own"
    assert scopes["main"] == scopes["routes"] == scopes["migrations"] == "inherited"
    assert scopes["alias"] == scopes["wasm_modules"] == scopes["env"] == "top"
