"""Raw paths find their routes, and are decoded once."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.binding import Route
from selfedge.control.routing import SEGMENTS_MAX, Router


async def nothing(call):
    return None


def routes(*paths, method="GET"):
    return [Route(method=method, path=path, answer=nothing) for path in paths]


ROUTER = Router(
    routes(
        "/accounts",
        "/accounts/{account}",
        "/accounts/{account}/indexes/{index}",
        "/accounts/{account}/indexes/{index}/list",
        "/accounts/{account}/indexes/new",
        "/accounts/{account}/{anything}/fixed",
        "/accounts/{account}/run/{model...}",
        "/accounts/{account}/instances/",
    )
)


def found(path, router=ROUTER):
    target = router.find(path).get("GET")
    return target and (target.route.path, dict(target.parameters))


@pytest.mark.parametrize(
    ("path", "pattern", "parameters"),
    [
        ("/accounts", "/accounts", {}),
        ("/accounts/", "/accounts", {}),
        ("/accounts/a", "/accounts/{account}", {"account": "a"}),
        (
            "/accounts/a/indexes/x%2Fy",
            "/accounts/{account}/indexes/{index}",
            {"account": "a", "index": "x/y"},
        ),
        (
            "/accounts/a/indexes/%252F",
            "/accounts/{account}/indexes/{index}",
            {"account": "a", "index": "%2F"},
        ),
        (
            "/accounts/a/indexes/a+b",
            "/accounts/{account}/indexes/{index}",
            {"account": "a", "index": "a+b"},
        ),
        (
            "/accounts/a/indexes/new",
            "/accounts/{account}/indexes/new",
            {"account": "a"},
        ),
        (
            "/accounts/a/indexes/new/list",
            "/accounts/{account}/indexes/{index}/list",
            {"account": "a", "index": "new"},
        ),
        (
            "/accounts/a/indexes/fixed",
            "/accounts/{account}/indexes/{index}",
            {"account": "a", "index": "fixed"},
        ),
        (
            "/accounts/a/run/@cf%2Fbaai%2Fbge",
            "/accounts/{account}/run/{model...}",
            {"account": "a", "model": "@cf/baai/bge"},
        ),
        (
            "/accounts/a/run/@cf/baai/bge/",
            "/accounts/{account}/run/{model...}",
            {"account": "a", "model": "@cf/baai/bge/"},
        ),
        (
            "/accounts/a/instances/",
            "/accounts/{account}/instances/",
            {"account": "a"},
        ),
    ],
)
def test_a_path_finds_its_route(path, pattern, parameters):
    assert found(path) == (pattern, parameters)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/accounts//indexes/x",
        "/accounts/a/run",
        "/accounts/a/run/",
        "/accounts/a/indexes/x/list/more",
        "/ACCOUNTS",
        "/accounts/a/indexes/x/../../b",
    ],
)
def test_other_paths_find_nothing(path):
    assert found(path) is None


def test_a_path_of_very_many_segments_finds_nothing():
    assert found("/accounts/a/run" + "/x" * SEGMENTS_MAX) is None


def test_a_segment_that_is_no_utf8_is_refused():
    with pytest.raises(ValueError, match="UTF-8"):
        ROUTER.find("/accounts/%ff")


def test_methods_of_a_path_are_told_apart():
    router = Router(
        [*routes("/a/{x}"), *routes("/a/{y}", method="PUT"), *routes("/a/b")]
    )
    assert set(router.find("/a/c")) == {"GET", "PUT"}
    assert dict(router.find("/a/c")["PUT"].parameters) == {"y": "c"}
    assert set(router.find("/a/b")) == {"GET"}


@pytest.mark.parametrize("path", ["/accounts/{other}", "/a/{rest...}/b"])
def test_a_route_that_cannot_be_is_refused(path):
    with pytest.raises(ValueError, match=r"stands twice|not the end"):
        Router([*routes("/accounts/{account}"), *routes(path)])


@given(st.text(max_size=200))
def test_no_text_breaks_the_router(text):
    with contextlib.suppress(ValueError):
        ROUTER.find(text)
