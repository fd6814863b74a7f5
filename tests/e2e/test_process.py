"""The processes of dev: their end, their crash, and what else wants their place."""

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from harness import Node, Nodes, processes, worker

HELLO = "export default { fetch: () => new Response('hello') };"
BUSY = """
    export default {
      fetch(request: Request) {
        if (request.url.endsWith("/busy")) while (true) {}
        return new Response("hello");
      },
    };
"""
COUNTER = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async increment() {
        const next = ((await this.ctx.storage.get<number>("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", next);
        return next;
      }
    }
    export default {
      async fetch(request: Request, env: any) {
        return Response.json(await env.COUNTER.getByName("a").increment());
      },
    };
"""
COUNTER_TOML = """
    [[durable_objects.bindings]]
    name = "COUNTER"
    class_name = "Counter"
    [[migrations]]
    tag = "v1"
    new_sqlite_classes = ["Counter"]
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_signal_ends_it(dev: Nodes, number: int, code: int) -> None:
    """The exit code is the convention's; nothing is left, nothing is complained."""
    node = dev(worker(HELLO))
    node.request()
    node.signal(number)
    assert node.wait_exit() == code
    node.check_nothing_left()
    assert "Traceback" not in node.output


def test_signal_while_it_starts(dev: Nodes) -> None:
    """Also before it is ready."""
    node = dev.launch(worker(HELLO))
    while not (node.project / ".selfedge" / "lock").exists():
        time.sleep(0.002)
    node.signal(signal.SIGTERM)
    assert node.wait_exit() in {143, -signal.SIGTERM}
    node.check_nothing_left()
    assert "Traceback" not in node.output


def test_request_under_way_finishes(dev: Nodes) -> None:
    """SIGTERM lets a short response end."""
    node = dev(
        worker(
            """
            export default {
              async fetch() {
                console.log("began");
                await scheduler.wait(400);
                return new Response("whole");
              },
            };
            """
        )
    )
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        node.wait_for_line("began")
        node.signal(signal.SIGTERM)
        reply = one.makefile("rb").read()
    assert reply.endswith(b"whole")
    assert node.wait_exit() == 143


def test_killed_parent_leaves_no_engine(dev: Nodes) -> None:
    """SIGKILL gives us no chance to clean up; the engine ends all the same."""
    node = dev(worker(HELLO))
    node.request()
    assert node.engines
    os.kill(node.process.pid, signal.SIGKILL)
    node.wait_exit()
    assert not processes.gone(node.mark, within_s=5)
    again = dev(node.project)
    assert again.request().text == "hello"


def test_killed_engine_comes_back(dev: Nodes) -> None:
    """With a line that says so, and with all state."""
    node = dev(worker(COUNTER, COUNTER_TOML))
    assert node.request().json() == 1
    for expected in (2, 3):
        (engine,) = node.engines
        os.kill(engine, signal.SIGKILL)
        node.wait_for_line(r"the engine of app ended by signal 9; starting it again")
        assert _patient(node) == expected
    assert "Traceback" not in node.output


def _patient(node: Node) -> object:
    """Ask until the new engine is there; who was connected to the old one is cut."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return node.request().json()
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_port_in_use(dev: Nodes) -> None:
    """The message names the owner and the remedy."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        node = dev.launch(worker(HELLO), "--port", str(port))
        assert node.wait_exit() == 2
    assert f"port {port} is in use" in node.output
    assert f"(pid {os.getpid()})" in node.output
    assert "--port 0" in node.output
    node.check_nothing_left()


def test_two_nodes_in_one_state_directory(dev: Nodes) -> None:
    """The second says who is the first; the first goes on."""
    first = dev(worker(HELLO))
    second = dev.launch(first.project)
    assert second.wait_exit() == 1
    assert f"in use by another selfedge (pid {first.process.pid})" in second.output
    assert "--state-dir" in second.output
    assert first.request().text == "hello"


def test_corrupt_state_directory(dev: Nodes) -> None:
    """A file where a folder should be: a sentence, not a traceback."""
    project = dev.folder(worker(HELLO))
    (project / ".selfedge").write_text("not a folder")
    node = dev.launch(project)
    assert node.wait_exit() == 1
    assert "cannot use the state directory" in node.output
    assert "Traceback" not in node.output


def test_endless_loop(dev: Nodes) -> None:
    """After five seconds a line names it; a save recovers."""
    node = dev(worker(BUSY))
    node.request()
    with socket.create_connection(("127.0.0.1", node.port), timeout=30) as one:
        one.sendall(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")
        started = time.monotonic()
        node.wait_for_line("app has answered nothing for 5 s: an endless loop")
        assert time.monotonic() - started < 10
        node.reload("index.ts", BUSY.replace("hello", "again"))
        assert node.request().text == "again"
    node.stop()


def test_who_waits_behind_an_endless_loop(dev: Nodes) -> None:
    """A client that came while the loop ran is answered, or cut, at the next save."""
    node = dev(worker(BUSY))
    node.request()
    address = ("127.0.0.1", node.port)
    with (
        socket.create_connection(address, timeout=30) as busy,
        socket.create_connection(address, timeout=10) as waiting,
    ):
        busy.sendall(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")
        node.wait_for_line("an endless loop")
        late = socket.create_connection(address, timeout=10)
        for one in (waiting, late):
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        node.reload("index.ts", BUSY.replace("hello", "again"))
        with late:
            for one in (waiting, late):
                with contextlib.suppress(ConnectionError):
                    assert one.recv(1000)[:15] in {b"", b"HTTP/1.1 200 OK"}


def test_endless_loop_ends_with_a_signal(dev: Nodes) -> None:
    node = dev(worker(BUSY))
    node.request()
    with socket.create_connection(("127.0.0.1", node.port), timeout=30) as one:
        one.sendall(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")
        node.wait_for_line("an endless loop")
        node.signal(signal.SIGINT)
        assert node.wait_exit() == 130
    node.check_nothing_left()


def test_state_directory_is_private_and_ignored_by_git(dev: Nodes) -> None:
    node = dev(worker(HELLO))
    state = Path(node.project / ".selfedge")
    assert (state / ".gitignore").read_text() == "*\n"
    run = state / "run"
    if run.exists():  # else its path would be too long for sockets
        assert run.stat().st_mode & 0o077 == 0


def test_no_reload(dev: Nodes) -> None:
    """--no-reload does not look at files."""
    node = dev(worker(HELLO), "--no-reload")
    node.save("index.ts", HELLO.replace("hello", "changed"))
    time.sleep(0.5)  # nothing to wait for: it must not come
    assert node.request().text == "hello"
