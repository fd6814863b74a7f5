"""The child's side: takes connections from the control socket, runs the calls."""

import asyncio
import socket
from contextlib import aclosing, suppress

from selfedge.bindings.ai.errors import AiError
from selfedge.bindings.ai.host.frames import (
    Call,
    Done,
    Failed,
    Told,
    pack,
    read_call,
)
from selfedge.bindings.ai.host.models import Models


async def serve(control: socket.socket, models: Models) -> None:
    """Run the calls on all connections that arrive over `control`, until it closes."""
    control.settimeout(0)  # never blocks
    loop = asyncio.get_running_loop()
    calls: set[asyncio.Task[None]] = set()
    closed = asyncio.Event()

    def accept() -> None:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            loop.remove_reader(control)
            closed.set()
        for descriptor in descriptors:
            task = loop.create_task(_converse(descriptor, models))
            calls.add(task)
            task.add_done_callback(calls.discard)

    loop.add_reader(control, accept)
    sweeping = asyncio.create_task(models.sweep())
    await closed.wait()
    sweeping.cancel()


async def _converse(descriptor: int, models: Models) -> None:
    connection = socket.socket(fileno=descriptor)
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    following = asyncio.ensure_future(read_call(reader))
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            call = await following
            answer = asyncio.ensure_future(_answer(call, writer, models))
            following = asyncio.ensure_future(read_call(reader))
            await asyncio.wait((answer, following), return_when=asyncio.FIRST_COMPLETED)
            if following.done() and following.exception():
                answer.cancel()  # the caller has gone
            await asyncio.gather(answer, return_exceptions=True)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _answer(call: Call, writer: asyncio.StreamWriter, models: Models) -> None:
    def tell(text: str) -> None:
        writer.write(pack(Told(text)))

    try:
        async with (
            models.use(call.runner, call.source, tell) as runner,
            aclosing(runner.run(call.job)) as parts,
        ):
            async for part in parts:
                writer.write(pack(part))
                await writer.drain()
    except AiError as error:
        writer.write(pack(Failed(internal_code=error.internal_code, text=str(error))))
    except Exception as error:  # noqa: BLE001 - a defect must not end in silence
        text = f"{type(error).__name__}: {error}"
        writer.write(pack(Failed(internal_code=AiError.internal_code, text=text)))
    else:
        writer.write(pack(Done()))
    await writer.drain()
