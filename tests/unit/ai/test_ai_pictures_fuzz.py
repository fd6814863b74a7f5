"""Whatever a Worker sends to the tasks of pictures: a job, or an error of its own."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.pictures import encoded
from selfedge.bindings.ai.catalogue import load
from selfedge.bindings.ai.errors import AiError, BadInput
from selfedge.bindings.ai.jobs.pictures import (
    ClassifyPicture,
    DetectObjects,
    DrawPicture,
)
from selfedge.bindings.ai.runners.picture import decode
from selfedge.bindings.ai.tasks import TASKS
from selfedge.bindings.ai.tasks.contract import Asked, File
from selfedge.bindings.ai.weights.table import EFFICIENTNET

CATALOGUE = load()
MODELS = {
    "image-classification": "@cf/microsoft/resnet-50",
    "object-detection": "@cf/facebook/detr-resnet-50",
    "text-to-image": "@cf/black-forest-labs/flux-1-schnell",
}
NAMES = (
    "image",
    "image_b64",
    "mask",
    "prompt",
    "negative_prompt",
    "width",
    "height",
    "num_steps",
    "steps",
    "guidance",
    "seed",
    "strength",
    "lora",
)
PICTURE = encoded(Image.new("RGB", (8, 8), "red"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=20)
    | st.binary(max_size=20).map(list)
    | st.just([*PICTURE])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["0", "1", "2", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
pytestmark = pytest.mark.slow
INPUTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8) | VALUES
FILES = st.none() | st.binary(max_size=40).map(lambda data: File(data, "image/png"))


@pytest.mark.parametrize("task", MODELS)
@settings(max_examples=400, deadline=None)
@given(inputs=INPUTS, file=FILES)
def test_odd_inputs_have_a_code(task: str, inputs: Any, file: File | None) -> None:
    model = CATALOGUE.get(MODELS[task])
    call = Asked(model=model, weights=EFFICIENTNET, inputs=inputs, file=file)
    try:
        job = TASKS[task](call).job
    except AiError as error:
        assert 400 <= error.status < 500  # noqa: PT017
    else:
        assert isinstance(job, ClassifyPicture | DetectObjects | DrawPicture)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP"]),
    changes=st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=5),
    end=st.integers(0, 400),
)
def test_odd_files_have_a_code(
    kind: str, changes: list[tuple[int, bytes]], end: int
) -> None:
    data = bytearray(encoded(Image.new("RGB", (12, 9), "red"), kind))
    for place, new in changes:
        data[place : place + len(new)] = new
    try:
        assert decode(bytes(data[: max(end, 2)])).mode == "RGB"
    except BadInput as error:
        assert str(error).startswith("AiError: Bad input: image: ")  # noqa: PT017
