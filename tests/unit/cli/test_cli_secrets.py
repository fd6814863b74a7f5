"""What `selfedge secret bulk` reads."""

import io

import pytest

from selfedge.cli.workers.secrets import read_changes
from selfedge.errors import UsageError


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ('{"A": "1", "B": null}', {"A": "1", "B": None}),
        ("  {}", {}),
        ("A=1\nB='two words'\n# C=3\n", {"A": "1", "B": "two words"}),
        ("", {}),
    ],
)
def test_json_and_lines_are_read(tmp_path, monkeypatch, text, changes):
    (tmp_path / "file").write_text(text)
    assert read_changes(tmp_path / "file") == changes
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert read_changes(None) == changes


@pytest.mark.parametrize("text", ["{", '{"A": 1}', '{"A": {"b": "c"}}', '{"A": []}'])
def test_what_is_no_text_is_refused(tmp_path, text):
    (tmp_path / "file").write_text(text)
    with pytest.raises(UsageError):
        read_changes(tmp_path / "file")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*absent"):
        read_changes(tmp_path / "absent")
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"cannot read .*bytes"):
        read_changes(tmp_path / "bytes")
