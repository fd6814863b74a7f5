"""`/models`: what of the catalogue these endpoints can be asked."""

from collections.abc import Sequence

from selfedge.bindings.ai.catalogue import Catalogue, Model
from selfedge.bindings.ai.errors import NoSuchModel
from selfedge.bindings.ai.openai.answers import Json

TASKS = ("text-generation", "text-embeddings")
CREATED = 1_704_067_200
"""OpenAI's clients want a time; the catalogue knows none."""


def listing(catalogue: Catalogue) -> Json:
    """Return all models of these endpoints."""
    found: Sequence[Json] = [_entry(model) for model in catalogue if _fits(model)]
    return {"object": "list", "data": found}


def one(catalogue: Catalogue, model_id: str) -> Json:
    """Return the model `model_id`.

    Raises:
        NoSuchModel: there is none.
    """
    model = catalogue.get(model_id)
    if model is None or not _fits(model):
        raise NoSuchModel(f"No such model {model_id} for chats or embeddings")
    return _entry(model)


def _fits(model: Model) -> bool:
    return model.task in TASKS


def _entry(model: Model) -> Json:
    return {
        "id": model.id,
        "object": "model",
        "created": CREATED,
        "owned_by": model.author,
    }
