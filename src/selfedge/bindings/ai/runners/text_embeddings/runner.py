"""The runner: tokenizer, encoder and micro-batching."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import onnxruntime
from tokenizers import Tokenizer

from selfedge.bindings.ai.errors import ContextExceeded, InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Pooling, Vectors
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.text_embeddings.batching import Batcher
from selfedge.bindings.ai.runners.text_embeddings.encoder import Encoder, Vector

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "config.json"
TOKENS_MAX = 512
"""Longer texts are cut, as Workers AI does, where the model's config says nothing."""

BATCH_TEXTS = 32
"""Texts of one call in one run of the encoder."""

SHARED_TEXTS = 8
"""Texts of several calls in one run: on one thread, more gain little but delay."""

PADDING_TOKENS = 12
"""A run of its own costs about as much as so many tokens of padding in another's."""


def load(source: Source, threads: int) -> Runner:
    """Read the ONNX model and the tokenizer in a folder."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin between runs take the processor from the Workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        str(_model(source.path)), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(source.path / TOKENIZER_FILE))
    tokenizer.enable_truncation(_tokens_max(source.path / CONFIG_FILE))
    tokenizer.no_padding()
    limit = int(source.options.get("batch", SHARED_TEXTS))
    return EmbeddingRunner(Encoder(session), tokenizer, limit=limit)


def _model(folder: Path) -> Path:
    """Exporters put the graph into the folder, or into `onnx` in it."""
    nested = folder / "onnx" / MODEL_FILE
    return nested if nested.exists() else folder / MODEL_FILE


def _tokens_max(config: Path) -> int:
    try:
        found = json.loads(config.read_text(encoding="utf-8"))
        return int(found["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError):
        return TOKENS_MAX


class EmbeddingRunner:
    """One encoder; texts of all callers share its runs."""

    def __init__(
        self, encoder: Encoder, tokenizer: Any, *, limit: int = SHARED_TEXTS
    ) -> None:
        self._encoder: Encoder | None = encoder
        self._tokenizer = tokenizer
        self._batcher = Batcher[EmbedTexts, Vectors](
            self._embed, weigh=lambda job: len(job.texts), limit=limit
        )

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the vectors of all texts."""
        if not isinstance(job, EmbedTexts):
            raise InferenceFailed(f"an encoder does not run {type(job).__name__}")
        if not job.truncate:
            await asyncio.to_thread(self._check, job)
        yield await self._batcher.submit(job)

    async def close(self) -> None:
        """Free the encoder."""
        self._batcher.close()
        self._encoder = None

    def _check(self, job: EmbedTexts) -> None:
        for place, encoding in enumerate(self._tokenizer.encode_batch(job.texts)):
            if encoding.overflowing:
                limit = self._tokenizer.truncation["max_length"]
                raise ContextExceeded(
                    f"The text number {place} exceeded this model context window limit "
                    f"({limit} tokens); truncate_inputs: true cuts it"
                )

    def _embed(self, jobs: Sequence[EmbedTexts]) -> Sequence[Vectors]:
        try:
            texts = [(text, job.pooling) for job in jobs for text in job.texts]
            found = iter(self._vectors(texts))
        except Exception as error:
            raise InferenceFailed(f"onnxruntime: {error}") from error
        return [_together([next(found) for _ in job.texts]) for job in jobs]

    def _vectors(
        self, texts: Sequence[tuple[str, Pooling]]
    ) -> Sequence[tuple[Vector, int]]:
        """Return the vector and the tokens of each text."""
        if self._encoder is None:
            raise InferenceFailed("the model was unloaded")
        encodings = self._tokenizer.encode_batch([text for text, _ in texts])
        ids = [encoding.ids for encoding in encodings]
        found: dict[int, tuple[Vector, int]] = {}
        for places in runs([len(row) for row in ids]):
            poolings = sorted({texts[place][1] for place in places})
            pooled = self._encoder.encode([ids[place] for place in places], poolings)
            for row, place in enumerate(places):
                found[place] = pooled[texts[place][1]][row], len(ids[place])
        return [found[place] for place in range(len(ids))]


def runs(lengths: Sequence[int]) -> Sequence[Sequence[int]]:
    """Return the places of the texts of each run; those of like length share one."""
    found: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        run = found[-1] if found else []
        padding = len(run) * (lengths[place] - lengths[run[-1]]) if run else 0
        if run and len(run) < BATCH_TEXTS and padding <= PADDING_TOKENS:
            run.append(place)
        else:
            found.append([place])
    return found


def _together(found: Sequence[tuple[Vector, int]]) -> Vectors:
    tokens = sum(count for _, count in found)
    return Vectors([vector for vector, _ in found], tokens)
