"""Static assets: files beside a Worker, or a site without one."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.assets.compile import KIND, compile_assets
from selfedge.bindings.assets.config import Assets, entries, parse, uploaded

BINDING: Binding[Assets] = Binding(
    kind=KIND,
    table="assets",
    parse=parse,
    compile=compile_assets,
    upload=Upload(types=frozenset({"assets"}), table=uploaded, entries=entries),
)
