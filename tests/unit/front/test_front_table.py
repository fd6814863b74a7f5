"""What each host and path leads to."""

import pytest

from selfedge.catalog.model import (
    Account,
    Deployment,
    Domain,
    ScriptRoute,
    ScriptState,
    Share,
    State,
    WorkersDev,
    Zone,
)
from selfedge.front.pages import DETAIL, EXCEPTION, MISSING, Page
from selfedge.front.table import Pattern, Running, origins, parse_pattern, served, table

NOW = "2026-11-25T00:00:00Z"
RUNNING = Running(slot="s1", version="v", percentage=100)


def script(name, *routes, domains=(), enabled=True):
    share = Share(version_id="v", percentage=100)
    return ScriptState(
        name=name,
        tag="0" * 32,
        created_on=NOW,
        modified_on=NOW,
        versions=("v",),
        deployments=(
            Deployment(
                id="d", created_on=NOW, source="api", author="a", versions=(share,)
            ),
        ),
        routes=tuple(
            ScriptRoute(id=str(n), pattern=pattern, zone_id="z")
            for n, pattern in enumerate(routes)
        ),
        domains=tuple(Domain(id=h, hostname=h, zone_id="z") for h in domains),
        workers_dev=WorkersDev(enabled=enabled),
    )


def account(name, *scripts, origin=None, created=NOW):
    return Account(
        id=name,
        name=name,
        subdomain=f"{name}-sub",
        created_on=created,
        scripts={one.name: one for one in scripts},
        zones={"z": Zone(id="z", name="zone.test", created_on=NOW, origin=origin)},
    )


def tabled(*accounts):
    state = State(accounts={one.id: one for one in accounts})
    running = {(one.id, name): [RUNNING] for one in accounts for name in one.scripts}
    return table(state, running, "node.test")


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("a.test/*", Pattern(host="a.test", wild=False, path="/", open=True)),
        ("A.test/x", Pattern(host="a.test", wild=False, path="/x", open=False)),
        ("a.test", Pattern(host="a.test", wild=False, path="/", open=False)),
        ("a.test*", Pattern(host="a.test", wild=False, path="/", open=True)),
        ("*.a.test/*", Pattern(host=".a.test", wild=True, path="/", open=True)),
        ("*a.test/b/*", Pattern(host="a.test", wild=True, path="/b/", open=True)),
        ("https://a.test/b*", Pattern(host="a.test", wild=False, path="/b", open=True)),
    ],
)
def test_patterns_are_taken_apart(text, parsed):
    assert parse_pattern(text) == parsed


def test_a_worker_has_its_names_and_its_routes():
    found = tabled(account("one", script("w", "zone.test/api/*", domains=["app.test"])))
    assert set(found["exact"]) == {
        "w.one-sub.node.test",
        "w.localhost",
        "app.test",
        "zone.test",
    }
    rule = found["exact"]["zone.test"][0]
    assert (rule["path"], rule["open"], rule["name"]) == ("/api/", True, "one/w")
    assert rule["shares"] == [{"slot": "s1", "version": "v", "percentage": 100}]


def test_the_oldest_account_has_the_short_name():
    found = tabled(
        account("young", script("w"), created="2026-11-26T00:00:00Z"),
        account("old", script("w")),
    )
    assert [rule["name"] for rule in found["exact"]["w.localhost"]] == ["old/w"]


def test_a_worker_that_is_off_has_no_name_of_its_own():
    found = tabled(account("one", script("w", "zone.test/*", enabled=False)))
    assert set(found["exact"]) == {"zone.test"}


def test_longer_paths_and_whole_paths_come_first():
    found = tabled(
        account(
            "one",
            script("all", "zone.test/*", enabled=False),
            script("api", "zone.test/api/*", enabled=False),
            script("only", "zone.test/api/", enabled=False),
            origin="http://origin.test",
        )
    )
    names = [rule["name"] for rule in found["exact"]["zone.test"]]
    assert names == ["one/only", "one/api", "one/all", ""]


def test_longer_suffixes_come_first():
    found = tabled(account("one", script("w", "*.b.zone.test/*", "*zone.test/*")))
    assert [suffix for suffix, _ in found["wild"]] == [".b.zone.test", "zone.test"]


def test_what_does_not_run_is_led_to_by_nothing():
    state = State(accounts={"one": account("one", script("w"))})
    assert table(state, {}, "node.test")["exact"] == {}


def test_zones_are_served_and_origins_are_named():
    state = State(accounts={"one": account("one", origin="http://o.test:3000")})
    assert list(served(state, "node.test")) == ["node.test", "zone.test"]
    assert origins(state) == {"origin:http://o.test:3000": "http://o.test:3000"}


def test_pages_show_text_as_text():
    page = Page(status=500, number=None, title="<b>", text="&", detail="<i>")
    assert "<b>" not in page.html()
    assert "&lt;i&gt;" in page.html()
    assert DETAIL in MISSING.html()
    assert EXCEPTION.answer("application/json")[1].startswith("text/html")
