"""Which stored response a request selects."""

import pytest

from selfedge.bindings.cache.rfc9111.vary import selected, selectors

GERMAN = {"accept-language": "de, en", "accept": "text/html"}


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        (None, ()),
        ("", ()),
        (" , ", ()),
        ("Accept-Language", (("accept-language", "de,en"),)),
        ("Cookie", (("cookie", None),)),
        ("B, a, A", (("a", None), ("b", None))),
        ("*", None),
        ("Accept, *", None),
    ],
)
def test_selectors(vary: str | None, expected: object) -> None:
    """Names ignore case and order; a star selects nothing."""
    assert expected == selectors(vary, GERMAN.get)


@pytest.mark.parametrize(
    ("headers", "agrees"),
    [
        ({"accept-language": "de, en"}, True),
        ({"accept-language": "de,en"}, True),
        ({"accept-language": " de ,  en"}, True),
        ({"accept-language": "en, de"}, False),
        ({"accept-language": "DE, en"}, False),
        ({"accept-language": ""}, False),
        ({}, False),
    ],
)
def test_selected(headers: dict[str, str], agrees: object) -> None:
    """White space at commas does not count; order, case and absence do."""
    stored = selectors("Accept-Language", GERMAN.get)
    assert stored is not None
    assert agrees == selected(stored, headers.get)


def test_absent_selects_absent() -> None:
    """A header that both requests lack agrees."""
    assert selected((("cookie", None),), {}.get)
    assert not selected((("cookie", None),), {"cookie": "a"}.get)
