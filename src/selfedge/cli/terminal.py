"""What `selfedge dev` prints, and the keys that it hears."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator, Sequence

import click

from selfedge.binding import Row
from selfedge.client.address import Address
from selfedge.edge.problem import Problem
from selfedge.supervisor.project import Project

LEVELS = ("debug", "info", "warn", "error", "none")
_RANK = {"debug": 0, "log": 1, "info": 1, "warn": 2, "error": 3}
_COLOURS = {"warn": "yellow", "error": "red", "debug": "bright_black"}
_KEYS_MAX = 64
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"


class Printer:
    """Prints to stdout; what is wrong goes to stderr."""

    def __init__(self, level: str) -> None:
        self._least = LEVELS.index(level)

    def log(self, level: str, text: str) -> None:
        """Show what a Worker said."""
        if _RANK.get(level, 1) >= self._least:
            mark = click.style(f"{level:<5}", fg=_COLOURS.get(level, "cyan"))
            click.echo(f"{mark} {text}", err=level in {"warn", "error"})

    def notice(self, text: str) -> None:
        """Show what we have to say."""
        mark = click.style("selfedge", fg="magenta")
        click.echo(f"{mark}: {text.rstrip()}", err=True)


class ConsoleTerminal(Printer):
    """Shows a developer what runs."""

    def __init__(self, level: str) -> None:
        super().__init__(level)
        self._shown: Sequence[tuple[str, Row]] | None = None

    def ready(self, project: Project | None, url: str) -> None:
        """Say where clients can connect."""
        del project
        click.echo(f"Ready on {click.style(url, bold=True)}")
        if sys.stdin.isatty():
            click.secho("Press r to reload, c to clear, x to exit", dim=True)

    def api(self, address: Address) -> None:
        """Show what to paste where wrangler, an SDK or the dashboard asks for it."""
        click.secho(f"Dashboard on {address.dashboard}", dim=True)
        for line in address.exports():
            click.secho(line, dim=True)

    def built(self, project: Project, milliseconds: float) -> None:
        """Show the bindings when they differ from those shown last."""
        rows = list(project.rows)
        if rows != self._shown:
            several = len(project.names) > 1
            click.echo(_table(rows, several=several), nl=False)
            self._shown = rows
        else:
            click.secho(f"Reloaded in {milliseconds:.0f} ms", dim=True)
        for warning in project.warnings:
            self.log("warn", warning)

    def failed(self, problem: Problem) -> None:
        """Show what is wrong."""
        click.echo(
            f"{click.style(problem.where, fg='red', bold=True)}\n"
            f"{problem.title}\n{problem.detail.rstrip()}",
            err=True,
        )
        click.secho(problem.hint, dim=True, err=True)

    @contextlib.contextmanager
    def keys(self, reload: asyncio.Event, stop: asyncio.Event) -> Iterator[None]:
        """Hear single keys while the context is open, if there is a keyboard."""
        if not sys.stdin.isatty():
            yield
            return
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        loop = asyncio.get_running_loop()

        def pressed() -> None:
            typed = os.read(descriptor, _KEYS_MAX)
            if not typed:  # the terminal has gone
                loop.remove_reader(descriptor)
            for key in typed:
                if key == ord("r"):
                    reload.set()
                elif key == ord("c"):
                    sys.stdout.write(_CLEAR)
                    sys.stdout.flush()
                elif key == ord("x"):
                    stop.set()

        tty.setcbreak(descriptor, termios.TCSADRAIN)
        loop.add_reader(descriptor, pressed)
        try:
            yield
        finally:
            loop.remove_reader(descriptor)
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _table(rows: Sequence[tuple[str, Row]], *, several: bool) -> str:
    """Return aligned columns; the Worker's name stands first if there are several."""
    lines = [
        ((worker,) if several else ()) + (row.name, row.kind, row.detail)
        for worker, row in rows
    ]
    if not lines:
        return ""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "".join(
        "  "
        + "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )
