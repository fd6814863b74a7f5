"""The libraries alone, in a process of their own: one JSON line in, one out.

Start it with OMP_WAIT_POLICY=passive, as the model host does for itself.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import xllamacpp
from tokenizers import Tokenizer

THREADS = max(1, (os.cpu_count() or 2) - 1)


class RawText:
    """xllamacpp, set up as a careful user would."""

    def __init__(self, gguf: Path) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(gguf)
        params.n_parallel, params.n_ctx, params.kv_unified = 4, 8192, True
        params.verbosity, params.warmup, params.cache_ram_mib = -1, False, 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
        self._server = xllamacpp.Server(params)

    def generate(self, body: dict[str, Any], count: int) -> dict[str, float]:
        """Stream `count` answers at once."""
        with ThreadPoolExecutor(count) as threads:
            began = time.perf_counter()
            firsts = list(threads.map(lambda n: self._one(body, n), range(count)))
            took = time.perf_counter() - began
        tokens = sum(tokens for _, tokens in firsts)
        return {"rate": tokens / took, "first": min(first for first, _ in firsts)}

    def _one(self, body: dict[str, Any], number: int) -> tuple[float, int]:
        began, first, tokens = time.perf_counter(), 0.0, 0

        def heard(chunk: dict[str, Any]) -> bool:
            nonlocal first, tokens
            choices = chunk.get("choices") or [{}]
            if choices[0].get("delta", {}).get("content"):
                first = first or time.perf_counter() - began
            tokens = chunk.get("usage", {}).get("completion_tokens", tokens)
            return False

        more = {"stream": True, "stream_options": {"include_usage": True}}
        self._server.handle_chat_completions(
            {**body, **more, "seed": number + 1}, heard
        )
        return first, tokens


class RawVectors:
    """onnxruntime and the tokenizer."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(512)
        self._tokenizer.no_padding()

    def embed(self, texts: list[str], calls: int) -> dict[str, float]:
        """Embed texts of one length together, `calls` times one after the other."""
        began = time.perf_counter()
        for _ in range(calls):
            rows = [found.ids for found in self._tokenizer.encode_batch(texts)]
            ids = np.array(rows, np.int64)
            feeds = {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids),
            }
            self._session.run(["mean"], feeds)[0].tolist()
        return {"rate": len(texts) * calls / (time.perf_counter() - began)}


def main() -> None:
    """Answer until the input ends."""
    os.nice(5)  # as the model host: else a busy machine would slow one side only
    models = Path(sys.argv[1])
    text = RawText(next(models.glob("smollm2*")) / "model.gguf")
    vectors = RawVectors(next(models.glob("all-minilm*")))
    does = {"generate": text.generate, "embed": vectors.embed}
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(does[name](*arguments)), flush=True)


if __name__ == "__main__":
    main()
