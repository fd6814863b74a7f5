"""SIGKILL of every kind of process of a node, at random, under load."""

import http.client
import os
import signal
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import pytest

from harness import processes

pytestmark = pytest.mark.faults

ROUNDS = 100  # of 0.2 to 0.6 s
STEADY_S = 2.2
BACK_WITHIN_S = 1.0  # a Worker's process, or the front
NODE_BACK_WITHIN_S = 5.0  # the node itself, started again as systemd does
WRITERS = 4
CODE = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() {
    const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", n);
    return n;
  }
}
export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  if (request.method === "PUT") {
    await env.KV.put(pathname, await request.text());
    return new Response(String(await env.COUNTER.getByName("one").add()));
  }
  return new Response(await env.KV.get(pathname));
} }
"""
BINDINGS = [
    {"type": "durable_object_namespace", "name": "COUNTER", "class_name": "Counter"},
]
MIGRATION = {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Counter"]}]}


@dataclass
class Kept:
    """What was acknowledged."""

    values: dict[str, str] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)


def ask(node, method, path, body=None):
    parts = urlsplit(node.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    with closing(connection):
        connection.request(method, path, body, {"host": "writer.localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def write(node, writer, kept, stop):
    number = 0
    while not stop.is_set():
        number += 1
        key, value = f"/{writer}-{number % 20}", f"{writer} {number}"
        with suppress(OSError, http.client.HTTPException):
            status, count = ask(node, "PUT", key, value.encode())
            if status == 200:
                kept.values[key] = value
                kept.counts.append(int(count))
            else:
                kept.values.pop(key, None)  # it may have been written, or not
            continue
        kept.values.pop(key, None)


def back_within(node, limit_s):
    started = time.monotonic()
    while True:
        with suppress(OSError, http.client.HTTPException):
            if ask(node, "GET", "/nothing")[0] in {200, 500}:
                break
        assert time.monotonic() - started < limit_s, node.output[-2000:]
        time.sleep(0.02)
    return time.monotonic() - started


def victim(node, chance):
    """A process that is not in a crash loop: it would be backed off, as it should."""
    settled = [
        one["pid"]
        for one in node.processes()
        if one["pid"] and processes.age_s(one["pid"]) > STEADY_S
    ]
    return chance.choice(settled) if settled else None


def restarted(node, ports):
    """Kill the node itself, and start it again as systemd does."""
    node.kill()
    left = processes.gone(node.mark, within_s=5)
    assert not left, f"orphans: {left}"
    client, api = ports
    node.arguments = ["--data-dir", str(node.data), "--listen", f"127.0.0.1:{client}"]
    node.arguments += ["--api", f"127.0.0.1:{api}"]
    node.start_again()
    back_within(node, NODE_BACK_WITHIN_S)


@pytest.mark.timeout(400)
def test_sigkill_of_any_process_loses_nothing_acknowledged(serve):
    node = serve()
    ports = urlsplit(node.url).port, urlsplit(node.api.url).port
    node.deploy("writer", CODE, [*BINDINGS, node.kv("kept")], migrations=MIGRATION)
    kept, stop, chance = Kept(), threading.Event(), Random(5)  # noqa: S311
    writers = [
        threading.Thread(target=write, args=(node, n, kept, stop))
        for n in range(WRITERS)
    ]
    for one in writers:
        one.start()
    try:
        for number in range(ROUNDS):
            time.sleep(chance.uniform(0.2, 0.6))
            if number % 10 == 9:
                restarted(node, ports)
            elif pid := victim(node, chance):
                os.kill(pid, signal.SIGKILL)
                back_within(node, BACK_WITHIN_S)
    finally:
        stop.set()
        for one in writers:
            one.join()
    lost = {
        key for key, value in kept.values.items() if ask(node, "GET", key)[1] != value
    }
    assert not lost
    assert len(kept.counts) == len(set(kept.counts)) > ROUNDS


def test_sigkill_during_a_deploy_leaves_the_old_or_the_new(serve):
    node = serve()
    port = urlsplit(node.url).port
    code = 'export default {{ fetch: () => new Response("{}") }}'
    node.deploy("steady", code.format("v0"))
    chance, current = Random(7), "v0"  # noqa: S311
    for number in range(1, 13):
        fresh = f"v{number}"
        deploying = threading.Thread(
            target=_try_deploy, args=(node, code.format(fresh)), daemon=True
        )
        deploying.start()
        time.sleep(chance.uniform(0.0, 0.3))
        node.kill()
        deploying.join()
        node.arguments = ["--data-dir", str(node.data), "--listen", f"127.0.0.1:{port}"]
        node.arguments += ["--api", "127.0.0.1:0"]
        node.start_again()
        seen = node.get("steady").text
        assert seen in {current, fresh}
        current = seen


def _try_deploy(node, code):
    with suppress(OSError, AssertionError, http.client.HTTPException, ValueError):
        node.deploy("steady", code)
