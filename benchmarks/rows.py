"""The rows of the table: what is measured, under which systems, and the bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from measures import (
    Measure,
    first_response,
    help_text,
    idle_memory,
    new_response,
    requests,
)

SELFEDGE = "selfedge"
ALL = ("wrangler", "workerd", SELFEDGE)
WITHOUT_BARE = ("wrangler", SELFEDGE)
TITLES: Mapping[str, str] = {
    "wrangler": "wrangler dev",
    "workerd": "bare workerd",
    SELFEDGE: "selfedge dev",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """What selfedge must reach: a multiple of another system's figure, or a figure."""

    limit: float
    of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of work."""

    key: str
    title: str
    unit: str
    measure: Measure
    bars: Sequence[Bar] = ()
    systems: Sequence[str] = ALL
    more_is_better: bool = True


ROWS: Sequence[Row] = (
    Row(
        key="hello",
        title="hello world",
        unit="req/s",
        measure=requests("hello"),
        bars=(Bar(6.0, "wrangler"), Bar(0.6, "workerd")),
    ),
    Row(
        key="kv-get",
        title="KV get, one hot key",
        unit="req/s",
        measure=requests("kv", "/get", seed="/seed"),
        bars=(Bar(6.0, "wrangler"), Bar(1.3, "workerd")),
    ),
    Row(
        key="kv-put",
        title="KV put + get",
        unit="req/s",
        measure=requests("kv", "/put"),
        bars=(Bar(3.0, "wrangler"),),
    ),
    Row(
        key="objects",
        title="Durable Object counter (RPC, storage get + put)",
        unit="req/s",
        measure=requests("objects"),
        bars=(Bar(0.85, "workerd"),),
    ),
    Row(
        key="cache",
        title="cache put + match",
        unit="req/s",
        measure=requests("cache"),
        bars=(Bar(5.0, "wrangler"),),
        systems=WITHOUT_BARE,  # the engine alone has no cache
    ),
    Row(
        key="start",
        title="command to first response",
        unit="s",
        measure=first_response("hello"),
        bars=(Bar(0.35, "wrangler"),),
        more_is_better=False,
    ),
    Row(
        key="start-kv",
        title="command to first response that used KV",
        unit="s",
        measure=first_response("kv", "/put"),
        more_is_better=False,
    ),
    Row(
        key="save",
        title="save to new response",
        unit="s",
        measure=new_response,
        bars=(Bar(0.35, "wrangler"),),
        more_is_better=False,
    ),
    Row(
        key="help",
        title="`selfedge --help`",
        unit="s",
        measure=help_text,
        bars=(Bar(0.150),),
        systems=(SELFEDGE,),
        more_is_better=False,
    ),
    Row(
        key="memory",
        title="private memory, idle, all services but AI used",
        unit="MB",
        measure=idle_memory,
        bars=(Bar(120.0),),
        systems=(SELFEDGE,),
        more_is_better=False,
    ),
)
