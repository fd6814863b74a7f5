"""`toMarkdown`: files of a Worker → Markdown of each, or what is wrong with it."""

import base64
import binascii
import uuid
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs.documents import (
    ConvertDocuments,
    Converted,
    Document,
    DocumentOptions,
)
from selfedge.bindings.ai.runners.documents.formats import KINDS, kind
from selfedge.bindings.ai.tasks.contract import Parts
from selfedge.bindings.ai.tasks.inputs import check

_TOKEN_CHARS = 4
"""About how many make a token."""


class _File(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: Annotated[str, Meta(min_length=1, max_length=1024)]
    mime_type: str = ""
    data: str


class _Html(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    css_selector: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    hostname: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None


class _Pdf(msgspec.Struct, frozen=True, kw_only=True):
    metadata: bool = True


class _Conversion(msgspec.Struct, frozen=True, kw_only=True):
    html: _Html = _Html()
    pdf: _Pdf = _Pdf()


class _Options(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    conversion_options: _Conversion = _Conversion()


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine's client sends."""

    files: Annotated[Sequence[_File], Meta(max_length=limits.DOCUMENTS_MAX)]
    options: _Options = _Options()


@dataclass(frozen=True, slots=True)
class ToMarkdown:
    """A checked call; files that cannot be read are answered, not refused."""

    files: Sequence[_File]
    readable: Sequence[Document | str]  # or why it is not
    job: ConvertDocuments

    async def collect(self, parts: Parts) -> Sequence[Mapping[str, Any]]:
        """Return an entry for each file."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Converted)]
        if len(found) != len(self.job.documents):
            raise InferenceFailed("Not all documents were converted.")
        converted = iter(found)
        return [
            _entry(
                file,
                Converted(error=document)
                if isinstance(document, str)
                else next(converted),
            )
            for file, document in zip(self.files, self.readable, strict=True)
        ]


def prepare(body: object) -> ToMarkdown:
    """Check one call.

    Raises:
        BadInput: it is wrong as a whole.
    """
    given = check(body, Inputs)
    how = given.options.conversion_options
    readable = [_document(file) for file in given.files]
    job = ConvertDocuments(
        documents=[found for found in readable if isinstance(found, Document)],
        options=DocumentOptions(
            pdf_metadata=how.pdf.metadata,
            html_selector=how.html.css_selector,
            html_host=how.html.hostname,
        ),
    )
    return ToMarkdown(given.files, readable, job)


def supported() -> Sequence[Mapping[str, str]]:
    """Return the kinds of files that can be read."""
    return [
        {"extension": extension, "mimeType": media_type}
        for media_type, (extension, _) in KINDS.items()
    ]


def _document(file: _File) -> Document | str:
    found = kind(file.name, file.mime_type)
    if found is None:
        known = ", ".join(sorted({extension for extension, _ in KINDS.values()}))
        return f"{file.mime_type or 'its type'} is not supported ({known} are)"
    try:
        content = base64.b64decode(file.data, validate=True)
    except (binascii.Error, ValueError):
        return "its data are no base64"
    if not content:
        return "it is empty"
    if len(content) > limits.DOCUMENT_MAX_BYTES:
        return (
            f"it has {len(content):,} bytes; allowed are {limits.DOCUMENT_MAX_BYTES:,}"
        )
    return Document(name=file.name, kind=found, content=content)


def _entry(file: _File, found: Converted) -> Mapping[str, Any]:
    head = {"id": str(uuid.uuid4()), "name": file.name, "mimeType": file.mime_type}
    if found.error:
        return {**head, "format": "error", "error": f"{file.name}: {found.error}"}
    tokens = -(-len(found.markdown) // _TOKEN_CHARS)
    return {**head, "format": "markdown", "tokens": tokens, "data": found.markdown}
