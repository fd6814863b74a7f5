"""What the engine says when it does not start → what a developer reads: pure."""

import re
from collections.abc import Iterable

import msgspec

_PREFIX = re.compile(r"^service worker:(?P<script>[^:]+): (?:Uncaught )?")
_RULES = re.compile(r"^service assets:(?P<part>[^:]+): (?P<fault>Found \d+ invalid )")
_CONSEQUENCE = re.compile(r'^Socket ".*" refers to service|^Socket ".*": bind')
_OUT_OF_MEMORY = re.compile(r"Last few GCs|out of memory", re.IGNORECASE)


class _Line(msgspec.Struct, frozen=True):
    message: str = ""


def said(lines: Iterable[str]) -> str:
    """Return the messages in structured log lines; what follows from others goes."""
    messages = [_message(line) for line in lines if line.strip()]
    causes = [text for text in messages if not _CONSEQUENCE.match(text)]
    return "\n".join(_PREFIX.sub("", text) for text in causes or messages)


def rules_fault(line: str) -> str | None:
    """Return a warning about `_headers` or `_redirects` as a log line, if it is one."""
    found = _RULES.match(text := _message(line))
    if found is None:
        return None
    message = f"[{found['part']}] {text[found.start('fault') :]}"
    return msgspec.json.encode({"level": "warn", "message": message}).decode()


def ran_out_of_memory(words: str) -> bool:
    """Whether this is what the engine says before it ends for want of memory."""
    return _OUT_OF_MEMORY.search(words) is not None


def _message(line: str) -> str:
    try:
        return msgspec.json.decode(line.encode(), type=_Line).message or line
    except msgspec.MsgspecError:
        return line
