"""How a node of `serve` starts its engines."""

from pathlib import Path

from selfedge.node.options import ServeOptions
from selfedge.supervisor.launch import Launch
from selfedge.supervisor.sandbox import sandbox_for
from selfedge.types import Notice
from selfedge.workerd.install import Engine

FILES = 65_536  # that an engine may have open, as far as the machine allows


def launch_of(
    options: ServeOptions, engine: Engine, notice: Notice, front: Path
) -> Launch:
    """Return how to start engines; say whether in a sandbox.

    `front` is the folder of the socket at which Workers reach the front.

    Raises:
        UsageError: a sandbox is required, and cannot be made.
    """
    sandbox, sentence = sandbox_for(engine.workerd, options.sandbox)
    notice(sentence)
    return Launch(
        workerd=engine.workerd,
        sandbox=sandbox,
        shared=[front],
        files=FILES,
        core=False,
    )
