"""Queues in the control API: what wrangler and the SDKs ask."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

from selfedge.api.body import read_as
from selfedge.api.paging import numbered, whole_list
from selfedge.binding import Answer, Call, Context, Route
from selfedge.bindings.queues import limits, rest, wire
from selfedge.bindings.queues.errors import InvalidRequest, QueueError, QueueNotFound
from selfedge.bindings.queues.registry import PULL, WORKER, Attached, Queue
from selfedge.bindings.queues.server import QueueServer
from selfedge.errors import ApiError, StorageError

UNAVAILABLE = 10001
_PER_PAGE = 100
_ALL = "/accounts/{account}/queues"
_ONE = f"{_ALL}/{{queue}}"
_CONSUMERS = f"{_ONE}/consumers"
_CONSUMER = f"{_CONSUMERS}/{{consumer}}"

Method = Callable[[Call], Awaitable[object]]


def routes(server: QueueServer, context: Context) -> Sequence[Route]:
    """Return the routes over the running service."""
    del context
    api = _Api(server)
    return [
        Route(method=method, path=path, answer=_refusing(answer))
        for method, path, answer in (
            ("GET", _ALL, api.list),
            ("POST", _ALL, api.create),
            ("GET", _ONE, api.get),
            ("PUT", _ONE, api.update),
            ("PATCH", _ONE, api.update),
            ("DELETE", _ONE, api.delete),
            ("GET", _CONSUMERS, api.consumers),
            ("POST", _CONSUMERS, api.attach),
            ("GET", _CONSUMER, api.consumer),
            ("PUT", _CONSUMER, api.change),
            ("DELETE", _CONSUMER, api.detach),
            ("GET", f"{_ONE}/purge", api.purged),
            ("POST", f"{_ONE}/purge", api.purge),
            ("GET", f"{_ONE}/metrics", api.metrics),
            ("POST", f"{_ONE}/messages", api.push),
            ("POST", f"{_ONE}/messages/batch", api.push_all),
            ("POST", f"{_ONE}/messages/pull", api.pull),
            ("POST", f"{_ONE}/messages/ack", api.ack),
            ("POST", f"{_ONE}/messages/peek", api.peek),
            ("POST", f"{_ONE}/messages/purge", api.purge_some),
        )
    ]


async def check(server: QueueServer, entry: Mapping[str, Any]) -> None:
    """Check that the queue is there which an entry of an upload names.

    Raises:
        ApiError: it is not.
    """
    wanted = entry["queue_name"]
    try:
        server.service.registry.named(wanted)
    except QueueNotFound as error:
        raise ApiError(
            f"Queue {wanted[:80]!r} not found, to which {entry['name']!r} is bound. "
            "Create it with `wrangler queues create`.",
            status=400,
            number=error.number,
        ) from error


class _Api:
    """Each method answers one route; all but `create` and `list` name a queue."""

    def __init__(self, server: QueueServer) -> None:
        self._service = server.service
        self._registry = server.service.registry
        self._purged: dict[str, int] = {}  # queue → when, in ms

    async def list(self, call: Call) -> object:
        names = call.request.rel_url.query.getall("name", [])
        found = [
            self._shown(queue)
            for queue in self._registry.every()
            if not names or queue.name in names
        ]
        return numbered(found, call.query, default=_PER_PAGE)

    async def create(self, call: Call) -> object:
        body = await read_as(call, rest.QueueBody)
        if body.queue_name is None:
            raise InvalidRequest("`queue_name` is missing.")
        settings = rest.changes(body.settings)
        now_ms = self._service.now_ms
        queue = await self._registry.create(body.queue_name, now_ms)
        if settings:
            queue = await self._registry.change(queue, now_ms, **settings)
        await self._service.look()
        return self._shown(queue)

    async def get(self, call: Call) -> object:
        return self._shown(self._queue(call))

    async def update(self, call: Call) -> object:
        queue = self._queue(call)
        body = await read_as(call, rest.QueueBody)
        settings = dict(rest.changes(body.settings))
        if body.queue_name is not None:
            settings["name"] = body.queue_name
        changed = await self._registry.change(queue, self._service.now_ms, **settings)
        self._service.woken(changed.key)
        return self._shown(changed)

    async def delete(self, call: Call) -> object:
        await self._service.delete(self._queue(call))
        return {}

    async def consumers(self, call: Call) -> object:
        return whole_list(self._consumers(self._queue(call)), call.query)

    async def consumer(self, call: Call) -> object:
        queue = self._queue(call)
        attached = self._registry.attached(queue, call.path["consumer"])
        return rest.shown_consumer(queue, attached)

    async def attach(self, call: Call) -> object:
        queue = self._queue(call)
        body = await read_as(call, rest.ConsumerBody)
        kind, script, settings = rest.consumer(queue, body)
        now_ms = self._service.now_ms
        attached = await self._registry.attach(queue, kind, script, settings, now_ms)
        await self._service.look()
        return rest.shown_consumer(queue, attached)

    async def change(self, call: Call) -> object:
        queue = self._queue(call)
        attached = self._registry.attached(queue, call.path["consumer"])
        body = await read_as(call, rest.ConsumerBody)
        kind, script, settings = rest.consumer(queue, body)
        new = replace(attached, type=kind, script=script, settings=settings)
        await self._registry.settle(queue, attached.id, new)
        await self._service.look()
        return rest.shown_consumer(queue, new)

    async def detach(self, call: Call) -> object:
        await self._registry.detach(self._queue(call), call.path["consumer"])
        return {}

    async def purge(self, call: Call) -> object:
        queue = self._queue(call)
        body = await read_as(call, dict[str, object])
        if body.get("delete_messages_permanently") is not True:
            raise InvalidRequest(
                "Confirm that all messages are deleted: "
                '{"delete_messages_permanently": true}.'
            )
        await self._service.messages.remove(queue.key)
        self._purged[queue.id] = self._service.now_ms
        return self._shown(queue)

    async def purged(self, call: Call) -> object:
        at = self._purged.get(self._queue(call).id)
        return {"completed": "true", "started_at": rest.time(at) if at else ""}

    async def metrics(self, call: Call) -> object:
        queue = self._queue(call)
        return rest.shown_metrics(self._service.messages.metrics(queue.key))

    async def push(self, call: Call) -> object:
        queue = self._queue(call)
        sent = wire.checked(rest.sent(await read_as(call, rest.PushBody)))
        return _pushed(await self._service.send(queue, [sent]))

    async def push_all(self, call: Call) -> object:
        queue = self._queue(call)
        body = await read_as(call, rest.BulkBody)
        sent = [rest.sent(one, body.delay_seconds) for one in body.messages]
        return _pushed(await self._service.send(queue, wire.checked_batch(sent)))

    async def pull(self, call: Call) -> object:
        queue = self._queue(call)
        most, visibility_ms = rest.pull(await read_as(call, rest.PullBody))
        leased = await self._service.pulling.pull(queue, most, visibility_ms)
        return rest.shown_pull(leased, self._service.messages.metrics(queue.key))

    async def ack(self, call: Call) -> object:
        queue = self._queue(call)
        acks, retries = rest.acks(await read_as(call, rest.AckBody))
        acked, again, odd = await self._service.pulling.settle(queue, acks, retries)
        return {"ackCount": acked, "retryCount": again, "warnings": odd}

    async def peek(self, call: Call) -> object:
        queue = self._queue(call)
        most, _ = rest.pull(await read_as(call, rest.PullBody))
        shown = self._service.messages.peek(queue.key, most or limits.PULL_SIZE)
        return rest.shown_peek(shown)

    async def purge_some(self, call: Call) -> object:
        queue = self._queue(call)
        seqs, odd = rest.refs(await read_as(call, rest.RefsBody))
        await self._service.messages.remove_some(queue.key, seqs)
        return {"errors": [], "warnings": odd}

    def _queue(self, call: Call) -> Queue:
        try:
            return self._registry.get(call.path["queue"])
        except QueueNotFound:
            return self._registry.named(call.path["queue"])

    def _shown(self, queue: Queue) -> Mapping[str, object]:
        producers = self._service.producers(queue)
        return rest.shown(queue, self._consumers(queue), producers)

    def _consumers(self, queue: Queue) -> Sequence[object]:
        found: list[object] = []
        trigger = self._service.consumed_by(queue)
        if trigger is not None:  # it stands in a wrangler file
            attached = Attached(
                id=f"{trigger.script}-{queue.id}",
                queue=queue.key,
                type=WORKER,
                script=trigger.script,
                settings=trigger.settings,
                created_ms=queue.created_ms,
            )
            found.append(rest.shown_consumer(queue, attached))
        attached_here = self._registry.consumer(queue)
        if attached_here is not None and (
            trigger is None or attached_here.type == PULL
        ):
            found.append(rest.shown_consumer(queue, attached_here))
        return found


def _pushed(metrics: wire.Metrics) -> Mapping[str, object]:
    return {"metadata": {"metrics": rest.shown_metrics(metrics)}}


def _refusing(answer: Method) -> Answer:
    @wraps(answer)
    async def refusing(call: Call) -> object:
        try:
            return await answer(call)
        except QueueError as error:
            raise ApiError(
                str(error), status=error.status, number=error.number
            ) from error
        except StorageError as error:
            raise ApiError(str(error), status=500, number=UNAVAILABLE) from error

    return refusing
