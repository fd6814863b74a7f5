"""The control API of `selfedge dev`: who finds it, who may call it, how it ends."""

import signal
import stat

import pytest

from harness import Nodes, fetch, worker
from selfedge.client.address import locate, read
from selfedge.client.api import Api
from selfedge.control.listen import listen_loopback
from selfedge.errors import UsageError

HELLO = "export default { fetch: () => new Response('hello') };"
INDEX = """
    [[vectorize]]
    binding = "VEC"
    index_name = "shared"
"""
ASKS_INDEX = """
    export default {
      async fetch(request: Request, env: any) {
        return Response.json(await env.VEC.describe());
      },
    };
"""


@pytest.fixture(scope="module")
def node(shared_dev: Nodes):
    """A node whose Worker has no binding."""
    return shared_dev(worker(HELLO))


def test_what_is_printed_is_what_lies_in_the_state_directory(node):
    state, printed = node.project / ".selfedge", node.api
    assert read(state) == printed
    assert stat.S_IMODE((state / "api.json").stat().st_mode) == 0o600
    assert locate(node.project, {}) == node.api
    assert node.api.account == "local"
    assert node.output.count(node.api.token) == 1


def test_the_token_differs_from_run_to_run(dev):
    first = dev(worker(HELLO))
    before = first.api.token
    first.restart()
    assert first.api.token != before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_address_is_gone_after_the_end(dev, number):
    node = dev(worker(HELLO))
    assert node.api
    node.process.send_signal(number)
    node.process.wait(15)
    assert not (node.project / ".selfedge" / "api.json").exists()


def test_after_a_kill_commands_say_so_and_the_next_run_takes_over(dev):
    node = dev(worker(HELLO))
    before = node.api
    node.process.kill()
    node.process.wait(15)
    with pytest.raises(UsageError, match=r"no node answers .* still running\?"):
        Api(locate(node.project, {})).call("GET", "/user")
    after = dev(node.project).api
    assert locate(node.project, {}) == after
    assert after.token != before.token


def test_clients_learn_who_they_are(node):
    api = Api(node.api)
    assert [one["id"] for one in api.every("/accounts")] == ["local"]
    assert [one["account"]["id"] for one in api.every("/memberships")] == ["local"]
    assert api.call("GET", "/accounts/{account}")["id"] == "local"
    assert api.call("GET", "/user")["email"] == "selfedge@localhost"
    for path in ("/user/tokens/verify", "/accounts/{account}/tokens/verify"):
        assert api.call("GET", path)["status"] == "active"


@pytest.mark.parametrize("path", ["/accounts", "/memberships"])
def test_lists_end(node, path):
    api = Api(node.api)
    assert api.call("GET", path, query={"page": "2"}) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_web_page_is_refused_even_with_the_token(node, headers):
    headers = {"Authorization": f"Bearer {node.api.token}", **headers}
    answer = fetch(f"{node.api.url}/user", headers=headers)
    assert answer.status == 403
    assert answer.json()["errors"][0]["code"] == 9109


def test_the_workers_port_does_not_serve_it(node):
    headers = {"Authorization": f"Bearer {node.api.token}"}
    assert node.request("/client/v4/user", headers=headers).text == "hello"


def test_workers_and_the_api_share_one_service(dev):
    node = dev(worker(ASKS_INDEX, INDEX))
    api = Api(node.api)
    config = {"dimensions": 3, "metric": "cosine"}
    api.call(
        "POST",
        "/accounts/{account}/vectorize/v2/indexes",
        json={"name": "shared", "config": config},
    )
    node.wait_until(lambda answer: '"dimensions":3' in answer.text)


def test_a_service_that_no_worker_uses_starts_when_it_is_asked(node):
    listed = Api(node.api).call("GET", "/accounts/{account}/vectorize/v2/indexes")
    assert listed == []


def test_the_port_can_be_chosen(dev):
    lent = listen_loopback(0)
    port = lent.getsockname()[1]
    lent.close()
    node = dev(worker(HELLO), "--api-port", f"{port}")
    assert node.api.url == f"http://127.0.0.1:{port}/client/v4"


def test_a_port_that_is_taken_is_said_before_anything_runs(dev):
    with listen_loopback(0) as lent:
        port = lent.getsockname()[1]
        node = dev.launch(worker(HELLO), "--api-port", f"{port}")
        assert node.process.wait(30) == 2
    assert f"the control API cannot listen on port {port}" in node.output
    assert "Traceback" not in node.output


def test_without_it_nothing_listens_and_nothing_is_printed(dev):
    node = dev(worker(HELLO), "--no-api")
    assert node.request("/").text == "hello"
    node.process.send_signal(signal.SIGINT)
    node.process.wait(15)
    assert "export" not in node.output
    assert not (node.project / ".selfedge" / "api.json").exists()
