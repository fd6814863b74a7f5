"""One database of a running node, over its control API."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from selfedge.client.api import Api, segment
from selfedge.errors import UsageError

DATABASES = "/accounts/{account}/d1/database"
_CHUNK_BYTES = 256 * 1024

Said = Callable[[str], None]


class Remote:
    """The database that `key`, its id or name, stands for.

    Raises:
        ApiError: there is none.
    """

    def __init__(self, api: Api, key: str) -> None:
        self._api = api
        self.info: Mapping[str, Any] = api.call("GET", f"{DATABASES}/{segment(key)}")
        self._path = f"{DATABASES}/{segment(self.info['uuid'])}"

    def query(self, sql: str) -> Any:
        """Return one result for each statement of `sql`."""
        return self._api.call("POST", f"{self._path}/query", json={"sql": sql})

    def load(self, file: Path, say: Said) -> Mapping[str, Any]:
        """Run a file of SQL, all of it or nothing; return what it did.

        Raises:
            UsageError: the file cannot be read, or its SQL is wrong.
        """
        try:
            etag = _md5(file)
            say(f"Uploading {file}")
            begun = self._post("import", {"action": "init", "etag": etag})
            self._upload(begun["upload_url"], file)
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from error
        asked = {"action": "ingest", "filename": begun["filename"], "etag": etag}
        state = self._post("import", asked)
        while state.get("status") == "active":
            say("Importing")
            mark = state["at_bookmark"]
            state = self._post("import", {"action": "poll", "current_bookmark": mark})
        return _done(state)

    def save(self, file: Path, options: Mapping[str, object], say: Said) -> None:
        """Write the database to a file of SQL.

        Raises:
            UsageError: the file cannot be written, or the database not exported.
        """
        asked: dict[str, object] = {"output_format": "polling", "dump_options": options}
        state = self._post("export", asked)
        while state.get("status") == "active":
            say("Exporting")
            mark = state["at_bookmark"]
            state = self._post("export", {**asked, "current_bookmark": mark})
        path, query = _below(_done(state)["signed_url"])
        fresh = file.with_name(file.name + ".part")
        try:
            with (
                fresh.open("wb") as target,
                self._api.open("GET", path, query=query) as reply,
            ):
                for chunk in reply.chunks():
                    target.write(chunk)
            fresh.replace(file)
        except OSError as error:
            raise UsageError(f"cannot write {file}: {error.strerror}") from error
        finally:
            fresh.unlink(missing_ok=True)

    def bookmark(self, timestamp: str | None) -> str:
        """Return the bookmark of now, or of a time."""
        query = {"timestamp": timestamp} if timestamp else None
        path = f"{self._path}/time_travel/bookmark"
        return str(self._api.call("GET", path, query=query)["bookmark"])

    def restore(self, bookmark: str) -> Mapping[str, Any]:
        """Make the database what it was at `bookmark`."""
        path = f"{self._path}/time_travel/restore"
        answer: Mapping[str, Any] = self._api.call(
            "POST", path, query={"bookmark": bookmark}
        )
        return answer

    def delete(self) -> None:
        """Remove it."""
        self._api.call("DELETE", self._path)

    def _post(self, what: str, body: Mapping[str, object]) -> Any:
        return self._api.call("POST", f"{self._path}/{what}", json=body)

    def _upload(self, url: str, file: Path) -> None:
        size = {"Content-Length": str(file.stat().st_size)}
        path, query = _below(url)
        with self._api.open("PUT", path, query=query, body=_read(file), headers=size):
            pass


def _below(url: str) -> tuple[str, Mapping[str, str]]:
    """Return the path, below the base, and the query of one of the node's own URLs."""
    parts = urlsplit(url)
    path = "/accounts/" + parts.path.partition("/accounts/")[2]
    return path, dict(parse_qsl(parts.query))


def _done(state: Mapping[str, Any]) -> Mapping[str, Any]:
    if not state.get("success"):
        raise UsageError(str(state.get("error", "the node does not say why")))
    result: Mapping[str, Any] = state["result"]
    return result


def _read(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(
            stream, lambda: hashlib.md5(usedforsecurity=False)
        ).hexdigest()
