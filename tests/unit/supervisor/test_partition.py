"""Workers share a process when one uses the Durable Objects of another."""

from selfedge.binding import Way
from selfedge.catalog.model import Account, Deployment, ScriptState, Share, Version
from selfedge.supervisor.limits import (
    BASE_BYTES,
    ISOLATE_BYTES,
    PROFILES,
    limits_of,
)
from selfedge.supervisor.partition import callees, groups

NOW = "2026-11-25T00:00:00Z"


def uses(owner):
    return {
        "type": "durable_object_namespace",
        "name": "O",
        "class_name": "C",
        "script_name": owner,
    }


def account(**bindings):
    scripts, versions = {}, {}
    for name, bound in bindings.items():
        versions[name] = Version(
            id=name,
            number=1,
            created_on=NOW,
            source="api",
            author="a",
            main_module="i.js",
            bindings=tuple(bound or ()),
            compatibility_date="2026-10-01",
        )
        deployment = Deployment(
            id="d",
            created_on=NOW,
            source="api",
            author="a",
            versions=(Share(version_id=name, percentage=100),),
        )
        scripts[name] = ScriptState(
            name=name,
            tag="0" * 32,
            created_on=NOW,
            modified_on=NOW,
            deployments=() if bound is None else (deployment,),
        )
    made = Account(id="one", name="one", subdomain="s", created_on=NOW, scripts=scripts)
    return {frozenset(names) for names in groups(made, versions.__getitem__)}


def test_each_worker_is_alone_unless_it_uses_anothers_objects():
    assert account(a=[], b=[{"type": "service", "name": "S", "service": "a"}]) == {
        frozenset("a"),
        frozenset("b"),
    }
    assert account(a=[], b=[uses("a")], c=[]) == {frozenset("ab"), frozenset("c")}


def test_chains_are_one_group_and_circles_end():
    assert account(a=[uses("b")], b=[uses("c")], c=[uses("a")], d=[]) == {
        frozenset("abc"),
        frozenset("d"),
    }


def test_what_is_not_deployed_or_not_there_joins_nothing():
    assert account(a=[uses("gone")], b=None) == {frozenset("a")}


def test_callees_are_named_with_their_entrypoints():
    bound = [
        {"type": "service", "name": "A", "service": "a"},
        {"type": "service", "name": "B", "service": "b", "entrypoint": "Named"},
        {"type": "plain_text", "name": "T", "text": "t"},
    ]
    assert list(callees(bound)) == [Way("a"), Way("b", "Named")]


def test_limits_are_the_workers_own_or_its_profiles():
    free, unbound = PROFILES["free"], PROFILES["unbound"]
    assert limits_of(free, {}, 1).blocked_s == 0.5
    assert limits_of(free, {"cpu_ms": 2000}, 1).blocked_s == 2.0
    assert limits_of(free, {}, 2).memory_bytes == BASE_BYTES + 2 * ISOLATE_BYTES
    assert limits_of(unbound, {}, 1).blocked_s is None
    assert limits_of(unbound, {"cpu_ms": 100}, 1).blocked_s == 0.5
    assert limits_of(unbound, {}, 1).memory_bytes is None
