"""Text through `env.AI` of a Worker in dev: tools, JSON mode, batches, gateways."""

import json
import time
from typing import Any

import pytest

from harness import Node, Nodes, worker

CODE = """
    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const { model, inputs, options, then } = await request.json() as any;
        try {
          const result = await env.AI.run(model, inputs, options);
          if (result instanceof Response) {
            return Response.json({ status: result.status, body: await result.json() });
          }
          if (result instanceof ReadableStream) return new Response(result);
          if (then === "log") {
            const log = await env.AI.gateway("mine").getLog(env.AI.aiGatewayLogId);
            return Response.json({ result, log });
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
"""
CHAT = "@cf/meta/llama-3.1-8b-instruct"
M3 = "@cf/baai/bge-m3"
WEATHER = {
    "name": "get_weather",
    "description": "Get the weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
PERSON = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["age"],
}
QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE, TABLES))


def call(node: Node, model: str, inputs: object, **more: object) -> Any:
    body = {"model": model, "inputs": inputs, **more}
    answer = node.request(json_body=body, timeout_s=240)
    assert answer.status == 200, answer
    return answer.json()


def refused(node: Node, inputs: object, **more: object) -> str:
    body = {"model": CHAT, "inputs": inputs, **more}
    answer = node.request(json_body=body, timeout_s=240)
    assert answer.status == 502, answer
    return answer.text


@pytest.mark.parametrize("tool", [WEATHER, {"type": "function", "function": WEATHER}])
def test_a_tool_of_either_form_is_called(node: Node, tool: object) -> None:
    inputs = {"messages": QUESTION, "tools": [tool], "temperature": 0}
    found = call(node, CHAT, inputs)
    assert found["tool_calls"] == [
        {"name": "get_weather", "arguments": {"city": "Paris"}}
    ]


def test_a_tools_result_becomes_an_answer(node: Node) -> None:
    past = {"name": "get_weather", "arguments": {"city": "Paris"}}
    turns = [
        *QUESTION,
        {"role": "assistant", "content": "", "tool_calls": [past]},
        {"role": "tool", "name": "get_weather", "content": "21 degrees, sunny"},
    ]
    inputs = {"messages": turns, "tools": [WEATHER], "temperature": 0}
    found = call(node, CHAT, inputs)
    assert "21" in found["response"]


def test_json_mode_gives_an_object(node: Node) -> None:
    wanted = {"type": "json_schema", "json_schema": PERSON}
    inputs = {"prompt": "Bob is 42.", "response_format": wanted, "temperature": 0}
    assert isinstance(call(node, CHAT, inputs)["response"]["age"], int)


def test_json_mode_does_not_stream(node: Node) -> None:
    wanted = {"type": "json_object"}
    inputs = {"prompt": "x", "response_format": wanted, "stream": True}
    assert refused(node, inputs).startswith("AiError: 5023: JSON Schema mode is not")


def test_json_that_is_cut_off_has_its_own_error(node: Node) -> None:
    wanted = {"type": "json_object"}
    inputs = {"prompt": "x", "response_format": wanted, "max_tokens": 1}
    assert refused(node, inputs).startswith("AiError: 5024: JSON Mode couldn't be met")


def test_a_prompt_over_the_context_is_refused(node: Node) -> None:
    found = refused(node, {"prompt": "fox " * 20_000})
    assert found.startswith("AiError: 5021: The estimated number of input")


def test_a_raw_response_tells_the_status_of_an_error(node: Node) -> None:
    inputs = {"prompt": "x", "lora": "mine"}
    found = call(node, CHAT, inputs, options={"returnRawResponse": True})
    assert (found["status"], found["body"]["internalCode"]) == (405, 5005)


def test_bge_m3_compares_a_query_with_contexts(node: Node) -> None:
    texts = ["A kitten rests on a rug.", "The stock market fell sharply."]
    inputs = {"query": "Where is the cat?", "contexts": [{"text": t} for t in texts]}
    near, far = call(node, M3, inputs)["response"]
    assert (near["id"], far["id"]) == (0, 1)
    assert near["score"] > far["score"]


def test_a_batch_is_queued_and_answered(node: Node) -> None:
    requests = [{"prompt": "Hi", "max_tokens": 3} for _ in range(3)]
    receipt = call(node, CHAT, {"requests": requests}, options={"queueRequest": True})
    assert receipt["status"] == "queued"
    asked = {"request_id": receipt["request_id"]}
    deadline = time.monotonic() + 60
    while "responses" not in (found := call(node, CHAT, asked)):
        assert found["status"] in ("queued", "running")
        assert time.monotonic() < deadline
    assert [one["success"] for one in found["responses"]] == [True] * 3


def test_a_run_through_a_gateway_leaves_a_log(node: Node) -> None:
    inputs = {"prompt": "Hi", "max_tokens": 2}
    found = call(node, CHAT, inputs, options={"gateway": {"id": "mine"}}, then="log")
    assert found["log"]["model"] == CHAT
    assert found["log"]["success"] is True


def test_a_stream_comes_in_pieces(node: Node) -> None:
    body = {"model": CHAT, "inputs": {"prompt": "A story", "stream": True}}
    answer = node.request(json_body=body, timeout_s=240)
    lines = [line for line in answer.text.split("\n\n") if line]
    assert len(lines) > 4
    assert lines[-1] == "data: [DONE]"
    assert json.loads(lines[-2].removeprefix("data: "))["usage"]["total_tokens"] > 0


def test_websockets_are_refused_in_words(node: Node) -> None:
    found = call(node, CHAT, {"prompt": "x"}, options={"websocket": True})
    assert found["status"] == 400
    assert "websocket: not supported" in found["body"]["description"]
