"""The place of every value is found, whatever the file's format."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfedge.manifest.position import locate

TOML = '''# a project
name = "a # b"
"odd key".'x' = 1
text = """
[not.a.table]
k = "v"
"""

[vars]
A = { B = [1, { C = "}" }], D = 2 }

[[kv_namespaces]]
binding = "ONE"

[[kv_namespaces]]
binding = """T\\"WO"""  # two
id = 'x'

[env.staging.vars]
A.B = 2024-01-01

[[env.staging.kv_namespaces]]
list = [
  "a", # first
  """
  b""",
]
[[migrations]]
tag = "v1"
[[migrations.renamed_classes]]
from = "A"
[[migrations.renamed_classes]]
from = "B"
[[migrations]]
[[migrations.renamed_classes]]
from = "C"
'''

JSON = """{
  // a "comment"
  "name": "a // b", /* "x": { */
  'single': [1, {"deep\\u0041": "}"}, [2, 3]],
  bare: {"é": "😀", "next": null},
  "kv": [
    {"id": "a"},
    {"id": "b",},
  ],
}
"""


def place(tmp_path: Path, name: str, text: str, pointer: tuple[str | int, ...]) -> str:
    """Return the rest of the line where `pointer` stands."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    found = locate(path, pointer)
    return text.splitlines()[found.line - 1][found.column - 1 :]


@pytest.mark.parametrize(
    ("pointer", "rest"),
    [
        (("name",), '"a # b"'),
        (("odd key", "x"), "1"),
        (("text",), '"""'),
        (("vars",), "[vars]"),
        (("vars", "A"), '{ B = [1, { C = "}" }], D = 2 }'),
        (("vars", "A", "B", 1, "C"), '"}" }], D = 2 }'),
        (("vars", "A", "D"), "2 }"),
        (("kv_namespaces", 0, "binding"), '"ONE"'),
        (("kv_namespaces", 1), "[[kv_namespaces]]"),
        (("kv_namespaces", 1, "binding"), '"""T\\"WO"""  # two'),
        (("kv_namespaces", 1, "id"), "'x'"),
        (("kv_namespaces", 1, "preview_id"), "[[kv_namespaces]]"),
        (("env", "staging"), "[env.staging.vars]"),
        (("env", "staging", "vars", "A", "B"), "2024-01-01"),
        (("env", "staging", "kv_namespaces", 0, "list", 0), '"a", # first'),
        (("env", "staging", "kv_namespaces", 0, "list", 1), '"""'),
        (("migrations", 0, "renamed_classes", 1, "from"), '"B"'),
        (("migrations", 1, "renamed_classes", 0, "from"), '"C"'),
        (("nowhere", 3), "# a project"),
    ],
)
def test_a_value_in_toml_is_found(
    tmp_path: Path, pointer: tuple[str | int, ...], rest: str
) -> None:
    """The position is that of the value, or of its nearest parent."""
    assert place(tmp_path, "wrangler.toml", TOML, pointer) == rest


@pytest.mark.parametrize(
    ("pointer", "rest"),
    [
        (("name",), '"a // b", /* "x": { */'),
        (("single", 0), '1, {"deep\\u0041": "}"}, [2, 3]],'),
        (("single", 1, "deepA"), '"}"}, [2, 3]],'),
        (("single", 2, 1), "3]],"),
        (("bare", "next"), "null},"),
        (("kv",), "["),
        (("kv", 1, "id"), '"b",},'),
        (("kv", 1, "binding"), '{"id": "b",},'),
        (("nowhere",), "{"),
    ],
)
def test_a_value_in_json_is_found(
    tmp_path: Path, pointer: tuple[str | int, ...], rest: str
) -> None:
    """Comments, trailing commas and escapes do not mislead it."""
    assert place(tmp_path, "wrangler.jsonc", JSON, pointer) == rest


def test_a_file_that_vanished_still_has_a_position(tmp_path: Path) -> None:
    """Telling of a mistake never fails itself."""
    found = locate(tmp_path / "wrangler.toml", ("name",))
    assert (found.line, found.column) == (1, 1)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    document=st.dictionaries(
        st.text(max_size=4),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=6),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=4), inner, max_size=3)
            ),
            max_leaves=8,
        ),
    ),
    indent=st.none() | st.integers(0, 2),
)
def test_every_value_of_any_json_is_found(
    tmp_path: Path, document: dict[str, object], indent: int | None
) -> None:
    """What stands at the position of a value is that value."""
    path = tmp_path / "wrangler.json"
    text = json.dumps(document, indent=indent)
    path.write_text(text, "utf-8")
    lines = text.splitlines(keepends=True)
    for pointer, value in walk(document, ()):
        found = locate(path, pointer)
        rest = lines[found.line - 1][found.column - 1 :] + "".join(lines[found.line :])
        assert json.JSONDecoder().raw_decode(rest)[0] == value


def walk(
    value: object, pointer: tuple[str | int, ...]
) -> list[tuple[tuple[str | int, ...], object]]:
    """Return `value` and all that is in it, with pointers."""
    steps: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    inner = (pair for step, item in steps for pair in walk(item, (*pointer, step)))
    return [(pointer, value), *inner]
