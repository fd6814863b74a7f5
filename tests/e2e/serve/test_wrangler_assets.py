"""Static files that an unmodified wrangler uploads, with a Worker and alone."""

import json

import pytest

from harness.project import write
from harness.serve import ServeNode, ServeNodes
from harness.wrangler import Wrangler

CODE = """
export default {
  fetch(request: Request, env: { ASSETS: Fetcher }) {
    return env.ASSETS.fetch(new URL("/style.css", request.url));
  },
};
"""
FILES = {
    "public/index.html": "<h1>one</h1>",
    "public/style.css": "body {}",
    "public/404.html": "<p>missing</p>",
    "public/_headers": "/*\n  x-own: yes\n",
    "public/_redirects": "/old /style.css 301\n",
}


def config(**assets):
    return {
        "name": "site",
        "compatibility_date": "2026-10-01",
        "assets": {"directory": "public", "not_found_handling": "404-page", **assets},
    }


@pytest.fixture(scope="module")
def node(shared_serve: ServeNodes) -> ServeNode:
    return shared_serve()


@pytest.fixture
def deploy(node, tmp_path):
    """Deploy a project, and return what wrangler printed."""
    wrangler = Wrangler.installed(tmp_path)

    def run(files):
        write(tmp_path, files)
        done = wrangler(node.api, "deploy")
        assert done.code == 0, done.text
        return done.text

    return run


def test_files_are_uploaded_once_and_served(node, deploy):
    said = config(binding="ASSETS", run_worker_first=["/api/*"])
    project = {
        **FILES,
        "index.ts": CODE,
        "wrangler.jsonc": json.dumps({**said, "main": "index.ts"}),
    }
    assert "Uploaded 3 files" in deploy(project)
    home = node.get("site.local")
    assert (home.text, home.headers["x-own"]) == ("<h1>one</h1>", "yes")
    assert home.headers["content-type"] == "text/html; charset=utf-8"
    assert node.get("site.local", "/api/x").text == "body {}"
    moved = node.get("site.local", "/old")
    assert (moved.status, moved.headers["location"]) == (301, "/style.css")
    missing = node.get("site.local", "/nowhere")
    assert (missing.status, missing.text) == (404, "<p>missing</p>")

    changed = {**FILES, "public/index.html": "<h1>two</h1>"}
    alone = deploy({**changed, "wrangler.jsonc": json.dumps(config())})
    assert "Uploaded 1 file (2 already uploaded)" in alone
    assert node.get("site.local").text == "<h1>two</h1>"
    assert node.get("site.local", "/api/x").status == 404
