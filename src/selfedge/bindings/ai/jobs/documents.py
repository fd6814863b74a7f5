"""Documents: files in, Markdown out."""

from collections.abc import Sequence

import msgspec


class DocumentOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How documents are to be read."""

    pdf_metadata: bool = True
    html_selector: str | None = None  # CSS: which part of a page
    html_host: str | None = None  # makes links absolute


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    name: str
    kind: str  # of `runners/documents/formats.py`
    content: bytes


class ConvertDocuments(
    msgspec.Struct, frozen=True, kw_only=True, tag="convert-documents"
):
    """Turn each document into Markdown."""

    documents: Sequence[Document]
    options: DocumentOptions = DocumentOptions()


class Converted(msgspec.Struct, frozen=True, kw_only=True, tag="converted"):
    """One document, in the order given: its Markdown, or what is wrong with it."""

    markdown: str = ""
    error: str = ""
