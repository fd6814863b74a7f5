"""Hosts and paths lead to the Worker whose route is the most specific."""

import pytest

from harness.origin import Origin

NAMED = """export default { async fetch(request) {
  const to = new URL(request.url).searchParams.get("to");
  if (to) {
    const answer = await fetch(to);
    return new Response(`NAME got ${answer.status} ${await answer.text()}`);
  }
  return new Response("NAME");
} }"""


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve()
    for name in ("site", "api", "users", "wild"):
        node.deploy(name, NAMED.replace("NAME", name))
    zone = {"name": "lab.example", "account": {"id": node.api.account}}
    node.result("POST", "//zones", zone)
    for name, patterns in {
        "site": ["lab.example/*"],
        "api": ["lab.example/api/*", "api.lab.example/v1"],
        "users": ["lab.example/api/users*"],
        "wild": ["*.lab.example/*"],
    }.items():
        node.result(
            "PUT",
            f"/workers/scripts/{name}/routes",
            [{"pattern": pattern} for pattern in patterns],
        )
    return node


@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        ("lab.example", "/", "site"),
        ("lab.example", "/apiary", "site"),
        ("lab.example:8080", "/x", "site"),
        ("LAB.example", "/x", "site"),
        ("lab.example", "/api/", "api"),
        ("lab.example", "/api/x?y", "api"),
        ("lab.example", "/api/users/1", "users"),
        ("lab.example", "/api/usersx", "users"),
        ("api.lab.example", "/v1", "api"),
        ("api.lab.example", "/v2", "wild"),
        ("a.b.lab.example", "/", "wild"),
    ],
)
def test_the_most_specific_route_wins(node, host, path, name):
    assert node.request(path, headers={"host": host}).text == name


def test_a_host_that_only_ends_alike_is_nobodys(node):
    assert node.request("/", headers={"host": "otherlab.example"}).status == 404
    assert node.request("/", headers={"host": "lab.example.evil.test"}).status == 404


def test_a_custom_domain_is_its_workers_alone(node):
    origins = [{"hostname": "app.lab.example"}]
    node.result("PUT", "/workers/scripts/site/domains/records", {"origins": origins})
    assert node.request("/x", headers={"host": "app.lab.example"}).text == "site"


def test_a_worker_fetches_another_by_its_host_without_the_network(node):
    heard = node.get("site", "/?to=http://api.lab.example/v1").text
    assert heard == "site got 200 api"
    heard = node.get("site", "/?to=https://users.local.localhost/").text
    assert heard == "site got 200 users"


def test_a_worker_that_fetches_its_own_route_does_not_loop(node):
    heard = node.request(
        "/?to=http://lab.example/anything", headers={"host": "lab.example"}
    ).text
    assert heard.startswith("site got 508")
    assert "1019" in heard


def test_two_workers_that_fetch_each_other_end(node):
    code = """export default { async fetch(request) {
      const answer = await fetch("http://OTHER.local.localhost/");
      return new Response(`${answer.status} ${(await answer.text()).length}`);
    } }"""
    node.deploy("ping", code.replace("OTHER", "pong"))
    node.deploy("pong", code.replace("OTHER", "ping"))
    assert node.get("ping").status == 200
    assert node.get("site").text == "site"


def test_what_no_route_takes_goes_to_the_origin(serve):
    with Origin("the shop") as behind:
        node = serve()
        zone = {
            "name": "shop.example",
            "account": {"id": node.api.account},
            "origin": behind.url,
        }
        node.result("POST", "//zones", zone)
        node.deploy("shop", NAMED.replace("NAME", "shop"))
        node.result(
            "PUT", "/workers/scripts/shop/routes", [{"pattern": "shop.example/w/*"}]
        )
        host = {"host": "shop.example"}
        assert node.request("/w/x", headers=host).text == "shop"
        assert node.request("/page?q=1", headers=host).text == "the shop"
        assert behind.requests[0].path == "/page?q=1"
        assert behind.requests[0].headers["host"] == "shop.example"
        inside = node.request("/w/?to=http://shop.example/w/deep", headers=host)
        assert inside.text == "shop got 200 the shop"
