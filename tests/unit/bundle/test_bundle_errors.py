"""Faults in a Worker's code, and of the machinery around it."""

import asyncio
import os
import stat
import subprocess
from pathlib import Path

import pytest
from bundle_project import Project

from selfedge.bundle import bundle
from selfedge.bundle.esbuild import VERSION
from selfedge.errors import BuildError, Diagnostic, InstallError, Position

HELLO = "export default { fetch() { return new Response('hello') } }"


def test_a_syntax_error_shows_the_line_and_a_caret(project: Project) -> None:
    project.write({"src/index.ts": "const é = 1;\nexport default { fetch( { }"})
    with pytest.raises(BuildError) as caught:
        project.bundle()
    assert str(caught.value) == (
        "the build failed with 1 error\n\n"
        'src/index.ts:2:28: Expected ")" but found end of file\n'
        "    2 │ export default { fetch( { }\n"
        "      ╵                            ^"
    )


def test_columns_count_characters(project: Project) -> None:
    project.write({"src/index.ts": 'const é = "ü"; import x from "nope";\nx()'})
    with pytest.raises(BuildError) as caught:
        project.bundle()
    assert caught.value.diagnostics == (
        Diagnostic(
            text='Could not resolve "nope"',
            position=Position("src/index.ts", 1, 30),
            source='const é = "ü"; import x from "nope";',
            length=6,
            notes=("Is the package installed? Run `npm install nope` in the project",),
        ),
    )


def test_every_error_is_kept_and_ten_are_shown(project: Project) -> None:
    code = "".join(f'import "pkg{n}/sub";\n' for n in range(12))
    project.write({"src/index.ts": code})
    with pytest.raises(BuildError) as caught:
        project.bundle()
    assert len(caught.value.diagnostics) == 12
    assert str(caught.value).count("npm install pkg") == 10
    assert str(caught.value).endswith("and 2 more")


def test_a_missing_relative_file_is_not_a_package(project: Project) -> None:
    project.write({"src/index.ts": 'import x from "./gone";\nx()'})
    with pytest.raises(BuildError, match="There is no such file"):
        project.bundle()


def test_a_scoped_package_is_named_whole(project: Project) -> None:
    project.write({"src/index.ts": 'import x from "@a/b/c";\nx()'})
    with pytest.raises(BuildError, match="npm install @a/b`"):
        project.bundle()


def test_a_very_long_line_is_shown_in_part(project: Project) -> None:
    line = "a;" * 4000 + "}" + "b;" * 4000
    project.write({"src/index.js": line})
    with pytest.raises(BuildError) as caught:
        project.bundle("src/index.js")
    shown = str(caught.value).splitlines()[-2:]
    assert max(map(len, shown)) < 200
    assert shown[0][shown[1].index("^")] == "}"


def test_warnings_do_not_fail_a_build(project: Project) -> None:
    project.write({"src/index.ts": f"if (Date.now() === -0) {{}}\n{HELLO}"})
    (warning,) = project.bundle().warnings
    assert warning.startswith("src/index.ts:1:20: ")


@pytest.mark.parametrize("script", ["exit 0", "echo hm >&2; exit 3", "echo 0.1.0"])
def test_another_program_than_esbuild_is_refused(
    project: Project, tmp_path: Path, script: str
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    other = Project(root=project.root, esbuild=program)
    with pytest.raises(InstallError, match=r"program is not esbuild 0\.28\.2"):
        other.write({"src/index.ts": HELLO}).bundle()


def test_a_missing_esbuild_is_named(project: Project) -> None:
    other = Project(root=project.root, esbuild=Path("/nowhere/esbuild"))
    with pytest.raises(InstallError, match="/nowhere/esbuild"):
        other.write({"src/index.ts": HELLO}).bundle()


def test_a_cancelled_build_kills_its_esbuild(project: Project, tmp_path: Path) -> None:
    """A program that never answers stands in for a build that takes long."""
    started = tmp_path / "pid"
    os.mkfifo(started)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $$ > {started}\nexec sleep 60\n")
    program.chmod(0o700)
    manifest = project.write({"src/index.ts": HELLO}).manifest()

    async def cancelled() -> int:
        task = asyncio.create_task(
            bundle(manifest, esbuild=program, environ=os.environ)
        )
        pid = int(await asyncio.to_thread(started.read_text))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pid

    pid = asyncio.run(cancelled())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_build_leaves_no_file_behind(project: Project) -> None:
    project.write({"src/index.ts": HELLO})
    project.manifest()
    before = sorted(project.root.rglob("*"))
    project.bundle()
    assert sorted(project.root.rglob("*")) == before


def test_esbuild_ends_with_its_input_so_that_it_never_outlives_us(
    esbuild: Path,
) -> None:
    program = [esbuild, f"--service={VERSION}"]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as p:
        p.communicate()
        assert p.returncode == 0
