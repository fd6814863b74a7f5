"""`selfedge ai` as a person types it: with a node, and without one."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from harness import Node, Nodes, worker
from selfedge.bindings.ai.weights.install import directory, install_one
from selfedge.bindings.ai.weights.table import MINILM, SMOLLM2
from selfedge.settings import Settings, cache_dir

COMMAND = Path(sys.executable).with_name("selfedge")
CHAT = "@cf/meta/llama-3.1-8b-instruct"
EMBED = "@cf/baai/bge-small-en-v1.5"
FIXED = '{"max_tokens": 12, "seed": 5}'
INTERRUPT = b"\x03"
END = b"\x04"
pytestmark = pytest.mark.timeout(300)


def run(
    folder: Path, *arguments: str, text: str = "", **variables: str
) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CLOUDFLARE_")}
    environ = {**kept, **variables}
    return subprocess.run(
        [COMMAND, "ai", *arguments],
        cwd=folder,
        env=environ,
        input=text,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    code = "export default { fetch: () => new Response() }"
    node = shared_dev(worker(code, '[ai]\nbinding = "AI"'))
    node.wait_for_line(r"^export CLOUDFLARE_API_TOKEN=")
    return node


def weights(kind) -> Path:
    """Return where bundled weights are, fetched if need be."""
    settings = Settings(cache_dir=cache_dir())
    install_one(kind, settings, [].append, Event())
    return directory(kind, settings)


def test_a_node_and_a_host_of_its_own_answer_alike(node: Node, tmp_path: Path) -> None:
    arguments = ("run", CHAT, "--prompt", "Say hello.", "--input", FIXED)
    by_node, alone = run(node.project, *arguments), run(tmp_path, *arguments)
    assert (by_node.returncode, alone.returncode) == (0, 0), alone.stderr
    assert by_node.stdout == alone.stdout != "\n"
    node.wait_for_line(f"{re.escape(CHAT)}: .* stands in")
    assert "stands in" in alone.stderr


@pytest.mark.parametrize("place", ["node", "alone"])
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "@cf/nobody/nothing", "--prompt", "x"), "No such model"),
        (("run", CHAT), "'prompt' or 'messages'"),
        (("run", CHAT, "--prompt", "x", "--input", '{"seed": 0}'), "5006: .*seed"),
        (("run", CHAT, "--input", "{"), "--input is no JSON"),
        (("bench", "@cf/microsoft/resnet-50"), "does image-classification"),
    ],
)
def test_what_the_user_can_mend_is_exit_code_2(
    node: Node, tmp_path: Path, place: str, arguments: tuple[str, ...], says: str
) -> None:
    found = run(node.project if place == "node" else tmp_path, *arguments)
    assert found.returncode == 2
    assert re.search(says, found.stderr)
    assert "Traceback" not in found.stderr


def test_a_node_that_was_killed_is_not_waited_for(dev: Nodes) -> None:
    """Its address is still there; the command computes by itself."""
    dead = dev(worker("export default { fetch: () => new Response() }"))
    dead.wait_for_line(r"^export CLOUDFLARE_API_TOKEN=")
    dead._kill()
    assert (dead.project / ".selfedge/api.json").exists()
    found = run(dead.project, "run", EMBED, "--text", "x")
    assert found.returncode == 0, found.stderr


def test_a_chat_by_a_pipe(node: Node) -> None:
    limits = ("--max-tokens", "8", "--seed", "1")
    found = run(node.project, "chat", CHAT, *limits, text="Hello\nAnd now?\n")
    assert found.returncode == 0
    assert len(found.stdout.strip().splitlines()) >= 2


def test_bench_has_a_short_table(node: Node) -> None:
    lines = run(node.project, "bench", EMBED).stdout.splitlines()
    assert [line[:14] for line in lines] == [
        "texts a second",
        "one call of 1 ",
        "texts a second",
        "one call of 32",
    ]


def test_weights_are_run_before_they_are_added(tmp_path: Path) -> None:
    file = tmp_path / "selfedge.toml"
    (tmp_path / "bad.gguf").write_bytes(b"no weights")
    bad = run(tmp_path, "add", "@local/bad", "--gguf", "bad.gguf")
    assert bad.returncode == 1
    assert "bad.gguf" in bad.stderr
    assert not file.exists()
    folder = ("--onnx", str(weights(MINILM)))
    good = run(tmp_path, "add", "@local/own", *folder, "--task", "text-embeddings")
    assert good.returncode == 0, good.stderr
    assert "dimensions = 384" in file.read_text()
    assert "@local/own" in run(tmp_path, "models", "--installed").stdout
    vector = run(tmp_path, "run", "@local/own", "--text", "x").stdout
    assert vector == run(tmp_path, "run", EMBED, "--text", "x").stdout


def test_another_server_can_be_added(node: Node, tmp_path: Path) -> None:
    """A node's own routes of OpenAI stand for that server."""
    address = json.loads((node.project / ".selfedge/api.json").read_text())
    url = f"{address['url']}/accounts/{address['account']}/ai/v1"
    server = ("--openai", url, "--model", CHAT, "--key-env", "UPSTREAM_KEY")
    refused = run(tmp_path, "add", "@local/far", *server, UPSTREAM_KEY="wrong")
    assert refused.returncode != 0
    assert not (tmp_path / "selfedge.toml").exists()
    key = address["token"]
    added = run(tmp_path, "add", "@local/far", *server, UPSTREAM_KEY=key)
    assert added.returncode == 0, added.stderr
    asked = ("--prompt", "Say hello.", "--input", FIXED)
    far = run(tmp_path, "run", "@local/far", *asked, UPSTREAM_KEY=key)
    assert far.stdout == run(node.project, "run", CHAT, *asked).stdout


def test_a_node_serves_the_models_of_its_project(dev: Nodes) -> None:
    code = """
        export default {
          async fetch(request: Request, env: any) {
            const inputs = { prompt: "Hi", max_tokens: 4 };
            return Response.json(await env.AI.run("@local/own", inputs));
          },
        };
    """
    gguf = weights(SMOLLM2) / "model.gguf"
    files = worker(
        code,
        '[ai]\nbinding = "AI"',
        files={"selfedge.toml": f'[ai.models."@local/own"]\ngguf = "{gguf}"\n'},
    )
    answer = dev(files, "--strict-models").request(timeout_s=240)
    assert answer.json()["usage"]["completion_tokens"] == 4


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        # The first terminal that a new session opens is the one it gets signals from.
        opened = f'exec "$@" <>{os.ttyname(theirs)} >&0 2>&0'
        self.process = subprocess.Popen(
            ["sh", "-c", opened, "sh", COMMAND, "ai", *arguments],
            cwd=folder,
            start_new_session=True,
        )
        self._theirs = theirs  # kept open: it must not end before the command starts
        self._text = ""

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def wait_for(self, pattern: str, *, pressing: bytes = b"") -> str:
        """Return all text up to the end of the first match, and forget it.

        `pressing` is pressed, and again when nothing comes, as people do: readline
        misses a signal that comes between its prompt and its wait.
        """
        deadline = time.monotonic() + 60
        self.type(pressing)
        while not (found := re.search(pattern, self._text)):
            assert time.monotonic() < deadline, self._text
            if select.select([self._ours], [], [], 1)[0]:
                self._text += os.read(self._ours, 4096).decode(errors="replace")
            else:
                self.type(pressing)
        text, self._text = self._text[: found.end()], self._text[found.end() :]
        return text

    def end(self) -> int:
        """Press Ctrl-D until the command has ended; return its exit code."""
        for _ in range(30):
            self.type(END)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(1)
        raise AssertionError(self._text)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        os.close(self._theirs)
        os.close(self._ours)


def test_a_chat_on_a_terminal(node: Node) -> None:
    """Ctrl-C stops an answer and nothing else; Ctrl-D ends."""
    limits = ("--max-tokens", "2000", "--seed", "1")
    terminal = Terminal(node.project, "chat", CHAT, *limits)
    with contextlib.closing(terminal):
        terminal.wait_for("> ")
        terminal.type(b"Tell a story of ten thousand words about a boat.\n")
        terminal.wait_for(r"(?s)boat\.\r\n.*\w+ \w+ \w+")
        terminal.type(INTERRUPT)
        terminal.wait_for(r"(?s)\[stopped\]\r\n.*> ")
        terminal.wait_for(r"(?s)Ctrl-D ends\)\r\n.*> ", pressing=INTERRUPT)
        assert terminal.end() == 0
