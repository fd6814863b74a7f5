"""Bodies of uploads: what clients send is read, and nothing else breaks the node."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.control.workers.limits import MODULES_MAX
from selfedge.control.workers.metadata import date_to_run
from selfedge.control.workers.multipart import form, parse
from selfedge.control.workers.upload import read_upload
from selfedge.errors import ApiError
from selfedge.manifest.compatibility import engine_flags

TODAY = "2026-11-25"
ES = "application/javascript+module"
FORM = 'multipart/form-data; boundary="b"'
GOOD = {
    "metadata": ("application/json", b'{"main_module":"index.js"}'),
    "index.js": (ES, b"export default {}"),
}


def upload(metadata=None, parts=None):
    said = {"main_module": "index.js", **(metadata or {})}
    kind, body = form(
        {
            "metadata": ("application/json", json.dumps(said).encode()),
            **(parts or {"index.js": (ES, b"export default {}")}),
        }
    )
    return read_upload(kind, body, TODAY)


def refused(call, *arguments):
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    assert 400 <= caught.value.status < 500
    return caught.value


def is_read_or_refused(kind, body):
    try:
        read_upload(kind, body, TODAY)
    except ApiError as error:
        return 400 <= error.status < 500
    return True


NAMES = st.text(min_size=1).filter(lambda name: "\\" not in name)


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=5))
def test_a_form_comes_back_as_it_was_made(contents):
    kind, body = form({name: ("a/b", each) for name, each in contents.items()})
    parts = parse(kind, body)
    unescaped = {name.replace("%22", '"') for name in contents}
    if all("%" not in name for name in contents):
        assert {part.file: bytes(part.body) for part in parts} == contents
    assert len(parts) == len(contents)
    assert all(part.content_type == "a/b" for part in parts)
    assert unescaped or not parts


@given(st.text(), st.binary())
def test_any_bytes_are_a_form_or_refused(kind, body):
    for content_type in (kind, FORM):
        assert is_read_or_refused(content_type, body)


@given(st.data())
def test_a_damaged_upload_is_read_or_refused(data):
    kind, body = form(GOOD)
    at = data.draw(st.integers(0, len(body)))
    length = data.draw(st.integers(0, 20))
    put = data.draw(st.binary(max_size=20))
    assert is_read_or_refused(kind, body[:at] + put + body[at + length :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "main_module",
        "body_part",
        "bindings",
        "compatibility_date",
        "compatibility_flags",
        "migrations",
        "annotations",
        "assets",
        "keep_bindings",
        "keep_assets",
        "limits",
        "placement",
        "tags",
        "observability",
        "tail_consumers",
    ]
)


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_any_metadata_is_read_or_refused(said):
    raw = json.dumps({"main_module": "index.js", **said}).encode()
    kind, body = form({**GOOD, "metadata": ("application/json", raw)})
    assert is_read_or_refused(kind, body)


def test_wranglers_parts_are_named_by_their_module():
    code = upload(
        parts={
            "index.js": (ES, b"main"),
            "./a-note.txt": ("text/plain", b"note"),
            "lib/x.wasm": ("application/wasm", b"wasm"),
            "index.js.map": ("application/source-map", b"map"),
        }
    ).code
    assert [(one.name, one.type, bytes(one.content)) for one in code.modules] == [
        ("index.js", "esModule", b"main"),
        ("a-note.txt", "text", b"note"),
        ("lib/x.wasm", "wasm", b"wasm"),
    ]
    assert bytes(code.source_map) == b"map"


def test_the_sdks_parts_are_named_by_their_file():
    body = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="index.js"'
        b"\r\nContent-Type: application/javascript+module\r\n\r\ncode\r\n"
        b"--b\r\nContent-Disposition: form-data; name=metadata\r\n"
        b"Content-Type: application/json\r\n\r\n"
        b'{"main_module":"index.js"}\r\n--b--\r\n'
    )
    read = read_upload(FORM, body, TODAY)
    assert [one.name for one in read.code.modules] == ["index.js"]


@pytest.mark.parametrize(
    "name",
    ["../x.js", "/etc/passwd", "a//b", "./../x", "a/./b", "a\\b", "a\0", "x" * 600],
)
def test_a_module_that_leads_out_is_refused(name):
    parts = {"index.js": (ES, b""), name: (ES, b"")}
    error = refused(upload, None, parts)
    assert error.number == 10021


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ({"other.js": (ES, b"")}, "other.js"),
        ({"index.js": ("text/x-python", b"")}, "Python"),
        ({"index.js": ("image/png", b"")}, "image/png"),
        ({"index.js": ("text/plain", b"")}, "must be an ES module"),
        ({"index.js": (ES, b"\xff")}, "not UTF-8"),
        ({"index.js": (ES, b""), "a.txt": ("text/plain", b"\xff")}, "not UTF-8"),
        ({"index.js": (ES, b""), "./index.js": (ES, b"")}, "twice"),
        ({f"m{n}.js": (ES, b"") for n in range(MODULES_MAX)}, "index.js"),
    ],
)
def test_modules_that_cannot_be_are_10021(parts, word):
    error = refused(upload, None, parts)
    assert error.number == 10021
    assert word in str(error)


def test_too_many_modules_are_refused():
    many = {f"m{n}.js": (ES, b"") for n in range(MODULES_MAX)}
    error = refused(upload, None, {"index.js": (ES, b""), **many})
    assert f"{MODULES_MAX} are the most" in str(error)


@pytest.mark.parametrize(
    ("metadata", "word"),
    [
        ({"main_module": None}, "main_module"),
        ({"main_module": 1}, "$.main_module"),
        ({"body_part": "script"}, "service-worker"),
        ({"exports": {"A": {}}}, "migrations"),
        ({"containers": [{}]}, "Containers"),
        ({"compatibility_date": "2999-01-01"}, "in the future"),
        ({"compatibility_date": "soon"}, "must be a day"),
        ({"compatibility_flags": ["unsafe_module"]}, "experimental"),
        ({"compatibility_flags": ["no_such_flag"]}, "no_such_flag"),
        ({"compatibility_flags": ["nodejs_compat"] * 2}, "second time"),
        ({"limits": {"cpu_ms": 0}}, "cpu_ms"),
        ({"limits": {"cpu_ms": 10**9}}, "300000"),
        ({"migrations": {"steps": [{"renamed_classes": [{"from": "A"}]}]}}, "to"),
    ],
)
def test_metadata_that_cannot_run_is_10021(metadata, word):
    error = refused(upload, metadata)
    assert error.number == 10021
    assert word in str(error)


def test_a_date_that_the_engine_does_not_know_yet_runs_as_its_newest():
    newest = engine_flags().date
    assert upload({"compatibility_date": max(TODAY, newest)})
    assert date_to_run("9999-01-01") == newest
    assert date_to_run(None) == "2021-11-02"
    assert date_to_run("2025-01-01") == "2025-01-01"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--b--\r\n"),
        (FORM, b""),
        (FORM, b"--b--"),
        (FORM, b"--b\r\n\r\nx\r\n--b--"),
        (FORM, b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{}'),
        (FORM, b"--b\r\nX: \xff\r\n\r\n\r\n--b--"),
        (FORM, b"--b\r\n" + b"x" * 10_000 + b"\r\n\r\n\r\n--b--"),
    ],
)
def test_what_is_no_form_is_refused(kind, body):
    refused(read_upload, kind, body, TODAY)
