"""The `[build] command`."""

import asyncio
import os
from pathlib import Path
from typing import TextIO

import pytest
from bundle_project import Project

from selfedge.bundle.command import run_command
from selfedge.errors import BuildError, ManifestError


def test_it_runs_in_its_folder_before_the_bundle(project: Project) -> None:
    code = "export default { c: '$WRANGLER_COMMAND', p: '$PWD' }"
    project.write({"app/package.json": "{}"})
    made = project.bundle(
        "dist/index.js",
        command=f'mkdir -p ../dist && echo "{code}" > ../dist/index.js',
        command_cwd=Path("app"),
    )
    assert b"dev" in made.modules[0].content
    assert f"{project.root}/app".encode() in made.modules[0].content


def test_its_output_is_shown_when_it_fails(project: Project) -> None:
    with pytest.raises(BuildError) as caught:
        project.bundle(command="echo one; echo two >&2; exit 7")
    assert str(caught.value) == (
        "the build command `echo one; echo two >&2; exit 7` failed with exit code 7:\n"
        "one\ntwo"
    )


def test_death_by_a_signal_names_it(project: Project) -> None:
    with pytest.raises(BuildError, match="failed with SIGTERM"):
        project.bundle(command="kill -TERM $$")


def test_long_output_is_cut_at_its_start(project: Project) -> None:
    with pytest.raises(BuildError) as caught:
        project.bundle(command="seq 100000; exit 1")
    assert str(caught.value).endswith("100000")
    assert len(str(caught.value)) < 20_000


def test_a_main_that_it_does_not_make_is_an_error(project: Project) -> None:
    with pytest.raises(ManifestError, match="after the build command `true`"):
        project.bundle(command="true")


def test_a_missing_folder_is_named(project: Project) -> None:
    with pytest.raises(BuildError, match=r"cannot run in .*/gone: No such file"):
        project.bundle(command="true", command_cwd=Path("gone"))


def test_it_and_its_children_end_at_the_limit(tmp_path: Path) -> None:
    async def limited() -> str:
        pipe, task = await _started(tmp_path, limit_s=0.2)
        with pytest.raises(BuildError, match=r"took longer than 0\.2 s:\nwaiting"):
            await task
        with pipe:
            return await asyncio.to_thread(pipe.read)

    assert asyncio.run(limited()) == ""


def test_cancelling_ends_it_and_its_children(tmp_path: Path) -> None:
    async def cancelled() -> str:
        pipe, task = await _started(tmp_path)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pipe:
            return await asyncio.to_thread(pipe.read)

    assert asyncio.run(cancelled()) == ""


async def _started(
    folder: Path, **options: float
) -> tuple[TextIO, "asyncio.Task[None]"]:
    """Return a pipe that ends with the last process of a command that waits."""
    os.mkfifo(folder / "pipe")
    command = "echo waiting; exec 3> pipe; sleep 60 & wait"
    task = asyncio.create_task(run_command(command, folder, os.environ, **options))
    return await asyncio.to_thread((folder / "pipe").open), task
