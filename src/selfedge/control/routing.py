"""Which route a raw path belongs to.

A path is split at its slashes before it is decoded, so `%2F` stays inside a segment.
`{name}` takes one segment, `{name...}` at the end all that are left, slashes and all.
A literal wins over a parameter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from selfedge.binding import Route

SEGMENTS_MAX = 256  # an R2 key of 1024 bytes may hold more slashes than any route


class Target(NamedTuple):
    """The route of a call, and the parameters of its path."""

    route: Route
    parameters: Mapping[str, str]


@dataclass(slots=True)
class _Place:
    literals: dict[str, "_Place"] = field(default_factory=dict)
    any: "_Place | None" = None  # one segment
    rest: dict[str, Route] = field(default_factory=dict)  # all that are left
    here: dict[str, Route] = field(default_factory=dict)  # by method


class Router:
    """The routes there are; more can be added while it runs."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._root = _Place()
        self._routes: list[Route] = []
        self.add(routes)

    @property
    def routes(self) -> Sequence[Route]:
        """All that were added."""
        return tuple(self._routes)

    def add(self, routes: Iterable[Route]) -> None:
        """Add routes.

        Raises:
            ValueError: a method and path stand twice, or `{name...}` is not last.
        """
        for route in routes:
            table = self._table(route.path)
            if route.method in table:
                raise ValueError(f"{route.method} {route.path} stands twice")
            table[route.method] = route
            self._routes.append(route)

    def find(self, path: str) -> Mapping[str, Target]:
        """Return method → target of a raw path; empty when there is no such path.

        Raises:
            ValueError: a segment does not decode to UTF-8.
        """
        segments = split(path)
        if len(segments) > SEGMENTS_MAX:
            return {}
        found = _walk(self._root, segments)
        if not found and segments[-1:] == [""]:  # a slash at the end is no segment
            segments = segments[:-1]
            found = _walk(self._root, segments)
        return {
            method: Target(route, _parameters(route.path, segments))
            for method, route in found.items()
        }

    def _table(self, path: str) -> dict[str, Route]:
        place = self._root
        pattern = path.removeprefix("/").split("/")
        for index, segment in enumerate(pattern):
            if segment.endswith("...}"):
                if index != len(pattern) - 1:
                    raise ValueError(f"{segment} is not the end of {path}")
                return place.rest
            if segment.startswith("{"):
                place.any = place.any or _Place()
                place = place.any
            else:
                place = place.literals.setdefault(segment, _Place())
        return place.here


def split(path: str) -> list[str]:
    """Split a raw path at its slashes and decode each segment once.

    Raises:
        ValueError: a segment does not decode to UTF-8.
    """
    segments = path.removeprefix("/").split("/")
    try:
        return [unquote(segment, errors="strict") for segment in segments]
    except UnicodeDecodeError as error:
        raise ValueError("the path does not decode to UTF-8") from error


def _walk(place: _Place, segments: Sequence[str]) -> Mapping[str, Route]:
    """Return the routes by method, the most literal path first."""
    if not segments:
        return place.here
    head, tail = segments[0], segments[1:]
    if (literal := place.literals.get(head)) and (found := _walk(literal, tail)):
        return found
    if head and place.any and (found := _walk(place.any, tail)):
        return found
    return place.rest if any(segments) else {}


def _parameters(path: str, segments: Sequence[str]) -> Mapping[str, str]:
    parameters = {}
    for index, name in enumerate(path.removeprefix("/").split("/")):
        if name.endswith("...}"):
            parameters[name[1:-4]] = "/".join(segments[index:])
        elif name.startswith("{"):
            parameters[name[1:-1]] = segments[index]
    return parameters
