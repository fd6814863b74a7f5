"""Migrations leave classes; a class key never changes."""

import msgspec
import pytest

from selfedge.bindings.durable_objects.config import parse_migrations


def classes(*migrations):
    return {c.class_name: (c.key, c.sql) for c in parse_migrations(list(migrations))}


def test_new_classes_have_key_value_storage_and_sqlite_classes_sql():
    assert classes(
        {"tag": "v1", "new_classes": ["A"], "new_sqlite_classes": ["B"]}
    ) == {"A": ("A", False), "B": ("B", True)}


def test_a_rename_keeps_the_key_and_so_the_data():
    assert classes(
        {"tag": "v1", "new_sqlite_classes": ["A"]},
        {"tag": "v2", "renamed_classes": [{"from": "A", "to": "B"}]},
        {"tag": "v3", "renamed_classes": [{"from": "B", "to": "C"}]},
    ) == {"C": ("A", True)}


def test_a_class_that_is_made_again_starts_empty():
    assert classes(
        {"tag": "v1", "new_sqlite_classes": ["A"]},
        {"tag": "v2", "deleted_classes": ["A"]},
        {"tag": "v3", "new_sqlite_classes": ["A"]},
    ) == {"A": ("A-2", True)}


def test_a_name_that_a_rename_set_free_does_not_meet_old_data():
    assert classes(
        {"tag": "v1", "new_sqlite_classes": ["A"]},
        {"tag": "v2", "renamed_classes": [{"from": "A", "to": "B"}]},
        {"tag": "v3", "new_sqlite_classes": ["A"]},
    ) == {"B": ("A", True), "A": ("A-2", True)}


@pytest.mark.parametrize(
    ("migration", "words"),
    [
        ({"tag": "v2", "new_classes": ["A"]}, "creates the class 'A', which is there"),
        ({"tag": "v2", "deleted_classes": ["X"]}, "no earlier migration creates"),
        (
            {"tag": "v2", "renamed_classes": [{"from": "X", "to": "Y"}]},
            "no earlier migration creates",
        ),
        ({"new_classes": ["B"]}, "missing required field `tag`"),
    ],
)
def test_impossible_migrations_are_refused(migration, words):
    with pytest.raises(msgspec.ValidationError, match=words):
        parse_migrations([{"tag": "v1", "new_sqlite_classes": ["A"]}, migration])
