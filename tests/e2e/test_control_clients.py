"""wrangler and the Python SDK, unmodified, against the API of `selfedge dev`."""

from itertools import islice

import cloudflare
import pytest

from harness import Nodes, worker
from harness.wrangler import Wrangler

HELLO = "export default { fetch: () => new Response('hello') };"
LIST_MAX = 1000  # a list that does not end is cut here


@pytest.fixture(scope="module")
def address(shared_dev: Nodes):
    """The API of a node whose Worker has no binding."""
    return shared_dev(worker(HELLO)).api


@pytest.fixture(scope="module")
def wrangler(tmp_path_factory: pytest.TempPathFactory) -> Wrangler:
    """The real one, with a home of its own."""
    return Wrangler.installed(tmp_path_factory.mktemp("wrangler"))


@pytest.fixture(scope="module")
def sdk(address):
    with cloudflare.Cloudflare(
        api_token=address.token, base_url=address.url, max_retries=0
    ) as client:
        yield client


@pytest.mark.parametrize("arguments", [["whoami"], ["whoami", "--account", "local"]])
def test_wrangler_knows_who_it_is(wrangler, address, arguments):
    done = wrangler(address, *arguments)
    assert done.code == 0, done.text
    assert "associated with the email selfedge@localhost" in done.text
    assert "│ selfedge     │ local      │" in done.text


def test_wrangler_with_a_wrong_token_is_told_so(wrangler, address):
    wrong = type(address)(url=address.url, token="x", account=address.account)
    done = wrangler(wrong, "vectorize", "list")
    assert done.code == 1
    assert "Authentication error" in done.text
    assert "[code: 10000]" in done.text


def test_wrangler_lists_models_to_the_end(wrangler, address):
    done = wrangler(address, "ai", "models", "list", "--json")
    assert done.code == 0, done.text
    assert "@cf/baai/bge-small-en-v1.5" in done.text


def test_wrangler_makes_lists_and_deletes_an_index(wrangler, address):
    made = wrangler(
        address,
        "vectorize",
        "create",
        "by-wrangler",
        "--dimensions=3",
        "--metric=cosine",
    )
    assert made.code == 0, made.text
    assert "by-wrangler" in wrangler(address, "vectorize", "list").text
    assert wrangler(address, "vectorize", "delete", "by-wrangler", "--force").code == 0
    assert "by-wrangler" not in wrangler(address, "vectorize", "list").text


def test_wrangler_is_told_what_is_not_served(wrangler, address):
    done = wrangler(address, "hyperdrive", "list")
    assert done.code == 1
    assert "Could not route to /client/v4/accounts/local/hyperdrive" in done.text


def test_the_sdk_knows_who_it_is(sdk):
    assert sdk.user.tokens.verify().status == "active"
    assert sdk.user.get().id
    assert sdk.accounts.get(account_id="local").name == "selfedge"
    assert sdk.accounts.tokens.verify(account_id="local").status == "active"


def test_the_lists_of_the_sdk_end(sdk):
    lists = (
        sdk.accounts.list(),
        sdk.memberships.list(),
        sdk.ai.models.list(account_id="local"),
        sdk.vectorize.indexes.list(account_id="local"),
    )
    lengths = [len(list(islice(found, LIST_MAX))) for found in lists]
    assert lengths[:2] == [1, 1]
    assert lengths[2] > 1
    assert max(lengths) < LIST_MAX


def test_the_sdk_raises_what_belongs_to_the_status(sdk, address):
    with pytest.raises(cloudflare.NotFoundError) as missing:
        sdk.vectorize.indexes.get("absent", account_id="local")
    assert missing.value.errors[0].code
    with (
        cloudflare.Cloudflare(api_token="x", base_url=address.url) as stranger,
        pytest.raises(cloudflare.AuthenticationError) as refused,
    ):
        stranger.user.get()
    assert refused.value.errors[0].code == 10000
