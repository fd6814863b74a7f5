"""A process that writes as fast as it can, from several callers, and tells each ack."""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from d1_support import RESOURCE, results, service

from selfedge.bindings.d1.database.model import Query

CALLERS = 8
BATCH = 3  # rows of a batch, which must come together or not at all


async def main(home: Path, start: int) -> None:
    """Write until killed; one line for each acknowledged number."""
    numbers = itertools.count(start)
    put = "INSERT INTO t (number, part) VALUES (?, ?)"
    async with service(home) as d1:
        await results(d1, "CREATE TABLE IF NOT EXISTS t (number INTEGER, part INTEGER)")

        async def caller() -> None:
            for number in numbers:
                batch = [
                    Query(put, (float(number), float(part))) for part in range(BATCH)
                ]
                await d1.query(RESOURCE, batch, list)
                os.write(1, b"%d\n" % number)

        await asyncio.gather(*(caller() for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
