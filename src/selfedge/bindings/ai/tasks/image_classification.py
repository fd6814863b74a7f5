"""Image classification: a picture → the five likeliest labels."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs.pictures import ClassifyPicture, Labels
from selfedge.bindings.ai.limits import CLASSIFICATION_LABELS
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.pictures import picture


@dataclass(frozen=True, slots=True)
class ImageClassification:
    """A checked call."""

    job: ClassifyPicture
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return `[{label, score}]`."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Labels)]
        if not found:
            raise InferenceFailed("The classifier gave no labels.")
        return [{"label": one.label, "score": one.score} for one in found[0].labels]

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    job = ClassifyPicture(picture=picture(asked, "image"), top=CLASSIFICATION_LABELS)
    return ImageClassification(job)
