"""The format of `.dev.vars` and `.env` files, as the npm package dotenv reads it."""

import re
from collections.abc import Mapping

_LINE = re.compile(
    r"""^[^\S\n]*(?:export\s+)?([\w.-]+)  # a name
        (?:[^\S\n]*=[^\S\n]*?|:[^\S\n]+?)  # = or ": "
        ([^\S\n]*'(?:\\'|[^'])*' | [^\S\n]*"(?:\\"|[^"])*" | [^\S\n]*`(?:\\`|[^`])*`
         | [^\#\n]+)?
        [^\S\n]*(?:\#.*)?$""",
    re.ASCII | re.MULTILINE | re.VERBOSE,
)
_QUOTED = re.compile(r"^(['\"`])(.*)\1$", re.DOTALL)
_REFERENCE = re.compile(r"(?<!\\)\$\{([^{}]+)\}|(?<!\\)\$([A-Za-z_][A-Za-z0-9_]*)")
_OPERATOR = re.compile(r":\+|\+|:-|-")
_EXPANSIONS_MAX = 100


def parse(text: str) -> dict[str, str]:
    """Return the pairs in `text`; lines that are none are passed over."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return {key: _value(raw or "") for key, raw in _LINE.findall(text)}


def expand(pairs: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return `pairs` with `$NAME` and `${NAME:-default}` replaced; `environ` wins."""
    done: dict[str, str] = {}
    for key, value in pairs.items():
        chosen = environ.get(key) or _expanded(value, {**done, **environ})
        done[key] = chosen.replace("\\$", "$")
    return done


def _value(raw: str) -> str:
    value = raw.strip()
    if match := _QUOTED.match(value):
        inner = match[2]
        if match[1] == '"':
            return inner.replace("\\n", "\n").replace("\\r", "\r")
        return inner
    return value


def _expanded(value: str, known: Mapping[str, str]) -> str:
    for _ in range(_EXPANSIONS_MAX):
        match = _REFERENCE.search(value)
        if match is None:
            break
        put = _meaning(match[1] or match[2], known)
        value = value[: match.start()] + put + value[match.end() :]
    return value


def _meaning(expression: str, known: Mapping[str, str]) -> str:
    operator = _OPERATOR.search(expression)
    if operator is None:
        return known.get(expression, "")
    found = known.get(expression[: operator.start()], "")
    other = expression[operator.end() :]
    if operator[0] in (":+", "+"):
        return other if found else ""
    return found or other
