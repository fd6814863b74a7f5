"""The runner: speaks sentence after sentence."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np

from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.speech_synthesis import SpeakText, Speech
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.onnx_session import open_session
from selfedge.bindings.ai.runners.onnx_voice.phonemes import Phonemise, phonemiser
from selfedge.bindings.ai.runners.onnx_voice.voice import Voice, read
from selfedge.bindings.ai.runners.sound import encode, resample

PAUSE_S = 0.2
"""Between two sentences."""

_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


def load(source: Source, threads: int) -> Runner:
    """Read the one voice in a folder.

    Raises:
        ValueError: there is none, or its phonemes cannot be written here.
    """
    model, voice = read(source.path)
    return VoiceRunner(open_session(model, threads), voice, phonemiser(voice))


class VoiceRunner:
    """One voice; texts are read one after another."""

    def __init__(self, session: Any, voice: Voice, phonemise: Phonemise) -> None:
        self._session = session
        self._voice = voice
        self._phonemise = phonemise
        self._turn = asyncio.Lock()

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the sound; cancelled between two sentences."""
        if not isinstance(job, SpeakText):
            raise InferenceFailed(f"a voice does not run {type(job).__name__}")
        if job.language and job.language != self._voice.language:
            raise BadInput(
                f"lang: the installed voice speaks {self._voice.language}, "
                f"not {job.language}"
            )
        spoken = await asyncio.to_thread(self._phonemise, job.text)
        async with self._turn:
            sounds = [await asyncio.to_thread(self._say, part) for part in spoken]
        if not sounds:
            raise BadInput("text: there is nothing in it that can be said")
        yield Speech(await asyncio.to_thread(self._file, sounds, job))

    async def close(self) -> None:
        """Free the voice."""
        self._session = None

    def _say(self, phonemes: str) -> Any:
        how = self._voice.inference
        ids = self._voice.ids(phonemes)
        feeds = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(
                [how.noise_scale, how.length_scale, how.noise_w], np.float32
            ),
        }
        if self._voice.num_speakers > 1:
            feeds["sid"] = np.array([0], np.int64)
        try:
            return self._session.run(None, feeds)[0].reshape(-1)
        except Exception as error:
            raise InferenceFailed(f"onnxruntime: {error}") from error

    def _file(self, sounds: list[Any], job: SpeakText) -> bytes:
        rate = self._voice.audio.sample_rate
        pause = np.zeros(int(PAUSE_S * rate), np.float32)
        samples = np.concatenate([part for sound in sounds for part in (sound, pause)])
        wanted = job.sample_rate or rate
        if job.encoding == "opus" and wanted not in _OPUS_RATES:
            wanted = 24_000
        samples = resample(samples.astype(np.float32), rate, wanted)
        return encode(np.clip(samples, -1.0, 1.0), wanted, job.encoding)
