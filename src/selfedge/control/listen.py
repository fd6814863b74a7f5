"""The API's own loopback port. Imports little: it is taken before anything runs."""

import os
import socket

from selfedge.errors import UsageError

BACKLOG = 128


def listen_loopback(port: int) -> socket.socket:
    """Listen on 127.0.0.1; port 0 takes any that is free.

    Raises:
        UsageError: the port cannot be had.
    """
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", port))
        one.listen(BACKLOG)
    except OSError as error:
        one.close()
        raise UsageError(
            f"the control API cannot listen on port {port}: "
            f"{os.strerror(error.errno or 0)}. Choose another --api-port; "
            "0 takes any that is free, --no-api does without."
        ) from error
    return one
