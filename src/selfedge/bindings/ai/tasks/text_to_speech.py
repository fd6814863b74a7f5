"""Text to speech: a text → an audio file."""

import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.speech_synthesis import Encoding, SpeakText, Speech
from selfedge.bindings.ai.tasks.contract import Asked, File, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file

Spoken: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=limits.SPOKEN_MAX_CHARS)
]
SampleRate: TypeAlias = Annotated[
    int, Meta(ge=limits.SAMPLE_RATE_MIN, le=limits.SAMPLE_RATE_MAX)
]
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)

_TYPES: Mapping[Encoding, str] = {
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
}


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of MeloTTS (`prompt`) and of Aura (`text`); others are ignored."""

    prompt: Spoken | None = None
    text: Spoken | None = None
    lang: Annotated[str, Meta(pattern=r"^[A-Za-z]{2}([-_][A-Za-z]{2})?$")] | None = None
    encoding: Literal["linear16", "flac", "mulaw", "alaw", "mp3", "opus", "aac"] = "mp3"
    container: Literal["none", "wav", "ogg"] | None = None
    sample_rate: SampleRate | None = None


@dataclass(frozen=True, slots=True)
class TextToSpeech:
    """A checked call."""

    job: SpeakText
    as_json: bool
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return `{audio}` in base64, or the file itself."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Speech)]
        if not found:
            raise InferenceFailed("The voice gave no sound.")
        content = found[0].content
        if self.as_json:
            return {"audio": base64.b64encode(content).decode()}
        raw = self.job.encoding.startswith("raw-")
        kind = "application/octet-stream" if raw else "audio/wav"
        return File(content, _TYPES.get(self.job.encoding, kind))

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        found = await self.collect(parts)
        if isinstance(found, File):
            found = {"audio": base64.b64encode(found.content).decode()}
        yield found


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    no_file(asked)
    given = check(asked.inputs, Inputs)
    aura = "/deepgram/" in asked.model.id
    text = given.text or given.prompt if aura else given.prompt or given.text
    if not text:
        name = "text" if aura else "prompt"
        raise BadInput(f"required properties at '/' are '{name}'")
    if not text.strip():
        raise BadInput("text: there is nothing to be said")
    encoding = _encoding(given) if aura else "mp3"
    job = SpeakText(
        text=text,
        language=(given.lang or "").lower()[:2] or None,
        encoding=encoding,
        sample_rate=given.sample_rate if aura else None,
    )
    return TextToSpeech(job, as_json=not aura)


def _encoding(given: Inputs) -> Encoding:
    rates = {"mp3": MP3_RATES, "opus": OPUS_RATES}.get(given.encoding)
    if rates and given.sample_rate and given.sample_rate not in rates:
        choice = ", ".join(map(str, rates))
        raise BadInput(f"sample_rate: {given.encoding} takes one of {choice}")
    match given.encoding, given.container:
        case "aac", _:
            raise BadInput("encoding: aac is not available, mp3 and opus are")
        case (("linear16" | "mulaw" | "alaw"), "none"):
            raw: Mapping[str, Encoding] = {
                "linear16": "raw-linear16",
                "mulaw": "raw-mulaw",
                "alaw": "raw-alaw",
            }
            return raw[given.encoding]
        case ("linear16" | "mulaw" | "alaw") as pcm, (None | "wav"):
            return pcm
        case (("opus" as opus), (None | "ogg")):
            return opus
        case ("mp3" | "flac") as file, (None | "none"):
            return file
        case _:
            raise BadInput(
                f"container: {given.container} does not hold {given.encoding}"
            )
