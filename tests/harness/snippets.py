"""Takes code out of a Markdown text, unmodified."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HEADING = re.compile(r"^#{2,6} (.+)$")
_SETTINGS = "// wrangler.toml"


@dataclass(frozen=True, slots=True)
class Snippet:
    """One fenced block of TypeScript, under the heading `heading`."""

    heading: str
    text: str

    @property
    def wrangler(self) -> str:
        """The part of a wrangler file that it shows in comments, as TOML."""
        lines = self.text.splitlines()
        if _SETTINGS not in lines:
            return ""
        found = []
        for line in lines[lines.index(_SETTINGS) + 1 :]:
            if not line.startswith("# "):
                break
            found.append(line.removeprefix("# "))
        return "\n".join(found) + "\n"

    @property
    def code(self) -> str:
        """Its TypeScript: all but the lines of the wrangler file."""
        lines = self.text.splitlines()
        return "\n".join(line for line in lines if not re.match(r"#( |$)", line)) + "\n"

    @property
    def workers(self) -> Sequence[str]:
        """Its whole Workers, each with what stands before it."""
        return [part for part in _parts(self.code) if "export default" in part]

    @property
    def loose(self) -> Sequence[str]:
        """Its statements that belong to no Worker, by paragraph."""
        rest = [part for part in _parts(self.code) if "export default" not in part]
        paragraphs = "\n".join(rest).split("\n\n")
        return [part for part in paragraphs if _has_code(part)]


class Seed:
    """The snippets of a text."""

    def __init__(self, text: str) -> None:
        self.snippets = tuple(_snippets(text))

    def find(self, heading: str, containing: str) -> Snippet:
        """Return the one snippet below a heading that has `heading` in it."""
        found = [
            snippet
            for snippet in self.snippets
            if heading in snippet.heading and containing in snippet.text
        ]
        assert len(found) == 1, f"{len(found)} snippets for {heading!r}, {containing!r}"
        return found[0]


def _snippets(text: str) -> Sequence[Snippet]:
    heading, block, found = "", None, []
    for line in text.splitlines():
        if block is not None:
            if line == "```":
                found.append(Snippet(heading, "\n".join(block) + "\n"))
                block = None
            else:
                block.append(line)
        elif line == "```typescript":
            block = []
        elif match := _HEADING.match(line):
            heading = match[1]
    assert block is None, "a fence is not closed"
    return found


def _parts(code: str) -> Sequence[str]:
    """Cut behind each `export default {` … `};`."""
    parts: list[list[str]] = [[]]
    inside = False
    for line in code.splitlines():
        parts[-1].append(line)
        inside = inside or line.startswith("export default")
        if inside and (line == "};" or line.endswith("app;")):
            parts.append([])
            inside = False
    return ["\n".join(part) + "\n" for part in parts if any(part)]


def _has_code(paragraph: str) -> bool:
    return any(
        line.strip() and not line.lstrip().startswith("//")
        for line in paragraph.splitlines()
    )
