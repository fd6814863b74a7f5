"""From words to a picture: encode, denoise with guidance, decode."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ImageOps

from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.pictures import DrawPicture
from selfedge.bindings.ai.runners.diffusers.folder import Parts
from selfedge.bindings.ai.runners.diffusers.schedule import plan
from selfedge.bindings.ai.runners.picture import decode

GRID = 64
"""Pixels: the UNet halves its input three times; a rest is cut off at the end."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A prompt, as the UNet takes it."""

    hidden: Any
    pooled: Any | None

    @property
    def zeros(self) -> "Meaning":
        """No meaning at all."""
        pooled = None if self.pooled is None else np.zeros_like(self.pooled)
        return Meaning(np.zeros_like(self.hidden), pooled)


def draw(parts: Parts, job: DrawPicture, seed: int, options: Any) -> Any:
    """Return [height, width, 3] bytes; `options` are onnxruntime's, to end it early.

    Raises:
        InferenceFailed: the networks did not give numbers.
    """
    width, height = job.width or parts.side, job.height or parts.side
    noise = np.random.default_rng(seed)
    shape = (1, parts.channels, _latents(height, parts), _latents(width, parts))
    latents = _denoised(parts, job, shape, noise, options)
    pixels = _first(parts.vae.run({"latent_sample": latents / parts.scaling}, options))
    if not np.isfinite(pixels).all():
        raise InferenceFailed(
            "The networks gave no numbers (NaN). Weights of 16 bits often do: export "
            "the VAE with 32."
        )
    levels = (pixels[0].transpose(1, 2, 0) / 2 + 0.5).clip(0, 1) * 255
    return levels.round().astype(np.uint8)[:height, :width]


def _denoised(
    parts: Parts, job: DrawPicture, shape: tuple[int, ...], noise: Any, options: Any
) -> Any:
    def fresh() -> Any:
        return noise.standard_normal(shape, np.float32)

    steps = plan(parts.schedule, job.steps)
    feeds, guides = _conditions(parts, job, shape, options)
    first = 0
    latents = fresh() * steps.start_sigma
    if job.picture is not None:
        first = job.steps - max(1, int(job.steps * job.strength))
        known = _latents_of(parts, job.picture, job, shape, options)
        latents = steps.noised(known, first, fresh)
    for step, time in enumerate(steps.timesteps[first:], first):
        sample = np.repeat(steps.scaled(latents, step), 2 if guides else 1, axis=0)
        timestep = [time] if parts.unet.rank("timestep") else time
        feeds |= {"sample": sample, "timestep": timestep}
        predicted = _first(parts.unet.run(feeds, options))
        if guides:
            without, towards = predicted[:1], predicted[1:]
            predicted = without + job.guidance * (towards - without)
        latents = steps.stepped(latents, predicted, step, fresh)
    return latents


def _latents_of(
    parts: Parts, picture: bytes, job: DrawPicture, shape: tuple[int, ...], options: Any
) -> Any:
    """Return the latents of a picture, cut to the shape asked for.

    Raises:
        BadInput: it cannot be read, or the model cannot start from one.
    """
    if parts.vae_encoder is None:
        raise BadInput(
            "image: this model draws from text alone (its folder has no vae_encoder)"
        )
    size = (job.width or parts.side, job.height or parts.side)
    pixels = np.asarray(ImageOps.fit(decode(picture), size), np.float32)
    below = shape[2] * parts.factor - size[1]
    right = shape[3] * parts.factor - size[0]
    padded = np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge")
    sample = padded.transpose(2, 0, 1)[None] / 127.5 - 1
    encoded = _first(parts.vae_encoder.run({"sample": sample}, options))
    return encoded[:, : parts.channels] * parts.scaling  # what follows is deviations


def _conditions(
    parts: Parts, job: DrawPicture, shape: tuple[int, ...], options: Any
) -> tuple[dict[str, Any], bool]:
    """Return what the UNet gets in each step, and whether a second, negative, row."""
    meaning = _encode(parts, job.prompt, options)
    feeds: dict[str, Any] = {}
    guides = job.guidance > 1 and parts.guidance_width is None
    rows = [meaning]
    if guides:
        zeros = parts.zeros_when_empty and not job.negative_prompt
        against = job.negative_prompt
        rows.insert(0, meaning.zeros if zeros else _encode(parts, against, options))
    if parts.guidance_width is not None:
        feeds["timestep_cond"] = _waves(job.guidance - 1, parts.guidance_width)
    feeds["encoder_hidden_states"] = np.concatenate([row.hidden for row in rows])
    if meaning.pooled is not None:
        feeds["text_embeds"] = np.concatenate([row.pooled for row in rows])
        height, width = shape[2] * parts.factor, shape[3] * parts.factor
        size = [height, width, 0, 0, height, width]
        feeds["time_ids"] = np.array([size] * len(rows))
    return feeds, guides


def _encode(parts: Parts, prompt: str, options: Any) -> Meaning:
    hidden: list[Any] = []
    pooled = None
    extra_large = len(parts.texts) > 1
    for text in parts.texts:
        ids = [text.tokenizer(prompt)]
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        found = text.encoder.run(feeds, options)
        layers = sorted(
            (name for name in found if name.startswith("hidden_states.")),
            key=lambda name: int(name.rpartition(".")[2]),
        )
        if not extra_large:
            hidden.append(found.get("last_hidden_state", _first(found)))
        elif len(layers) < 2:
            raise ValueError("a text encoder of an XL model gives no hidden_states.N")
        else:
            hidden.append(found[layers[-2]])
            pooled = found.get("text_embeds", pooled)
    return Meaning(np.concatenate(hidden, axis=-1), pooled)


def _waves(value: float, width: int) -> Any:
    """Return a number as the network reads it: sines and cosines of many lengths."""
    half = width // 2
    scale = math.log(10_000) / max(half - 1, 1)
    angles = value * 1000 * np.exp(-scale * np.arange(half))
    return np.concatenate([np.sin(angles), np.cos(angles)])[None]


def _latents(pixels: int, parts: Parts) -> int:
    return math.ceil(pixels / GRID) * GRID // parts.factor


def _first(outputs: Any) -> Any:
    return next(iter(outputs.values()))
