"""Unmodified wrangler with tokens that may not do all."""

import pytest

from harness.project import worker, write
from harness.wrangler import Wrangler
from selfedge.client.address import Address

CODE = "export default { fetch: () => new Response('by a token') };"


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture
def wrangler(tmp_path):
    """One that remembers no account of another test."""
    one = Wrangler.installed(tmp_path)
    write(one.folder, worker(CODE, name="tokened"))
    return one


def holder(node, scope, account):
    """Return the address of the node for a new token that names no account itself."""
    asked = {"name": scope, "scope": scope, "account": account}
    token = node.result("POST", "//user/tokens", asked)["value"]
    return Address(url=node.api.url, token=token, account="")


def test_a_token_of_one_account_deploys_there_unasked(node, wrangler):
    made = node.result("POST", "//accounts", {"name": "tenant"})
    address = holder(node, "deploy", made["id"])
    done = wrangler(address, "deploy")
    assert done.code == 0, done.text
    assert node.get("tokened.tenant").text == "by a token"
    assert made["id"] in wrangler(address, "whoami").text


def test_a_token_that_reads_deploys_nothing(node, wrangler):
    address = holder(node, "read", node.api.account)
    done = wrangler(address, "deploy")
    assert done.code == 1
    assert "needs a token of scope deploy" in done.text
    assert node.get("tokened.local").status == 404
    assert wrangler(address, "kv", "namespace", "list").code == 0
