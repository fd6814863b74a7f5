"""Pictures in and out of `env.AI`, through the real command."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from harness import Answer, Node, Nodes, fetch, worker
from harness.diffusion import build
from harness.pictures import clock, crossword, encoded
from harness.vision import classifier, detector

CODE = """
    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const { searchParams } = new URL(request.url);
        const model = searchParams.get("model")!;
        const inputs = JSON.parse(searchParams.get("inputs")!);
        const raw = async () => new Uint8Array(await request.arrayBuffer());
        const forms: Record<string, () => Promise<any>> = {
          none: async () => inputs,
          array: async () => ({ ...inputs, image: [...await raw()] }),
          bytes: async () => ({ ...inputs, image: await raw() }),
          stream: async () => (
            { ...inputs, image: { body: request.body, contentType: "image/png" } }),
          buffer: async () => ({ ...inputs, image: await request.arrayBuffer() }),
        };
        try {
          const given = await forms[searchParams.get("form")!]();
          const result = await env.AI.run(model, given);
          if (result instanceof ReadableStream) return new Response(result);
          return Response.json(result);
        } catch (error) {
          return new Response(`${error.name}: ${error.message}`, { status: 502 });
        }
      },
    };
"""
RESNET = "@cf/microsoft/resnet-50"
DETR = "@cf/facebook/detr-resnet-50"
SDXL = "@cf/stabilityai/stable-diffusion-xl-base-1.0"
IMG2IMG = "@cf/runwayml/stable-diffusion-v1-5-img2img"
FLUX = "@cf/black-forest-labs/flux-1-schnell"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def node(shared_dev: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A node with weights of its own for many ids."""
    root = tmp_path_factory.mktemp("models")
    places = {
        "@local/colours": ("onnx", classifier(made(root / "colours"))),
        DETR: ("onnx", detector(made(root / "detr"))),
        SDXL: ("diffusers", build(root / "xl", extra_large=True)),
        FLUX: ("diffusers", build(root / "flux")),
        IMG2IMG: ("diffusers", build(root / "change", starts_from_pictures=True)),
    }
    tables = [
        f'[ai.models."{name}"]\n{key} = "{folder}"\n'
        for name, (key, folder) in places.items()
    ]
    tables[0] += 'task = "image-classification"\n'
    files = {"selfedge.toml": "\n".join(tables)}
    return shared_dev(worker(CODE, '[ai]\nbinding = "AI"\n', files=files))


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def ask(
    node: Node, model: str, form: str = "none", body: bytes = b"", **inputs: object
) -> Answer:
    path = f"/?model={quote(model)}&form={form}&inputs={quote(json.dumps(inputs))}"
    return node.request(path, method="POST", body=body, timeout_s=240)


def told(answer: Answer) -> Any:
    assert answer.status == 200, answer
    return answer.json()


@pytest.mark.parametrize("form", ["array", "bytes", "stream"])
@pytest.mark.parametrize(
    ("picture", "label"), [(clock, "ANALOG CLOCK"), (crossword, "CROSSWORD PUZZLE")]
)
def test_a_picture_is_recognised(
    node: Node, form: str, picture: Any, label: str
) -> None:
    """In each form that a Worker can give it; by a stand-in, which is said."""
    labels = told(ask(node, RESNET, form, encoded(picture())))
    assert len(labels) == 5
    assert labels[0]["label"] == label
    assert labels[0]["score"] > 0.5
    assert sorted(labels, key=lambda one: -one["score"]) == labels
    node.wait_for_line("resnet-50.*EfficientNet-Lite0 stands in")


def test_a_classifier_of_ones_own(node: Node) -> None:
    red = encoded(Image.new("RGB", (9, 9), (255, 0, 0)), "JPEG")
    labels = told(ask(node, "@local/colours", "array", red))
    assert labels[0]["label"] == "red"
    assert len(labels) == 3


def test_objects_are_found_by_a_detector_of_ones_own(node: Node) -> None:
    picture = encoded(Image.new("RGB", (200, 100)))
    cat, dog = told(ask(node, DETR, "array", picture))
    assert (cat["label"], dog["label"]) == ("cat", "dog")
    assert cat["box"] == {"xmin": 50, "ymin": 0, "xmax": 150, "ymax": 100}


def pixels(answer: Answer) -> Any:
    assert answer.status == 200, answer
    assert answer.body.startswith(b"\x89PNG")
    return np.asarray(Image.open(io.BytesIO(answer.body)))


def test_a_picture_is_drawn_and_every_input_counts(node: Node) -> None:
    """A PNG, through tokenizers, text encoders, UNet and VAE of random weights."""
    inputs = {"prompt": "A futuristic city at sunset", "num_steps": 4, "seed": 5}
    first = pixels(ask(node, SDXL, **inputs))
    assert first.shape == (256, 256, 3)
    assert (pixels(ask(node, SDXL, **inputs)) == first).all()
    changes = ({"prompt": "A cat"}, {"seed": 6}, {"negative_prompt": "rain"})
    for change in changes:
        assert (pixels(ask(node, SDXL, **{**inputs, **change})) != first).any()
    small = ask(node, SDXL, **inputs, width=260, height=300)
    assert pixels(small).shape == (300, 260, 3)


@pytest.mark.parametrize("form", ["array", "bytes", "stream"])
def test_a_picture_is_changed(node: Node, form: str) -> None:
    """The picture that is sent decides what comes of it."""
    inputs = {"prompt": "a clock", "num_steps": 4, "strength": 0.3, "seed": 1}
    one = pixels(ask(node, IMG2IMG, form, encoded(clock()), **inputs))
    other = pixels(ask(node, IMG2IMG, form, encoded(crossword()), **inputs))
    assert one.shape == other.shape == (256, 256, 3)
    assert (one != other).mean() > 0.1


def test_flux_answers_base64(node: Node) -> None:
    answer = told(ask(node, FLUX, prompt="a cat", steps=2))
    picture = Image.open(io.BytesIO(base64.b64decode(answer["image"])))
    assert picture.format == "JPEG"


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("@cf/bytedance/stable-diffusion-xl-lightning", "diffusers"),
        ("@cf/lykon/dreamshaper-8-lcm", "diffusers"),
    ],
)
def test_without_weights_the_command_is_named(node: Node, model: str, key: str) -> None:
    answer = ask(node, model, prompt="x")
    assert answer.status == 502
    assert answer.text.startswith(f"AiError: 5007: No such model {model}")
    assert f"`selfedge ai add {model} --{key} DIR`" in answer.text


@pytest.mark.parametrize(
    ("model", "form", "body", "inputs", "text"),
    [
        (RESNET, "none", b"", {}, "'image'"),
        (RESNET, "array", b"no picture", {}, "image: is no picture"),
        (RESNET, "stream", b"no picture", {}, "image: is no picture"),
        (RESNET, "buffer", encoded(clock()), {}, "image: is empty"),
        (RESNET, "array", encoded(clock())[:900], {}, "image: the picture is damaged"),
        (DETR, "bytes", encoded(clock())[:900], {}, "image: the picture is damaged"),
        (SDXL, "none", b"", {}, "'prompt'"),
        (SDXL, "none", b"", {"prompt": "x", "width": 100}, "width: .*>= 256"),
        (SDXL, "stream", encoded(clock()), {"prompt": "x"}, "image: .*vae_encoder"),
        (FLUX, "none", b"", {"prompt": "x", "steps": 9}, "steps: .*<= 8"),
    ],
)
def test_bad_input_is_named(
    node: Node, model: str, form: str, body: bytes, inputs: dict[str, object], text: str
) -> None:
    answer = ask(node, model, form, body, **inputs)
    assert answer.status == 502
    assert answer.text.startswith("AiError: 5006: ")
    assert re.search(text, answer.text), answer.text


def test_a_model_that_describes_pictures_is_not_served(node: Node) -> None:
    answer = ask(node, "@cf/llava-hf/llava-1.5-7b-hf", "array", encoded(clock()))
    assert answer.status == 502
    assert "5007: No such model @cf/llava-hf/llava-1.5-7b-hf or task" in answer.text
    assert "does not serve image-to-text" in answer.text


def rest(node: Node, model: str, body: bytes) -> Answer:
    """Ask by the REST API, as `curl --data-binary` does."""
    node.wait_for_line(r"^export CLOUDFLARE_API_TOKEN=")
    api = json.loads((node.project / ".selfedge/api.json").read_text())
    return fetch(
        f"{api['url']}/accounts/{api['account']}/ai/run/{model}",
        body=body,
        headers={"authorization": f"Bearer {api['token']}"},
        timeout_s=240,
    )


def test_rest_takes_a_picture_as_its_body(node: Node) -> None:
    answer = told(rest(node, RESNET, encoded(crossword(), "JPEG")))
    assert answer["success"] is True
    assert answer["result"][0]["label"] == "CROSSWORD PUZZLE"


def test_rest_answers_with_a_picture(node: Node) -> None:
    body = json.dumps({"prompt": "a cat", "num_steps": 1}).encode()
    answer = rest(node, SDXL, body)
    assert answer.headers["content-type"] == "image/png"
    assert pixels(answer).shape == (256, 256, 3)


def test_rest_names_what_is_wrong_with_a_picture(node: Node) -> None:
    answer = rest(node, RESNET, encoded(clock())[:900])
    assert answer.status == 400
    (error,) = answer.json()["errors"]
    assert error["code"] == 5006
    assert "image: the picture is damaged" in error["message"]
