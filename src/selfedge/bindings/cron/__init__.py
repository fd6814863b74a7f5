"""Cron triggers: Workers that start at set times."""

from selfedge.binding import Binding
from selfedge.bindings.cron.compile import KIND, compile_cron
from selfedge.bindings.cron.config import parse
from selfedge.bindings.cron.expression import Cron

BINDING: Binding[Cron] = Binding(
    kind=KIND,
    table="triggers",
    parse=parse,
    compile=compile_cron,
    serve="selfedge.bindings.cron.server:serve",
    awake=True,
)
