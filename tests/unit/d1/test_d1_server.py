"""What the server makes of requests that the engine's client does not send."""

import asyncio
import json
from http.client import HTTPConnection

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from d1_support import RESOURCE, service

from selfedge.bindings.d1.server import D1Server, chosen_limits
from selfedge.errors import UsageError


def asked(home, method, path, body=b"", headers=None):
    """Return status, headers and body of one request."""

    def ask(port):
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, dict(reply.headers), reply.read()
        finally:
            connection.close()

    async def main():
        async with service(home) as d1:
            server = D1Server(d1)
            handler = web.Server(lambda request: server.handle(RESOURCE, request))
            runner = web.ServerRunner(handler)
            await runner.setup()
            port = unused_port()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            try:
                return await asyncio.to_thread(ask, port)
            finally:
                await runner.cleanup()
                await server.transfers.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    "body",
    [b"", b"nothing", b"[]", b"[1]", b'{"sql": 5}', b"\xff\xfe", b'{"sql":"\\u0000"}'],
)
def test_a_body_of_another_shape_is_an_error_of_d1(tmp_path, body):
    status, _, answer = asked(tmp_path, "POST", "/query", body)
    told = json.loads(answer)
    assert (status, told["success"]) == (200, False)
    assert told["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/query"), ("POST", "/"), ("POST", "/../x")]
)
def test_there_is_nothing_else(tmp_path, method, path):
    status, _, answer = asked(tmp_path, method, path)
    assert status == 404
    assert json.loads(answer)["success"] is False


def test_a_dump_is_a_database_file(tmp_path):
    status, headers, body = asked(tmp_path, "POST", "/dump")
    assert (status, body[:15]) == (200, b"SQLite format 3")
    assert headers["x-cf-d1-session-commit-token"]
    assert not list(tmp_path.glob(".dump-*"))


def test_a_dump_that_fails_has_a_status_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("selfedge.bindings.d1.server.RESULT_MAX_BYTES", 100)
    status, _, body = asked(tmp_path, "POST", "/dump")
    assert status == 500
    assert "selfedge d1 export" in json.loads(body)["error"]


def test_only_a_session_gets_a_bookmark(tmp_path):
    mark = "x-cf-d1-session-commit-token"
    body = b'{"sql":"SELECT 1"}'
    assert mark not in asked(tmp_path, "POST", "/query", body)[1]
    sent = {mark: "first-unconstrained"}
    assert asked(tmp_path, "POST", "/query", body, sent)[1][mark]


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "nan", "inf"])
def test_limits_are_numbers_over_0(text):
    environ = {"SELFEDGE_D1_QUERY_SECONDS": text}
    if not text:
        assert chosen_limits(environ).query_s == 30
        return
    with pytest.raises(UsageError, match="is a number over 0"):
        chosen_limits(environ)
