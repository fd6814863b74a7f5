"""Translation: a text and two languages → the text in the second one."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs.rewriting import RewriteText, Rewritten
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file
from selfedge.bindings.ai.tasks.languages import code

Language: TypeAlias = Annotated[str, Meta(min_length=2, max_length=30)]


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    text: Annotated[str, Meta(min_length=1, max_length=limits.TEXT_MAX_CHARS)]
    source_lang: Language = "en"
    target_lang: Language


@dataclass(frozen=True, slots=True)
class Translation:
    """A checked call."""

    job: RewriteText
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return `{translated_text}`."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Rewritten)]
        if not found:
            raise InferenceFailed("The model gave no translation.")
        return {"translated_text": found[0].text}

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    no_file(asked)
    given = check(asked.inputs, Inputs)
    return Translation(
        RewriteText(
            text=given.text,
            source_lang=code("source_lang", given.source_lang),
            target_lang=code("target_lang", given.target_lang),
            max_tokens=limits.TRANSLATION_TOKENS_MAX,
        )
    )
