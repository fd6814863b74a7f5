"""D1 in the control API, over HTTP: what clients send, and what comes back."""

import hashlib
import json
import socket
from urllib.parse import urlencode, urlsplit

import pytest
from d1_support import Time

from harness.api import bindings_server
from selfedge.bindings.d1 import BINDING
from selfedge.bindings.d1.limits import DOWNLOAD_TTL_S

ALL = "/accounts/local/d1/database"
SQL = b"CREATE TABLE t (a);\nINSERT INTO t VALUES (1), (2);\n"


@pytest.fixture(scope="module")
def clock():
    return Time()


@pytest.fixture(scope="module")
def api(tmp_path_factory, clock):
    with bindings_server([BINDING], tmp_path_factory.mktemp("d1"), clock) as server:
        yield server


@pytest.fixture
def database(api):
    """Return the path of a fresh database."""
    made = ask(api, "POST", ALL, {"name": "fresh"})
    yield f"{ALL}/{made['uuid']}"
    api.ask(f"{ALL}/{made['uuid']}", method="DELETE")


def ask(api, method, path, body=None):
    """Return the result of a call that succeeds."""
    heard = api.ask(path, method=method, body=body and json.dumps(body))
    assert heard.status == 200, heard.body
    return heard.envelope()["result"]


def refused(api, method, path, body=None):
    """Return status, code and message of a call that does not."""
    heard = api.ask(path, method=method, body=body and json.dumps(body))
    assert heard.envelope()["success"] is False
    return heard.status, heard.code, heard.envelope()["errors"][0]["message"]


def below(url):
    parts = urlsplit(url)
    return f"{parts.path.removeprefix('/client/v4')}?{parts.query}"


def begun(api, database, content=SQL):
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    init = ask(api, "POST", f"{database}/import", {"action": "init", "etag": etag})
    return etag, init


def put(api, init, content):
    path = below(init["upload_url"])
    return api.ask(path, method="PUT", body=content, token=None)


def imported(api, database, content=SQL):
    etag, init = begun(api, database, content)
    heard = put(api, init, content)
    assert (heard.status, heard.headers["ETag"]) == (200, f'"{etag}"')
    body = {"action": "ingest", "etag": etag, "filename": init["filename"]}
    return ask(api, "POST", f"{database}/import", body)


def exported(api, database, **options):
    body = {"output_format": "polling", "dump_options": options}
    return ask(api, "POST", f"{database}/export", body)


def test_a_database_is_made_found_and_removed(api):
    made = ask(api, "POST", ALL, {"name": "one", "primary_location_hint": "weur"})
    assert made["running_in_region"] == "WEUR"
    assert made["version"] == "production"
    assert made["read_replication"] == {"mode": "disabled"}
    assert ask(api, "GET", f"{ALL}/{made['uuid']}") == made
    assert ask(api, "GET", f"{ALL}/one?fields=uuid%2Cname") == {
        "uuid": made["uuid"],
        "name": "one",
    }
    assert [one["name"] for one in ask(api, "GET", f"{ALL}?name=on")] == ["one"]
    assert ask(api, "DELETE", f"{ALL}/one") is None
    assert refused(api, "GET", f"{ALL}/one")[:2] == (404, 7404)


def test_names_are_checked_and_taken_once(api, database):
    name = ask(api, "GET", database)["name"]
    assert refused(api, "POST", ALL, {"name": name})[:2] == (400, 7502)
    assert refused(api, "POST", ALL, {"name": "../x"})[:2] == (400, 7400)
    assert refused(api, "POST", ALL, {"nome": "x"})[:2] == (400, 1002)


def test_a_list_ends(api, database):
    assert len(ask(api, "GET", f"{ALL}?per_page=10&page=1")) == 1
    assert ask(api, "GET", f"{ALL}?per_page=10&page=2") == []


def test_read_replication_is_kept(api, database):
    for method, mode in (("PATCH", "auto"), ("PUT", "disabled")):
        ask(api, method, database, {"read_replication": {"mode": mode}})
        assert ask(api, "GET", database)["read_replication"] == {"mode": mode}
    wrong = {"read_replication": {"mode": "many"}}
    assert refused(api, "PATCH", database, wrong)[0] == 400


def test_statements_are_run_and_answered_one_by_one(api, database):
    sql = "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2); SELECT a FROM t"
    found = ask(api, "POST", f"{database}/query", {"sql": sql})
    assert [one["results"] for one in found] == [[], [], [{"a": 1}, {"a": 2}]]
    assert found[1]["meta"]["changes"] == 2
    body = {"sql": "SELECT a FROM t WHERE a = ?", "params": ["2"]}
    (raw,) = ask(api, "POST", f"{database}/raw", body)
    assert raw["results"] == {"columns": ["a"], "rows": []}
    batch = {"batch": [{"sql": "SELECT ? AS x", "params": [7]}, {"sql": "SELECT 1"}]}
    found = ask(api, "POST", f"{database}/query", batch)
    assert [one["results"] for one in found] == [[{"x": 7}], [{"1": 1}]]
    assert ask(api, "GET", database)["num_tables"] == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"sql": "SELEC 1"}, 'near "SELEC": syntax error at offset 0: SQLITE_ERROR'),
        ({"sql": "CREATE TABLE a (b); SELECT * FROM c"}, "no such table: c"),
        ({"sql": "BEGIN"}, "To execute a transaction"),
        ({"sql": ""}, "No SQL statements detected."),
        ({"sql": "ATTACH 'x' AS y"}, "not authorized"),
        ({}, '"sql"'),
        ([], '"sql"'),
    ],
)
def test_bad_sql_is_the_callers_fault_and_changes_nothing(api, database, body, words):
    heard = api.ask(f"{database}/query", method="POST", body=json.dumps(body))
    message = heard.envelope()["errors"][0]["message"]
    assert (heard.status, words in message) == (400, True), message
    assert ask(api, "GET", database)["num_tables"] == 0


def test_a_file_is_imported_and_exported(api, database):
    done = imported(api, database)
    assert (done["success"], done["status"]) == (True, "complete")
    assert done["result"]["num_queries"] == 2
    assert done["result"]["meta"]["rows_written"] == 3
    given = exported(api, database)
    heard = api.ask(below(given["result"]["signed_url"]), token=None)
    assert heard.status == 200
    assert b"CREATE TABLE t (a);" in heard.body
    assert b'INSERT INTO "t" ("a") VALUES(2);' in heard.body
    data = exported(api, database, no_schema=True, tables=["t"])
    heard = api.ask(below(data["result"]["signed_url"]), token=None)
    assert b"CREATE" not in heard.body


def test_an_import_that_fails_says_why_and_changes_nothing(api, database):
    done = imported(api, database, SQL + b"INSERT INTO nowhere VALUES (1);")
    assert (done["success"], done["status"]) == (False, "error")
    assert done["error"] == "no such table: nowhere: SQLITE_ERROR"
    assert ask(api, "GET", database)["num_tables"] == 0


def test_what_was_before_an_import_can_be_restored(api, database, clock):
    before = imported(api, database)["at_bookmark"]
    clock.now += 1
    done = ask(api, "POST", f"{database}/time_travel/restore?bookmark={before}")
    assert done["bookmark"] == before
    assert ask(api, "GET", database)["num_tables"] == 0
    back = done["previous_bookmark"]
    ask(api, "POST", f"{database}/time_travel/restore?bookmark={back}")
    assert ask(api, "GET", database)["num_tables"] == 1
    mark = ask(api, "GET", f"{database}/time_travel/bookmark")["bookmark"]
    assert mark > back


def test_time_travel_refuses_what_it_does_not_know(api, database):
    restore = f"{database}/time_travel/restore"
    assert refused(api, "POST", restore)[0] == 400
    assert refused(api, "POST", f"{restore}?bookmark=x")[0] == 404
    assert refused(api, "POST", f"{restore}?timestamp=soon")[0] == 400
    at = f"{database}/time_travel/bookmark?timestamp=1970-01-02T00:00:00Z"
    assert refused(api, "GET", at)[0] == 404


@pytest.mark.parametrize("content", [SQL[:-3], SQL + b"x", b""])
def test_an_upload_that_is_not_the_one_announced_is_refused(api, database, content):
    etag, init = begun(api, database)
    heard = put(api, init, content)
    assert (heard.status, heard.code) == (400, 7500)
    body = {"action": "ingest", "etag": etag, "filename": init["filename"]}
    assert refused(api, "POST", f"{database}/import", body)[0] == 400
    assert put(api, init, SQL).status == 200  # the same URL may be tried again


def test_an_upload_that_is_cut_short_leaves_nothing(api, database):
    etag, init = begun(api, database)
    head = (
        f"PUT /client/v4{below(init['upload_url'])} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Length: {len(SQL) + 100}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", api.port)) as one:
        one.sendall(head.encode() + SQL)
    body = {"action": "ingest", "etag": etag, "filename": init["filename"]}
    assert refused(api, "POST", f"{database}/import", body)[0] == 400
    assert ask(api, "GET", database)["num_tables"] == 0


def test_an_upload_is_for_one_time_one_database_and_one_hour(api, database, clock):
    _, init = begun(api, database)
    other = init["upload_url"].replace(database.rpartition("/")[2], "other")
    assert put(api, {"upload_url": other}, SQL).status == 404
    assert put(api, init, SQL).status == 200
    assert put(api, init, SQL).status == 404
    _, late = begun(api, database)
    clock.now += DOWNLOAD_TTL_S + 1
    assert put(api, late, SQL).status == 404


def test_a_download_ends_after_an_hour(api, database, clock):
    path = below(exported(api, database)["result"]["signed_url"])
    assert api.ask(path, token=None).status == 200
    clock.now += DOWNLOAD_TTL_S + 1
    assert api.ask(path, token=None).status == 404


def test_the_other_routes_need_the_token(api, database):
    for method, path in (
        ("GET", database),
        ("POST", f"{database}/query"),
        ("POST", f"{database}/import"),
        ("POST", f"{database}/export"),
        ("GET", f"{database}/upload"),
    ):
        assert api.ask(path, method=method, token=None).status == 401


@pytest.mark.parametrize(
    "body",
    [
        {"action": "poll", "current_bookmark": "x"},
        {"action": "ingest", "filename": "x", "etag": "0" * 32},
        {"action": "init", "etag": "short"},
        {"action": "else"},
    ],
)
def test_an_import_that_was_not_begun_is_refused(api, database, body):
    assert refused(api, "POST", f"{database}/import", body)[0] == 400


@pytest.mark.parametrize("path", ["/query", "/raw", "/export", "/import"])
def test_an_unknown_database_is_not_found(api, path):
    body = {"sql": "SELECT 1", "output_format": "polling", "action": "init"}
    assert refused(api, "POST", f"{ALL}/nobody{path}", body)[:2] == (404, 7404)


def test_usage_is_counted_by_the_hour(api, database):
    sql = "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2); SELECT a FROM t"
    ask(api, "POST", f"{database}/query", {"sql": sql})
    asked = {"query": "d1AnalyticsAdaptiveGroups", "variables": {"filter": {}}}
    wanted = {"AND": [{"databaseId": database.rpartition("/")[2]}]}
    path = "/accounts/local/graphql/d1AnalyticsAdaptiveGroups"
    assert ask(api, "POST", path, asked) == []
    (hour,) = ask(api, "POST", f"{path}?{urlencode(wanted)}")
    assert hour["sum"] == {
        "readQueries": 1,
        "writeQueries": 2,
        "rowsRead": 2,
        "rowsWritten": 3,
    }
    assert hour["dimensions"]["datetimeHour"].endswith(":00:00Z")


def test_a_guess_at_a_key_opens_nothing(api, database):
    begun(api, database)
    exported(api, database)
    for key in ("", "?key=", "?key=x", "?key=" + "A" * 43):
        heard = api.ask(f"{database}/upload{key}", method="PUT", body=SQL, token=None)
        assert (heard.status, heard.code) == (404, 7500)
        heard = api.ask(f"{database}/exports/x.sql{key}", token=None)
        assert (heard.status, heard.code) == (404, 7500)
