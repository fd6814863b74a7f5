"""HTML and Word documents → Markdown."""

import io
from typing import Any
from urllib.parse import urljoin

import mammoth
from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

from selfedge.bindings.ai.jobs.documents import Document, DocumentOptions
from selfedge.bindings.ai.runners.documents.errors import Unreadable

_SILENT = ("script", "style", "noscript", "template", "iframe", "object")


def page(document: Document, options: DocumentOptions) -> str:
    """Return an HTML page, or the parts that the options select."""
    soup = BeautifulSoup(document.content, "lxml")
    for tag in soup(_SILENT):
        tag.decompose()
    if options.html_host:
        _absolute(soup, options.html_host)
    if options.html_selector is None:
        return _markdown(soup)
    try:
        found = soup.select(options.html_selector)
    except Exception as error:
        raise Unreadable(
            f"cssSelector: {options.html_selector} is no selector"
        ) from error
    return "\n\n".join(_markdown(part) for part in found)


def word(document: Document, _options: DocumentOptions) -> str:
    """Return a Word document's text; its pictures are left out."""
    found = mammoth.convert_to_html(
        io.BytesIO(document.content),
        convert_image=mammoth.images.img_element(lambda _image: {}),
    )
    soup = BeautifulSoup(found.value, "lxml")
    for tag in soup("img"):
        tag.decompose()
    return _markdown(soup)


def _markdown(soup: Any) -> str:
    text: str = MarkdownConverter(heading_style="ATX", bullets="-").convert_soup(soup)
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
    return "\n".join(kept)


def _absolute(soup: Any, host: str) -> None:
    base = host if "://" in host else f"https://{host}"
    for name, attribute in (("a", "href"), ("img", "src")):
        for tag in soup(name, **{attribute: True}):
            tag[attribute] = urljoin(base, tag[attribute])
