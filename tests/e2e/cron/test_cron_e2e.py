"""Cron triggers fire by themselves, in `dev` and in `serve`: a real minute passes."""

import time

from harness import worker

CODE = """
export default {
  async fetch(request, env) {
    const { keys } = await env.KV.list();
    return Response.json(keys.map((key) => key.name.split("|").slice(0, 2)));
  },
  async scheduled(event, env) {
    const name = [event.cron, event.scheduledTime, crypto.randomUUID()].join("|");
    await env.KV.put(name, "x");
    if (event.cron === "1/2 * * * *" || event.cron === "*/2 * * * *") {
      event.noRetry();
      throw new Error("not again");
    }
  },
};
"""
TABLES = """
kv_namespaces = [{ binding = "KV" }]
[triggers]
crons = ["* * * * *", "*/2 * * * *", "1/2 * * * *", "0 0 30 1 *"]
"""
MINUTE_S = 60


def minute_of(fired):
    """Return the expressions and the minute that they were run for."""
    minutes = {int(at) for _, at in fired}
    assert len(minutes) == 1, fired
    (minute,) = minutes
    assert minute % (MINUTE_S * 1000) == 0
    return sorted(cron for cron, _ in fired), minute


def test_triggers_fire_once_at_their_minute(dev, serve):
    """Each of those that match, once, also if it throws and wants no retry."""
    if time.time() % MINUTE_S > 50:  # both must run before the minute ends
        time.sleep(MINUTE_S - time.time() % MINUTE_S)
    local = dev(worker(CODE, TABLES))
    assert "next: " in local.output
    node = serve("--idle", "1")
    node.deploy("app", CODE, [node.kv("fired")])
    crons = [{"cron": text} for text in ("* * * * *", "*/2 * * * *", "1/2 * * * *")]
    node.result("PUT", "/workers/scripts/app/schedules", crons)
    node.until_asleep("app")
    due = MINUTE_S - time.time() % MINUTE_S
    headers = {"host": "app.localhost"}

    def fired(answer):
        return answer.status == 200 and len(answer.json()) >= 2

    here = local.wait_until(fired, within_s=due + 15).json()
    there = node.wait_until(fired, headers=headers, within_s=15).json()
    odd = int(time.time()) // MINUTE_S % 2
    expected = sorted(["* * * * *", "1/2 * * * *" if odd else "*/2 * * * *"])
    assert minute_of(here)[0] == minute_of(there)[0] == expected
    assert "not again" in local.output
    local.restart()
    assert local.request().json() == here
    assert node.get("app").json() == there


def test_a_wrong_expression_is_told_with_its_place(dev):
    node = dev.launch(worker(CODE, TABLES.replace("1/2 *", "61 *")))
    assert node.wait_exit() == 2
    assert "wrangler.toml:" in node.output
    assert "minute" in node.output
    assert "Traceback" not in node.output
