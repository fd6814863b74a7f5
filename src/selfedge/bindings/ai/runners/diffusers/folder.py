"""A folder as `diffusers` and its exporters write it → the parts of a pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from selfedge.bindings.ai.runners.diffusers import schedule
from selfedge.bindings.ai.runners.diffusers.clip import ClipTokenizer
from selfedge.bindings.ai.runners.diffusers.component import Component

VAE_SCALING = 0.18215
INDEX_FILE = "model_index.json"


class _Index(msgspec.Struct, frozen=True):
    force_zeros_for_empty_prompt: bool = False


class _UNet(msgspec.Struct, frozen=True):
    in_channels: int = 4
    sample_size: int | Sequence[int] | None = None
    time_cond_proj_dim: int | None = None


class _VAE(msgspec.Struct, frozen=True):
    scaling_factor: float = VAE_SCALING
    block_out_channels: Sequence[int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Text:
    """A text encoder with its tokenizer."""

    tokenizer: ClipTokenizer
    encoder: Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All that a pipeline is made of."""

    texts: Sequence[Text]  # two: the XL form
    unet: Component
    vae: Component
    vae_encoder: Component | None  # for pictures to start from
    schedule: schedule.Config
    channels: int  # of the latents
    scaling: float  # of the latents, before the decoder
    factor: int  # pixels for each latent, along a side
    side: int  # pixels, unless another size is asked for
    guidance_width: int | None  # guidance is an input of the network, so wide
    zeros_when_empty: bool


def read_folder(root: Path, threads: int) -> Parts:
    """Load the networks in `root`.

    Raises:
        ValueError: a part is missing or damaged, or it is another architecture.
    """
    if not (root / INDEX_FILE).is_file():
        raise ValueError(f"{INDEX_FILE} is missing: this is no folder of diffusers")
    if (root / "transformer").is_dir():
        raise ValueError("it has a transformer; only models with a UNet can be run")
    index = _json(root / INDEX_FILE, _Index)
    unet = _json(root / "unet" / "config.json", _UNet)
    vae = _json(root / "vae_decoder" / "config.json", _VAE)
    if unet.in_channels != 4:
        raise ValueError(
            f"unet takes {unet.in_channels} channels, not 4: models for inpainting "
            "cannot be run"
        )
    factor = 2 ** (len(vae.block_out_channels) - 1)
    return Parts(
        texts=[
            Text(
                ClipTokenizer(root / f"tokenizer{number}"),
                Component(root, f"text_encoder{number}", threads),
            )
            for number in ("", "_2")
            if number == "" or (root / f"text_encoder{number}").is_dir()
        ],
        unet=Component(root, "unet", threads),
        vae=Component(root, "vae_decoder", threads),
        vae_encoder=(
            Component(root, "vae_encoder", threads)
            if (root / "vae_encoder").is_dir()
            else None
        ),
        schedule=_json(root / "scheduler" / "scheduler_config.json", schedule.Config),
        channels=unet.in_channels,
        scaling=vae.scaling_factor,
        factor=factor,
        side=_side(unet.sample_size) * factor,
        guidance_width=unet.time_cond_proj_dim,
        zeros_when_empty=index.force_zeros_for_empty_prompt,
    )


def _side(sample_size: int | Sequence[int] | None) -> int:
    if isinstance(sample_size, Sequence):
        return sample_size[0]
    return sample_size or 64


def _json(path: Path, kind: Any) -> Any:
    """Return the file as a `kind`; one that is missing has nothing but defaults."""
    if not path.is_file():
        return kind()
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path.parent.name}/{path.name}: {error}") from error
