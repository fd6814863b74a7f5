"""Pictures as inputs: their bytes, their unpacking, and what models make of them."""

import base64
import io
import json
import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ai_support import FakeHost, run
from PIL import Image

from harness.pictures import clock, encoded
from harness.vision import classifier, detector
from selfedge.bindings.ai.catalogue import load as load_catalogue
from selfedge.bindings.ai.errors import AiError, BadInput, InferenceFailed, from_code
from selfedge.bindings.ai.jobs.pictures import (
    Box,
    ClassifyPicture,
    DetectObjects,
    Found,
    Label,
    Labels,
    Objects,
)
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts
from selfedge.bindings.ai.runners import picture as pictures
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.onnx_vision.preprocessing import Preprocessing, pixels
from selfedge.bindings.ai.runners.onnx_vision.runner import load
from selfedge.bindings.ai.runners.onnx_vision.torch_file import MAGIC, read_tensors
from selfedge.bindings.ai.runners.picture import decode
from selfedge.bindings.ai.tasks import TASKS, image_classification, object_detection
from selfedge.bindings.ai.tasks.contract import Asked, File
from selfedge.bindings.ai.weights.table import EFFICIENTNET

CATALOGUE = load_catalogue()
RESNET = CATALOGUE.get("@cf/microsoft/resnet-50")
DETR = CATALOGUE.get("@cf/facebook/detr-resnet-50")
RED, BLUE = (255, 0, 0), (0, 0, 255)
PNG = encoded(Image.new("RGB", (8, 4), RED))


def asked(inputs: object, file: File | None = None) -> Asked:
    return Asked(model=RESNET, weights=EFFICIENTNET, inputs=inputs, file=file)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(asked({"image": [*PNG]}), id="array of numbers"),
        pytest.param(
            asked({"image": {str(n): byte for n, byte in enumerate(PNG)}}),
            id="Uint8Array",
        ),
        pytest.param(
            asked({"image": {str(n): PNG[n] for n in reversed(range(len(PNG)))}}),
            id="Uint8Array, by another client",
        ),
        pytest.param(asked({}, File(PNG, "image/png")), id="stream"),
        pytest.param(asked({"image": base64.b64encode(PNG).decode()}), id="base64"),
    ],
)
def test_a_picture_comes_in_any_form(call: Asked) -> None:
    prepared = image_classification.prepare(call)
    assert prepared.job == ClassifyPicture(picture=PNG, top=5)
    assert object_detection.prepare(call).job.picture == PNG


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (None, "must be an object"),
        ([], "must be an object"),
        ({}, "required properties at '/' are 'image'"),
        ({"image": None}, "required properties"),
        ({"image": {}}, "image: is empty"),
        ({"image": []}, "image: is empty"),
        ({"image": [256]}, "image: give bytes"),
        ({"image": [1.5]}, "image: give bytes"),
        ({"image": ["x"]}, "image: give bytes"),
        ({"image": {"0": 1, "2": 2}}, "image: give bytes"),
        ({"image": "a"}, "image: give bytes"),
        ({"image": [1, 2, 3]}, "image: is no picture"),
        ({"image": [*b"%PDF-1.7"]}, "image: is no picture"),
        ({"image": {"0": {}}}, "image: give bytes"),
        ({"image": True}, "required properties"),
    ],
)
def test_what_is_no_picture_is_refused_before_a_model_loads(
    inputs: object, text: str
) -> None:
    for prepare in (image_classification.prepare, object_detection.prepare):
        with pytest.raises(BadInput, match=text):
            prepare(asked(inputs))


def test_too_many_bytes_are_refused() -> None:
    large = File(PNG + bytes(20 * 1024 * 1024), "image/png")
    with pytest.raises(BadInput, match=r"bytes are too many, at most 20971520"):
        image_classification.prepare(asked({}, large))


def test_the_answers_have_the_documented_shape() -> None:
    call = asked({"image": [*PNG]})
    labels = FakeHost([Labels([Label("CAT", 0.75)])]).run(None)
    answer = run(image_classification.prepare(call).collect(labels))
    assert answer == [{"label": "CAT", "score": 0.75}]
    box = Box(xmin=1, ymin=2, xmax=3, ymax=4)
    objects = FakeHost([Objects([Found("cat", 0.9, box)])]).run(None)
    assert run(object_detection.prepare(call).collect(objects)) == [
        {
            "label": "cat",
            "score": 0.9,
            "box": {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4},
        }
    ]


@pytest.mark.parametrize("task", ["image-classification", "object-detection"])
def test_an_answer_without_parts_is_an_error(task: str) -> None:
    prepared = TASKS[task](asked({"image": [*PNG]}))
    with pytest.raises(InferenceFailed):
        run(prepared.collect(FakeHost([]).run(None)))


def colour(data: bytes, place: tuple[int, int] = (0, 0)) -> Sequence[int]:
    return decode(data).getpixel(place)


def test_every_kind_of_picture_becomes_rgb() -> None:
    plain = Image.new("RGB", (8, 8), RED)
    assert colour(encoded(plain, "BMP")) == RED
    assert colour(encoded(plain, "GIF")) == RED
    assert colour(encoded(plain, "WEBP", lossless=True)) == RED
    assert colour(encoded(plain.convert("P"))) == RED
    red, green, _ = colour(encoded(plain.convert("CMYK"), "JPEG"))
    assert red > 240
    assert green < 20
    assert colour(encoded(Image.new("L", (8, 8), 7))) == (7, 7, 7)
    assert colour(encoded(Image.new("1", (8, 8), 1))) == (255, 255, 255)
    deep = Image.fromarray(np.full((8, 8), 257 * 100, np.uint16))
    assert colour(encoded(deep)) == (100, 100, 100)


def test_what_is_transparent_shows_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert colour(encoded(clear)) == (255, 255, 255)
    assert colour(encoded(Image.new("LA", (8, 8), (9, 0)))) == (255, 255, 255)


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (8, 8), one) for one in (RED, BLUE)]
    animated = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert colour(animated) == RED


def test_a_picture_is_turned_as_its_exif_says() -> None:
    lying = Image.new("RGB", (20, 10), RED)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    assert decode(encoded(lying, "JPEG", exif=exif)).size == (10, 20)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_damaged_pictures_are_named(kind: str) -> None:
    """Whatever is cut off or overwritten, it is the caller's mistake or a picture."""
    whole = encoded(clock(), kind)
    for end in range(1, len(whole), max(1, len(whole) // 40)):
        refused_or_read(whole[:end])
    for place in range(8, len(whole), max(1, len(whole) // 80)):
        refused_or_read(whole[:place] + b"\xff\x00\xff" + whole[place + 3 :])
    with pytest.raises(BadInput, match="image: "):
        decode(whole[: len(whole) // 2])


def refused_or_read(data: bytes) -> None:
    with suppress(BadInput):
        assert decode(data).mode == "RGB"


def test_a_picture_that_unpacks_to_too_much_is_refused_by_its_header() -> None:
    """Each is a file of some kilobytes."""
    for size in ((7000, 7000), (20_000, 10), (60_000, 60_000)):
        header = struct.pack(">IIBBBBB", *size, 1, 0, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")
        with pytest.raises(BadInput, match="too large: at most 40 million pixels"):
            decode(bomb)


def chunk(kind: bytes, content: bytes) -> bytes:
    from zlib import crc32  # noqa: PLC0415

    length = struct.pack(">I", len(content))
    return length + kind + content + struct.pack(">I", crc32(kind + content))


def test_other_formats_are_not_even_tried() -> None:
    with pytest.raises(BadInput, match="is not a picture that can be read"):
        decode(encoded(Image.new("RGB", (8, 8)), "TIFF"))
    assert "EPS" not in pictures.FORMATS


def test_a_runners_complaint_about_a_picture_keeps_its_code_and_text() -> None:
    with pytest.raises(BadInput) as caught:
        decode(b"BM")
    relayed = from_code(caught.value.internal_code, str(caught.value))
    assert isinstance(relayed, BadInput)
    assert str(relayed) == str(caught.value)


def test_the_short_side_is_scaled_and_the_middle_cut_out() -> None:
    wide = Image.new("RGB", (400, 100), BLUE)
    wide.paste(RED, (150, 0, 250, 100))
    how = Preprocessing(
        size={"shortest_edge": 32}, do_center_crop=True, crop_size=32, resample=0
    )
    values = pixels(wide, how)
    assert values.shape == (3, 32, 32)
    assert values.dtype == np.float32
    assert np.allclose(values[0], (1 - 0.485) / 0.229, atol=1e-5)


def test_both_sides_are_scaled_where_the_model_wants_it() -> None:
    how = Preprocessing(size={"height": 20, "width": 30}, do_normalize=False)
    values = pixels(Image.new("RGB", (7, 900), "white"), how)
    assert values.shape == (3, 20, 30)
    assert np.allclose(values, 1)


def test_the_longest_side_is_bounded() -> None:
    how = Preprocessing(size={"shortest_edge": 800, "longest_edge": 1333})
    assert pixels(Image.new("RGB", (400, 100)), how).shape == (3, 333, 1333)
    thin = Image.new("RGB", (1, 5000))
    assert max(pixels(thin, Preprocessing(size={"shortest_edge": 800})).shape) <= 4096


def answer(runner: Runner, job: Any) -> Any:
    async def body() -> Any:
        (part,) = [part async for part in runner.run(job)]
        await runner.close()
        return part

    return run(body())


def classify(folder: Path, data: bytes, top: int = 5) -> Sequence[Label]:
    runner = load(Source(location=str(folder)), 1)
    return answer(runner, ClassifyPicture(picture=data, top=top)).labels


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("softmax", [False, True])
def test_a_folder_of_ones_own_is_run(
    tmp_path: Path, *, last: bool, softmax: bool
) -> None:
    """Channels first or last, logits or probabilities: the answer is the same."""
    labels = classify(classifier(tmp_path, last=last, softmax=softmax), PNG)
    assert labels[0].label == "red"
    assert labels[0].score == pytest.approx(np.e**2 / (np.e**2 + 2), abs=1e-5)
    assert sum(one.score for one in labels) == pytest.approx(1, abs=1e-4)


def test_labels_come_from_the_exporters_file_or_are_numbers(tmp_path: Path) -> None:
    folder = classifier(tmp_path)
    (folder / "labels.json").unlink()
    assert classify(folder, PNG, top=1)[0].label == "LABEL_0"
    (folder / "config.json").write_text(json.dumps({"id2label": {"0": "rouge"}}))
    assert classify(folder, PNG, top=1)[0].label == "rouge"


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("model.onnx", b"nonsense", r"model\.onnx: "),
        ("labels.json", b"{", r"labels\.json: "),
        ("labels.json", b"[1]", r"labels\.json: "),
        ("preprocessor_config.json", b'{"size": -1}', r"preprocessor_config\.json: "),
        ("preprocessor_config.json", b'{"size": 99999}', r"<= 4096"),
        ("preprocessor_config.json", b'{"image_mean": [1]}', r"length >= 3"),
    ],
)
def test_a_damaged_folder_names_the_file(
    tmp_path: Path, name: str, content: bytes, text: str
) -> None:
    folder = classifier(tmp_path)
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=text):
        load(Source(location=str(folder)), 1)


def test_a_folder_without_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no model\.onnx"):
        load(Source(location=str(tmp_path)), 1)


def test_objects_get_boxes_in_pixels_of_the_picture_that_was_sent(
    tmp_path: Path,
) -> None:
    runner = load(Source(location=str(detector(tmp_path))), 1)
    data = encoded(Image.new("RGB", (200, 100)))
    cat, dog = answer(runner, DetectObjects(picture=data, threshold=0.5)).objects
    assert (cat.label, cat.box) == ("cat", Box(xmin=50, ymin=0, xmax=150, ymax=100))
    assert (dog.label, dog.box) == ("dog", Box(xmin=150, ymin=12, xmax=200, ymax=38))
    assert cat.score > dog.score > 0.99


def test_a_model_is_not_asked_for_what_it_cannot_do(tmp_path: Path) -> None:
    folder = classifier(tmp_path)
    with pytest.raises(InferenceFailed, match="must give logits and pred_boxes"):
        answer(
            load(Source(location=str(folder)), 1),
            DetectObjects(picture=PNG, threshold=0),
        )
    with pytest.raises(InferenceFailed, match="does not run EmbedTexts"):
        answer(
            load(Source(location=str(folder)), 1), EmbedTexts(texts=[], pooling="cls")
        )


def test_a_picture_that_a_model_cannot_take_is_an_error_not_a_crash(
    tmp_path: Path,
) -> None:
    folder = classifier(tmp_path)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": 20}))
    with pytest.raises(AiError, match="onnxruntime: "):
        classify(folder, PNG)


class Evil:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self._path,))


def test_a_pickle_that_does_more_than_describe_tensors_is_refused(
    tmp_path: Path,
) -> None:
    trace = tmp_path / "trace"
    file = tmp_path / "weights.pth"
    file.write_bytes(b"".join(pickle.dumps(one) for one in (MAGIC, 1, Evil(trace))))
    with pytest.raises(ValueError, match="is not allowed in weights"):
        read_tensors(file)
    assert not trace.exists()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", pickle.dumps(3), pickle.dumps({"a": 1})]
)
def test_what_is_no_file_of_tensors_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(ValueError, match=r"PyTorch|no plain file"):
        read_tensors(tmp_path / "weights.pth")


def test_tensors_are_read_with_offset_and_strides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PyTorch wrote them before version 1.6: names, then storages."""
    torch, inner = ModuleType("torch"), ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_arguments: object) -> None:
        """Stand in for the real one, which the file names."""

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    storage = type("FloatStorage", (), {"__module__": "torch"})
    torch.FloatStorage, inner._rebuild_tensor_v2 = storage, _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)

    class Tensor:
        def __reduce__(self) -> Any:
            held = Held()
            return (_rebuild_tensor_v2, (held, 1, (2, 2), (1, 2), False, OrderedDict()))

    class Held:
        pass

    class Writer(pickle.Pickler):
        def persistent_id(self, thing: object) -> Any:
            if isinstance(thing, Held):
                return ("storage", storage, "7", "cpu", 5, None)
            return None

    file = io.BytesIO()
    for one in (MAGIC, 1001, {}, OrderedDict(w=Tensor()), ["7"]):
        Writer(file, 2).dump(one)
    values = np.arange(5, dtype=np.float32)
    file.write(struct.pack("<q", 5) + values.tobytes())
    (tmp_path / "weights.pth").write_bytes(file.getvalue())
    found = read_tensors(tmp_path / "weights.pth")
    assert found["w"].tolist() == [[1, 3], [2, 4]]
