"""A node of `serve`: what is deployed answers, and what is not does not."""

import json
import subprocess
import time
from threading import Thread

import pytest

ECHO = """
export default {
  async fetch(request, env) {
    const body = await request.text();
    return Response.json({
      url: request.url, method: request.method, body, cf: request.cf,
      headers: Object.fromEntries(request.headers), greeting: env.GREETING,
    });
  },
};
"""

HELLO = "export default { fetch: () => new Response('one') };"


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve()
    binding = {"type": "plain_text", "name": "GREETING", "text": "hello"}
    node.deploy("echo", ECHO, [binding])
    return node


def test_a_deployed_worker_answers_at_its_name(node):
    heard = node.get("echo", "/path?query=1").json()
    assert heard["url"] == "http://echo.localhost/path?query=1"
    assert heard["greeting"] == "hello"
    assert node.get("echo.local").json()["greeting"] == "hello"


def test_the_request_passes_the_front_unchanged(node):
    heard = node.get("echo", "/", method="PUT", body="é".encode()).json()
    assert (heard["method"], heard["body"]) == ("PUT", "é")
    assert heard["headers"]["cf-connecting-ip"] == "127.0.0.1"
    assert heard["headers"]["x-forwarded-proto"] == "http"
    assert heard["headers"]["cf-visitor"] == '{"scheme":"http"}'


def test_a_client_cannot_pretend_to_be_another_or_set_our_headers(node):
    forged = {
        "cf-connecting-ip": "1.2.3.4",
        "selfedge-cf": json.dumps({"clientIp": "1.2.3.4:1", "country": "XX"}),
        "selfedge-binding": "kv:other",
        "selfedge-caller": "somebody",
        "selfedge-client-ip": "1.2.3.4",
        "selfedge-country": "JP",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "1.2.3.4",
        "cf-worker": "evil.example",
    }
    heard = node.get("echo", headers=forged).json()
    headers = heard["headers"]
    assert headers["cf-connecting-ip"] == headers["x-real-ip"] == "127.0.0.1"
    assert headers["x-forwarded-for"].split(", ")[-1] == "127.0.0.1"
    assert not [name for name in headers if name.startswith("selfedge-")]
    assert "cf-worker" not in headers
    assert heard["url"].startswith("http://")
    assert "country" not in heard["cf"]


def test_an_address_of_nobody_is_404(node):
    answer = node.get("nobody")
    assert answer.status == 404
    assert "nobody.localhost" in answer.text


def test_an_uncaught_exception_is_a_page_with_1101_and_a_log_line(node):
    node.deploy("throws", "export default { fetch() { throw new Error('boom') } }")
    answer = node.get("throws")
    assert answer.status == 500
    assert "Error 1101" in answer.text
    assert f"Ray ID: {answer.headers['cf-ray']}" in answer.text
    assert "boom" not in answer.text
    node.wait_for_line(r"\[throws\] Uncaught Error: boom")


def test_code_that_does_not_start_is_refused_and_what_ran_goes_on(node):
    node.deploy("steady", HELLO)
    refused = node.upload("steady", f"{HELLO}\nthrow new Error('at the start')")
    assert refused.status == 400
    assert refused.json()["errors"][0]["code"] == 10021
    assert "at the start" in refused.json()["errors"][0]["message"]
    assert node.get("steady").text == "one"


def test_a_deleted_worker_is_gone(node):
    node.deploy("brief", "export default { fetch: () => new Response('here') }")
    assert node.get("brief").text == "here"
    node.result("DELETE", "/workers/scripts/brief")
    assert node.get("brief").status == 404
    assert not [one for one in node.processes() if "brief" in one["scripts"]]


def test_large_bodies_stream_through_the_front_in_flat_memory(node):
    node.deploy(
        "sink",
        """export default { async fetch(request) {
          let size = 0;
          for await (const chunk of request.body) size += chunk.length;
          return new Response(String(size));
        } }""",
    )
    before = node.process_of("front")["resident_bytes"]
    chunk = b"x" * 1_000_000
    answer = node.get("sink", method="POST", body=(chunk for _ in range(150)))
    assert answer.text == "150000000"
    assert node.process_of("front")["resident_bytes"] - before < 16_000_000


def test_all_is_there_again_after_a_restart(serve):
    node = serve()
    kv = node.kv("kept")
    code = """export default { async fetch(request, env) {
      if (request.method === "PUT") await env.KV.put("key", await request.text());
      return new Response(await env.KV.get("key"));
    } }"""
    node.deploy("keeper", code, [kv])
    assert node.get("keeper", method="PUT", body="kept").text == "kept"
    node.restart()
    assert node.get("keeper").text == "kept"
    node.kill()
    node.start_again()
    assert node.get("keeper").text == "kept"


def test_an_address_over_16_kib_is_refused(node):
    assert node.get("echo", "/" + "x" * 16_000).status == 200
    assert node.get("echo", "/" + "x" * 17_000).status == 414


def test_a_request_under_way_ends_before_the_node_does(serve):
    node = serve()
    node.deploy(
        "slow",
        """export default { async fetch() {
          await new Promise((done) => setTimeout(done, 3000));
          return new Response("done");
        } }""",
    )
    heard = []
    asking = Thread(target=lambda: heard.append(node.get("slow").text))
    asking.start()
    while not node.process_of("slow")["pid"]:
        time.sleep(0.02)
    time.sleep(0.3)
    assert node.stop() == 0
    asking.join()
    assert heard == ["done"]


def test_a_data_directory_that_cannot_be_written_is_told(serve, tmp_path):
    folder = tmp_path / "readonly"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a read-only file system needs the right to mount one")
    try:
        node = serve.launch("--data-dir", str(folder))
        assert node.wait_exit() == 1
        assert "Read-only file system" in node.output
        assert "Traceback" not in node.output
    finally:
        subprocess.run(["umount", str(folder)], check=True)
