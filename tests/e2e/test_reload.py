"""A save under load: nobody is refused, nothing that began is lost."""

import asyncio

import aiohttp

from harness import Nodes, worker
from harness.load import load

SAVES = 10
VERSIONED = """
    export default {
      async fetch(request: Request, env: unknown, ctx: ExecutionContext) {
        const { pathname } = new URL(request.url);
        if (pathname === "/background") {
          ctx.waitUntil(scheduler.wait(2000).then(() => console.log("finished")));
        }
        if (pathname === "/slow") await scheduler.wait(2000);
        if (request.method === "POST") await request.text();
        return new Response("version 0");
      },
    };
"""
COUNTER = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async increment() {
        const next = ((await this.ctx.storage.get<number>("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", next);
        return next;
      }
    }
    export default {
      async fetch(request: Request, env: any) {
        const version = 0;
        return Response.json(await env.COUNTER.getByName("a").increment(), {
          headers: { version: String(version) },
        });
      },
    };
"""
COUNTER_TOML = """
    [[durable_objects.bindings]]
    name = "COUNTER"
    class_name = "Counter"
    [[migrations]]
    tag = "v1"
    new_sqlite_classes = ["Counter"]
"""


def test_no_request_fails(dev: Nodes) -> None:
    """Ten saves under sixteen clients, POST and GET, kept and fresh connections."""
    node = dev(worker(VERSIONED))
    with load(node.url) as heard:
        for number in range(1, SAVES + 1):
            node.reload("index.ts", VERSIONED.replace("version 0", f"version {number}"))
            assert node.request().text == f"version {number}"
    assert heard.failures == []
    assert heard.bodies("POST")
    versions = set(heard.bodies("GET"))
    assert versions <= {f"version {n}" for n in range(SAVES + 1)}
    assert len(versions) > SAVES / 2  # the load ran through the saves


def test_counter_loses_and_repeats_nothing(dev: Nodes) -> None:
    """Ten saves over a Durable Object: each acknowledged increment counts once."""
    node = dev(worker(COUNTER, COUNTER_TOML))
    with load(node.url, posts_only=True) as heard:
        for number in range(1, SAVES + 1):
            node.reload("index.ts", COUNTER.replace("= 0;", f"= {number};"))
    assert heard.failures == []
    counts = sorted(map(int, heard.bodies("POST")))
    assert counts == list(range(1, len(counts) + 1))
    assert node.request().json() == len(counts) + 1


def test_wait_until_outlives_its_version(dev: Nodes) -> None:
    """Two seconds of background work, begun just before a save, complete."""
    node = dev(worker(VERSIONED))
    assert node.request("/background").text == "version 0"
    node.reload("index.ts", VERSIONED.replace("version 0", "version 1"))
    assert node.request().text == "version 1"
    assert "finished" not in node.output
    node.wait_for_line("finished")


def test_response_outlives_its_version(dev: Nodes) -> None:
    """A request that began before a save is answered by the code it reached."""
    node = dev(worker(VERSIONED))

    async def across_a_save() -> str:
        async with aiohttp.ClientSession() as session:
            slow = asyncio.create_task(_get(session, node.url + "/slow"))
            await _get(session, node.url)  # the first has been sent by now
            renewed = VERSIONED.replace("version 0", "version 1")
            await asyncio.to_thread(node.reload, "index.ts", renewed)
            assert not slow.done()
            return await slow

    assert asyncio.run(across_a_save()) == "version 0"
    assert node.request().text == "version 1"


async def _get(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as response:
        return await response.text()


def test_rapid_saves_end_with_the_last(dev: Nodes) -> None:
    """Saves that come faster than builds leave the newest code running."""
    node = dev(worker(VERSIONED))
    for number in range(1, 30):
        node.save("index.ts", VERSIONED.replace("version 0", f"version {number}"))
    node.wait_until(lambda answer: answer.text == "version 29")


def test_save_of_an_imported_file(dev: Nodes) -> None:
    """Each file that the build read is watched, also in another folder."""
    node = dev(
        worker(
            """
            import { text } from "./lib/text";
            export default { fetch: () => new Response(text) };
            """,
            files={"lib/text.ts": "export const text = 'one';"},
        )
    )
    assert node.request().text == "one"
    node.reload("lib/text.ts", "export const text = 'two';")
    assert node.request().text == "two"


def test_new_binding_at_a_save(dev: Nodes) -> None:
    """A changed wrangler file is read again; services start that were not needed."""
    code = """
        export default {
          async fetch(request: Request, env: any) {
            await env.KV?.put("a", "b");
            return Response.json([env.A ?? null, (await env.KV?.get("a")) ?? null]);
          },
        };
    """
    node = dev(worker(code))
    assert node.request().json() == [None, None]
    more = '[vars]\nA = 1\n[[kv_namespaces]]\nbinding = "KV"\nid = "x"\n'
    node.save("wrangler.toml", worker(code, more)["wrangler.toml"])
    node.wait_until(lambda answer: answer.json() == [1, "b"])
