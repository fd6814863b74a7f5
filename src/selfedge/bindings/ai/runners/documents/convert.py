"""`python -m …documents.convert`: one document on stdin → its Markdown on stdout."""

import io
import resource
import sys
import zipfile
from importlib import import_module

import msgspec

from selfedge.bindings.ai.jobs.documents import Converted, Document, DocumentOptions
from selfedge.bindings.ai.runners.documents.errors import Unreadable

TIME_S = 30
"""Of the processor."""

MEMORY_BYTES = 2 * 1024**3
"""Of address space, libraries included."""

MARKDOWN_MAX_CHARS = 20_000_000
UNPACKED_MAX_BYTES = 256 * 1024**2
PARTS_MAX = 10_000

_READERS = {
    "csv": "sheets:csv_table",
    "docx": "pages:word",
    "html": "pages:page",
    "pdf": "portable:portable",
    "picture": "picture:picture",
    "xlsx": "sheets:workbook",
}
_ARCHIVES = ("docx", "xlsx")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on stdin."""

    document: Document
    options: DocumentOptions


def convert(order: Order) -> Converted:
    """Return the document's Markdown, or what is wrong with it; never raises."""
    kind = order.document.kind
    try:
        if kind in _ARCHIVES:
            check_archive(order.document.content)
        module, _, name = _READERS[kind].partition(":")
        read = getattr(import_module(f"{__package__}.{module}"), name)
        markdown: str = read(order.document, order.options)
    except Unreadable as error:
        return Converted(error=str(error))
    except MemoryError:
        return Converted(error="reading it took too much memory")
    except RecursionError:
        return Converted(error="it is nested too deeply")
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes of a library
        return Converted(error=f"it is damaged or no {kind} ({type(error).__name__})")
    if len(markdown) > MARKDOWN_MAX_CHARS:
        return Converted(error=f"its text is over {MARKDOWN_MAX_CHARS:,} characters")
    return Converted(markdown=markdown)


def check_archive(content: bytes) -> None:
    """Look at the table of contents before anything is unpacked.

    Raises:
        Unreadable: it unpacks to too much.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
    size = sum(part.file_size for part in parts)
    if size > UNPACKED_MAX_BYTES or len(parts) > PARTS_MAX:
        raise Unreadable(
            f"it unpacks to {len(parts):,} parts of {size:,} bytes; allowed are "
            f"{PARTS_MAX:,} parts of {UNPACKED_MAX_BYTES:,} bytes"
        )


def main() -> None:
    """Convert what is on stdin, within the limits."""
    resource.setrlimit(resource.RLIMIT_CPU, (TIME_S, TIME_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.buffer.write(msgspec.msgpack.encode(convert(order)))


if __name__ == "__main__":
    main()
