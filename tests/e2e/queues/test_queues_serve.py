"""Queues in `selfedge serve`: consumers of other Workers, asleep, released, killed."""

import http.client
import itertools
import os
import signal
import threading
import time
from contextlib import suppress

import pytest

from selfedge.bindings.queues.limits import INTERRUPTIONS
from selfedge.supervisor.usage import usage

SENDER = """
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/metrics") return Response.json(await env.Q.metrics());
    await env.Q.send(await request.json());
    return new Response("sent");
  },
};
"""
RECEIVER = """
export default {
  async fetch(request, env) {
    const { keys } = await env.KV.list();
    const found = keys.map(async ({ name }) => [name, await env.KV.get(name)]);
    return Response.json(Object.fromEntries(await Promise.all(found)));
  },
  async queue(batch, env) {
    for (const { body, attempts } of batch.messages) {
      if (body.hang) { await env.KV.put("hung", "x"); for (;;); }
      if (body.slow) await new Promise((done) => setTimeout(done, 800));
      const seen = JSON.parse((await env.KV.get(body.name)) ?? "[]");
      await env.KV.put(body.name, JSON.stringify([...seen, attempts]));
    }
  },
};
"""
PRODUCES = [{"type": "queue", "name": "Q", "queue_name": "jobs"}]


@pytest.fixture(scope="module")
def shared(shared_serve):
    return started(shared_serve)


def started(serve, *arguments, **settings):
    node = serve(*arguments)
    queue = node.result("POST", "/queues", {"queue_name": "jobs"})["queue_id"]
    node.deploy("sender", SENDER, PRODUCES)
    node.deploy("receiver", RECEIVER, [node.kv("seen")])
    consumer = {
        "type": "worker",
        "script_name": "receiver",
        "settings": {"max_wait_time_ms": 0, **settings},
    }
    node.result("POST", f"/queues/{queue}/consumers", consumer)
    return node


def send(node, **body):
    assert node.get("sender", json_body=body).text == "sent"


def seen(node, names, *, within_s=20.0):
    headers = {"host": "receiver.localhost"}
    wanted = set(names)
    answer = node.wait_until(
        lambda answer: answer.status == 200 and wanted <= set(answer.json()),
        headers=headers,
        within_s=within_s,
    )
    return answer.json()


def test_a_message_reaches_another_worker_of_the_account(shared):
    send(shared, name="one")
    assert seen(shared, ["one"])["one"] == "[1]"


def test_a_sleeping_consumer_is_woken(serve):
    node = started(serve, "--idle", "1")
    node.until_asleep("receiver")
    send(node, name="woken")
    assert seen(node, ["woken"])["woken"] == "[1]"


def test_a_batch_under_way_survives_a_deployment(shared):
    """It ends in the old process, and is not delivered twice."""
    send(shared, name="slow", slow=True)
    shared.deploy("receiver", RECEIVER + "// new", [shared.kv("seen")])
    send(shared, name="after")
    found = seen(shared, ["slow", "after"])
    assert found["slow"] == "[1]"


def test_a_message_under_which_its_process_dies_becomes_a_dead_letter(serve):
    node = started(
        serve, max_retries=0, batch_size=1, dead_letter_queue="dead", max_concurrency=1
    )
    since = node.position
    send(node, name="bad", hang=True)
    for _ in range(1 + INTERRUPTIONS):
        kill_while_it_hangs(node)
    node.wait_for_line("moved to the dead letter queue dead", since=since)
    send(node, name="good")
    assert seen(node, ["good"])["good"] == "[1]"


def kill_while_it_hangs(node):
    """Kill the consumer's process when it uses its processor without end."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        pid = node.process_of("receiver")["pid"]
        used = usage(pid) if pid else None
        if used and used.cpu_s > 0.3:
            os.kill(pid, signal.SIGKILL)
            while node.process_of("receiver")["pid"] == pid:
                time.sleep(0.02)
            return
        time.sleep(0.02)
    raise AssertionError(node.output)


class Load:
    """Sends from several threads, and remembers what was acknowledged."""

    def __init__(self, node):
        self._node = node
        self.sent: list[str] = []
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(number,)) for number in range(3)
        ]

    def _send(self, number):
        for count in itertools.count():
            if self._stopping.is_set():
                return
            name = f"{number}-{count}"
            with suppress(OSError, http.client.HTTPException):
                body = {"name": name}
                answer = self._node.get("sender", json_body=body, timeout_s=5)
                if answer.status == 200:
                    self.sent.append(name)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def wait_for(self, count):
        """Return when `count` more have been acknowledged."""
        reached = len(self.sent) + count
        deadline = time.monotonic() + 20
        while len(self.sent) < reached:
            assert time.monotonic() < deadline, self._node.output
            time.sleep(0.01)

    def __exit__(self, *error):
        self._stopping.set()
        for thread in self._threads:
            thread.join()


def test_nothing_acknowledged_is_lost_when_the_node_is_killed(serve):
    node = started(serve, max_retries=10)
    with Load(node) as load:
        load.wait_for(150)
        node.kill()
    node.start_again()
    assert set(load.sent) <= set(seen(node, load.sent, within_s=40))


def test_nothing_acknowledged_is_lost_when_the_consumer_is_killed(shared):
    node = shared
    with Load(node) as load:
        for _ in range(3):
            load.wait_for(50)
            if pid := node.process_of("receiver")["pid"]:
                os.kill(pid, signal.SIGKILL)
    assert set(load.sent) <= set(seen(node, load.sent, within_s=40))


def test_an_upload_cannot_have_the_dispatchers_flag(shared):
    """It gives power over the engine, which runs with experimental features on."""
    answer = shared.upload(
        "evil", SENDER, compatibility_flags=["service_binding_extra_handlers"]
    )
    assert answer.status == 400
    assert "experimental" in answer.text


def test_workers_run_although_the_queues_are_damaged(serve):
    node = serve()
    node.deploy("other", "export default { fetch() { return new Response('ok') } }")
    node.stop()
    (file,) = node.data.rglob("queues.sqlite")
    for path in file.parent.iterdir():
        path.unlink()
    file.write_bytes(b"no database" * 1000)
    node.start_again()
    assert node.get("other").text == "ok"
    assert "is damaged" in node.output
    assert node.call("GET", "/queues").status == 500
