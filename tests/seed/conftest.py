"""The seed document's own snippets, taken out of its text at test time."""

from pathlib import Path

import pytest

from harness.fixtures import dev, shared_dev
from harness.snippets import Seed
from selfedge.packages.npm import npm_install

__all__ = ["dev", "shared_dev"]

REPOSITORY = Path(__file__).parents[2]
SEED = REPOSITORY.parent / "shared" / "seed.md"
HONO = "hono@4.13.19"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is collected here: each test takes about a second."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def seed() -> Seed:
    """The text that the snippets are in."""
    if not SEED.is_file():
        pytest.skip(f"the seed document {SEED} is not on this machine")
    return Seed(SEED.read_text())


@pytest.fixture(scope="session")
def hono(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node_modules folder that has Hono."""
    folder = tmp_path_factory.mktemp("hono")
    npm_install(folder, [HONO])
    return folder / "node_modules"
