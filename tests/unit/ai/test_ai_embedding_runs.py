"""Which texts share a run of the encoder."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.ai.host.frames import Call, Received, pack
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.runners.text_embeddings.runner import (
    BATCH_TEXTS,
    PADDING_TOKENS,
    runs,
)


def test_texts_of_like_length_share_a_run() -> None:
    assert runs([9, 300, 8, 301, 9]) == [[2, 0, 4], [1, 3]]


def test_no_texts_are_no_runs() -> None:
    assert runs([]) == []


@given(st.lists(st.integers(1, 512), max_size=100))
def test_every_text_is_in_one_run_and_little_is_padding(lengths: list[int]) -> None:
    found = runs(lengths)
    assert sorted(place for run in found for place in run) == list(range(len(lengths)))
    for run in found:
        assert len(run) <= BATCH_TEXTS
        of = [lengths[place] for place in run]
        assert of == sorted(of)
        for count, (one, longer) in enumerate(itertools.pairwise(of), 1):
            assert count * (longer - one) <= PADDING_TOKENS


@given(st.lists(st.integers(1, 40), min_size=1, max_size=9))
def test_calls_are_found_however_the_socket_cuts_them(sizes: list[int]) -> None:
    call = Call(
        runner="text-embeddings",
        source=Source(location="/m"),
        job=EmbedTexts(texts=["a" * 50], pooling="mean"),
    )
    data, received, found = pack(call) * 3, Received(), []
    while data:
        size = sizes[len(data) % len(sizes)]
        received.add(data[:size])
        data = data[size:]
        while (one := received.call()) is not None:
            found.append(one)
    assert found == [call] * 3
