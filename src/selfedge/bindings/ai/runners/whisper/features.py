"""Samples → log-mel picture, ten milliseconds to a column."""

from functools import lru_cache
from typing import Any

import numpy as np

from selfedge.bindings.ai.runners.sound import SAMPLE_RATE

WINDOW = 400
HOP = 160
FRAMES_PER_S = SAMPLE_RATE // HOP
CHUNK_FRAMES = 3000
"""Thirty seconds: what the encoder looks at in one go."""

_LINEAR_TO_HZ = 1000.0  # above, the mel scale is logarithmic
_HZ_PER_MEL = 200.0 / 3
_LOG_STEP = np.log(6.4) / 27


def log_mel(samples: Any, bands: int) -> Any:
    """Return the picture of at most 30 seconds, padded with silence."""
    wanted = CHUNK_FRAMES * HOP
    padded = np.zeros(wanted, np.float32)
    padded[: len(samples)] = samples[:wanted]
    padded = np.pad(padded, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames[:CHUNK_FRAMES] * window, axis=1)) ** 2
    mel = filters(bands) @ power.T.astype(np.float32)
    logarithm = np.log10(np.maximum(mel, 1e-10))
    logarithm = np.maximum(logarithm, logarithm.max() - 8.0)
    return ((logarithm + 4.0) / 4.0).astype(np.float32)


@lru_cache(maxsize=4)
def filters(bands: int) -> Any:
    """Return triangles of equal area, evenly spread over the mel scale."""
    frequencies = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    corners = _hertz(np.linspace(0.0, _mel(SAMPLE_RATE / 2), bands + 2))
    widths = np.diff(corners)
    slopes = corners[:, None] - frequencies[None, :]
    rising = -slopes[:-2] / widths[:-1, None]
    falling = slopes[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2.0 / (corners[2:] - corners[:-2]))[:, None]).astype(
        np.float32
    )


def _mel(hertz: float) -> float:
    above = np.log(hertz / _LINEAR_TO_HZ) / _LOG_STEP
    return float(_LINEAR_TO_HZ / _HZ_PER_MEL + above)


def _hertz(mels: Any) -> Any:
    bend = _LINEAR_TO_HZ / _HZ_PER_MEL
    above = _LINEAR_TO_HZ * np.exp(_LOG_STEP * (mels - bend))
    return np.where(mels >= bend, above, mels * _HZ_PER_MEL)
