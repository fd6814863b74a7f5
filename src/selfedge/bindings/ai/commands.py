"""`selfedge ai`: which models there are, their weights, and how to ask them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selfedge.settings import Settings, cache_dir

if TYPE_CHECKING:  # commands import what they need when they run
    from selfedge.bindings.ai.terminal.asking import Models

_PROJECT_FILE = "selfedge.toml"
_FILE = click.Path(path_type=Path)


@click.group(name="ai")
def group() -> None:
    """Workers AI on this machine."""


@group.command()
@click.option("--task", help="Only models of this task, for example text-embeddings.")
@click.option("--installed", is_flag=True, help="Only models that answer right now.")
def models(*, task: str | None, installed: bool) -> None:
    """List the model ids, what serves each, and whether its weights are here."""
    from selfedge.bindings.ai.catalogue import load, overlay  # noqa: PLC0415
    from selfedge.bindings.ai.catalogue.listing import (  # noqa: PLC0415
        known_task,
        table,
    )

    file = Path(_PROJECT_FILE)
    known = overlay.overlaid(load(), overlay.read(file), Path.cwd())
    task = known_task(known, task) if task else None
    rows = table(known, _settings())
    click.echo(f"{'MODEL':52} {'TASK':28} {'SERVED BY':22} STATE")
    for row in rows:
        if task in (None, row.task) and (not installed or row.ready):
            click.echo(f"{row.id:52} {row.task:28} {row.served_by:22} {row.state}")


@group.command()
def install() -> None:
    """Fetch the weights of the bundled models into the cache."""
    from selfedge.bindings.ai.weights.install import install as fetch  # noqa: PLC0415

    settings = _settings()
    fetch(settings, click.echo)
    click.echo(f"Models are in {settings.cache_dir / 'models'}")


@group.command()
@click.argument("model")
@click.argument("words", required=False)
@click.option("--prompt", help="The input `prompt`.")
@click.option("--text", help="The input `text` (`input_text` to summarise).")
@click.option("--image", type=_FILE, help="A file: the input `image`.")
@click.option("--audio", type=_FILE, help="A file: the input `audio`.")
@click.option("--input", "json", help="Further inputs, as a JSON object.")
@click.option("--output", "-o", type=_FILE, help="Where a file goes; - is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer.")
def run(*, model: str, output: Path | None, as_json: bool, **given: Any) -> None:
    """Ask MODEL once; WORDS are its prompt, or its text.

    Text is printed as it comes; pictures and sounds are written to a file.
    """
    from selfedge.bindings.ai.terminal.inputs import Given, inputs  # noqa: PLC0415
    from selfedge.bindings.ai.terminal.showing import show  # noqa: PLC0415

    with _models() as found:
        wanted = inputs(Given(**given), found.task(model))
        if as_json:
            wanted.pop("stream", None)
        show(found.ask(model, wanted), model, output=output, as_json=as_json)


@group.command()
@click.argument("model")
@click.option("--system", default="", help="What the model is told beforehand.")
@click.option("--max-tokens", type=click.IntRange(1), help="Longest answer.")
@click.option("--temperature", type=click.FloatRange(0, 5), help="0: no chance.")
@click.option("--seed", type=click.IntRange(1), help="Repeat the same answers.")
def chat(*, model: str, system: str, **given: Any) -> None:
    """Talk to MODEL; Ctrl-C stops an answer, Ctrl-D ends."""
    from selfedge.bindings.ai.terminal.chatting import chat as talk  # noqa: PLC0415

    settings = {name: value for name, value in given.items() if value is not None}
    with _models() as found:
        talk(found, model, settings, system)


@group.command()
@click.argument("model")
def bench(*, model: str) -> None:
    """Measure how fast MODEL answers here."""
    from selfedge.bindings.ai.terminal.bench import bench as measure  # noqa: PLC0415

    with _models() as found:
        for name, figure in measure(found, model):
            click.echo(f"{name:28} {figure:>12}")


@group.command()
@click.argument("name")
@click.option("--gguf", help="A GGUF file, for llama.cpp.")
@click.option("--onnx", help="A folder with model.onnx and tokenizer.json.")
@click.option("--ct2", help="A folder that CTranslate2 reads.")
@click.option("--diffusers", help="A folder of a diffusers pipeline in ONNX.")
@click.option("--openai", help="The URL of an OpenAI-compatible server.")
@click.option("--model", help="What that server calls the model.")
@click.option("--key-env", help="The environment variable that holds its key.")
@click.option("--task", help="What it does, where that is not clear.")
@click.option("--context", type=click.IntRange(1), help="Its context, in tokens.")
def add(*, name: str, **given: Any) -> None:
    """Give the id NAME weights of your own, in selfedge.toml of this folder.

    They are run once before anything is written.
    """
    from selfedge.bindings.ai.catalogue.overlay import Entry, read  # noqa: PLC0415
    from selfedge.bindings.ai.terminal import adding, asking  # noqa: PLC0415

    folder, file = Path.cwd(), Path.cwd() / _PROJECT_FILE
    entry = Entry(**given)
    task = adding.check(name, entry, folder)
    read(file)
    click.echo(f"Running {name} once …")
    with adding.draft(folder, task, entry) as trial:
        settings = replace(_settings(), project_file=trial)
        with asking.own_models(settings, _notice) as found:
            entry = adding.tried(found, name, task, entry)
    adding.write(file, name, entry)
    click.echo(f"{name} is in {file.name}. Restart a running `selfedge dev`.")


@contextmanager
def _models() -> Iterator["Models"]:
    from selfedge.bindings.ai.terminal.asking import models as reach  # noqa: PLC0415

    with reach(_settings(), os.environ, _notice) as found:
        yield found


def _notice(line: str) -> None:
    click.echo(line, err=True)


def _settings() -> Settings:
    return Settings(
        cache_dir=cache_dir(os.environ), project_file=Path.cwd() / _PROJECT_FILE
    )
