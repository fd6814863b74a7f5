"""Audio files ↔ samples: float32 from -1 to 1, one channel."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import soundfile

from selfedge.bindings.ai.errors import BadInput
from selfedge.bindings.ai.jobs.speech_synthesis import Encoding

SAMPLE_RATE = 16_000
"""That speech recognition works at."""

DURATION_MAX_S = 2 * 3600
"""A small file may hold days of silence."""

FORMATS = "WAV, MP3, FLAC, Ogg Vorbis, Ogg Opus and AIFF"

_FILES: Mapping[Encoding, tuple[str, str]] = {
    "alaw": ("WAV", "ALAW"),
    "flac": ("FLAC", "PCM_16"),
    "linear16": ("WAV", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "mulaw": ("WAV", "ULAW"),
    "opus": ("OGG", "OPUS"),
    "raw-alaw": ("RAW", "ALAW"),
    "raw-linear16": ("RAW", "PCM_16"),
    "raw-mulaw": ("RAW", "ULAW"),
}

_BLOCK_S = 30  # resampled one by one: hours at 48 kHz would fill the memory
_CHANNELS_MAX = 8
_RATE_MIN, _RATE_MAX = 1_000, 192_000
_FILTER_TAPS = 129


def decode(data: bytes) -> Any:
    """Return the samples of an audio file at 16 kHz.

    Raises:
        BadInput: it is no audio, damaged, or too long.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return _read(file)
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise BadInput(
            f"audio: the {len(data)} bytes are damaged or no audio that can be "
            f"decoded ({FORMATS} can)"
        ) from error


def _read(file: Any) -> Any:
    rate = file.samplerate
    if file.channels > _CHANNELS_MAX or not _RATE_MIN <= rate <= _RATE_MAX:
        raise BadInput(
            f"audio: {file.channels} channels at {rate} Hz; expected at most "
            f"{_CHANNELS_MAX} channels at {_RATE_MIN:,} to {_RATE_MAX:,} Hz"
        )
    blocks, seconds = [], 0.0
    for block in file.blocks(rate * _BLOCK_S, dtype="float32", always_2d=True):
        mixed = np.nan_to_num(block.mean(axis=1))
        blocks.append(resample(mixed, rate, SAMPLE_RATE))
        seconds += len(block) / rate
        if seconds > DURATION_MAX_S:
            raise BadInput(f"audio: longer than {DURATION_MAX_S // 3600} hours")
    if not blocks:
        raise BadInput("audio: it holds no sound")
    return np.concatenate(blocks)


def encode(samples: Any, rate: int, encoding: Encoding) -> bytes:
    """Return a file; `raw-` ones are bare samples."""
    kind, subtype = _FILES[encoding]
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def resample(samples: Any, rate: int, wanted: int) -> Any:
    """Return `samples` at `wanted` hertz; what that cannot hold is filtered out."""
    if rate == wanted:
        return samples
    if wanted < rate:
        samples = np.convolve(samples, _low_pass(0.46 * wanted / rate), mode="same")
    count = max(1, round(len(samples) * wanted / rate))
    places = np.arange(count) * (rate / wanted)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


def _low_pass(cutoff: float) -> Any:
    """Return a windowed sinc; `cutoff` is a part of the sampling rate."""
    offsets = np.arange(_FILTER_TAPS) - _FILTER_TAPS // 2
    taps = np.sinc(2 * cutoff * offsets) * np.hanning(_FILTER_TAPS)
    return (taps / taps.sum()).astype(np.float32)
