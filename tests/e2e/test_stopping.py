"""What is under way when the node is told to stop."""

import signal
from concurrent.futures import ThreadPoolExecutor

from harness.node import Nodes
from harness.project import worker

SLOW_PUT = """
export default {
  async fetch(request: Request, env: any) {
    const key = new URL(request.url).pathname;
    if (request.method === "GET") return new Response(await env.KV.get(key));
    console.log("begun");
    await new Promise((wake) => setTimeout(wake, 300));
    await env.KV.put(key, "kept");
    return new Response("put");
  },
};
"""
KV = 'kv_namespaces = [{ binding = "KV", id = "one" }]\n'


def test_a_request_under_way_still_reaches_the_services(dev: Nodes) -> None:
    """A put that began before SIGTERM is answered, and there after a restart."""
    node = dev(worker(SLOW_PUT, KV))
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(node.request, "/key", method="POST")
        node.wait_for_line("begun")
        node.signal(signal.SIGTERM)
        assert answer.result().text == "put"
    assert node.wait_exit() == 143
    assert dev(node.project).request("/key").text == "kept"
