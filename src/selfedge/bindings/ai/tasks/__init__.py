"""The tasks that are served, one file each behind `contract.Task`."""

from collections.abc import Mapping

from selfedge.bindings.ai.tasks import (
    image_classification,
    object_detection,
    rerank,
    speech_recognition,
    summarization,
    text_classification,
    text_embeddings,
    text_generation,
    text_to_image,
    text_to_speech,
    translation,
)
from selfedge.bindings.ai.tasks.contract import Task

TASKS: Mapping[str, Task] = {
    "automatic-speech-recognition": speech_recognition.prepare,
    "image-classification": image_classification.prepare,
    "object-detection": object_detection.prepare,
    "rerank": rerank.prepare,
    "summarization": summarization.prepare,
    "text-classification": text_classification.prepare,
    "text-embeddings": text_embeddings.prepare,
    "text-generation": text_generation.prepare,
    "text-to-image": text_to_image.prepare,
    "text-to-speech": text_to_speech.prepare,
    "translation": translation.prepare,
}
"""By the name that the catalogue uses."""
