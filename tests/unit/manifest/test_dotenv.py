"""`.dev.vars` and `.env` are read as dotenv and dotenv-expand read them."""

import pytest

from selfedge.manifest.dotenv import expand, parse


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("A=1", {"A": "1"}),
        ("A = 1 # note\r\nB=2", {"A": "1", "B": "2"}),
        ("export A=1", {"A": "1"}),
        ("A: yaml", {"A": "yaml"}),
        ("A='single # \\n'", {"A": "single # \\n"}),
        ('A="two\\nlines"', {"A": "two\nlines"}),
        ('A="real\nnewline"\nB=1', {"A": "real\nnewline", "B": "1"}),
        ('A=`back "tick" \'d`', {"A": 'back "tick" \'d'}),
        ("A=\nB=", {"A": "", "B": ""}),
        ("# A=1\n\n  B=2", {"B": "2"}),
        ("A=1\nA=2", {"A": "2"}),
        ('A="open', {"A": '"open'}),
        ("A.b-c=1", {"A.b-c": "1"}),
        ("no pair here", {}),
        ("A=a=b", {"A": "a=b"}),
        ('A={"json": "x"}', {"A": '{"json": "x"}'}),
    ],
)
def test_pairs_are_read(text: str, pairs: dict[str, str]) -> None:
    """Quotes, comments, `export` and lines that are no pairs."""
    assert parse(text) == pairs


@pytest.mark.parametrize(
    ("pairs", "expanded"),
    [
        ({"A": "x", "B": "$A-${A}"}, "x-x"),
        ({"A": "x", "B": "${NOPE:-${A}}"}, "x"),
        ({"A": "x", "B": "${A:+set}${NOPE+unset}"}, "set"),
        ({"A": "x", "B": "\\$A"}, "$A"),
        ({"A": "x", "B": "$HOME"}, "/home/me"),
        ({"A": "$B", "B": "$A"}, ""),
        ({"B": "$B"}, ""),
    ],
)
def test_references_are_replaced(pairs: dict[str, str], expanded: str) -> None:
    """A reference to itself ends."""
    assert expand(pairs, {"HOME": "/home/me"})["B"] == expanded
