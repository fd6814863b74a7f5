"""Answers of services to the engine: short ones at once, refusals not too early."""

from http import HTTPStatus

from aiohttp.web import BaseRequest, StreamResponse


class Reply(StreamResponse):
    """A short answer, written at once: aiohttp's own takes twice the time.

    `headers` are raw lines, each with its end.
    """

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        *,
        reason: str = "",
        headers: bytes = b"",
    ) -> None:
        super().__init__(status=status, reason=reason or HTTPStatus(status).phrase)
        self._reply = b"HTTP/1.1 %d %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
            status,
            self.reason.encode(),
            len(body),
            headers,
            body,
        )

    async def prepare(self, request: BaseRequest) -> None:
        """Send the whole answer."""
        self._keep_alive = request.keep_alive
        if request.transport is None:
            raise ConnectionResetError("the client has gone")
        request.transport.write(self._reply)

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: all is sent."""


async def drained(request: BaseRequest, *, most_bytes: int) -> int:
    """Read and drop the rest of the body; return how many bytes it had.

    workerd shows an answer that comes before it has sent its whole request as
    "Network connection lost". An endless body gets no more than that.
    """
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            break
    return size
