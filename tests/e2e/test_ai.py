"""Workers AI and Vectorize as a Worker has them in dev."""

import json
from typing import Any

import pytest

from harness import Node, Nodes, worker

CODE = """
    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const { method, args } = await request.json() as any;
        const target = method === "run" ? env.AI : env.INDEX;
        try {
          const result = await target[method](...args);
          if (result instanceof ReadableStream) {
            return new Response(result, {
              headers: { "content-type": "text/event-stream" },
            });
          }
          return Response.json(result);
        } catch (error) {
          return new Response(`${error.name}: ${error.message}`, { status: 502 });
        }
      },
    };
"""
TABLES = """
    [ai]
    binding = "AI"
    [[vectorize]]
    binding = "INDEX"
    index_name = "words"
"""
CHAT = "@cf/meta/llama-2-7b-chat-int8"
EMBED = "@cf/baai/bge-base-en-v1.5"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE, TABLES))


def call(node: Node, method: str, *arguments: object) -> Any:
    answer = node.request(
        json_body={"method": method, "args": arguments}, timeout_s=240
    )
    assert answer.status == 200, answer
    return answer.json()


def refused(node: Node, method: str, *arguments: object) -> str:
    answer = node.request(
        json_body={"method": method, "args": arguments}, timeout_s=240
    )
    assert answer.status == 502, answer
    return answer.text


def test_text_generation(node: Node) -> None:
    inputs = {"prompt": "Say hello.", "max_tokens": 8}
    said = call(node, "run", CHAT, inputs)
    assert said["response"]
    assert 0 < said["usage"]["completion_tokens"] <= 8


def test_stream(node: Node) -> None:
    """Events come in the form that clients know."""
    inputs = {"prompt": "Say hello.", "max_tokens": 8, "stream": True}
    answer = node.request(json_body={"method": "run", "args": [CHAT, inputs]})
    events = answer.text.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    pieces = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert "".join(piece.get("response") or "" for piece in pieces)


def test_search_by_meaning(node: Node) -> None:
    """What means the same is nearer than what does not."""
    texts = ["A cat sleeps on the sofa.", "Shares fell sharply on Monday."]
    data = call(node, "run", EMBED, {"text": texts})["data"]
    vectors = [
        {"id": f"t{n}", "values": values, "metadata": {"text": texts[n]}}
        for n, values in enumerate(data)
    ]
    assert call(node, "upsert", vectors)["mutationId"]
    question = call(node, "run", EMBED, {"text": "a kitten naps on a couch"})["data"][0]
    found = call(node, "query", question, {"topK": 2, "returnMetadata": "all"})
    assert [match["id"] for match in found["matches"]] == ["t0", "t1"]
    first, second = found["matches"]
    assert first["metadata"] == {"text": texts[0]}
    assert first["score"] - second["score"] >= 0.3


def test_wrong_vector_width(node: Node) -> None:
    """Insert and query name the width that the index has, and the one given."""
    call(node, "upsert", [{"id": "w", "values": [0.5] * 768}])
    error = refused(node, "insert", [{"id": "x", "values": [1, 2, 3]}])
    assert 'invalid vector for id="x", expected 768 dimensions' in error
    assert "got 3 dimensions" in error
    assert "40012" in error
    error = refused(node, "query", [1, 2, 3])
    assert "invalid query vector, expected 768 dimensions, and got 3" in error


def test_unknown_model(node: Node) -> None:
    assert refused(node, "run", "@cf/nobody/nothing", {"prompt": "x"}).startswith(
        "AiError: 5007: No such model @cf/nobody/nothing"
    )


def test_bad_input(node: Node) -> None:
    assert "5006" in refused(node, "run", EMBED, {"texts": "misspelled"})


def test_strict_models(dev: Nodes) -> None:
    """--strict-models refuses a stand-in, and says how to have the real one."""
    strict = dev(worker(CODE, TABLES), "--strict-models")
    error = refused(strict, "run", CHAT, {"prompt": "x"})
    assert f"5007: No such model {CHAT}" in error


def test_index_is_kept_over_a_restart(dev: Nodes) -> None:
    node = dev(worker(CODE, TABLES))
    call(node, "upsert", [{"id": "a", "values": [1, 0, 0]}])
    node.wait_for_line("words.*3")
    node.restart()
    (match,) = call(node, "query", [1, 0, 0])["matches"]
    assert match["id"] == "a"
