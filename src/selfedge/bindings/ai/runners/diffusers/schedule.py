"""How noise becomes a picture, step by step: Euler, Euler ancestral, DDIM, LCM.

All numbers come from `scheduler/scheduler_config.json`. A class that is not written
here is run as the nearest one that is (`_SAME_AS`): they solve the same equation.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec
import numpy as np

Prediction: TypeAlias = Literal["epsilon", "v_prediction", "sample"]
Draw: TypeAlias = Callable[[], Any]
"""Fresh noise of the latents' shape."""

LCM_ORIGINAL_STEPS = 50
LCM_SIGMA = 0.5
LCM_SCALING = 10.0


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that matter, with the defaults of the format."""

    kind: str = msgspec.field(name="_class_name", default="EulerDiscreteScheduler")
    num_train_timesteps: int = 1000
    beta_start: float = 0.0001
    beta_end: float = 0.02
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = "linear"
    prediction_type: Prediction = "epsilon"
    timestep_spacing: Literal["linspace", "leading", "trailing"] | None = None
    steps_offset: int = 0
    set_alpha_to_one: bool = True
    clip_sample: bool | None = None
    use_karras_sigmas: bool | None = None
    original_inference_steps: int | None = None


class Schedule(Protocol):
    """The plan for one picture of so many steps."""

    timesteps: Sequence[float]
    start_sigma: float  # the deviation of the first noise

    def noised(self, latents: Any, step: int, draw: Draw) -> Any:
        """Return a picture's latents with as much noise as there is before `step`."""

    def scaled(self, latents: Any, step: int) -> Any:
        """Return the latents as the network wants them at `step`."""

    def stepped(self, latents: Any, predicted: Any, step: int, draw: Draw) -> Any:
        """Return the latents after `step`."""


def plan(config: Config, steps: int) -> Schedule:
    """Return the schedule for `steps` steps."""
    kind = _SAME_AS.get(config.kind, config.kind)
    if kind == "EulerAncestralDiscreteScheduler":
        return Euler(config, steps, ancestral=True)
    if kind == "DDIMScheduler":
        return DDIM(config, steps)
    if kind == "LCMScheduler":
        return LCM(config, steps)
    return Euler(config, steps, ancestral=False)


_SAME_AS: Mapping[str, str] = {"PNDMScheduler": "DDIMScheduler"}


class Euler:
    """Euler's method over noise levels; ancestral: with fresh noise at each step."""

    def __init__(self, config: Config, steps: int, *, ancestral: bool) -> None:
        spacing = config.timestep_spacing or "linspace"
        self.timesteps = _timesteps(config, steps, spacing)
        alphas = _alphas(config)
        levels = np.sqrt((1 - alphas) / alphas)
        places = np.arange(len(levels))
        sigmas = np.interp(self.timesteps, places, levels)
        if config.use_karras_sigmas:
            sigmas = _karras(sigmas)
            logs = np.log(levels)
            self.timesteps = [float(t) for t in np.interp(np.log(sigmas), logs, places)]
        self._sigmas = [*sigmas.tolist(), 0.0]
        highest = max(self._sigmas)
        above = (highest**2 + 1) ** 0.5
        self.start_sigma = above if spacing == "leading" else highest
        self._prediction = config.prediction_type
        self._ancestral = ancestral

    def noised(self, latents: Any, step: int, draw: Draw) -> Any:
        return latents + draw() * self._sigmas[step]

    def scaled(self, latents: Any, step: int) -> Any:
        return latents / (self._sigmas[step] ** 2 + 1) ** 0.5

    def stepped(self, latents: Any, predicted: Any, step: int, draw: Draw) -> Any:
        now, then = self._sigmas[step], self._sigmas[step + 1]
        clean = self._clean(latents, predicted, now)
        slope = (latents - clean) / now
        if not self._ancestral or then == 0:
            return latents + slope * (then - now)
        up = (then**2 * (now**2 - then**2) / now**2) ** 0.5
        down = (then**2 - up**2) ** 0.5
        return latents + slope * (down - now) + draw() * up

    def _clean(self, latents: Any, predicted: Any, sigma: float) -> Any:
        match self._prediction:
            case "epsilon":
                return latents - sigma * predicted
            case "v_prediction":
                total = sigma**2 + 1
                return latents / total - predicted * (sigma / total**0.5)
            case "sample":
                return predicted


class DDIM:
    """Denoising diffusion implicit models, without added noise."""

    start_sigma = 1.0

    def __init__(self, config: Config, steps: int) -> None:
        self.timesteps = _timesteps(config, steps, config.timestep_spacing or "leading")
        self._alphas = _alphas(config)
        self._stride = config.num_train_timesteps // steps
        self._last = 1.0 if config.set_alpha_to_one else float(self._alphas[0])
        self._prediction = config.prediction_type
        own = config.kind == "DDIMScheduler"  # whose default it is to clip
        self._clips = own if config.clip_sample is None else config.clip_sample

    def noised(self, latents: Any, step: int, draw: Draw) -> Any:
        return _mixed(latents, draw(), self._alphas[int(self.timesteps[step])])

    def scaled(self, latents: Any, _step: int) -> Any:
        return latents

    def stepped(self, latents: Any, predicted: Any, step: int, _draw: Draw) -> Any:
        now = int(self.timesteps[step])
        before = now - self._stride
        alpha = float(self._alphas[now])
        target = float(self._alphas[before]) if before >= 0 else self._last
        clean, noise = _split(self._prediction, latents, predicted, alpha)
        if self._clips:
            clean = clean.clip(-1, 1)
            noise = (latents - alpha**0.5 * clean) / (1 - alpha) ** 0.5
        return _mixed(clean, noise, target)


class LCM:
    """Latent consistency: each step guesses the picture, then adds less noise."""

    start_sigma = 1.0

    def __init__(self, config: Config, steps: int) -> None:
        original = config.original_inference_steps or LCM_ORIGINAL_STEPS
        original = max(original, steps)
        stride = config.num_train_timesteps // original
        trained = np.arange(1, original + 1)[::-1] * stride - 1
        chosen = np.linspace(0, original, steps, endpoint=False).astype(int)
        self.timesteps: Sequence[float] = [float(t) for t in trained[chosen]]
        self._alphas = _alphas(config)
        self._prediction = config.prediction_type

    def noised(self, latents: Any, step: int, draw: Draw) -> Any:
        return _mixed(latents, draw(), self._alphas[int(self.timesteps[step])])

    def scaled(self, latents: Any, _step: int) -> Any:
        return latents

    def stepped(self, latents: Any, predicted: Any, step: int, draw: Draw) -> Any:
        now = int(self.timesteps[step])
        clean, _ = _split(
            self._prediction, latents, predicted, float(self._alphas[now])
        )
        time, sigma = now * LCM_SCALING, LCM_SIGMA
        total = time**2 + sigma**2
        guess = clean * (time / total**0.5) + latents * (sigma**2 / total)
        if step + 1 == len(self.timesteps):
            return guess
        then = float(self._alphas[int(self.timesteps[step + 1])])
        return _mixed(guess, draw(), then)


def _mixed(picture: Any, noise: Any, alpha: float) -> Any:
    return float(alpha) ** 0.5 * picture + (1 - float(alpha)) ** 0.5 * noise


def _split(kind: Prediction, latents: Any, predicted: Any, alpha: float) -> Any:
    """Return what the latents are made of: (picture, noise)."""
    signal, rest = alpha**0.5, (1 - alpha) ** 0.5
    match kind:
        case "epsilon":
            return (latents - rest * predicted) / signal, predicted
        case "v_prediction":
            clean = signal * latents - rest * predicted
            return clean, signal * predicted + rest * latents
        case "sample":
            return predicted, (latents - signal * predicted) / rest


def _alphas(config: Config) -> Any:
    """Return how much of the picture is left at each time of the training."""
    count = config.num_train_timesteps
    first, last = config.beta_start, config.beta_end
    if config.beta_schedule == "linear":
        betas = np.linspace(first, last, count)
    elif config.beta_schedule == "scaled_linear":
        betas = np.linspace(first**0.5, last**0.5, count) ** 2
    else:
        times = np.arange(count + 1) / count
        curve = np.cos((times + 0.008) / 1.008 * np.pi / 2) ** 2
        betas = np.minimum(1 - curve[1:] / curve[:-1], 0.999)
    return np.cumprod(1 - betas)


def _timesteps(config: Config, steps: int, spacing: str) -> Sequence[float]:
    count = config.num_train_timesteps
    if spacing == "linspace":
        return [float(t) for t in np.linspace(0, count - 1, steps)[::-1]]
    if spacing == "leading":
        places = np.arange(steps)[::-1] * (count // steps) + config.steps_offset
        return [float(min(t, count - 1)) for t in places]
    places = np.round(np.arange(count, 0, -count / steps))[:steps] - 1
    return [float(t) for t in places]


def _karras(sigmas: Any) -> Any:
    """Return as many levels between the same two, denser where they are low."""
    ramp = np.linspace(0, 1, len(sigmas))
    low, high = sigmas[-1] ** (1 / 7), sigmas[0] ** (1 / 7)
    return (high + ramp * (low - high)) ** 7
