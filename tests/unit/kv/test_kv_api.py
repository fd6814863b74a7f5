"""KV in the control API: each route over the real service, as clients call it."""

import base64
import json
from itertools import count
from urllib.parse import quote

import pytest

from harness.api import bindings_server
from selfedge.bindings.kv import BINDING, limits

ALL = "/accounts/local/storage/kv/namespaces"
NOW = 1_000_000.0
_NUMBERS = count()


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    root = tmp_path_factory.mktemp("kv")
    with bindings_server([BINDING], root, lambda: NOW) as server:
        yield server


def ask(api, path, method="GET", body=None, headers=None):
    if not isinstance(body, bytes | None):
        body = json.dumps(body).encode()
    return api.ask(path, method=method, body=body, headers=headers)


def create(api, title=None):
    made = ask(api, ALL, "POST", {"title": title or f"title {next(_NUMBERS)}"})
    return made.envelope()["result"]


@pytest.fixture
def ns(api):
    return f"{ALL}/{create(api)['id']}"


def refused(heard):
    return heard.status, heard.code


# namespaces


def test_a_namespace_is_made_shown_renamed_and_deleted(api):
    made = create(api, "mine")
    assert made == {"id": made["id"], "title": "mine", "supports_url_encoding": True}
    one = f"{ALL}/{made['id']}"
    assert ask(api, one).envelope()["result"] == made
    renamed = ask(api, one, "PUT", {"title": "ours"}).envelope()["result"]
    assert renamed == {**made, "title": "ours"}
    assert ask(api, one, "DELETE").envelope()["result"] == {}
    assert refused(ask(api, one)) == (404, 10013)
    assert refused(ask(api, one, "DELETE")) == (404, 10013)


def test_a_title_is_one_namespaces(api, ns):
    create(api, "taken")
    assert refused(ask(api, ALL, "POST", {"title": "taken"})) == (400, 10014)
    assert refused(ask(api, ns, "PUT", {"title": "taken"})) == (400, 10014)
    assert ask(api, ns, "PUT", {"title": "free"}).status == 200
    assert ask(api, ns, "PUT", {"title": "free"}).status == 200


@pytest.mark.parametrize(
    "body", [{}, {"title": ""}, {"title": " "}, {"title": "x" * 513}, {"title": 1}, []]
)
def test_a_title_must_be_one(api, ns, body):
    assert refused(ask(api, ALL, "POST", body)) == (400, 10019)
    assert refused(ask(api, ns, "PUT", body)) == (400, 10019)


def test_the_list_is_sorted_parted_and_ends(api):
    for title in ("z-last", "a-first"):
        create(api, title)
    titles = []
    for number in count(1):
        page = ask(api, f"{ALL}?order=title&direction=asc&per_page=2&page={number}")
        found = page.envelope()["result"]
        if not found:
            break
        assert len(found) <= 2
        titles += [one["title"] for one in found]
    assert titles == sorted(titles)
    assert {"a-first", "z-last"} <= set(titles)
    backwards = ask(api, f"{ALL}?order=title&direction=desc&per_page=1000")
    assert [one["title"] for one in backwards.envelope()["result"]] == titles[::-1]
    assert ask(api, f"{ALL}?per_page=1000&page=2").envelope()["result"] == []


@pytest.mark.parametrize("query", ["order=size", "direction=up"])
def test_an_order_that_there_is_not_is_refused(api, query):
    assert refused(ask(api, f"{ALL}?{query}")) == (400, 10040)


def test_deleting_a_namespace_deletes_its_keys_and_no_others(api):
    titles = "one", "two"
    one, two = (f"{ALL}/{create(api, title)['id']}" for title in titles)
    large = b"x" * 100_000
    for where in (one, two):
        ask(api, f"{where}/values/k", "PUT", b"v")
        ask(api, f"{where}/values/large", "PUT", large)
    assert ask(api, one, "DELETE").status == 200
    assert refused(ask(api, f"{one}/values/k")) == (404, 10013)
    assert ask(api, f"{two}/values/large").body == large


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"title": "t"}),
        ("DELETE", "", None),
        ("GET", "/keys", None),
        ("GET", "/values/k", None),
        ("PUT", "/values/k", b"v"),
        ("DELETE", "/values/k", None),
        ("GET", "/metadata/k", None),
        ("PUT", "/bulk", []),
        ("DELETE", "/bulk", []),
        ("POST", "/bulk/delete", []),
        ("POST", "/bulk/get", {"keys": ["k"]}),
    ],
)
def test_no_route_knows_a_namespace_that_there_is_not(api, method, path, body):
    heard = ask(api, f"{ALL}/{'0' * 32}{path}", method, body)
    assert refused(heard) == (404, 10013)


# values


@pytest.mark.parametrize(
    "key", ["k", "a/b c?d", "é😀", "%2F", "a/", "/", ".hidden", "a#b"]
)
def test_a_key_is_what_its_path_decodes_to(api, ns, key):
    path = f"{ns}/values/{quote(key, safe='')}"
    assert ask(api, path, "PUT", key.encode()).envelope()["result"] == {}
    assert ask(api, path).body == key.encode()
    listed = ask(api, f"{ns}/keys").envelope()["result"]
    assert listed == [{"name": key}]
    assert ask(api, path, "DELETE").status == 200
    assert refused(ask(api, path)) == (404, 10009)


def test_a_key_may_come_with_bare_slashes(api, ns):
    ask(api, f"{ns}/values/a/b/c", "PUT", b"v")
    assert ask(api, f"{ns}/values/a%2Fb%2Fc").body == b"v"


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 3_000_000])
def test_a_value_comes_back_byte_for_byte_and_as_no_page(api, ns, size):
    value = bytes(range(256)) * (size // 256 + 1)
    value = value[:size]
    ask(api, f"{ns}/values/k", "PUT", value)
    heard = ask(api, f"{ns}/values/k")
    assert heard.body == value
    assert heard.headers["Content-Type"] == "application/octet-stream"
    assert heard.headers["X-Content-Type-Options"] == "nosniff"
    assert heard.headers["Cache-Control"] == "no-store"


def test_expirations_are_kept_and_told(api, ns):
    ask(api, f"{ns}/values/ttl?expiration_ttl=100", "PUT", b"v")
    ask(api, f"{ns}/values/at?expiration={int(NOW) + 200}", "PUT", b"v")
    listed = ask(api, f"{ns}/keys").envelope()["result"]
    assert {one["name"]: one["expiration"] for one in listed} == {
        "ttl": NOW + 100,
        "at": NOW + 200,
    }
    assert ask(api, f"{ns}/values/ttl").headers["Expiration"] == str(int(NOW) + 100)


def form(*parts):
    boundary = "b0undary"
    lines = b""
    for head, content in parts:
        lines += f"--{boundary}\r\nContent-Disposition: form-data; {head}".encode()
        lines += b"\r\n\r\n" + content + b"\r\n"
    lines += f"--{boundary}--\r\n".encode()
    return lines, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


@pytest.mark.parametrize("first", ["value", "metadata"])
def test_a_form_has_value_and_metadata_in_either_order(api, ns, first):
    value = ('name="value"; filename="upload"', b"\x00\xffbytes")
    metadata = ('name="metadata"\r\nContent-Type: application/json', b'{ "m": [1] }')
    parts = [value, metadata] if first == "value" else [metadata, value]
    body, headers = form(*parts)
    path = f"{ns}/values/k?expiration_ttl=60"
    assert ask(api, path, "PUT", body, headers).status == 200
    assert ask(api, f"{ns}/values/k").body == b"\x00\xffbytes"
    assert ask(api, f"{ns}/metadata/k").envelope()["result"] == {"m": [1]}
    assert ask(api, f"{ns}/keys").envelope()["result"] == [
        {"name": "k", "expiration": int(NOW) + 60, "metadata": {"m": [1]}}
    ]


def test_a_value_without_metadata_has_none(api, ns):
    ask(api, f"{ns}/values/k", "PUT", b"v")
    assert ask(api, f"{ns}/metadata/k").envelope()["result"] is None
    assert refused(ask(api, f"{ns}/metadata/absent")) == (404, 10009)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([('name="metadata"', b"{}")], 10029),
        ([('name="value"', b"v"), ('name="metadata"', b"{")], 10044),
        ([('name="value"', b"v"), ('name="metadata"', b"\xff")], 10029),
        (
            [('name="value"', b"v"), ('name="metadata"', b'"' + b"x" * 2000 + b'"')],
            10044,
        ),
    ],
)
def test_a_form_that_cannot_be_kept_is_refused(api, ns, parts, code):
    body, headers = form(*parts)
    heard = ask(api, f"{ns}/values/k", "PUT", body, headers)
    assert heard.code == code
    assert 400 <= heard.status < 500
    assert refused(ask(api, f"{ns}/values/k")) == (404, 10009)


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"--b\r\n", b"--b\r\n\r\n\r\n--b--"]
)
def test_what_is_no_form_is_refused(api, ns, body):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    heard = ask(api, f"{ns}/values/k", "PUT", body, headers)
    assert 400 <= heard.status < 500
    headers = {"Content-Type": "multipart/form-data"}
    assert 400 <= ask(api, f"{ns}/values/k", "PUT", body, headers).status < 500


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("values/.", 400, 10039),
        ("values/%2E%2E", 400, 10039),
        ("values/" + "k" * 513, 414, 10030),
        ("values/" + quote("é" * 257), 414, 10030),
        ("values/k?expiration_ttl=59", 400, 10033),
        ("values/k?expiration_ttl=x", 400, 10033),
        ("values/k?expiration=1", 400, 10033),
        ("values/k?expiration=1e9", 400, 10033),
    ],
)
def test_a_put_outside_the_limits_is_refused(api, ns, path, status, code):
    assert refused(ask(api, f"{ns}/{path}", "PUT", b"v")) == (status, code)


@pytest.mark.parametrize("told", [True, False])
def test_a_value_over_the_limit_is_refused_and_the_old_one_stays(api, ns, told):
    ask(api, f"{ns}/values/k", "PUT", b"old")
    size = limits.VALUE_MAX_BYTES + 1
    body = b"x" * size if told else (b"x" * size for _ in range(1))
    heard = api.ask(f"{ns}/values/k", method="PUT", body=body)
    assert refused(heard) == (413, 10024)
    assert ask(api, f"{ns}/values/k").body == b"old"


# keys


def test_keys_are_listed_by_prefix_in_parts_that_end(api, ns):
    names = [f"p{n:02}" for n in range(25)]
    pairs = [{"key": name, "value": ""} for name in [*names, "other"]]
    ask(api, f"{ns}/bulk", "PUT", pairs)
    found, cursor = [], ""
    while True:
        part = ask(api, f"{ns}/keys?prefix=p&limit=10&cursor={cursor}").envelope()
        found += [one["name"] for one in part["result"]]
        assert part["result_info"]["count"] == len(part["result"])
        cursor = part["result_info"]["cursor"]
        if not cursor:
            break
    assert found == names


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", 10028),
        ("limit=1001", 10028),
        ("limit=x", 10028),
        ("cursor=%21", 10038),
    ],
)
def test_a_list_that_cannot_be_is_refused(api, ns, query, code):
    assert refused(ask(api, f"{ns}/keys?{query}")) == (400, code)


# bulk


def test_a_bulk_write_keeps_all_that_it_says(api, ns):
    pairs = [
        {"key": "plain", "value": "é"},
        {"key": "binary", "value": base64.b64encode(b"\xff").decode(), "base64": True},
        {"key": "all", "value": "v", "expiration_ttl": 60, "metadata": {"a": 1}},
        {"key": "twice", "value": "first"},
        {"key": "twice", "value": "second"},
    ]
    heard = ask(api, f"{ns}/bulk", "PUT", pairs).envelope()["result"]
    assert heard == {"successful_key_count": 4, "unsuccessful_keys": []}
    assert ask(api, f"{ns}/values/plain").body == "é".encode()
    assert ask(api, f"{ns}/values/binary").body == b"\xff"
    assert ask(api, f"{ns}/values/twice").body == b"second"
    assert ask(api, f"{ns}/metadata/all").envelope()["result"] == {"a": 1}


@pytest.mark.parametrize("how", [("DELETE", "bulk"), ("POST", "bulk/delete")])
def test_a_bulk_delete_removes_what_it_names(api, ns, how):
    names = [f"k{n}" for n in range(600)]
    ask(api, f"{ns}/bulk", "PUT", [{"key": name, "value": "v"} for name in names])
    method, path = how
    heard = ask(api, f"{ns}/{path}", method, [*names[:-1], "absent"]).envelope()
    assert heard["result"]["successful_key_count"] == len(names)
    left = ask(api, f"{ns}/keys").envelope()["result"]
    assert [one["name"] for one in left] == names[-1:]


def test_a_bulk_get_returns_values_and_metadata(api, ns):
    pairs = [
        {"key": "a", "value": "1", "metadata": {"m": 1}},
        {"key": "b", "value": "2"},
    ]
    ask(api, f"{ns}/bulk", "PUT", pairs)

    def got(**more):
        body = {"keys": ["a", "b", "c"], **more}
        return ask(api, f"{ns}/bulk/get", "POST", body).envelope()["result"]["values"]

    assert got() == {"a": "1", "b": "2", "c": None}
    assert got(type="json") == {"a": 1, "b": 2, "c": None}
    assert got(withMetadata=True) == {
        "a": {"value": "1", "metadata": {"m": 1}},
        "b": {"value": "2", "metadata": None},
        "c": None,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        {},
        [1],
        [{"key": "k"}],
        [{"key": "", "value": "v"}],
        [{"key": "k", "value": "v", "expiration_ttl": 1}],
        [{"key": "k", "value": "!", "base64": True}],
        [{"key": "k", "value": "v", "metadata": "x" * 2000}],
        [{"key": "k", "value": "v"}] * (limits.HTTP_BULK_MAX_KEYS + 1),
    ],
)
def test_a_bulk_write_is_done_whole_or_not_at_all(api, ns, body):
    if isinstance(body, list) and len(body) == 1:
        body = [{"key": "good", "value": "v"}, *body]
    heard = ask(api, f"{ns}/bulk", "PUT", body)
    assert 400 <= heard.status < 500
    assert ask(api, f"{ns}/keys").envelope()["result"] == []


@pytest.mark.parametrize("body", [b"[", {}, [1], [""], ["k"] * 10_001])
def test_a_bulk_delete_that_is_none_is_refused(api, ns, body):
    assert 400 <= ask(api, f"{ns}/bulk/delete", "POST", body).status < 500


@pytest.mark.parametrize("body", [b"[", {}, {"keys": []}, {"keys": ["k"] * 101}])
def test_a_bulk_get_that_is_none_is_refused(api, ns, body):
    assert 400 <= ask(api, f"{ns}/bulk/get", "POST", body).status < 500
