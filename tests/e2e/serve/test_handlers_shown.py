"""What a Worker handles is known from starting it, and shown by the API."""

import json

import pytest

from harness.project import write
from harness.wrangler import Wrangler

CODE = """
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
export class Counter extends DurableObject {}
export class Named extends WorkerEntrypoint { greet() { return "hello"; } }
export const plain = { fetch() {}, nothing() {} };
export default {
  async fetch() { return new Response("ok"); }, scheduled() {}, queue() {}, helper() {},
};
"""
CLASS = """
import { WorkerEntrypoint } from "cloudflare:workers";
class Base extends WorkerEntrypoint { async scheduled() {} }
export default class extends Base { async fetch() { return new Response("ok"); } }
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


def test_a_version_and_its_worker_say_what_they_handle(node):
    version = node.deploy("many", CODE)
    shown = node.result("GET", f"/workers/scripts/many/versions/{version}")
    script = shown["resources"]["script"]
    (listed,) = node.result("GET", "/workers/scripts")
    for one in (script, listed):
        assert sorted(one["handlers"]) == ["fetch", "queue", "scheduled"]
        named = {each["name"]: each["handlers"] for each in one["named_handlers"]}
        assert named == {"Counter": ["class"], "Named": ["class"], "plain": ["fetch"]}
    node.result("DELETE", "/workers/scripts/many?force=true")


def test_methods_of_a_default_class_are_handlers_inherited_ones_too(node):
    node.deploy("classy", CLASS)
    (listed,) = node.result("GET", "/workers/scripts")
    assert sorted(listed["handlers"]) == ["fetch", "scheduled"]
    node.result("DELETE", "/workers/scripts/classy?force=true")


@pytest.mark.slow
def test_wrangler_shows_the_handlers_of_a_version(node, tmp_path):
    config = {"name": "shown", "main": "i.ts", "compatibility_date": "2026-10-01"}
    write(tmp_path, {"i.ts": CODE, "wrangler.jsonc": json.dumps(config)})
    wrangler = Wrangler.installed(tmp_path)
    assert wrangler(node.api, "deploy").code == 0
    (version,) = node.result("GET", "/workers/scripts/shown/versions")["items"]
    said = wrangler(node.api, "versions", "view", version["id"]).text
    assert "fetch, scheduled, queue" in " ".join(said.split())
