"""From the wrangler file to the engine's config."""

import subprocess
import sys

import msgspec
import pytest

from selfedge.binding import Site
from selfedge.bindings.ai import BINDING

SITE = Site(account="a", worker="w", workers=frozenset({"w"}), objects="o")


def test_a_single_table_gives_the_engines_own_client() -> None:
    (entry,) = BINDING.parse({"binding": "AI", "remote": True})
    fragment = BINDING.compile(entry, SITE)
    assert fragment.bindings == [
        {
            "name": "AI",
            "wrapped": {
                "moduleName": "cloudflare-internal:ai-api",
                "innerBindings": [
                    {"name": "fetcher", "service": {"name": "ai:default"}}
                ],
            },
        }
    ]
    assert [backend.service for backend in fragment.backends] == ["ai:default"]
    assert fragment.rows[0].name == "env.AI"


@pytest.mark.parametrize("table", [{}, {"binding": 3}, [{"binding": "AI"}]])
def test_a_table_without_a_proper_binding_is_refused(table: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        BINDING.parse(table)


def test_the_binding_loads_without_http_or_model_libraries() -> None:
    heavy = "{'aiohttp', 'numpy', 'onnxruntime', 'xllamacpp', 'rich'}"
    code = f"import sys, selfedge.bindings.ai; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
