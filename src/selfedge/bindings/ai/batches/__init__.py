"""The batch API: many requests are queued at once, and asked for later.

The newest thousand are kept, across restarts too where the node has a disk.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from selfedge.bindings.ai.batches.kept import Begun, Kept, Result
from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    InferenceFailed,
    OverCapacity,
    RequestTooLarge,
)
from selfedge.bindings.ai.limits import (
    BATCH_MAX_BYTES,
    BATCH_REQUESTS_MAX,
    BATCHES_KEPT,
)
from selfedge.errors import StorageError

AT_ONCE = 4
"""Requests of one batch that run at the same time; others want the models too."""

RETRY_S = 0.25

Run: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[object]]
"""Compute one request that was checked."""


@dataclass(slots=True)
class _Batch:
    begun: Begun
    results: dict[int, Result] = field(default_factory=dict)
    started: bool = False
    task: asyncio.Task[None] | None = None


class Batches:
    """All batches of one node."""

    def __init__(self, kept: Kept | None = None) -> None:
        self._kept = kept
        self._batches: dict[str, _Batch] = {}  # in the order of their arrival
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def resume(self, run_of: Callable[[str], Run]) -> None:
        """Go on with what a former run of the node has left; `run_of` a model."""
        for begun, results in await self._kept.load() if self._kept else ():
            self._begin(_Batch(begun, results), run_of(begun.model))

    async def queue(
        self, model: str, requests: Sequence[Mapping[str, Any]], run: Run
    ) -> Mapping[str, object]:
        """Begin a batch; return its receipt.

        Raises:
            StorageError: it could not be kept, and is not begun.
        """
        name = str(uuid.uuid4())
        begun = Begun(id=name, model=model, at=time.time(), requests=requests)
        if self._kept:
            await self._kept.begin(begun)
        self._begin(_Batch(begun), run)
        await self._forget()
        return {"status": "queued", "model": model, "request_id": name}

    def _begin(self, batch: _Batch, run: Run) -> None:
        self._batches[batch.begun.id] = batch
        batch.task = asyncio.create_task(self._work(batch, run))

    def poll(self, model: str, batch_id: str) -> Mapping[str, object]:
        """Return the results, or how far they are.

        Raises:
            BadInput: there is no such batch.
        """
        batch = self._batches.get(batch_id)
        if batch is None:
            raise BadInput(f"request_id: there is no batch {batch_id[:64]}")
        requests = batch.begun.requests
        if len(batch.results) < len(requests):
            status = "running" if batch.started else "queued"
            return {"status": status, "model": model, "request_id": batch_id}
        found = [batch.results[place] for place in range(len(requests))]
        return {"responses": found, "usage": _usage(found)}

    async def close(self) -> None:
        """End what still runs."""
        tasks = [batch.task for batch in self._batches.values() if batch.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, batch: _Batch, run: Run) -> None:
        async with asyncio.TaskGroup() as group:
            for place in range(len(batch.begun.requests)):
                if place not in batch.results:
                    group.create_task(self._one(batch, place, run))

    async def _one(self, batch: _Batch, place: int, run: Run) -> None:
        request = batch.begun.requests[place]
        async with self._slots:
            batch.started = True
            outcome = await _outcome(request, run)
        reference = request.get("external_reference")
        named = {} if reference is None else {"external_reference": reference}
        result = {"id": place, **outcome, **named}
        if self._kept:
            with suppress(StorageError):  # a restart computes it again
                await self._kept.answer(batch.begun.id, place, result)
        batch.results[place] = result

    async def _forget(self) -> None:
        done = [i for i, b in self._batches.items() if b.task and b.task.done()]
        for batch_id in done[: max(0, len(self._batches) - BATCHES_KEPT)]:
            batch = self._batches.pop(batch_id)
            if self._kept:
                await self._kept.drop(batch_id, len(batch.begun.requests))


def requests_of(inputs: object) -> Sequence[Mapping[str, Any]]:
    """Return the requests of a batch, in any form.

    Raises:
        BadInput: there are none, too many, or one that is no object.
        RequestTooLarge: together they are over the limit.
    """
    found = inputs.get("requests") if isinstance(inputs, dict) else None
    if not isinstance(found, list) or not found:
        raise BadInput("requests: queueRequest needs an array of requests")
    if len(found) > BATCH_REQUESTS_MAX:
        raise BadInput(f"requests: at most {BATCH_REQUESTS_MAX}, not {len(found)}")
    if len(msgspec.json.encode(found)) > BATCH_MAX_BYTES:
        raise RequestTooLarge(
            f"Request is too large: a batch is at most {BATCH_MAX_BYTES // 10**6} MB"
        )
    for place, request in enumerate(found):
        if not isinstance(request, dict):
            raise BadInput(f"requests[{place}]: must be an object")
        if request.get("stream"):
            raise BadInput(f"requests[{place}].stream: a batch does not stream")
    return found


async def _outcome(request: Mapping[str, Any], run: Run) -> Mapping[str, object]:
    while True:
        try:
            return {"success": True, "result": await run(request)}
        except OverCapacity:
            await asyncio.sleep(RETRY_S)  # a batch is patient
        except AiError as error:
            return _failure(error)
        except Exception as error:  # noqa: BLE001 - one defect must not end the batch
            return _failure(InferenceFailed(f"{type(error).__name__}: {error}"))


def _failure(error: AiError) -> Mapping[str, object]:
    text = {"code": error.internal_code, "message": str(error)}
    return {"success": False, "result": None, "error": text}


def _usage(responses: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    totals = dict.fromkeys(names, 0)
    for response in responses:
        result = response["result"]
        usage = result.get("usage", {}) if isinstance(result, dict) else {}
        for name in names:
            totals[name] += usage.get(name, 0)
    return totals
