"""The house: every binding folder has the same rooms, and files stay small."""

from pathlib import Path

import selfedge
from selfedge.standard import BINDINGS

SOURCE = Path(selfedge.__file__).parent
BINDING_FILES = {
    "README.md",
    "__init__.py",
    "config.py",
    "limits.py",
    "errors.py",
    "compile.py",
    "wire.py",
    "service.py",
    "server.py",
    "api.py",
    "commands.py",
    "worker.js",
}
REQUIRED = {"README.md", "__init__.py", "config.py", "compile.py"}
MAX_LINES = 400


def folders():
    return [
        path
        for path in (SOURCE / "bindings").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    ]


def test_a_binding_folder_has_the_known_files_and_subfolders_only():
    for folder in folders():
        names = {path.name for path in folder.iterdir() if path.is_file()}
        assert names <= BINDING_FILES, f"{folder.name}: {names - BINDING_FILES}"
        assert names >= REQUIRED, f"{folder.name} lacks {REQUIRED - names}"


def test_every_binding_folder_is_named_in_standard():
    source = (SOURCE / "standard.py").read_text()
    for folder in folders():
        assert f"{folder.name}.BINDING" in source


def test_kinds_and_tables_are_unique():
    kinds = [binding.kind for binding in BINDINGS]
    tables = [binding.table for binding in BINDINGS if binding.table]
    assert len(set(kinds)) == len(kinds)
    assert len(set(tables)) == len(tables)


def test_no_source_file_is_long():
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*")
        if path.suffix in {".py", ".js"}
        and "node_modules" not in path.parts
        and (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


def test_no_room_is_a_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
    assert not [path for path in SOURCE.rglob("*.py") if path.stem in drawers]


def test_test_files_have_names_of_their_own():
    """Pytest imports them by their bare names."""
    names = [path.name for path in Path(__file__).parents[1].rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
