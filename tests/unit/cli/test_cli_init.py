"""`selfedge init`: what it writes, and what it refuses."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedge.cli.app import run
from selfedge.cli.init import NAME_MAX_CHARS, TEMPLATES, check_name, create
from selfedge.errors import InstallError, UsageError
from selfedge.manifest.reader import read

NAMES = ["hello", "hono-ai"]
TABLES = ["vars", "ai", "kv_namespaces"]
names = st.from_regex(
    rf"[a-z0-9]([a-z0-9-]{{0,{NAME_MAX_CHARS - 2}}}[a-z0-9])?", fullmatch=True
)


def nothing(folder: Path) -> None:
    """Install no packages."""


def failing(folder: Path) -> None:
    raise InstallError("npm ci failed: no network.")


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("template", NAMES)
def test_a_template_becomes_a_project_with_the_name_filled_in(
    tmp_path: Path, template: str
) -> None:
    create(tmp_path / "my-app", template, nothing)
    written = files(tmp_path / "my-app")
    assert {"wrangler.jsonc", "src/index.ts", "tsconfig.json"} < set(written)
    assert {"README.md", ".gitignore"} < set(written)
    assert "gitignore" not in written
    assert not [name for name, text in written.items() if "{{" in text]
    assert written["README.md"].startswith("# my-app\n")


@pytest.mark.parametrize("template", NAMES)
def test_the_written_wrangler_file_is_read_without_a_warning(
    tmp_path: Path, template: str
) -> None:
    create(tmp_path / "my-app", template, nothing)
    manifest = read(tmp_path / "my-app" / "wrangler.jsonc", tables=TABLES)
    assert manifest.name == "my-app"
    assert manifest.warnings == ()


@settings(max_examples=20)
@given(name=names)
def test_every_good_name_arrives_unchanged_in_every_file(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / name
        create(target, "hono-ai", nothing)
        assert read(target / "wrangler.jsonc").name == name
        assert json.loads((target / "package.json").read_text())["name"] == name
        assert json.loads((target / "package-lock.json").read_text())["name"] == name


def test_the_lock_pins_what_the_package_file_asks_for_and_names_no_registry() -> None:
    folder = TEMPLATES / "hono-ai"
    package = json.loads((folder / "package.json").read_text())
    lock = json.loads((folder / "package-lock.json").read_text())["packages"]
    for kind in ("dependencies", "devDependencies"):
        assert lock[""][kind] == package[kind]
        for name, version in package[kind].items():
            pinned = lock[f"node_modules/{name}"]
            assert pinned["version"] == version
            assert pinned["integrity"].startswith("sha512-")
    assert not [name for name, entry in lock.items() if "resolved" in entry]


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("My App", "my-app"),
        ("my_app", "my-app"),
        ("-app", "app"),
        ("app-", "app"),
        ('a"b', "a-b"),
        ("ünïcode", "n-code"),
        ("x" * 64, "x" * 63),
        ("x" * 62 + "-y", "x" * 62),
        ("", None),
        ("日本", None),
        ("a\nb", "a-b"),
        ("app\n", "app"),
    ],
)
def test_a_bad_name_is_refused_with_a_good_one(name: str, proposed: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        check_name(name)
    text = str(raised.value)
    assert "cannot be a Worker's name" in text
    if proposed:
        assert text.endswith(f": for example {proposed}.")
        check_name(proposed)
    else:
        assert "for example" not in text


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    create(tmp_path / "app", "hello", nothing)
    assert "wrangler.jsonc" in files(tmp_path / "app")


def occupied(target: Path) -> None:
    target.mkdir()
    (target / "mine.txt").write_text("mine")


def a_file(target: Path) -> None:
    target.write_text("mine")


def a_dangling_link(target: Path) -> None:
    target.symlink_to(target.parent / "nowhere")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (occupied, "is not empty, and nothing in it is overwritten"),
        (a_file, "is a file"),
        (a_dangling_link, "cannot read"),
    ],
)
def test_what_is_there_is_left_alone(
    tmp_path: Path, make: Callable[[Path], None], text: str
) -> None:
    make(tmp_path / "app")
    before = files(tmp_path)
    with pytest.raises(UsageError, match=text):
        create(tmp_path / "app", "hello", nothing)
    assert files(tmp_path) == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file/app"):
        create(tmp_path / "file" / "app", "hello", nothing)


def test_only_a_template_with_packages_installs_them(tmp_path: Path) -> None:
    installed: list[Path] = []
    create(tmp_path / "plain", "hello", installed.append)
    create(tmp_path / "chat", "hono-ai", installed.append)
    assert installed == [tmp_path / "chat"]


def test_without_a_network_the_project_stays_and_the_error_says_what_to_do(
    tmp_path: Path,
) -> None:
    with pytest.raises(InstallError) as raised:
        create(tmp_path / "app", "hono-ai", failing)
    text = str(raised.value)
    assert text.startswith("npm ci failed: no network.\n")
    assert f"The project is in {tmp_path / 'app'}" in text
    assert "`npm ci`" in text
    assert "package.json" in files(tmp_path / "app")


def test_the_command_prints_what_to_type_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "my apps/one"]) == 0
    expected = "one is ready. Next:\n  cd 'my apps/one'\n  selfedge dev\n"
    assert capsys.readouterr().out == expected


def test_a_project_can_be_written_right_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run(["init", "."]) == 0
    assert capsys.readouterr().out == "here is ready. Next:\n  selfedge dev\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["init"], "Missing argument 'NAME'"),
        (["init", "Bad Name"], "for example bad-name"),
        (["init", "app", "--template", "rails"], "'hello', 'hono-ai'"),
    ],
)
def test_a_wrong_command_line_exits_with_2(
    arguments: list[str],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert text in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
