"""The module that stands before the user's: pure text."""

from collections.abc import Sequence
from importlib.resources import files

from selfedge.bundle.model import Bundle, Module

ENTRYPOINT = "selfedgeEdge"
"""Named entrypoint for clients; the client socket names it."""

CONTROL = "selfedgeControl"
"""Named entrypoint for the supervisor, on a private socket."""

ENTRY_NAME = "selfedge-entry.js"
EDGE_NAME = "selfedge-edge.js"
MODULES = (ENTRY_NAME, EDGE_NAME)


def with_edge(bundle: Bundle) -> Sequence[Module]:
    """Return the Worker's modules with the edge's in front; the first is main."""
    main = bundle.modules[0].name
    lines = [
        f'import {{ control, entrypoint }} from "./{EDGE_NAME}";',
        f'import * as user from "./{main}";',
        f'export * from "./{main}";',
        f"export const {ENTRYPOINT} = entrypoint(user.default);",
        f"export {{ control as {CONTROL} }};",
    ]
    if "default" in bundle.exports:
        lines.append("export default user.default;")
    entry = "\n".join(lines) + "\n"
    edge = files("selfedge.edge").joinpath("edge.js").read_bytes()
    return [
        Module(name=ENTRY_NAME, type="esModule", content=entry.encode()),
        Module(name=EDGE_NAME, type="esModule", content=edge),
        *bundle.modules,
    ]
