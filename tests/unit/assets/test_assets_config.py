"""The table `assets`: what it may say, and what the engine gets for it."""

import json

import msgspec
import pytest

from selfedge.binding import Site, StaticFiles
from selfedge.bindings.assets.compile import compile_assets
from selfedge.bindings.assets.config import Assets, entries, parse, uploaded
from selfedge.errors import ManifestError

FILES = StaticFiles(
    folder="/p/public",
    headers="/*\n  X-A: 1\n",
    redirects="/a /b\n",
    ignore="secret\n",
    has_code=True,
    compatibility_date="2026-01-01",
)


def site(files=FILES, **more):
    return Site(
        account="local",
        worker="app",
        workers=frozenset({"app"}),
        objects="",
        assets=files,
        **more,
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"html_handling": "maybe"}, "maybe"),
        ({"not_found_handling": "500-page"}, "500-page"),
        ({"directory": 1}, "Expected `str"),
        ({"binding": ""}, "length >= 1"),
        ({"run_worker_first": "yes"}, "Expected"),
        ({"run_worker_first": []}, "at least one rule"),
        ({"run_worker_first": ["!/a"]}, "All rules begin with `!`"),
        ({"run_worker_first": ["a"]}, "'a' must begin with `/` or `!/`"),
        ({"run_worker_first": ["/a", "!b"]}, "'!b' must begin with"),
        ({"run_worker_first": ["/a", "/a"]}, "stands twice"),
        ({"run_worker_first": ["/a*", "/abc"]}, "redundant beside '/a*'"),
        ({"run_worker_first": ["/" + "a" * 100]}, "longer than 100"),
        ({"run_worker_first": [f"/{n}" for n in range(101)]}, "more than 100"),
    ],
)
def test_a_wrong_table_is_told(table, words):
    with pytest.raises(msgspec.ValidationError) as caught:
        parse(table)
    assert words in str(caught.value)


def test_rules_that_wrangler_takes_are_taken():
    rules = ["/api/*", "/auth", "!/api/docs/*"]
    (assets,) = parse({"directory": "public", "run_worker_first": rules})
    assert list(assets.run_worker_first) == rules


def test_an_upload_names_the_binding_and_back():
    table = uploaded([{"type": "assets", "name": "ASSETS"}])
    assert table == {"binding": "ASSETS"}
    assert entries(table) == [{"type": "assets", "name": "ASSETS"}]
    assert entries({"directory": "public"}) == []
    with pytest.raises(ValueError, match="at most"):
        uploaded([{"name": "A"}, {"name": "B"}])


def test_the_router_has_what_the_files_say():
    fragment = compile_assets(Assets(directory="public", binding="ASSETS"), site())
    (router,) = fragment.services
    assert router["name"] == "assets:app"
    assert router["assets"]["path"] == "/p/public"
    assert router["assets"]["userWorker"]["entrypoint"] == "selfedgeWorker"
    config = json.loads(router["assets"]["config"])
    assert config["headers"] == FILES.headers
    assert config["redirects"] == FILES.redirects
    assert config["ignore"].endswith("secret\n")
    names = {one["name"]: one["service"] for one in fragment.bindings}
    assert names["selfedge:assets"] == {"name": "assets:app"}
    assert names["ASSETS"] == {"name": "assets:app", "entrypoint": "AssetWorker"}


def test_a_version_that_is_not_the_first_has_a_router_of_its_own():
    fragment = compile_assets(Assets(), site(service="app@1234"))
    assert fragment.services[0]["name"] == "assets:app@1234"
    worker = fragment.services[0]["assets"]["userWorker"]["name"]
    assert worker == "worker:app@1234"


def test_a_worker_that_always_comes_first_has_no_router_before_it():
    entry = Assets(binding="ASSETS", run_worker_first=True)
    names = [one["name"] for one in compile_assets(entry, site()).bindings]
    assert names == ["ASSETS"]


def test_without_code_nothing_stands_behind_the_files():
    files = StaticFiles(folder="/p", has_code=False, compatibility_date="2026-01-01")
    router = compile_assets(Assets(), site(files)).services[0]["assets"]
    assert "userWorker" not in router
    assert router["compatibilityDate"] == "2026-01-01"


@pytest.mark.parametrize(
    ("entry", "files", "words"),
    [
        (Assets(binding="A"), None, "the binding 'A' is to static assets"),
        (Assets(), None, "`assets.directory` is missing"),
        (
            Assets(run_worker_first=True),
            StaticFiles(folder="/p", has_code=False, compatibility_date="2026-01-01"),
            "`assets.run_worker_first` needs code",
        ),
    ],
)
def test_what_cannot_be_run_is_told(entry, files, words):
    with pytest.raises(ManifestError) as caught:
        compile_assets(entry, site(files))
    assert words in str(caught.value)
