"""Queues over HTTP, as the engine's producers ask."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, StreamResponse

from selfedge.api.reply import Reply
from selfedge.binding import Context
from selfedge.bindings.queues import limits, wire
from selfedge.bindings.queues.compile import from_resource
from selfedge.bindings.queues.errors import InvalidRequest, QueueError, TooLarge
from selfedge.bindings.queues.service import QueueService
from selfedge.errors import StorageError

_BODY_MAX_BYTES = 64 * 1024 * 1024
_BATCH_BODY_MAX_BYTES = 2 * (limits.BATCH_MAX_BYTES + limits.BATCH_SLACK_BYTES)
_UNKNOWN = 15000  # "Unknown Internal Error"


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["QueueServer"]:
    """Run all queues for as long as the context lasts.

    Raises:
        StorageError: their state cannot be read.
    """
    service = QueueService(
        context.storage.directory("queues"),
        clock=context.clock,
        notice=context.notice,
        new_id=lambda: uuid.uuid4().hex,
        dispatch=context.dispatch,
        triggers=context.triggers,
    )
    await service.start()
    tending = asyncio.create_task(service.tend(), name="queues' sweeper")
    try:
        yield QueueServer(service)
    finally:
        tending.cancel()
        with suppress(asyncio.CancelledError):
            await tending
        await service.close()


class QueueServer:
    """Answers the requests of the engine's producers; the resource is one of them."""

    def __init__(self, service: QueueService) -> None:
        self.service = service

    def bound(self, resources: Iterable[str]) -> None:
        """Let the queues exist that Workers use."""
        self.service.bound(resources)

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one request of the producer `resource`."""
        try:
            body = await _body(request)
            return Reply(200, await self._answer(resource, request, body))
        except QueueError as error:
            return _refused(error.status, error.number, str(error))
        except StorageError as error:
            return _refused(500, _UNKNOWN, str(error))
        except (ConnectionError, ClientError, HttpProcessingError):
            return _refused(400, _UNKNOWN, "The request's body was cut short.")

    async def _answer(self, resource: str, request: BaseRequest, body: bytes) -> bytes:
        name, _, usual_s = from_resource(resource)
        queue = await self.service.registry.ensure(name, self.service.now_ms)
        if request.method == "GET" and request.path == "/metrics":
            return wire.metrics_json(self.service.messages.metrics(queue.key))
        delay = request.headers.get(wire.DELAY_HEADER)
        if request.method == "POST" and request.path == "/message":
            content_type = request.headers.get(wire.FORMAT_HEADER)
            sent = [wire.message(body, content_type, delay)]
        elif request.method == "POST" and request.path == "/batch":
            sent = list(wire.batch(body, delay))
        else:
            raise InvalidRequest("Queues have no such operation.")
        return wire.accepted(await self.service.send(queue, sent, usual_s))


def _refused(status: int, number: int, message: str) -> Reply:
    """Return what a Worker sees as `Queue send failed: …`, or with the code."""
    words = " ".join(message.split())
    headers = f"CF-Queues-Error-Code: {number}\r\nCF-Queues-Error-Cause: {words}\r\n"
    return Reply(status, reason=words, headers=headers.encode())


async def _body(request: BaseRequest) -> bytes:
    """Return the body; one that is too large is read to its end first.

    The engine shows an answer that comes earlier as "Network connection lost".
    """
    body, size = bytearray(), 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size <= _BATCH_BODY_MAX_BYTES:
            body += chunk
        elif size > _BODY_MAX_BYTES:
            break
    if size > _BATCH_BODY_MAX_BYTES:
        raise TooLarge(
            f"message length of {size} bytes exceeds limit of "
            f"{limits.MESSAGE_MAX_BYTES}"
        )
    return bytes(body)
