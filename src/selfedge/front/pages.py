"""What clients see when no Worker answers: pure."""

from dataclasses import dataclass
from html import escape

DETAIL = "{detail}"
"""Stands where the front writes what only it knows."""

_STYLE = """
:root { color-scheme: light dark; --quiet: #767676 }
@media (prefers-color-scheme: dark) { :root { --quiet: #9a9a9a } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto;
  padding: 0 1.25rem }
h1 { font-size: 1.35rem; line-height: 1.35; margin: .25rem 0 .75rem }
p { margin: .5rem 0 } .quiet { color: var(--quiet); overflow-wrap: anywhere }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page for a client, who need not know how the node works."""

    status: int
    number: int | None  # Cloudflare's error number
    title: str
    text: str
    detail: str = ""

    def html(self) -> str:
        """Return a page that needs nothing else."""
        number = f"Error {self.number}" if self.number else str(self.status)
        detail = self.detail if self.detail == DETAIL else escape(self.detail)
        last = f'<p class="quiet">{detail}</p>' if detail else ""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head><body>"
            f'<main><p class="quiet">{number}</p><h1>{escape(self.title)}</h1>'
            f"<p>{escape(self.text)}</p>{last}</main></body></html>\n"
        )

    def answer(self, accept: str) -> tuple[str, str]:
        """Return (body, content type), whatever the client accepts."""
        del accept
        return self.html(), "text/html; charset=utf-8"


MISSING = Page(
    status=404,
    number=None,
    title="There is nothing here yet",
    text="No Worker of this node answers for this address.",
    detail=DETAIL,
)
LONG = Page(
    status=414,
    number=None,
    title="The address is too long",
    text="An address has at most 16 KiB.",
)
LOOP = Page(
    status=508,
    number=1019,
    title="Compute server error",
    text="A Worker fetched an address that leads back to itself.",
)
ORIGIN = Page(
    status=502,
    number=None,
    title="The origin does not answer",
    text="The server behind this address cannot be reached.",
    detail=DETAIL,
)
EXCEPTION = Page(
    status=500,
    number=1101,
    title="Worker threw exception",
    text="The Worker ended this request with an error. Its owner finds it in the log.",
)
EXCEEDED_CPU = Page(
    status=503,
    number=1102,
    title="Worker exceeded resource limits",
    text="The Worker used more CPU time than it may, and was started again.",
)
EXCEEDED_MEMORY = Page(
    status=503,
    number=1102,
    title="Worker exceeded resource limits",
    text="The Worker used more memory than it may, and was started again.",
)
DOWN = Page(
    status=503,
    number=None,
    title="The Worker is not available",
    text="Its process ended and is being started again. Try again in a moment.",
)
