"""Forms of handlers: classes, scheduled(), waitUntil, streams, WebSockets."""

import contextlib
import http.client
import time

import pytest

from harness import Node, Nodes, worker

CLASS_STYLE = """
    import { WorkerEntrypoint } from "cloudflare:workers";
    let fired = "never";
    export default class extends WorkerEntrypoint<any> {
      async fetch(request: Request): Promise<Response> {
        this.ctx.waitUntil(Promise.resolve());
        return Response.json([this.env.NAME, new URL(request.url).pathname, fired]);
      }
      scheduled(event: ScheduledController) { fired = event.cron; }
    }
"""
SCHEDULED = """
    let events: unknown[] = [];
    export default {
      fetch: () => Response.json(events),
      async scheduled(event: ScheduledController, env: any, ctx: ExecutionContext) {
        if (event.cron === "boom") throw new Error("cannot do it");
        ctx.waitUntil(
          Promise.resolve().then(() => {
            events.push([event.cron, event.scheduledTime, env.NAME]);
          }),
        );
      },
    };
"""
VARS = '[vars]\nNAME = "value"\n'


def test_class_as_default_export(dev: Nodes) -> None:
    """A WorkerEntrypoint has this.env and this.ctx, and scheduled()."""
    node = dev(worker(CLASS_STYLE, VARS))
    assert node.request("/path").json() == ["value", "/path", "never"]
    assert node.request("/cdn-cgi/handler/scheduled?cron=0+*+*+*+*").status == 200
    assert node.request("/path").json()[2] == "0 * * * *"


@pytest.fixture(scope="module")
def scheduled(shared_dev: Nodes) -> Node:
    return shared_dev(worker(SCHEDULED, VARS))


def test_scheduled(scheduled: Node) -> None:
    """The event has cron and time, and waitUntil works."""
    path = "/cdn-cgi/handler/scheduled?cron=*/5+*+*+*+*&time=1700000000000"
    assert scheduled.request(path).status == 200
    scheduled.wait_until(
        lambda answer: ["*/5 * * * *", 1_700_000_000_000, "value"] in answer.json()
    )


def test_scheduled_that_throws(scheduled: Node) -> None:
    """The caller and the terminal hear of it, with the TypeScript position."""
    answer = scheduled.request("/cdn-cgi/handler/scheduled?cron=boom")
    assert answer.status == 500
    assert "cannot do it" in answer.text
    scheduled.wait_for_line(r"\[app\] Uncaught Error: cannot do it\n.*index\.ts:6:")


def test_worker_without_scheduled(dev: Nodes) -> None:
    node = dev(worker("export default { fetch: () => new Response('x') };"))
    answer = node.request("/cdn-cgi/handler/scheduled")
    assert answer.status == 404
    assert "scheduled()" in answer.text


def test_wait_until_runs_on_after_the_response(dev: Nodes) -> None:
    node = dev(
        worker(
            """
            let done = 0;
            export default {
              fetch(request: Request, env: unknown, ctx: ExecutionContext) {
                if (request.method === "POST") {
                  ctx.waitUntil(scheduler.wait(300).then(() => { done += 1; }));
                }
                return Response.json(done);
              },
            };
            """
        )
    )
    assert node.request(method="POST").json() == 0
    node.wait_until(lambda answer: answer.json() == 1)


def test_response_is_streamed(dev: Nodes) -> None:
    """The first piece arrives while the Worker still holds the second back."""
    node = dev(
        worker(
            """
            export default {
              fetch() {
                const { readable, writable } = new TransformStream();
                const writer = writable.getWriter();
                const encoder = new TextEncoder();
                (async () => {
                  await writer.write(encoder.encode("first "));
                  await scheduler.wait(500);
                  await writer.write(encoder.encode("second"));
                  await writer.close();
                })();
                return new Response(readable);
              },
            };
            """
        )
    )
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/")
        response = connection.getresponse()
        started = time.monotonic()
        assert response.read(6) == b"first "
        assert time.monotonic() - started < 0.4
        assert response.read() == b"second"
