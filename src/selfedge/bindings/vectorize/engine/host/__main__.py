"""`python -m selfedge.bindings.vectorize.engine.host PARENT_PID NICENESS FD…`."""

import ctypes
import os
import signal
import socket
import sys

from selfedge.bindings.vectorize.engine.host.serving import serve

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, however it dies."""
    if sys.platform == "linux":  # elsewhere the closed sockets must do
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(0)


def main() -> None:
    """Serve until all sockets are closed."""
    parent, niceness, *descriptors = map(int, sys.argv[1:])
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    os.nice(niceness)
    serve([socket.socket(fileno=number) for number in descriptors])
    os._exit(0)


if __name__ == "__main__":
    main()
