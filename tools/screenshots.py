# ruff: noqa: INP001 - a script, no part of a package
"""Make docs/images: the pages of the dashboard, of a node with something to show.

Run it with the development environment: `.venv/bin/python tools/screenshots.py`.
"""

import io
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.serve import ServeNode, ServeNodes  # noqa: E402
from harness.sound import recording  # noqa: E402

IMAGES = ROOT / "docs" / "images"
COLOURS = 256  # of an image: enough for text and lines
SETTLED_MS = 1500
CHARTS_S = 40.0  # until the overview has something to draw
EMBEDS = "/ai/run/@local/all-minilm-l6-v2"
SHOP = """
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    export default {
      async fetch(request, env) {
        const { pathname } = new URL(request.url);
        console.log("cart", JSON.stringify({ items: pathname.length, path: pathname }));
        if (pathname === "/checkout/declined") {
          console.warn("payment was declined, trying once more");
          throw new Error("the payment provider said no");
        }
        await wait(Math.random() * 12);
        return new Response(await env.PRICES.get("currency"));
      },
      scheduled() {},
    };
"""
HELLO = "export default { fetch: () => new Response('hello') };"
PATHS = ("/", "/products/lamp", "/cart", "/cart", "/checkout", "/checkout/declined")
TEXTS = {
    "returns": (
        "How do I send an item back?",
        "When is my money refunded?",
        "Return a lamp that broke on its way",
        "May I exchange a chair for another colour?",
    ),
    "account": (
        "How to choose a new password",
        "Change the e-mail address of my account",
        "Sign in with a second factor",
        "Delete my account and all my data",
    ),
    "delivery": (
        "When will my parcel arrive?",
        "Track a parcel that is on its way",
        "Deliver to a neighbour while I am away",
        "What does shipping abroad cost?",
    ),
    "payment": (
        "Download an invoice for your order",
        "Pay by card, transfer or on account",
        "My card was declined at the checkout",
        "Use a voucher for part of the price",
    ),
}
CART = """
    import { DurableObject } from "cloudflare:workers";
    export class Cart extends DurableObject {
      async add(item, price) {
        const { sql } = this.ctx.storage;
        sql.exec("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, item, net REAL, added)");
        sql.exec("INSERT INTO items (item, net, added) VALUES (?, ?, ?)", item, price, "2026-10-01");
        await this.ctx.storage.put("customer", { name: "Ada", since: 2024 });
      }
    }
    export default {
      async fetch(request, env) {
        const cart = env.CART.getByName("ada");
        for (const [item, price] of [["lamp", 39.5], ["chair", 120], ["table", 310], ["shelf", 84]]) {
          await cart.add(item, price);
        }
        return new Response("added");
      },
    };
"""  # noqa: E501
PAGES = (
    # name, page, theme, width and height
    ("overview", "overview", "light", (1280, 800)),
    ("worker", "workers/shop", "light", (1280, 800)),
    ("logs", "logs/shop", "dark", (1280, 640)),
    ("vectorize", "vectorize/help", "light", (1280, 760)),
    ("map", "vectorize/help", "dark", (1280, 740)),
    ("ai", "ai", "dark", (1280, 640)),
    ("sound", "ai/sounds", "light", (1280, 700)),
    ("objects", "objects", "dark", (1280, 560)),
    ("phone", "kv", "light", (390, 700)),
)


def main() -> None:
    """Start a node, keep it busy, and take a picture of each page."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        nodes = ServeNodes(Path(folder))
        try:
            node = nodes("--api-rate", "0")
            fill(node)
            with busy(node):
                take(node)
        finally:
            nodes.close()


def fill(node: ServeNode) -> None:
    """Give the node Workers, pairs and vectors."""
    space = node.result("POST", "/storage/kv/namespaces", {"title": "prices"})["id"]
    for key, value in {
        "currency": "EUR",
        "lamp": '{"net": 39.5, "vat": 7.5}',
        "chair": '{"net": 120, "vat": 22.8}',
    }.items():
        node.call("PUT", f"/storage/kv/namespaces/{space}/values/{key}", body=value)
    bindings = [
        {"type": "kv_namespace", "name": "PRICES", "namespace_id": space},
        {"type": "plain_text", "name": "SHOP_NAME", "text": "Lamps and chairs"},
        {"type": "secret_text", "name": "PAYMENT_KEY", "text": "hidden"},
    ]
    for message in ("first", "faster cart", "retry declined payments"):
        annotations = {"workers/message": message}
        node.deploy("shop", SHOP, bindings, annotations=annotations)
    for name in ("blog", "accounts"):
        node.deploy(name, HELLO)
    node.result("PUT", "/workers/scripts/shop/schedules", [{"cron": "0 6 * * mon"}])
    index = {"name": "help", "config": {"dimensions": 384, "metric": "cosine"}}
    node.result("POST", "/vectorize/v2/indexes", index)
    all_texts = [(topic, text) for topic, texts in TEXTS.items() for text in texts]
    made = node.result("POST", EMBEDS, {"text": [text for _, text in all_texts]})
    lines = (
        json.dumps(
            {
                "id": f"{topic}-{number}",
                "values": values,
                "metadata": {"topic": topic, "text": text},
            }
        )
        for number, ((topic, text), values) in enumerate(
            zip(all_texts, made["data"], strict=True)
        )
    )
    node.call("POST", "/vectorize/v2/indexes/help/upsert", body="\n".join(lines))
    binding = {
        "type": "durable_object_namespace",
        "name": "CART",
        "class_name": "Cart",
    }
    migrations = {"new_tag": "v1", "new_sqlite_classes": ["Cart"]}
    node.deploy("carts", CART, [binding], migrations=migrations)
    node.get("carts")


@contextmanager
def busy(node: ServeNode) -> Iterator[None]:
    """Have clients ask until the context ends."""
    stop = Event()

    def ask() -> None:
        count = 0
        while not stop.wait(0.03):
            count += 1
            node.get("shop", PATHS[count % len(PATHS)])
            if count % 3 == 0:
                node.get("blog")
            if count % 8 == 0:
                node.get("accounts")

    thread = Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def take(node: ServeNode) -> None:
    """Take all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, at, theme, (width, height) in PAGES:
            context = browser.new_context(
                color_scheme=theme, viewport={"width": width, "height": height}
            )
            page = context.new_page()
            page.goto(node.api.dashboard)
            page.get_by_label("API token").fill(node.api.token)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("button", name="Sign out").wait_for()
            page.goto(f"{node.api.dashboard}#/{at}")
            page.wait_for_timeout(SETTLED_MS)
            if name in PREPARE:
                PREPARE[name](page)
            save(name, page.screenshot())
            context.close()
        browser.close()


def show_overview(_page: Page) -> None:
    """Wait until the charts have lines."""
    time.sleep(CHARTS_S)


def show_logs(page: Page) -> None:
    """Wait until something is heard."""
    page.wait_for_timeout(3 * SETTLED_MS)


def show_vectorize(page: Page) -> None:
    """Search."""
    page.get_by_label("Text", exact=True).fill("I want my money back")
    page.get_by_label("Most").fill("4")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("Nearest").wait_for()


def show_map(page: Page) -> None:
    """Go to the drawing."""
    page.get_by_label("Coloured by").select_option("topic")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(SETTLED_MS)


def show_ai(page: Page) -> None:
    """Chat."""
    page.get_by_label("Most tokens").fill("40")
    page.get_by_label("Message").fill("Write one friendly sentence about lamps.")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("first token after").wait_for()


def show_sound(page: Page) -> None:
    """Transcribe a recording."""
    page.get_by_label("Sound").set_input_files(recording("short.wav"))
    page.get_by_role("button", name="Transcribe").click()
    page.locator(".transcript").wait_for()


def show_objects(page: Page) -> None:
    """Open an object."""
    page.get_by_role("region", name="Objects").get_by_role("link").click()
    page.get_by_role("region", name="Rows").wait_for()


def show_phone(page: Page) -> None:
    """Open a pair."""
    page.get_by_role("link", name="lamp").click()
    page.wait_for_timeout(SETTLED_MS)


PREPARE = {
    "overview": show_overview,
    "logs": show_logs,
    "vectorize": show_vectorize,
    "map": show_map,
    "ai": show_ai,
    "sound": show_sound,
    "objects": show_objects,
    "phone": show_phone,
}
"""What makes a page worth a look."""


def save(name: str, picture: bytes) -> None:
    """Keep a picture with few colours."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS)
    image.save(IMAGES / f"{name}.png", optimize=True)
    print(f"{name}.png: {(IMAGES / f'{name}.png').stat().st_size} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
