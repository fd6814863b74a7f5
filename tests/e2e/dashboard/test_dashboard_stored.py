"""What is stored is looked at: tables of Durable Objects, logs that were kept."""

import time

import pytest
from playwright.sync_api import expect

from harness.axe import faults, fits

STORED = "/workers/durable_objects/stored"
KINDS = ["light", "dark phone"]
WAIT_S = 20.0


@pytest.fixture(scope="module")
def counter(served, counts):
    """A Worker with two objects; returns where one of them is."""
    binding = {
        "type": "durable_object_namespace",
        "name": "COUNTER",
        "class_name": "Counter",
    }
    migration = {"new_tag": "v1", "new_sqlite_classes": ["Counter"]}
    served.node.deploy("counter", counts, [binding], migrations=migration)
    for name in ("/a", "/b"):
        assert served.node.get("counter", name).text == "1"
    (space,) = served.node.result("GET", STORED)
    return space


def test_durable_objects_are_listed_by_class_with_their_size(site, counter):
    assert (counter["class"], counter["script"]) == ("Counter", "counter")
    assert counter["objects"] == 2
    assert counter["bytes"] > 0
    assert site.node.call("GET", f"{STORED}/none").status == 404
    page = site.enter(at="objects")
    expect(page.get_by_text("2", exact=True)).to_be_visible()
    rows = page.get_by_role("region", name="Objects").get_by_role("row")
    expect(rows).to_have_count(3)


@pytest.mark.parametrize("view", KINDS)
def test_tables_and_pairs_of_an_object_are_read(site, counter, view):
    page = site.enter(view, "objects")
    page.get_by_role("region", name="Objects").get_by_role("link").first.click()
    rows = page.get_by_role("region", name="Rows").get_by_role("row")
    expect(rows).to_have_count(51)
    expect(rows.nth(1)).to_contain_text("item 0")
    expect(rows.nth(1)).to_contain_text("01ff")
    page.get_by_role("button", name="Next").click()
    expect(rows).to_have_count(11)
    assert faults(page) == []
    page.get_by_role("button", name="Key-value pairs").click()
    pairs = page.get_by_role("region", name="Pairs").get_by_role("row")
    expect(pairs.nth(1)).to_contain_text("count")
    expect(pairs.nth(2)).to_contain_text('{"name": "Ada", "since": [1, null]}')
    assert faults(page) == []
    assert fits(page)


def test_looking_neither_stops_nor_changes_an_object(site, counter):
    many = site.node.result("GET", f"{STORED}/{counter['id']}")
    at = f"{STORED}/{counter['id']}/{many[0]['id']}"
    counts = set()
    for _ in range(10):
        counts.add(site.node.get("counter", "/a").text)
        found = site.node.result("GET", f"{at}/tables/a%20%22table?per_page=100")
        assert len(found["rows"]) >= 60
    assert len(counts) == 10


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("tables/_cf_KV", 404),
        ("tables/none", 404),
        ("tables/a%20%22table?page=0", 400),
        ("tables/a%20%22table?per_page=101", 400),
    ],
)
def test_what_is_not_to_be_read_is_refused(site, counter, path, status):
    many = site.node.result("GET", f"{STORED}/{counter['id']}")
    at = f"{STORED}/{counter['id']}/{many[0]['id']}"
    assert site.node.call("GET", f"{at}/{path}").status == status


@pytest.mark.parametrize("name", ["none", "..%2f..", "0" * 64, "metadata"])
def test_an_object_that_is_not_there_is_told(site, counter, name):
    assert site.node.call("GET", f"{STORED}/{counter['id']}/{name}").status == 404


def test_dev_shows_objects_too(dev_site):
    assert dev_site.node.request("/a").text == "1"
    page = dev_site.enter(at="objects")
    page.get_by_role("region", name="Objects").get_by_role("link").click()
    expect(page.get_by_role("region", name="Rows")).to_contain_text("item 0")


@pytest.fixture(scope="module")
def kept(served):
    """A Worker whose log the node keeps, with something in it."""
    code = """
        export default {
          fetch(request) {
            const { pathname } = new URL(request.url);
            console.warn("looked at", pathname);
            if (pathname === "/boom") throw new Error("it went wrong");
            return new Response("fine");
          },
        };
    """
    served.node.deploy("kept", code, observability={"enabled": True})
    deadline = time.monotonic() + WAIT_S
    found = []
    while len({one["outcome"] for one in found}) < 2:
        assert time.monotonic() < deadline
        served.node.get("kept", "/lamp")
        served.node.get("kept", "/boom")
        found = served.node.result("GET", "/workers/scripts/kept/logs")["events"]


@pytest.mark.parametrize("view", KINDS)
def test_logs_that_were_kept_are_searched(site, kept, view):
    page = site.enter(view, "logs/kept/kept")
    log = page.get_by_role("log")
    expect(log).to_contain_text("looked at /lamp")
    expect(log).to_contain_text("Error: it went wrong")
    page.get_by_label("Outcome").select_option("exception")
    expect(log).not_to_contain_text("/lamp")
    page.get_by_label("Outcome").select_option("")
    page.get_by_label("Search").fill("LAMP")
    expect(log).not_to_contain_text("/boom")
    expect(log).to_contain_text("looked at /lamp")
    page.get_by_label("Level").select_option("error")
    expect(page.get_by_text("Nothing that was kept is like this.")).to_be_visible()
    page.get_by_label("Level").select_option("warn")
    page.get_by_label("Since").select_option("7d")
    expect(log).to_contain_text("looked at /lamp")
    assert faults(page) == []
    assert fits(page)


def test_a_worker_without_kept_logs_says_what_to_set(site):
    page = site.enter(at="logs/shop/kept")
    expect(page.get_by_text('"observability": {"enabled": true}')).to_be_visible()
