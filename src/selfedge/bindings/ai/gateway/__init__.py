"""The basics of AI Gateway: each run through a gateway leaves a log.

The newest thousand logs of all gateways are kept.
"""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from selfedge.bindings.ai.errors import AiError, BadInput, NoSuchLog
from selfedge.bindings.ai.gateway.kept import KeptLogs, Row
from selfedge.bindings.ai.limits import GATEWAY_LOGS_KEPT
from selfedge.errors import StorageError

WORKERS_AI = "workers-ai"


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """What a Worker may add to a log."""

    score: float | None = None
    feedback: int | None = None
    metadata: dict[str, str | float | bool | None] | None = None


class UniversalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One of the requests of `gateway().run`; the first that succeeds answers."""

    provider: str
    endpoint: str
    headers: dict[str, Any] = {}
    query: Any = None


class Gateway:
    """The logs of all gateways of one account."""

    def __init__(self, kept: KeptLogs | None = None) -> None:
        self._kept = kept
        self._logs: dict[str, Row] = {}

    async def resume(self) -> None:
        """Read what a former run of the node has kept."""
        if self._kept:
            self._logs = {row.log["id"]: row for row in await self._kept.load()}

    async def record(
        self,
        gateway: str,
        *,
        model: str,
        began: float,
        ended: float,
        error: AiError | None = None,
    ) -> str:
        """Keep a log of one run; return its id."""
        log_id = uuid.uuid4().hex
        moment = datetime.fromtimestamp(began, UTC).isoformat()
        log = {
            "id": log_id,
            "provider": WORKERS_AI,
            "model": model,
            "success": error is None,
            "status_code": error.status if error else 200,
            "cached": False,
            "duration": round((ended - began) * 1000),
            "created_at": moment.replace("+00:00", "Z"),
            "path": "",
        }
        await self._keep(Row(gateway=gateway, at=began, log=log))
        return log_id

    def log(self, gateway: str, log_id: str) -> Mapping[str, Any]:
        """Return a log.

        Raises:
            NoSuchLog: there is none.
        """
        return self._row(gateway, log_id).log

    async def patch(self, gateway: str, log_id: str, body: object) -> Mapping[str, Any]:
        """Add score, feedback or metadata to a log; return it.

        Raises:
            AiError: there is no such log, or the body is something else.
        """
        found = self._row(gateway, log_id)
        try:
            patch = msgspec.convert(body, Patch)
        except msgspec.ValidationError as error:
            raise BadInput(f"patchLog: {error}") from error
        given = {
            k: v for k, v in msgspec.structs.asdict(patch).items() if v is not None
        }
        log = {**found.log, **given}
        await self._keep(Row(gateway=gateway, at=found.at, log=log))
        return log

    def _row(self, gateway: str, log_id: str) -> Row:
        found = self._logs.get(log_id)
        if found is None or found.gateway != gateway:
            raise NoSuchLog(f"The gateway {gateway} has no log {log_id}")
        return found

    async def _keep(self, row: Row) -> None:
        self._logs[row.log["id"]] = row
        dropped = list(self._logs)[: max(0, len(self._logs) - GATEWAY_LOGS_KEPT)]
        for log_id in dropped:
            del self._logs[log_id]
        if self._kept:
            with suppress(StorageError):  # a full disk costs the log, not the answer
                await self._kept.write(row, dropped)


def url(gateway: str, provider: str) -> str:
    """Return the address that such a gateway has on Cloudflare."""
    path = "" if provider == "universal" else f"/{provider}"
    return f"https://gateway.ai.cloudflare.com/v1/local/{gateway}{path}"


def universal(body: object) -> Sequence[UniversalRequest]:
    """Return the requests of `gateway().run`.

    Raises:
        BadInput: there are none, or one goes to a provider that is not here.
    """
    try:
        found = msgspec.convert(body, list[UniversalRequest])
    except msgspec.ValidationError as error:
        raise BadInput(f"gateway().run: {error}") from error
    if not found:
        raise BadInput("gateway().run: needs at least one request")
    for place, request in enumerate(found):
        if request.provider != WORKERS_AI:
            raise BadInput(
                f"[{place}].provider: {request.provider} is not served here, only "
                f"{WORKERS_AI}; call the provider with fetch()"
            )
    return found
