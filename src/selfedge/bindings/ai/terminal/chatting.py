"""`selfedge ai chat`: turn after turn, until the end of the input."""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

import click

from selfedge.bindings.ai.terminal.asking import Models, Whole
from selfedge.bindings.ai.terminal.showing import spoken
from selfedge.errors import SelfedgeError, UsageError

_PROMPT = "> "
_TALKS = "text-generation"


def chat(models: Models, model: str, settings: Mapping[str, Any], system: str) -> None:
    """Talk to `model`; Ctrl-C stops an answer, Ctrl-D ends.

    Raises:
        UsageError: there is no such model, or it does not talk.
    """
    if (task := models.task(model)) != _TALKS:
        raise UsageError(
            f"{model} does {task}, no {_TALKS}; ask it once with "
            f"`selfedge ai run {model}`"
        )
    turns: list[Mapping[str, str]] = []
    if system:
        turns.append({"role": "system", "content": system})
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):  # arrow keys and a history of lines
            import readline  # noqa: F401, PLC0415
        click.echo(f"{model}: Ctrl-C stops an answer, Ctrl-D ends.", err=True)
    while (said := _line()) is not None:
        if said.strip():
            _turn(models, model, settings, turns, said)


def _line() -> str | None:
    """Return the next line of the user; None at the end."""
    while True:
        try:
            return input(_PROMPT if sys.stdin.isatty() else "")
        except KeyboardInterrupt:
            click.echo("\n(Ctrl-D ends)", err=True)
        except EOFError:
            if sys.stdin.isatty():
                click.echo()
            return None


def _turn(
    models: Models,
    model: str,
    settings: Mapping[str, Any],
    turns: list[Mapping[str, str]],
    said: str,
) -> None:
    """Add the user's turn and the model's; a failed one is told and forgotten."""
    turns.append({"role": "user", "content": said})
    pieces: list[str] = []
    inputs = {**settings, "messages": turns, "stream": True}
    try:
        answer = models.ask(model, inputs)
        if isinstance(answer, Whole):
            raise TypeError("the answer to a chat is a stream")
        with contextlib.closing(spoken(answer, _say)) as speaking:
            pieces.extend(speaking)
    except KeyboardInterrupt:
        click.echo(" [stopped]", nl=False)
    except SelfedgeError as error:
        click.echo(f"{click.style('error', fg='red', bold=True)}: {error}", err=True)
        turns.pop()
        return
    click.echo()
    turns.append({"role": "assistant", "content": "".join(pieces)})


def _say(text: str) -> None:
    click.echo(text, nl=False)
