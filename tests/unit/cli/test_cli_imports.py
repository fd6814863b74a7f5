"""What a person types starts soon: it loads no more than it needs."""

import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "uvloop", "capnp", "numpy", "onnxruntime", "cryptography", "rich")
SLOW_TO_LIST = (*HEAVY, "asyncio", "msgspec", "http.client", "selfedge.binding")


def loaded(module: str, among: tuple[str, ...]) -> list[str]:
    """Return which of `among` are there once `module` has been imported."""
    code = f"import sys, {module}\nprint(*(m for m in {among!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_the_list_of_commands_loads_none_of_them():
    assert loaded("selfedge.cli.app", SLOW_TO_LIST) == []


@pytest.mark.parametrize(
    "module",
    [
        "selfedge.cli.workers.deploy",
        "selfedge.cli.workers.versions",
        "selfedge.cli.workers.secrets",
        "selfedge.cli.workers.logs",
        "selfedge.cli.workers.tail",
        "selfedge.cli.doctor",
        "selfedge.cli.remote.login",
        "selfedge.cli.remote.token",
        "selfedge.bindings.kv.commands",
    ],
)
def test_a_command_that_calls_a_node_loads_no_server(module):
    assert loaded(module, HEAVY) == []
