"""A cron expression of a wrangler file → what starts its Worker."""

from datetime import datetime

from selfedge.binding import Fragment, Row, Site, Trigger
from selfedge.bindings.cron.expression import Cron, following, shown

KIND = "cron"
_SHOWN = 3


def compile_cron(cron: Cron, site: Site) -> Fragment:
    """Return the trigger, with its next times from when the Worker was built."""
    row = Row(name="scheduled()", kind="Cron trigger", detail=_detail(cron, site))
    trigger = Trigger(kind=KIND, script=site.worker, settings=cron)
    return Fragment(triggers=[trigger], rows=[row])


def _detail(cron: Cron, site: Site) -> str:
    built = site.version.get("timestamp")
    if not built:
        return cron.text
    times = following(cron, datetime.fromisoformat(built).timestamp(), _SHOWN)
    return f"{cron.text}  (next: {', '.join(shown(at) for at in times)})"
