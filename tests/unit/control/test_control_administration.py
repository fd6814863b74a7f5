"""Accounts, tokens and zones are made, shown and removed over the API."""

import json
from itertools import islice

import cloudflare
import pytest

from harness.control import serve_api


@pytest.fixture
def api(tmp_path):
    with serve_api(tmp_path) as api:
        yield api


def send(api, path, body, who="admin", method="POST"):
    return api.ask(path, who, method=method, body=json.dumps(body).encode())


def result(heard):
    assert heard.status == 200, heard.body
    return heard.envelope()["result"]


# tokens


def test_a_token_is_shown_once_and_works_until_it_is_revoked(api):
    made = result(send(api, "/user/tokens", {"name": "ci", "scope": "deploy"}))
    text = made.pop("value")
    assert text.startswith("se_")
    assert len(text) == 43
    assert result(api.ask("/user/tokens/verify", text))["id"] == made["id"]
    listed = api.ask("/user/tokens?per_page=100")
    assert made in result(listed)
    assert text.encode() not in listed.body
    assert result(api.ask(f"/user/tokens/{made['id']}")) == made
    gone = api.ask(f"/user/tokens/{made['id']}", method="DELETE")
    assert result(gone) == {"id": made["id"]}
    assert api.ask("/user", text).status == 401


def test_no_file_of_the_node_holds_a_token(api, tmp_path):
    text = result(send(api, "/user/tokens", {"name": "x", "scope": "read"}))["value"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert text.encode() not in path.read_bytes()
        assert api.tokens["admin"].encode() not in path.read_bytes()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"name": ""},
        {"name": "x" * 121},
        {"name": "a\nb"},
        {"name": "x", "scope": "root"},
        {"name": "x", "scope": "none"},
        {"name": "x", "account": "nope"},
    ],
)
def test_a_token_that_cannot_be_is_refused(api, body):
    before = api.catalog.state.tokens
    assert send(api, "/user/tokens", body).status == 400
    assert api.catalog.state.tokens == before


def test_an_admin_of_one_account_makes_no_token_of_another(api):
    for account in (api.b, None):
        body = {"name": "x", "scope": "read", "account": account}
        heard = send(api, "/user/tokens", body, "a-admin")
        if account is None:
            assert result(heard)["account"] == api.a
        else:
            assert (heard.status, heard.code) == (403, 10000)
    others = [one for one in api.catalog.state.tokens.values() if one.account != api.a]
    for one in others:
        assert api.ask(f"/user/tokens/{one.id}", "a-admin").status == 404
        gone = api.ask(f"/user/tokens/{one.id}", "a-admin", method="DELETE")
        assert (gone.status, gone.code) == (404, 1003)


def test_the_last_admin_of_all_accounts_stays(api):
    me = result(api.ask("/user/tokens/verify"))["id"]
    heard = api.ask(f"/user/tokens/{me}", method="DELETE")
    assert (heard.status, heard.code) == (409, 1001)
    send(api, "/user/tokens", {"name": "second", "scope": "admin"})
    assert api.ask(f"/user/tokens/{me}", method="DELETE").status == 200
    assert api.ask("/user").status == 401


# accounts


def test_an_account_is_made_and_has_a_subdomain_of_its_own(api):
    made = result(send(api, "/accounts", {"name": "Team Two!"}))
    assert api.catalog.state.accounts[made["id"]].subdomain == "team-two"
    assert result(api.ask(f"/accounts/{made['id']}"))["name"] == "Team Two!"
    again = send(api, "/accounts", {"name": "Team Two!"})
    assert (again.status, again.code) == (409, 1002)
    assert send(api, "/accounts", {"name": "third", "subdomain": "local"}).status == 409


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "!"}, {"name": "x", "subdomain": "-x"}, {"name": "\n"}],
)
def test_an_account_that_cannot_be_is_refused(api, body):
    assert send(api, "/accounts", body).status == 400


def test_an_admin_of_one_account_opens_none(api):
    assert send(api, "/accounts", {"name": "x"}, "a-admin").status == 403


def test_an_account_is_changed_and_its_workers_started_anew(api):
    path = f"/accounts/{api.a}"
    asked = {"name": "renamed", "subdomain": "re"}
    changed = result(send(api, path, asked, "a-admin", method="PATCH"))
    assert (changed["name"], changed["private_outbound"]) == ("renamed", False)
    assert api.catalog.state.accounts[api.a].subdomain == "re"
    assert api.fleet.routed == 1
    for refused in ({"name": "other"}, {"subdomain": "other"}):
        assert send(api, path, refused, method="PATCH").status == 409
    assert send(api, path, {"subdomain": "-"}, method="PATCH").status == 400
    revision = api.catalog.state.revision
    assert result(send(api, path, {}, method="PUT")) == changed
    assert api.catalog.state.revision == revision


def test_only_an_admin_of_the_node_lets_workers_reach_private_addresses(api):
    path, asked = f"/accounts/{api.a}", {"private_outbound": True}
    assert send(api, path, asked, "a-admin", method="PATCH").status == 403
    assert result(send(api, path, asked, method="PATCH"))["private_outbound"] is True
    assert api.catalog.state.accounts[api.a].private_outbound


# zones


def add(api, name, who="admin", **more):
    return send(api, "/zones", {"name": name, "account": {"id": api.a}, **more}, who)


def test_a_zone_is_added_found_changed_and_removed(api):
    made = result(add(api, "Example.COM.", origin="http://10.0.0.7:3000/"))
    assert (made["name"], made["origin"]) == ("example.com", "http://10.0.0.7:3000")
    assert (made["status"], made["account"]["id"]) == ("active", api.a)
    found = api.ask(f"/zones?name=example.com&account.id={api.a}")
    assert result(found) == [made]
    assert found.envelope()["result_info"]["cursor"] == ""
    one = f"/zones/{made['id']}"
    changed = result(send(api, one, {"origin": None}, method="PATCH"))
    assert changed["origin"] is None
    assert result(send(api, one, {}, method="PATCH")) == changed
    assert result(api.ask(one, method="DELETE")) == {"id": made["id"]}
    assert result(api.ask("/zones")) == []
    assert api.fleet.routed == 4


@pytest.mark.parametrize("query", ["name=other.example", "account.id=nope", "page=2"])
def test_zones_that_are_not_asked_for_are_not_listed(api, query):
    add(api, "example.com")
    assert result(api.ask(f"/zones?{query}")) == []


@pytest.mark.parametrize(
    "name", ["", ".", "a b", "-", "a..b", "*.x", "x/y", "x" * 64, "é" * 100, "a.b:80"]
)
def test_a_name_that_is_no_domain_is_refused(api, name):
    heard = add(api, name)
    assert (heard.status, heard.code) == (400, 1002)


@pytest.mark.parametrize(
    "origin",
    [
        "x",
        "ftp://x",
        "http://",
        "http://u:p@x",
        "http://x/path",
        "http://x:99999",
        "http://x y",
    ],
)
def test_an_origin_that_is_none_is_refused(api, origin):
    heard = add(api, "example.com", origin=origin)
    assert (heard.status, heard.code) == (400, 1002)
    assert api.fleet.routed == 0


def test_a_domain_and_what_is_below_it_are_one_accounts(api):
    add(api, "example.com")
    assert add(api, "example.com").code == 1061
    assert add(api, "shop.example.com").status == 200
    for name in ("example.com", "api.example.com", "com"):
        body = {"name": name, "account": {"id": api.b}}
        assert send(api, "/zones", body).code == 1061
    foreign = {"name": "b.example", "account": {"id": api.b}}
    assert send(api, "/zones", foreign, "a-deploy").status == 403


def test_routes_of_a_zone_need_a_worker_that_is_there(api):
    zone = result(add(api, "example.com"))["id"]
    routes = f"/zones/{zone}/workers/routes"
    assert result(api.ask(routes)) == []
    absent = send(api, routes, {"pattern": "example.com/*", "script": "absent"})
    assert (absent.status, absent.code) == (404, 10007)
    assert send(api, routes, {"pattern": "example.com/*"}).status == 400
    for method in ("GET", "DELETE"):
        assert api.ask(f"{routes}/nope", method=method).status == 404
    body = {"pattern": "example.com/*", "script": "absent"}
    assert send(api, f"{routes}/nope", body, method="PUT").status == 404


def test_the_sdk_manages_zones_and_its_lists_end(api):
    with cloudflare.Cloudflare(
        api_token=api.tokens["admin"],
        base_url=api.server.address.url,
        max_retries=0,
    ) as sdk:
        made = sdk.zones.create(name="example.com", account={"id": api.a})
        assert [one.id for one in islice(sdk.zones.list(), 99)] == [made.id]
        assert sdk.zones.get(zone_id=made.id).name == "example.com"
        routes = sdk.workers.routes.list(zone_id=made.id)
        assert list(islice(routes, 99)) == []
        sdk.zones.delete(zone_id=made.id)
        assert [one.name for one in islice(sdk.accounts.list(), 99)] == [
            "selfedge",
            "other",
        ]
