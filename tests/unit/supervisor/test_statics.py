"""The folder of static files of a project."""

import pytest

from selfedge.errors import ManifestError
from selfedge.manifest.reader import read
from selfedge.supervisor import statics
from selfedge.supervisor.statics import read_statics

WRANGLER = """
name = "app"
compatibility_date = "2026-01-01"
[assets]
directory = "./public"
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "wrangler.toml").write_text(WRANGLER)
    (tmp_path / "public").mkdir()
    return tmp_path


def found(project):
    return read_statics(read(project / "wrangler.toml", tables=["assets"]))


def test_a_worker_without_static_files_has_none(tmp_path):
    (tmp_path / "index.js").touch()
    text = 'name = "app"\nmain = "index.js"\ncompatibility_date = "2026-01-01"\n'
    (tmp_path / "wrangler.toml").write_text(text)
    assert found(tmp_path) is None


def test_the_rules_are_read_and_watched_also_before_they_are_there(project):
    (project / "public" / "_headers").write_text("/*\n  X-A: 1\n")
    seen = found(project)
    assert seen.files.headers == "/*\n  X-A: 1\n"
    assert seen.files.redirects == seen.files.ignore == ""
    assert {path.name for path in seen.read} == {
        "_headers",
        "_redirects",
        ".assetsignore",
    }
    assert seen.files.folder == str(project / "public")
    assert not seen.files.has_code


def test_a_folder_that_is_not_there_is_told_with_its_place(project):
    (project / "public").rmdir()
    with pytest.raises(ManifestError, match=r":5:13: .*does not exist"):
        found(project)
    (project / "public").touch()
    with pytest.raises(ManifestError, match="is a file, not a folder"):
        found(project)


def test_rules_that_are_no_text_are_told(project):
    (project / "public" / "_redirects").write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="_redirects is not UTF-8"):
        found(project)


def test_rules_that_are_too_long_are_told(project, monkeypatch):
    monkeypatch.setattr(statics, "TEXT_MAX_BYTES", 3)
    (project / "public" / "_headers").write_text("/*\n  X-A: 1\n")
    with pytest.raises(ManifestError, match="larger than 3 bytes"):
        found(project)


def test_what_cannot_be_deployed_is_warned_of(project, monkeypatch):
    monkeypatch.setattr(statics, "FILE_MAX_BYTES", 10)
    monkeypatch.setattr(statics, "FILES_MAX", 1)
    (project / "public" / "large.bin").write_bytes(b"x" * 11)
    (project / "public" / "small.txt").write_bytes(b"x")
    (project / "public" / ".hidden").write_bytes(b"x" * 11)
    (project / "public" / "_worker.js").write_text("export default {}")
    text = "\n".join(found(project).warnings)
    assert "large.bin of the static files has 11 bytes" in text
    assert "more than 1 files" in text
    assert "_worker.js, which clients can read" in text
    assert "hidden" not in text


def test_who_says_what_to_ignore_is_not_warned(project, monkeypatch):
    monkeypatch.setattr(statics, "FILE_MAX_BYTES", 1)
    (project / "public" / "large.bin").write_bytes(b"x" * 11)
    (project / "public" / ".assetsignore").write_text("large.bin\n")
    assert found(project).warnings == []
