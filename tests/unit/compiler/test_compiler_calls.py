"""Calls to a Worker with static files pass its router; no others change."""

from selfedge.binding import Fragment
from selfedge.bundle.model import WITHOUT_CODE
from selfedge.compiler.calls import ENTRANCE, with_routers
from selfedge.compiler.graph import Part, Script
from selfedge.manifest.model import Build, Manifest


def part(name, **fragment):
    manifest = Manifest(
        path=None,
        environment=None,
        name=name,
        main=None,
        compatibility_date="2026-01-01",
        compatibility_flags=(),
        build=Build(),
        tables={},
        pointers={},
        secrets={},
    )
    script = Script(manifest=manifest, bundle=WITHOUT_CODE)
    return Part(script=script, fragments=[Fragment(**fragment)])


def config(*designators, code=True):
    assets = {"path": "/p"}
    if code:
        assets["userWorker"] = {"name": "worker:site", "entrypoint": "inner"}
    bindings = [
        {"name": f"B{index}", "service": one} for index, one in enumerate(designators)
    ]
    return {
        "services": [
            {"name": "worker:caller", "worker": {"bindings": bindings}},
            {"name": "worker:site", "worker": {}},
            {"name": "assets:site", "assets": assets},
        ],
        "sockets": [
            {
                "name": "in",
                "service": {"name": "worker:site", "entrypoint": ENTRANCE},
            },
            {"name": "client", "service": {"name": "worker:site", "entrypoint": "e"}},
        ],
    }


PARTS = [part("caller"), part("site", router="assets:site")]


def named(made):
    return {one["name"]: one for one in made["services"]}


def test_without_routers_nothing_changes():
    given = config({"name": "worker:site"})
    assert with_routers(given, [part("caller"), part("site")]) is given


def test_a_plain_call_passes_a_router_with_the_code_behind_it():
    made = with_routers(config({"name": "worker:site"}), PARTS)
    (binding,) = named(made)["worker:caller"]["worker"]["bindings"]
    assert binding["service"] == {"name": "assets:site:calls"}
    router = named(made)["assets:site:calls"]["assets"]
    assert router == {"path": "/p", "userWorker": {"name": "worker:site"}}


def test_a_call_of_another_process_passes_a_router_of_its_own():
    made = with_routers(config(), PARTS)
    entrance, client = made["sockets"]
    assert entrance["service"] == {"name": "assets:site:entrance"}
    behind = named(made)["assets:site:entrance"]["assets"]["userWorker"]
    assert behind == {"name": "worker:site", "entrypoint": ENTRANCE}
    assert client["service"]["entrypoint"] == "e"


def test_named_entrypoints_props_and_other_workers_are_left_alone():
    others = [
        {"name": "worker:site", "entrypoint": "Named"},
        {"name": "worker:site", "props": {"json": "{}"}},
        {"name": "worker:caller"},
    ]
    made = with_routers(config(*others), PARTS)
    bindings = named(made)["worker:caller"]["worker"]["bindings"]
    assert [one["service"] for one in bindings] == others


def test_behind_files_alone_nothing_stands():
    made = with_routers(config({"name": "worker:site"}, code=False), PARTS)
    assert named(made)["assets:site:calls"]["assets"] == {"path": "/p"}
