"""What `bundle` makes of a project."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from bundle_project import Project, Run

from selfedge.bundle import bundle, bundler
from selfedge.errors import BuildError, ManifestError
from selfedge.manifest.model import Rule

HELLO = "export default { fetch() { return new Response('hello') } }"
WASM = bytes.fromhex(
    "0061736d010000000105016000017f030201000707010372756e00000a0601040041070b"
)


def test_hello_world_answers_and_is_named_after_the_script(
    project: Project, run: Run
) -> None:
    made = project.write({"src/index.ts": HELLO}).bundle(name="my-worker")
    assert [module.name for module in made.modules] == ["my-worker.js"]
    assert made.exports == ["default"]
    assert made.warnings == []
    assert run(made) == "hello"


def test_exports_name_classes(project: Project) -> None:
    code = f"export class Counter {{}}\n{HELLO}\nexport * from './more';"
    project.write({"src/index.ts": code, "src/more.ts": "export class Other {}"})
    assert sorted(project.bundle().exports) == ["Counter", "Other", "default"]


def test_default_rules_give_modules_of_their_types(project: Project, run: Run) -> None:
    code = """
    import text from "./a.txt";
    import html from "./b.html";
    import sql from "../c.sql";
    import data from "./d.bin";
    import wasm from "./e.wasm";
    import again from "./e.wasm?module";
    import json from "./f.json";
    export default { fetch() {
      const answer = new WebAssembly.Instance(wasm, {}).exports.run();
      return Response.json([text, html, sql, data instanceof ArrayBuffer,
        data.byteLength, wasm instanceof WebAssembly.Module,
        again instanceof WebAssembly.Module, answer, json.a]);
    } }"""
    made = project.write(
        {
            "src/index.ts": code,
            "src/a.txt": "täxt",
            "src/b.html": "<p>",
            "c.sql": "SELECT 1",
            "src/d.bin": bytes(range(256)),
            "src/e.wasm": WASM,
            "src/f.json": '{"a": [1]}',
        }
    ).bundle()
    answer = ["täxt", "<p>", "SELECT 1", True, 256, True, True, 7, [1]]
    assert json.loads(run(made)) == answer
    assert {"a.txt", "c.sql", "e.wasm", "f.json"} <= {p.name for p in made.inputs}
    assert all(path.is_absolute() and path.is_file() for path in made.inputs)


def test_wasm_by_source_phase_and_from_packages(project: Project, run: Run) -> None:
    code = """
    import source here from "./a.wasm";
    import there from "pkg/x.wasm";
    import again from "./copy/a.wasm";
    export default { async fetch() {
      const { default: late } = await import("./a.wasm");
      const run = (module) => new WebAssembly.Instance(module).exports.run();
      return Response.json([here, there, again, late].map(run));
    } }"""
    made = project.write(
        {
            "src/index.ts": code,
            "src/a.wasm": WASM,
            "src/copy/a.wasm": WASM,
            "node_modules/pkg/x.wasm": WASM,
        }
    ).bundle()
    assert json.loads(run(made)) == [7, 7, 7, 7]
    assert len(made.modules) == 3
    assert {project.root / "src/a.wasm", project.root / "src/copy/a.wasm"} < made.inputs


def test_a_missing_wasm_file_is_shown_where_it_is_imported(project: Project) -> None:
    project.write({"src/index.ts": 'import x from "./gone.wasm";\nexport default x'})
    with pytest.raises(BuildError, match=r"src/index.ts:1:15: Could not resolve"):
        project.bundle()


def test_a_rule_of_the_user_with_any_glob(project: Project, run: Run) -> None:
    code = """
    import a from "../docs/guide.en.md";
    import b from "pkg/template";
    import c from "./c.txt";
    export default { fetch() { return new Response(a + b + c) } }"""
    rules = [Rule(type="Text", globs=["docs/*.en.md", "**/*.tpl"], fallthrough=True)]
    made = project.write(
        {
            "src/index.js": code,
            "src/c.txt": "c",
            "docs/guide.en.md": "a",
            "node_modules/pkg/package.json": '{"exports": {"./template": "./x/t.tpl"}}',
            "node_modules/pkg/x/t.tpl": "b",
        }
    ).bundle("src/index.js", rules=rules, base_dir=project.root)
    assert run(made) == "abc"


def test_a_file_whose_rule_is_ended_by_another_says_so(project: Project) -> None:
    code = f'import t from "./a.txt";\nconsole.log(t);\n{HELLO}'
    project.write({"src/index.ts": code, "src/a.txt": ""})
    with pytest.raises(BuildError, match="add fallthrough = true") as caught:
        project.bundle(rules=[Rule(type="Text", globs=["**/*.md"])])
    assert str(caught.value.diagnostics[0].position) == "src/index.ts:1:15"


def test_a_kind_of_file_without_a_rule_names_the_rule(project: Project) -> None:
    code = f'import t from "./a.png";\nconsole.log(t);\n{HELLO}'
    project.write({"src/index.ts": code, "src/a.png": ""})
    with pytest.raises(BuildError, match=r'add \[\[rules\]\].*\["\*\*/\*\.png"\]'):
        project.bundle()


def test_define_alias_and_node_env(project: Project, run: Run) -> None:
    code = """
    import x from "swapped";
    export default { fetch() {
      return new Response([x, VERSION, process.env.NODE_ENV, navigator.userAgent] + "")
    } }"""
    project.write({"src/index.js": code, "src/real.js": "export default 'real'"})
    made = project.bundle(
        "src/index.js", alias={"swapped": "./src/real.js"}, define={"VERSION": '"1=2"'}
    )
    assert run(made) == "real,1=2,development,Cloudflare-Workers"


def test_a_define_with_an_impossible_key_is_an_error(project: Project) -> None:
    project.write({"src/index.ts": HELLO})
    with pytest.raises(BuildError, match='"define" has the key "a=b"'):
        project.bundle(define={"a=b": "1"})
    with pytest.raises(BuildError, match=r'Invalid alias name: "\./x"'):
        project.bundle(alias={"./x": "y"})
    with pytest.raises(BuildError, match=r"Invalid define value.*a b"):
        project.bundle(define={"X": "a b"})


def test_minify_keeps_names_unless_told_otherwise(project: Project, run: Run) -> None:
    code = """function longName() {}
    export default { fetch() { return new Response(longName.name) } }"""
    project.write({"src/index.ts": code})
    kept = project.bundle(minify=True)
    lost = project.bundle(minify=True, keep_names=False)
    assert run(kept) == "longName"
    assert run(lost) != "longName"
    assert len(kept.modules[0].content.splitlines()) < 4


def test_jsx_by_factory_and_by_tsconfig(project: Project, run: Run) -> None:
    code = """const h = (tag, _, ...inner) => `<${tag}>${inner}</${tag}>`;
    const F = "f";
    export default { fetch() { return new Response(<><b>x</b></>) } }"""
    project.write({"src/index.jsx": code})
    made = project.bundle("src/index.jsx", jsx_factory="h", jsx_fragment="F")
    assert run(made) == "<f><b>x</b></f>"


def test_tsconfig_decides_jsx_and_paths(project: Project, run: Run) -> None:
    options = {
        "jsx": "react-jsx",
        "jsxImportSource": "tiny",
        "paths": {"@/*": ["./src/*"]},
    }
    code = """import { word } from "@/word";
    export default { fetch() { return new Response(<b>{word}</b>) } }"""
    runtime = "export const jsx = (t, p) => `<${t}>${p.children}</${t}>`"
    project.write(
        {
            "src/index.tsx": code,
            "src/word.ts": "export const word = 'x'",
            "node_modules/tiny/jsx-runtime.js": runtime,
            "tsconfig.json": json.dumps({"compilerOptions": options}),
        }
    )
    made = project.bundle("src/index.tsx")
    assert run(made) == "<b>x</b>"
    assert project.root / "tsconfig.json" in made.inputs


def test_another_tsconfig_can_be_named(project: Project, run: Run) -> None:
    project.write(
        {
            "src/index.tsx": """const h = (t) => t;
            export default { fetch() { return new Response(<b/>) } }""",
            "conf/ts.json": '{"compilerOptions": {"jsx": "react", "jsxFactory": "h"}}',
        }
    )
    made = project.bundle("src/index.tsx", tsconfig=Path("conf/ts.json"))
    assert run(made) == "b"
    assert project.root / "conf/ts.json" in made.inputs


def test_conditions_prefer_workerd(project: Project, run: Run) -> None:
    package = {"exports": {"workerd": "./w.js", "node": "./n.js", "default": "./d.js"}}
    project.write(
        {
            "src/index.ts": """import x from "pkg";
            export default { fetch() { return new Response(x) } }""",
            "node_modules/pkg/package.json": json.dumps(package),
            "node_modules/pkg/w.js": "export default 'workerd'",
            "node_modules/pkg/n.js": "export default 'node'",
            "node_modules/pkg/d.js": "export default 'default'",
        }
    )
    assert run(project.bundle()) == "workerd"


def test_cloudflare_modules_stay_imports(project: Project, run: Run) -> None:
    code = """import { WorkerEntrypoint } from "cloudflare:workers";
    export default class extends WorkerEntrypoint {
      fetch() { return new Response("rpc") } }"""
    assert run(project.write({"src/index.ts": code}).bundle()) == "rpc"


def test_a_commonjs_main_has_a_default_export(project: Project, run: Run) -> None:
    code = "module.exports = { fetch() { return new Response('cjs') } }"
    made = project.write({"index.js": code}).bundle("index.js", name="index")
    assert made.exports == ["default"]
    assert run(made) == "cjs"


def test_a_service_worker_is_told_how_to_become_a_module(project: Project) -> None:
    code = "addEventListener('fetch', (e) => e.respondWith(new Response('x')))"
    project.write({"src/index.ts": code})
    with pytest.raises(BuildError, match=r"src/index.ts exports nothing[^$]*async fet"):
        project.bundle()


@pytest.mark.parametrize(
    ("main", "hint"),
    [
        ("src/indx.ts", 'does not exist; did you mean "src/index.ts"'),
        ("index.ts", 'does not exist; did you mean "src/index.ts"'),
        ("src", 'main = "src" is a folder; did you mean'),
        ("src/index.py", "Python Workers are not supported"),
    ],
)
def test_a_missing_main_names_place_and_remedy(
    project: Project, main: str, hint: str
) -> None:
    project.write({"src/index.ts": HELLO})
    with pytest.raises(ManifestError, match=hint) as caught:
        project.bundle(main)
    assert caught.value.position is not None
    assert caught.value.position.line == 2


@pytest.mark.parametrize(("own", "line"), [('main = "gone.ts"', 3), ("", 1)])
def test_a_missing_main_of_an_environment_is_found_in_its_table(
    project: Project, own: str, line: int
) -> None:
    project.write({"wrangler.toml": f'main = "gone.ts"\n[env.x]\n{own}\nname = "n"\n'})
    manifest = replace(project.manifest("gone.ts"), environment="x")
    with pytest.raises(ManifestError) as caught:
        asyncio.run(bundle(manifest, esbuild=project.esbuild))
    assert caught.value.position is not None
    assert caught.value.position.line == line


def test_a_worker_of_static_assets_alone_has_a_main_module_that_does_nothing(
    project: Project,
) -> None:
    manifest = replace(project.manifest(), main=None)
    made = asyncio.run(bundle(manifest, esbuild=project.esbuild))
    assert [module.content for module in made.modules] == [b"export default {};\n"]
    assert made.exports == ["default"]


def test_a_main_without_suffix_is_found(project: Project) -> None:
    project.write({"src/index.ts": HELLO})
    assert project.bundle("src/index").exports == ["default"]


def test_a_bundle_over_the_limit_names_its_largest_module(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundler, "LIMIT_BYTES", 1 << 20)
    code = f'import d from "./d.bin";\nconsole.log(d);\n{HELLO}'
    project.write({"src/index.ts": code, "src/d.bin": bytes(1 << 20)})
    with pytest.raises(BuildError, match=r"1\.0 MiB, over the limit of 1 MiB.*d\.bin"):
        project.bundle()


def test_names_with_spaces_and_quotes_are_only_names(
    project: Project, run: Run
) -> None:
    name = "src/a b'\";$(touch x)&.ts"
    assert run(project.write({name: HELLO}).bundle(name)) == "hello"
    assert not (project.root / "x").exists()


def test_a_project_behind_a_symlink(project: Project, run: Run, tmp_path: Path) -> None:
    code = """import t from "./a.txt";
    export default { fetch() { return new Response(t) } }"""
    real = Project(root=tmp_path / "real", esbuild=project.esbuild)
    real.write({"src/index.ts": code, "src/a.txt": "linked"})
    (tmp_path / "link").symlink_to("real")
    linked = Project(root=tmp_path / "link", esbuild=project.esbuild)
    assert run(linked.bundle()) == "linked"
