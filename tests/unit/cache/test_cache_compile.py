"""A Worker's caches in the engine's config."""

from selfedge.binding import Site
from selfedge.bindings.cache import BINDING


def test_each_worker_has_its_own_cache() -> None:
    """It is always there, and named by the script."""
    site = Site(
        account="a", worker="my worker", workers=frozenset({"my worker"}), objects="o"
    )
    [entry] = BINDING.parse(None)
    fragment = BINDING.compile(entry, site)
    assert BINDING.table is None
    assert fragment.worker == {"cacheApiOutbound": {"name": "cache:my%20worker"}}
    [backend] = fragment.backends
    assert (backend.kind, backend.resource) == ("cache", "my worker")
    assert backend.http == {
        "forwardedProtoHeader": "selfedge-proto",
        "cfBlobHeader": "selfedge-cf",
    }
