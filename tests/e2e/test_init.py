"""What `selfedge init` writes, `selfedge dev` runs at once."""

import subprocess
from pathlib import Path

import pytest

from harness import Nodes
from harness.node import COMMAND
from selfedge.packages.npm import node as node_command


def init(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [COMMAND, "init", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hello_greets_and_follows_a_change(dev: Nodes, tmp_path: Path) -> None:
    out = init(tmp_path, "greeter")
    assert out == "greeter is ready. Next:\n  cd greeter\n  selfedge dev\n"
    node = dev(tmp_path / "greeter")
    assert node.request("/").text == "Hello, world!\n"
    assert node.request("/?name=you").text == "Hello, you!\n"
    code = (tmp_path / "greeter/src/index.ts").read_text()
    node.reload("src/index.ts", code.replace('"world"', '"moon"'))
    assert node.request("/").text == "Hello, moon!\n"


@pytest.fixture(scope="module")
def chat_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the template hono-ai, with its packages."""
    folder = tmp_path_factory.mktemp("chat")
    init(folder, "my-chat", "--template", "hono-ai")
    return folder / "my-chat"


def test_hono_ai_answers_remembers_and_says_what_it_wants(
    dev: Nodes, chat_project: Path
) -> None:
    node = dev(chat_project)
    assert f"curl {node.url}/chat" in node.request("/").text

    answer = node.request("/chat", json_body={"message": "Hello!"})
    assert answer.status == 200
    exchange = answer.json()
    assert exchange["message"] == "Hello!"
    assert exchange["answer"]

    history = node.wait_until(lambda found: found.json() != [], "/history")
    assert history.json() == [exchange]

    for body in ("", "{", "[]", '{"message": 1}', '{"message": ""}'):
        refused = node.request("/chat", method="POST", body=body)
        assert refused.status == 400
        assert refused.json() == {"error": 'Send {"message": "…"}.'}


@pytest.mark.parametrize("template", ["hello", "hono-ai"])
def test_types_are_right(chat_project: Path, tmp_path: Path, template: str) -> None:
    """The compiler that hono-ai brings checks both."""
    if template == "hello":
        init(tmp_path, "checked")
    project = tmp_path / "checked" if template == "hello" else chat_project
    tsc = chat_project / "node_modules/typescript/bin/tsc"
    done = subprocess.run(
        [*node_command(), str(tsc), "-p", str(project)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
