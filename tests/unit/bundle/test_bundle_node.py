"""Modules of Node.js, by date and flag, in the real engine."""

import json

import pytest
from bundle_project import Project, Run

from selfedge.bundle.node import (
    BUILTINS,
    SINCE,
    V2_DATE,
    missing_until,
    node_mode,
)
from selfedge.errors import BuildError

ASK = """export default { fetch() {
  return Response.json([typeof process, typeof Buffer, typeof setImmediate]) } }"""


@pytest.mark.parametrize(
    ("date", "flags", "mode"),
    [
        ("2025-01-01", [], "none"),
        ("2025-01-01", ["nodejs_als"], "als"),
        ("2024-01-01", ["nodejs_compat"], "v1"),
        (V2_DATE, ["nodejs_compat"], "v2"),
        ("2024-01-01", ["nodejs_compat_v2"], "v2"),
        ("2025-01-01", ["nodejs_compat", "no_nodejs_compat_v2"], "v1"),
        ("2026-08-03", [], "none"),
        ("2026-08-04", [], "v2"),
        ("2026-08-04", ["no_nodejs_compat"], "v2"),
        ("2026-08-04", ["no_nodejs_compat_v2"], "v1"),
        ("2026-08-04", ["no_nodejs_compat", "no_nodejs_compat_v2"], "none"),
    ],
)
def test_what_the_engine_offers_is_what_we_think(
    project: Project, run: Run, date: str, flags: list[str], mode: str
) -> None:
    assert node_mode(date, flags) == mode
    made = project.write({"src/index.ts": ASK}).bundle(date=date, flags=flags)
    there = ["object", "function", "function"]
    missing = ["undefined", "undefined", "undefined"]
    assert json.loads(run(made, date=date, flags=flags)) == (
        there if mode == "v2" else missing
    )


def test_bare_and_prefixed_names_work_with_the_flag(project: Project, run: Run) -> None:
    code = """
    import { join } from "path";
    import events from "node:events";
    import { promisify } from "util";
    import lib from "lib";
    export default { fetch() {
      return Response.json([
        join("a", "b"), typeof events, typeof promisify, lib]) } }"""
    library = """const { Buffer: B } = require("buffer");
    const path = require("node:path");
    exports.x = B.from("hi").toString("hex") + path.sep;
    exports.c = typeof require("crypto").createHash;"""
    project.write({"src/index.ts": code, "node_modules/lib/index.js": library})
    made = project.bundle(flags=["nodejs_compat"])
    answer = ["a/b", "function", "function", {"x": "6869/", "c": "function"}]
    assert json.loads(run(made, flags=["nodejs_compat"])) == answer


@pytest.mark.parametrize("name", ["fs", "node:fs", "fs/promises"])
def test_without_the_flag_the_error_names_it(project: Project, name: str) -> None:
    project.write({"src/index.ts": f'import * as x from "{name}";\nexport default x'})
    flag = r'add compatibility_flags = \["nodejs_compat"\]'
    with pytest.raises(BuildError, match=flag) as caught:
        project.bundle()
    assert str(caught.value.diagnostics[0].position) == "src/index.ts:1:20"


def test_before_the_second_version_bare_names_need_the_prefix(project: Project) -> None:
    project.write({"src/index.ts": 'import x from "path";\nexport default x'})
    with pytest.raises(BuildError, match='Write "node:path", or set compatibility_dat'):
        project.bundle(date="2024-01-01", flags=["nodejs_compat"])


def test_with_nodejs_als_only_async_hooks_is_there(project: Project, run: Run) -> None:
    code = """import { AsyncLocalStorage as A } from "node:async_hooks";
    export default { fetch() { return new Response(new A().run("als", () => "x")) } }"""
    made = project.write({"src/index.ts": code}).bundle(flags=["nodejs_als"])
    assert run(made, flags=["nodejs_als"]) == "x"


def test_an_npm_package_may_stand_in_for_a_builtin(project: Project, run: Run) -> None:
    code = """import x from "events";
    export default { fetch() { return new Response(x) } }"""
    library = "module.exports = 'package'"
    project.write({"src/index.ts": code, "node_modules/events/index.js": library})
    assert run(project.bundle()) == "package"


def test_an_alias_goes_before_the_engine(project: Project, run: Run) -> None:
    code = """import x from "fs";
    export default { fetch() { return new Response(x) } }"""
    project.write({"src/index.ts": code, "fs.js": "export default 'mine'"})
    flags = ["nodejs_compat"]
    made = project.bundle(flags=flags, alias={"fs": "./fs.js"})
    assert run(made, flags=flags) == "mine"


def test_a_module_that_the_date_lacks_throws_only_when_it_is_used(
    project: Project, run: Run
) -> None:
    code = """
    import fs, { readFileSync } from "fs";
    import { constants } from "node:fs";
    const old = require("fs");
    export default { fetch() {
      const said = [];
      for (const use of [readFileSync, fs.statSync, old.openSync])
        try { use("x") } catch (error) { said.push(error.message) }
      return Response.json([...said, typeof constants]);
    } }"""
    flags = ["nodejs_compat"]
    made = project.write({"src/index.ts": code}).bundle(date=V2_DATE, flags=flags)
    (warning,) = made.warnings
    assert warning == (
        f'"node:fs" is empty with compatibility_date {V2_DATE}: its functions throw. '
        "Set 2025-09-15 or later"
    )
    need = "() needs compatibility_date 2025-09-15 or later"
    assert json.loads(run(made, date=V2_DATE, flags=flags)) == [
        f"node:fs: readFileSync{need}",
        f"node:fs: statSync{need}",
        f"node:fs: openSync{need}",
        "function",
    ]


@pytest.mark.slow
def test_the_table_of_dates_is_the_engines(project: Project, run: Run) -> None:
    """All modules at the last date: those without a date of their own always work."""
    flags = ["nodejs_compat"]
    for date in sorted({V2_DATE, *SINCE.values()}):
        there = [
            n for n in [*BUILTINS, *SINCE] if missing_until(n, date, flags) is None
        ]
        code = "".join(f'import "node:{name}";\n' for name in there if name != "sys")
        project.write({"src/index.ts": code + ASK})
        run(project.bundle(date=date, flags=flags), date=date, flags=flags)
