"""`selfedge ai`."""

from pathlib import Path

import pytest
from ai_support import LLAMA, pretend_installed
from click.testing import CliRunner

from selfedge.bindings.ai.commands import group


def invoke(cache: Path, *arguments: str) -> list[str]:
    environ = {"SELFEDGE_CACHE_DIR": str(cache)}
    found = CliRunner().invoke(group, arguments, env=environ)
    assert found.exit_code == 0, found.output
    return found.output.splitlines()


def test_models_names_what_serves_each_id(tmp_path: Path) -> None:
    pretend_installed(tmp_path)
    (line,) = [line for line in invoke(tmp_path, "models") if LLAMA in line]
    assert line.split() == [
        LLAMA,
        "text-generation",
        "SmolLM2-135M-Instruct",
        "stand-in",
    ]


@pytest.mark.parametrize("option", ["--installed", "--task=rerank", "--task=ReRank"])
def test_models_can_be_narrowed(tmp_path: Path, option: str) -> None:
    assert len(invoke(tmp_path, "models", option)) < 3
    assert len(invoke(tmp_path, "models")) > 80


def test_a_task_has_its_name_too_and_an_unknown_one_is_told(tmp_path: Path) -> None:
    by_name = invoke(tmp_path, "models", "--task", "text embeddings")
    assert by_name == invoke(tmp_path, "models", "--task", "text-embeddings")
    assert len(by_name) > 3
    found = CliRunner().invoke(group, ["models", "--task", "painting"])
    assert "there is no task painting, only text-generation" in str(found.exception)
