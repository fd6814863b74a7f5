"""Signals that end a node."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from functools import partial

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[], None]


@contextlib.contextmanager
def ending(
    stop: asyncio.Event,
    received: list[int],
    others: Mapping[signal.Signals, Handler] | None = None,
) -> Iterator[None]:
    """Set `stop` at a signal that ends, while the context is open; note which.

    `others` are not to end the node, and are handled as they say.
    """
    loop = asyncio.get_running_loop()

    def on(number: int) -> None:
        received.append(number)
        stop.set()

    handlers: dict[signal.Signals, Handler] = {
        number: partial(on, number) for number in ENDING
    }
    handlers |= others or {}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
