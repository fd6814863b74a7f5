"""R2: buckets of objects."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.r2.compile import KIND, compile_bucket
from selfedge.bindings.r2.config import Bucket, entries, parse, uploaded

BINDING: Binding[Bucket] = Binding(
    kind=KIND,
    table="r2_buckets",
    parse=parse,
    compile=compile_bucket,
    upload=Upload(
        types=frozenset({"r2_bucket"}),
        table=uploaded,
        entries=entries,
        check="selfedge.bindings.r2.api:check",
    ),
    serve="selfedge.bindings.r2.server:serve",
    routes="selfedge.bindings.r2.api:routes",
    commands="selfedge.bindings.r2.commands:group",
)
