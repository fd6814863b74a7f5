"""Code that takes too much at its start is refused, and nobody else notices."""

from harness.serve import ServeNodes

QUIET = "export default { fetch: () => new Response('quiet') };"
GREEDY = """
const all = [];
while (true) all.push(new Array(1_000_000).fill(1));
export default { fetch: () => new Response(all.length) };
"""


def test_a_start_that_fills_the_memory_is_refused(serve: ServeNodes):
    node = serve()
    node.deploy("quiet", QUIET)
    heard = node.upload("greedy", GREEDY)
    assert heard.status == 400
    (error,) = heard.json()["errors"]
    assert error["code"] == 10021
    assert "memory limit of 256 MB" in error["message"]
    assert node.get("quiet").text == "quiet"
    assert node.get("greedy").status == 404
