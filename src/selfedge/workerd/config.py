"""Engine configs: a dict shaped like `Config` of workerd.capnp → bytes."""

from functools import cache
from pathlib import Path
from typing import Any

from selfedge.errors import EngineError
from selfedge.types import Struct


def encode(config: Struct, schema: Path) -> bytes:
    """Return `config` as the binary message that `workerd serve -b` reads.

    Raises:
        EngineError: `config` does not fit the schema, which is a fault of ours.
    """
    try:
        message: bytes = _schema(schema).Config.new_message(**config).to_bytes()
    except Exception as error:  # pycapnp raises bare KjException and its kin
        raise EngineError(f"the engine's schema refuses our config: {error}") from error
    return message


@cache
def _schema(path: Path) -> Any:
    import capnp  # noqa: PLC0415 - 50 ms, and only who starts an engine needs it

    capnp.remove_import_hook()
    imports = [str(Path(capnp.__file__).parent.parent)]
    return capnp.load(str(path), imports=imports)
