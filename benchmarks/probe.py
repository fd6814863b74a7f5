"""Asks a server over loopback; never longer than it was told to."""

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
POLL_S = 0.002
_ANSWER_TIMEOUT_S = 15.0


class Failed(Exception):
    """A measurement that cannot be made; says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes


def ask(port: int, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return the answer to one GET, on a connection of its own.

    Raises:
        OSError: nobody listens, or the connection broke.
        http.client.HTTPException: the answer is no HTTP.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def until(
    port: int,
    path: str,
    wanted: Callable[[Answer], bool],
    *,
    within_s: float,
    alive: Callable[[], bool],
) -> Answer:
    """Ask every 2 ms until an answer is `wanted`; return it.

    Raises:
        Failed: none came `within_s`, or the server is not `alive` any more.
    """
    ends = time.perf_counter() + within_s
    last = "no answer"
    while time.perf_counter() < ends:
        try:
            answer = ask(port, path)
        except (OSError, http.client.HTTPException) as error:
            last = str(error) or type(error).__name__
        else:
            if wanted(answer):
                return answer
            last = f"{answer.status} {answer.body[:200]!r}"
        if not alive():
            raise Failed("the server ended before it answered")
        time.sleep(POLL_S)
    raise Failed(f"no usable answer on {path} within {within_s:.0f} s; last: {last}")


def good(answer: Answer) -> bool:
    """Tell whether a Worker answered as it should."""
    return answer.status == 200
