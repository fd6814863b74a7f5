"""The catalogue, its stand-ins, and how it is listed."""

from pathlib import Path

from ai_support import BGE, LLAMA, pretend_installed

from selfedge.bindings.ai.catalogue import Model, load
from selfedge.bindings.ai.catalogue.listing import search, table
from selfedge.bindings.ai.tasks import TASKS
from selfedge.bindings.ai.weights.table import ALL, MINILM, SMOLLM2, STAND_INS
from selfedge.settings import Settings

CATALOGUE = load()


def test_every_id_of_a_served_task_has_the_numbers_that_it_needs() -> None:
    for model in CATALOGUE:
        if model.task in ("text-generation", "text-embeddings"):
            assert model.context, model.id
        if model.task == "text-embeddings":
            assert model.dimensions, model.id


def test_the_weights_are_reached_by_an_id_of_their_own() -> None:
    own = {model.weights.name for model in CATALOGUE if model.weights}
    assert own == {weights.name for weights in ALL}


def test_an_id_has_a_stand_in_where_its_task_has_one() -> None:
    assert CATALOGUE.get(LLAMA).stand_in is SMOLLM2
    assert CATALOGUE.get(BGE).stand_in is MINILM
    for model in CATALOGUE:
        assert bool(model.stand_in) == (model.task in STAND_INS), model.id
    assert set(STAND_INS) <= set(TASKS)


def test_no_vector_is_cut_short_to_stand_in() -> None:
    narrow = Model(
        id="@cf/a/b",
        task="text-embeddings",
        context=512,
        dimensions=256,
        pooling="mean",
        weights=None,
    )
    assert narrow.stand_in is None


def test_a_slip_of_the_pen_finds_its_neighbour() -> None:
    assert CATALOGUE.nearest("@cf/meta/llama-2-7b-chat-int") == LLAMA
    assert CATALOGUE.nearest("gpt") is None


def test_the_search_filters_and_pages() -> None:
    assert [entry["name"] for entry in search(CATALOGUE, {"search": "bge-base"})] == [
        BGE
    ]
    (bge,) = search(CATALOGUE, {"search": "bge-base", "task": "Text Embeddings"})
    assert bge["task"]["name"] == "Text Embeddings"
    assert {"property_id": "output_dimensions", "value": "768"} in bge["properties"]
    assert all("/baai/" in e["name"] for e in search(CATALOGUE, {"author": "BAAI"}))
    first = search(CATALOGUE, {"per_page": "2"})
    second = search(CATALOGUE, {"per_page": "2", "page": "2"})
    assert len(first) == len(second) == 2
    assert first[0] != second[0]
    assert search(CATALOGUE, {"page": "999"}) == []
    assert len(search(CATALOGUE, {"per_page": "-1", "page": "x"})) == 50


def test_the_table_says_what_is_installed(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    before = {line.id: line.state for line in table(CATALOGUE, settings)}
    pretend_installed(tmp_path)
    after = {line.id: line.state for line in table(CATALOGUE, settings)}
    assert before[LLAMA] == "stand-in, fetched at first use"
    assert after[LLAMA] == "stand-in"
    assert after["@local/all-minilm-l6-v2"] == "installed"
    assert after["@cf/openai/whisper"] == "stand-in"
    assert after["@cf/openai/whisper-tiny-en"] == "installed"
    assert after["@cf/pipecat-ai/smart-turn-v2"] == "unavailable"
