"""Each file in `cases/` is a project and what reading it must give.

First come options as on the command line, then files, each after a line
`---- its/name`; after a line of dashes, the expected result: the manifest's fields that
are not defaults, or the error. `pytest --update-golden` rewrites that part.
"""

import json
import re
import shlex
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import pytest

from selfedge.errors import UserError
from selfedge.manifest.build import effective_rules
from selfedge.manifest.model import Build
from selfedge.manifest.reader import find, parse_variables, read

CASES = Path(__file__).parent / "cases"
TABLES = (
    *("vars", "kv_namespaces", "durable_objects", "migrations", "services", "ai"),
    *("vectorize", "version_metadata", "wasm_modules", "text_blobs", "data_blobs"),
)
DEFAULT_BUILD = Build(rules=effective_rules(())[0])
LINE = "\n" + "-" * 40 + "\n"
FILE = re.compile(r"^---- (.+)\n", re.MULTILINE)


@pytest.mark.parametrize(
    "case", sorted(CASES.glob("*.txt")), ids=lambda case: case.stem
)
def test_reading_gives_what_is_expected(
    case: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    update_golden: bool,
) -> None:
    """The project in the file reads as the file says."""
    given, _, expected = case.read_text("utf-8").partition(LINE)
    options, *parts = FILE.split(given)
    put(tmp_path, {"src/index.ts": "export default {}\n"})
    put(tmp_path, dict(zip(parts[::2], parts[1::2], strict=True)))
    monkeypatch.chdir(tmp_path)

    result = outcome(tmp_path, shlex.split(options))

    if update_golden:
        case.write_text(f"{given}{LINE}{result}\n", "utf-8")
    else:
        assert result == expected.rstrip("\n")


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def outcome(root: Path, options: list[str]) -> str:
    pairs = list(zip(options[::2], options[1::2], strict=True))
    environment = next((value for name, value in pairs if name == "--env"), None)
    try:
        manifest = read(
            find(root),
            environment=environment,
            tables=TABLES,
            variables=parse_variables([v for name, v in pairs if name == "--var"]),
            environ=dict(v.split("=", 1) for name, v in pairs if name == "--environ"),
        )
    except UserError as error:
        return str(error).replace(str(root), "ROOT")
    return json.dumps(shown(manifest, root), indent=1, ensure_ascii=False)


def shown(value: object, root: Path) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: shown(item, root)
            for field in fields(value)
            if (item := getattr(value, field.name)) != default(field)
            and item not in (None, {}, (), DEFAULT_BUILD, DEFAULT_BUILD.rules)
        }
    if isinstance(value, Path):
        return (
            str(value.relative_to(root)) if value.is_relative_to(root) else str(value)
        )
    if isinstance(value, dict):
        return {key: shown(item, root) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item, root) for item in value]
    return value


def default(field: object) -> object:
    made = getattr(field, "default_factory", MISSING)
    return made() if callable(made) else getattr(field, "default", MISSING)
