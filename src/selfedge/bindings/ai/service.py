"""What Workers AI does, whoever asks: finds the model, checks, computes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from threading import Event

from selfedge.bindings.ai.batches import Batches, Run, requests_of
from selfedge.bindings.ai.batches.kept import Kept
from selfedge.bindings.ai.catalogue import Catalogue, Model
from selfedge.bindings.ai.catalogue.formats import formats_of
from selfedge.bindings.ai.catalogue.listing import search
from selfedge.bindings.ai.errors import BadInput, NoSuchModel
from selfedge.bindings.ai.host.borrowed import Host
from selfedge.bindings.ai.host.frames import Call
from selfedge.bindings.ai.metering import Meter
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.tasks import TASKS, to_markdown
from selfedge.bindings.ai.tasks.contract import Asked, Counted, File, Prepared
from selfedge.bindings.ai.weights.install import (
    install_one,
    is_installed,
    missing_libraries,
)
from selfedge.bindings.ai.weights.table import Weights
from selfedge.errors import InstallError
from selfedge.settings import Settings
from selfedge.types import Notice


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, and which model gave it."""

    served: str
    value: object
    tokens: int = 0  # read for it, where the value does not tell


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer in pieces; its first piece is already there."""

    served: str
    events: AsyncGenerator[object, None]


class AIService:
    """All models, for one account."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        host: Host,
        settings: Settings,
        notice: Notice,
        kept: Kept | None = None,
    ) -> None:
        self.catalogue = catalogue
        self._host = host
        self._settings = settings
        self._notice = notice
        self._announced: set[str] = set()
        self._installing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._sources: dict[str, Source] = {}  # weights whose libraries are there
        self._stop = Event()
        self._batches = Batches(kept)
        self.meter = Meter()

    async def run(
        self,
        model_id: str,
        inputs: object,
        options: Mapping[str, object],
        file: File | None = None,
    ) -> Answer | Stream:
        """Compute one answer.

        Raises:
            AiError: the model or the inputs are wrong, or the model host failed.
        """
        model = self._model(model_id)
        weights = self._weights(model)
        if options.get("queueRequest"):
            return Answer(weights.name, await self._queued(model, weights, inputs))
        if isinstance(inputs, dict) and set(inputs) == {"request_id"}:
            found = self._batches.poll(model.id, str(inputs["request_id"]))
            return Answer(weights.name, found)
        asked = Asked(model=model, weights=weights, inputs=inputs, file=file)
        return await self._compute(model, weights, TASKS[model.task](asked))

    async def _compute(
        self, model: Model, weights: Weights, prepared: Prepared
    ) -> Answer | Stream:
        if model.weights is None:
            self._announce(model, weights)
        source = await self._installed(model, weights)
        call = Call(runner=weights.runner, source=source, job=prepared.job)
        parts = self.meter.watched(weights.name, self._host.run(call))
        if prepared.streams:
            events = await started(prepared.events(parts))
            return Stream(weights.name, events)
        found = await prepared.collect(parts)
        if isinstance(found, Counted):
            return Answer(weights.name, found.value, found.tokens)
        return Answer(weights.name, found)

    async def _queued(
        self, model: Model, weights: Weights, inputs: object
    ) -> Mapping[str, object]:
        """Check all requests of a batch, and begin it."""
        requests = requests_of(inputs)
        for place, request in enumerate(requests):
            try:
                TASKS[model.task](Asked(model=model, weights=weights, inputs=request))
            except BadInput as error:
                raise BadInput(f"requests[{place}]: {error.problem}") from error
        return await self._batches.queue(model.id, requests, self._request_of(model.id))

    def _request_of(self, model_id: str) -> Run:
        """Return what computes one request of a batch."""

        async def run(request: Mapping[str, object]) -> object:
            answer = await self.run(model_id, request, {})
            return answer.value if isinstance(answer, Answer) else None

        return run

    async def resume(self) -> None:
        """Go on with the batches of a former run of the node."""
        await self._batches.resume(self._request_of)

    def models(self, query: Mapping[str, str]) -> Sequence[Mapping[str, object]]:
        """Return the catalogue's entries that `query` asks for."""
        return search(self.catalogue, query)

    async def to_markdown(self, body: object) -> Sequence[Mapping[str, object]]:
        """Return the Markdown of each file, or what is wrong with it.

        Raises:
            AiError: the call is wrong as a whole, or the model host failed.
        """
        prepared = to_markdown.prepare(body)
        if missing := missing_libraries("documents"):
            raise NoSuchModel(
                f"toMarkdown needs {', '.join(missing)}: pip install 'selfedge[models]'"
            )
        call = Call(runner="documents", source=Source(location="-"), job=prepared.job)
        return await prepared.collect(self._host.run(call))

    async def close(self) -> None:
        """Stop fetching, and end the model host."""
        self._stop.set()
        await self._batches.close()
        await self._host.close()

    def model(self, model_id: str) -> Model:
        """Return the catalogue's entry.

        Raises:
            NoSuchModel: there is none.
        """
        model = self.catalogue.get(model_id)
        if model is None:
            near = self.catalogue.nearest(model_id)
            hint = f"; did you mean {near}?" if near else ""
            raise NoSuchModel(f"No such model {model_id} or task{hint}")
        return model

    def _model(self, model_id: str) -> Model:
        model = self.model(model_id)
        if model.task not in TASKS:
            raise NoSuchModel(
                f"No such model {model_id} or task: selfedge does not serve "
                f"{model.task} yet, only {', '.join(TASKS)}"
            )
        return model

    def _weights(self, model: Model) -> Weights:
        if model.weights:
            return model.weights
        if model.stand_in and not self._settings.strict_models:
            return model.stand_in
        own = [m.id for m in self.catalogue if m.weights and m.task == model.task]
        reason = (
            "strict models allow no stand-in (leave --strict-models out to have one)"
            if model.stand_in
            else "no model that is installed can stand in"
        )
        remedies = [
            f"`selfedge ai add {model.id} --{key} {place}` gives it its own"
            for key, place in formats_of(model.task).items()
        ]
        if own:
            names = ", ".join(own)
            remedies.append(
                f"selfedge installs the weights of {names} (`selfedge ai install`)"
            )
        raise NoSuchModel(
            f"No such model {model.id} or its weights are not installed: {reason}. "
            f"{'; '.join(remedies)}"
        )

    def _announce(self, model: Model, weights: Weights) -> None:
        if model.id not in self._announced:
            self._announced.add(model.id)
            self._notice(
                f"{model.id}: weights are not installed; {weights.name} stands in "
                f"({weights.note})"
            )

    async def _installed(self, model: Model, weights: Weights) -> Source:
        source = self._sources.get(weights.name)
        if source and is_installed(weights, self._settings):
            return source
        loop = asyncio.get_running_loop()

        def notice(line: str) -> None:
            loop.call_soon_threadsafe(self._notice, line)

        async with self._installing[weights.name]:
            try:
                source = await asyncio.to_thread(
                    install_one, weights, self._settings, notice, self._stop
                )
            except InstallError as error:
                raise NoSuchModel(
                    f"No such model {model.id} or its weights are not installed: "
                    f"{error}"
                ) from error
        self._sources[weights.name] = source
        return source


async def started(
    events: AsyncGenerator[object, None],
) -> AsyncGenerator[object, None]:
    """Return `events` once the first is there, so that a failure is an error answer."""
    try:
        first = await anext(events)
    except BaseException:
        await events.aclose()
        raise
    return _with(first, events)


async def _with(
    first: object, rest: AsyncGenerator[object, None]
) -> AsyncGenerator[object, None]:
    async with aclosing(rest):
        yield first
        async for event in rest:
            yield event
