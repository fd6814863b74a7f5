"""Making and deleting metadata indexes: changes of an index's description."""

from collections.abc import Callable

import msgspec

from selfedge.bindings.vectorize import limits
from selfedge.bindings.vectorize.engine.contract import FieldType
from selfedge.bindings.vectorize.errors import MetadataIndexRefused
from selfedge.bindings.vectorize.index.files import State
from selfedge.bindings.vectorize.index.model import MetadataIndex


def added(path: str, kind: FieldType) -> Callable[[State], State]:
    """Return a change that adds one; it may raise MetadataIndexRefused."""

    def change(state: State) -> State:
        for index in state.indexes:
            if index.property_name == path:
                raise MetadataIndexRefused(
                    f'there is a metadata index of "{path}", of type'
                    f" {index.index_type}; delete it to make another"
                )
        if len(state.indexes) >= limits.METADATA_INDEXES_MAX:
            raise MetadataIndexRefused(
                f"an index has at most {limits.METADATA_INDEXES_MAX} metadata indexes;"
                " delete one first"
            )
        number = state.fields + 1
        index = MetadataIndex(property_name=path, index_type=kind, field=f"f{number}")
        return msgspec.structs.replace(
            state, indexes=(*state.indexes, index), fields=number
        )

    return change


def dropped(path: str) -> Callable[[State], State]:
    """Return a change that removes one; it may raise MetadataIndexRefused."""

    def change(state: State) -> State:
        kept = tuple(one for one in state.indexes if one.property_name != path)
        if len(kept) == len(state.indexes):
            raise MetadataIndexRefused(f'there is no metadata index of "{path}"')
        return msgspec.structs.replace(state, indexes=kept)

    return change
