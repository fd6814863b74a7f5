"""Patterns of `.assetsignore`, which are those of `.gitignore`; pure."""

import re
from collections.abc import Callable, Sequence

Ignores = Callable[[str], bool]
"""Path below the folder, "a/b.txt" → whether it is left out."""

_ALWAYS = ("/.assetsignore", "/_headers", "/_redirects")
_PIECE = re.compile(r"\*\*/|/\*\*$|\*|\?|\[!?[^\]]+\]|.", re.DOTALL)


def ignores(text: str) -> Ignores:
    """Return what the patterns in `text` say of a path; the last that matches wins."""
    lines = (line.rstrip() for line in [*_ALWAYS, *text.splitlines()])
    rules = [_rule(line) for line in lines if line and not line.startswith("#")]

    def ignored(path: str) -> bool:
        return _decided(rules, path)

    return ignored


def _decided(rules: Sequence[tuple[bool, re.Pattern[str]]], path: str) -> bool:
    found = False
    for wanted, pattern in rules:
        if pattern.fullmatch(path):
            found = wanted
    return found


def _rule(line: str) -> tuple[bool, re.Pattern[str]]:
    """Return whether a line leaves out, and what: a path, or all that is in it."""
    wanted = not line.startswith("!")
    body = line.removeprefix("!").removeprefix("\\")
    folder_only = body.endswith("/")
    body = body.rstrip("/")
    anchored = "/" in body
    start = "" if anchored else "(?:.*/)?"
    end = "/.*" if folder_only else "(?:/.*)?"
    middle = "".join(map(_regex, _PIECE.findall(body.removeprefix("/"))))
    return wanted, re.compile(f"{start}{middle}{end}", re.DOTALL)


def _regex(piece: str) -> str:
    fixed = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    if piece in fixed:
        return fixed[piece]
    if piece.startswith("[") and len(piece) > 1:
        inner = piece[1:-1].replace("\\", "\\\\")
        return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
    return re.escape(piece)
