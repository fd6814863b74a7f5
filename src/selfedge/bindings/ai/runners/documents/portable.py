"""PDF files → Markdown."""

import io

from pypdf import PdfReader

from selfedge.bindings.ai.jobs.documents import Document, DocumentOptions
from selfedge.bindings.ai.runners.documents.errors import Unreadable

PAGES_MAX = 2000


def portable(document: Document, options: DocumentOptions) -> str:
    """Return the text of all pages, after what the file says of itself."""
    reader = PdfReader(io.BytesIO(document.content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("it is locked with a password")
    pages = len(reader.pages)
    if pages > PAGES_MAX:
        raise Unreadable(f"it has {pages:,} pages; allowed are {PAGES_MAX:,}")
    parts = [f"# {document.name}"]
    if options.pdf_metadata:
        parts.append("\n".join(["## Metadata", *_metadata(reader)]))
    parts.append("## Contents")
    for number, page in enumerate(reader.pages, 1):
        parts.append(f"### Page {number}\n\n{page.extract_text().strip()}".strip())
    return "\n\n".join(parts)


def _metadata(reader: PdfReader) -> list[str]:
    given = {
        str(key).lstrip("/"): " ".join(str(value).split())
        for key, value in (reader.metadata or {}).items()
    }
    version = reader.pdf_header.removeprefix("%PDF-")
    lines = {"PDFFormatVersion": version, **given, "Pages": str(len(reader.pages))}
    return [f"- {key}={value}" for key, value in lines.items()]
