"""The `Cache-Control` header (RFC 9111 §5.2)."""

import re
from collections.abc import Mapping

DELTA_MAX_S = 2**31
"""What a larger number of seconds counts as (RFC 9111 §1.2.2)."""

_DIRECTIVE = re.compile(
    r"""([!#$%&'*+.^_`|~0-9A-Za-z-]+)          # name
        (?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?  # quoted or bare argument
    """,
    re.VERBOSE,
)


def parse_directives(header: str | None) -> Mapping[str, str | None]:
    """Return argument by lower-case name; of repeated directives the first counts."""
    if not header:
        return {}
    found: dict[str, str | None] = {}
    for name, quoted, bare in _DIRECTIVE.findall(header):
        found.setdefault(name.lower(), quoted or bare or None)
    return found


def delta_seconds(argument: str | None) -> int:
    """Return seconds; 0, which is stale at once, when they cannot be read."""
    if argument is None or not (argument.isascii() and argument.isdigit()):
        return 0
    return DELTA_MAX_S if len(argument) > 10 else min(int(argument), DELTA_MAX_S)


def field_names(argument: str | None) -> frozenset[str]:
    """Return the lower-case names in the argument of `private` or `no-cache`."""
    if argument is None:
        return frozenset()
    names = (name.strip().lower() for name in argument.split(","))
    return frozenset(name for name in names if name)
