"""Whether a page is fit for all: by axe-core, and by its width."""

from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}
_ROOT = "document.documentElement"


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """Return what is a serious fault for assistive technology."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - heavy

    found = Axe().run(page).response["violations"]
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in SERIOUS
    ]


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return not page.evaluate(f"{_ROOT}.scrollWidth > {_ROOT}.clientWidth")
