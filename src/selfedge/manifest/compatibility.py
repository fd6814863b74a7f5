"""Compatibility dates and flags, against what the pinned engine knows."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import msgspec

from selfedge.errors import ManifestError
from selfedge.manifest.mistake import dotted, nearest
from selfedge.manifest.model import Pointer
from selfedge.manifest.position import locate

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class EngineFlags(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `tools/compat_flags.py` found in the pinned engine."""

    engine: str
    date: str  # the newest compatibility date that counts
    flags: frozenset[str]
    experimental: frozenset[str]
    opposites: tuple[tuple[str, str], ...]
    default_since: Mapping[str, str]


@cache
def engine_flags() -> EngineFlags:
    """Return the flags of the pinned engine."""
    raw = Path(__file__).with_name("compat_flags.json").read_bytes()
    return msgspec.json.decode(raw, type=EngineFlags)


def is_enabled(flag: str, *, compatibility_date: str, flags: Sequence[str]) -> bool:
    """Return whether the engine turns `flag` on for this date and these flags."""
    if flag in flags:
        return True
    known = engine_flags()
    against = {name for pair in known.opposites if flag in pair for name in pair}
    since = known.default_since.get(flag)
    return since is not None and compatibility_date >= since and not against & {*flags}


def without_defaults(flags: Sequence[str], *, compatibility_date: str) -> list[str]:
    """Return `flags` less those that the date implies: the engine complains of them."""
    since = engine_flags().default_since
    return [flag for flag in flags if since.get(flag, "9999") > compatibility_date]


def checked_date(
    given: str | None, path: Path, pointer: Pointer
) -> tuple[str, Sequence[str]]:
    """Return the date to use, and warnings.

    Raises:
        ManifestError: it is not a date of the form YYYY-MM-DD.
    """
    newest = engine_flags().date
    if given is None:
        note = (
            f"There is no `compatibility_date`; {newest} is used. "
            "Add one, so that a newer engine does not change what the Worker does"
        )
        return newest, [note]
    if not is_date(given):
        raise ManifestError(
            f"`{dotted(pointer)}` must be a date such as {newest}, not {given[:80]!r}",
            locate(path, pointer),
        )
    if given > newest:
        note = (
            f"The engine knows compatibility dates up to {newest}; "
            f"{given} is later, so {newest} is used"
        )
        return newest, [note]
    return given, ()


def check_flags(flags: Sequence[str], path: Path, pointer: Pointer) -> None:
    """Let only flags pass that the engine takes from users.

    Raises:
        ManifestError: a flag is unknown, experimental, repeated or contradicts another.
    """
    for index, flag in enumerate(flags):
        if fault := flag_fault(flag, flags[:index]):
            raise ManifestError(fault, locate(path, (*pointer, index)))


def flag_fault(flag: str, before: Sequence[str]) -> str:
    """Return what is wrong with `flag`, which stands after `before`; "": nothing."""
    known = engine_flags()
    if flag not in known.flags:
        hint = nearest(flag, sorted(known.flags - known.experimental))
        return f"The engine has no compatibility flag `{flag[:80]}`{hint}"
    if flag in known.experimental:
        return (
            f"The compatibility flag `{flag}` is experimental in the engine and cannot "
            "be used; remove it"
        )
    if flag in before:
        return f"The compatibility flag `{flag}` stands here a second time; remove one"
    for pair in known.opposites:
        other = pair[1] if pair[0] == flag else pair[0]
        if flag in pair and other in before:
            return (
                f"The compatibility flags `{other}` and `{flag}` contradict each other"
            )
    return ""


def is_date(text: str) -> bool:
    """Return whether `text` is a day that there is, as YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
