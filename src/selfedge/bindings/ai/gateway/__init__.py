"""The basics of AI Gateway: each run through a gateway leaves a log.

Logs are kept in memory, the newest thousand of all gateways.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from selfedge.bindings.ai.errors import AiError, BadInput, NoSuchLog
from selfedge.bindings.ai.limits import GATEWAY_LOGS_KEPT

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
    """The logs of all gateways of one node."""

    def __init__(self) -> None:
        self._logs: dict[tuple[str, str], dict[str, Any]] = {}

    def record(
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
        self._logs[gateway, log_id] = {
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
        while len(self._logs) > GATEWAY_LOGS_KEPT:
            del self._logs[next(iter(self._logs))]
        return log_id

    def log(self, gateway: str, log_id: str) -> Mapping[str, Any]:
        """Return a log.

        Raises:
            NoSuchLog: there is none.
        """
        found = self._logs.get((gateway, log_id))
        if found is None:
            raise NoSuchLog(f"The gateway {gateway} has no log {log_id}")
        return found

    def patch(self, gateway: str, log_id: str, body: object) -> Mapping[str, Any]:
        """Add score, feedback or metadata to a log; return it.

        Raises:
            AiError: there is no such log, or the body is something else.
        """
        found = self.log(gateway, log_id)
        try:
            patch = msgspec.convert(body, Patch)
        except msgspec.ValidationError as error:
            raise BadInput(f"patchLog: {error}") from error
        given = {
            k: v for k, v in msgspec.structs.asdict(patch).items() if v is not None
        }
        self._logs[gateway, log_id] = {**found, **given}
        return self._logs[gateway, log_id]


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
