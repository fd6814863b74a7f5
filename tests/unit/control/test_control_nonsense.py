"""No body, query or name makes any route of a node fail on our side."""

import re

import pytest

from harness.control import serve_api
from selfedge.catalog.model import Zone
from selfedge.catalog.zones import added
from selfedge.standard import BINDINGS

ZONE = "1" * 32
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
BODIES = [
    (None, {}),
    (b"", {}),
    (b"{", {}),
    (b"{}", {}),
    (b"[]", {}),
    (b"null", {}),
    (b'"text"', {}),
    (b"[null]", {}),
    (b'[{"a": 1e999}]', {}),
    (b'{"name": 1, "title": [], "config": {}, "keys": {}, "secrets": []}', {}),
    (b'{"name": "\\ud800", "title": "\\u0000", "scope": "\\ud83d"}', {}),
    (b'{"versions": [{"version_id": "x", "percentage": 1e308}]}', {}),
    (b'{"name": ' + b"9" * 400 + b"}", {}),
    (b"\xff\xfe", {}),
    (b"[" * 5000, {}),
    (b'{"a":' * 5000, {}),
    (b"--b\r\n\r\n\r\n--b--", FORM),
    (
        b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{}\r\n--b--',
        FORM,
    ),
    (b"nonsense", FORM),
    (b"x", {"Content-Type": "multipart/form-data"}),
    (b"x", {"Content-Encoding": "gzip"}),
    (b"x", {"Content-Type": "\xff/\xfe"}),
]
QUERIES = [
    "?page=-1&per_page=x&limit=1e9&cursor=%00&count=NaN",
    "?page=99999999999999999999&cursor=" + "A" * 1000,
    "?name=%F0%9F%98%80&prefix=%00&expiration=1&expiration_ttl=-1&order=%22",
]
NAMES = ["x", "%00", "%2e%2e", "a%2F..%2Fb", "%F0%9F%98%80", "x" * 700, "1" * 32]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    bindings = [binding for binding in BINDINGS if binding.routes]
    with serve_api(tmp_path_factory.mktemp("nonsense"), bindings) as api:
        zone = Zone(id=ZONE, name="a.example", created_on="")
        api.catalog._state = added(api.catalog.state, api.a, zone)
        yield api


def path_of(api, route, name="x"):
    path = route.path.replace("{account}", api.a).replace("{zone}", ZONE)
    return re.sub(r"{[a-z_]+(\.\.\.)?}", name, path)


def check(heard, route, told):
    assert heard.status < 500, (route.method, route.path, told, heard.body)
    assert b"Traceback" not in heard.body
    is_json = heard.headers.get("Content-Type", "").startswith("application/json")
    if heard.status >= 400 and heard.body and is_json:
        assert heard.envelope() is not None


@pytest.mark.parametrize(("body", "headers"), BODIES)
def test_a_body_that_is_none_is_refused(api, body, headers):
    for route in api.routes:
        if route.method not in {"GET", "HEAD"}:
            path = path_of(api, route)
            heard = api.ask(path, method=route.method, body=body, headers=headers)
            check(heard, route, body)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_is_none_is_refused(api, query):
    for route in api.routes:
        if route.method == "GET":
            check(api.ask(path_of(api, route) + query), route, query)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_none_is_refused(api, name):
    for route in api.routes:
        if "{" in route.path.replace("{account}", ""):
            path = path_of(api, route, name)
            body = None if route.method in {"GET", "HEAD"} else b"{}"
            heard = api.ask(path, method=route.method, body=body)
            check(heard, route, name)
