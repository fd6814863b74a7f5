"""Who may do what, on every route that a node of `serve` has."""

import json
import re

import pytest

from harness.control import serve_api
from selfedge.catalog.model import Zone
from selfedge.catalog.zones import added
from selfedge.control.who import OPEN, needed
from selfedge.standard import BINDINGS

ZONE, FOREIGN_ZONE = "1" * 32, "2" * 32
_WITH_ROUTES = [binding for binding in BINDINGS if binding.routes]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with serve_api(tmp_path_factory.mktemp("access"), _WITH_ROUTES) as api:
        state = api.catalog.state
        for account, zone, name in (
            (api.a, ZONE, "a.example"),
            (api.b, FOREIGN_ZONE, "b.example"),
        ):
            one = Zone(id=zone, name=name, created_on="")
            state = added(state, account, one)
        api.catalog._state = state
        yield api


def path_of(route, account, zone):
    path = route.path.replace("{account}", account).replace("{zone}", zone)
    return re.sub(r"{[a-z_]+(\.\.\.)?}", "x", path)


def closed(api):
    found = [route for route in api.routes if needed(route) != OPEN]
    assert len(found) > 120
    return found


def asked(api, route, who, *, zone=ZONE):
    heard = api.ask(path_of(route, api.a, zone), who, method=route.method)
    return heard.status, heard.code if heard.body else None


def is_refused(route, status, code):
    return status, code if route.method != "HEAD" else None


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [("wrong", 401, 10000), ("", 401, 10000), ("revoked", 401, 10000)],
)
def test_a_token_that_is_none_opens_no_route(api, who, status, code):
    for route in closed(api):
        assert asked(api, route, who) == is_refused(route, status, code), route


def test_a_route_that_checks_itself_lets_nobody_in_without_its_own_token(api):
    open_routes = [route for route in api.routes if needed(route) == OPEN]
    assert len(open_routes) >= 2
    for route in open_routes:
        for account in (api.a, "f" * 32):
            path = path_of(route, account, ZONE)
            for token in (None, "wrong", api.tokens["admin"]):
                heard = api.server.ask(path, method=route.method, token=token)
                assert heard.status in {401, 403, 404}, (route, token)
                if account != api.a and token in {None, "wrong"}:
                    assert heard.status == 401, (route, token)


def test_without_a_token_no_route_opens(api):
    for route in closed(api):
        path = path_of(route, api.a, ZONE)
        heard = api.server.ask(path, method=route.method, token=None)
        code = heard.code if heard.body else None
        assert (heard.status, code) == is_refused(route, 401, 9106), route


@pytest.mark.parametrize("who", ["read", "a-read"])
def test_a_reader_changes_nothing(api, who):
    before = api.catalog.state
    for route in closed(api):
        if needed(route) != "read":
            assert asked(api, route, who) == is_refused(route, 403, 10000), route
    assert api.catalog.state is before


@pytest.mark.parametrize("who", ["deploy", "a-deploy"])
def test_who_deploys_does_not_administer(api, who):
    administers = [route for route in closed(api) if needed(route) == "admin"]
    assert len(administers) >= 5
    for route in administers:
        assert asked(api, route, who) == is_refused(route, 403, 10000), route


@pytest.mark.parametrize("who", ["b-admin", "b-deploy", "b-read"])
def test_a_token_of_another_account_reaches_nothing_of_this_one(api, who):
    reached = [
        route
        for route in closed(api)
        if "{account}" in route.path or "{zone}" in route.path
    ]
    for route in reached:
        assert asked(api, route, who) == is_refused(route, 403, 10000), route
    assert len(reached) > 50


def test_who_has_one_account_cannot_tell_whether_another_is_there(api):
    paths = [f"/accounts/{api.a}", f"/accounts/{'f' * 32}", f"/accounts/{'f' * 32}/x"]
    bodies = {api.ask(path, "b-admin").body for path in paths}
    bodies |= {api.ask(f"/zones/{zone}", "b-admin").body for zone in (ZONE, "nope")}
    assert len(bodies) == 1


@pytest.mark.parametrize(
    "path", ["/accounts/nope", "/accounts/nope/storage/kv/namespaces", "/zones/nope"]
)
def test_an_account_or_zone_that_is_not_there_is_no_route(api, path):
    heard = api.ask(path)
    assert (heard.status, heard.code) == (404, 7003)


def test_lists_show_each_caller_its_own(api):
    def ids(path, who):
        return [one["id"] for one in api.ask(path, who).envelope()["result"]]

    assert ids("/accounts", "admin") == [api.a, api.b]
    assert ids("/accounts", "b-read") == [api.b]
    assert ids("/zones", "b-read") == [FOREIGN_ZONE]
    memberships = api.ask("/memberships", "a-deploy").envelope()["result"]
    assert [one["account"]["id"] for one in memberships] == [api.a]
    tokens = api.ask("/user/tokens", "a-admin").envelope()["result"]
    assert {one["account"] for one in tokens} == {api.a}


def test_accounts_share_no_namespaces(api):
    path = "/accounts/{}/storage/kv/namespaces"
    heard = api.ask(path.format(api.a), method="POST", body=b'{"title": "of a"}')
    assert heard.status == 200
    assert api.ask(path.format(api.b)).envelope()["result"] == []


def test_the_first_zones_of_both_routes_are_reached_by_their_owners(api):
    assert api.ask(f"/zones/{FOREIGN_ZONE}", "b-read").status == 200
    assert api.ask(f"/zones/{ZONE}", "a-read").status == 200
    assert api.ask(f"/zones/{ZONE}/workers/routes", "a-read").status == 200


def test_a_reader_may_ask_for_what_is_computed(api):
    body = b'{"keys": ["k"]}'
    path = f"/accounts/{api.a}/storage/kv/namespaces/x/bulk/get"
    heard = api.ask(path, "a-read", method="POST", body=body)
    assert heard.code == 10013


def test_who_has_one_account_sees_no_processes_of_others(api):
    def kinds(who):
        found = api.ask("/node/status", who).envelope()["result"]["processes"]
        return [one["kind"] for one in found]

    assert kinds("read") == ["worker", "front"]
    assert kinds("a-admin") == kinds("b-read") == []


def test_an_account_in_a_body_is_held_to_the_token_as_one_in_a_path(api):
    query = {"query": "{ r2StorageAdaptiveGroups }"}
    for account in (api.a, "f" * 32):
        body = {**query, "variables": {"accountTag": account}}
        raw = json.dumps(body).encode()
        heard = api.ask("/graphql", "b-admin", method="POST", body=raw)
        assert (heard.status, heard.code) == (403, 10000)
    for path, body in (
        ("/zones", {"name": "x.example", "account": {"id": api.a}}),
        ("/user/tokens", {"name": "x", "account": api.a}),
    ):
        raw = json.dumps(body).encode()
        heard = api.ask(path, "b-admin", method="POST", body=raw)
        assert (heard.status, heard.code) == (403, 10000), path
