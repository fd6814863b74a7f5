"""Static files of deployed Workers: each version has its own, and keeps it."""

import asyncio
import base64
import hashlib
import json
import signal
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest

from harness.load import load

CODE = """
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/asset") return env.ASSETS.fetch(new URL("/a", request.url));
    return new Response("code");
  },
};
"""
ASSETS = [{"type": "assets", "name": "ASSETS"}]
BOUNDARY = "selfedge-assets-boundary"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve("--idle", "2")


def digest(path, data):
    """A name for the content, as wrangler makes one; ours is of another kind."""
    return hashlib.sha256(data + path.encode()).hexdigest()[:32]


def begun(node, name, files):
    manifest = {
        path: {"hash": digest(path, data), "size": len(data)}
        for path, data in files.items()
    }
    session = f"/workers/scripts/{name}/assets-upload-session"
    return node.result("POST", session, {"manifest": manifest})


def part(name, data):
    head = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        f'name="{name}"; filename="{name}"\r\nContent-Type: text/html\r\n\r\n'
    )
    return head.encode() + base64.b64encode(data) + b"\r\n"


def sent(node, name, files):
    """Upload static files as wrangler does; return the token that ends it."""
    session = begun(node, name, files)
    token = session["jwt"]
    contents = {digest(path, data): data for path, data in files.items()}
    for bucket in session["buckets"]:
        parts = b"".join(part(one, contents[one]) for one in bucket)
        answer = node.call(
            "POST",
            "/workers/assets/upload?base64=true",
            body=parts + f"--{BOUNDARY}--\r\n".encode(),
            token=session["jwt"],
            headers=FORM,
        )
        assert answer.status in {201, 202}, answer.text
        token = answer.json()["result"].get("jwt") or token
    return token


def deployed(node, name, files, *, config=None, at="", code=CODE):
    assets = {"jwt": sent(node, name, files), "config": config or {}}
    answer = node.upload(name, code, ASSETS, assets=assets, at=at)
    assert answer.status == 200, answer.text
    result = answer.json()["result"]
    return result["id"] if at else result["deployment_id"]


def site(text):
    return {
        "/index.html": b"home",
        "/a.html": text.encode(),
        "/deep/b c.txt": b"deep",
    }


def test_files_and_code_answer_at_one_name(node):
    config = {"_headers": "/*\n  X-Own: 1\n", "_redirects": "/old /a 301\n"}
    deployed(node, "both", site("one"), config=config)
    home = node.get("both")
    assert (home.text, home.headers["x-own"]) == ("home", "1")
    assert home.headers["cf-ray"]
    assert node.get("both", "/asset").text == "one"
    assert node.get("both", "/deep/b%20c.txt").text == "deep"
    assert node.get("both", "/other").text == "code"
    assert node.get("both", "/old").headers["location"] == "/a"
    assert node.get("both", method="POST", body=b"x").status == 405


def test_a_file_that_stays_keeps_its_etag_over_deployments(node):
    deployed(node, "etag", site("one"))
    before = node.get("etag").headers["etag"], node.get("etag", "/a").headers["etag"]
    deployed(node, "etag", site("two"))
    same = node.get("etag", headers={"if-none-match": before[0]})
    assert (same.status, same.body) == (304, b"")
    changed = node.get("etag", "/a", headers={"if-none-match": before[1]})
    assert (changed.status, changed.text) == (200, "two")


def test_a_version_that_comes_back_has_its_files_again(node):
    first = deployed(node, "back", site("one"))
    deployed(node, "back", site("two"))
    assert node.get("back", "/a").text == "two"
    share = {"strategy": "percentage"}
    share["versions"] = [{"version_id": first, "percentage": 100}]
    node.result("POST", "/workers/scripts/back/deployments", share)
    assert node.get("back", "/a").text == "one"


def test_each_part_of_a_split_has_its_own_files(node):
    first = deployed(node, "split", site("one"))
    second = deployed(node, "split", site("two"), at="/versions")
    assert node.get("split", "/a").text == "one"
    shares = [
        {"version_id": first, "percentage": 50},
        {"version_id": second, "percentage": 50},
    ]
    split = {"strategy": "percentage", "versions": shares}
    node.result("POST", "/workers/scripts/split/deployments", split)
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: node.get("split", "/a").text, range(60)))
        bound = list(pool.map(lambda _: node.get("split", "/asset").text, range(60)))
    assert set(seen) == set(bound) == {"one", "two"}


def test_a_release_under_load_loses_no_request_for_a_file(node):
    deployed(node, "busy", site("one"))
    with load(node.url, host="busy.localhost", clients=8) as heard:
        for number in range(3):
            deployed(node, "busy", site(str(number)))
    assert [one for one in heard.failures if one != "POST: 405 "] == []
    assert set(heard.bodies("GET")) == {"home"}


def test_a_request_for_a_file_wakes_what_sleeps(node):
    deployed(node, "asleep", site("one"))
    etag = node.get("asleep").headers["etag"]
    node.until_asleep("asleep")
    answer = node.get("asleep", headers={"if-none-match": etag})
    assert answer.status == 304


def test_an_upload_that_is_not_whole_deploys_nothing(node):
    deployed(node, "whole", site("one"))
    session = begun(node, "whole", site("never sent"))
    answer = node.upload("whole", CODE, ASSETS, assets={"jwt": session["jwt"]})
    assert answer.status == 400
    assert "1 static files were not uploaded" in answer.text
    answer = node.upload("whole", CODE, ASSETS, assets={"jwt": "a.b.c"})
    assert answer.status == 401
    assert node.get("whole", "/a").text == "one"


def test_a_binding_to_files_that_are_not_there_is_told(node):
    answer = node.upload("none", CODE, ASSETS)
    assert answer.status == 400
    assert "the binding 'ASSETS' is to static assets" in answer.text


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"html_handling": "maybe"}, "maybe"),
        ({"run_worker_first": ["nope"]}, "must begin with"),
        ({"not_found_handling": 1}, "not_found_handling"),
    ],
)
def test_a_wrong_config_is_told_and_changes_nothing(node, config, words):
    deployed(node, "config", site("one"))
    assets = {"jwt": sent(node, "config", site("two")), "config": config}
    answer = node.upload("config", CODE, ASSETS, assets=assets)
    assert answer.status == 400
    assert words in answer.text
    assert node.get("config", "/a").text == "one"


@pytest.mark.parametrize("path", ["/../x", "/a/../../x", "//x", "/a\\x", "/a/", "x"])
def test_no_file_can_be_put_elsewhere(node, path):
    manifest = {path: {"hash": "a" * 32, "size": 1}}
    session = "/workers/scripts/path/assets-upload-session"
    answer = node.call("POST", session, {"manifest": manifest})
    assert answer.status == 400
    assert answer.json()["errors"]


def test_a_file_that_vanished_is_told_and_what_ran_goes_on(serve):
    node = serve()
    deployed(node, "gone", site("one"))
    token = sent(node, "gone", site("two"))
    blob = hashlib.sha256(b"two").hexdigest()
    (node.data / "catalog" / "blobs" / blob).unlink()
    answer = node.upload("gone", CODE, ASSETS, assets={"jwt": token})
    assert answer.status >= 400
    assert "'/a.html' is not whole" in answer.text
    assert node.get("gone", "/a").text == "one"
    folders = list((node.data / "assets").iterdir())
    assert len(folders) == 1


def test_files_and_etags_survive_a_crash_of_the_node(serve):
    node = serve()
    deployed(node, "crash", site("one"))
    etag = node.get("crash").headers["etag"]
    half = node.data / "assets" / ("f" * 40 + ".part")
    half.mkdir()
    node.signal(signal.SIGKILL)
    node.wait_exit()
    node.start_again()
    assert node.get("crash", "/a").text == "one"
    assert node.get("crash", headers={"if-none-match": etag}).status == 304
    assert not half.exists()


def test_files_alone_are_a_worker(node):
    token = sent(node, "alone", site("one"))
    metadata = {
        "assets": {"jwt": token, "config": {"not_found_handling": "404-page"}},
        "compatibility_date": "2026-10-01",
    }
    body = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        f'name="metadata"\r\n\r\n{json.dumps(metadata)}\r\n--{BOUNDARY}--\r\n'
    )
    path = "/workers/scripts/alone"
    answer = node.call("PUT", path, body=body.encode(), headers=FORM)
    assert answer.status == 200, answer.text
    assert node.get("alone", "/a").text == "one"
    assert node.get("alone", "/nope").status == 404


CALLEE = """
import { WorkerEntrypoint } from "cloudflare:workers";
export default class extends WorkerEntrypoint {
  greet(name) { return `hello ${name}`; }
  fetch(request) { return new Response(`code ${new URL(request.url).pathname}`); }
}
"""
CALLER = """
export default { async fetch(request, env) {
  const text = async (path) => (await env.CALLEE.fetch(`http://any${path}`)).text();
  const greeting = await env.CALLEE.greet("you");
  return Response.json([await text("/a"), await text("/x"), greeting]);
} }
"""


def test_a_call_from_another_worker_reaches_files_and_code(node):
    deployed(node, "callee", site("one"), code=CALLEE)
    binding = {"type": "service", "name": "CALLEE", "service": "callee"}
    node.deploy("caller", CALLER, [binding])
    assert node.get("caller").json() == ["one", "code /x", "hello you"]


TALKS = """
export default { fetch(request) {
  const { pathname } = new URL(request.url);
  console.log("asked", pathname);
  if (pathname === "/throw") throw new TypeError("thrown");
  return new Response("code", { status: 201 });
} }
"""


async def heard(url, node, paths):
    """Listen at a tail's `url`; return the events of `paths`, once it hears at all."""
    events = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, protocols=["trace-v1"]) as listening,
    ):
        receiving = asyncio.ensure_future(listening.receive())
        for _ in range(200):
            await asyncio.to_thread(node.get, "talks", "/ready")
            if (await asyncio.wait({receiving}, timeout=0.1))[0]:
                break
        for path in paths:
            await asyncio.to_thread(node.get, "talks", path)
        while not events or asked(events[-1]) != paths[-1]:
            message = await asyncio.wait_for(receiving, 20)
            events.append(json.loads(message.data))
            receiving = asyncio.ensure_future(listening.receive())
        receiving.cancel()
    return [one for one in events if asked(one) != "/ready"]


def asked(event):
    return "/" + event["event"]["request"]["url"].split("/", 3)[3]


def test_a_tail_hears_of_the_code_once_and_of_files_never(node):
    deployed(node, "talks", site("one"), code=TALKS)
    url = node.result("POST", "/workers/scripts/talks/tails")["url"]

    paths = ["/", "/a", "/code", "/throw", "/last"]
    events = asyncio.run(heard(url, node, paths))
    assert [asked(one) for one in events] == paths[2:]
    assert [one["outcome"] for one in events] == ["ok", "exception", "ok"]
    assert events[0]["logs"][0]["message"] == ["asked", "/code"]
    assert len(events[0]["logs"]) == 1
    assert events[0]["event"]["response"] == {"status": 201}
    assert "cf-ray" in events[0]["event"]["request"]["headers"]
    assert events[1]["exceptions"][0]["message"] == "thrown"
