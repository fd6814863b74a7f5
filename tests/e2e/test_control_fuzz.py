"""Whatever is sent to the control API: an answer below 500, soon, and well-formed."""

import http.client
import json
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import Nodes, worker
from selfedge.client.address import Address

HELLO = "export default { fetch: () => new Response('hello') };"
ANSWER_S = 10.0
WORDS = (
    *("accounts", "local", "ai", "run", "models", "search", "schema", "tasks", "v1"),
    *("chat", "completions", "embeddings", "vectorize", "v2", "indexes", "info"),
    *("insert", "upsert", "query", "get_by_ids", "list", "metadata_index", "create"),
    *("storage", "kv", "namespaces", "values", "keys", "metadata", "bulk", "fuzz"),
    *("user", "tokens", "verify", "memberships", "@cf", "@cf%2Fno%2Fmodel"),
    *("%2F", "%00", "%ff", "%zz", "..", ".", "-", "*", "0"),
)
WORD = st.sampled_from(["", *WORDS]) | st.text(max_size=20).map(
    lambda text: quote(text.encode("utf-8", "surrogatepass"))
)
BELOW = st.sampled_from(
    [
        "",
        "/accounts/local/ai",
        "/accounts/local/vectorize/v2",
        "/accounts/local/storage/kv/namespaces",
    ]
)
PATH = st.builds(
    lambda head, words: head + "".join(f"/{word}" for word in words),
    BELOW,
    st.lists(WORD, max_size=6),
)
INDEXES = "/accounts/local/vectorize/v2/indexes"
AI = "/accounts/local/ai"
KV = "/accounts/local/storage/kv/namespaces"
ROUTE = st.sampled_from(
    [
        ("POST", INDEXES),
        ("GET", f"{INDEXES}/fuzz/list"),
        ("GET", f"{INDEXES}/fuzz/metadata_index/list"),
        *(
            ("POST", f"{INDEXES}/fuzz/{verb}")
            for verb in (
                *("insert", "upsert", "query", "get_by_ids", "delete_by_ids"),
                *("metadata_index/create", "metadata_index/delete"),
            )
        ),
        ("POST", KV),
        ("GET", f"{KV}/fuzz/keys"),
        ("PUT", f"{KV}/fuzz/values/a%2Fb"),
        ("PUT", f"{KV}/fuzz/bulk"),
        ("POST", f"{KV}/fuzz/bulk/get"),
        ("POST", f"{KV}/fuzz/bulk/delete"),
        ("GET", f"{AI}/models/search"),
        ("GET", f"{AI}/models/schema"),
        ("POST", f"{AI}/run/@cf/meta/llama-2-7b-chat-int8"),
        ("POST", f"{AI}/run/@cf%2Fbaai%2Fbge-small-en-v1.5"),
        ("POST", f"{AI}/v1/chat/completions"),
        ("POST", f"{AI}/v1/embeddings"),
    ]
)
QUERY = st.dictionaries(
    st.sampled_from(["page", "per_page", "cursor", "count", "model", "task", "x"]),
    st.sampled_from(["", "0", "-1", "2", "1e9", "9" * 40, "%ff", "%00"]) | WORD,
    max_size=3,
)
METHOD = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "QUERY"])
HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "Accept", "Cookie", "Range", "If-Match", "X-A"]),
    st.sampled_from(
        [
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "text/plain; charset=nonsense",
            "gzip",
        ]
    )
    | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30).map(
        lambda text: text.replace("\x7f", "").strip()
    ),
    max_size=3,
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "config",
                    "dimensions",
                    "metric",
                    "ids",
                    "vector",
                    "topK",
                    "filter",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
BODY = (
    st.none()
    | st.binary(max_size=200)
    | VALUE.map(lambda value: json.dumps(value).encode())
    | st.just(b'--x\r\nContent-Disposition: form-data; name="vectors"\r\n\r\n{}\r\n')
    | st.just(b'{"a":' * 20_000)
)


class Client:
    """Keeps one connection while the node does."""

    def __init__(self, address: Address) -> None:
        self._address = address
        port = int(address.url.split(":")[2].split("/")[0])
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=ANSWER_S
        )

    def ask(self, method, target, headers, body):
        token = {"Authorization": f"Bearer {self._address.token}"}
        for _ in range(2):
            with suppress(http.client.RemoteDisconnected, BrokenPipeError):
                self._connection.request(
                    method, f"/client/v4{target}", body, {**headers, **token}
                )
                answer = self._connection.getresponse()
                return answer, answer.read()
            self._connection.close()  # it had been idle, or the last one was broken
        raise AssertionError(f"no answer to {method} {target}")

    def close(self):
        self._connection.close()


@pytest.fixture(scope="module")
def client(shared_dev: Nodes):
    """A client of a node with AI, Vectorize and the KV namespace `fuzz`."""
    table = '[[kv_namespaces]]\nbinding = "KV"\nid = "fuzz"\n'
    node = shared_dev(worker(HELLO, table))
    one = Client(node.api)
    config = {"dimensions": 3, "metric": "cosine"}
    index = json.dumps({"name": "fuzz", "config": config})
    assert one.ask("POST", INDEXES, {}, index)[0].status == 200
    yield one
    one.close()
    assert "failed\nTraceback" not in node.output


MANY = settings(
    max_examples=500,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


@MANY
@given(METHOD, PATH, QUERY, HEADERS, BODY)
def test_no_path_makes_it_fail(client, method, path, query, headers, body):
    check(client, method, path, query, headers, body)


@MANY
@given(ROUTE, QUERY, HEADERS, BODY)
def test_no_body_makes_a_route_fail(client, route, query, headers, body):
    check(client, *route, query, headers, body)


def check(client, method, path, query, headers, body):
    target = path + ("?" if query else "")
    target += "&".join(f"{name}={value}" for name, value in query.items())
    answer, raw = client.ask(method, target, headers, body)
    assert answer.status < 500, raw
    if answer.status < 400 or method == "HEAD":
        return
    assert answer.headers.get_content_type() == "application/json"
    said = json.loads(raw)
    if "error" not in said:  # the shape of OpenAI's clients
        assert said["success"] is False
        assert isinstance(said["errors"][0]["code"], int)
        assert said["errors"][0]["message"]
