"""Unmodified wrangler, the `cloudflare` SDK and `selfedge queues` against a node."""

import base64
import json
import os
import subprocess

import cloudflare
import pytest

from harness import worker
from harness.node import COMMAND
from harness.project import write
from harness.wrangler import Wrangler

CODE = """
export default {
  async fetch(request, env) {
    const { keys } = await env.KV.list();
    if (request.method === "POST") await env.Q.send(await request.text());
    return Response.json(keys.map((key) => key.name));
  },
  async queue(batch, env) {
    for (const { body } of batch.messages) await env.KV.put(String(body), "x");
  },
  async scheduled(event, env) { await env.KV.put(event.cron, "x"); },
};
"""
TABLES = """
kv_namespaces = [{ binding = "KV" }]
[[queues.producers]]
binding = "Q"
queue = "jobs"
delivery_delay = 0
[[queues.consumers]]
queue = "jobs"
max_batch_size = 7
max_batch_timeout = 0
dead_letter_queue = "dead"
[triggers]
crons = ["*/10 * * * MON-FRI"]
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture(scope="module")
def sdk(node):
    address = node.api
    with cloudflare.Cloudflare(
        api_token=address.token, base_url=address.url, max_retries=0
    ) as client:
        yield client.queues


@pytest.fixture(scope="module")
def wrangler(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    project = worker(CODE, TABLES)
    write(folder, project)
    return Wrangler.installed(folder)


def test_wrangler_deploys_producers_consumers_and_crons(node, wrangler):
    for queue in ("jobs", "dead"):
        done = wrangler(node.api, "queues", "create", queue)
        assert done.code == 0, done.text
    done = wrangler(node.api, "deploy")
    assert done.code == 0, done.text
    assert "Consumer for jobs" in done.text
    assert "*/10 * * * MON-FRI" in done.text
    headers = {"host": "app.localhost"}
    node.request("/", headers=headers, method="POST", body="hello")
    node.wait_until(lambda answer: "hello" in answer.text, headers=headers)
    again = wrangler(node.api, "deploy")
    assert again.code == 0, again.text
    (found,) = node.result("GET", "/queues?name=jobs&page=1")
    assert found["producers"] == [{"type": "worker", "script": "app"}]
    (consumer,) = found["consumers"]
    assert (consumer["script"], consumer["dead_letter_queue"]) == ("app", "dead")
    assert consumer["settings"]["batch_size"] == 7


def test_wrangler_manages_queues(node, wrangler):
    def done(*arguments):
        result = wrangler(node.api, "queues", *arguments)
        assert result.code == 0, result.text
        return result.text

    done("create", "mine", "--delivery-delay-secs", "5")
    assert "Number of Producers: 0" in done("info", "mine")
    done("update", "mine", "--message-retention-period-secs", "120")
    (found,) = node.result("GET", "/queues?name=mine")
    assert found["settings"]["message_retention_period"] == 120
    done("pause-delivery", "mine")
    done("consumer", "http", "add", "mine", "--visibility-timeout-secs", "9")
    assert "Deleted" in done("delete", "mine")
    result = wrangler(node.api, "queues", "info", "mine")
    assert result.code != 0
    assert "does not exist" in result.text


def test_a_wrong_cron_is_refused_with_its_field(node):
    node.deploy("timed", "export default { fetch() {}, scheduled() {} }")
    answer = node.call(
        "PUT", "/workers/scripts/timed/schedules", [{"cron": "* 25 * * *"}]
    )
    assert answer.status == 400
    assert "hour" in answer.json()["errors"][0]["message"]


def test_the_sdk_pulls_and_acknowledges(node, sdk):
    account = {"account_id": node.api.account}
    queue = sdk.create(queue_name="pulled", **account).queue_id
    sdk.consumers.create(
        queue, type="http_pull", settings={"max_retries": 1}, **account
    )
    sdk.messages.push(queue, body={"n": 1}, content_type="json", **account)
    sdk.messages.bulk_push(
        queue,
        messages=[{"body": "two", "content_type": "text"}],
        **account,
    )
    pulled = sdk.messages.pull(queue, batch_size=10, **account).messages
    assert [one.attempts for one in pulled] == [1, 1]
    assert json.loads(base64.b64decode(pulled[0].body)) == {"n": 1}
    assert pulled[1].body == "two"
    assert sdk.messages.pull(queue, batch_size=10, **account).messages == []
    done = sdk.messages.ack(
        queue,
        acks=[{"lease_id": pulled[0].lease_id}, {"lease_id": "none"}],
        retries=[{"lease_id": pulled[1].lease_id, "delay_seconds": 0}],
        **account,
    )
    assert (done.ack_count, done.retry_count) == (1, 1)
    assert done.warnings == {"none": "the lease has ended"}
    (again,) = sdk.messages.pull(queue, batch_size=10, **account).messages
    assert (again.body, again.attempts) == ("two", 2)
    assert sdk.get_metrics(queue, **account).backlog_count == 1
    sdk.purge.start(queue, delete_messages_permanently=True, **account)
    assert sdk.get_metrics(queue, **account).backlog_count == 0
    sdk.delete(queue, **account)
    with pytest.raises(cloudflare.NotFoundError):
        sdk.get(queue, **account)


def test_a_lease_that_ends_gives_the_message_to_the_next(node, sdk):
    account = {"account_id": node.api.account}
    queue = sdk.create(queue_name="leased", **account).queue_id
    sdk.consumers.create(queue, type="http_pull", **account)
    sdk.messages.push(queue, body="x", content_type="text", **account)
    sdk.messages.pull(queue, visibility_timeout_ms=1, **account)
    (again,) = sdk.messages.pull(queue, **account).messages
    assert again.attempts == 2


def test_a_queue_without_pull_consumer_cannot_be_pulled(node, sdk):
    account = {"account_id": node.api.account}
    queue = sdk.create(queue_name="pushed", **account).queue_id
    with pytest.raises(cloudflare.APIStatusError) as refused:
        sdk.messages.pull(queue, **account)
    assert refused.value.status_code == 405
    node.result(
        "POST", f"/queues/{queue}/consumers", {"type": "worker", "script_name": "a"}
    )
    second = node.call("POST", f"/queues/{queue}/consumers", {"type": "http_pull"})
    assert second.status == 400
    assert "already has a consumer" in second.text


@pytest.mark.parametrize(
    ("method", "below", "body", "status"),
    [
        ("POST", "", {"queue_name": "no spaces"}, 400),
        ("POST", "", {"queue_name": "a" * 64}, 400),
        ("POST", "", {}, 400),
        ("POST", "", [], 400),
        ("POST", "", {"queue_name": "bad", "settings": {"delivery_delay": -1}}, 400),
        ("GET", "/none", None, 404),
        ("POST", "/jobs2/consumers", {"type": "worker"}, 400),
        ("POST", "/jobs2/consumers", {"type": "carrier-pigeon"}, 400),
        (
            "POST",
            "/jobs2/consumers",
            {"type": "worker", "script_name": "a", "settings": {"batch_size": 101}},
            400,
        ),
        ("PUT", "/jobs2/consumers/none", {"type": "http_pull"}, 404),
        ("POST", "/jobs2/purge", {}, 400),
        ("POST", "/jobs2/messages", {"body": 1, "content_type": "text"}, 400),
        ("POST", "/jobs2/messages", {"body": "x" * 128_001}, 413),
        ("POST", "/jobs2/messages/ack", {"acks": [1]}, 400),
        ("POST", "/jobs2/messages/pull", {"batch_size": 1e300}, 400),
    ],
)
def test_bad_input_is_refused(node, method, below, body, status):
    if not node.result("GET", "/queues?name=jobs2"):
        node.result("POST", "/queues", {"queue_name": "jobs2"})
    answer = node.call(method, f"/queues{below}", body)
    assert answer.status == status
    assert answer.json()["errors"][0]["message"]


def test_the_command_makes_sends_shows_and_deletes(node):
    address = node.api
    environment = {
        **os.environ,
        "SELFEDGE_URL": address.url,
        "SELFEDGE_TOKEN": address.token,
        "SELFEDGE_ACCOUNT": address.account,
    }

    def run(*arguments, code=0):
        done = subprocess.run(
            [COMMAND, "queues", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    run("create", "by-hand", "--delivery-delay-secs", "0")
    assert "by-hand" in run("list")
    run("send", "by-hand", '{"a": 1}')
    run("send", "by-hand", "plain", "--text")
    assert "not JSON" in run("send", "by-hand", "plain", code=2)
    shown = json.loads(run("peek", "by-hand"))
    assert [base64.b64decode(shown[0]["body"]), shown[1]["body"]] == [
        b'{"a":1}',
        "plain",
    ]
    assert json.loads(run("info", "by-hand"))["metrics"]["backlog_count"] == 2
    run("pause-delivery", "by-hand")
    run("consumer", "add", "by-hand", "app", "--batch-size", "3")
    (consumer,) = json.loads(run("consumer", "list", "by-hand"))
    assert consumer["settings"]["batch_size"] == 3
    run("consumer", "remove", "by-hand", "app")
    run("purge", "by-hand", "--force")
    assert json.loads(run("peek", "by-hand")) == []
    run("delete", "by-hand", "--force")
    assert "there is no queue" in run("info", "by-hand", code=2)
