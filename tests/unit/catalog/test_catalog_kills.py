"""SIGKILL at any point leaves the old revision or the new one, never neither."""

import subprocess
import sys
import time

import pytest

from selfedge.catalog.store import Catalog

ROUNDS = 30

WRITER = """
import asyncio, sys
from pathlib import Path
import msgspec
from selfedge.catalog.model import Account
from selfedge.catalog.store import Catalog

catalog = Catalog.open(Path(sys.argv[1]), print)

async def main():
    while True:
        number = catalog.state.revision + 1
        secret = await catalog.seal(str(number))
        blob = await catalog.add_blob(str(number).encode())
        account = Account(
            id=secret, name=blob, subdomain="x" * 20000, created_on=str(number)
        )
        edit = lambda state: msgspec.structs.replace(state, accounts={"a": account})
        await catalog.change(edit)
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_confirmed(tmp_path):
    for turn in range(ROUNDS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE
        )
        first = writer.stdout.readline()
        time.sleep(turn / 1000)  # elsewhere each time
        writer.kill()
        rest = writer.stdout.read()
        writer.stdout.close()
        writer.wait()
        confirmed = int((first + rest).split(b"\n")[-2])
        heard = []
        catalog = Catalog.open(tmp_path, heard.append)
        catalog.sweep()
        assert heard == []
        assert catalog.state.revision in (confirmed, confirmed + 1)
        account = catalog.state.accounts["a"]
        assert account.created_on == str(catalog.state.revision)
