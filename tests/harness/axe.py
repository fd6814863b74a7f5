"""Whether a page is fit for all: by axe-core, and by its width."""

from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}
_RUN = """axe.run({resultTypes: ["violations"], elementRef: false}).then(
    ({violations}) => violations.map(({id, impact, nodes}) =>
        [id, impact, nodes.map(({html}) => html)]))"""
_ROOT = "document.documentElement"


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """Return what is a serious fault for assistive technology."""
    if page.evaluate("typeof axe") == "undefined":
        from axe_playwright_python.base import AXE_SCRIPT  # noqa: PLC0415 - half a MB

        page.evaluate(AXE_SCRIPT)
    return [
        (name, places)
        for name, impact, places in page.evaluate(_RUN)
        if impact in SERIOUS
    ]


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return not page.evaluate(f"{_ROOT}.scrollWidth > {_ROOT}.clientWidth")
