"""SIGKILL in the middle of a deploy: the old version or the new one, never neither."""

import http.client
import time
from contextlib import suppress
from threading import Thread

from harness.serve import ServeNode, ServeNodes

ROUNDS = 5
STEP_S = 0.04


def code(number):
    return f"export default {{ fetch: () => new Response('{number}') }};"


def upload(node: ServeNode, number: int, answered: list[int]) -> None:
    with suppress(OSError, http.client.HTTPException):
        answered.append(node.upload("w", code(number)).status)


def test_a_node_killed_while_it_deploys_serves_the_old_or_the_new(serve: ServeNodes):
    node = serve()
    node.deploy("w", code(0))
    for number in range(1, ROUNDS + 1):
        before = node.get("w").text
        answered: list[int] = []
        uploading = Thread(target=upload, args=(node, number, answered))
        uploading.start()
        time.sleep(number * STEP_S)  # the kill hits elsewhere each time
        node.kill()
        uploading.join()
        node.start_again()
        wanted = {str(number)} if answered == [200] else {before, str(number)}
        assert node.get("w").text in wanted
        newest = node.result("GET", "/workers/scripts/w/deployments")["deployments"][0]
        version = newest["versions"][0]["version_id"]
        shown = node.result("GET", f"/workers/scripts/w/versions/{version}")
        assert shown["id"] == version
        assert "damaged" not in node.output
