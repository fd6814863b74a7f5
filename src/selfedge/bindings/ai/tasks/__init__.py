"""The tasks that are served, one file each behind `contract.Task`."""

from collections.abc import Mapping

from selfedge.bindings.ai.tasks import text_embeddings, text_generation
from selfedge.bindings.ai.tasks.contract import Task

TASKS: Mapping[str, Task] = {
    "text-generation": text_generation.prepare,
    "text-embeddings": text_embeddings.prepare,
}
"""By the name that the catalogue uses."""
