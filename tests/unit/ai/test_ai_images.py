"""Drawing: inputs, the tokenizer, the schedules, and whole pipelines of chance."""

import asyncio
import base64
import io
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from ai_support import FakeHost, run, service
from PIL import Image

from harness.diffusion import EULER, build, write
from harness.pictures import clock, crossword, encoded
from selfedge.bindings.ai.catalogue import load as load_catalogue
from selfedge.bindings.ai.errors import (
    BadInput,
    InferenceFailed,
    LoraUnsupported,
    NoSuchModel,
)
from selfedge.bindings.ai.jobs.pictures import Drawn, DrawPicture
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.runners.diffusers import runner as runners
from selfedge.bindings.ai.runners.diffusers.clip import ClipTokenizer
from selfedge.bindings.ai.runners.diffusers.runner import load
from selfedge.bindings.ai.runners.diffusers.schedule import Config, plan
from selfedge.bindings.ai.tasks.contract import Asked, File
from selfedge.bindings.ai.tasks.text_to_image import prepare
from selfedge.bindings.ai.weights.table import Weights

CATALOGUE = load_catalogue()
SDXL = "@cf/stabilityai/stable-diffusion-xl-base-1.0"
LIGHTNING = "@cf/bytedance/stable-diffusion-xl-lightning"
IMG2IMG = "@cf/runwayml/stable-diffusion-v1-5-img2img"
FLUX = "@cf/black-forest-labs/flux-1-schnell"
OWN = Weights(name="Own", licence="", task="text-to-image", runner="diffusers")


def asked(model: str, file: File | None = None, **inputs: object) -> Asked:
    return Asked(model=CATALOGUE.get(model), weights=OWN, inputs=inputs, file=file)


def job(model: str = SDXL, **inputs: object) -> DrawPicture:
    return prepare(asked(model, prompt="a cat", **inputs)).job


def test_the_documented_defaults() -> None:
    assert job() == DrawPicture(
        prompt="a cat", negative_prompt="", steps=20, guidance=7.5
    )
    assert job(FLUX).steps == 4
    assert job(FLUX).format == "jpeg"
    assert job(LIGHTNING).guidance == 0
    assert job(LIGHTNING, guidance=2).guidance == 2


def test_all_inputs_reach_the_runner() -> None:
    given = job(
        negative_prompt="rain",
        width=512,
        height=768,
        num_steps=3,
        guidance=4.5,
        seed=7,
        strength=1,
    )
    assert given == DrawPicture(
        prompt="a cat",
        negative_prompt="rain",
        steps=3,
        guidance=4.5,
        width=512,
        height=768,
        seed=7,
    )


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "required properties at '/' are 'prompt'"),
        ({"prompt": ""}, "prompt: .*length >= 1"),
        ({"prompt": "x" * 2049}, "prompt: .*length <= 2048"),
        ({"prompt": 1}, "prompt: "),
        ({"prompt": "x", "negative_prompt": 1}, "negative_prompt: "),
        ({"prompt": "x", "width": 255}, "width: .*>= 256"),
        ({"prompt": "x", "height": 2049}, "height: .*<= 2048"),
        ({"prompt": "x", "width": 512.5}, "width: "),
        ({"prompt": "x", "num_steps": 21}, "num_steps: .*<= 20"),
        ({"prompt": "x", "num_steps": 0}, "num_steps: .*>= 1"),
        ({"prompt": "x", "guidance": -1}, "guidance: .*>= 0"),
        ({"prompt": "x", "guidance": "much"}, "guidance: "),
        ({"prompt": "x", "seed": -1}, "seed: .*>= 0"),
        ({"prompt": "x", "seed": 2**63}, "seed: "),
        ({"prompt": "x", "strength": 2}, "strength: .*<= 1"),
        ({"prompt": "x", "image": [1]}, "image: is no picture"),
        ({"prompt": "x", "image": {}}, "image: is empty"),
        ({"prompt": "x", "image": 7}, "'image'"),
        ({"prompt": "x", "image_b64": "x"}, "image_b64: give bytes"),
        ({"prompt": "x", "image_b64": "aGFsbG8="}, "image_b64: is no picture"),
        ({"prompt": "x", "mask": [1]}, "mask: not supported"),
    ],
)
def test_bad_inputs_name_the_field_and_the_limit(
    inputs: dict[str, object], text: str
) -> None:
    with pytest.raises(BadInput, match=text):
        prepare(asked(SDXL, **inputs))


def test_flux_has_a_limit_of_its_own() -> None:
    assert job(FLUX, steps=8).steps == 8
    for name in ("steps", "num_steps"):
        with pytest.raises(BadInput, match=r"steps: .*<= 8"):
            job(FLUX, **{name: 9})


def test_a_picture_to_start_from_comes_in_any_form() -> None:
    picture = encoded(clock())
    forms = (
        asked(IMG2IMG, prompt="x", image=[*picture]),
        asked(IMG2IMG, prompt="x", image_b64=base64.b64encode(picture).decode()),
        asked(IMG2IMG, File(picture, "image/png"), prompt="x"),
    )
    for form in forms:
        job = prepare(form).job
        assert (job.picture, job.strength) == (picture, 1)


def test_an_adapter_is_refused() -> None:
    with pytest.raises(LoraUnsupported):
        job(lora="x")


def test_the_answer_is_a_file_or_base64() -> None:
    def collected(model: str) -> Any:
        parts = FakeHost([Drawn(b"pixels")]).run(None)
        return run(prepare(asked(model, prompt="x")).collect(parts))

    assert collected(SDXL) == File(b"pixels", "image/png")
    assert collected(FLUX) == {"image": base64.b64encode(b"pixels").decode()}
    with pytest.raises(InferenceFailed, match="drew nothing"):
        run(prepare(asked(SDXL, prompt="x")).collect(FakeHost([]).run(None)))


@pytest.mark.parametrize("model", [m.id for m in CATALOGUE if m.task == OWN.task])
def test_noise_is_never_served(model: str, tmp_path: Path) -> None:
    """Without weights every id says how to get them."""
    host = FakeHost()
    with pytest.raises(NoSuchModel) as caught:
        run(service(tmp_path, host).run(model, {"prompt": "x"}, {}))
    assert f"`selfedge ai add {model} --diffusers DIR`" in str(caught.value)
    assert host.calls == []


# ── the tokenizer ───────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """One of the 1.x form, one of the XL form."""
    root = tmp_path_factory.mktemp("pipelines")
    return {
        "1.x": build(root / "one"),
        "XL": build(root / "xl", extra_large=True),
    }


def test_words_are_lowered_merged_framed_and_padded(
    pipelines: Mapping[str, Path],
) -> None:
    folder = pipelines["1.x"] / "tokenizer"
    vocabulary = json.loads((folder / "vocab.json").read_text())
    ids = ClipTokenizer(folder)("  CAT,\n\n it's")
    words = ["cat</w>", ",</w>", "i", "t</w>", "'", "s</w>"]
    end = vocabulary["<|endoftext|>"]
    start = vocabulary["<|startoftext|>"]
    assert ids[:8] == [start, *(vocabulary[word] for word in words), end]
    assert ids[8:] == [end] * (77 - 8)


def test_the_second_tokenizer_pads_with_its_own_token(
    pipelines: Mapping[str, Path],
) -> None:
    assert ClipTokenizer(pipelines["XL"] / "tokenizer_2")("cat")[-1] == 0


def test_a_long_prompt_is_cut(pipelines: Mapping[str, Path]) -> None:
    tokenizer = ClipTokenizer(pipelines["1.x"] / "tokenizer")
    long = tokenizer("cat " * 500)
    assert len(long) == 77
    assert long[-1] == tokenizer("")[1]


def test_special_tokens_in_a_prompt_are_only_text(
    pipelines: Mapping[str, Path],
) -> None:
    tokenizer = ClipTokenizer(pipelines["1.x"] / "tokenizer")
    end = tokenizer("")[1]
    assert end not in tokenizer("<|endoftext|> " * 50)[:76]


# ── the schedules ───────────────────────────────────────────────────────────

BETAS = {key: value for key, value in EULER.items() if key.startswith("beta")}


def config(kind: str, **others: object) -> Config:
    return msgspec.convert({"_class_name": kind, **BETAS, **others}, Config)


KINDS = (
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "DDIMScheduler",
    "PNDMScheduler",
    "LCMScheduler",
    "DPMSolverMultistepScheduler",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing", None])
@pytest.mark.parametrize("steps", [1, 2, 7, 20])
def test_a_network_that_knows_the_picture_gets_to_it(
    kind: str, prediction: str, spacing: str | None, steps: int
) -> None:
    """Whatever the network predicts: if it is right, the noise goes."""
    settings = config(
        kind,
        prediction_type=prediction,
        timestep_spacing=spacing,
        clip_sample=False,
        steps_offset=1,
    )
    alphas = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
    chance = np.random.default_rng(0)
    picture = chance.standard_normal((4, 8))
    schedule = plan(settings, steps)
    assert len(schedule.timesteps) == steps
    assert sorted(schedule.timesteps, reverse=True) == [*schedule.timesteps]
    latents = picture + chance.standard_normal(picture.shape) * schedule.start_sigma
    if schedule.start_sigma == 1:  # those that count in shares, not in deviations
        share = np.interp(schedule.timesteps[0], np.arange(1000), alphas)
        latents = share**0.5 * picture + (1 - share) ** 0.5 * (latents - picture)
    for step, moment in enumerate(schedule.timesteps):
        seen = schedule.scaled(latents, step)
        alpha = np.interp(moment, np.arange(1000), alphas)
        predicted = right(prediction, picture, seen, alpha)
        draw = lambda: chance.standard_normal(picture.shape)  # noqa: E731
        latents = schedule.stepped(latents, predicted, step, draw)
    assert np.abs(latents - picture).mean() < 0.15


def right(prediction: str, picture: Any, seen: Any, alpha: float) -> Any:
    noise = (seen - alpha**0.5 * picture) / (1 - alpha) ** 0.5
    match prediction:
        case "epsilon":
            return noise
        case "v_prediction":
            return alpha**0.5 * noise - (1 - alpha) ** 0.5 * picture
        case _:
            return picture


def test_the_numbers_of_the_usual_configurations() -> None:
    """Times and noise levels that Stable Diffusion is known to run with."""
    leading = plan(
        config("EulerDiscreteScheduler", timestep_spacing="leading", steps_offset=1), 20
    )
    assert [leading.timesteps[n] for n in (0, 1, -1)] == [951, 901, 1]
    linspace = plan(config("EulerDiscreteScheduler"), 10)
    assert linspace.timesteps[:3] == [999, 888, 777]
    assert linspace.start_sigma == pytest.approx(14.6146, abs=1e-3)
    trailing = plan(config("EulerDiscreteScheduler", timestep_spacing="trailing"), 4)
    assert trailing.timesteps == [999, 749, 499, 249]
    lcm = plan(config("LCMScheduler", original_inference_steps=50), 4)
    assert lcm.timesteps == [999, 759, 499, 259]


def test_karras_levels_keep_both_ends() -> None:
    plain = plan(config("EulerDiscreteScheduler"), 10)
    karras = plan(config("EulerDiscreteScheduler", use_karras_sigmas=True), 10)
    assert karras.timesteps[0] == pytest.approx(plain.timesteps[0], abs=0.1)
    assert karras.timesteps[-1] == pytest.approx(0, abs=0.1)
    assert karras.timesteps[5] != plain.timesteps[5]


# ── whole pipelines ─────────────────────────────────────────────────────────

STEPS = 4


def drawn(folder: Path, *many: Mapping[str, object]) -> list[Any]:
    """Return a picture for each of `many` inputs, from one loaded pipeline."""

    async def body() -> list[Any]:
        runner = load(Source(location=str(folder)), 1)
        found = []
        for one in many:
            inputs = {"prompt": "a cat", "num_steps": STEPS, "seed": 1, **one}
            parts = runner.run(prepare(asked(SDXL, **inputs)).job)
            (part,) = [part async for part in parts]
            found.append(np.asarray(Image.open(io.BytesIO(part.content))))
        await runner.close()
        return found

    return run(body())


@pytest.mark.parametrize("form", ["1.x", "XL"])
def test_the_same_inputs_draw_the_same_and_each_other_input_counts(
    form: str, pipelines: Mapping[str, Path]
) -> None:
    first, again, *others = drawn(
        pipelines[form],
        {},
        {},
        {"prompt": "a dog"},
        {"seed": 2},
        {"negative_prompt": "ugly"},
        {"guidance": 3},
        {"guidance": 0},
        {"num_steps": STEPS + 1},
    )
    assert first.shape == (256, 256, 3)
    assert first.std() > 10
    assert (first == again).all()
    for other in others:
        assert (first != other).mean() > 0.005


def test_without_a_seed_each_picture_is_another(
    pipelines: Mapping[str, Path],
) -> None:
    one, two = drawn(pipelines["1.x"], {"seed": None}, {"seed": None})
    assert (one != two).mean() > 0.1


@pytest.mark.parametrize("size", [(256, 256), (300, 260), (512, 320)])
def test_a_picture_has_exactly_the_size_asked_for(
    size: tuple[int, int], pipelines: Mapping[str, Path]
) -> None:
    width, height = size
    (picture,) = drawn(pipelines["XL"], {"width": width, "height": height})
    assert picture.shape == (height, width, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_every_schedule_draws_repeatably(kind: str, tmp_path: Path) -> None:
    settings = {**EULER, "_class_name": kind, "clip_sample": False}
    one, two = drawn(build(tmp_path, scheduler=settings), {}, {})
    assert (one == two).all()


def test_guidance_can_be_an_input_of_the_network(tmp_path: Path) -> None:
    """As in latent consistency models: no second row, but it counts."""
    settings = {**EULER, "_class_name": "LCMScheduler"}
    folder = build(tmp_path, scheduler=settings, guidance_width=64)
    low, high, negative = drawn(
        folder,
        {"guidance": 1},
        {"guidance": 9},
        {"guidance": 1, "negative_prompt": "x"},
    )
    assert (low != high).any()
    assert (low == negative).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_weaker_the_change_the_more_of_a_picture_is_left(
    kind: str, tmp_path: Path
) -> None:
    """Seeds matter the less; another picture makes another."""
    settings = {**EULER, "_class_name": kind, "clip_sample": False}
    folder = build(tmp_path, scheduler=settings, starts_from_pictures=True)
    start = {"image": [*encoded(clock())], "num_steps": 10}
    weak, weak_too, strong, strong_too, other = drawn(
        folder,
        {**start, "strength": 0.1},
        {**start, "strength": 0.1, "seed": 2},
        {**start, "strength": 0.9},
        {**start, "strength": 0.9, "seed": 2},
        {**start, "strength": 0.1, "image": [*encoded(crossword())]},
    )
    assert difference(weak, weak_too) < difference(strong, strong_too)
    assert difference(weak, other) > 5


def difference(one: Any, other: Any) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def test_a_picture_to_start_from_is_cut_to_the_size(tmp_path: Path) -> None:
    folder = build(tmp_path, starts_from_pictures=True)
    start = {"image": [*encoded(clock())], "strength": 0}
    (picture,) = drawn(folder, {**start, "width": 300, "height": 260})
    assert picture.shape == (260, 300, 3)


def test_a_model_that_cannot_start_from_a_picture_says_so(
    pipelines: Mapping[str, Path],
) -> None:
    with pytest.raises(BadInput, match="has no vae_encoder"):
        drawn(pipelines["1.x"], {"image": [*encoded(clock())]})


def test_a_damaged_picture_to_start_from_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="image: the picture is damaged"):
        drawn(
            build(tmp_path, starts_from_pictures=True),
            {"image": [*encoded(clock())[:900]]},
        )


def test_networks_that_give_no_numbers_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InferenceFailed, match="NaN"):
        drawn(build(tmp_path, broken_vae=True), {})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("model_index.json", r"model_index\.json is missing"),
        ("unet/model.onnx", r"unet/model\.onnx is missing"),
        ("vae_decoder/model.onnx", r"vae_decoder/model\.onnx is missing"),
        ("text_encoder/model.onnx", r"text_encoder/model\.onnx is missing"),
        ("tokenizer/vocab.json", "tokenizer: "),
        ("tokenizer/merges.txt", "tokenizer: "),
    ],
)
def test_a_part_that_is_missing_is_named(tmp_path: Path, path: str, text: str) -> None:
    folder = build(tmp_path)
    (folder / path).unlink()
    with pytest.raises(ValueError, match=text):
        load(Source(location=str(folder)), 1)


@pytest.mark.parametrize(
    ("path", "content", "text"),
    [
        ("unet/config.json", {"in_channels": 9}, "inpainting"),
        ("unet/config.json", {"in_channels": "x"}, r"unet/config\.json: "),
        ("transformer/config.json", {}, "transformer"),
        (
            "scheduler/scheduler_config.json",
            {"prediction_type": "guess"},
            r"scheduler_config\.json: .*guess",
        ),
    ],
)
def test_another_architecture_is_refused(
    tmp_path: Path, path: str, content: object, text: str
) -> None:
    write(build(tmp_path) / path, content)
    with pytest.raises(ValueError, match=text):
        load(Source(location=str(tmp_path)), 1)


def test_a_drawing_that_nobody_waits_for_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left early, a large picture keeps the next one from its turn for no time."""
    real = runners.draw

    async def body() -> float:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def draw(*arguments: Any) -> Any:
            loop.call_soon_threadsafe(begun.set)
            return real(*arguments)

        monkeypatch.setattr(runners, "draw", draw)
        runner = load(Source(location=str(build(tmp_path))), 1)
        large = job(width=2048, height=2048)
        left = asyncio.ensure_future(anext(runner.run(large)))
        await begun.wait()
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        began = time.monotonic()
        await anext(runner.run(job(num_steps=1, width=256, height=256)))
        return time.monotonic() - began

    assert run(body()) < 1.0
