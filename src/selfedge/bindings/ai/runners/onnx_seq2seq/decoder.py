"""The two or three networks of a model, and what they remember of one text."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from selfedge.bindings.ai.runners.onnx_seq2seq.search import Tokens
from selfedge.bindings.ai.runners.onnx_session import open_session

_PAST, _PRESENT = "past_key_values", "present"


class Networks:
    """Encoder, decoder and, where there is one, decoder with a memory."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.encoder = open_session(folder / "encoder_model.onnx", threads)
        self.decoder = open_session(folder / "decoder_model.onnx", threads)
        remembering = folder / "decoder_with_past_model.onnx"
        self.remembering = (
            open_session(remembering, threads) if remembering.is_file() else None
        )


class Writing:
    """One text that is being written."""

    def __init__(self, networks: Networks, read: Sequence[int]) -> None:
        ids = np.array([read], np.int64)
        mask = np.ones_like(ids)
        feeds = {"input_ids": ids, "attention_mask": mask}
        self._networks = networks
        self._seen = _run(networks.encoder, feeds)["last_hidden_state"]
        self._mask = mask
        self._past: dict[str, Any] = {}

    def step(self, texts: Sequence[Tokens], parents: Sequence[int]) -> Any:
        """Return the logits of the next token of each text."""
        if self._networks.remembering is None or not self._past:
            network, rows = self._networks.decoder, [list(text) for text in texts]
        else:
            network, rows = self._networks.remembering, [[text[-1]] for text in texts]
            self._past = {name: kept[parents] for name, kept in self._past.items()}
        count = len(texts)
        feeds = {
            "input_ids": np.array(rows, np.int64),
            "encoder_hidden_states": np.repeat(self._seen, count, axis=0),
            "encoder_attention_mask": np.repeat(self._mask, count, axis=0),
            **self._past,
        }
        found = _run(network, feeds)
        if self._networks.remembering is not None:
            self._past |= _remembered(found)
        return found["logits"][:, -1, :]


def _run(session: Any, feeds: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {given.name for given in session.get_inputs()}
    names = [output.name for output in session.get_outputs()]
    given = {name: value for name, value in feeds.items() if name in wanted}
    return dict(zip(names, session.run(names, given), strict=True))


def _remembered(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the next step is given, under the names that it has there."""
    return {
        name.replace(_PRESENT, _PAST, 1): value
        for name, value in found.items()
        if name.startswith(_PRESENT)
    }
