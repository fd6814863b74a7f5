"""CSV files and Excel workbooks → Markdown tables."""

import csv
import io
from collections.abc import Iterable, Sequence

import openpyxl

from selfedge.bindings.ai.jobs.documents import Document, DocumentOptions
from selfedge.bindings.ai.runners.documents.errors import Unreadable

CELLS_MAX = 500_000
_FIELD_MAX_CHARS = 1_000_000
_SAMPLE_CHARS = 8192


def csv_table(document: Document, _options: DocumentOptions) -> str:
    """Return a CSV file; its first row is the heading."""
    text = _text(document.content)
    csv.field_size_limit(_FIELD_MAX_CHARS)
    try:
        dialect = csv.Sniffer().sniff(text[:_SAMPLE_CHARS], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    return _table(_counted(csv.reader(io.StringIO(text, newline=""), dialect)))


def workbook(document: Document, _options: DocumentOptions) -> str:
    """Return all sheets of a workbook; formulas as their last values."""
    book = openpyxl.load_workbook(
        io.BytesIO(document.content), read_only=True, data_only=True
    )
    parts = []
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what the file says may be wrong
        cells = sheet.iter_rows(values_only=True)
        rows = [
            ["" if value is None else str(value) for value in row]
            for row in _counted(cells)
        ]
        parts.append(f"## {sheet.title}\n\n{_table(rows)}".strip())
    return "\n\n".join(parts)


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _counted(rows: Iterable[Sequence[object]]) -> Iterable[Sequence[object]]:
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > CELLS_MAX:
            raise Unreadable(f"it has over {CELLS_MAX:,} cells")
        yield row


def _table(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as a table; empty rows and empty columns at the end are left out."""
    filled = [_trimmed([_cell(value) for value in row]) for row in rows]
    filled = [row for row in filled if row]
    if not filled:
        return ""
    width = max(len(row) for row in filled)
    if width * len(filled) > CELLS_MAX:
        raise Unreadable(f"its table has over {CELLS_MAX:,} cells")
    heading, *body = [row + [""] * (width - len(row)) for row in filled]
    lines = [heading, ["---"] * width, *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _trimmed(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row.pop()
    return row


def _cell(value: object) -> str:
    text = str(value).strip().replace("\\", "\\\\").replace("|", "\\|")
    return "<br>".join(text.splitlines())
