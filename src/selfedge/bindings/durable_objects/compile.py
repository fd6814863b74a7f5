"""Classes and namespaces → the engine's Durable Objects on local disk."""

from selfedge.binding import Fragment, Row, Site
from selfedge.bindings.durable_objects.config import DurableObject, HostedClass
from selfedge.types import Struct


def compile_class(entry: HostedClass, site: Site) -> Fragment:
    """Return the namespace of a class that the Worker's migrations create.

    Of a Worker that runs in two versions, one owns the objects.
    """
    if not site.hosts:
        return Fragment()
    disk = _disk(site.worker, site)
    return Fragment(worker=_host(entry, site.worker, site), services=[disk])


def compile_object(entry: DurableObject, site: Site) -> Fragment:
    """Return the binding; a class without a migration is hosted with SQL storage."""
    script = entry.script_name or site.worker
    if entry.script_name and entry.environment:
        script = f"{script}-{entry.environment}"
    designator: Struct = {"className": entry.class_name}
    row = Row(
        name=f"env.{entry.name}",
        kind="Durable Object",
        detail=entry.class_name if script == site.worker else _foreign(entry, script),
    )
    own = script == site.worker and site.hosts
    if not own:
        designator["serviceName"] = site.worker_service(script)
    binding: Struct = {"name": entry.name, "durableObjectNamespace": designator}
    hosted = HostedClass(class_name=entry.class_name, key=entry.class_name, sql=True)
    host = _host(hosted, script, site)
    foreign = script != site.worker
    return Fragment(
        bindings=[binding],
        worker=host if own else {},
        others={script: host} if foreign else {},
        services=[_disk(script, site)],
        needs=(script,) if foreign else (),
        rows=[row],
    )


def _foreign(entry: DurableObject, script: str) -> str:
    return f"{entry.class_name} of {script}"


def _host(entry: HostedClass, script: str, site: Site) -> dict[str, object]:
    unique = f"{site.account}.{script}.{entry.key}"
    return {
        "durableObjectNamespaces": [
            {"className": entry.class_name, "uniqueKey": unique, "enableSql": entry.sql}
        ],
        "durableObjectStorage": {"localDisk": f"objects:{script}"},
    }


def _disk(script: str, site: Site) -> Struct:
    path = f"{site.objects}/{site.account}/{script}"
    return {"name": f"objects:{script}", "disk": {"path": path, "writable": True}}
