"""Durable Objects as a Worker has them in dev."""

import asyncio

import aiohttp
import pytest

from harness import Node, Nodes, worker
from harness.project import write

CODE = """
    import { DurableObject } from "cloudflare:workers";

    export class Counter extends DurableObject<any> {
      async increment(by = 1): Promise<number> {
        const next = ((await this.ctx.storage.get<number>("n")) ?? 0) + by;
        await this.ctx.storage.put("n", next);
        return next;
      }
      whoAmI() { return this.ctx.id.name ?? null; }
    }

    export class Plain {  // the older style
      constructor(private state: DurableObjectState, private env: any) {}
      async fetch(request: Request): Promise<Response> {
        const next = ((await this.state.storage.get<number>("n")) ?? 0) + 1;
        await this.state.storage.put("n", next);
        return Response.json([next, this.env.NAME]);
      }
    }

    export class Table extends DurableObject<any> {
      constructor(ctx: DurableObjectState, env: any) {
        super(ctx, env);
        ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS words (word TEXT UNIQUE)");
      }
      add(word: string) {
        return this.ctx.storage.sql
          .exec("INSERT INTO words VALUES (?) RETURNING rowid, word", word).one();
      }
      words() {
        return this.ctx.storage.sql.exec("SELECT word FROM words ORDER BY word")
          .toArray().map(({ word }) => word);
      }
      addAllOrNone(words: string[]) {
        try {
          this.ctx.storage.transactionSync(() => words.forEach((w) => this.add(w)));
        } catch (error) {
          return String(error.message);
        }
        return "added";
      }
      async rollback() {
        await this.ctx.storage.transaction(async (txn) => {
          await txn.put("key", "value");
          txn.rollback();
        });
        return (await this.ctx.storage.get("key")) ?? null;
      }
    }

    export class Alarm extends DurableObject<any> {
      async set(ms: number) {
        await this.ctx.storage.setAlarm(Date.now() + ms);
        return (await this.ctx.storage.getAlarm()) !== null;
      }
      async alarm() { await this.ctx.storage.put("fired", true); }
      async fired() { return (await this.ctx.storage.get("fired")) ?? false; }
    }

    export class Room extends DurableObject<any> {
      async fetch(): Promise<Response> {
        const { 0: client, 1: server } = new WebSocketPair();
        this.ctx.acceptWebSocket(server, ["tag"]);
        server.serializeAttachment({ greeting: "hello" });
        this.ctx.setWebSocketAutoResponse(
          new WebSocketRequestResponsePair("ping", "pong"));
        return new Response(null, { status: 101, webSocket: client });
      }
      webSocketMessage(socket: WebSocket, message: string) {
        const { greeting } = socket.deserializeAttachment();
        for (const one of this.ctx.getWebSockets("tag")) {
          one.send(`${greeting} ${message}`);
        }
      }
      async webSocketClose(socket: WebSocket, code: number) {
        socket.close(code);
        if (code > 4000) await this.ctx.storage.put("closed", code);
      }
      async closed() { return (await this.ctx.storage.get("closed")) ?? null; }
    }

    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const { pathname, searchParams } = new URL(request.url);
        const [, binding, name, method] = pathname.split("/");
        const space = env[binding];
        if (method === undefined) return space.getByName(name).fetch(request);
        if (method === "unique") {
          const id = space.newUniqueId();
          const again = space.idFromString(id.toString());
          const stub = space.get(id);
          await stub.increment();
          return Response.json([await stub.increment(), id.equals(again)]);
        }
        const stub = space.get(space.idFromName(name));
        const given = JSON.parse(searchParams.get("args") ?? "[]");
        return Response.json(await stub[method](...given));
      },
    };
"""
WRANGLER = """
    [vars]
    NAME = "value"
    [durable_objects]
    bindings = [
      { name = "COUNTER", class_name = "Counter" },
      { name = "PLAIN", class_name = "Plain" },
      { name = "TABLE", class_name = "Table" },
      { name = "ALARM", class_name = "Alarm", script_name = "app" },
      { name = "ROOM", class_name = "Room" },
    ]
    [[migrations]]
    tag = "v1"
    new_classes = ["Plain"]
    new_sqlite_classes = ["Counter", "Table", "Alarm", "Room"]
"""


@pytest.fixture(scope="module")
def objects(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE, WRANGLER))


def test_rpc_and_storage(objects: Node) -> None:
    """Each name has an object of its own, which keeps what it was told."""
    increments = [objects.request("/COUNTER/a/increment").json() for _ in range(3)]
    assert increments == [1, 2, 3]
    assert objects.request("/COUNTER/b/increment?args=[5]").json() == 5


def test_object_knows_its_name(objects: Node) -> None:
    assert objects.request("/COUNTER/somebody/whoAmI").json() == "somebody"


def test_older_class_style(objects: Node) -> None:
    """A class without a base gets state and env; getByName finds it."""
    assert objects.request("/PLAIN/x").json() == [1, "value"]
    assert objects.request("/PLAIN/x").json() == [2, "value"]


def test_unique_id(objects: Node) -> None:
    assert objects.request("/COUNTER/-/unique").json() == [2, True]
    assert objects.request("/COUNTER/-/unique").json() == [2, True]


def test_sql(objects: Node) -> None:
    assert objects.request('/TABLE/t/add?args=["b"]'.replace('"', "%22")).json() == {
        "rowid": 1,
        "word": "b",
    }
    objects.request("/TABLE/t/add?args=[%22a%22]")
    assert objects.request("/TABLE/t/words").json() == ["a", "b"]


def test_transaction_is_all_or_nothing(objects: Node) -> None:
    """A failed synchronous transaction leaves nothing; rollback() neither."""
    failed = objects.request("/TABLE/u/addAllOrNone?args=[[%22x%22,%22x%22]]").json()
    assert "UNIQUE" in failed
    assert objects.request("/TABLE/u/words").json() == []
    added = objects.request("/TABLE/u/addAllOrNone?args=[[%22x%22,%22y%22]]").json()
    assert added == "added"
    assert objects.request("/TABLE/u/words").json() == ["x", "y"]
    assert objects.request("/TABLE/u/rollback").json() is None


def test_alarm_fires(objects: Node) -> None:
    assert objects.request("/ALARM/a/set?args=[100]").json() is True
    objects.wait_until(lambda answer: answer.json() is True, "/ALARM/a/fired")


def test_web_sockets(objects: Node) -> None:
    """The hibernation API: attachments, tags, automatic answers, the end."""

    async def converse() -> list[str]:
        url = objects.url + "/ROOM/lobby"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url) as one,
            session.ws_connect(url) as other,
        ):
            await one.send_str("ping")
            heard = [await one.receive_str()]
            await other.send_str("all")
            heard += [await one.receive_str(), await other.receive_str()]
            await one.close(code=4001)
            return heard

    heard = asyncio.run(asyncio.wait_for(converse(), 20))
    assert heard == ["pong", "hello all", "hello all"]
    objects.wait_until(lambda answer: answer.json() == 4001, "/ROOM/lobby/closed")


def test_kept_over_reload_and_restart(dev: Nodes) -> None:
    """Also an alarm that was set before fires afterwards."""
    node = dev(worker(CODE, WRANGLER))
    assert node.request("/COUNTER/a/increment").json() == 1
    node.reload("index.ts", CODE.replace("by = 1", "by = 1 * 1"))
    assert node.request("/COUNTER/a/increment").json() == 2
    node.request("/ALARM/a/set?args=[1500]")
    node.restart()
    assert node.request("/COUNTER/a/increment").json() == 3
    node.wait_until(lambda answer: answer.json() is True, "/ALARM/a/fired")


def test_rename_keeps_data(dev: Nodes) -> None:
    """A migration that renames a class leaves its objects what they were."""
    node = dev(worker(CODE, WRANGLER))
    assert node.request("/COUNTER/a/increment?args=[41]").json() == 41
    renamed = worker(
        CODE.replace("class Counter", "class Total"),
        WRANGLER.replace('class_name = "Counter"', 'class_name = "Total"')
        + """
    [[migrations]]
    tag = "v2"
    renamed_classes = [{ from = "Counter", to = "Total" }]
        """,
    )
    write(node.project, renamed)
    node.wait_for_line(r"env\.COUNTER +Durable Object +Total")
    assert node.request("/COUNTER/a/increment").json() == 42
    node.restart()
    assert node.request("/COUNTER/a/increment").json() == 43


FRONT = """
    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const { pathname } = new URL(request.url);
        if (pathname === "/own") return Response.json(await env.OWN.count());
        return Response.json(await env.OTHER.getByName("a").increment());
      },
    };
"""
OWNER = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async increment() {
        const next = ((await this.ctx.storage.get<number>("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", next);
        return next;
      }
    }
    export default { fetch: () => new Response("owner") };
"""
PAIR = {
    **{
        f"front/{name}": content
        for name, content in worker(
            FRONT,
            """
            [[durable_objects.bindings]]
            name = "OTHER"
            class_name = "Counter"
            script_name = "owner"
            """,
            name="front",
        ).items()
    },
    **{
        f"owner/{name}": content
        for name, content in worker(
            OWNER,
            """
            [[migrations]]
            tag = "v1"
            new_sqlite_classes = ["Counter"]
            """,
            name="owner",
        ).items()
    },
}


def test_objects_of_another_worker(dev: Nodes) -> None:
    """script_name names a Worker of the same run."""
    node = dev(PAIR, "-c", "front/wrangler.toml", "-c", "owner/wrangler.toml")
    assert [node.request().json() for _ in range(2)] == [1, 2]
    node.restart()
    assert node.request().json() == 3


def test_objects_of_a_missing_worker(dev: Nodes) -> None:
    """The error names the Worker, and how to add it."""
    node = dev.launch(PAIR, "-c", "front/wrangler.toml")
    line = node.wait_for_line("owner.*--config|--config.*owner", timeout_s=30)
    assert "Traceback" not in node.output
    assert line


def test_class_that_is_not_exported(dev: Nodes) -> None:
    """The error names the class, the file and the line of the binding."""
    node = dev.launch(
        worker(
            "export class Other {}\nexport default { fetch() {} };",
            """
            [[durable_objects.bindings]]
            name = "COUNTER"
            class_name = "Counter"
            """,
        )
    )
    node.wait_for_line(r"wrangler\.toml:\d+:\d+: the Durable Object class 'Counter'")
    node.wait_for_line("which exports Other")
