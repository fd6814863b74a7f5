"""`[ai.models]` of selfedge.toml."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.ai.catalogue import load, overlay
from selfedge.errors import UsageError

BGE = "@cf/baai/bge-base-en-v1.5"


def overlaid(folder, text):
    file = folder / "selfedge.toml"
    file.write_text(text)
    return overlay.overlaid(load(), overlay.read(file), folder)


def test_no_file_is_no_models(tmp_path):
    assert overlay.read(tmp_path / "selfedge.toml") == {}


def test_a_public_id_keeps_what_the_catalogue_knows_of_it(tmp_path):
    (tmp_path / "bge").mkdir()
    found = overlaid(tmp_path, f'[ai.models."{BGE}"]\nonnx = "bge"').get(BGE)
    assert found.weights.source.path == tmp_path / "bge"
    assert (found.task, found.dimensions, found.pooling) == (
        "text-embeddings",
        768,
        "cls",
    )


def test_an_own_name_is_a_model_beside_the_others(tmp_path):
    (tmp_path / "x.gguf").touch()
    found = overlaid(tmp_path, '[ai.models."@local/mine"]\ngguf = "x.gguf"')
    assert found.get("@local/mine").task == "text-generation"
    assert len(list(found)) == len(list(load())) + 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ai = 5", "ai must be a table"),
        ("[ai]\nmodels = 5", "models must be a table"),
        ('[ai.models."@local/a"]\ngguf = 5', "Expected `str"),
        ('[ai.models."@local/a"]\nggfu = "x"', "ggfu"),
        ('[ai.models."@local/a"]', "exactly one of gguf, onnx"),
        ('[ai.models."@local/a"]\ngguf = "x"\nonnx = "y"', "exactly one of"),
        ('[ai.models."@local/a"]\ngguf = "x"', "there is no file"),
        ('[ai.models."@local/a"]\nonnx = "x"\ntask = "rerank"', "there is no folder"),
        ('[ai.models."@local/a"]\nonnx = "x"', "say what it does"),
        ('[ai.models."@local/a"]\ngguf = "x"\ntask = "rerank"', "cannot serve rerank"),
        ('[ai.models."@local/a"]\nopenai = "http://x/v1"', "needs model"),
        ('[ai.models.mine]\ngguf = "x"', "like @local/mine"),
        ("[ai", "selfedge.toml"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, text, says):
    with pytest.raises(UsageError, match=says):
        overlaid(tmp_path, text)


@given(st.binary(max_size=80))
def test_any_file_is_models_or_a_user_error(tmp_path_factory, raw):
    file = tmp_path_factory.mktemp("x") / "selfedge.toml"
    file.write_bytes(raw)
    with contextlib.suppress(UsageError):
        assert isinstance(overlay.read(file), dict)
