"""The tables of rate limits."""

import msgspec
import pytest

from selfedge.binding import Site
from selfedge.bindings import ratelimit
from selfedge.bindings.ratelimit.config import (
    entries,
    parse,
    parse_unsafe,
    unsafe_entries,
    uploaded,
)

SIMPLE = {"limit": 10, "period": 60}
ENTRY = {"name": "RL", "namespace_id": "1001", "simple": SIMPLE}
SITE = Site(account="local", worker="app", workers=frozenset({"app"}), objects="")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({**ENTRY, "name": ""}, "length >= 1"),
        ({**ENTRY, "namespace_id": 1001}, "Expected `str`"),
        ({"name": "RL", "namespace_id": "1"}, "`simple`"),
        ({**ENTRY, "simple": {"limit": 10, "period": 30}}, "30"),
        ({**ENTRY, "simple": {"limit": -1, "period": 10}}, ">= 0"),
        ({**ENTRY, "simple": {"limit": "1", "period": 10}}, "Expected `int`"),
    ],
)
def test_a_wrong_entry_is_told(entry, words):
    with pytest.raises(msgspec.ValidationError) as caught:
        parse([entry])
    assert words in str(caught.value)


def test_an_upload_says_the_same_as_the_table_and_back():
    uploads = [{"type": "ratelimit", **ENTRY}]
    assert uploaded(uploads) == [ENTRY]
    assert entries([ENTRY]) == uploads


def test_the_older_table_says_the_same():
    table = {"bindings": [{"type": "ratelimit", **ENTRY}]}
    assert unsafe_entries(table) == entries([ENTRY])
    old = ratelimit.UNSAFE.compile(parse_unsafe(table)[0], SITE)
    assert old == ratelimit.BINDING.compile(parse([ENTRY])[0], SITE)


def test_an_older_entry_without_numbers_is_told():
    with pytest.raises(msgspec.ValidationError, match="`simple`"):
        parse_unsafe({"bindings": [{"name": "RL", "type": "ratelimit"}]})


def test_what_is_not_known_is_left_out_and_shown():
    (entry,) = parse_unsafe({"bindings": [{"name": "X", "type": "other", "a": 1}]})
    fragment = ratelimit.UNSAFE.compile(entry, SITE)
    assert fragment.bindings == ()
    assert fragment.rows[0].detail == "not supported: it is left out"


def test_bindings_of_a_namespace_share_a_backend():
    first, second = (
        ratelimit.BINDING.compile(parse([{**ENTRY, "name": name}])[0], SITE)
        for name in ("A", "B")
    )
    assert first.backends == second.backends
    assert first.extensions == second.extensions
