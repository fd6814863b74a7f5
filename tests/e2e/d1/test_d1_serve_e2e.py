"""D1 under `selfedge serve`: databases of the API, bound to deployed Workers."""

import pytest

from harness.serve import ServeNode, ServeNodes

CODE = """
export default {
  async fetch(request, { DB }) {
    await DB.exec("CREATE TABLE IF NOT EXISTS hits (at)");
    await DB.prepare("INSERT INTO hits VALUES (?)").bind(Date.now()).run();
    return Response.json(await DB.prepare("SELECT count(*) AS n FROM hits").first());
  },
};
"""


@pytest.fixture(scope="module")
def node(shared_serve: ServeNodes) -> ServeNode:
    return shared_serve()


def bound(uuid: str) -> list[dict[str, str]]:
    return [{"type": "d1", "name": "DB", "id": uuid}]


def test_a_deployed_worker_has_its_database_and_keeps_it(node: ServeNode):
    uuid = node.result("POST", "/d1/database", {"name": "hits"})["uuid"]
    node.deploy("one", CODE, bound(uuid))
    assert node.get("one").json() == {"n": 1}
    node.deploy("two", CODE, bound(uuid))
    assert node.get("two").json() == {"n": 2}
    body = {"sql": "SELECT count(*) AS n FROM hits"}
    (found,) = node.result("POST", f"/d1/database/{uuid}/query", body)
    assert found["results"] == [{"n": 2}]
    node.restart()
    assert node.get("one").json() == {"n": 3}


def test_a_token_that_only_reads_changes_nothing(node: ServeNode):
    uuid = node.result("POST", "/d1/database", {"name": "guarded"})["uuid"]
    made = node.call("POST", "//user/tokens", {"name": "reader", "scope": "read"})
    token = made.json()["result"]["value"]
    path = f"/d1/database/{uuid}"
    assert node.call("GET", path, token=token).status == 200
    body = {"sql": "CREATE TABLE t (a)"}
    assert node.call("POST", f"{path}/query", body, token=token).status == 403
    assert node.call("DELETE", path, token=token).status == 403
