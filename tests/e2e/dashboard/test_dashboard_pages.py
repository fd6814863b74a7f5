"""Every page: no serious fault for assistive technology, no overflow, no errors."""

import pytest
from playwright.sync_api import expect

from harness.axe import faults, fits

PAGES = [
    "overview",
    "workers",
    "workers/shop",
    "logs",
    "logs/shop/kept",
    "kv",
    "objects",
    "d1",
    "r2",
    "vectorize",
    "ai",
    "queues",
    "cron",
]


def opened(site, view):
    """Each page in turn, when it shows all."""
    page = site.enter(view)
    for name in PAGES:
        site.go(page, name)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        yield name, page


@pytest.mark.parametrize("view", ["light", "dark phone"])
def test_no_page_has_a_serious_fault_for_assistive_technology(site, vectors, view):
    assert faults(site.visit(view)) == []
    for name, page in opened(site, view):
        assert faults(page) == [], name


@pytest.mark.parametrize("view", ["dark", "phone"])
def test_every_page_fits_and_opens_without_an_error(site, vectors, view):
    for name, page in opened(site, view):
        assert page.locator(".notice.bad").count() == 0, name
        assert fits(page), name


def test_the_theme_follows_the_system_until_one_is_chosen(site):
    page = site.enter("dark", fresh=True)
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="Use the light theme").click()
    light = page.evaluate(background)
    assert light != dark
    page.reload()
    expect(page.get_by_role("button", name="Use the dark theme")).to_be_visible()
    assert page.evaluate(background) == light


def test_a_user_without_a_mouse_reaches_a_page(site):
    page = site.enter()
    page.reload()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.get_by_role("link", name="KV").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("KV")


def test_a_wrong_token_is_told_and_signing_out_ends_all(site):
    page = site.visit()
    page.get_by_label("API token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not one of the node's")
    site.sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API token")).to_be_visible()
    page.reload()
    expect(page.get_by_label("API token")).to_be_visible()
    assert page.context.cookies() == []


def test_the_charts_draw_what_workers_do(site):
    page = site.enter(at="overview")
    expect(page.locator(".chart canvas")).to_have_count(4)
    site.node.get("shop")
    row = page.get_by_role("region", name="Workers").get_by_role("row", name="shop")
    expect(row).to_be_visible()
    expect(page.get_by_text("front").first).to_be_visible()
