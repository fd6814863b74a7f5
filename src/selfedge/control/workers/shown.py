"""Workers, versions and deployments as clients of the API see them: pure."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from selfedge.catalog.model import Deployment, ScriptState, Version
from selfedge.control.workers.bindings import public

ENVIRONMENT = "production"
"""The only one that a Worker has."""

USAGE_MODEL = "standard"
SOURCE = "wrangler"
"""What is said to have deployed a Worker last; wrangler warns of all others."""


def etag(version: Version) -> str:
    """Return what changes with a version's code."""
    named = [(module.name, module.sha256) for module in version.modules]
    return sha256(repr(named).encode()).hexdigest()


def version_shown(version: Version) -> Mapping[str, Any]:
    """Return a version; its secrets have no values."""
    return {
        "id": version.id,
        "number": version.number,
        "metadata": {
            "created_on": version.created_on,
            "modified_on": version.created_on,
            "source": version.source,
            "author_id": "",
            "author_email": version.author,
            "has_preview": False,
        },
        "annotations": dict(version.annotations),
        "startup_time_ms": version.startup_ms,
        "resources": {
            "bindings": public(version.bindings),
            "script": {
                "etag": etag(version),
                "handlers": list(version.handlers) or None,
                "named_handlers": _named(version),
                "last_deployed_from": SOURCE,
            },
            "script_runtime": {
                "compatibility_date": version.compatibility_date,
                "compatibility_flags": list(version.compatibility_flags),
                "usage_model": USAGE_MODEL,
                "limits": dict(version.limits),
            },
        },
    }


def deployment_shown(deployment: Deployment) -> Mapping[str, Any]:
    """Return a deployment."""
    return {
        "id": deployment.id,
        "source": deployment.source,
        "strategy": "percentage",
        "author_email": deployment.author,
        "created_on": deployment.created_on,
        "annotations": dict(deployment.annotations),
        "versions": [
            {"version_id": share.version_id, "percentage": share.percentage}
            for share in deployment.versions
        ],
    }


def script_shown(script: ScriptState, version: Version | None) -> Mapping[str, Any]:
    """Return a Worker; `version` is the one that counts."""
    return {
        "id": script.name,
        "tag": script.tag,
        "tags": list(script.settings.tags),
        "created_on": script.created_on,
        "modified_on": script.modified_on,
        "usage_model": USAGE_MODEL,
        "last_deployed_from": SOURCE,
        "migration_tag": script.migration_tag,
        "routes": [
            {"id": route.id, "pattern": route.pattern, "script": script.name}
            for route in script.routes
        ],
        **script_settings(script),
        **(_code(version) if version else {"etag": "", "handlers": []}),
    }


def script_settings(script: ScriptState) -> Mapping[str, Any]:
    """Return the settings that no version has."""
    return {
        "observability": dict(script.settings.observability),
        "logpush": script.settings.logpush,
        "tags": list(script.settings.tags),
        "tail_consumers": [dict(one) for one in script.settings.tail_consumers],
    }


def settings_shown(script: ScriptState, version: Version) -> Mapping[str, Any]:
    """Return the settings of a Worker and of a version."""
    return {
        **script_settings(script),
        "bindings": public(version.bindings),
        "compatibility_date": version.compatibility_date,
        "compatibility_flags": list(version.compatibility_flags),
        "usage_model": USAGE_MODEL,
        "limits": dict(version.limits),
        "placement": dict(version.placement),
        "annotations": dict(version.annotations),
        "migration_tag": script.migration_tag,
    }


def _named(version: Version) -> Sequence[Mapping[str, Any]]:
    return [
        {"name": name, "handlers": list(handlers)}
        for name, handlers in version.named_handlers.items()
    ]


def _code(version: Version) -> Mapping[str, Any]:
    return {
        "etag": etag(version),
        "handlers": list(version.handlers),
        "named_handlers": _named(version),
        "has_modules": version.main_module is not None,
        "has_assets": version.assets is not None,
        "compatibility_date": version.compatibility_date,
        "compatibility_flags": list(version.compatibility_flags),
        "startup_time_ms": version.startup_ms,
    }
