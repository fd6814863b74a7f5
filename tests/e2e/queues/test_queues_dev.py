"""Queues in `selfedge dev`: from a Worker's send to a Worker's queue()."""

import json

import pytest

from harness import worker
from selfedge.edge.events import frame

CODE = """
const log = [];
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/log") return Response.json(log);
    if (url.pathname === "/metrics") return Response.json(await env.Q.metrics());
    if (url.pathname === "/batch") {
      await env.Q.sendBatch(await request.json());
      return new Response("ok");
    }
    if (url.pathname === "/types") {
      await env.Q.sendBatch([
        { body: { a: [1, "ü"] } }, { body: "é", contentType: "text" },
        { body: new Uint8Array([1, 2]), contentType: "bytes" },
        { body: new Map([[1, new Date(5)]]), contentType: "v8" },
      ]);
      return new Response("ok");
    }
    if (url.pathname === "/large") {
      try { await env.Q.send("x".repeat(128_001), { contentType: "text" }); }
      catch (error) { return new Response(String(error)); }
    }
    const options = Object.fromEntries(url.searchParams);
    if (options.delaySeconds) options.delaySeconds = Number(options.delaySeconds);
    return Response.json((await env.Q.send(await request.json(), options)) ?? null);
  },
  async queue(batch, env, ctx) {
    const shown = batch.messages.map(({ id, body, attempts, timestamp }) => {
      if (body instanceof Map) body = ["map", body.get(1).getTime()];
      if (body instanceof ArrayBuffer) body = ["buffer", ...new Uint8Array(body)];
      return { id, body, attempts, at: timestamp.getTime() };
    });
    log.push({ queue: batch.queue, now: Date.now(), messages: shown });
    for (const message of batch.messages) {
      const what = message.body?.do, first = message.attempts === 1;
      if (what === "retry" && first) message.retry();
      if (what === "later" && first) message.retry({ delaySeconds: 1 });
      if (what === "ack") message.ack();
      if (what === "retryAll" && first) batch.retryAll();
      if (what === "slow") await new Promise((done) => setTimeout(done, 700));
    }
    const poison = batch.messages.some(({ body }) => body?.do === "throw");
    if (poison && batch.queue === "jobs") throw new Error("poison");
  },
};
"""
TABLE = """
[[queues.producers]]
binding = "Q"
queue = "jobs"
[[queues.consumers]]
queue = "jobs"
max_batch_size = 4
max_batch_timeout = 0.3
max_retries = 2
dead_letter_queue = "dead"
[[queues.consumers]]
queue = "dead"
max_batch_timeout = 0
"""


@pytest.fixture(scope="module")
def node(shared_dev):
    return shared_dev(worker(CODE, TABLE))


def delivered(node, wanted, count=1):
    """Return the entries of the log with `wanted`, once there are `count`."""

    def found(answer):
        return [one for one in answer.json() if wanted(one)]

    answer = node.wait_until(lambda answer: len(found(answer)) >= count, "/log")
    return found(answer)


def has(what, queue="jobs"):
    def wanted(entry):
        bodies = [one["body"] for one in entry["messages"]]
        return entry["queue"] == queue and what in bodies

    return wanted


def test_a_message_of_each_type_arrives_as_it_was_sent(node):
    assert node.request("/types").text == "ok"
    entry = delivered(node, has("é"))[0]
    bodies = [one["body"] for one in entry["messages"]]
    assert bodies == [{"a": [1, "ü"]}, "é", ["buffer", 1, 2], ["map", 5]]
    assert {one["attempts"] for one in entry["messages"]} == {1}
    assert all(len(one["id"]) == 32 for one in entry["messages"])
    assert all(abs(one["at"] - entry["now"]) < 5000 for one in entry["messages"])


def test_a_batch_has_no_more_than_its_size_and_comes_without_waiting(node):
    batch = [{"body": {"n": number}} for number in range(10)]
    node.request("/batch", json_body=batch)
    entries = delivered(node, lambda one: "n" in str(one["messages"]), 3)
    sizes = [len(one["messages"]) for one in entries]
    assert sum(sizes) == 10
    assert max(sizes) == 4


def test_a_send_tells_what_waits(node):
    answer = node.request("/", json_body={"do": "metrics"}).json()
    metrics = answer["metadata"]["metrics"]
    assert metrics["backlogCount"] >= 1
    assert metrics["backlogBytes"] >= len('{"do":"metrics"}')


def test_a_delayed_message_comes_after_its_delay(node):
    body = {"do": "nothing", "delayed": True}
    node.request("/?delaySeconds=1", json_body=body)
    entry = delivered(node, has(body))[0]
    message = next(one for one in entry["messages"] if one["body"] == body)
    assert entry["now"] - message["at"] >= 1000


def test_a_retried_message_comes_again_and_others_do_not(node):
    retry, ack = {"do": "retry"}, {"do": "ack", "beside": "retry"}
    node.request("/batch", json_body=[{"body": retry}, {"body": ack}])
    entries = delivered(node, has(retry), 2)
    attempts = [
        one["attempts"]
        for entry in entries
        for one in entry["messages"]
        if one["body"] == retry
    ]
    assert attempts == [1, 2]
    assert len(delivered(node, has(ack))) == 1


def test_a_retry_with_a_delay_waits(node):
    node.request("/", json_body={"do": "later"})
    first, second = delivered(node, has({"do": "later"}), 2)
    assert second["now"] - first["now"] >= 1000


def test_retry_all_spares_what_was_acknowledged(node):
    whole, ack = {"do": "retryAll"}, {"do": "ack", "beside": "retryAll"}
    node.request("/batch", json_body=[{"body": ack}, {"body": whole}])
    delivered(node, has(whole), 2)
    assert len(delivered(node, has(ack))) == 1


def test_a_poison_message_goes_to_the_dead_letter_queue(node):
    body = {"do": "throw"}
    node.request("/", json_body=body)
    dead = delivered(node, has(body, "dead"))[0]
    tries = delivered(node, has(body))
    assert len(tries) == 3  # max_retries = 2
    first, last = tries[0]["messages"][0], dead["messages"][0]
    assert (last["id"], last["attempts"]) == (first["id"], 1)
    assert "moved to the dead letter queue dead" in node.output
    assert "Uncaught Error: poison" in node.output


def test_a_message_that_is_too_large_is_refused_in_cloudflares_words(node):
    text = node.request("/large").text
    assert "128001 bytes exceeds limit of 128000" in text


def test_a_batch_under_way_ends_before_its_process(dev):
    """A save while queue() runs neither cuts it off nor delivers twice."""
    node = dev(worker(CODE, TABLE))
    node.request("/", json_body={"do": "slow"})
    node.wait_until(lambda answer: answer.json() != [], "/log")
    node.reload("index.ts", CODE.replace("const log", "// changed\nconst log"))
    node.request("/", json_body={"do": "after"})
    delivered(node, has({"do": "after"}))
    assert not delivered(node, has({"do": "slow"}), 0)
    assert "comes again" not in node.output


def test_what_waits_is_delivered_after_a_crash_of_the_node(dev):
    node = dev(worker(CODE, TABLE))
    node.request("/?delaySeconds=1", json_body={"do": "kept"})
    node.kill()
    node.start_again()
    entry = delivered(node, has({"do": "kept"}))[0]
    assert entry["messages"][0]["attempts"] == 1


def test_a_worker_without_a_queue_handler_keeps_its_messages(dev):
    code = CODE.replace("async queue(", "async other(")
    node = dev(worker(code, TABLE.replace("max_retries = 2", "max_retries = 100")))
    node.request("/", json_body={"do": "wait"})
    node.wait_for_line("This Worker has no queue handler")
    node.reload("index.ts", CODE)
    assert delivered(node, has({"do": "wait"}))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[[queues.consumers]]\nqueue = "a"\nmax_batch_size = 101', "max_batch_size"),
        ('[[queues.consumers]]\nqueue = "a"\ntype = "http_pull"', "http add"),
        (
            '[[queues.consumers]]\nqueue = "a"\ndead_letter_queue = "a"',
            "its own dead letter queue",
        ),
        ('[[queues.producers]]\nqueue = "a"', "binding"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(dev, table, words):
    node = dev.launch(worker(CODE, table))
    assert node.wait_exit() == 2
    assert words in node.output
    assert "wrangler.toml:" in node.output
    assert "Traceback" not in node.output


def test_a_class_can_be_the_consumer(dev):
    code = """
    import { WorkerEntrypoint } from "cloudflare:workers";
    const seen = [];
    export default class extends WorkerEntrypoint {
      async fetch(request) {
        if (request.method === "POST") await this.env.Q.send(await request.text());
        return Response.json(seen);
      }
      async queue(batch) {
        for (const message of batch.messages) {
          this.ctx.waitUntil(Promise.resolve().then(() => seen.push(message.body)));
        }
      }
    }
    """
    table = TABLE.replace("max_batch_timeout = 0.3", "max_batch_timeout = 0")
    node = dev(worker(code, table))
    node.request("/", body="hello")
    assert node.wait_until(lambda answer: answer.json() == ["hello"])


PRODUCER = """
export default {
  async fetch(request, env) {
    if (request.method === "POST") await env.Q.send(await request.text());
    return env.KEEPER.fetch(request.url);
  },
};
"""
KEEPER = """
import { DurableObject } from "cloudflare:workers";
export class Log extends DurableObject {
  async add(body) {
    const all = (await this.ctx.storage.get("all")) ?? [];
    await this.ctx.storage.put("all", [...all, body]);
  }
  async all() { return (await this.ctx.storage.get("all")) ?? []; }
}
const log = (env) => env.LOG.get(env.LOG.idFromName("log"));
export default {
  async fetch(request, env) { return Response.json(await log(env).all()); },
  async queue(batch, env) {
    for (const { body } of batch.messages) await log(env).add(body);
  },
};
"""
SENDS = """
services = [{ binding = "KEEPER", service = "keeper" }]
[[queues.producers]]
binding = "Q"
queue = "jobs"
"""
KEEPS = """
[[queues.consumers]]
queue = "jobs"
max_batch_timeout = 0
[[durable_objects.bindings]]
name = "LOG"
class_name = "Log"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Log"]
"""


def test_another_worker_of_the_run_consumes_also_after_a_save(dev):
    """It has Durable Objects: its process gives way before the next one starts."""
    folders = {
        "app": worker(PRODUCER, SENDS),
        "keeper": worker(KEEPER, KEEPS, name="keeper"),
    }
    project = {
        f"{name}/{path}": content
        for name, files in folders.items()
        for path, content in files.items()
    }
    configs = [f"--config={name}/wrangler.toml" for name in folders]
    node = dev(project, *configs)
    node.request("/", body="one")
    node.wait_until(lambda answer: answer.json() == ["one"])
    node.reload("keeper/index.ts", KEEPER + "// changed")
    node.request("/", body="two")
    node.wait_until(lambda answer: answer.json() == ["one", "two"])


def test_users_cannot_have_the_dispatchers_flag(dev):
    project = worker(CODE, TABLE)
    project["wrangler.toml"] = (
        'compatibility_flags = ["service_binding_extra_handlers"]\n'
        + str(project["wrangler.toml"])
    )
    node = dev.launch(project)
    assert node.wait_exit() == 2
    assert "experimental" in node.output


def test_a_frame_is_its_head_and_the_bodies():
    raw = frame({"a": 1}, [b"xy", b"z"])
    size = int.from_bytes(raw[:4], "little")
    assert json.loads(raw[4 : 4 + size]) == {"a": 1}
    assert raw[4 + size :] == b"xyz"
