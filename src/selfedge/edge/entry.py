"""The module that stands before the user's: pure text."""

from collections.abc import Sequence
from importlib.resources import files

from selfedge.bundle.model import Bundle, Module

ENTRYPOINT = "selfedgeEdge"
"""Named entrypoint for clients; the client socket names it."""

CONTROL = "selfedgeControl"
"""Named entrypoint for the supervisor, on a private socket."""

INNER = "selfedgeWorker"
"""Named entrypoint behind static assets: what no file answers comes here."""

ASSETS = "selfedge:assets"
"""Name of the edge's binding to the Worker's static assets, if it has any."""

_PREFIX = "selfedge-"
ENTRY_NAME = "selfedge-entry.js"
EDGE_NAME = "selfedge-edge.js"
BODY_NAME = "selfedge-body.js"
HANDLERS_NAME = "selfedge-handlers.js"
MODULES = (ENTRY_NAME, EDGE_NAME, BODY_NAME, HANDLERS_NAME)


def entrance(entrypoint: str | None) -> str:
    """Return the name under which other processes call an entrypoint."""
    return f"selfedgeEntrance_{entrypoint or 'default'}"


def with_edge(bundle: Bundle, entrances: Sequence[str | None] = ()) -> Sequence[Module]:
    """Return the Worker's modules with the edge's in front; the first is main.

    `entrances` are the entrypoints that other processes call, None the default one.
    """
    main = bundle.modules[0].name
    lines = [
        f'import {{ control, entrance, entrypoint, inner }} from "./{EDGE_NAME}";',
        f'import * as user from "./{main}";',
        f'export * from "./{main}";',
        f"export const {ENTRYPOINT} = entrypoint(user.default);",
        f"export const {INNER} = inner(user.default);",
        f"export const {CONTROL} = control(user);",
    ]
    lines += [
        f"export const {entrance(name)} = entrance(user.{name or 'default'});"
        for name in entrances
    ]
    if "default" in bundle.exports:
        lines.append("export default user.default;")
    entry = "\n".join(lines) + "\n"
    folder = files("selfedge.edge")
    return [
        Module(name=ENTRY_NAME, type="esModule", content=entry.encode()),
        *(
            Module(
                name=name,
                type="esModule",
                content=folder.joinpath(name.removeprefix(_PREFIX)).read_bytes(),
            )
            for name in MODULES[1:]
        ),
        *bundle.modules,
    ]
