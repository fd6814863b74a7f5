"""The commands, and what becomes of their errors."""

from collections.abc import Mapping, Sequence
from importlib import import_module

import click

from selfedge import __version__
from selfedge.errors import SelfedgeError

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "dev": ("selfedge.cli.dev:command", "Run a project here, and again at each save."),
    "serve": (
        "selfedge.cli.serve:command",
        "Run a node to which wrangler deploys Workers.",
    ),
    "deploy": ("selfedge.cli.workers.deploy:command", "Deploy the project here."),
    "versions": ("selfedge.cli.workers.versions:group", "Upload and deploy versions."),
    "deployments": ("selfedge.cli.workers.deployments:group", "See what was deployed."),
    "rollback": (
        "selfedge.cli.workers.deployments:rollback",
        "Go back to an earlier version.",
    ),
    "secret": ("selfedge.cli.workers.secrets:group", "Set secrets of a Worker."),
    "delete": ("selfedge.cli.workers.removing:command", "Delete a Worker."),
    "tail": ("selfedge.cli.workers.tail:command", "See what a Worker does now."),
    "logs": ("selfedge.cli.workers.logs:command", "See what a Worker did."),
    "status": ("selfedge.cli.remote.status:command", "Show what runs on a node."),
    "login": ("selfedge.cli.remote.login:login", "Remember a node, and its token."),
    "logout": ("selfedge.cli.remote.login:logout", "Forget it."),
    "env": ("selfedge.cli.remote.login:env", "Print lines that lead wrangler there."),
    "whoami": ("selfedge.cli.remote.login:whoami", "Show which node is meant."),
    "token": ("selfedge.cli.remote.token:group", "Say who may call a node's API."),
    "account": ("selfedge.cli.remote.account:group", "Make accounts of a node."),
    "zone": ("selfedge.cli.remote.zone:group", "Say which domains a node answers for."),
    "backup": (
        "selfedge.cli.backup:backup",
        "Write all that a node keeps to one file.",
    ),
    "restore": (
        "selfedge.cli.backup:restore",
        "Make a data directory of a backup.",
    ),
    "init": ("selfedge.cli.init:command", "Write a new project."),
    "setup": ("selfedge.cli.setup:command", "Fetch the engine and the models now."),
    "doctor": (
        "selfedge.cli.doctor:command",
        "See what selfedge lacks here.",
    ),
    "ai": ("selfedge.bindings.ai.commands:group", "See and fetch AI models."),
    "d1": (
        "selfedge.bindings.d1.commands:group",
        "Make, query, fill and export databases.",
    ),
    "kv": (
        "selfedge.bindings.kv.commands:group",
        "Make, fill and read KV namespaces.",
    ),
    "queues": (
        "selfedge.bindings.queues.commands:group",
        "Send messages from Workers to Workers.",
    ),
    "r2": ("selfedge.bindings.r2.commands:group", "Keep objects in buckets."),
    "vectorize": (
        "selfedge.bindings.vectorize.commands:group",
        "Make, fill and search indexes of vectors.",
    ),
}
_INTERRUPTED = 130


class _Lazy(click.Group):
    """A group whose commands are imported when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="selfedge")
def app() -> None:
    """Run unmodified Cloudflare Workers on your own machine."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; return the exit code."""
    try:
        code = app.main(list(arguments), prog_name="selfedge", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except SelfedgeError as error:
        click.echo(f"{click.style('error', fg='red', bold=True)}: {error}", err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0
