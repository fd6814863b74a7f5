"""What a service needs of a model host, and one that outlives the service."""

from collections.abc import AsyncGenerator
from typing import Protocol

from selfedge.bindings.ai.host.frames import Call
from selfedge.bindings.ai.jobs import Part


class Host(Protocol):
    """Computes; `process.ModelHost` does it in a child."""

    def run(self, call: Call) -> AsyncGenerator[Part, None]:
        """Yield the parts of the answer; closing the generator cancels the call.

        Raises:
            AiError: the runner refused the job, or the host died.
        """

    async def close(self) -> None:
        """End; calls that still run fail."""


class Borrowed:
    """A host that other services use too: closing leaves it as it is."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def run(self, call: Call) -> AsyncGenerator[Part, None]:
        """Do as the host."""
        return self._host.run(call)

    async def close(self) -> None:
        """Do nothing: who lent the host ends it."""
