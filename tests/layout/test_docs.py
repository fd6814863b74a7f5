"""The documentation knows every command, option and environment variable."""

import re
from pathlib import Path

import click
import pytest

import selfedge
from selfedge.cli import dev, serve
from selfedge.cli.app import app

ROOT = Path(__file__).parents[2]
SOURCE = Path(selfedge.__file__).parent


OPTIONS = [
    pytest.param(file, option, id=f"{file}-{option.name}")
    for file, command in (("dev.md", dev.command), ("serve.md", serve.command))
    for option in command.params
    if isinstance(option, click.Option)
]


@pytest.mark.parametrize(("file", "option"), OPTIONS)
def test_every_option_is_documented(file, option):
    text = (ROOT / "docs" / file).read_text()
    assert any(f"`{name}" in text or f"{name} " in text for name in option.opts)


def test_every_environment_variable_is_documented():
    text = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    used = {
        name
        for path in SOURCE.rglob("*.py")
        for name in re.findall(r"\bSELFEDGE_[A-Z_]+\b", path.read_text())
    }
    assert {name for name in used if name not in text} == set()


def test_every_command_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    context = click.Context(app)
    for name in app.list_commands(context):
        assert f"selfedge {name}" in text


def test_every_link_between_documents_leads_somewhere():
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / link).exists(), f"{path}: {link}"
