"""Lists end: page after page, or cursor after cursor, all is seen once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.api.paging import after, numbered, read_cursor, whole_list, write_cursor
from selfedge.errors import ApiError


def test_a_page_tells_where_it_is():
    page = numbered(list("abcde"), {"page": "2", "per_page": "2"})
    assert page.items == ["c", "d"]
    assert page.info == {
        "page": 2,
        "per_page": 2,
        "count": 2,
        "total_count": 5,
        "total_pages": 3,
    }


@pytest.mark.parametrize("page", ["2", "8075", "1000000000"])
def test_past_the_end_a_page_is_empty(page):
    assert numbered(["a"], {"page": page}).items == []
    assert whole_list(["a"], {"page": page}).items == []


@pytest.mark.parametrize("name", ["page", "per_page"])
@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "x", "²", "9" * 5000, "1000000001", " 1"]
)
def test_a_wrong_number_is_refused_by_name(name, value):
    with pytest.raises(ApiError, match=f"^{name} must be a whole number") as caught:
        numbered([], {name: value})
    assert caught.value.status == 400


def test_an_empty_list_has_one_empty_page():
    assert numbered([], {}).info["total_pages"] == 0
    assert whole_list([], {}).items == []


@given(st.lists(st.integers()), st.integers(1, 10))
def test_all_pages_together_are_the_list(items, size):
    seen, number = [], 1
    while part := numbered(items, {"page": f"{number}", "per_page": f"{size}"}).items:
        seen += part
        number += 1
    assert seen == items


@given(st.sets(st.text()), st.integers(1, 10))
def test_all_cursors_together_are_the_list(names, size):
    items = sorted(names)
    seen, cursor = [], ""
    while True:
        part, cursor = after(items, {"cursor": cursor}, str, size=size)
        seen += part
        if not cursor:
            break
    assert seen == items


def test_a_cursor_goes_on_where_it_was_though_the_list_has_changed():
    part, cursor = after(["a", "b", "d"], {}, str, size=2)
    assert part == ["a", "b"]
    assert after(["c", "d"], {"cursor": cursor}, str, size=2) == (["c", "d"], "")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cursor_is_opaque_and_comes_back(position):
    cursor = write_cursor(position)
    assert read_cursor(cursor) == position
    assert cursor.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("cursor", ["*", "a", "é", "_w", "\udcff", "YQ=="])
def test_a_foreign_cursor_is_refused(cursor):
    with pytest.raises(ApiError, match="cursor is not one of ours"):
        read_cursor(cursor)
