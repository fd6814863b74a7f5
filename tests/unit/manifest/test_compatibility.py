"""The flags that users may set are those of the pinned engine."""

import importlib.util
import os
from pathlib import Path

import pytest

from selfedge.manifest.compatibility import engine_flags, is_enabled, without_defaults

TOOL = Path(__file__).parents[3] / "tools/compat_flags.py"


@pytest.mark.parametrize(
    ("flag", "date", "flags", "enabled"),
    [
        ("nodejs_compat", "2024-01-01", [], False),
        ("nodejs_compat", "2024-01-01", ["nodejs_compat"], True),
        ("nodejs_compat", "2026-11-17", [], True),
        ("nodejs_compat", "2026-11-17", ["no_nodejs_compat"], False),
        ("unsafe_module", "2026-11-17", [], False),
    ],
)
def test_a_flag_is_on_by_name_or_by_date(
    flag: str, date: str, flags: list[str], *, enabled: bool
) -> None:
    """Its opposite turns it off again."""
    assert is_enabled(flag, compatibility_date=date, flags=flags) is enabled


def test_flags_that_the_date_implies_can_be_left_out() -> None:
    """The engine prints a complaint about each of them at every start."""
    flags = ["nodejs_compat", "no_global_navigator"]
    for date, kept in [("2026-08-03", flags), ("2026-08-04", flags[1:])]:
        assert without_defaults(flags, compatibility_date=date) == kept


def test_what_opens_the_engine_to_users_is_refused() -> None:
    """These would let user code out of its sandbox, or change the engine's rules."""
    known = engine_flags()
    assert {"experimental", "unsafe_module"} <= known.experimental <= known.flags
    assert "nodejs_compat" in known.flags - known.experimental


@pytest.mark.slow
def test_the_table_is_that_of_the_engine() -> None:
    """The table that is checked in is what the tool writes for this engine."""
    workerd = os.environ.get("SELFEDGE_WORKERD")
    if not workerd:
        pytest.skip("SELFEDGE_WORKERD names no engine to compare with")
    spec = importlib.util.spec_from_file_location("compat_flags", TOOL)
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    table = tool.table(Path(workerd))
    known = engine_flags()
    assert table["engine"] == known.engine
    assert set(table["flags"]) == known.flags
    assert set(table["experimental"]) == known.experimental
