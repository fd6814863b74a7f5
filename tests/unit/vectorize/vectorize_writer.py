"""A process that writes to an index until it is killed, and says what is done.

Mutation number n is a function of n alone, so that the test knows what each
prefix of mutations leaves behind.
"""

import asyncio
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from selfedge.bindings.vectorize.engine.contract import Engine, Vector
from selfedge.bindings.vectorize.engine.host.engine import HostedEngine
from selfedge.bindings.vectorize.engine.qdrant import QdrantEngine
from selfedge.bindings.vectorize.index.model import Mutation
from selfedge.bindings.vectorize.service import VectorizeService

DIMENSIONS = 48
UNIVERSE = [f"é{number}" for number in range(600)]


def mutation(number: int) -> Mutation:
    """Return the mutation of that number; a third of them need several updates."""
    source = random.Random(number)  # noqa: S311 - no secret
    names = source.sample(UNIVERSE, source.choice([1, 20, 400]))
    operation = source.choice(["insert", "upsert", "upsert", "delete"])
    if number == 1:
        operation = "insert"
    if operation == "delete":
        return Mutation(id=f"m{number}", operation="delete", ids=names)
    values = [float(number)] + [1.0] * (DIMENSIONS - 1)
    vectors = [Vector(name, values) for name in names]
    kind = "insert" if operation == "insert" else "upsert"
    return Mutation(id=f"m{number}", operation=kind, vectors=vectors)


def apply(kept: dict[str, float], done: Mutation) -> None:
    """Do to `kept`, id → first value, what the index does."""
    for vector in done.vectors:
        if done.operation == "upsert" or vector.id not in kept:
            kept[vector.id] = vector.values[0]
    for name in done.ids:
        kept.pop(name, None)


def made(
    home: Path, ids: Sequence[str] = (), engine: Engine | None = None
) -> VectorizeService:
    """Return a service whose next mutations are called `ids`."""
    remaining = iter(ids)
    return VectorizeService(
        home,
        engine=engine or QdrantEngine(),
        clock=lambda: 0.0,
        notice=lambda _: None,
        new_id=lambda: next(remaining),
        free_bytes=lambda: 2**40,
    )


async def write(home: Path, engine: Engine | None) -> None:
    """Go on after the newest mutation there is, for ever."""
    before = made(home)
    newest = (await before.describe("i")).processed
    await before.close()
    first = int(newest[1:]) + 1 if newest else 1
    numbers = range(first, first + 100_000)
    service = made(home, [f"m{number}" for number in numbers], engine)
    for number in numbers:
        todo = mutation(number)
        await service.mutate("i", todo.operation, vectors=todo.vectors, ids=todo.ids)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    chosen = HostedEngine() if "hosted" in sys.argv else None
    asyncio.run(write(Path(sys.argv[1]), chosen))
