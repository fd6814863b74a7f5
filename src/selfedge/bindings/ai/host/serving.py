"""The child's side: takes connections from the control socket, runs the calls."""

import asyncio
import socket
from contextlib import aclosing
from typing import cast

from selfedge.bindings.ai.errors import AiError
from selfedge.bindings.ai.host.frames import (
    Call,
    Done,
    Failed,
    Received,
    Reply,
    Told,
    pack,
)
from selfedge.bindings.ai.host.models import Models


async def serve(control: socket.socket, models: Models) -> None:
    """Run the calls on all connections that arrive over `control`, until it closes."""
    control.settimeout(0)  # never blocks
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()
    closed = asyncio.Event()

    def accept() -> None:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            loop.remove_reader(control)
            closed.set()
        for descriptor in descriptors:
            connecting = loop.create_task(_connect(descriptor, models, tasks))
            tasks.add(connecting)
            connecting.add_done_callback(tasks.discard)

    loop.add_reader(control, accept)
    sweeping = asyncio.create_task(models.sweep())
    await closed.wait()
    sweeping.cancel()


async def _connect(
    descriptor: int, models: Models, tasks: set[asyncio.Task[None]]
) -> None:
    await asyncio.get_running_loop().connect_accepted_socket(
        lambda: _Conversation(models, tasks), socket.socket(fileno=descriptor)
    )


class _Conversation(asyncio.Protocol):
    """One connection: its calls, one after the other."""

    def __init__(self, models: Models, tasks: set[asyncio.Task[None]]) -> None:
        self._models = models
        self._tasks = tasks
        self._transport: asyncio.Transport | None = None
        self._received = Received()
        self._answering: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received.add(data)
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        self._writable.set()
        if self._answering:
            self._answering.cancel()  # the caller has gone

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _next(self) -> None:
        if self._answering is None and (call := self._received.call()):
            self._answering = asyncio.create_task(self._answer(call))
            self._tasks.add(self._answering)  # which keeps it alive
            self._answering.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._answering = None
        self._next()

    async def _answer(self, call: Call) -> None:
        try:
            async with (
                self._models.use(call.runner, call.source, self._tell) as runner,
                aclosing(runner.run(call.job)) as parts,
            ):
                async for part in parts:
                    self._send(part)
                    await self._writable.wait()
        except AiError as error:
            self._send(Failed(internal_code=error.internal_code, text=str(error)))
        except Exception as error:  # noqa: BLE001 - a defect must not end in silence
            text = f"{type(error).__name__}: {error}"
            self._send(Failed(internal_code=AiError.internal_code, text=text))
        else:
            self._send(Done())

    def _tell(self, text: str) -> None:
        self._send(Told(text))

    def _send(self, reply: Reply) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(pack(reply))
