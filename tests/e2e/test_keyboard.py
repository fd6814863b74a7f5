"""Keys that a person presses while `selfedge dev` runs."""

import os
import pty
from collections.abc import Iterator

import pytest

from harness.node import Node, Nodes
from harness.project import worker

HELLO = "export default { fetch: () => new Response('hello') };"


@pytest.fixture
def keyboard() -> Iterator[tuple[int, int]]:
    """A terminal: the end that a person types at, and the end of the program."""
    person, program = pty.openpty()
    try:
        yield person, program
    finally:
        os.close(person)
        os.close(program)


def start(dev: Nodes, program: int) -> Node:
    node = dev.launch(worker(HELLO), keyboard=program).ready()
    node.wait_for_line("Press r to reload")
    return node


def test_r_reloads(dev: Nodes, keyboard: tuple[int, int]) -> None:
    node = start(dev, keyboard[1])
    before = node.engines
    since = node.position
    os.write(keyboard[0], b"r")
    node.wait_for_line(r"^Reloaded in \d+ ms", since=since)
    assert set(node.engines) - set(before)
    assert node.request().text == "hello"


def test_c_clears_the_screen(dev: Nodes, keyboard: tuple[int, int]) -> None:
    node = start(dev, keyboard[1])
    os.write(keyboard[0], b"c")
    os.write(keyboard[0], b"r")  # ends the line
    node.wait_for_line("\x1b\\[2J")


def test_x_stops_with_success(dev: Nodes, keyboard: tuple[int, int]) -> None:
    node = start(dev, keyboard[1])
    os.write(keyboard[0], b"x")
    assert node.wait_exit() == 0
    node.check_nothing_left()


def test_unknown_keys_do_nothing(dev: Nodes, keyboard: tuple[int, int]) -> None:
    node = start(dev, keyboard[1])
    os.write(keyboard[0], b"qzQ\x00\xff")
    assert node.request().text == "hello"
    os.write(keyboard[0], b"x")
    assert node.wait_exit() == 0
