"""Static files as `selfedge deploy` names them, and what `.assetsignore` leaves out."""

import pytest

from selfedge.cli.workers.assets import asset_hash, config, content_type
from selfedge.cli.workers.ignored import ignores


@pytest.mark.parametrize(
    ("patterns", "out", "kept"),
    [
        ("", ["_headers", "_redirects", ".assetsignore"], ["a/_headers", ".x", "a"]),
        ("*.map", ["a.map", "a/b.map"], ["a.map.js", "map"]),
        ("/only", ["only", "only/a"], ["a/only"]),
        ("build/", ["build/a", "a/build/b"], ["build"]),
        ("a/b", ["a/b", "a/b/c"], ["x/a/b"]),
        ("a/**/z", ["a/z", "a/b/c/z"], ["z", "b/z"]),
        ("**/tmp/**", ["tmp/a", "x/tmp/a/b"], ["tmp"]),
        ("a?c", ["abc"], ["ac", "a/c"]),
        ("[ab].js", ["a.js", "x/b.js"], ["c.js"]),
        ("[!ab].js", ["c.js"], ["a.js"]),
        ("# *\n\n*.txt\n!keep.txt", ["a.txt"], ["keep.txt", "a.md"]),
        ("\\!a\n\\#b", ["!a", "#b"], ["a", "b"]),
        ("a.b(c)+", ["a.b(c)+"], ["aXb(c)+", "a.bcc"]),
    ],
)
def test_patterns_leave_out_what_git_would(patterns, out, kept):
    ignored = ignores(patterns)
    assert [path for path in out if not ignored(path)] == []
    assert [path for path in kept if ignored(path)] == []


def test_a_hash_is_of_content_and_extension():
    one = asset_hash(b"x", "a.html")
    assert one == asset_hash(b"x", "other.html")
    assert len({one, asset_hash(b"y", "a.html"), asset_hash(b"x", "a.txt")}) == 3
    assert len(one) == 32
    assert set(one) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.png", "image/png"),
        ("a.unknown", "application/null"),
        ("a", "application/null"),
        ("a.tar.gz", "application/null"),
    ],
)
def test_a_type_is_told_by_the_name(name, kind):
    assert content_type(name) == kind


def test_the_texts_of_the_folder_go_with_the_configuration(tmp_path):
    (tmp_path / "_headers").write_text("/*\n  X: 1\n")
    table = {"directory": "x", "binding": "A", "html_handling": "none"}
    assert config(tmp_path, table) == {
        "html_handling": "none",
        "_headers": "/*\n  X: 1\n",
    }
