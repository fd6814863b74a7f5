"""What an upload says of itself: the JSON beside its modules, checked; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from selfedge.catalog.migrations import Migrations
from selfedge.control.workers.limits import (
    ANNOTATIONS_MAX,
    CPU_MAX_MS,
    FLAGS_MAX,
    MESSAGE_MAX_CHARS,
    METADATA_MAX_BYTES,
    SCRIPT_NAME_MAX_CHARS,
)
from selfedge.control.workers.problem import BAD_NAME, bad, invalid
from selfedge.manifest.compatibility import engine_flags, flag_fault, is_date

DATE_OF_OLD = "2021-11-02"
"""Cloudflare's for an upload that names no compatibility date."""

_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


class GivenAssets(msgspec.Struct, frozen=True, kw_only=True):
    """The static files of an upload: the token says which."""

    jwt: str | None = None
    config: Mapping[str, Any] | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an upload says, and what can be changed without one; None: not said."""

    bindings: Sequence[Mapping[str, Any]] | None = None
    compatibility_date: str | None = None
    compatibility_flags: Sequence[str] | None = None
    migrations: Migrations | None = None
    annotations: Mapping[str, str | None] | None = None
    placement: Mapping[str, Any] | None = None
    limits: Mapping[str, int | None] | None = None
    observability: Mapping[str, Any] | None = None
    logpush: bool | None = None
    tags: Sequence[str] | None = None
    tail_consumers: Sequence[Mapping[str, Any]] | None = None


class Metadata(Settings, frozen=True, kw_only=True):
    """The part `metadata` of an upload."""

    main_module: str | None = None
    body_part: str | None = None
    keep_bindings: Sequence[str] | None = None
    assets: GivenAssets | None = None
    keep_assets: bool | None = None
    containers: Sequence[Any] | None = None
    exports: Mapping[str, Any] | None = None


def check_name(name: str) -> None:
    """Check the name of a Worker.

    Raises:
        ApiError: it cannot be one.
    """
    if (
        not 1 <= len(name) <= SCRIPT_NAME_MAX_CHARS
        or name.startswith("-")
        or not set(name) <= _NAME_CHARS
    ):
        raise bad(
            f"{name[:80]!r} cannot be the name of a Worker: it has at most "
            f"{SCRIPT_NAME_MAX_CHARS} of a-z, 0-9, _ and -, and does not begin "
            "with -.",
            BAD_NAME,
        )


def read_metadata(raw: bytes | memoryview) -> Metadata:
    """Return the metadata of an upload.

    Raises:
        ApiError: it is no JSON, too large, or has a field of another shape.
    """
    check_size(raw)
    try:
        return msgspec.json.decode(raw, type=Metadata)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The part `metadata` is wrong: {error}.") from error


def check_metadata(metadata: Metadata, today: str) -> None:
    """Check that this node has what an upload asks for.

    Raises:
        ApiError: it has not.
    """
    if metadata.body_part is not None:
        raise invalid(
            "The Worker is in service-worker format (`body_part`), which this node "
            "does not run. Write `export default { fetch(request, env) { … } }`."
        )
    if metadata.exports:
        raise invalid(
            "Durable Object classes declared by `exports` are not supported by this "
            "node yet: use `migrations`."
        )
    if metadata.containers:
        raise invalid("Containers are not supported by this node.")
    check_settings(metadata, today)


def check_size(raw: bytes | memoryview) -> None:
    """Check how much an upload, or a change, says of itself.

    Raises:
        ApiError: it is too much.
    """
    if len(raw) > METADATA_MAX_BYTES:
        raise invalid(
            f"The metadata has {len(raw)} bytes, {METADATA_MAX_BYTES} are the most."
        )


def check_settings(settings: Settings, today: str) -> None:
    """Check what `settings` says of compatibility and limits.

    Raises:
        ApiError: the engine cannot run so.
    """
    if settings.compatibility_date is not None:
        _check_date(settings.compatibility_date, today)
    flags = settings.compatibility_flags or ()
    if len(flags) > FLAGS_MAX:
        raise invalid(
            f"There are {len(flags)} compatibility flags; at most {FLAGS_MAX}."
        )
    for index, flag in enumerate(flags):
        if fault := flag_fault(flag, flags[:index]):
            raise invalid(f"{fault}.")
    for name, value in (settings.limits or {}).items():
        if value is not None and value < 1:
            raise invalid(f"`limits.{name[:40]}` must be at least 1, not {value}.")
    cpu = (settings.limits or {}).get("cpu_ms")
    if cpu is not None and cpu > CPU_MAX_MS:
        raise invalid(f"`limits.cpu_ms` is {cpu}, at most {CPU_MAX_MS} are possible.")


def annotations(settings: Settings) -> Mapping[str, str]:
    """Return the annotations that are given; one that is too long is cut.

    Raises:
        ApiError: there are too many.
    """
    given = {
        name[:MESSAGE_MAX_CHARS]: text[:MESSAGE_MAX_CHARS]
        for name, text in (settings.annotations or {}).items()
        if text is not None and name.startswith("workers/")
    }
    if len(given) > ANNOTATIONS_MAX:
        raise invalid(
            f"There are {len(given)} annotations, {ANNOTATIONS_MAX} are the most."
        )
    return given


def date_to_run(given: str | None) -> str:
    """Return the compatibility date that the engine gets: no later than it knows."""
    return min(given or DATE_OF_OLD, engine_flags().date)


def _check_date(given: str, today: str) -> None:
    if not is_date(given):
        raise invalid(
            f"The compatibility date must be a day such as {today}, not {given[:80]!r}."
        )
    if given > max(today, engine_flags().date):
        raise invalid(
            f"The compatibility date {given} is in the future; today is {today}."
        )
