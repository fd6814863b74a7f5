"""A small input for each task: enough to see that weights run."""

import base64
import io
import struct
import wave
import zlib
from collections.abc import Callable, Mapping

SIDE = 32
RATE = 16_000


def sample(task: str) -> Mapping[str, object]:
    """Return inputs that a model of `task` can answer quickly."""
    make = _SAMPLES.get(task)
    return make() if make else {"text": "A small boat."}


def picture() -> str:
    """Return a grey PNG in base64."""
    row = b"\0" + b"\x80" * (SIDE * 3)
    header = struct.pack(">2I5B", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = [
        _chunk(b"IHDR", header),
        _chunk(b"IDAT", zlib.compress(row * SIDE)),
        _chunk(b"IEND", b""),
    ]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def sound() -> str:
    """Return half a second of silence, as WAV in base64."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(RATE))
    return base64.b64encode(buffer.getvalue()).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


_SAMPLES: Mapping[str, Callable[[], Mapping[str, object]]] = {
    "text-generation": lambda: {"prompt": "Say hello.", "max_tokens": 4},
    "text-embeddings": lambda: {"text": "A small boat."},
    "rerank": lambda: {"query": "boat", "contexts": [{"text": "A small boat."}]},
    "translation": lambda: {"text": "A small boat.", "target_lang": "fr"},
    "summarization": lambda: {"input_text": "A small boat goes down the river."},
    "text-to-speech": lambda: {"prompt": "A small boat.", "text": "A small boat."},
    "text-to-image": lambda: {"prompt": "A small boat.", "num_steps": 1},
    "image-classification": lambda: {"image": picture()},
    "object-detection": lambda: {"image": picture()},
    "image-to-text": lambda: {"image": picture()},
    "automatic-speech-recognition": lambda: {"audio": sound()},
}
