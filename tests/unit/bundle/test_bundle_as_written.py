"""`no_bundle` and `find_additional_modules`."""

import pytest
from bundle_project import Project, Run

from selfedge.errors import BuildError, ManifestError
from selfedge.manifest.model import Rule

MAIN = """
import { word } from "./lib/word.js";
import text from "./lib/t.txt";
const late = "late";
export class Thing {}
export * from "./lib/word.js";
export default { async fetch() {
  const { default: x } = await import("./lib/" + late + ".js");
  return new Response([word(), text, x]);
} }"""
FILES = {
    "dist/index.js": MAIN,
    "dist/lib/word.js": "export const word = () => 'w';",
    "dist/lib/late.js": "export default 'l';",
    "dist/lib/t.txt": "t",
}
RULES = [Rule(type="ESModule", globs=["**/*.js"])]


def test_no_bundle_loads_files_as_they_are(project: Project, run: Run) -> None:
    project.write({**FILES, "dist/index.js.map": "{}"})
    made = project.bundle("dist/index.js", no_bundle=True, rules=RULES)
    names = [module.name for module in made.modules]
    assert names == ["hello.js", "lib/late.js", "lib/t.txt", "lib/word.js"]
    assert made.modules[0].content == MAIN.encode()
    assert sorted(made.exports) == ["Thing", "default", "word"]
    assert made.source_map == b"{}"
    assert run(made) == "w,t,l"


def test_no_bundle_below_a_base_folder(project: Project, run: Run) -> None:
    project.write(FILES)
    made = project.bundle(
        "dist/index.js", no_bundle=True, rules=RULES, base_dir=project.root
    )
    assert made.modules[0].name == "dist/hello.js"
    assert run(made) == "w,t,l"


def test_no_bundle_still_shows_faults_in_the_main_file(project: Project) -> None:
    project.write({"index.js": "export default {"})
    with pytest.raises(BuildError, match=r"index.js:1:17"):
        project.bundle("index.js", no_bundle=True)


def test_no_bundle_takes_only_javascript(project: Project) -> None:
    project.write({"index.ts": "export default {}"})
    with pytest.raises(ManifestError, match="no_bundle loads files as they are"):
        project.bundle("index.ts", no_bundle=True)


def test_additional_modules_stay_files(project: Project, run: Run) -> None:
    project.write(FILES)
    made = project.bundle("dist/index.js", find_additional_modules=True, rules=RULES)
    assert "lib/late.js" in [module.name for module in made.modules]
    assert b"() => 'w'" not in made.modules[0].content
    assert run(made) == "w,t,l"


def test_globs_do_not_cross_folders_on_disk(project: Project) -> None:
    project.write({**FILES, "dist/top.js": "", "node_modules/a/b.js": ""})
    rules = [Rule(type="ESModule", globs=["*.js"])]
    made = project.bundle("dist/index.js", no_bundle=True, rules=rules)
    assert "top.js" in [module.name for module in made.modules]
    assert "lib/late.js" not in [module.name for module in made.modules]
