"""The official clients of OpenAI and Cloudflare against a node, unmodified."""

import json
import time

import cloudflare
import openai
import pytest

from harness import Node, Nodes, fetch, worker

CODE = """
    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const [model, inputs] = await request.json() as any;
        return Response.json(await env.AI.run(model, inputs));
      },
    };
"""
CHAT = "@cf/meta/llama-3.1-8b-instruct"
EMBED = "@cf/baai/bge-base-en-v1.5"
ASKED = [{"role": "user", "content": "What is the capital of France?"}]
FIXED = {"seed": 11, "max_tokens": 24}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE, '[ai]\nbinding = "AI"'))


@pytest.fixture(scope="module")
def address(node: Node):
    node.wait_for_line(r"^export CLOUDFLARE_API_TOKEN=")
    return json.loads((node.project / ".selfedge/api.json").read_text())


@pytest.fixture(scope="module")
def ai(address):
    base = f"{address['url']}/accounts/{address['account']}/ai/v1"
    with openai.OpenAI(
        base_url=base, api_key=address["token"], max_retries=0, timeout=240
    ) as client:
        yield client


@pytest.fixture(scope="module")
def flare(address):
    with cloudflare.Cloudflare(
        base_url=address["url"], api_token=address["token"], max_retries=0, timeout=240
    ) as client:
        yield client


@pytest.fixture(scope="module")
def account(address):
    return address["account"]


def test_all_surfaces_agree_for_a_seed(node, ai, flare, account):
    inputs = {"messages": ASKED, **FIXED}
    bound = node.request(json_body=[CHAT, inputs], timeout_s=240).json()
    rest = flare.ai.run(CHAT, account_id=account, **inputs)
    chat = ai.chat.completions.create(model=CHAT, messages=ASKED, **FIXED)
    stream = ai.chat.completions.create(
        model=CHAT, messages=ASKED, stream=True, **FIXED
    )
    pieces = [c.choices[0].delta.content or "" for c in stream if c.choices]
    said = {bound["response"], rest["response"], chat.choices[0].message.content}
    assert said == {"".join(pieces)}
    assert bound["usage"] == rest["usage"]
    assert chat.usage.total_tokens == bound["usage"]["total_tokens"]


def test_vectors_agree(node, ai, flare, account):
    text = "A small boat"
    bound = node.request(json_body=[EMBED, {"text": text}], timeout_s=240).json()
    rest = flare.ai.run(EMBED, account_id=account, text=[text])
    packed = ai.embeddings.create(model=EMBED, input=text).data[0].embedding
    plain = ai.embeddings.create(model=EMBED, input=[text], encoding_format="float")
    assert bound["data"] == rest["data"]
    assert plain.usage.prompt_tokens == plain.usage.total_tokens == 5  # [CLS], [SEP]
    for found in (packed, plain.data[0].embedding):
        assert found == pytest.approx(bound["data"][0], abs=1e-6)


def test_a_stream_is_spread_over_time(ai):
    stream = ai.chat.completions.create(
        model=CHAT,
        messages=[{"role": "user", "content": "Tell a long story about a boat."}],
        max_tokens=64,
        seed=1,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [(time.monotonic(), chunk) for chunk in stream]
    times = [at for at, chunk in chunks if chunk.choices and _text(chunk)]
    assert len(times) >= 3
    assert times[-1] - times[0] > 0.05
    reasons = [c.choices[0].finish_reason for _, c in chunks if c.choices]
    assert reasons[-1] in {"stop", "length"}
    assert set(reasons[:-1]) == {None}
    assert chunks[-1][1].usage.completion_tokens <= 64


def _text(chunk):
    return chunk.choices[0].delta.content


def test_the_limit_and_a_stop_end_an_answer(ai):
    ask = ai.chat.completions.create
    short = ask(model=CHAT, messages=ASKED, seed=11, max_tokens=3)
    assert short.choices[0].finish_reason == "length"
    whole = ask(model=CHAT, messages=ASKED, **FIXED).choices[0].message.content
    word = whole.split()[1]
    cut = ask(model=CHAT, messages=ASKED, stop=[word], **FIXED)
    assert cut.choices[0].message.content == whole.partition(word)[0]
    assert cut.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_that_must_be_called_is(ai, stream):
    answer = ai.chat.completions.create(
        model=CHAT,
        messages=[{"role": "user", "content": "How is the weather in Oslo?"}],
        tools=[WEATHER],
        tool_choice="required",
        seed=1,
        stream=stream,
    )
    if stream:
        chunks = [chunk.choices[0] for chunk in answer if chunk.choices]
        calls = [call for one in chunks for call in one.delta.tool_calls or ()]
        reason = chunks[-1].finish_reason
    else:
        calls = answer.choices[0].message.tool_calls
        reason = answer.choices[0].finish_reason
    assert reason == "tool_calls"
    assert calls[0].function.name == "get_weather"
    assert isinstance(json.loads(calls[0].function.arguments)["city"], str)


def test_the_result_of_a_tool_can_be_told(ai):
    call = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    past = {"id": "call_1", "type": "function", "function": call}
    answer = ai.chat.completions.create(
        model=CHAT,
        messages=[
            {"role": "user", "content": "How is the weather in Oslo?"},
            {"role": "assistant", "content": None, "tool_calls": [past]},
            {"role": "tool", "tool_call_id": "call_1", "content": "Rain, 4 degrees"},
        ],
        tools=[WEATHER],
        tool_choice="none",
        max_tokens=16,
    )
    assert answer.choices[0].message.content


def test_an_answer_follows_a_json_schema(ai):
    answer = ai.chat.completions.create(
        model=CHAT,
        messages=[{"role": "user", "content": "Name a city and its people, as JSON."}],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "place", "schema": PLACE, "strict": True},
        },
        seed=1,
    )
    found = json.loads(answer.choices[0].message.content)
    assert isinstance(found["city"], str)
    assert isinstance(found["people"], int)


def test_a_bare_text_is_continued(node, ai):
    prompt = "One, two, three,"
    found = ai.completions.create(model=CHAT, prompt=prompt, **FIXED)
    inputs = {"prompt": prompt, "raw": True, **FIXED}
    bound = node.request(json_body=[CHAT, inputs], timeout_s=240).json()
    assert found.choices[0].text == bound["response"]
    stream = ai.completions.create(model=CHAT, prompt=prompt, stream=True, **FIXED)
    assert "".join(chunk.choices[0].text for chunk in stream) == bound["response"]


def test_models_of_openais_client(ai):
    names = [model.id for model in ai.models.list()]
    assert {CHAT, EMBED} <= set(names)
    assert ai.models.retrieve(CHAT).id == CHAT


def test_failures_have_openais_classes(address, ai):
    ask = ai.chat.completions.create
    with pytest.raises(openai.NotFoundError) as unknown:
        ask(model="@cf/nobody/nothing", messages=ASKED)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as hot:
        ask(model=CHAT, messages=ASKED, temperature=9)
    assert hot.value.param == "temperature"
    with pytest.raises(openai.BadRequestError) as long:
        ask(model=CHAT, messages=[{"role": "user", "content": "word " * 9000}])
    assert long.value.code == "context_length_exceeded"
    stranger = ai.with_options(api_key="wrong")
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()


def test_models_of_cloudflares_client(flare, account):
    """It asks for page after page until one is empty."""
    names = [model["name"] for model in flare.ai.models.list(account_id=account)]
    assert len(names) == len(set(names)) > 90
    found = flare.ai.models.list(account_id=account, search="bge-small", per_page=5)
    assert [model["name"] for model in found] == ["@cf/baai/bge-small-en-v1.5"]
    assert len(list(flare.ai.tasks.list(account_id=account))) > 9
    assert len(list(flare.ai.authors.list(account_id=account))) > 9


def test_schemas_of_cloudflares_client(flare, account):
    found = flare.ai.models.schema.get(account_id=account, model=CHAT)
    assert "messages" in found.input.properties


def test_failures_have_cloudflares_codes(flare, account):
    with pytest.raises(cloudflare.BadRequestError) as unknown:
        flare.ai.run("@cf/nobody/nothing", account_id=account, prompt="x")
    assert unknown.value.errors[0].code == 5007
    with pytest.raises(cloudflare.BadRequestError) as wrong:
        flare.ai.run(EMBED, account_id=account, prompt="x")
    assert wrong.value.errors[0].code == 5006


def test_a_node_without_ai_answers_too(dev: Nodes):
    """Routes of the API do not depend on what the project binds."""
    node = dev(worker("export default { fetch: () => new Response() }"))
    node.wait_for_line(r"^export CLOUDFLARE_API_TOKEN=")
    address = json.loads((node.project / ".selfedge/api.json").read_text())
    answer = fetch(
        f"{address['url']}/accounts/{address['account']}/ai/v1/models",
        headers={"authorization": f"Bearer {address['token']}"},
    )
    assert answer.status == 200
