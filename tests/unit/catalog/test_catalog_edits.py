"""Edits of the catalog: whole, or refused with what to do."""

from itertools import count

import pytest
from msgspec.structs import replace

from selfedge.catalog.deployments import DEPLOYMENTS_KEPT, current, deployed, is_live
from selfedge.catalog.domains import WantedDomain, changeset, put_domains
from selfedge.catalog.migrations import Migrations, Renamed, Step, migrated
from selfedge.catalog.model import (
    Account,
    Deployment,
    ScriptRoute,
    ScriptState,
    Share,
    State,
    Zone,
)
from selfedge.catalog.routes import (
    WantedRoute,
    add_route,
    change_route,
    parsed,
    put_routes,
    remove_route,
    zone_for,
)
from selfedge.catalog.scripts import (
    VERSIONS_KEPT,
    edit_script,
    script_of,
    with_version,
    without_script,
)
from selfedge.errors import ApiError

ZONES = {
    "z1": Zone(id="z1", name="lab.example", created_on="t"),
    "z2": Zone(id="z2", name="eu.lab.example", created_on="t"),
}


def script(name="w", **fields):
    return ScriptState(name=name, tag="t", created_on="t", modified_on="t", **fields)


@pytest.fixture
def state():
    one = Account(
        id="a",
        name="a",
        subdomain="a",
        created_on="t",
        zones=ZONES,
        scripts={"w": script(), "v": script("v")},
    )
    return State(accounts={"a": one, "b": replace(one, id="b")})


@pytest.fixture
def new_id():
    numbers = count(1)
    return lambda: f"id{next(numbers)}"


def number_of(call, *args, **options):
    with pytest.raises(ApiError) as caught:
        call(*args, **options)
    return caught.value.number


def deployment(*shares):
    return Deployment(
        id="d",
        created_on="t",
        source="api",
        author="me",
        versions=tuple(Share(version_id=name, percentage=p) for name, p in shares),
    )


def wanted(*patterns):
    return [WantedRoute(pattern=pattern) for pattern in patterns]


def patterns(state, name="w"):
    return [route.pattern for route in script_of(state, "a", name).routes]


def test_an_unknown_worker_is_10007(state):
    assert number_of(script_of, state, "a", "nobody") == 10007
    assert number_of(without_script, state, "a", "nobody") == 10007
    assert number_of(script_of, state, "nobody", "w") == 7003


def test_an_edit_changes_one_worker_of_one_account_and_its_time(state):
    edit = edit_script(
        "a", "w", "later", lambda s: replace(s, schedules=("* * * * *",))
    )
    changed = edit(state)
    assert script_of(changed, "a", "w").modified_on == "later"
    assert changed.accounts["b"] == state.accounts["b"]
    assert edit_script("a", "w", "later", lambda s: s)(state) is state


def test_the_last_hundred_versions_and_the_deployed_ones_stay():
    one = deployed(with_version(script(), "v0"), deployment(("v0", 100)))
    for number in range(1, VERSIONS_KEPT + 5):
        one = with_version(one, f"v{number}")
    assert len(one.versions) == VERSIONS_KEPT + 1
    assert one.versions[:2] == ("v0", "v5")


def test_a_deployment_comes_first_and_old_ones_go():
    one = script(versions=("v1", "v2"))
    for _ in range(DEPLOYMENTS_KEPT + 3):
        one = deployed(one, deployment(("v1", 100)))
    one = deployed(one, deployment(("v1", 60), ("v2", 40)))
    assert len(one.deployments) == DEPLOYMENTS_KEPT
    assert current(one).versions[0].percentage == 60
    assert is_live(one, "v2")
    assert not is_live(script(versions=("v1",)), "v1")


@pytest.mark.parametrize(
    "shares",
    [
        [],
        [("v1", 99)],
        [("v1", 60), ("v2", 41)],
        [("v1", 50), ("v1", 50)],
        [("v1", -1), ("v2", 101)],
        [("v1", float("nan"))],
        [("v1", 30), ("v2", 30), ("v3", 40)],
        [("unknown", 100)],
    ],
)
def test_shares_that_make_no_whole_are_refused(shares):
    one = script(versions=("v1", "v2", "v3"))
    assert number_of(deployed, one, deployment(*shares)) in (10089, 10092)


@pytest.mark.parametrize(
    ("pattern", "normal"),
    [
        ("Lab.Example/Api/*", "lab.example/Api/*"),
        ("HTTPS://lab.example", "https://lab.example/"),
        ("*.lab.example/*", "*.lab.example/*"),
        ("*lab.example/*", "*lab.example/*"),
        ("*/*", "*/*"),
    ],
)
def test_a_pattern_has_one_way_to_be_written(pattern, normal):
    assert parsed(pattern).normal == normal


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "/",
        "lab.example/*/x",
        "a.*.example/",
        "lab.example:80/",
        "ftp://lab.example/",
        "lab.example/?a=b",
        "lab.example/\r\nx",
        "lab.example/" + "a" * 2000,
        "lab..example/",
    ],
)
def test_what_is_no_pattern_is_10022(pattern):
    assert number_of(parsed, pattern) == 10022


def test_a_pattern_belongs_to_the_nearest_zone(state):
    account = state.accounts["a"]
    for pattern, zone in [
        ("lab.example/*", "z1"),
        ("*.lab.example/*", "z1"),
        ("x.eu.lab.example/", "z2"),
    ]:
        assert zone_for(account, WantedRoute(pattern=pattern)).id == zone
    by_name = WantedRoute(pattern="x.eu.lab.example/", zone_name="lab.example")
    assert zone_for(account, by_name).id == "z1"
    for other in ("notlab.example/", "example/", "*/*"):
        assert number_of(zone_for, account, WantedRoute(pattern=other)) == 7000


def test_put_routes_replaces_all_and_keeps_ids(state, new_id):
    one = put_routes(state, "a", "w", wanted("lab.example/a", "lab.example/b"), new_id)
    two = put_routes(one, "a", "w", wanted("LAB.example/b", "lab.example/c"), new_id)
    assert patterns(two) == ["LAB.example/b", "lab.example/c"]
    ids = [route.id for route in script_of(two, "a", "w").routes]
    assert ids == ["id2", "id3"]
    assert patterns(put_routes(two, "a", "w", [], new_id)) == []


def test_a_pattern_of_another_worker_is_10020(state, new_id):
    one = put_routes(state, "a", "w", wanted("lab.example/a"), new_id)
    for account, name in [("a", "v"), ("b", "w")]:
        again = wanted("lab.EXAMPLE/a")
        assert number_of(put_routes, one, account, name, again, new_id) == 10020
    route = ScriptRoute(id="r", pattern="lab.example/a", zone_id="z1")
    assert number_of(add_route, one, "a", "w", route) == 10020


def test_a_route_of_a_zone_is_added_moved_and_removed(state):
    route = ScriptRoute(id="r", pattern="lab.example/a", zone_id="z1")
    one = add_route(state, "a", "w", route)
    two = change_route(one, "a", "v", replace(route, pattern="lab.example/b"))
    assert (patterns(two), patterns(two, "v")) == ([], ["lab.example/b"])
    assert patterns(remove_route(two, "a", "z1", "r"), "v") == []
    assert number_of(remove_route, two, "a", "z2", "r") == 10009


def test_domains_are_added_kept_and_removed(state, new_id):
    def put(state, *names):
        given = [WantedDomain(hostname=name) for name in names]
        changes = changeset(state, "a", "w", given, new_id)
        return changes, put_domains(state, "a", "w", changes, take_over=False)

    _, one = put(state, "App.lab.example", "x.lab.example")
    changes, two = put(one, "x.lab.example", "y.eu.lab.example")
    assert [domain.hostname for domain in changes.added] == ["y.eu.lab.example"]
    assert [domain.hostname for domain in changes.removed] == ["app.lab.example"]
    domains = script_of(two, "a", "w").domains
    assert [(one.hostname, one.id, one.zone_id) for one in domains] == [
        ("x.lab.example", "id2", "z1"),
        ("y.eu.lab.example", "id3", "z2"),
    ]


def test_another_workers_domain_is_taken_over_only_on_demand(state, new_id):
    given = [WantedDomain(hostname="app.lab.example")]
    first = changeset(state, "a", "w", given, new_id)
    state = put_domains(state, "a", "w", first, take_over=False)
    changes = changeset(state, "a", "v", given, new_id)
    assert [domain.id for domain in changes.updated] == ["id1"]
    refused = number_of(put_domains, state, "a", "v", changes, take_over=False)
    assert refused == 100116
    moved = put_domains(state, "a", "v", changes, take_over=True)
    assert script_of(moved, "a", "w").domains == ()
    assert script_of(moved, "a", "v").domains[0].id == "id1"
    assert number_of(changeset, state, "b", "w", given, new_id) == 100116


@pytest.mark.parametrize("name", ["*.lab.example", "lab.example/x", "", "a b"])
def test_what_is_no_hostname_is_no_domain(state, new_id, name):
    given = [WantedDomain(hostname=name)]
    assert number_of(changeset, state, "a", "w", given, new_id) in (100117, 10022)


def test_migrations_are_appended_as_a_wrangler_file_lists_them():
    one = migrated(
        script(),
        Migrations(
            new_tag="v2",
            steps=[
                Step(new_sqlite_classes=["A"]),
                Step(renamed_classes=[Renamed(old="A", new="B")]),
            ],
        ),
    )
    assert one.migration_tag == "v2"
    assert one.migrations == (
        {"tag": "v2.1", "new_sqlite_classes": ["A"]},
        {"tag": "v2", "renamed_classes": [{"from": "A", "to": "B"}]},
    )
    two = migrated(one, Migrations(old_tag="v2", new_tag="v3", deleted_classes=["B"]))
    assert two.migrations[2:] == ({"tag": "v3", "deleted_classes": ["B"]},)


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (Migrations(new_tag="v2"), 10079),
        (Migrations(old_tag="v0", new_tag="v2"), 10079),
        (Migrations(old_tag="v1", new_tag="v1"), 10021),
        (Migrations(old_tag="v1", new_tag="v2", transferred_classes=[{}]), 10021),
    ],
)
def test_a_migration_is_applied_once_and_in_order(given, number):
    at_v1 = script(migration_tag="v1", migrations=({"tag": "v1"},))
    assert number_of(migrated, at_v1, given) == number
