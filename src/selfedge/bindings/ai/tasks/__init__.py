"""The tasks that are served, one file each behind `contract.Task`."""

from collections.abc import Mapping

from selfedge.bindings.ai.tasks import (
    image_classification,
    object_detection,
    speech_recognition,
    text_embeddings,
    text_generation,
    text_to_image,
)
from selfedge.bindings.ai.tasks.contract import Task

TASKS: Mapping[str, Task] = {
    "automatic-speech-recognition": speech_recognition.prepare,
    "image-classification": image_classification.prepare,
    "object-detection": object_detection.prepare,
    "text-generation": text_generation.prepare,
    "text-embeddings": text_embeddings.prepare,
    "text-to-image": text_to_image.prepare,
}
"""By the name that the catalogue uses."""
