"""The API over HTTP: each call gets an envelope, and nothing of ours leaks."""

import http.client
import json
import logging
import socket

import pytest
from aiohttp import web

from harness.api import TOKEN, api_server
from selfedge.api.body import read_as, read_bytes, read_json
from selfedge.binding import Page, Route
from selfedge.control.connections import BODY_MAX_BYTES
from selfedge.errors import ApiError


async def echo(call):
    return {"account": call.account, "path": dict(call.path), "query": dict(call.query)}


async def refuse(call):
    raise ApiError("no such thing: \udcff", status=404, number=10009)


async def fail(call):
    secret = "hunter2"
    raise RuntimeError(f"the password is {secret}")


async def unspeakable(call):
    return {"what": object()}


async def raw(call):
    return web.Response(body=b"bytes", content_type="application/x-own")


async def half(call):
    response = web.StreamResponse()
    await response.prepare(call.request)
    await response.write(b"half")
    raise RuntimeError("in the middle")


async def page(call):
    return Page(items=[1], info={"count": 1})


async def parsed(call):
    return await read_json(call, most_bytes=100)


async def numbers(call):
    return await read_as(call, dict[str, int])


async def length(call):
    return len(await read_bytes(call, most_bytes=1_000_000))


async def whole(call):
    return len(await call.request.read())


ROUTES = [
    Route(method="GET", path="/accounts/{account}/echo/{name}", answer=echo),
    Route(method="GET", path="/refuse", answer=refuse),
    Route(method="GET", path="/fail", answer=fail),
    Route(method="GET", path="/unspeakable", answer=unspeakable),
    Route(method="GET", path="/raw", answer=raw),
    Route(method="GET", path="/half", answer=half),
    Route(method="GET", path="/page", answer=page),
    Route(method="POST", path="/parsed", answer=parsed),
    Route(method="POST", path="/numbers", answer=numbers),
    Route(method="POST", path="/length", answer=length),
    Route(method="POST", path="/whole", answer=whole),
]


@pytest.fixture(scope="module")
def api():
    with api_server(ROUTES) as server:
        yield server


def test_the_path_is_routed_raw_and_decoded_once(api):
    heard = api.ask("/accounts/other/echo/a%2Fb%2525?x=1%2F&y=&x=2")
    assert heard.envelope()["result"] == {
        "account": "local",
        "path": {"account": "other", "name": "a/b%25"},
        "query": {"x": "2", "y": ""},
    }
    assert heard.headers["Content-Type"] == "application/json"
    assert heard.headers["Cache-Control"] == "no-store"


def test_a_page_becomes_result_and_result_info(api):
    envelope = api.ask("/page").envelope()
    assert (envelope["result"], envelope["result_info"]) == ([1], {"count": 1})


def test_a_response_is_sent_as_it_is(api):
    heard = api.ask("/raw")
    assert (heard.body, heard.headers["Content-Type"]) == (
        b"bytes",
        "application/x-own",
    )


def test_an_api_error_becomes_its_status_and_code(api):
    heard = api.ask("/refuse")
    assert (heard.status, heard.code) == (404, 10009)
    assert heard.envelope()["errors"][0]["message"] == "no such thing: ?"


@pytest.mark.parametrize("path", ["/fail", "/unspeakable"])
def test_our_own_failure_is_logged_and_not_told(api, path, caplog):
    heard = api.ask(f"{path}?token=abc")
    assert (heard.status, heard.code) == (500, 1101)
    assert b"hunter2" not in heard.body
    assert b"Traceback" not in heard.body
    assert f"GET '/client/v4{path}' failed" in caplog.text
    assert "token=abc" not in caplog.text


def test_an_answer_that_breaks_off_is_seen_to_break_off(api, caplog):
    with pytest.raises((OSError, http.client.HTTPException)):
        api.ask("/half")
    assert "GET '/client/v4/half' broke off" in caplog.text


@pytest.mark.parametrize("base", ["/client/v4", "", "/client/v4x", "/client/v5"])
def test_an_unknown_path_is_not_routed(api, base):
    heard = api.ask("/nothing/here", base=base)
    assert (heard.status, heard.code) == (404, 7003)
    assert "Could not route to" in heard.envelope()["errors"][0]["message"]


def test_another_method_is_refused_and_told_which_there_are(api):
    heard = api.ask("/page", method="DELETE")
    assert (heard.status, heard.code) == (405, 7001)
    assert "only GET" in heard.envelope()["errors"][0]["message"]


@pytest.mark.parametrize("path", ["/accounts/a/echo/%ff", "/page?a=%ff"])
def test_what_does_not_decode_is_refused(api, path):
    assert api.ask(path).status == 400


def test_too_many_parameters_are_refused(api):
    assert api.ask("/page?" + "a=1&" * 101).status == 400


@pytest.mark.parametrize(
    "token", [None, "", "wrong", TOKEN + "\N{LATIN SMALL LETTER E WITH ACUTE}"]
)
def test_without_the_token_no_path_is_told_from_another(api, token):
    known, unknown = api.ask("/page", token=token), api.ask("/nothing", token=token)
    assert known.status == 401
    assert known.body == unknown.body


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_a_web_page_is_refused_before_its_token_is_looked_at(api, headers, method):
    heard = api.ask("/page", method=method, headers=headers, token="wrong")
    assert (heard.status, heard.code) == (403, 9109)
    assert "Access-Control-Allow-Origin" not in heard.headers


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8;",
        "text/plain;charset=UTF-8",
        "application/merge-patch+json",
        "nonsense",
    ],
)
def test_json_is_read_whatever_its_content_type(api, content_type):
    heard = api.ask(
        "/parsed",
        method="POST",
        body=b' {"a": 1}',
        headers={"Content-Type": content_type},
    )
    assert heard.envelope()["result"] == {"a": 1}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'"\xff"', b"[" * 90, b"{} {}", b"NaN"]
)
def test_what_is_no_json_is_refused(api, body):
    heard = api.ask("/parsed", method="POST", body=body)
    assert (heard.status, heard.code) == (400, 1002)


def test_very_deep_json_is_refused(api):
    heard = api.ask("/numbers", method="POST", body=b'{"a":' * 100_000)
    assert heard.status == 400


def test_json_of_another_shape_names_the_field(api):
    heard = api.ask("/numbers", method="POST", body=b'{"a": "1"}')
    assert (heard.status, heard.code) == (400, 1002)
    assert "$[...]" in heard.envelope()["errors"][0]["message"]


@pytest.mark.parametrize("body", [b"x" * 101, [b"x" * 60, b"x" * 60]])
def test_a_large_body_is_refused(api, body):
    heard = api.ask("/parsed", method="POST", body=body)
    assert (heard.status, heard.code) == (413, 1003)


def test_a_body_over_the_limit_of_all_routes_is_refused(api):
    size = {"Content-Length": f"{BODY_MAX_BYTES + 1}"}
    heard = api.ask("/whole", method="POST", headers=size)
    assert (heard.status, heard.code) == (413, 1003)


def test_a_client_that_waits_is_told_to_go_on(api):
    with socket.create_connection(("127.0.0.1", api.port), 10) as one:
        one.sendall(head("/length", "Content-Length: 5", "Expect: 100-continue"))
        assert one.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        one.sendall(b"12345")
        answer = b"".join(iter(lambda: one.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["result"] == 5


@pytest.mark.parametrize(
    "raw",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /client/v4/page HTTP/9.9\r\n\r\n",
        b"GET /client/v4/page HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /client/v4/page HTTP/1.1\r\nHost: localhost\r\nX: "
        + b"x" * 100_000
        + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_what_is_no_http_gets_an_envelope_and_the_connection_ends(api, raw, caplog):
    caplog.set_level(logging.ERROR)
    start, _, body = api.say(raw).partition(b"\r\n\r\n")
    assert start.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert json.loads(body)["success"] is False
    assert caplog.text == ""


def head(path, *lines):
    start = [f"POST /client/v4{path} HTTP/1.1", "Host: localhost", *lines]
    start += [f"Authorization: Bearer {TOKEN}", "Connection: close", "", ""]
    return "\r\n".join(start).encode()


def test_a_body_that_is_broken_is_refused(api):
    broken = api.say(head("/parsed", "Transfer-Encoding: chunked") + b"zz\r\n")
    assert broken.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))


def test_a_client_that_leaves_in_the_middle_does_no_harm(api, caplog):
    caplog.set_level(logging.ERROR)
    with socket.create_connection(("127.0.0.1", api.port), 10) as one:
        one.sendall(head("/parsed", "Content-Length: 50") + b"{")
    assert api.ask("/page").status == 200
    assert caplog.text == ""
