"""The `cloudflare` SDK and `selfedge d1` against the database that a Worker uses."""

from itertools import islice

import cloudflare
import pytest
from d1_project import ID, PROJECT, ask, printed, selfedge

from harness import Node, Nodes

ACCOUNT = {"account_id": "local"}


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    return shared_dev(PROJECT)


@pytest.fixture(scope="module")
def sdk(node):
    address = node.api
    with cloudflare.Cloudflare(
        api_token=address.token, base_url=address.url, max_retries=0
    ) as client:
        yield client.d1.database


def test_the_sdk_makes_lists_edits_and_deletes(sdk):
    made = sdk.create(name="by-sdk", **ACCOUNT)
    names = [one.name for one in islice(sdk.list(**ACCOUNT), 100)]
    assert sorted(names) == ["app-no-id", "by-sdk", "people"]
    edited = sdk.edit(made.uuid, read_replication={"mode": "auto"}, **ACCOUNT)
    assert edited.read_replication.mode == "auto"
    assert sdk.get(made.uuid, **ACCOUNT).name == "by-sdk"
    sdk.delete(made.uuid, **ACCOUNT)
    with pytest.raises(cloudflare.NotFoundError) as gone:
        sdk.get(made.uuid, **ACCOUNT)
    assert gone.value.errors[0].code == 7404


def test_the_sdk_queries_and_a_worker_sees_it(sdk, node):
    sql = "CREATE TABLE s (a, b); INSERT INTO s VALUES (1, 'x')"
    done = list(sdk.query(ID, sql=sql, **ACCOUNT))
    assert [one.success for one in done] == [True, True]
    assert ask(node, "SELECT a, b FROM s") == [{"a": 1, "b": "x"}]
    (raw,) = sdk.raw(ID, sql="SELECT a FROM s WHERE b = ?", params=["x"], **ACCOUNT)
    assert (raw.results.columns, raw.results.rows) == (["a"], [[1]])
    batch = [{"sql": "SELECT 1 AS a"}, {"sql": "SELECT ? AS b", "params": ["y"]}]
    found = [one.results for one in sdk.query(ID, batch=batch, **ACCOUNT)]
    assert found == [[{"a": 1}], [{"b": "y"}]]
    with pytest.raises(cloudflare.BadRequestError) as wrong:
        sdk.query(ID, sql="SELEC 1", **ACCOUNT)
    assert wrong.value.errors[0].code == 7500


def test_the_sdk_exports_and_travels(sdk):
    given = sdk.export(ID, output_format="polling", **ACCOUNT)
    assert given.status == "complete"
    assert given.result.signed_url.startswith("http://127.0.0.1:")
    mark = sdk.time_travel.get_bookmark(ID, **ACCOUNT).bookmark
    done = sdk.time_travel.restore(ID, bookmark=mark, **ACCOUNT)
    assert done.bookmark == mark


def test_selfedge_d1_makes_shows_and_deletes(node):
    code, text = selfedge(node.project, "create", "by-hand")
    assert code == 0
    assert '"database_name": "by-hand"' in text
    names = {one["name"] for one in printed(node.project, "list")}
    assert {"by-hand", "people"} <= names
    assert "by-hand" in selfedge(node.project, "list")[1]
    assert printed(node.project, "info", "by-hand")["num_tables"] == 0
    assert selfedge(node.project, "delete", "by-hand", text="n\n")[0] == 130
    assert selfedge(node.project, "delete", "by-hand", "-y") == (0, "Deleted by-hand\n")
    code, text = selfedge(node.project, "info", "by-hand")
    assert (code, "could not be found" in text) == (2, True)


def test_selfedge_d1_migrates_executes_exports_and_imports(node):
    folder = node.project
    assert "0001_people.sql" in selfedge(folder, "migrations", "list", "people")[1]
    code, text = selfedge(folder, "migrations", "apply", "DB", "--remote")
    assert (code, text.count("Applied")) == (0, 2)
    assert selfedge(folder, "migrations", "apply", "DB") == (
        0,
        "No migrations to apply\n",
    )
    code, text = selfedge(
        folder, "execute", "people", "--command", "SELECT id, name FROM people"
    )
    assert (code, "1   Ada; Countess" in text) == (0, True)
    done = printed(folder, "execute", "DB", "--file", "more.sql")
    assert done["num_queries"] == 3
    assert selfedge(folder, "export", "DB", "--output", "out.sql")[0] == 0
    selfedge(folder, "create", "copy")
    assert printed(folder, "import", "copy", "out.sql")["meta"]["changes"] > 0
    (rows,) = printed(
        folder, "execute", "copy", "--command", "SELECT count(*) AS n FROM people"
    )
    assert rows["results"] == ask(node, "SELECT count(*) AS n FROM people")
    code, text = selfedge(folder, "import", "people", "bad.sql")
    assert (code, "no such table: nowhere" in text) == (2, True)


def test_selfedge_d1_travels(node):
    folder = node.project
    selfedge(folder, "execute", "DB", "--command", "CREATE TABLE IF NOT EXISTS w (a)")
    mark = printed(folder, "time-travel", "info", "DB")["bookmark"]
    selfedge(folder, "execute", "DB", "--command", "DROP TABLE w")
    code, text = selfedge(
        folder, "time-travel", "restore", "DB", f"--bookmark={mark}", "-y"
    )
    assert (code, "To undo this" in text) == (0, True)
    assert ask(node, "SELECT count(*) AS n FROM w") == [{"n": 0}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["execute", "DB"], "give --command or --file"),
        (["execute", "DB", "--file", "absent.sql"], "cannot read absent.sql"),
        (["migrations", "list", "nobody"], "has a D1 database with the name"),
        (["export", "DB", "--output", "no/such/out.sql"], "cannot write"),
        (["time-travel", "restore", "DB"], "give --bookmark or --timestamp"),
        (["execute", "DB", "--command", "SELEC"], "syntax error"),
    ],
)
def test_a_mistake_is_explained(node, arguments, words):
    code, text = selfedge(node.project, *arguments)
    assert (code, words in text) == (2, True), text
    assert "Traceback" not in text
