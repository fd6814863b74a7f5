"""Object detection: a picture → labels, each with its box in pixels."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs.pictures import DetectObjects, Objects
from selfedge.bindings.ai.limits import DETECTION_THRESHOLD
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.pictures import picture


@dataclass(frozen=True, slots=True)
class ObjectDetection:
    """A checked call."""

    job: DetectObjects
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return `[{label, score, box: {xmin, ymin, xmax, ymax}}]`."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Objects)]
        if not found:
            raise InferenceFailed("The detector gave no answer.")
        return [msgspec.to_builtins(one) for one in found[0].objects]

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    given = picture(asked, "image")
    return ObjectDetection(DetectObjects(picture=given, threshold=DETECTION_THRESHOLD))
