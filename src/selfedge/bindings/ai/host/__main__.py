"""`python -m selfedge.bindings.ai.host CONTROL_FD PARENT_PID ROOM`; ROOM is JSON."""

import asyncio
import ctypes
import os
import signal
import socket
import sys

import msgspec
import uvloop

from selfedge.bindings.ai.host.models import Models, Room
from selfedge.bindings.ai.host.serving import serve

NICE = 5
"""Workers go before what computes: a hello waits for no token."""

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the service dies, however it dies."""
    if sys.platform == "linux":  # elsewhere the closed control socket must do
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(0)


def main() -> None:
    """Serve until the control socket is closed."""
    control, parent = map(int, sys.argv[1:3])
    die_with(parent)
    os.nice(NICE)
    models = Models(msgspec.json.decode(sys.argv[3], type=Room))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the service's business
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(socket.socket(fileno=control), models))
    os._exit(0)  # without waiting for threads that still compute


if __name__ == "__main__":
    main()
