"""D1's requests and answers, as the engine's client speaks them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from selfedge.bindings.d1.database.model import Query, Result, Value
from selfedge.bindings.d1.errors import UnreadableRequest

BOOKMARK_HEADER = "x-cf-d1-session-commit-token"
SERVED_BY = "selfedge"
ROWS_AND_COLUMNS = "ROWS_AND_COLUMNS"
NONE = "NONE"


def parse_queries(body: bytes) -> tuple[Sequence[Query], bool]:
    """Return the queries of a body, and whether they came as a list.

    Raises:
        UnreadableRequest: it is of another shape.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableRequest(f"The request is not JSON: {error}.") from error
    if isinstance(value, list):
        return [query(one) for one in value], True
    return [query(value)], False


def query(value: Any) -> Query:
    """Return `{"sql", "params"}` as a query.

    Raises:
        UnreadableRequest: it is of another shape.
    """
    sql = value.get("sql") if isinstance(value, dict) else None
    if not isinstance(sql, str):
        raise UnreadableRequest('A query is an object with "sql", a string.')
    params = value.get("params") or ()
    if not isinstance(params, list | tuple):
        raise UnreadableRequest('"params" is a list.')
    return Query(sql, [_parameter(one) for one in params] if params else ())


def _parameter(value: Any) -> Value:
    """Return what is bound: a number is a double, as all are in JavaScript."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            raise UnreadableRequest("A number is too large.") from None
    if isinstance(value, list):
        try:
            return bytes(value)
        except (ValueError, TypeError):
            pass
    raise UnreadableRequest(
        "A parameter is null, a boolean, a number, a string, or a list of bytes."
    )


def answers(results: Sequence[Result], layout: str) -> Sequence[Mapping[str, object]]:
    """Return the results as the wire shows them."""
    return [
        {"results": shown(one, layout), "success": True, "meta": meta(one)}
        for one in results
    ]


def encoded(results: Sequence[Result], layout: str, *, as_list: bool) -> bytes:
    """Return the whole answer to a Worker."""
    found = answers(results, layout)
    return msgspec.json.encode(found if as_list else found[0])


def refused(message: str) -> bytes:
    """Return the answer that a Worker sees as `D1_ERROR: <message>`."""
    return msgspec.json.encode({"success": False, "error": message})


def shown(result: Result, layout: str) -> object:
    """Return the rows: objects, or columns and rows; blobs are lists of bytes."""
    rows = [_row(row) for row in result.rows]
    if layout == ROWS_AND_COLUMNS:
        return {"columns": result.columns, "rows": rows}
    return [dict(zip(result.columns, row, strict=False)) for row in rows]


def meta(result: Result) -> Mapping[str, object]:
    """Return the numbers of one result."""
    return {
        "served_by": SERVED_BY,
        "served_by_region": "LOCAL",
        "served_by_colo": "LAB",
        "served_by_primary": True,
        "total_attempts": 1,
        "timings": {"sql_duration_ms": result.duration_ms},
        "duration": result.duration_ms,
        "changes": result.changes,
        "last_row_id": result.last_row_id,
        "changed_db": result.changed_db,
        "size_after": result.size_after,
        "rows_read": result.rows_read,
        "rows_written": result.rows_written,
    }


def segment(text: str) -> str:
    """Return `text` as one segment of a URL's path."""
    return quote(text, safe="")


def _row(row: Sequence[Value]) -> Sequence[object]:
    if bytes in map(type, row):
        return [list(one) if isinstance(one, bytes) else one for one in row]
    return row
