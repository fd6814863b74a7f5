"""Where one statement ends and the next begins, as SQLite sees it.

The states are those of SQLite's `sqlite3_complete`: a semicolon ends a statement,
but in CREATE TRIGGER only after `; END`.
"""

import re
from collections.abc import Iterator
from enum import IntEnum

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*\n?|/\*.*?(?:\*/|\Z))
  | (?P<quoted>'[^']*(?:''[^']*)*(?:'|\Z)|"[^"]*(?:""[^"]*)*(?:"|\Z)
        |`[^`]*(?:``[^`]*)*(?:`|\Z)|\[[^\]]*(?:\]|\Z))
  | (?P<semicolon>;)
  | (?P<word>[A-Za-z0-9_$\u0080-\U0010ffff]+)
  | (?P<other>[^\s'"`\[;A-Za-z0-9_$\u0080-\U0010ffff/-]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(  # a statement that is no trigger, up to its semicolon
    r"""(?: [^;'"`\[/-]++ | '[^']*+' | "[^"]*+" | `[^`]*+` | \[[^\]]*+\]
      | --[^\n]*+\n | /\*.*?\*/ | -(?!-) | /(?!\*) )*+ ;""",
    re.VERBOSE | re.DOTALL,
)
_INTRICATE = frozenset({"CREATE", "EXPLAIN"})
_READS = frozenset({"SELECT", "VALUES", "WITH", "EXPLAIN"})


class _Token(IntEnum):
    SEMICOLON, SPACE, OTHER, EXPLAIN, CREATE, TEMP, TRIGGER, END = range(8)


class _State(IntEnum):
    INVALID, START, NORMAL, EXPLAIN, CREATE, TRIGGER, SEMICOLON, END = range(8)


_WORDS = {
    "EXPLAIN": _Token.EXPLAIN,
    "CREATE": _Token.CREATE,
    "TEMP": _Token.TEMP,
    "TEMPORARY": _Token.TEMP,
    "TRIGGER": _Token.TRIGGER,
    "END": _Token.END,
}
_NEXT = (  # by state, then token; from SQLite's complete.c
    (1, 0, 2, 3, 4, 2, 2, 2),
    (1, 1, 2, 3, 4, 2, 2, 2),
    (1, 2, 2, 2, 2, 2, 2, 2),
    (1, 3, 3, 2, 4, 2, 2, 2),
    (1, 4, 2, 2, 2, 4, 5, 2),
    (6, 5, 5, 5, 5, 5, 5, 5),
    (6, 6, 5, 5, 5, 5, 5, 7),
    (1, 7, 5, 5, 5, 5, 5, 5),
)


class Splitter:
    """Takes text in parts and gives whole statements, without their semicolon."""

    def __init__(self) -> None:
        self._text = ""

    @property
    def held_chars(self) -> int:
        """How much text waits for its statement's end."""
        return len(self._text)

    def feed(self, text: str) -> Iterator[str]:
        """Yield the statements that `text` completes."""
        self._text += text
        yield from self._taken(last=False)

    def finish(self) -> Iterator[str]:
        """Yield what is left; it needs no semicolon."""
        yield from self._taken(last=True)
        rest, self._text = self._text, ""
        if not is_blank(rest):
            yield rest

    def _taken(self, *, last: bool) -> Iterator[str]:
        text, start = self._text, 0
        while (end := _end(text, start, last=last)) is not None:
            statement, start = text[start:end], end + 1
            if not is_blank(statement):
                yield statement
        self._text = text[start:]


def split(text: str) -> list[str]:
    """Return the statements of `text`; those of comments alone are left out."""
    single = text.rstrip("; \t\r\n")
    if ";" not in single:
        return [] if is_blank(single) else [single]
    splitter = Splitter()
    return [*splitter.feed(text), *splitter.finish()]


def is_blank(text: str) -> bool:
    """Whether `text` has nothing but spaces, comments and semicolons."""
    return not first_word(text)


def first_word(text: str, start: int = 0) -> str:
    """Return the first word in capitals, or a sign that is none; "" for blank text."""
    for match in _TOKEN.finditer(text, start):
        if match.lastgroup not in ("space", "semicolon"):
            return match.group().upper()
    return ""


def looks_read_only(statement: str) -> bool:
    """Whether `statement` probably writes nothing: `WITH … INSERT` looks so, too."""
    return first_word(statement) in _READS


def _end(text: str, start: int, *, last: bool) -> int | None:
    """Return where the semicolon is that ends the statement at `start`."""
    if first_word(text, start) not in _INTRICATE:
        plain = _PLAIN.match(text, start)
        return plain.end() - 1 if plain else None
    state = _State.INVALID
    for match in _TOKEN.finditer(text, start):
        if match.end() == len(text) and not last and match.lastgroup != "semicolon":
            return None  # it may go on in the next part
        state = _State(_NEXT[state][_kind(match)])
        if state is _State.START and match.lastgroup == "semicolon":
            return match.start()
    return None


def _kind(match: re.Match[str]) -> _Token:
    match match.lastgroup:
        case "semicolon":
            return _Token.SEMICOLON
        case "space":
            return _Token.SPACE
        case "word":
            return _WORDS.get(match.group().upper(), _Token.OTHER)
        case _:
            return _Token.OTHER
