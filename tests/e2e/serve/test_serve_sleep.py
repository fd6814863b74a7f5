"""Idle Workers are stopped, and started when somebody or an alarm wants them."""

import time

HELLO = "export default { fetch: () => new Response('awake') }"
ALARM = """
import { DurableObject } from "cloudflare:workers";
export class Clock extends DurableObject {
  async ring(ms) { await this.ctx.storage.setAlarm(Date.now() + ms); }
  async alarm() { await this.env.KV.put("rung", "yes"); }
}
export default { async fetch(request, env) {
  await env.CLOCK.getByName("one").ring(6000);
  return new Response("set");
} }
"""
READER = """export default { async fetch(request, env) {
  return new Response((await env.KV.get("rung")) ?? "no");
} }"""


def test_an_idle_worker_sleeps_and_wakes_for_the_next_request(serve):
    node = serve("--idle", "1")
    node.deploy("sleepy", HELLO)
    assert node.get("sleepy").text == "awake"
    node.until_asleep("sleepy")
    assert node.get("sleepy").text == "awake"
    assert node.process_of("sleepy")["pid"] is not None


def test_an_alarm_wakes_its_worker(serve):
    node = serve("--idle", "1")
    clock = {
        "type": "durable_object_namespace",
        "name": "CLOCK",
        "class_name": "Clock",
    }
    migration = {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Clock"]}]}
    node.deploy("clock", ALARM, [clock, node.kv("rings")], migrations=migration)
    node.deploy("reader", READER, [node.kv("rings")])
    assert node.get("clock").text == "set"
    started = time.monotonic()
    node.until_asleep("clock", within_s=5.5)
    assert node.get("reader").text == "no"
    node.wait_until(
        lambda answer: answer.text == "yes", headers={"host": "reader.localhost"}
    )
    assert 5 < time.monotonic() - started < 12
