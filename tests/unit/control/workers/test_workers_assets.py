"""Static files: only what is missing is uploaded, and nobody reaches another's."""

import base64
import json
from itertools import chain

import pytest

from harness.workers import workers_api
from selfedge.control.workers.multipart import form
from selfedge.control.workers.ticket import issue, verified

A, B = "a" * 32, "b" * 32
MANIFEST = {"/index.html": {"hash": A, "size": 4}, "/b.txt": {"hash": B, "size": 2}}
SESSION = "/scripts/w/assets-upload-session"


@pytest.fixture
def api(tmp_path):
    with workers_api(tmp_path) as api:
        yield api


def begin(api, manifest=None):
    return api.result("POST", SESSION, {"manifest": manifest or MANIFEST})


def send(api, token, files, path="/assets/upload?base64=true"):
    parts = {
        name: ("text/html; charset=utf-8", base64.b64encode(content))
        for name, content in files.items()
    }
    kind, body = form(parts)
    return api.ask(
        "POST", path, body, Content_Type=kind, Authorization=f"Bearer {token}"
    )


def deploy(api, assets, **more):
    metadata = {"assets": assets, **more}
    return api.upload("/scripts/w", metadata)


def test_files_are_uploaded_once_and_belong_to_the_version(api):
    session = begin(api)
    assert sorted(chain(*session["buckets"])) == [A, B]
    first = send(api, session["jwt"], {A: b"<p>a"})
    assert (first.status, first.envelope()["result"]) == (202, {})
    last = send(api, session["jwt"], {B: b"bb"})
    assert last.status == 201
    done = last.envelope()["result"]["jwt"]
    config = {"not_found_handling": "404-page"}
    heard = deploy(api, {"jwt": done, "config": config})
    version = api.catalog.version(heard.envelope()["result"]["deployment_id"])
    assert version.assets.files == {"/index.html": A, "/b.txt": B}
    assert version.assets.config == config
    kept = api.catalog.asset("local", A)
    assert (kept.size_bytes, kept.content_type) == (4, "text/html")
    again = begin(api)
    assert again["buckets"] == []
    assert deploy(api, {"jwt": again["jwt"]}).status == 200
    kept = api.add_version("w", {"keep_assets": True})
    assert api.catalog.version(kept).assets.files == version.assets.files


def test_a_file_can_come_alone_and_raw(api):
    session = begin(api, {"/a.html": {"hash": A, "size": 4}})
    heard = api.ask(
        "POST",
        f"/assets/upload/{A}",
        b"<p>a",
        Content_Type="application/null",
        Authorization=f"Bearer {session['jwt']}",
    )
    assert heard.status == 201
    assert api.catalog.asset("local", A).content_type is None


def test_a_version_of_files_alone_needs_no_code(api):
    session = begin(api, {"/a.html": {"hash": A, "size": 4}})
    done = send(api, session["jwt"], {A: b"<p>a"}).envelope()["result"]["jwt"]
    kind, body = form(
        {
            "metadata": (
                "application/json",
                json.dumps({"assets": {"jwt": done}}).encode(),
            )
        }
    )
    heard = api.ask("PUT", "/scripts/w", body, Content_Type=kind)
    assert heard.status == 200
    assert heard.envelope()["result"]["has_modules"] is False


def test_a_token_that_is_not_the_sessions_is_refused(api):
    session = begin(api)
    forged = issue({"session": "x", "exp": 9e9}, b"another key")
    for token in ("", "a.b.c", forged, session["jwt"] + "x", "the-token"):
        assert send(api, token, {A: b"<p>a"}).status == 401
        assert deploy(api, {"jwt": token}).status == 401
    assert deploy(api, {"jwt": session["jwt"]}).code == 10021  # files are missing


def test_a_file_that_is_not_as_the_manifest_says_is_refused(api):
    token = begin(api)["jwt"]
    assert send(api, token, {A: b"short"}).status == 400
    assert send(api, token, {"c" * 32: b"<p>a"}).status == 400
    kind, body = form({A: ("text/html", b"!!!!")})
    heard = api.ask(
        "POST",
        "/assets/upload?base64=true",
        body,
        Content_Type=kind,
        Authorization=f"Bearer {token}",
    )
    assert heard.status == 400
    assert api.catalog.asset("local", A) is None


def test_what_is_there_is_not_replaced(api):
    for content in (b"<p>a", b"evil"):
        session = begin(api, {"/a.html": {"hash": A, "size": 4}})
        send(api, session["jwt"], {A: content})
    stored = api.catalog.asset("local", A)
    assert api.catalog.blob_file(stored.sha256).read_bytes() == b"<p>a"


@pytest.mark.parametrize(
    "manifest",
    [
        {"index.html": {"hash": A, "size": 1}},
        {"/a": {"hash": "../../x", "size": 1}},
        {"/a": {"hash": A, "size": -1}},
        {"/a": {"hash": A, "size": 10**9}},
        {"/a\n": {"hash": A, "size": 1}},
        [],
    ],
)
def test_a_manifest_that_cannot_be_is_refused(api, manifest):
    assert api.ask("POST", SESSION, {"manifest": manifest}).status == 400


def test_a_node_that_serves_no_files_takes_none(tmp_path):
    with workers_api(tmp_path, serves_assets=False) as api:
        assert api.ask("POST", SESSION, {"manifest": MANIFEST}).code == 10021
        assert deploy(api, {"jwt": "x"}).code == 10021


def test_a_ticket_is_ours_and_of_today():
    key = b"k"
    token = issue({"exp": 10}, key)
    assert verified(token, key, 9) == {"exp": 10}
    assert verified(token, key, 10) is None
    assert verified(token, b"other", 9) is None
    for damaged in ("", ".", "..", token[:-1], "x" + token, "é" + token, "\udcff"):
        assert verified(damaged, key, 9) is None


def test_files_are_kept_by_a_worker_that_has_none(tmp_path):
    """Older wranglers ask to keep files whatever the Worker has."""
    with workers_api(tmp_path, serves_assets=False) as api:
        api.deploy("w", {"keep_assets": True})
        kind, body = form({"metadata": ("application/json", b'{"keep_assets":true}')})
        heard = api.ask("PUT", "/scripts/w", body, Content_Type=kind)
        assert heard.code == 10021
