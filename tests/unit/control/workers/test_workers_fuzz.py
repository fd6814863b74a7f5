"""Any call about Workers gets an answer: no body and no path makes an error of ours."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.workers import ACCOUNT, ES_MODULE, HELLO, workers_api
from selfedge.control.workers.multipart import form

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=8,
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["S", "V", "T", ""]) | JSON},
        optional={
            "type": st.sampled_from(
                [
                    "secret_text",
                    "plain_text",
                    "json",
                    "inherit",
                    "service",
                    "ai",
                    "durable_object_namespace",
                    "kv_namespace",
                    "vectorize",
                ]
            ),
            "text": JSON,
            "json": JSON,
            "secret": JSON,
            "service": JSON,
            "class_name": JSON,
            "script_name": JSON,
            "namespace_id": JSON,
            "old_name": JSON,
        },
    ),
    max_size=3,
)
KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "bindings": ENTRIES,
        "env": st.dictionaries(
            st.sampled_from(["S", "V", ""]), ENTRIES.map(lambda e: e[0] if e else None)
        ),
        "secrets": JSON,
        "name": JSON,
        "text": JSON,
        "enabled": st.booleans(),
        "versions": JSON,
        "origins": JSON,
        "pattern": JSON,
        "annotations": JSON,
        "settings": JSON,
        "migrations": JSON,
        "limits": JSON,
        "tags": JSON,
        "tail_consumers": JSON,
        "observability": JSON,
        "filters": JSON,
        "subdomain": JSON,
    },
)


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with workers_api(tmp_path_factory.mktemp("data")) as api:
        api.deploy("w")
        api.deploy("other")
        yield api


@pytest.fixture(scope="module")
def places(api):
    """All routes, with the account and a Worker that is there, but for deletions."""
    paths = {
        (route.method, route.path)
        for route in api.routes
        if route.method != "DELETE" and "usage-model" not in route.path
    }
    return [
        (method, path.replace("{account}", ACCOUNT).replace("{script}", "w"))
        for method, path in sorted(paths)
    ]


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_call_makes_an_error_of_ours(api, places, data):
    method, path = data.draw(st.sampled_from(places))
    for name in ("version", "deployment", "domain", "hash", "tail", "name"):
        value = data.draw(st.sampled_from(["x", "..", "%2e%2e%2f", "%00", "S"]))
        path = path.replace(f"{{{name}}}", value)
    path = path.replace("{environment}", "production")
    said = data.draw(KNOWN | JSON)
    if data.draw(st.booleans()):
        part = data.draw(st.sampled_from(["metadata", "settings"]))
        if isinstance(said, dict):
            said = {"main_module": "index.js", **said}
        raw = ("application/json", json.dumps(said).encode())
        kind, body = form({part: raw, "index.js": (ES_MODULE, HELLO.encode())})
    else:
        kind, body = "application/json", json.dumps(said).encode()
    heard = api.server.ask(
        path, method=method, body=body, headers={"Content-Type": kind}
    )
    assert heard.status < 500, (method, path, said, heard.body)
