"""Opens ONNX files as all runners want them."""

from pathlib import Path
from typing import Any

import onnxruntime


def open_session(model: Path, threads: int) -> Any:
    """Return an `InferenceSession` on the CPU.

    Raises:
        ValueError: the file is missing or damaged.
    """
    if not model.is_file():
        raise ValueError(f"{model.parent.name}/{model.name} is missing")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin between runs take the processor from the Workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ValueError(f"{model.parent.name}/{model.name}: {error}") from error
