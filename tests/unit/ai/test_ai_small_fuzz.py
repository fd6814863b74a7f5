"""Whatever a Worker sends to the small tasks: a job, or an error that says why."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import documents
from harness.sound import tone
from selfedge.bindings.ai.catalogue import load
from selfedge.bindings.ai.errors import AiError, BadInput
from selfedge.bindings.ai.host.frames import Call, pack
from selfedge.bindings.ai.jobs.documents import Document, DocumentOptions
from selfedge.bindings.ai.runners import sound
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.runners.documents.convert import Order, convert
from selfedge.bindings.ai.runners.documents.formats import KINDS
from selfedge.bindings.ai.tasks import TASKS, to_markdown
from selfedge.bindings.ai.tasks.contract import Asked, File
from selfedge.bindings.ai.weights.table import STAND_INS, Weights

CATALOGUE = load()
MODELS = {
    "@cf/baai/bge-reranker-base": ("query", "contexts", "top_k"),
    "@cf/huggingface/distilbert-sst-2-int8": ("text",),
    "@cf/meta/m2m100-1.2b": ("text", "source_lang", "target_lang"),
    "@cf/facebook/bart-large-cnn": ("input_text", "max_length"),
    "@cf/myshell-ai/melotts": ("prompt", "lang"),
    "@cf/deepgram/aura-1": ("text", "encoding", "container", "sample_rate"),
    "@cf/openai/whisper-large-v3-turbo": (
        *("audio", "language", "task", "beam_size", "initial_prompt", "prefix"),
        *("vad_filter", "no_speech_threshold", "log_prob_threshold"),
    ),
}
LIKELY = st.sampled_from(
    ["fr", "en", "french", "mp3", "wav", "none", "opus", "translate", "AAAA", "", " "]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | LIKELY
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["0", "1", "text", "name", "data", "pdf"]), inner
        )
    ),
    max_leaves=8,
)


def weights_of(model: Any) -> Weights:
    own = Weights(name="own", licence="?", task=model.task, runner="onnx-seq2seq")
    return STAND_INS.get(model.task, own)


@pytest.mark.slow
@pytest.mark.parametrize("model_id", MODELS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_inputs_give_a_job_or_an_error_of_the_caller(model_id: str, data: Any) -> None:
    names = st.sampled_from([*MODELS[model_id], "stream", "x"])
    inputs = data.draw(st.dictionaries(names, VALUES) | VALUES)
    inputs = json.loads(json.dumps(inputs))
    model = CATALOGUE.get(model_id)
    file = data.draw(st.none() | st.binary().map(lambda raw: File(raw, "a/b")))
    asked = Asked(model=model, weights=weights_of(model), inputs=inputs, file=file)
    try:
        job = TASKS[model.task](asked).job
    except AiError as error:
        assert 400 <= error.status < 500  # noqa: PT017 - either is right
        assert len(str(error)) > len("AiError: Bad input: ")  # noqa: PT017
    else:
        assert pack(Call(runner="x", source=Source(location="y"), job=job))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    body=VALUES
    | st.fixed_dictionaries(
        {
            "files": st.lists(
                st.dictionaries(st.sampled_from(["name", "mimeType", "data"]), LIKELY)
            )
            | VALUES
        },
        optional={"options": VALUES},
    )
)
def test_files_give_a_job_or_an_error_of_the_caller(body: Any) -> None:
    try:
        call = to_markdown.prepare(body)
    except BadInput as error:
        assert str(error)  # noqa: PT017 - either is right
    else:
        assert len(call.readable) == len(call.files)


FILES = {
    "docx": documents.docx("One.", "Two."),
    "xlsx": documents.xlsx({"S": [["a", "b"], [1, 2]]}),
    "pdf": documents.pdf("Hello"),
    "picture": documents.png(9, 9),
    "html": b"<table><tr><td>x</table><p>y",
    "csv": b"a,b\n1,2\n",
    "wav": tone(0.05),
}


@st.composite
def damaged(draw: Any, names: list[str]) -> tuple[str, bytes]:
    """Return a file with bytes changed, or its end cut off."""
    name = draw(st.sampled_from(names))
    content = bytearray(FILES[name])
    for _ in range(draw(st.integers(0, 8))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return name, bytes(content[: draw(st.integers(0, len(content)))])


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(found=damaged(["wav"]) | st.binary().map(lambda raw: ("wav", raw)))
def test_damaged_sound_is_decoded_or_the_callers_error(
    found: tuple[str, bytes],
) -> None:
    try:
        samples = sound.decode(found[1])
    except BadInput as error:
        assert "audio: " in str(error)  # noqa: PT017 - either is right
    else:
        assert samples.dtype.name == "float32"


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(found=damaged(sorted({kind for _, kind in KINDS.values()})))
def test_damaged_documents_are_read_or_refused(found: tuple[str, bytes]) -> None:
    kind, content = found
    document = Document(name="a", kind=kind, content=content)
    answer = convert(Order(document=document, options=DocumentOptions()))
    assert not (answer.error and answer.markdown)
