"""Each snippet of the seed document runs, unmodified, through real HTTP."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from harness import Node, Nodes, Origin, worker
from harness.diffusion import build
from harness.pictures import clock, encoded
from harness.snippets import Seed, Snippet

CLAIMED = {  # heading → (whole Workers, loose paragraphs)
    "1. V8 Isolates (Not Containers)": (1, 1),
    "2. Workers AI - LLM Inference at the Edge": (1, 3),
    "3. KV Storage for Edge Data": (1, 0),
    "4. Durable Objects for Stateful Logic": (1, 0),
    "5. Vectorize for Edge Vector Search": (1, 0),
    "Request Routing & Middleware": (1, 0),
    "Caching Strategies": (1, 0),
    "Environment Variables & Secrets": (1, 0),
    "A/B Testing at the Edge": (1, 0),
    "Geolocation-Based Routing": (1, 0),
    "DON'T: Block the response": (2, 0),
}
KV = '[[kv_namespaces]]\nbinding = "MY_KV"\nid = "xxxxx"\n'
AI = '[ai]\nbinding = "AI"\n'
PROBE = """
    import snippet from "./snippet";
    export * from "./snippet";
    export default {  // /probe/METHOD?args=… calls the namespace beside the snippet
      async fetch(request: Request, env: any, ctx: ExecutionContext) {
        const { pathname, searchParams } = new URL(request.url);
        const [, first, method] = pathname.split("/");
        if (first !== "probe") return snippet.fetch(request, env, ctx);
        const args = JSON.parse(searchParams.get("args")!);
        return Response.json((await env.MY_KV[method](...args)) ?? null);
      },
    };
"""


def probe(node: Node, method: str, *arguments: object) -> object:
    """Call env.MY_KV from beside the snippet."""
    answer = node.request(f"/probe/{method}?args={quote(json.dumps(arguments))}")
    assert answer.status == 200, answer
    return answer.json()


def whole(snippet: Snippet, number: int = 0) -> str:
    """Return the snippet's Worker `number`."""
    return snippet.workers[number]


def wrapped(statements: str, result: str) -> str:
    """Return a Worker around statements; `result` are the names that it answers."""
    return (
        "export default {\n  async fetch(request: Request, env: any) {\n"
        f"{statements}\n"
        f"    return Response.json({{ {result} }});\n  }},\n}};\n"
    )


def test_every_snippet_is_claimed(seed: Seed) -> None:
    """A snippet that is new or has changed its shape needs a test here."""
    shapes = {
        name: (len(snippet.workers), len(snippet.loose))
        for snippet in seed.snippets
        for name in [snippet.heading, *CLAIMED]
        if snippet.heading.endswith(name)
    }
    claimed = {name: shapes.get(name) for name in CLAIMED}
    assert claimed == CLAIMED
    assert len(seed.snippets) == len(CLAIMED)


def test_hello(dev: Nodes, seed: Seed) -> None:
    snippet = seed.find("V8 Isolates", "Hello from the edge!")
    answer = dev(worker(whole(snippet))).request()
    assert (answer.status, answer.text) == (200, "Hello from the edge!")
    assert answer.headers["content-type"] == "text/plain"


def test_workers_apis(dev: Nodes, seed: Seed) -> None:
    """KV and fetch, as the text says to use them."""
    (statements,) = seed.find("V8 Isolates", "CORRECT: Use Workers APIs").loose
    code = wrapped(statements, "value: await value, text: await response.text()")
    table = '[[kv_namespaces]]\nbinding = "MY_KV_NAMESPACE"\nid = "n"\n'
    with Origin("from the API") as api:
        node = dev(worker(code, table), "--origin", f"api.example.com={api.url}")
        assert node.request().json() == {"value": None, "text": "from the API"}


@pytest.mark.timeout(300)
def test_text_generation(dev: Nodes, seed: Seed) -> None:
    """The model answers; which one served is said once."""
    snippet = seed.find("Workers AI", "Text generation with LLaMA 2")
    node = dev(worker(whole(snippet), AI))
    prompt = {"prompt": "What is the capital of France?"}
    answer = node.request(json_body=prompt, timeout_s=240)
    assert answer.status == 200, answer
    said = answer.json()
    assert len(said["response"]) > 1
    assert said["usage"]["completion_tokens"] > 0
    node.wait_for_line("llama-2-7b-chat-int8.*SmolLM2")


@pytest.mark.timeout(300)
def test_embeddings(dev: Nodes, seed: Seed) -> None:
    """768 numbers, as the model that was asked for would give."""
    loose = seed.find("Workers AI", "Text embeddings").loose
    (statements,) = [part for part in loose if "Text embeddings" in part]
    node = dev(worker(wrapped(statements, "...embeddings"), AI))
    answer = node.request(timeout_s=240)
    assert answer.status == 200, answer
    assert answer.json()["shape"] == [1, 768]
    assert len(answer.json()["data"][0]) == 768


@pytest.mark.timeout(300)
def test_image_classification(dev: Nodes, seed: Seed) -> None:
    """The picture is recognised; that another network did it is said once."""
    loose = seed.find("Workers AI", "Image classification").loose
    (statements,) = [part for part in loose if "Image classification" in part]
    given = "const imageBytes = [...new Uint8Array(await request.arrayBuffer())];\n"
    node = dev(worker(wrapped(given + statements, "result"), AI))
    answer = node.request(body=encoded(clock()), timeout_s=240)
    assert answer.status == 200, answer
    labels = answer.json()["result"]
    assert labels[0]["label"] == "ANALOG CLOCK"
    assert len(labels) == 5
    node.wait_for_line("resnet-50.*EfficientNet-Lite0 stands in")


@pytest.mark.timeout(300)
def test_image_generation(dev: Nodes, seed: Seed, tmp_path: Path) -> None:
    """Without weights the command that adds them; with weights a PNG."""
    loose = seed.find("Workers AI", "Image generation").loose
    (statements,) = [part for part in loose if "Image generation" in part]
    code = """
        export default {
          async fetch(request: Request, env: any) {
            try {
              %s
              return new Response(image);
            } catch (error) {
              return new Response(error.message, { status: 502 });
            }
          },
        };
    """
    project = worker(code % statements, AI)
    answer = dev(project).request()
    assert answer.status == 502
    sdxl = "@cf/stabilityai/stable-diffusion-xl-base-1.0"
    assert answer.text.startswith(f"5007: No such model {sdxl}")
    assert f"`selfedge ai add {sdxl} --diffusers DIR`" in answer.text
    folder = build(tmp_path, extra_large=True)
    table = f'[ai.models."{sdxl}"]\ndiffusers = "{folder}"\n'
    answer = dev({**project, "selfedge.toml": table}).request(timeout_s=240)
    assert answer.status == 200, answer
    assert answer.body.startswith(b"\x89PNG")


def test_kv(dev: Nodes, seed: Seed) -> None:
    """Get, put with TTL and metadata, list and delete."""
    snippet = seed.find("KV Storage", "Read from KV")
    files = {"snippet.ts": whole(snippet)}
    node = dev(worker(PROBE, snippet.wrangler, files=files))
    assert node.request("/greeting").status == 404
    probe(node, "put", "greeting", "hello")
    before = time.time()
    answer = node.request("/greeting")
    assert (answer.status, answer.text) == (200, "hello")
    assert node.request("/greeting").status == 404  # the snippet deletes what it read
    stored = probe(node, "getWithMetadata", "user:123", "json")
    assert isinstance(stored, dict)
    assert stored["value"] == {"name": "Alice"}
    assert abs(stored["metadata"]["createdAt"] / 1000 - before) < 30
    listed = probe(node, "list", {"prefix": "user:"})
    assert isinstance(listed, dict)
    (key,) = listed["keys"]
    assert (key["name"], key["metadata"]) == ("user:123", stored["metadata"])
    assert abs(key["expiration"] - before - 3600) < 30


def test_rate_limiter(dev: Nodes, seed: Seed) -> None:
    """A hundred requests pass, the next one gets 429, also after a restart."""
    snippet = seed.find("Durable Objects", "class RateLimiter")
    node = dev(worker(whole(snippet), snippet.wrangler, name="my-worker"))
    for number in range(1, 101):
        answer = node.request()
        assert (answer.status, answer.text) == (200, f"Request {number}/100")
    answer = node.request()
    assert (answer.status, answer.text) == (429, "Rate limit exceeded")
    node.restart()
    assert node.request().status == 429


@pytest.mark.timeout(300)
def test_vector_search(dev: Nodes, seed: Seed) -> None:
    """Text → embedding → index → the same text as the best match."""
    snippet = seed.find("Vectorize", "Insert into vector database")
    node = dev(worker(whole(snippet), AI + snippet.wrangler))
    text = {"text": "The cat sits on the mat."}
    assert node.request(json_body=text, timeout_s=240).status == 200

    def found() -> bool:
        matches = node.request(json_body=text).json()["matches"]
        return bool(matches) and matches[0]["metadata"] == text

    deadline = time.monotonic() + 20
    while not found():
        assert time.monotonic() < deadline
    (match,) = node.request(json_body=text).json()["matches"]
    assert match["id"] == "doc-1"
    assert match["score"] > 0.99
    node.wait_for_line("my-index")


def hono_chain(nodes: Nodes, seed: Seed, hono: Path, entry: str) -> Node:
    """Start the Hono app with the rate limiter of another snippet."""
    app = seed.find("Request Routing", "from 'hono'")
    limiter = seed.find("Durable Objects", "class RateLimiter")
    files = {
        "snippet.ts": whole(app),
        "limiter.ts": whole(limiter),
        "entry.ts": entry,
    }
    code = PROBE.replace("./snippet", "./entry")
    wrangler = KV + AI + limiter.wrangler
    project = nodes.folder(worker(code, wrangler, name="my-worker", files=files))
    (project / "node_modules").symlink_to(hono)
    return nodes(project)


@pytest.fixture(scope="module")
def chain(shared_dev: Nodes, seed: Seed, hono: Path) -> Node:
    """The Hono app as it is."""
    entry = """
        export { default } from "./snippet";
        export { RateLimiter } from "./limiter";
    """
    return hono_chain(shared_dev, seed, hono, entry)


BEARER = {"authorization": "Bearer secret-token"}


def test_hono_cors(chain: Node) -> None:
    """The preflight request is answered, for the one origin."""
    answer = chain.request(
        "/api/users/1",
        method="OPTIONS",
        headers={
            "origin": "https://example.com",
            "access-control-request-method": "POST",
        },
    )
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "https://example.com"
    assert "DELETE" in answer.headers["access-control-allow-methods"]
    other = chain.request("/", headers={"origin": "https://other.example"})
    assert other.headers["access-control-allow-origin"] is None


def test_hono_bearer_auth(chain: Node) -> None:
    assert chain.request("/api/users/1").status == 401
    wrong = chain.request("/api/users/1", headers={"authorization": "Bearer wrong"})
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"]


def test_hono_route_reads_kv(chain: Node) -> None:
    probe(chain, "put", "user:42", '{"name": "Alice"}')
    answer = chain.request("/api/users/42", headers=BEARER)
    assert (answer.status, answer.json()) == (200, {"name": "Alice"})


def test_hono_rate_limit_by_client_address(chain: Node) -> None:
    """One address is refused at its 101st request; another is not."""
    probe(chain, "put", "user:7", "{}")
    flood = {**BEARER, "selfedge-client-ip": "203.0.113.7"}
    statuses = [chain.request("/api/users/7", headers=flood).status for _ in range(101)]
    assert statuses == [200] * 100 + [429]
    other = {**BEARER, "selfedge-client-ip": "203.0.113.8"}
    assert chain.request("/api/users/7", headers=other).status == 200


def test_hono_chat_as_written(chain: Node) -> None:
    """The snippet gives the request's body to the limiter, then wants it itself.

    The engine refuses that here as it does at Cloudflare.
    """
    answer = chain.request("/api/chat", json_body={"message": "Hi!"}, headers=BEARER)
    assert answer.status == 500
    chain.wait_for_line("TypeError: Body has already been used")


@pytest.mark.timeout(300)
def test_hono_chat(dev: Nodes, seed: Seed, hono: Path) -> None:
    """With a limiter that leaves the body alone, the whole chain answers."""
    entry = """
        import app from "./snippet";
        export { RateLimiter } from "./limiter";
        const bodiless = (space: DurableObjectNamespace) => ({
          idFromName: (name: string) => space.idFromName(name),
          get: (id: DurableObjectId) => ({
            fetch: (request: Request) => space.get(id).fetch(request.url),
          }),
        });
        export default {
          fetch: (request: Request, env: any, ctx: ExecutionContext) =>
            app.fetch(
              request, { ...env, RATE_LIMITER: bodiless(env.RATE_LIMITER) }, ctx),
        };
    """
    node = hono_chain(dev, seed, hono, entry)
    answer = node.request(
        "/api/chat", json_body={"message": "Hi!"}, headers=BEARER, timeout_s=240
    )
    assert answer.status == 200, answer
    assert answer.json()["response"]


def test_caching(dev: Nodes, seed: Seed) -> None:
    """The origin is asked once; the second answer is a hit."""
    snippet = seed.find("Caching Strategies", "caches.default")
    with Origin("from the origin") as origin:
        node = dev(worker(whole(snippet)), "--upstream", origin.url)
        first = node.request("/page?a=1")
        assert first.text == "from the origin"
        assert first.headers["cache-control"] == "public, max-age=3600"
        node.wait_until(
            lambda answer: answer.headers["cf-cache-status"] == "HIT", "/page?a=1"
        )
        asked = len(origin.requests)
        for _ in range(3):
            hit = node.request("/page?a=1")
            assert (hit.text, hit.headers["cf-cache-status"]) == (first.text, "HIT")
        assert len(origin.requests) == asked
        assert node.request("/page?a=2").headers["cf-cache-status"] != "HIT"


def test_variables_and_secrets(dev: Nodes, seed: Seed) -> None:
    """The API gets the secret from .dev.vars at the address from [vars]."""
    snippet = seed.find("Environment Variables", "env.API_URL")
    files = {".dev.vars": "API_KEY=k-123\n"}
    with Origin("data") as api:
        node = dev(
            worker(whole(snippet), snippet.wrangler, files=files),
            "--origin",
            f"api.example.com={api.url}",
        )
        assert node.request().text == "data"
    (asked,) = api.requests
    assert asked.path == "/data"
    assert asked.headers["authorization"] == "Bearer k-123"


def test_variants_by_cookie(dev: Nodes, seed: Seed) -> None:
    snippet = seed.find("A/B Testing", "variant=b")
    with Origin("variant A") as a, Origin("variant B") as b:
        node = dev(
            worker(whole(snippet)),
            "--origin",
            f"variant-a.example.com={a.url}",
            "--origin",
            f"variant-b.example.com={b.url}",
        )
        assert node.request().text == "variant A"
        assert node.request(headers={"cookie": "x=1; variant=b"}).text == "variant B"
        assert node.request(headers={"cookie": "variant=a"}).text == "variant A"


@pytest.fixture(scope="module")
def routed(shared_dev: Nodes, seed: Seed) -> Iterator[Node]:
    """The geography snippet with an origin for each region."""
    snippet = seed.find("Geolocation-Based Routing", "request.cf?.country")
    with Origin("us") as us, Origin("eu") as eu, Origin("global") as other:
        yield shared_dev(
            worker(whole(snippet)),
            "--origin",
            f"us.api.example.com={us.url}",
            "--origin",
            f"eu.api.example.com={eu.url}",
            "--origin",
            f"global.api.example.com={other.url}",
        )


@pytest.mark.parametrize(
    ("headers", "region"),
    [
        pytest.param({"selfedge-country": "US"}, "us", id="US by choice"),
        pytest.param({"selfedge-country": "EU"}, "eu", id="EU by choice"),
        pytest.param({"selfedge-country": "JP"}, "global", id="elsewhere"),
        pytest.param({}, "global", id="unknown"),
        pytest.param({"selfedge-client-ip": "8.8.8.8"}, "us", id="US by address"),
    ],
)
def test_geography(routed: Node, headers: dict[str, str], region: str) -> None:
    assert routed.request(headers=headers).text == region


def test_busy_loop_answers(dev: Nodes, seed: Seed) -> None:
    """What the text warns of still works."""
    snippet = seed.find("DON'T: Block the response", "BAD")
    assert dev(worker(whole(snippet, 0))).request().text == "Done"


def test_background_work(dev: Nodes, seed: Seed) -> None:
    """WaitUntil finishes after the response has been sent."""
    snippet = seed.find("DON'T: Block the response", "GOOD")
    files = {"snippet.ts": whole(snippet, 1)}
    node = dev(worker(PROBE, KV, files=files))
    before = time.time()
    assert node.request().text == "Done"
    deadline = time.monotonic() + 20
    while (last := probe(node, "get", "last-request")) is None:
        assert time.monotonic() < deadline
    assert abs(int(str(last)) / 1000 - before) < 30
