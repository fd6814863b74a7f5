"""The readable page for what went wrong, as HTML or JSON: pure."""

import json
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light dark; --quiet: #767676; --line: #8883; --red: #c4314b }
@media (prefers-color-scheme: dark) { :root { --red: #ff7a90; --quiet: #9a9a9a } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto;
  padding: 0 1.25rem }
h1 { font-size: 1.35rem; line-height: 1.35; color: var(--red); margin: .25rem 0 1rem;
  overflow-wrap: anywhere; white-space: pre-wrap }
p { color: var(--quiet); margin: 0 }
pre { font: 13.5px/1.6 ui-monospace, monospace; overflow-x: auto; padding: 1rem;
  border: 1px solid var(--line); border-radius: .5rem }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, for the person who wrote the Worker."""

    where: str  # "hello: GET /path" or "hello does not build"
    title: str  # "TypeError: boom"
    detail: str  # a stack trace or an excerpt of the source
    hint: str = ""

    def html(self) -> str:
        """Return a page that needs nothing else."""
        hint = f"<p>{escape(self.hint)}</p>" if self.hint else ""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head>"
            f"<body><main><p>{escape(self.where)}</p><h1>{escape(self.title)}</h1>"
            f"<pre>{escape(self.detail)}</pre>{hint}</main></body></html>\n"
        )

    def json(self) -> str:
        """Return the same for a program."""
        fields = {
            "where": self.where,
            "message": self.title,
            "detail": self.detail.splitlines(),
        }
        if self.hint:
            fields["hint"] = self.hint
        return json.dumps({"error": fields}, indent=2, ensure_ascii=False) + "\n"

    def text(self) -> str:
        """Return the same for a terminal."""
        lines = [self.where, self.title, self.detail.rstrip(), self.hint]
        return "\n".join(line for line in lines if line) + "\n"

    def answer(self, accept: str) -> tuple[str, str]:
        """Return (body, content type) for a request's `Accept` header."""
        if "text/html" in accept:
            return self.html(), "text/html; charset=utf-8"
        if "json" in accept:
            return self.json(), "application/json"
        return self.text(), "text/plain; charset=utf-8"
