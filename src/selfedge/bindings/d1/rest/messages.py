"""Bodies of D1's REST API ↔ values."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from selfedge.bindings.d1.database.model import Query
from selfedge.bindings.d1.errors import NoStatements, UnreadableRequest
from selfedge.bindings.d1.registry import Entry
from selfedge.bindings.d1.sql.statements import split
from selfedge.bindings.d1.transfer.dump import Options
from selfedge.bindings.d1.wire import query as one_query

_US = 1_000_000
_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{32}$")]


class Replication(msgspec.Struct, frozen=True, kw_only=True):
    """How many copies are asked for."""

    mode: Literal["auto", "disabled"]


class NewDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /d1/database` takes."""

    name: str
    primary_location_hint: str | None = None
    jurisdiction: str | None = None
    read_replication: Replication | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What `PATCH` and `PUT /d1/database/{database}` take."""

    read_replication: Replication | None = None


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST …/import` takes."""

    action: Literal["init", "ingest", "poll"]
    etag: _Digest = "0" * 32
    filename: str = ""
    current_bookmark: str = ""


class DumpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What of a database is exported."""

    no_schema: bool | None = None
    no_data: bool | None = None
    tables: Sequence[str] | None = None


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST …/export` takes."""

    output_format: Literal["polling"]
    dump_options: DumpOptions | None = None
    current_bookmark: str | None = None

    def options(self) -> Options:
        """Return what is asked for."""
        chosen = self.dump_options or DumpOptions()
        return Options(
            schema=not chosen.no_schema,
            data=not chosen.no_data,
            tables=chosen.tables or (),
        )


def described(entry: Entry, tables: int, size_bytes: int) -> Mapping[str, object]:
    """Return what the API shows of a database."""
    return {
        "uuid": entry.uuid,
        "name": entry.name,
        "version": "production",
        "created_at": entry.created_at,
        "num_tables": tables,
        "file_size": size_bytes,
        "running_in_region": (entry.location or "local").upper(),
        "jurisdiction": entry.jurisdiction,
        "read_replication": {"mode": entry.read_replication},
    }


def narrowed(shown: Mapping[str, object], fields: str) -> Mapping[str, object]:
    """Return only what `fields` names, separated by commas; all for ""."""
    wanted = [one.strip() for one in fields.split(",") if one.strip()]
    return {key: shown[key] for key in wanted if key in shown} if wanted else shown


def queries(value: Any) -> Sequence[Query]:
    """Return the statements of a body of `…/query` or `…/raw`, each as a query.

    Raises:
        UnreadableRequest: it is of another shape.
        NoStatements: there is nothing to run.
    """
    batch = value.get("batch") if isinstance(value, dict) else None
    if batch is not None and not isinstance(batch, list):
        raise UnreadableRequest('"batch" is a list of queries.')
    given = [one_query(one) for one in (batch if batch is not None else [value])]
    found = [each for one in given for each in _statements(one)]
    if not found:
        raise NoStatements
    return found


def _statements(given: Query) -> Sequence[Query]:
    texts = split(given.sql)
    if len(texts) > 1 and given.parameters:
        raise UnreadableRequest(
            '"params" belong to one statement; send several as a "batch".'
        )
    return [Query(text, given.parameters) for text in texts]


def time_us(text: str) -> int:
    """Return a time, ISO 8601 or seconds since the epoch, in microseconds.

    Raises:
        UnreadableRequest: it is neither.
    """
    try:
        if text.isascii() and text.isdigit():
            return int(text[:10]) * _US
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(aware.timestamp() * _US)
    except (ValueError, OverflowError):
        raise UnreadableRequest(
            f"The timestamp {text[:40]!r} is not like 2026-01-31T12:00:00Z."
        ) from None
