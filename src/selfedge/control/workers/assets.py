"""Static files: a session says which are missing, uploads bring them, a token ends it.

The bytes of a file are kept per account, under the hash that the client gives them;
what is there is never replaced.
"""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Annotated, Any

import msgspec
from aiohttp import web

from selfedge.api.body import read_as, read_bytes
from selfedge.api.codes import BAD_CREDENTIALS
from selfedge.binding import Call, Route
from selfedge.catalog.model import Assets, Version
from selfedge.catalog.paths import clash, fault
from selfedge.catalog.store import Catalog
from selfedge.control.answers import envelope_response
from selfedge.control.envelope import success
from selfedge.control.guard import bearer
from selfedge.control.workers.limits import (
    ASSET_MAX_BYTES,
    ASSETS_MAX,
    UPLOAD_MAX_BYTES,
)
from selfedge.control.workers.metadata import Metadata, check_name
from selfedge.control.workers.multipart import parse
from selfedge.control.workers.problem import bad, invalid
from selfedge.control.workers.ticket import issue, verified
from selfedge.errors import ApiError
from selfedge.types import Clock

SESSION_S = 3600
SESSIONS_MAX = 100
BUCKET_MAX_BYTES = 20 * 1024 * 1024
BUCKET_MAX_FILES = 100
BAD_MANIFEST = 100302
BAD_ASSET = 100303
_NO_TYPE = "application/null"
_UPLOADS = "/accounts/{account}/workers/assets/upload"
_SESSION = "/accounts/{account}/workers/scripts/{script}/assets-upload-session"


class _File(msgspec.Struct, frozen=True):
    hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    size: Annotated[int, msgspec.Meta(ge=0)]


class _Manifest(msgspec.Struct, frozen=True):
    manifest: dict[str, _File]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An upload of the files of one version."""

    account: str
    files: Mapping[str, str]  # path → hash
    sizes: Mapping[str, int]  # hash → bytes
    missing: set[str]  # hashes
    expires_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The uploads of static files that go on; they end with the process."""

    catalog: Catalog
    clock: Clock
    key: bytes  # signs the tokens
    served: bool  # the node can serve static files
    _open: dict[str, Session] = field(default_factory=dict)

    def routes(self) -> Sequence[Route]:
        """Return its routes; uploads show a token of the session, not of the API."""
        return [
            Route(method="POST", path=_SESSION, answer=self._begin),
            Route(method="POST", path=_UPLOADS, answer=self._many, needs="none"),
            Route(
                method="POST",
                path=f"{_UPLOADS}/{{hash}}",
                answer=self._one,
                needs="none",
            ),
        ]

    def files(
        self, account: str, metadata: Metadata, before: Version | None
    ) -> Assets | None:
        """Return the static files of an upload.

        Raises:
            ApiError: its token is not of a finished session, or the node serves none.
        """
        given = metadata.assets
        kept = before.assets if before and metadata.keep_assets else None
        if given is None:
            return kept
        self._check_served()
        config = given.config
        if given.jwt is not None:
            _, session = self._found(account, given.jwt)
            if session.missing:
                raise invalid(
                    f"{len(session.missing)} static files were not uploaded: upload "
                    "them, and use the token of the last answer."
                )
            return Assets(files=session.files, config=config or {})
        if kept is None:
            raise invalid("`assets` of the metadata needs `jwt`, a session's token.")
        return Assets(
            files=kept.files, config=kept.config if config is None else config
        )

    async def _begin(self, call: Call) -> Mapping[str, Any]:
        check_name(call.path["script"])
        self._check_served()
        given = (await read_as(call, _Manifest)).manifest
        _check_manifest(given)
        sizes = {one.hash: one.size for one in given.values()}
        missing = await asyncio.to_thread(self._absent, call.account, sizes)
        now = self.clock()
        session = Session(
            account=call.account,
            files={path: one.hash for path, one in given.items()},
            sizes=sizes,
            missing=set(missing),
            expires_s=now + SESSION_S,
        )
        name = token_hex(16)
        self._forget(now)
        self._open[name] = session
        return {"jwt": self._token(name, session), "buckets": _buckets(missing, sizes)}

    async def _many(self, call: Call) -> web.Response:
        name, session = self._shown(call)
        body = await read_bytes(call, most_bytes=UPLOAD_MAX_BYTES)
        is_text = call.query.get("base64") == "true"
        for part in parse(call.request.headers.get("Content-Type", ""), body):
            data = bytes(part.body)
            if is_text:
                data = await asyncio.to_thread(_decoded, data)
            await self._keep(session, part.name, data, part.content_type)
        return self._progress(name, session)

    async def _one(self, call: Call) -> web.Response:
        name, session = self._shown(call)
        data = await read_bytes(call, most_bytes=ASSET_MAX_BYTES)
        kind = call.request.headers.get("Content-Type", "")
        await self._keep(session, call.path["hash"], data, kind)
        return self._progress(name, session)

    async def _keep(
        self, session: Session, digest: str, data: bytes, kind: str
    ) -> None:
        if digest not in session.sizes:
            raise bad(f"{digest[:80]!r} is not in the session's manifest.", BAD_ASSET)
        if len(data) != session.sizes[digest]:
            raise bad(
                f"The file {digest} has {len(data)} bytes, the manifest says "
                f"{session.sizes[digest]}.",
                BAD_ASSET,
            )
        if digest in session.missing:
            shown = None if kind in {"", _NO_TYPE} else kind
            await self.catalog.add_asset(session.account, digest, data, shown)
            session.missing.discard(digest)

    def _progress(self, name: str, session: Session) -> web.Response:
        if session.missing:
            return envelope_response(202, success({}))
        return envelope_response(201, success({"jwt": self._token(name, session)}))

    def _shown(self, call: Call) -> tuple[str, Session]:
        return self._found(call.account, bearer(call.request.headers))

    def _found(self, account: str, token: str) -> tuple[str, Session]:
        claims = verified(token, self.key, self.clock()) or {}
        name = str(claims.get("session"))
        session = self._open.get(name)
        if session is None or session.account != account:
            raise ApiError(
                "The token is not one of an upload of static files that goes on; "
                f"sessions end after {SESSION_S} s. Begin again.",
                status=401,
                number=BAD_CREDENTIALS,
            )
        return name, session

    def _token(self, name: str, session: Session) -> str:
        claims = {
            "session": name,
            "exp": int(session.expires_s),
            "done": not session.missing,
        }
        return issue(claims, self.key)

    def _absent(self, account: str, hashes: Mapping[str, int]) -> Sequence[str]:
        return [name for name in hashes if self.catalog.asset(account, name) is None]

    def _forget(self, now: float) -> None:
        """Drop sessions that have ended, and the oldest if there are too many."""
        for name, session in list(self._open.items()):
            if session.expires_s <= now or len(self._open) >= SESSIONS_MAX:
                del self._open[name]

    def _check_served(self) -> None:
        if not self.served:
            raise invalid("Static assets are not supported by this node yet.")


def _check_manifest(given: Mapping[str, _File]) -> None:
    if len(given) > ASSETS_MAX:
        raise bad(
            f"There are {len(given)} static files, {ASSETS_MAX} are the most.",
            BAD_MANIFEST,
        )
    if wrong := clash(given):
        raise bad(f"{wrong}.", BAD_MANIFEST)
    for path, one in given.items():
        if wrong := fault(path):
            raise bad(f"{wrong}.", BAD_MANIFEST)
        if one.size > ASSET_MAX_BYTES:
            raise bad(
                f"The static file {path[:80]} has {one.size} bytes, "
                f"{ASSET_MAX_BYTES} are the most.",
                BAD_MANIFEST,
            )


def _buckets(missing: Sequence[str], sizes: Mapping[str, int]) -> list[list[str]]:
    """Part hashes into requests of a fair size."""
    buckets: list[list[str]] = []
    size = 0
    for name in missing:
        full = size + sizes[name] > BUCKET_MAX_BYTES
        if not buckets or full or len(buckets[-1]) == BUCKET_MAX_FILES:
            buckets.append([])
            size = 0
        buckets[-1].append(name)
        size += sizes[name]
    return buckets


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise bad(f"A file of the upload is not base64: {error}.", BAD_ASSET) from error
