"""The page of all models is current."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_of_models_is_what_its_script_writes():
    page = runpy.run_path(str(ROOT / "tools/models_reference.py"))["page"]
    current = (ROOT / "docs/reference/models.md").read_text(encoding="utf-8")
    assert current == page(), "run tools/models_reference.py"
