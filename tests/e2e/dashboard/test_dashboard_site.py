"""What the browser is told: the policy, the cookie, and no more bytes than needed."""

import gzip

import pytest
from playwright.sync_api import expect

from harness import fetch
from selfedge.dashboard.server import ROOT

FIRST_VIEW_MAX_BYTES = 300_000


def test_no_script_or_style_from_elsewhere_or_inline_may_run(site):
    answer = fetch(site.url)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_file_is_sent_packed_and_once(site):
    answer = fetch(f"{site.url}app.js", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(answer.body) == fetch(f"{site.url}app.js").body
    known = {"if-none-match": answer.headers["ETag"]}
    assert fetch(f"{site.url}app.js", headers=known).status == 304


@pytest.mark.parametrize("path", ["index.html", "../server.py", "vendor/", "%2e%2e/"])
def test_nothing_but_the_site_is_served(site, path):
    assert fetch(site.url + path).status in {400, 401, 404}


def test_pages_are_only_read(site):
    assert fetch(site.url, method="POST", body="x").status == 405


def test_all_pages_together_are_as_small_as_a_first_view_may_be():
    packed = [
        gzip.compress(file.read_bytes())
        for file in ROOT.rglob("*")
        if file.suffix in {".html", ".js", ".css", ".svg"}
    ]
    assert 0 < sum(map(len, packed)) < FIRST_VIEW_MAX_BYTES


def test_the_first_view_is_small_and_asks_nobody_else(site):
    page = site.visit()
    asked, sizes = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfinished", lambda one: sizes.append(one.sizes()))
    page.get_by_label("API token").fill(site.node.api.token)
    page.get_by_role("button", name="Sign in").click()
    page.locator(".chart canvas").first.wait_for()
    with page.expect_response("**/node/metrics"):
        page.reload()
    page.locator(".chart canvas").first.wait_for()
    assert all(url.startswith(site.url) for url in asked)
    sent = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
    assert 0 < sent < FIRST_VIEW_MAX_BYTES


def test_the_token_is_not_kept_where_scripts_can_read(site):
    page = site.enter()
    token = site.node.api.token
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert token not in kept
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert token not in cookie["value"]


def test_dev_has_it_too(dev_site):
    dev_site.node.wait_for_line(rf"^Dashboard on {dev_site.url}$")
    page = dev_site.enter()
    expect(page.get_by_role("heading", name="KV")).to_be_visible()
    assert page.get_by_role("link", name="Workers").count() == 0
