"""A node with something to show, and browsers that are signed in to it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from harness.serve import ServeNode, ServeNodes

WIDE, PHONE = (1280, 800), (390, 844)
VIEWS = {
    "light": ("light", WIDE),
    "dark": ("dark", WIDE),
    "phone": ("light", PHONE),
    "dark phone": ("dark", PHONE),
}
WAIT_MS = 20_000
CODE = """
    export default {
      async fetch(request, env) {
        const { pathname } = new URL(request.url);
        if (pathname === "/many") {
          for (let line = 0; line < 200; line++) console.log(`line ${line}`);
        }
        console.log("asked for", pathname);
        if (pathname === "/boom") throw new Error("it went wrong");
        return new Response(env.VERSION);
      },
      scheduled() {},
    };
"""
TEXTS = {
    "password": "How to choose a new password",
    "weather": "Rain and wind in the north",
    "bread": "Baking bread with sourdough",
}
EMBEDS = "/ai/run/@local/all-minilm-l6-v2"


@dataclass
class Site:
    """The node, and how a browser gets in."""

    node: ServeNode
    browser: Browser
    names: Iterator[int]

    @property
    def url(self) -> str:
        return self.node.api.dashboard

    def visit(self, view: str = "light") -> Page:
        """Open the sign-in page; what a page does wrong fails the test."""
        theme, (width, height) = VIEWS[view]
        context = self.browser.new_context(
            color_scheme=theme,  # type: ignore[arg-type]
            viewport={"width": width, "height": height},
            accept_downloads=True,
        )
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("pageerror", _fail)
        page.goto(self.url)
        return page

    def enter(self, view: str = "light", at: str = "") -> Page:
        """Sign in and open a page."""
        page = self.visit(view)
        page.get_by_label("API token").fill(self.node.api.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        if at:
            self.go(page, at)
        return page

    def go(self, page: Page, at: str) -> None:
        page.goto(f"{self.url}#/{at}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()

    def name(self, what: str) -> str:
        """A name that nothing has yet."""
        return f"{what}-{next(self.names)}"


def _fail(error: Any) -> None:
    raise AssertionError(error)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that Playwright has fetched."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A node with two versions of a Worker, vectors, a table, an object, a queue."""
    nodes = ServeNodes(tmp_path_factory.mktemp("dashboard"))
    try:
        node = nodes("--api-rate", "0")
        _fill(node)
        yield Site(node, browser, count())
    finally:
        nodes.close()


def _fill(node: ServeNode) -> None:
    space = node.result("POST", "/storage/kv/namespaces", {"title": "settings"})["id"]
    for number in ("one", "two"):
        bindings = [
            {"type": "plain_text", "name": "VERSION", "text": number},
            {"type": "secret_text", "name": "KEY", "text": "not to be seen"},
            {"type": "kv_namespace", "name": "KV", "namespace_id": space},
        ]
        node.deploy("shop", CODE, bindings)
    node.result("PUT", "/workers/scripts/shop/schedules", [{"cron": "*/5 * * * *"}])
    database = node.result("POST", "/d1/database", {"name": "orders"})["uuid"]
    sql = "CREATE TABLE orders (id, item); INSERT INTO orders VALUES (1, 'bread')"
    node.result("POST", f"/d1/database/{database}/query", {"sql": sql})
    node.result("POST", "/r2/buckets", {"name": "photos"})
    node.call("PUT", "/r2/buckets/photos/objects/2026%2Fcat.txt", body=b"meow")
    node.result("POST", "/queues", {"queue_name": "jobs"})


@pytest.fixture(scope="module")
def vectors(site: Site) -> None:
    """An index of texts."""
    node = site.node
    config = {"dimensions": 384, "metric": "cosine"}
    node.result("POST", "/vectorize/v2/indexes", {"name": "docs", "config": config})
    field = {"propertyName": "kind", "indexType": "string"}
    node.result("POST", "/vectorize/v2/indexes/docs/metadata_index/create", field)
    made = node.result("POST", EMBEDS, {"text": list(TEXTS.values())})["data"]
    lines = [
        {"id": name, "values": values, "metadata": {"kind": name, "text": text}}
        for (name, text), values in zip(TEXTS.items(), made, strict=True)
    ]
    body = "\n".join(map(json.dumps, lines))
    node.call("POST", "/vectorize/v2/indexes/docs/upsert", body=body)
