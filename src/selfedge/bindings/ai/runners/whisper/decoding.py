"""Thirty seconds of sound → the tokens that a Whisper model hears, and their places."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from selfedge.bindings.ai.runners.whisper.words import UNSPACED, Piece, pieces

TEMPERATURES = (0.0, 0.4, 0.8)
"""Tried in turn until the text is neither repetitive nor improbable."""

SECONDS_PER_STEP = 0.02
"""Of a timestamp, and of a column of the alignment."""

PROMPT_TOKENS_MAX = 223
_TOKENS_MAX = 448


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the model makes of one piece of sound."""

    tokens: Sequence[int]
    temperature: float
    logprob: float  # of a token, on average
    no_speech: float
    compression_ratio: float

    def likely(self, logprob_min: float) -> bool:
        """Whether the model itself believes it."""
        return self.logprob >= logprob_min


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is worth keeping without another try."""

    compression_ratio_max: float
    logprob_min: float

    def met_by(self, heard: Heard) -> bool:
        """Tell whether `heard` is neither repetitive nor improbable."""
        repetitive = heard.compression_ratio > self.compression_ratio_max
        return not repetitive and heard.likely(self.logprob_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A word and its place in the piece of sound, in seconds."""

    text: str
    start: float
    end: float
    probability: float
    tokens: int  # how many it was made of


class Decoder:
    """A Whisper model and its tokenizer."""

    def __init__(self, directory: Path, threads: int) -> None:
        self._model = ctranslate2.models.Whisper(
            str(directory),
            device="cpu",
            compute_type="int8",
            inter_threads=1,
            intra_threads=threads,
        )
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.bands: int = self._model.n_mels
        self.multilingual: bool = self._model.is_multilingual
        self.first_timestamp = self._id("<|notimestamps|>") + 1
        self._end = self._id("<|endoftext|>")

    def encode(self, picture: Any) -> Any:
        """Return what the encoder sees in `picture`."""
        batch = np.ascontiguousarray(picture[None])
        return self._model.encode(ctranslate2.StorageView.from_array(batch))

    def language(self, encoded: Any) -> tuple[str, float]:
        """Return the language that is spoken, and how sure that is."""
        token, probability = self._model.detect_language(encoded)[0][0]
        return token.strip("<|>"), probability

    def knows(self, language: str) -> bool:
        """Tell whether the model was trained on `language`."""
        if not self.multilingual:
            return language == "en"
        return self._tokenizer.token_to_id(f"<|{language}|>") is not None

    def start(self, language: str, task: str) -> Sequence[int]:
        """Return the tokens that say what is to be done."""
        start = [self._id("<|startoftranscript|>")]
        if self.multilingual:
            start += [self._id(f"<|{language}|>"), self._id(f"<|{task}|>")]
        return start

    def tokens(self, text: str) -> Sequence[int]:
        """Return the tokens of `text`, as if it stood in a sentence."""
        encoding = self._tokenizer.encode(f" {text.strip()}", add_special_tokens=False)
        return [token for token in encoding.ids if token < self._end]

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of `tokens`; marks and timestamps say nothing."""
        plain = [token for token in tokens if token < self._end]
        decoded: str = self._tokenizer.decode(plain, skip_special_tokens=False)
        return decoded

    def hear(
        self,
        encoded: Any,
        start: Sequence[int],
        *,
        before: Sequence[int],
        prefix: Sequence[int],
        beam_size: int,
        thresholds: Thresholds,
    ) -> Heard:
        """Return the most plausible text, after the tokens `before`."""
        lead = [self.first_timestamp, *prefix] if prefix else []
        prompt = [*start, *lead]
        if before:
            past = before[-PROMPT_TOKENS_MAX:]
            prompt = [self._id("<|startofprev|>"), *past, *prompt]
        tried: list[Heard] = []
        for temperature in TEMPERATURES:
            tried.append(self._try(encoded, prompt, lead, temperature, beam_size))
            if thresholds.met_by(tried[-1]):
                return tried[-1]
        return max(tried, key=lambda heard: heard.logprob)

    def align(
        self,
        encoded: Any,
        start: Sequence[int],
        tokens: Sequence[int],
        *,
        frames: int,
        language: str,
    ) -> Sequence[Timed]:
        """Return the words of `tokens` with their times."""
        plain = [token for token in tokens if token < self._end]
        if not plain:
            return []
        found = self._model.align(encoded, list(start), [plain], frames)[0]
        times = _token_times(found.alignments, len(plain))
        spaced = language not in UNSPACED
        words, place = [], 0
        for piece in pieces(plain, self.text, spaced=spaced):
            after = place + len(piece.tokens)
            sure = found.text_token_probs[place:after]
            words.append(_timed(piece, times[place], times[after], sure))
            place = after
        return words

    def _try(
        self,
        encoded: Any,
        prompt: Sequence[int],
        lead: Sequence[int],
        temperature: float,
        beam_size: int,
    ) -> Heard:
        result = self._model.generate(
            encoded,
            [list(prompt)],
            beam_size=beam_size if temperature == 0 else 1,
            sampling_topk=1 if temperature == 0 else 0,
            sampling_temperature=temperature or 1,
            max_length=_TOKENS_MAX,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = [*lead, *result.sequences_ids[0]]
        raw = self.text(tokens).strip().encode()
        return Heard(
            tokens=tokens,
            temperature=temperature,
            logprob=result.scores[0],
            no_speech=result.no_speech_prob,
            compression_ratio=len(raw) / len(zlib.compress(raw)) if raw else 0.0,
        )

    def _id(self, token: str) -> int:
        found: int | None = self._tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"tokenizer.json has no {token}: no Whisper tokenizer")
        return found


def _token_times(alignments: Sequence[tuple[int, int]], count: int) -> Sequence[float]:
    """Return when each token begins, and when the last one ends."""
    times: list[float] = []
    last = 0.0
    for token, step in alignments:
        last = step * SECONDS_PER_STEP
        if token == len(times):
            times.append(last)
    return [*times, *([last] * (count + 1 - len(times)))]


def _timed(piece: Piece, start: float, end: float, sure: Sequence[float]) -> Timed:
    probability = sum(sure) / len(sure) if sure else 0.0
    return Timed(
        text=piece.text,
        start=start,
        end=end,
        probability=probability,
        tokens=len(piece.tokens),
    )
