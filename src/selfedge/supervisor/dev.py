"""The dev loop: build, release, and again at each save."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from selfedge.binding import AnyBinding, Trigger
from selfedge.compiler.problem import problem_config
from selfedge.compiler.process import Placement, backends, process_config
from selfedge.edge.dispatcher import dispatch_socket
from selfedge.edge.problem import Problem
from selfedge.errors import BuildError, EngineError, ManifestError, SelfedgeError
from selfedge.manifest.model import Manifest
from selfedge.supervisor.group import Group
from selfedge.supervisor.project import Choices, Project, build, read_manifests
from selfedge.supervisor.remapper import Remapper
from selfedge.supervisor.slot import Release
from selfedge.supervisor.watch import change, fingerprint, with_folders
from selfedge.types import Environ, Struct

HALF_WRITTEN_S = 0.05  # within which an editor that is writing goes on

Allow = Callable[[frozenset[str]], Awaitable[None]]


class Terminal(Protocol):
    """What a dev loop says to its user."""

    def built(self, project: Project, milliseconds: float) -> None:
        """A project runs."""

    def failed(self, problem: Problem) -> None:
        """It does not build, or does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a dev loop is given."""

    choices: Choices
    bindings: Sequence[AnyBinding]
    esbuild: Path
    environ: Environ
    services: str  # address of our services
    edge: Mapping[str, object]  # config of the edge module
    dispatch: Callable[[str], Path]  # script → where it takes events


class DevLoop:
    """Keeps a group running what is on disk."""

    def __init__(
        self,
        given: Surroundings,
        group: Group,
        remapper: Remapper,
        terminal: Terminal,
        again: asyncio.Event,  # set it to build now
    ) -> None:
        self._given = given
        self._group = group
        self._remapper = remapper
        self._terminal = terminal
        self._files: frozenset[Path] = frozenset(given.choices.configs)
        self._seen = fingerprint(self._files)
        self._beside = fingerprint(with_folders(self._files))
        self._broken = False
        self._again = again
        self.allow: Allow | None = None  # lets Workers use services, once they run
        self._triggers: Sequence[Trigger] = ()

    def triggers(self) -> Sequence[Trigger]:
        """Return what starts the Workers of the latest build."""
        return self._triggers

    async def start(self) -> Project | None:
        """Release for the first time.

        Raises:
            ManifestError: a wrangler file is wrong, so there is nothing to run.
        """
        return await self._release((BuildError, EngineError))

    async def release(self) -> Project | None:
        """Build what is on disk and let it run; show a problem in its place.

        Returns the project, or None when there was a problem.
        """
        return await self._release((BuildError, EngineError, ManifestError))

    async def _release(self, shown: tuple[type[SelfedgeError], ...]) -> Project | None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            project = await self._steadily_built()
            self._triggers = [one for part in project.parts for one in part.triggers]
            if self.allow is not None:
                await self.allow(backends(project.parts))
            await self._group.release(lambda successor: self._make(project, successor))
        except shown as error:
            await self._show(_problem(error, self._remapper))
            return None
        self._broken = False
        self._terminal.built(project, (loop.time() - started) * 1000)
        return project

    async def run(self, *, watching: bool) -> None:
        """Release again at each change on disk, or only when asked, for ever."""
        while True:
            await (self._changed() if watching else self._again.wait())
            self._again.clear()
            await self.release()

    async def _steadily_built(self) -> Project:
        """Build; a file that is caught half-written gets another chance."""
        while True:
            try:
                return await self._build()
            except (BuildError, ManifestError):
                await asyncio.sleep(HALF_WRITTEN_S)
                if fingerprint(self._files) == self._seen:
                    raise

    async def _build(self) -> Project:
        given = self._given
        self._look()
        manifests = self._read()
        known = {file for manifest in manifests for file in manifest.files}
        self._files |= known
        self._files |= {m.main for m in manifests if m.main is not None}
        self._look()
        project = await build(manifests, given.choices, given.bindings, given.esbuild)
        self._files = project.files | frozenset(given.choices.configs)
        before = self._seen
        now = fingerprint(self._files)
        self._seen = {file: before.get(file, look) for file, look in now.items()}
        self._remapper.use(project.parts)
        return project

    def _read(self) -> Sequence[Manifest]:
        given = self._given
        return read_manifests(given.choices, given.bindings, given.environ)

    def _look(self) -> None:
        """Remember what the files look like before they are read."""
        self._seen = fingerprint(self._files)
        self._beside = fingerprint(with_folders(self._files))

    def _make(self, project: Project, successor: str) -> Release:
        dispatched = [part.name for part in project.parts if any(part.triggers)]
        placement = Placement(
            services=self._given.services,
            successor=successor,
            scheme="http",
            edge=self._given.edge,
            dispatched=dispatched,
        )
        config = process_config(project.parts, placement)
        for folder in _disks(config):
            folder.mkdir(parents=True, exist_ok=True)
        return Release(
            scripts=project.names,
            config=config,
            durable=bool(_disks(config)),
            entrances={
                dispatch_socket(name): self._given.dispatch(name) for name in dispatched
            },
        )

    async def _show(self, problem: Problem) -> None:
        self._broken = True
        self._terminal.failed(problem)
        config = problem_config(problem)
        await self._group.release(
            lambda _: Release(scripts=(), config=config, durable=False)
        )

    async def _changed(self) -> None:
        """Return at a change on disk, or when asked."""
        seen = self._beside if self._broken else self._seen
        watching = asyncio.create_task(change(self._files, seen, anything=self._broken))
        asking = asyncio.create_task(self._again.wait())
        try:
            done, _ = await asyncio.wait(
                {watching, asking}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            for task in (watching, asking):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


def _problem(error: SelfedgeError, remap: Callable[[str], str]) -> Problem:
    text = str(error)
    if isinstance(error, EngineError):
        title, _, detail = remap(text).partition("\n")
        return Problem(
            where="The Worker does not start",
            title=title,
            detail=detail,
            hint="State is kept. Save a change to try again.",
        )
    title, _, detail = text.partition("\n")
    where = (
        "The wrangler file is wrong"
        if isinstance(error, ManifestError)
        else "The Worker does not build"
    )
    hint = "State is kept. Save a change to try again."
    return Problem(where=where, title=title, detail=detail, hint=hint)


def _disks(config: Struct) -> list[Path]:
    """Return the folders that the engine writes to; it does not make them."""
    return [
        Path(service["disk"]["path"])
        for service in config["services"]
        if "disk" in service
    ]
