"""The runner: tokenizer, encoder and micro-batching."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Pooling, Vectors
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.text_embeddings.batching import Batcher

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
TOKENS_MAX = 512
"""Longer texts are cut, as Workers AI does."""

BATCH_TEXTS = 32
"""Texts in one run of the encoder."""

DECIMALS = 8
"""Of a component: finer than the encoder's own precision, and short as JSON."""

Vector: TypeAlias = Sequence[float]


def load(source: Source, threads: int) -> Runner:
    """Read the ONNX model and the tokenizer in a folder."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin between runs take the processor from the Workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        str(source.path / MODEL_FILE), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(source.path / TOKENIZER_FILE))
    tokenizer.enable_truncation(TOKENS_MAX)
    tokenizer.no_padding()
    return EmbeddingRunner(session, tokenizer)


class EmbeddingRunner:
    """One encoder; texts of all callers share its runs."""

    def __init__(self, session: Any, tokenizer: Any) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._batcher = Batcher[EmbedTexts, Sequence[Vector]](
            self._embed, weigh=lambda job: len(job.texts), limit=BATCH_TEXTS
        )

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the vectors of all texts."""
        if not isinstance(job, EmbedTexts):
            raise InferenceFailed(f"an encoder does not run {type(job).__name__}")
        yield Vectors(await self._batcher.submit(job))

    async def close(self) -> None:
        """Free the encoder."""
        self._batcher.close()
        self._session = None

    def _embed(self, jobs: Sequence[EmbedTexts]) -> Sequence[Sequence[Vector]]:
        try:
            texts = [(text, job.pooling) for job in jobs for text in job.texts]
            vectors = iter(self._vectors(texts))
        except Exception as error:
            raise InferenceFailed(f"onnxruntime: {error}") from error
        return [[next(vectors) for _ in job.texts] for job in jobs]

    def _vectors(self, texts: Sequence[tuple[str, Pooling]]) -> Sequence[Vector]:
        """Embed in runs of texts of like length, so that little is padding."""
        encodings = self._tokenizer.encode_batch([text for text, _ in texts])
        order = sorted(range(len(texts)), key=lambda place: len(encodings[place].ids))
        found: dict[int, Vector] = {}
        for start in range(0, len(order), BATCH_TEXTS):
            places = order[start : start + BATCH_TEXTS]
            rows = [encodings[place].ids for place in places]
            pooled = self._encode(rows, sorted({texts[place][1] for place in places}))
            for row, place in enumerate(places):
                found[place] = pooled[texts[place][1]][row]
        return [found[place] for place in range(len(texts))]

    def _encode(
        self, rows: Sequence[Sequence[int]], poolings: Sequence[Pooling]
    ) -> dict[Pooling, Sequence[Vector]]:
        shape = (len(rows), max(len(row) for row in rows))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        feeds = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros(shape, np.int64),
        }
        vectors = self._session.run(poolings, feeds)
        return dict(zip(poolings, map(_plain, vectors), strict=True))


def _plain(vectors: Any) -> Sequence[Vector]:
    rounded: list[Vector] = np.round(vectors.astype(np.float64), DECIMALS).tolist()
    return rounded
