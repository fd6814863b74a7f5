"""A node with something to show, and browsers that are signed in to it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    expect,
    sync_playwright,
)

from harness import Nodes, diffusion, tiny_models, vision, worker
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
COUNTS = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async add() {
        const { sql } = this.ctx.storage;
        sql.exec(`CREATE TABLE IF NOT EXISTS
          "a ""table" (id INTEGER PRIMARY KEY, item TEXT, raw BLOB)`);
        const insert = 'INSERT INTO "a ""table" (item, raw) VALUES (?, ?)';
        const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
        for (let one = 0; one < 60; one++) {
          sql.exec(insert, `item ${one}`, new Uint8Array([1, 255]));
        }
        await this.ctx.storage.put({ count, user: { name: "Ada", since: [1, null] } });
        return count;
      }
    }
    export default {
      async fetch(request, env) {
        const { pathname } = new URL(request.url);
        return new Response(await env.COUNTER.getByName(pathname).add());
      },
    };
"""
OBJECTS = """
    migrations = [{ tag = "v1", new_sqlite_classes = ["Counter"] }]
    [durable_objects]
    bindings = [{ name = "COUNTER", class_name = "Counter" }]
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

    node: Any  # of serve, or of dev
    browser: Browser
    names: Iterator[int] = field(default_factory=count)
    opened: list[BrowserContext] = field(default_factory=list)
    pages: dict[str, Page] = field(default_factory=dict)  # view → signed in
    signed_in: Any = None  # what a browser keeps of it

    @property
    def url(self) -> str:
        return self.node.api.dashboard

    def visit(self, view: str = "light", at: str = "", kept: Any = None) -> Page:
        """Open a page as a browser that has kept nothing, or `kept`."""
        theme, (width, height) = VIEWS[view]
        context = self.browser.new_context(
            color_scheme=theme,  # type: ignore[arg-type]
            viewport={"width": width, "height": height},
            storage_state=kept,
        )
        self.opened.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("pageerror", _fail)
        page.goto(f"{self.url}#/{at}" if at else self.url)
        return page

    def enter(self, view: str = "light", at: str = "", *, fresh: bool = False) -> Page:
        """Open a page, signed in: that of the view, or one for this test alone."""
        if self.signed_in is None:
            page = self.visit()
            self.sign_in(page)
            self.signed_in = page.context.storage_state()
        if fresh:
            page = self.visit(view, at, self.signed_in)
        elif view not in self.pages:
            page = self.pages[view] = self.visit(view, at, self.signed_in)
            self.opened.pop()
        else:
            page = self.pages[view]
            page.goto(f"{self.url}#/{at}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    def sign_in(self, page: Page) -> None:
        page.get_by_label("API token").fill(self.node.api.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    def leave(self) -> None:
        """Close or clear all pages: they would go on asking."""
        while self.opened:
            self.opened.pop().close()
        for page in self.pages.values():
            if page.url.startswith(self.url):
                page.goto("about:blank")

    def go(self, page: Page, at: str) -> None:
        page.goto(f"{self.url}#/{at}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()

    def name(self, what: str) -> str:
        """A name that nothing has yet."""
        return f"{what}-{next(self.names)}"


def _fail(error: Any) -> None:
    raise AssertionError(error)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that Playwright has fetched."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def served(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A node with two versions of a Worker, a table, an object, a queue."""
    folder = tmp_path_factory.mktemp("dashboard")
    nodes = ServeNodes(folder)
    try:
        node = nodes("--api-rate", "0", "--config", str(_models(folder / "models")))
        _fill(node)
        yield Site(node, browser)
    finally:
        nodes.close()


@pytest.fixture
def site(served: Site) -> Iterator[Site]:
    """The node, for one test; its pages are closed at the end."""
    yield served
    served.leave()


@pytest.fixture(scope="package")
def served_by_dev(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A node of `dev`, without models of its own."""
    nodes = Nodes(tmp_path_factory.mktemp("dev"))
    try:
        yield Site(nodes(worker(COUNTS, OBJECTS)), browser)
    finally:
        nodes.close()


@pytest.fixture
def dev_site(served_by_dev: Site) -> Iterator[Site]:
    """The node of `dev`, for one test."""
    yield served_by_dev
    served_by_dev.leave()


@pytest.fixture(scope="package")
def counts() -> str:
    """The code of a Worker with objects that count, `Counter`."""
    return COUNTS


def _models(folder: Path) -> Path:
    """Write networks that draw, find objects and speak; return the selfedge.toml."""
    places = {
        "@cf/stabilityai/stable-diffusion-xl-base-1.0": (
            "diffusers",
            diffusion.build(folder / "draws", extra_large=True),
        ),
        "@cf/facebook/detr-resnet-50": ("onnx", vision.detector(_made(folder / "d"))),
        "@cf/myshell-ai/melotts": ("onnx", tiny_models.voice(folder / "voice")),
    }
    file = folder / "selfedge.toml"
    file.write_text(
        "\n".join(
            f'[ai.models."{name}"]\n{kind} = "{place}"'
            for name, (kind, place) in places.items()
        )
    )
    return file


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


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


@pytest.fixture(scope="package")
def vectors(served: Site) -> None:
    """An index of texts."""
    node = served.node
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
