"""The slots of the front: unix sockets by which it reaches processes of Workers."""

import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from selfedge.errors import EngineError
from selfedge.front.config import slot_name
from selfedge.supervisor.door import Door, Sockets
from selfedge.supervisor.sockets import listen_unix

Push = Callable[[], Awaitable[None]]
"""Tells the front where everything is now."""


class Pool:
    """All slots there are; the one that was free for longest is taken next.

    The front keeps connections to a slot for a while, so a slot that has just been
    given back must not be another's at once.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._folder.mkdir(mode=0o700)
        self._free = deque(range(size))
        self.addresses: Mapping[str, str] = {
            slot_name(number): f"unix:{self.path(number)}" for number in range(size)
        }

    def path(self, number: int) -> Path:
        """Return where the socket of a slot is."""
        return self._folder / str(number)

    def take(self) -> int:
        """Return a free slot.

        Raises:
            EngineError: there is none.
        """
        if not self._free:
            raise EngineError(
                f"all {len(self.addresses)} slots of the front are taken: this node "
                "runs as many versions of Workers as it can; delete some, or start it "
                "with a greater --slots"
            )
        return self._free.popleft()

    def give_back(self, number: int) -> None:
        """Make a slot free."""
        self._free.append(number)


class SlotDoor:
    """The door of one group: clients come through the front."""

    def __init__(self, pool: Pool, push: Push) -> None:
        self._pool = pool
        self._push = push
        self._numbers: dict[socket.socket, int] = {}
        self.current: Mapping[str, str] = {}
        """Name of a client socket → the slot to which the front leads."""

    def open(self, names: Sequence[str]) -> Sockets:
        """Return a listening socket at a free slot for each of `names`."""
        return {name: self._open() for name in names}

    async def steer(self, to: Sockets) -> None:
        """Have the front lead clients there; return when it does."""
        self.current = {name: slot_name(self._numbers[one]) for name, one in to.items()}
        await self._push()

    def close(self, given: Sockets) -> None:
        """Give the slots back."""
        for one in given.values():
            self._close(one)

    def close_all(self) -> None:
        """Give all slots back."""
        self.current = {}
        for one in list(self._numbers):
            self._close(one)

    def _open(self) -> socket.socket:
        number = self._pool.take()
        one = listen_unix(self._pool.path(number))
        self._numbers[one] = number
        return one

    def _close(self, one: socket.socket) -> None:
        number = self._numbers.pop(one, None)
        if number is not None:
            one.close()
            self._pool.path(number).unlink(missing_ok=True)
            self._pool.give_back(number)


_: type[Door] = SlotDoor
