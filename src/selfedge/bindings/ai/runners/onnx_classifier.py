"""Classifiers and cross-encoders: texts or pairs in, a number for each label out.

A folder as `optimum-cli export onnx --task text-classification` writes it:
`model.onnx`, `tokenizer.json` and, for the labels, `config.json`.
"""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from tokenizers import Tokenizer

from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.text_scores import Pair, Scores, ScoreTexts
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.onnx_session import open_session
from selfedge.bindings.ai.runners.text_embeddings.batching import Batcher

TOKENS_MAX = 512
"""Longer texts are cut."""

BATCH_PAIRS = 16


_FEEDS = {
    "input_ids": "ids",
    "attention_mask": "attention_mask",
    "token_type_ids": "type_ids",
}
"""Name in the network → name in what the tokenizer returns."""


class _Config(msgspec.Struct, frozen=True):
    id2label: dict[str, str] = {}


def load(source: Source, threads: int) -> Runner:
    """Read the ONNX model, the tokenizer and the labels in a folder.

    Raises:
        ValueError: a file is missing or does not fit the others.
    """
    session = open_session(source.path / "model.onnx", threads)
    tokenizer = Tokenizer.from_file(str(source.path / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS_MAX)
    tokenizer.no_padding()
    return ClassifierRunner(session, tokenizer, _labels(source.path))


class ClassifierRunner:
    """One model; pairs of all callers share its runs."""

    def __init__(self, session: Any, tokenizer: Any, labels: Sequence[str]) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._labels = labels
        self._wanted = {given.name for given in session.get_inputs()}
        self._batcher = Batcher[ScoreTexts, Sequence[Sequence[float]]](
            self._score, weigh=lambda job: len(job.pairs), limit=BATCH_PAIRS
        )

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the scores of all pairs."""
        if not isinstance(job, ScoreTexts):
            raise InferenceFailed(f"a classifier does not run {type(job).__name__}")
        rows = await self._batcher.submit(job)
        width = len(rows[0]) if rows else len(self._labels)
        labels = self._labels or [f"LABEL_{number}" for number in range(width)]
        if len(labels) != width:
            raise InferenceFailed(
                f"the model gives {width} scores; config.json has {len(labels)} labels"
            )
        yield Scores(labels=labels, rows=rows)

    async def close(self) -> None:
        """Free the model."""
        self._batcher.close()
        self._session = None

    def _score(self, jobs: Sequence[ScoreTexts]) -> Sequence[Sequence[Sequence[float]]]:
        pairs = [pair for job in jobs for pair in job.pairs]
        try:
            encodings = self._tokenizer.encode_batch([_given(pair) for pair in pairs])
            rows = iter(self._rows(encodings))
        except Exception as error:
            raise InferenceFailed(f"onnxruntime: {error}") from error
        return [[next(rows) for _ in job.pairs] for job in jobs]

    def _rows(self, encodings: Sequence[Any]) -> Sequence[Sequence[float]]:
        """Score in runs of texts of like length, so that little is padding."""
        order = sorted(range(len(encodings)), key=lambda at: len(encodings[at].ids))
        found: dict[int, Sequence[float]] = {}
        for start in range(0, len(order), BATCH_PAIRS):
            places = order[start : start + BATCH_PAIRS]
            logits = self._run([encodings[place] for place in places])
            found.update(zip(places, logits, strict=True))
        return [found[place] for place in range(len(encodings))]

    def _run(self, encodings: Sequence[Any]) -> Sequence[Sequence[float]]:
        width = max(len(encoding.ids) for encoding in encodings)
        feeds = {
            name: _rectangle([getattr(one, field) for one in encodings], width)
            for name, field in _FEEDS.items()
        }
        wanted = {name: given for name, given in feeds.items() if name in self._wanted}
        logits = self._session.run(None, wanted)[0]
        rows: list[list[float]] = (
            logits.astype(np.float64).reshape(len(encodings), -1).tolist()
        )
        return rows


def _labels(folder: Path) -> Sequence[str]:
    config = folder / "config.json"
    if not config.is_file():
        return ()
    labels = msgspec.json.decode(config.read_bytes(), type=_Config).id2label
    return [labels[key] for key in sorted(labels, key=int)]


def _given(pair: Pair) -> Any:
    return pair.text if pair.other is None else (pair.text, pair.other)


def _rectangle(rows: Sequence[Sequence[int]], width: int) -> Any:
    # Padding is masked: which token it is does not matter.
    found = np.zeros((len(rows), width), np.int64)
    for number, row in enumerate(rows):
        found[number, : len(row)] = row
    return found
