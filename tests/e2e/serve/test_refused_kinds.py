"""What a node does not run is told by name; what it does not serve is not printed."""

import json

import pytest

from harness.project import write
from harness.wrangler import Wrangler

LISTENER = "addEventListener('fetch', (e) => e.respondWith(new Response('old')));"
HELLO = "export default { fetch: () => new Response('hello') }"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


def project(name, code):
    config = {"name": name, "main": "i.js", "compatibility_date": "2026-10-01"}
    return {"i.js": code, "wrangler.jsonc": json.dumps(config)}


def test_the_service_worker_format_is_refused_with_the_remedy(node, tmp_path):
    write(tmp_path, project("old", LISTENER))
    done = Wrangler.installed(tmp_path)(node.api, "deploy")
    assert done.code == 1
    for word in ("service-worker format", "export default {", "[code: 10021]"):
        assert word in done.text
    assert node.get("old").status == 404


def test_versions_upload_prints_no_address_that_does_not_answer(node, tmp_path):
    write(tmp_path, project("previewed", HELLO))
    wrangler = Wrangler.installed(tmp_path)
    assert wrangler(node.api, "deploy").code == 0
    done = wrangler(node.api, "versions", "upload")
    assert done.code == 0
    assert "Worker Version ID" in done.text
    assert "Preview URL" not in done.text
    assert ".localhost" not in done.text


def test_transferred_classes_are_refused_and_nothing_changes(node):
    moved = [{"from": "A", "from_script": "other", "to": "B"}]
    steps = [{"transferred_classes": moved}]
    answer = node.upload("heir", HELLO, migrations={"new_tag": "v1", "steps": steps})
    (error,) = answer.json()["errors"]
    assert (answer.status, error["code"]) == (400, 10021)
    assert "`transferred_classes`" in error["message"]
    assert node.get("heir").status == 404
