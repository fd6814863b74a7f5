"""The runner: reads a text whole, writes another token by token."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from threading import Event
from typing import Any

from tokenizers import Tokenizer

from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.rewriting import RewriteText, Rewritten
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.onnx_seq2seq.decoder import Networks, Writing
from selfedge.bindings.ai.runners.onnx_seq2seq.folder import (
    Settings,
    languages,
    settings,
)
from selfedge.bindings.ai.runners.onnx_seq2seq.search import Rules, Tokens, search


def load(source: Source, threads: int) -> Runner:
    """Read the networks, the tokenizer and the settings in a folder.

    Raises:
        ValueError: a file is missing or does not fit the others.
    """
    tokenizer = Tokenizer.from_file(str(source.path / "tokenizer.json"))
    return Seq2SeqRunner(
        Networks(source.path, threads), tokenizer, settings(source.path)
    )


class Seq2SeqRunner:
    """One model; texts are written one after another."""

    def __init__(self, networks: Networks, tokenizer: Any, how: Settings) -> None:
        self._networks: Networks | None = networks
        self._tokenizer = tokenizer
        self._languages = languages(tokenizer)
        self._how = how
        self._turn = asyncio.Lock()

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the new text; cancelled between two tokens."""
        if not isinstance(job, RewriteText):
            raise InferenceFailed(f"this model does not run {type(job).__name__}")
        read = self._read(job)
        rules = self._rules(job)
        stop = Event()
        async with self._turn:
            try:
                tokens = await asyncio.to_thread(self._write, read, rules, stop)
            finally:
                stop.set()
        yield Rewritten(self._tokenizer.decode(list(tokens)).strip())

    async def close(self) -> None:
        """Free the model."""
        self._networks = None

    def _read(self, job: RewriteText) -> Sequence[int]:
        limit = self._how.max_position_embeddings
        if job.target_lang is None:
            ids: Sequence[int] = self._tokenizer.encode(job.text).ids
            return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]
        language = self._languages.token("source_lang", job.source_lang or "en")
        plain = self._tokenizer.encode(job.text, add_special_tokens=False).ids
        return [language, *plain[: limit - 2], self._how.eos_token_id]

    def _rules(self, job: RewriteText) -> Rules:
        how = self._how
        first = how.forced_bos_token_id
        if job.target_lang is not None:
            first = self._languages.token("target_lang", job.target_lang)
        limit = min(job.max_tokens, how.max_length or how.max_position_embeddings)
        return Rules(
            start=how.start,
            end=how.eos_token_id,
            max_tokens=min(limit, how.max_position_embeddings - 1),
            beams=job.beams or how.num_beams,
            first=first,
            min_tokens=min(how.min_length, limit),
            no_repeat=how.no_repeat_ngram_size,
            length_penalty=how.length_penalty,
        )

    def _write(self, read: Sequence[int], rules: Rules, stop: Event) -> Tokens:
        if self._networks is None:
            raise InferenceFailed("the model was unloaded")
        try:
            return search(Writing(self._networks, read).step, rules, stop.is_set)
        except Exception as error:
            raise InferenceFailed(f"onnxruntime: {error}") from error
