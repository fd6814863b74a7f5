"""A Worker that holds nothing is not taken for one that leaks, however busy it is."""

import subprocess

import pytest

pytestmark = pytest.mark.faults

HOST = "Host: reports.localhost"
SECONDS = 20  # without early collection, a process was over its limit after 8
REPORTS = """export default { async fetch(request, env, ctx) {
  const text = await request.text();
  ctx.waitUntil(scheduler.wait(5));
  return Response.json({ length: text.length, headers: [...request.headers].length });
} }"""
POSTS = """
wrk.method = "POST"
wrk.body = string.rep("x", 4096)
for i = 1, 20 do wrk.headers["X-Header-" .. i] = string.rep("v", 60) end
"""


def test_twenty_seconds_of_load_end_no_process(serve, tmp_path):
    node = serve()
    node.deploy("reports", REPORTS)
    pid = node.process_of("reports")["pid"]
    script = tmp_path / "posts.lua"
    script.write_text(POSTS)
    said = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{SECONDS}s", "-s", script, "-H", HOST, node.url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Non-2xx" not in said
    assert node.process_of("reports")["pid"] == pid
    assert "exceeded" not in node.output
