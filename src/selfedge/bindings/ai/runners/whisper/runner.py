"""The runner: goes through a file, thirty seconds at a time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from selfedge.bindings.ai.errors import AiError, BadInput, InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.speech_recognition import (
    Segment,
    TranscribeAudio,
    Transcript,
    Word,
)
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.sound import SAMPLE_RATE, decode
from selfedge.bindings.ai.runners.whisper.decoding import (
    SECONDS_PER_STEP,
    TEMPERATURES,
    Decoder,
    Heard,
    Thresholds,
    Timed,
)
from selfedge.bindings.ai.runners.whisper.features import (
    CHUNK_FRAMES,
    FRAMES_PER_S,
    HOP,
    log_mel,
)
from selfedge.bindings.ai.runners.whisper.segments import Phrase, phrases

CHUNK_S = CHUNK_FRAMES // FRAMES_PER_S


def load(source: Source, threads: int) -> Runner:
    """Read the CTranslate2 model and the tokenizer in a folder."""
    return WhisperRunner(Decoder(source.path, threads))


class WhisperRunner:
    """One model; files are heard one after another."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder: Decoder | None = decoder
        self._turn = asyncio.Lock()

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the transcript; cancelled between two pieces of sound."""
        if not isinstance(job, TranscribeAudio) or self._decoder is None:
            raise InferenceFailed(f"Whisper does not run {type(job).__name__}")
        samples = await asyncio.to_thread(decode, job.audio)
        async with self._turn:
            hearing = _Hearing(job, samples, self._decoder)
            while not hearing.ended:
                await asyncio.to_thread(_guarded, hearing)
        yield hearing.transcript()

    async def close(self) -> None:
        """Free the model."""
        self._decoder = None


def _guarded(hearing: "_Hearing") -> None:
    try:
        hearing.step()
    except AiError:
        raise
    except Exception as error:
        raise InferenceFailed(f"CTranslate2: {error}") from error


@dataclass
class _Hearing:
    """A file, as far as it was heard."""

    job: TranscribeAudio
    samples: Any
    decoder: Decoder
    seek: int = 0  # in samples
    language: str = ""
    probability: float = 1.0
    past: list[int] = field(default_factory=list)  # tokens of what was said
    segments: list[Segment] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.seek >= len(self.samples)

    def transcript(self) -> Transcript:
        return Transcript(
            language=self.language,
            language_probability=self.probability,
            duration=len(self.samples) / SAMPLE_RATE,
            segments=self.segments,
        )

    def step(self) -> None:
        """Hear the next piece."""
        piece = self.samples[self.seek : self.seek + CHUNK_S * SAMPLE_RATE]
        encoded = self.decoder.encode(log_mel(piece, self.decoder.bands))
        if not self.language:
            self._begin(encoded)
        start = self.decoder.start(self.language, self.job.task)
        heard = self._hear(encoded, start)
        length = len(piece) / SAMPLE_RATE
        if heard.no_speech > self.job.no_speech_max and not heard.likely(
            self.job.logprob_min
        ):
            self.seek += len(piece)
            return
        found, reached = phrases(
            heard.tokens, self.decoder.first_timestamp, SECONDS_PER_STEP, length
        )
        self._add(found, heard, self._align(encoded, start, found, len(piece) // HOP))
        if not self.job.follow_context or heard.temperature > TEMPERATURES[1]:
            self.past.clear()
        self.seek += max(HOP, round(reached * SAMPLE_RATE))

    def _begin(self, encoded: Any) -> None:
        job, decoder = self.job, self.decoder
        if not decoder.multilingual and job.task == "translate":
            raise BadInput("task: this model writes down English, it cannot translate")
        if job.language and not decoder.knows(job.language):
            raise BadInput(f"language: this model does not know {job.language}")
        if job.language or not decoder.multilingual:
            self.language = job.language or "en"
        else:
            self.language, self.probability = decoder.language(encoded)
        if job.initial_prompt:
            self.past.extend(decoder.tokens(job.initial_prompt))

    def _hear(self, encoded: Any, start: Sequence[int]) -> Heard:
        first = self.seek == 0 and self.job.prefix
        return self.decoder.hear(
            encoded,
            start,
            before=self.past,
            prefix=self.decoder.tokens(self.job.prefix) if first else (),
            beam_size=self.job.beam_size,
            thresholds=Thresholds(self.job.compression_ratio_max, self.job.logprob_min),
        )

    def _align(
        self, encoded: Any, start: Sequence[int], found: Sequence[Phrase], frames: int
    ) -> Sequence[Sequence[Timed]]:
        """Return the words of each phrase; a word belongs where it begins."""
        tokens = [token for phrase in found for token in phrase.tokens]
        ends = list(accumulate(len(phrase.tokens) for phrase in found))
        words: list[list[Timed]] = [[] for _ in found]
        place = number = 0
        for word in self.decoder.align(
            encoded, start, tokens, frames=frames, language=self.language
        ):
            while place >= ends[number]:
                number += 1
            words[number].append(word)
            place += word.tokens
        return words

    def _add(
        self,
        found: Sequence[Phrase],
        heard: Heard,
        words: Sequence[Sequence[Timed]],
    ) -> None:
        offset = self.seek / SAMPLE_RATE
        for phrase, timed in zip(found, words, strict=True):
            self.past.extend(phrase.tokens)
            self.segments.append(
                Segment(
                    text=self.decoder.text(phrase.tokens),
                    start=_seconds(offset + phrase.start),
                    end=_seconds(offset + phrase.end),
                    temperature=heard.temperature,
                    logprob=heard.logprob,
                    compression_ratio=heard.compression_ratio,
                    no_speech=heard.no_speech,
                    words=[_word(word, offset) for word in timed if word.text.strip()],
                )
            )


def _word(word: Timed, offset: float) -> Word:
    return Word(
        text=word.text.strip(),
        start=_seconds(offset + word.start),
        end=_seconds(offset + word.end),
        probability=word.probability,
    )


def _seconds(value: float) -> float:
    return round(value, 2)
