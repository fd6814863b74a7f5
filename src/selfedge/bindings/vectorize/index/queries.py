"""Queries that are answered together: the engine compares them in one pass."""

from collections.abc import Sequence
from typing import TypeAlias

from selfedge.bindings.vectorize.engine.contract import (
    EngineDied,
    EngineFailure,
    Hit,
    Search,
    Shard,
)
from selfedge.bindings.vectorize.errors import (
    IndexFailed,
    UnknownVector,
    VectorizeError,
    WrongQueryWidth,
)
from selfedge.bindings.vectorize.index import fields
from selfedge.bindings.vectorize.index.files import State
from selfedge.bindings.vectorize.index.model import Query, Returned

Found: TypeAlias = Sequence[Hit] | VectorizeError


def answered(
    name: str, shard: Shard, state: State, asked: Sequence[Query]
) -> Sequence[Found]:
    """Answer all; what cannot be is answered by the error.

    Raises:
        EngineDied: the engine's process is gone.
    """
    found: list[Found] = [()] * len(asked)
    searches: dict[int, Search] = {}
    for place, query in enumerate(asked):
        try:
            search = _search(query, shard, state)
        except EngineDied:
            raise
        except (VectorizeError, EngineFailure) as cause:
            found[place] = _refused(name, cause)
        else:
            if search is not None:
                searches[place] = search
    for place, result in _together(name, shard, searches).items():
        found[place] = _shown(result, asked[place], state)
    return found


def _search(query: Query, shard: Shard, state: State) -> Search | None:
    """Return what the engine must look for; None when nothing can match."""
    values = query.values
    if query.vector_id is not None:
        named = shard.get([query.vector_id])
        if not named:
            raise UnknownVector(query.vector_id)
        values = named[0].values
    width = len(values or ())
    if width != state.dimensions:
        raise WrongQueryWidth(expected=state.dimensions, got=width)
    conditions = fields.resolved(query.conditions, state.indexes)
    if conditions is None:
        return None
    return Search(
        values=values or (),
        limit=query.top_k,
        namespace=query.namespace,
        conditions=conditions,
        exact=query.return_values,
        with_values=query.return_values,
    )


def _together(name: str, shard: Shard, searches: dict[int, Search]) -> dict[int, Found]:
    """Search for all at once; one that fails spoils it for no other."""
    if not searches:
        return {}
    try:
        return dict(zip(searches, shard.search([*searches.values()]), strict=True))
    except EngineDied:
        raise
    except EngineFailure as cause:
        if len(searches) == 1:
            return dict.fromkeys(searches, _refused(name, cause))
        alone = ({place: search} for place, search in searches.items())
        return {
            place: result
            for one in alone
            for place, result in _together(name, shard, one).items()
        }


def _shown(found: Found, query: Query, state: State) -> Found:
    if isinstance(found, VectorizeError) or (
        query.return_metadata is not Returned.INDEXED
    ):
        return found
    return [fields.indexed_only(hit, state.indexes) for hit in found]


def _refused(name: str, cause: VectorizeError | EngineFailure) -> VectorizeError:
    if isinstance(cause, VectorizeError):
        return cause
    return IndexFailed(name, f"could not search: {cause}")
