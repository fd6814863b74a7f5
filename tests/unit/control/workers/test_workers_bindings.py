"""Bindings of uploads: what this node cannot run is named, with what it can."""

import pytest

from selfedge.control.workers.bindings import check, inherits_bare, merged, public
from selfedge.control.workers.limits import VARIABLES_MAX
from selfedge.errors import ApiError
from selfedge.standard import BINDINGS

KV = {"name": "KV", "type": "kv_namespace", "namespace_id": "n"}
TEXT = {"name": "T", "type": "plain_text", "text": "t"}
SECRET = {"name": "S", "type": "secret_text", "secret": "id"}


def refused(call, *arguments, **options):
    with pytest.raises(ApiError) as caught:
        call(*arguments, **options)
    assert caught.value.status == 400
    return caught.value


def merge(given, before=(), *, keep=(), strict=True):
    return merged(given, before, keep=keep, strict=strict)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "A", "type": "ai"},
        {"name": "V", "type": "vectorize", "index_name": "docs"},
        {"name": "J", "type": "json", "json": {"a": [1]}},
        {"name": "M", "type": "version_metadata"},
        {"name": "W", "type": "service", "service": "w", "entrypoint": "E"},
        {"name": "O", "type": "durable_object_namespace", "class_name": "C"},
        KV,
        TEXT,
        SECRET,
    ],
)
def test_what_the_node_runs_is_taken(entry):
    check([entry], BINDINGS)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "X", "type": "hyperdrive", "id": "x"},
        {"name": "X", "type": "nonsense"},
        {"name": "X", "type": "kv_namespace"},
        {"name": "X", "type": "kv_namespace", "namespace_id": 1},
        {"name": "X", "type": "plain_text"},
        {"name": "X", "type": "plain_text", "text": 1},
        {"name": "X", "type": "secret_text"},
        {"name": "X", "type": "json"},
        {"name": "X", "type": "service", "service": ["w"]},
        {"name": "X", "type": "vectorize", "index_name": None},
        {"name": "X", "type": "durable_object_namespace", "class_name": 5},
    ],
)
def test_a_binding_that_cannot_be_is_named(entry):
    error = refused(check, [entry], BINDINGS)
    assert error.number == 10021


def test_an_unsupported_type_is_told_with_those_that_are():
    error = refused(check, [{"name": "Q", "type": "hyperdrive"}], BINDINGS)
    assert "'Q' has type 'hyperdrive'" in str(error)
    assert "kv_namespace" in str(error)


def test_variables_are_counted_and_weighed():
    many = [{**TEXT, "name": f"T{n}"} for n in range(VARIABLES_MAX + 1)]
    assert refused(check, many, BINDINGS).number == 10055
    assert refused(check, [{**TEXT, "text": "x" * 6000}], BINDINGS).number == 10054
    large = {"name": "J", "type": "json", "json": ["x" * 6000]}
    assert refused(check, [large], BINDINGS).number == 10054


def test_what_is_kept_gives_way_to_what_is_given():
    before = [KV, TEXT, SECRET]
    assert merge([], before, keep={"secret_text"}) == [SECRET]
    given = {"name": "S", "type": "plain_text", "text": "now plain"}
    assert merge([given], before, keep={"secret_text"}) == [given]


def test_inherit_takes_the_latest_also_under_another_name():
    assert merge([{"name": "KV", "type": "inherit"}], [KV]) == [KV]
    renamed = merge([{"name": "N", "type": "inherit", "old_name": "KV"}], [KV])
    assert renamed == [{**KV, "name": "N"}]
    unknown = [{"name": "X", "type": "inherit"}]
    assert refused(merge, unknown, [KV]).number == 10057
    assert merge(unknown, [KV], strict=False) == []


def test_a_name_stands_once_and_is_there():
    assert refused(merge, [KV, {**TEXT, "name": "KV"}]).number == 10021
    for entry in (
        {},
        {"name": "", "type": "ai"},
        {"name": 1, "type": "ai"},
        {"name": "A"},
    ):
        assert refused(merge, [entry]).number == 10021


def test_the_id_of_a_sealed_value_is_not_for_clients_to_give():
    assert merge([SECRET]) == [{"name": "S", "type": "secret_text"}]


def test_a_name_and_type_alone_stand_for_what_is_there():
    given = [{"name": "KV", "type": "kv_namespace"}, {"name": "N", "type": "ai"}]
    assert inherits_bare(given, [KV]) == [{"name": "KV", "type": "inherit"}, given[1]]


def test_secrets_have_no_value_for_anybody():
    assert public([SECRET, TEXT]) == [{"name": "S", "type": "secret_text"}, TEXT]
