"""D1 in the control API: what wrangler and the SDKs ask."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from aiohttp import ClientError
from aiohttp.web import RequestPayloadError, Response, StreamResponse

from selfedge.api.body import read_as, read_json
from selfedge.api.paging import numbered
from selfedge.binding import Answer, Call, Context, Page, Route
from selfedge.bindings.d1 import wire
from selfedge.bindings.d1.errors import D1Error, TransferFailed, UnreadableRequest
from selfedge.bindings.d1.limits import BATCH_BODY_MAX_BYTES, IMPORT_MAX_BYTES
from selfedge.bindings.d1.registry import Entry
from selfedge.bindings.d1.rest import messages
from selfedge.bindings.d1.server import D1Server
from selfedge.bindings.d1.transfer.imports import Imported
from selfedge.errors import ApiError

NOT_THERE = 10181  # what a Worker is to be bound to
_ALL = "/accounts/{account}/d1/database"
_ONE = f"{_ALL}/{{database}}"
_USAGE = "/accounts/{account}/graphql/d1AnalyticsAdaptiveGroups"
_WANTED = re.compile(r"'databaseId': '([^']+)'")  # in the filter, which comes as text
_CHUNK_BYTES = 256 * 1024

Method = Callable[[Call], Awaitable[object]]


def routes(server: D1Server, _context: Context) -> Sequence[Route]:
    """Return the routes over the running service."""
    api, moves = _Api(server), _Moves(server)
    return [
        Route(
            method=method,
            path=path,
            answer=_refusing(answer),
            needs=needs,
            most_bytes=IMPORT_MAX_BYTES if needs == "none" else None,
        )
        for method, path, answer, needs in (
            ("GET", _ALL, api.list, None),
            ("POST", _ALL, api.create, None),
            ("GET", _ONE, api.get, None),
            ("DELETE", _ONE, api.delete, None),
            ("PATCH", _ONE, api.edit, None),
            ("PUT", _ONE, api.edit, None),
            ("POST", f"{_ONE}/query", api.query, None),
            ("POST", f"{_ONE}/raw", api.raw, None),
            ("GET", f"{_ONE}/time_travel/bookmark", api.bookmark, None),
            ("POST", f"{_ONE}/time_travel/restore", api.restore, None),
            ("POST", _USAGE, api.usage, "read"),
            ("POST", f"{_ONE}/import", moves.take, None),
            ("POST", f"{_ONE}/export", moves.give, "read"),
            ("PUT", f"{_ONE}/upload", moves.upload, "none"),
            ("GET", f"{_ONE}/exports/{{file}}", moves.download, "none"),
        )
    ]


async def check(server: D1Server, entry: Mapping[str, Any]) -> None:
    """Check that the database is there which an entry of an upload names.

    Raises:
        ApiError: it is not.
    """
    wanted = entry.get("id") or entry["database_id"]
    if server.d1.registry.get(wanted) is None:
        raise ApiError(
            f"D1 binding {entry['name']!r} references database {wanted[:80]!r} which "
            "was not found. Create one with `wrangler d1 create` and bind its id, or "
            "leave the id out: deploying makes one.",
            status=400,
            number=NOT_THERE,
        )


class _Api:
    """Each method answers one route; all but `create` and `list` name a database."""

    def __init__(self, server: D1Server) -> None:
        self._d1 = server.d1

    async def list(self, call: Call) -> object:
        named = call.query.get("name", "")
        found = [one for one in self._d1.registry.all() if named in one.name]
        page = numbered(found, call.query, most=10_000)
        shown = [await self._shown(one) for one in page.items]  # type: ignore[attr-defined]
        return Page(items=shown, info=page.info)

    async def create(self, call: Call) -> object:
        asked = await read_as(call, messages.NewDatabase)
        entry = self._d1.registry.create(
            asked.name,
            location=asked.primary_location_hint,
            jurisdiction=asked.jurisdiction,
        )
        if asked.read_replication:
            entry = self._d1.registry.replicate(entry, asked.read_replication.mode)
        return await self._shown(entry)

    async def get(self, call: Call) -> object:
        shown = await self._shown(self._entry(call))
        return messages.narrowed(shown, call.query.get("fields", ""))

    async def delete(self, call: Call) -> object:
        await self._d1.delete(self._entry(call))
        return None

    async def edit(self, call: Call) -> object:
        entry = self._entry(call)
        asked = await read_as(call, messages.Edit)
        if asked.read_replication:
            entry = self._d1.registry.replicate(entry, asked.read_replication.mode)
        return await self._shown(entry)

    async def query(self, call: Call) -> object:
        return await self._run(call, "")

    async def raw(self, call: Call) -> object:
        return await self._run(call, wire.ROWS_AND_COLUMNS)

    async def bookmark(self, call: Call) -> object:
        asked = call.query.get("timestamp")
        time_us = messages.time_us(asked) if asked else None
        return {"bookmark": await self._d1.bookmark(self._entry(call).uuid, time_us)}

    async def restore(self, call: Call) -> object:
        uuid = self._entry(call).uuid
        wanted = call.query.get("bookmark")
        if not wanted:
            asked = call.query.get("timestamp")
            if not asked:
                raise UnreadableRequest("Give a bookmark, or a timestamp.")
            wanted = await self._d1.bookmark(uuid, messages.time_us(asked))
        done = await self._d1.restore(uuid, wanted)
        note = "" if done.exact else ", the newest snapshot at or before the one given"
        return {
            "bookmark": done.bookmark,
            "previous_bookmark": done.previous,
            "message": f"Restored to bookmark {done.bookmark}{note}.",
        }

    async def usage(self, call: Call) -> object:
        wanted = _WANTED.search(str(dict(call.query)).replace('"', "'"))
        if wanted is None or self._d1.registry.get(wanted[1]) is None:
            return []
        return self._d1.database(wanted[1]).usage.groups()

    async def _run(self, call: Call, layout: str) -> object:
        uuid = self._entry(call).uuid
        asked = await read_json(call, most_bytes=BATCH_BODY_MAX_BYTES)
        queries = messages.queries(asked)
        found, _ = await self._d1.database(uuid).run(
            queries, lambda results: wire.answers(results, layout)
        )
        return found

    async def _shown(self, entry: Entry) -> Mapping[str, object]:
        return messages.described(entry, *await self._d1.described(entry))

    def _entry(self, call: Call) -> Entry:
        return self._d1.registry.find(call.path["database"])


class _Moves:
    """Imports and exports."""

    def __init__(self, server: D1Server) -> None:
        self._registry = server.d1.registry
        self._transfers = server.transfers

    async def take(self, call: Call) -> object:
        asked = await read_as(call, messages.Import)
        uuid = self._registry.find(call.path["database"]).uuid
        bookmark = asked.current_bookmark
        if asked.action == "init":
            secret, filename = self._transfers.expect(uuid, asked.etag)
            url = f"{_base(call, uuid)}/upload?key={secret}"
            return {"success": True, "filename": filename, "upload_url": url}
        if asked.action == "ingest":
            bookmark = await self._transfers.begin_import(
                uuid, asked.filename, asked.etag
            )
        if not self._transfers.imports.known(uuid, bookmark):
            raise TransferFailed("No import is under way. Begin again.")
        state = {"type": "import", "at_bookmark": bookmark, "messages": []}
        try:
            done = await self._transfers.imports.result(uuid, bookmark)
        except D1Error as error:
            failed = str(error)
            return {**state, "success": False, "status": "error", "error": failed}
        if done is None:
            return {**state, "success": True, "status": "active"}
        result = _imported(*done)
        return {**state, "success": True, "status": "complete", "result": result}

    async def give(self, call: Call) -> object:
        asked = await read_as(call, messages.Export)
        uuid = self._registry.find(call.path["database"]).uuid
        bookmark = asked.current_bookmark or ""
        if not self._transfers.exports.known(uuid, bookmark):
            bookmark = await self._transfers.begin_export(uuid, asked.options())
        state = {"type": "export", "at_bookmark": bookmark, "messages": []}
        try:
            path = await self._transfers.exports.result(uuid, bookmark)
        except D1Error as error:
            failed = str(error)
            return {**state, "success": False, "status": "error", "error": failed}
        if path is None:
            return {**state, "success": True, "status": "active"}
        result = self._offered(call, uuid, bookmark, path)
        return {**state, "success": True, "status": "complete", "result": result}

    async def upload(self, call: Call) -> object:
        uuid, secret = call.path["database"], call.query.get("key", "")
        link = self._transfers.uploads.get(secret, uuid)
        if link is None:
            raise _gone("upload")
        try:
            await self._transfers.receive(link, call.request.content.iter_any())
        except (RequestPayloadError, ConnectionError, ClientError):
            raise TransferFailed("The upload was cut short. Begin again.") from None
        self._transfers.uploads.take(secret, uuid)
        return Response(status=200, headers={"ETag": f'"{link.etag}"'})

    async def download(self, call: Call) -> object:
        secret = call.query.get("key", "")  # not in the path, which logs may show
        link = self._transfers.downloads.get(secret, call.path["database"])
        if link is None or not link.path.exists():
            raise _gone("download")
        response = StreamResponse(headers={"Content-Type": "application/sql"})
        response.content_length = link.path.stat().st_size
        await response.prepare(call.request)
        async for chunk in _chunks(link.path):
            await response.write(chunk)
        return response

    def _offered(
        self, call: Call, uuid: str, bookmark: str, path: Path
    ) -> Mapping[str, str]:
        filename = f"{bookmark}.sql"
        secret = self._transfers.downloads.add(uuid, filename, path)
        url = f"{_base(call, uuid)}/exports/{filename}?key={secret}"
        return {"filename": filename, "signed_url": url}


def _refusing(answer: Method) -> Answer:
    @wraps(answer)
    async def refusing(call: Call) -> object:
        try:
            return await answer(call)
        except D1Error as error:
            raise ApiError(
                str(error), status=error.status, number=error.number
            ) from error

    return refusing


def _imported(done: Imported, bookmark: str) -> Mapping[str, object]:
    meta: Mapping[str, Any] = {
        "served_by": wire.SERVED_BY,
        "duration": done.duration_ms,
        "timings": {"sql_duration_ms": done.duration_ms},
        "changes": done.changes,
        "last_row_id": done.last_row_id,
        "changed_db": True,
        "size_after": done.size_after,
        "rows_read": done.rows_read,
        "rows_written": done.rows_written,
    }
    return {"num_queries": done.queries, "final_bookmark": bookmark, "meta": meta}


def _base(call: Call, uuid: str) -> str:
    """Return the URL of a database, as its caller reaches this node."""
    request = call.request
    before = request.raw_path.partition("/accounts/")[0]
    account = request.raw_path.partition("/accounts/")[2].partition("/")[0]
    host = request.headers.get("Host", "")
    return (
        f"{request.scheme}://{host}{before}/accounts/{account}/d1/database/"
        f"{wire.segment(uuid)}"
    )


def _gone(what: str) -> ApiError:
    return ApiError(
        f"This {what} does not exist, or its hour is over. Begin again.",
        status=404,
        number=TransferFailed.number,
    )


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
