"""A binding's type errors reach the user in words, with a place."""

from pathlib import Path
from typing import Literal

import msgspec
import pytest

from selfedge.manifest.mistake import mistake
from selfedge.manifest.reader import read

HEAD = 'main = "w.js"\ncompatibility_date = "2025-01-01"\n'
B = 'binding = "A"\n'


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    binding: str
    id: str | None = None
    kind: Literal["a", "b"] = "a"
    ttl: int = 60
    extra: dict[str, str] = {}


@pytest.mark.parametrize(
    ("lines", "place", "said"),
    [
        ("binding = 1", "4:11", "`{}.binding` must be a string, not a whole number"),
        ("id = '1'", "3:1", "`{}` needs the key `binding`"),
        (B + "id = []", "5:6", "`{}.id` must be a string, not a list"),
        (B + 'kind = "c"', "5:8", "`{}.kind` cannot be 'c'"),
        (B + "bnding = 1", "3:1", "`{}` has a key that is not known: `bnding`"),
        (B + "ttl = 1.5", "5:7", "`{}.ttl` must be a whole number, not a number"),
        (B + "extra = {x = []}", "5:9", "`{}.extra` must be a string, not a list"),
    ],
)
def test_the_message_names_key_type_and_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, place: str, said: str
) -> None:
    """Key, wanted type, given type, file, line and column are all there."""
    monkeypatch.chdir(tmp_path)
    Path("w.js").touch()
    path = Path("wrangler.toml")
    path.write_text(f"{HEAD}[[kv_namespaces]]\n{lines}\n", "utf-8")
    manifest = read(path, tables=["kv_namespaces"])

    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(manifest.tables["kv_namespaces"], list[Entry])

    told = mistake(caught.value, manifest=manifest, table="kv_namespaces")
    assert str(told) == f"wrangler.toml:{place}: " + said.format("kv_namespaces[0]")
