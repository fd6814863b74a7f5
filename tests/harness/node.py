"""A running `selfedge dev`, as a test sees it: its URL, its words, its end."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Condition, Thread
from typing import Any
from urllib.parse import urlsplit

from harness import processes
from harness.client import Answer, fetch
from harness.project import Content, Files, write
from selfedge.client.address import Address

COMMAND = Path(sys.executable).with_name("selfedge")
READY = r"^Ready on (https?://\S+)"
EXPORTS = (
    r"^export CLOUDFLARE_API_BASE_URL=(\S+)\n"
    r"export CLOUDFLARE_API_TOKEN=(\S+) CLOUDFLARE_ACCOUNT_ID=(\S+)$"
)
START_TIMEOUT_S = 60.0
EXIT_TIMEOUT_S = 15.0
WAIT_S = 20.0
_POLL_S = 0.02


class Node:
    """One process of `selfedge dev`, on a project of its own."""

    command = "dev"

    def __init__(
        self, project: Path, arguments: Sequence[str], *, keyboard: int | None = None
    ) -> None:
        self.project = project
        self._keyboard = keyboard
        self.arguments = arguments
        self.url = ""
        self._text = ""
        self._heard = Condition()
        self._start()

    def _start(self) -> None:
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [COMMAND, self.command, *self.arguments],
            cwd=self.project,
            env=processes.clean_environment(self.mark, self.project),
            stdin=subprocess.DEVNULL if self._keyboard is None else self._keyboard,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        with stream:
            for line in stream:
                with self._heard:
                    self._text += line
                    self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()

    @property
    def output(self) -> str:
        """All that was printed, to stdout and stderr."""
        return self._text

    @property
    def lines(self) -> Sequence[str]:
        return self._text.splitlines()

    @property
    def position(self) -> int:
        """Where the output ends now: a `since` of later waits."""
        return len(self._text)

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def engines(self) -> Sequence[int]:
        """The pids of its engine processes."""
        return processes.engines(self.mark)

    def ready(self) -> "Node":
        """Wait until clients can connect."""
        self.url = self.wait_for_line(READY, timeout_s=START_TIMEOUT_S)[1]
        return self

    def kill(self) -> None:
        """End its process as a crash does."""
        self.process.kill()
        self.wait_exit()

    def start_again(self) -> "Node":
        """Start once more on the same state."""
        with self._heard:
            self._text = ""
        self._start()
        return self.ready()

    @property
    def api(self) -> Address:
        """The address of its control API, from the lines that it prints."""
        found = self.wait_for_line(EXPORTS)
        return Address(url=found[1], token=found[2], account=found[3])

    def request(self, path: str = "/", **options: Any) -> Answer:
        """Ask; `options` are those of `fetch`."""
        return fetch(self.url + path, **options)

    def wait_for_line(
        self, pattern: str, *, since: int = 0, timeout_s: float = WAIT_S
    ) -> re.Match[str]:
        """Return the first match in the output after `since`.

        `^` and `$` are the ends of lines; a match may span several.
        """
        expression = re.compile(pattern, re.MULTILINE)

        def found() -> re.Match[str] | None:
            return expression.search(self._text, since)

        def ended() -> bool:
            return not self._listener.is_alive()

        with self._heard:
            self._heard.wait_for(lambda: found() or ended(), timeout_s)
            match = found()
        assert match, f"no line like {pattern!r} in:\n{self._text[since:]}"
        return match

    def wait_until(
        self,
        predicate: Callable[[Answer], bool],
        path: str = "/",
        *,
        within_s: float = WAIT_S,
        **options: Any,
    ) -> Answer:
        """Ask until the answer fulfils `predicate`; return that answer."""
        deadline = time.monotonic() + within_s
        while not predicate(answer := self.request(path, **options)):
            assert time.monotonic() < deadline, f"last answer: {answer}\n{self._text}"
            time.sleep(_POLL_S)
        return answer

    def save(self, name: str, content: Content) -> None:
        """Write a file of the project as an editor does."""
        write(self.project, {name: content})

    def reload(self, name: str, content: Content) -> None:
        """Save, and wait until the new code is said to run."""
        since = self.position
        self.save(name, content)
        self.wait_for_line(r"^Reloaded in \d+ ms", since=since)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait_exit(self, timeout_s: float = EXIT_TIMEOUT_S) -> int:
        """Return the exit code, once all it printed is in `output`."""
        code = self.process.wait(timeout_s)
        self._listener.join(timeout_s)
        return code

    def stop(self) -> int:
        """Stop it as a service manager would; nothing may be left of it."""
        self.signal(signal.SIGTERM)
        code = self.wait_exit()
        self.check_nothing_left()
        return code

    def restart(self) -> None:
        """Stop and start again, on the same state."""
        self.stop()
        self.start_again()

    def check_nothing_left(self) -> None:
        """Fail if a process of it lives, or something listens on its port."""
        left = processes.gone(self.mark, within_s=5)
        assert not left, f"processes are left: {left}"
        sockets = [str(p) for p in self.project.rglob("*") if p.is_socket()]
        assert not sockets, f"sockets are left: {sockets}"
        if self.port:
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", self.port)) != 0

    def close(self) -> None:
        """End it if a test has not; one that a test left running must stop well."""
        if self.process.poll() is None:
            try:
                self.stop()
            finally:
                self._kill()
        else:
            self._listener.join(EXIT_TIMEOUT_S)

    def _kill(self) -> None:
        for pid in processes.marked(self.mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(EXIT_TIMEOUT_S)


class Nodes:
    """Starts nodes below a folder, and ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Node] = []

    def folder(self, files: Files) -> Path:
        """Return a new project folder with `files`."""
        project = self._folder / f"project{len(list(self._folder.iterdir()))}"
        write(project, files)
        return project

    def launch(
        self, files: Files | Path, *arguments: str, keyboard: int | None = None
    ) -> Node:
        """Start a node on a new project, or on a folder; it may fail to start.

        `keyboard` is the descriptor of a terminal.
        """
        project = files if isinstance(files, Path) else self.folder(files)
        port = () if "--port" in arguments else ("--port", "0")
        node = Node(project, [*port, *arguments], keyboard=keyboard)
        self._started.append(node)
        return node

    def __call__(self, files: Files | Path, *arguments: str) -> Node:
        """Start a node and wait until clients can connect."""
        return self.launch(files, *arguments).ready()

    def close(self) -> None:
        """End all nodes."""
        while self._started:
            self._started.pop().close()
