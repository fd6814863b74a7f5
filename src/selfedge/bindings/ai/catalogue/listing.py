"""The catalogue, as `AI.models()` and `selfedge ai models` show it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfedge.bindings.ai.catalogue import Catalogue, Model
from selfedge.bindings.ai.weights.install import is_installed
from selfedge.errors import UsageError
from selfedge.settings import Settings

PER_PAGE = 50
PER_PAGE_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One model for people to read."""

    id: str
    task: str
    served_by: str
    state: str
    ready: bool  # answers without fetching anything


def table(catalogue: Catalogue, settings: Settings) -> Sequence[Line]:
    """Return a line for each model."""
    return [_line(model, settings) for model in catalogue]


def _line(model: Model, settings: Settings) -> Line:
    weights = model.weights or model.stand_in
    here = weights is not None and is_installed(weights, settings)
    if weights is None:
        state = "unavailable"
    elif model.weights is None:
        state = "stand-in" if here else "stand-in, fetched at first use"
    else:
        state = "installed" if here else "fetched at first use"
    return Line(
        id=model.id,
        task=model.task,
        served_by=weights.name if weights else "-",
        state=state,
        ready=here,
    )


def search(
    catalogue: Catalogue, query: Mapping[str, str]
) -> Sequence[Mapping[str, object]]:
    """Return a page of the models that `author`, `search` and `task` select."""
    found = matching(catalogue, query)
    size = min(_number(query.get("per_page"), PER_PAGE), PER_PAGE_MAX)
    start = (_number(query.get("page"), 1) - 1) * size
    return [entry(model) for model in found[start : start + size]]


def matching(catalogue: Catalogue, query: Mapping[str, str]) -> Sequence[Model]:
    """Return the models that `author`, `search` and `task` select."""
    author = query.get("author", "").lower()
    text = query.get("search", "").lower()
    task = query.get("task", "").lower()
    return [
        model
        for model in catalogue
        if author in ("", model.author)
        and text in model.id.lower()
        and task in ("", model.task, task_name(model.task).lower())
    ]


def tasks(catalogue: Catalogue) -> Sequence[Mapping[str, str]]:
    """Return the tasks of the catalogue, each once."""
    return [task_entry(task) for task in dict.fromkeys(m.task for m in catalogue)]


def known_task(catalogue: Catalogue, asked: str) -> str:
    """Return the task that is `asked` for by its id or its name, in any case.

    Raises:
        UsageError: there is none.
    """
    ids = [found["id"] for found in tasks(catalogue)]
    for task in ids:
        if asked.lower() in (task, task_name(task).lower()):
            return task
    raise UsageError(f"--task: there is no task {asked}, only {', '.join(ids)}")


def task_entry(task: str) -> Mapping[str, str]:
    """Return one task as Cloudflare lists it."""
    name = task_name(task)
    return {"id": task, "name": name, "description": name}


def entry(model: Model) -> Mapping[str, object]:
    """Return one model as Cloudflare lists it."""
    properties = {
        "context_window": model.context if model.dimensions is None else None,
        "max_input_tokens": model.context if model.dimensions else None,
        "output_dimensions": model.dimensions,
    }
    name = task_name(model.task)
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, model.id)),
        "source": 1,
        "name": model.id,
        "description": f"{name}, {served_by(model)}",
        "task": task_entry(model.task),
        "tags": [],
        "properties": [
            {"property_id": key, "value": str(value)}
            for key, value in properties.items()
            if value is not None
        ],
    }


def served_by(model: Model) -> str:
    """Say in a few words what answers for `model`."""
    if model.weights:
        return f"by {model.weights.name}"
    if model.stand_in:
        return f"{model.stand_in.name} stands in"
    return "not available"


def task_name(task: str) -> str:
    """Return "text-generation" as "Text Generation"."""
    return task.replace("-", " ").title()


def _number(text: str | None, default: int) -> int:
    return max(int(text), 1) if text and text.isdecimal() else default
