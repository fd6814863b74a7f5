"""Commands call a real API: results, errors, streams both ways."""

import itertools
from threading import Event

import pytest
from aiohttp import web

from harness.api import TOKEN, api_server
from selfedge.api.body import read_json
from selfedge.api.paging import numbered
from selfedge.binding import Route
from selfedge.client.address import Address
from selfedge.client.api import Api, segment
from selfedge.control.listen import listen_loopback
from selfedge.errors import ApiError, UsageError

MODEL = "@cf/baai/bge-small-en-v1.5"


async def run(call):
    return {**call.path, "query": dict(call.query), "sent": await read_json(call)}


async def listed(call):
    return numbered(list(range(45)), call.query)


async def refused(call):
    raise ApiError("no such thing", status=404, number=3000)


async def plain(call):
    return web.Response(text="<html>", status=502)


async def upper(call):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(call.request)
    async for part in call.request.content.iter_any():
        await response.write(part.upper())
    return response


ROUTES = [
    Route(method="POST", path="/accounts/{account}/run/{model}", answer=run),
    Route(method="GET", path="/list", answer=listed),
    Route(method="GET", path="/refused", answer=refused),
    Route(method="GET", path="/plain", answer=plain),
    Route(method="PUT", path="/upper", answer=upper),
]


@pytest.fixture(scope="module")
def api():
    with api_server(ROUTES) as server:
        yield Api(server.address)


def test_a_call_returns_its_result(api):
    path = f"/accounts/{{account}}/run/{segment(MODEL)}"
    assert api.call("POST", path, query={"a": "x y&"}, json={"text": "hi"}) == {
        "account": "local",
        "model": MODEL,
        "query": {"a": "x y&"},
        "sent": {"text": "hi"},
    }


def test_every_item_of_a_list_comes_once(api):
    assert list(api.every("/list", {"per_page": "10"})) == list(range(45))


def test_a_refusal_carries_code_and_message(api):
    with pytest.raises(ApiError, match=r"^no such thing$") as caught:
        api.call("GET", "/refused")
    assert (caught.value.status, caught.value.number) == (404, 3000)


def test_an_answer_that_is_no_envelope_is_said(api):
    with pytest.raises(ApiError, match="answered 502"):
        api.call("GET", "/plain")


def test_what_comes_back_can_be_read_while_more_is_sent(api):
    parts = itertools.repeat(b"line\n", 3)
    with api.open("PUT", "/upper", body=parts) as reply:
        assert (reply.status, reply.content_type) == (200, "text/event-stream")
        assert list(reply.lines()) == ["LINE"] * 3
    with api.open("PUT", "/upper", body=b"x" * 200_000) as reply:
        assert b"".join(reply.chunks()) == b"X" * 200_000


def test_lines_come_as_soon_as_they_are_whole():
    go_on = Event()

    async def slowly(call):
        response = web.StreamResponse()
        await response.prepare(call.request)
        await response.write(b"first\n")
        while not go_on.is_set():
            await response.write(b".")
        await response.write(b"\nlast")
        return response

    with (
        api_server([Route(method="GET", path="/s", answer=slowly)]) as server,
        Api(server.address).open("GET", "/s") as reply,
    ):
        lines = reply.lines()
        assert next(lines) == "first"
        go_on.set()
        assert next(lines).strip(".") == ""
        assert list(lines) == ["last"]


def test_a_node_that_is_gone_is_said():
    lent = listen_loopback(0)
    port = lent.getsockname()[1]
    lent.close()
    address = Address(
        url=f"http://127.0.0.1:{port}/client/v4", token=TOKEN, account="local"
    )
    with pytest.raises(UsageError, match="no node answers at http://127"):
        Api(address).call("GET", "/user")
