"""An entry of `queues` → the engine's producer, or what starts the consumer."""

from urllib.parse import quote, unquote

from selfedge.binding import Backend, Fragment, Row, Site, Trigger
from selfedge.bindings.queues.config import Consumer, Entry

KIND = "queues"


def compile_entry(entry: Entry, site: Site) -> Fragment:
    """Return what one producer or consumer adds to its Worker."""
    if isinstance(entry, Consumer):
        return _consumer(entry, site)
    name = entry.name(site.worker)
    backend = Backend(
        kind=KIND, resource=resource(name, site.worker, entry.delivery_delay)
    )
    row = Row(name=f"env.{entry.binding}", kind="Queue", detail=name)
    return Fragment(
        bindings=[{"name": entry.binding, "queue": {"name": backend.service}}],
        backends=[backend],
        rows=[row],
    )


def resource(queue: str, script: str, delay_s: int | None) -> str:
    """Return what stands for a producer on the wire."""
    delay = "" if delay_s is None else str(delay_s)
    return f"{quote(queue, safe='')}/{quote(script, safe='')}/{delay}"


def from_resource(text: str) -> tuple[str, str, int | None]:
    """Return queue, script and delay of what `resource` made."""
    queue, script, delay = text.split("/")
    return unquote(queue), unquote(script), int(delay) if delay else None


def _consumer(entry: Consumer, site: Site) -> Fragment:
    most, wait_s = entry.max_batch_size, entry.max_batch_timeout
    detail = f"{entry.queue}  (up to {most} messages, after {wait_s:g} s)"
    return Fragment(
        triggers=[Trigger(kind=KIND, script=site.worker, settings=entry)],
        rows=[Row(name="queue()", kind="Queue consumer", detail=detail)],
    )
