"""What a new user does: each task by what is seen, in both themes and on a phone."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

WAIT_S = 20.0
KINDS = ["light", "dark phone"]


@pytest.mark.parametrize("view", KINDS)
def test_a_pair_is_created_read_changed_and_deleted(site, view):
    page = site.enter(view, "kv")
    name = site.name("space")
    page.get_by_label("New namespace").fill(name)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("link", name=name)).to_have_attribute(
        "aria-current", "page"
    )
    page.get_by_role("button", name="New pair").click()
    page.get_by_label("Key", exact=True).fill("user/1 ü")
    page.get_by_label("Value").fill('{"name": "Ada"}')
    page.get_by_label("Metadata").fill('{"by": "hand"}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Value")).to_have_value('{"name": "Ada"}')
    page.get_by_role("button", name="JSON").click()
    expect(page.locator("pre")).to_have_text('{\n  "name": "Ada"\n}')
    page.get_by_role("button", name="Hex").click()
    expect(page.locator("pre")).to_contain_text("7b 22 6e 61")
    page.get_by_role("button", name="Text").click()
    page.get_by_label("Value").fill("changed")
    page.get_by_label("Expires after").fill("600")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".chosen")).to_contain_text("expires")
    space = page.url.rpartition("/kv/")[2].partition("/")[0]
    path = f"/storage/kv/namespaces/{space}"
    assert site.node.call("GET", f"{path}/values/user%2F1%20%C3%BC").text == "changed"
    assert site.node.result("GET", f"{path}/keys")[0]["metadata"] == {"by": "hand"}
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Really delete?").click()
    expect(page.get_by_text("No key yet.")).to_be_visible()


def ask_until_heard(site, page, path):
    """Ask the Worker until the page shows it: listening begins with a release."""
    seen = page.get_by_role("log").get_by_text(f"asked for {path}").first
    deadline = time.monotonic() + WAIT_S
    while not seen.is_visible():
        assert time.monotonic() < deadline
        site.node.get("shop", path)
        page.wait_for_timeout(100)


@pytest.mark.parametrize("view", KINDS)
def test_logs_are_read_live_and_filtered(site, view):
    page = site.enter(view, "logs/shop")
    log = page.get_by_role("log")
    ask_until_heard(site, page, "/hello")
    site.node.get("shop", "/boom")
    expect(log).to_contain_text("asked for /hello")
    expect(log).to_contain_text("Error: it went wrong")
    page.get_by_role("button", name="Errors").click()
    expect(log).not_to_contain_text("/hello")
    expect(log).to_contain_text("/boom")
    page.get_by_role("button", name="All").click()
    page.get_by_label("Search").fill("HELLO")
    expect(log).not_to_contain_text("/boom")
    expect(log).to_contain_text("asked for /hello")
    page.get_by_label("Method").select_option("POST")
    expect(log).not_to_contain_text("/hello")


def test_ten_thousand_lines_are_drawn_in_part(site):
    page = site.enter(at="logs/shop")
    ask_until_heard(site, page, "/hello")
    for _ in range(52):
        site.node.get("shop", "/many")
    expect(page.get_by_text("10,000 lines")).to_be_visible()
    log = page.get_by_role("log")
    log.evaluate("it => { it.scrollTop = 60_000; }")
    expect(log.locator(".line").nth(40)).to_be_attached()
    assert log.locator(".line").count() < 80
    log.evaluate("it => { it.scrollTop = 0; }")
    site.node.get("shop", "/later")
    page.get_by_label("Search").fill("asked for /later")
    expect(log).to_contain_text("asked for /later")


@pytest.mark.parametrize("view", KINDS)
def test_the_model_answers_word_by_word(site, view):
    page = site.enter(view, "ai")
    page.get_by_label("Most tokens").fill("8")
    page.get_by_label("Message").fill("Say hello.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".said.user")).to_have_text("Say hello.")
    expect(page.locator(".said.assistant")).to_have_text(re.compile(r"\S+"))
    expect(page.get_by_text("first token after")).to_be_visible()


def test_the_models_say_what_stands_in(site):
    page = site.enter(at="ai")
    page.get_by_role("button", name="Models").click()
    page.get_by_label("Search models").fill("llama-3-8b")
    expect(page.get_by_role("row").nth(1)).to_contain_text("stand-in")


def test_texts_are_compared(site):
    page = site.enter(at="ai")
    page.get_by_role("button", name="Similarity").click()
    page.get_by_role("button", name="Compare").click()
    rows = page.get_by_role("region", name="Similarity").get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.last).to_contain_text("weather")


@pytest.mark.parametrize("view", KINDS)
def test_vectors_are_searched_by_text_id_and_vector(site, vectors, view):
    page = site.enter(view, "vectorize/docs")
    rows = page.get_by_role("region", name="Nearest vectors").get_by_role("row")
    page.get_by_label("Text", exact=True).fill("I forgot my password")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("How to choose a new password")
    page.get_by_label("Filter").fill('{"kind": "bread"}')
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(2)
    page.get_by_label("Filter").fill("{")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("The filter is no JSON")).to_be_visible()
    page.get_by_label("Filter").fill("")
    page.get_by_role("button", name="Id", exact=True).click()
    page.get_by_label("Id of a vector").fill("weather")
    page.get_by_role("button", name="Search").click()
    expect(rows.nth(1)).to_contain_text("1.0000")
    page.get_by_role("button", name="Vector", exact=True).click()
    page.get_by_label("Vector", exact=True).fill(json.dumps([0.1] * 384))
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(4)


@pytest.mark.parametrize("view", KINDS)
def test_a_version_is_rolled_back_and_traffic_is_split(site, view):
    name = site.name("app")
    for number in ("one", "two"):
        code = f"export default {{ fetch: () => new Response('{number}') }};"
        site.node.deploy(name, code)
    page = site.enter(view, f"workers/{name}")
    versions = page.get_by_role("region", name="Versions")
    expect(versions.get_by_role("row").nth(1)).to_contain_text("100 %")
    versions.get_by_role("button", name="Roll back version 1").click()
    versions.get_by_role("button", name="Roll back to 100 %?").click()
    expect(page.get_by_text("Version 1 is deployed.")).to_be_visible()
    expect(versions.get_by_role("row").nth(2)).to_contain_text("100 %")
    assert site.node.get(name).text == "one"
    page.get_by_role("button", name="Split", exact=True).click()
    expect(versions.get_by_role("row").nth(1)).to_contain_text("50 %")
    page.get_by_role("button", name="Deployments").click()
    deployments = page.get_by_role("region", name="Deployments")
    expect(deployments.get_by_role("row")).to_have_count(5)


def test_secrets_are_named_and_not_shown(site):
    page = site.enter(at="workers/shop")
    expect(page.get_by_text("KEY", exact=True)).to_be_visible()
    assert "not to be seen" not in page.content()


def test_sql_is_run_and_a_mistake_is_told(site):
    page = site.enter(at="d1")
    page.get_by_role("button", name="orders", exact=True).click()
    rows = page.get_by_role("region", name="Result").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("bread")
    page.get_by_label("SQL", exact=True).fill("SELECT count(*) AS orders FROM orders")
    page.get_by_label("SQL", exact=True).press("Control+Enter")
    expect(rows.nth(0)).to_have_text("orders")
    page.get_by_label("SQL", exact=True).fill("SELEC 1")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("syntax error")).to_be_visible()


def test_an_object_is_uploaded_downloaded_and_deleted(site):
    page = site.enter(at="r2/photos")
    page.get_by_role("button", name="2026/").click()
    expect(page.get_by_text("cat.txt")).to_be_visible()
    file = {"name": "dog.txt", "mimeType": "text/plain", "buffer": b"woof"}
    page.locator("input[type=file]").set_input_files(file)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download 2026/dog.txt").click()
    assert download.value.path().read_bytes() == b"woof"
    page.get_by_role("button", name="Delete 2026/dog.txt").click()
    page.get_by_role("button", name="Really delete? 2026/dog.txt").click()
    expect(page.get_by_text("dog.txt")).to_have_count(0)


def test_a_message_is_sent_and_purged(site):
    page = site.enter(at="queues")
    page.get_by_label("Text").fill("hello")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("1 · ")).to_be_visible()
    page.get_by_role("button", name="Purge").click()
    page.get_by_role("button", name="Really purge?").click()
    expect(page.get_by_text("0 · 0 B")).to_be_visible()


def test_schedules_say_when_they_come_next(site):
    page = site.enter(at="cron")
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("*/5 * * * *")
    expect(row).to_contain_text("in ")
