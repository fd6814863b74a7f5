"""Commands that administer a node, as a person types them, against its real API."""

import json
import stat

import pytest
from click.testing import CliRunner

from harness.control import serve_api
from selfedge.cli.app import app
from selfedge.errors import ApiError, UsageError


@pytest.fixture
def node(tmp_path):
    with serve_api(tmp_path / "data") as api:
        yield api


@pytest.fixture
def run(node, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for family in ("SELFEDGE", "CLOUDFLARE"):
        for name in ("URL", "TOKEN", "ACCOUNT", "API_BASE_URL", "API_TOKEN"):
            monkeypatch.delenv(f"{family}_{name}", raising=False)
    usual = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": "",
        "SELFEDGE_URL": node.server.address.url,
        "SELFEDGE_TOKEN": node.tokens["admin"],
        "SELFEDGE_ACCOUNT": node.a,
    }

    def invoke(*arguments, env=None, **options):
        environ = usual if env is None else {"HOME": str(tmp_path), **env}
        found = CliRunner().invoke(app, arguments, env=environ, **options)
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found

    return invoke


def test_a_token_is_made_used_listed_and_revoked(run, node):
    made = run("token", "create", "ci", "--scope", "read", "--account", node.b)
    text = made.stdout.strip()
    assert node.ask("/accounts", text).envelope()["result"][0]["id"] == node.b
    listed = json.loads(run("token", "list", "--json").stdout)
    (one,) = [one for one in listed if one["name"] == "ci"]
    assert (one["scope"], one["account"]) == ("read", node.b)
    assert "ci" in run("token", "list").stdout
    assert run("token", "revoke", one["id"], input="n\n").exit_code == 1
    run("token", "revoke", one["id"], "-y")
    assert node.ask("/accounts", text).status == 401


def test_accounts_are_made_and_listed(run):
    run("account", "create", "third", "--subdomain", "three")
    assert "third" in run("account", "list").stdout
    names = [one["name"] for one in json.loads(run("account", "list", "--json").stdout)]
    assert names == ["selfedge", "other", "third"]


def test_an_account_is_changed(run, node):
    said = run(
        "account", "update", node.b, "--name", "new", "--private-outbound"
    ).stdout
    assert "new" in said
    assert "private, too" in said
    assert node.catalog.state.accounts[node.b].private_outbound
    assert "public only" in run("account", "update", node.b, "--public-outbound").stdout


def test_zones_are_added_changed_listed_and_removed(run, node):
    run("zone", "add", "example.com", "--origin", "http://10.0.0.7:3000")
    assert "http://10.0.0.7:3000" in run("zone", "list").stdout
    run("zone", "update", "example.com")
    (one,) = json.loads(run("zone", "list", "--json").stdout)
    assert (one["name"], one["origin"]) == ("example.com", None)
    assert one["account"]["id"] == node.a
    run("zone", "remove", "example.com", "-y")
    assert json.loads(run("zone", "list", "--json").stdout) == []
    with pytest.raises(UsageError, match=r"no zone example\.com"):
        run("zone", "remove", "example.com", "-y")


def test_a_refusal_says_why(run, node):
    env = {
        "SELFEDGE_URL": node.server.address.url,
        "SELFEDGE_TOKEN": node.tokens["a-read"],
    }
    with pytest.raises(ApiError, match="needs a token of scope deploy"):
        run("zone", "add", "example.com", env=env)


# login


def test_a_login_is_kept_for_its_user_and_forgotten(run, node, tmp_path):
    url = node.server.address.url
    run("login", url, env={}, input=node.tokens["b-deploy"] + "\n")
    file = tmp_path / ".config" / "selfedge" / "login.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = run("whoami", env={}).stdout
    assert url in shown
    assert node.b in shown
    assert node.tokens["b-deploy"] not in shown
    run("logout", env={})
    with pytest.raises(UsageError, match="selfedge login URL"):
        run("whoami", env={})


def test_a_login_takes_a_bare_host_and_an_account(run, node):
    bare = node.server.address.url.removesuffix("/client/v4") + "/"
    token = ("--token", node.tokens["admin"])
    with pytest.raises(UsageError, match=rf"several accounts.*{node.a}"):
        run("login", bare, *token, env={})
    run("login", bare, *token, "--account", node.b, env={})
    found = json.loads(run("whoami", "--json", env={}).stdout)
    assert found["url"] == node.server.address.url
    shell = run("env", env={}).stdout
    assert f"export CLOUDFLARE_API_BASE_URL={node.server.address.url}\n" in shell
    assert f"CLOUDFLARE_ACCOUNT_ID={node.b}" in shell
    assert f"CLOUDFLARE_API_TOKEN={node.tokens['admin']}" in shell


@pytest.mark.parametrize("url", ["", "node", "ftp://node", "http://", "http://u:p@x"])
def test_a_login_at_what_is_no_url_is_refused(run, url):
    with pytest.raises(UsageError, match="URL must be one like"):
        run("login", url, "--token", "x", env={})


def test_a_login_with_a_wrong_token_keeps_nothing(run, node, tmp_path):
    with pytest.raises(ApiError, match="not one of the node's"):
        run("login", node.server.address.url, "--token", "wrong", env={})
    assert not (tmp_path / ".config").exists()


def test_env_of_a_data_directory_leaves_out_a_token_that_it_does_not_know(
    run, node, tmp_path
):
    address = {"url": node.server.address.url, "token": "", "account": node.a}
    (tmp_path / "data" / "api.json").write_text(json.dumps(address))
    shown = run("env", "--data-dir", "data", env={})
    assert shown.stdout.splitlines() == [
        f"export CLOUDFLARE_API_BASE_URL={address['url']}",
        f"export CLOUDFLARE_ACCOUNT_ID={node.a}",
    ]
    known = {"SELFEDGE_TOKEN": node.tokens["a-read"]}
    assert "API_TOKEN=" in run("env", "--data-dir", "data", env=known).stdout
    with pytest.raises(UsageError, match="wants a token"):
        run("whoami", "--data-dir", "data", env={})
