"""Tails: who listens to the events of a Worker, until when, and where."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from selfedge.api.body import read_bytes
from selfedge.api.codes import BAD_BODY
from selfedge.api.paging import whole_list
from selfedge.binding import Call, Page, Route
from selfedge.control.workers.problem import NO_TAIL, bad, missing
from selfedge.control.workers.workers import Workers

TAIL_S = 6 * 3600
TAILS_MAX = 10  # of a Worker, as at Cloudflare
TOO_MANY = 10024
_BODY_MAX_BYTES = 64 * 1024
_TAILS = "/accounts/{account}/workers/scripts/{script}/tails"

TailUrl: TypeAlias = Callable[[str], str]
"""Id of a tail → where a client listens: the URL is the credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """A client that listens, or is about to."""

    id: str
    account: str
    script: str
    filters: Sequence[Mapping[str, Any]]
    expires_s: float


class _Wanted(msgspec.Struct, frozen=True):
    filters: list[dict[str, Any]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """The tails there are; they end with the process."""

    workers: Workers
    url: TailUrl
    _open: dict[str, Tail] = field(default_factory=dict)

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method="POST", path=_TAILS, answer=self._create),
            Route(method="GET", path=_TAILS, answer=self._list),
            Route(method="DELETE", path=f"{_TAILS}/{{tail}}", answer=self._delete),
        ]

    def find(self, tail_id: str) -> Tail | None:
        """Return a tail that has not expired, or None."""
        tail = self._open.get(tail_id)
        return tail if tail and tail.expires_s > self.workers.clock() else None

    def of(self, account: str, script: str) -> Sequence[Tail]:
        """Return the tails of a Worker."""
        now = self.workers.clock()
        for tail in list(self._open.values()):
            if tail.expires_s <= now:
                self.end(tail.id)
        return [
            tail
            for tail in self._open.values()
            if (tail.account, tail.script) == (account, script)
        ]

    def end(self, tail_id: str) -> None:
        """Forget a tail, there or not."""
        self._open.pop(tail_id, None)

    async def _create(self, call: Call) -> Mapping[str, Any]:
        script = self.workers.script(call).name
        wanted = await _read(call)
        if len(self.of(call.account, script)) >= TAILS_MAX:
            raise bad(
                f"{script} has {TAILS_MAX} tails, which is the most: end one first.",
                TOO_MANY,
            )
        tail = Tail(
            id=self.workers.new_id().replace("-", ""),
            account=call.account,
            script=script,
            filters=wanted.filters,
            expires_s=self.workers.clock() + TAIL_S,
        )
        self._open[tail.id] = tail
        return {**_shown(tail), "url": self.url(tail.id)}

    async def _list(self, call: Call) -> Page:
        script = self.workers.script(call).name
        found = [_shown(tail) for tail in self.of(call.account, script)]
        return whole_list(found, call.query)

    async def _delete(self, call: Call) -> None:
        tail_id = call.path["tail"]
        known = [tail.id for tail in self.of(call.account, call.path["script"])]
        if tail_id not in known:
            raise missing(f"There is no tail {tail_id[:80]}.", NO_TAIL)
        self.end(tail_id)


async def _read(call: Call) -> _Wanted:
    """Return the filters; no body stands for none."""
    raw = await read_bytes(call, most_bytes=_BODY_MAX_BYTES)
    try:
        return msgspec.json.decode(raw or b"{}", type=_Wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad(f"The filters are wrong: {error}.", BAD_BODY) from error


def _shown(tail: Tail) -> Mapping[str, Any]:
    until = datetime.fromtimestamp(tail.expires_s, UTC)
    return {
        "id": tail.id,
        "expires_at": until.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
