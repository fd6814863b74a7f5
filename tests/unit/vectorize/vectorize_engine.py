"""A Worker in the real engine, bound to a node's indexes."""

import asyncio
import io
import json
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from vectorize_support import Node

from selfedge.binding import IDENTITY_HEADER, Site
from selfedge.bindings.vectorize import BINDING
from selfedge.settings import cache_dir
from selfedge.workerd.config import encode
from selfedge.workerd.install import engine

SCRIPT = """
export default {
  async fetch(request, env) {
    const { binding, call, args } = await request.json();
    const index = env[binding];
    try {
      return Response.json({ result: await index[call](...args) });
    } catch (error) {
      return Response.json({ error: error.message, cause: error.cause?.message });
    }
  },
};
"""


@dataclass(frozen=True)
class Worker:
    """Calls `env.<binding>.<call>(...args)` and returns what it gives or throws."""

    session: ClientSession
    url: str

    async def call(self, call: str, *args: object, binding: str = "V") -> Any:
        body = json.dumps({"binding": binding, "call": call, "args": args})
        stream = io.BytesIO(body.encode())
        async with self.session.post(self.url, data=stream) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def result(self, call: str, *args: object, binding: str = "V") -> Any:
        answer = await self.call(call, *args, binding=binding)
        assert "error" not in answer, answer
        return answer.get("result")


def config(node: Node, table: object, script: str = SCRIPT) -> dict[str, Any]:
    """Return the engine's config of a Worker with the bindings of `table`."""
    site = Site(account="a", worker="w", workers=frozenset({"w"}), objects="")
    fragments = [BINDING.compile(entry, site) for entry in BINDING.parse(table)]
    services = {
        backend.service: {
            "name": backend.service,
            "external": {
                "address": f"unix:{node.socket}",
                "http": {
                    **backend.http,
                    "injectRequestHeaders": [
                        {"name": IDENTITY_HEADER, "value": backend.resource}
                    ],
                },
            },
        }
        for fragment in fragments
        for backend in fragment.backends
    }
    main = {
        "modules": [{"name": "w.js", "esModule": script}],
        "compatibilityDate": "2026-10-01",
        "bindings": [one for fragment in fragments for one in fragment.bindings],
    }
    return {
        "services": [*services.values(), {"name": "main", "worker": main}],
        "sockets": [{"name": "http", "http": {}, "service": {"name": "main"}}],
    }


@asynccontextmanager
async def worker(
    node: Node, folder: Path, table: Sequence[object], script: str = SCRIPT
) -> AsyncIterator[Worker]:
    """Run a Worker; its socket listens before the engine starts."""
    parts = engine(cache_dir(), os.environ)
    file = folder / "config.bin"
    file.write_bytes(encode(config(node, table, script), parts.schema))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        handed = listening.fileno()
        process = await asyncio.create_subprocess_exec(
            *(str(parts.workerd), "serve", "-b", str(file)),
            f"--socket-fd=http={handed}",
            pass_fds=(handed,),
        )
        try:
            async with ClientSession() as session:
                url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
                yield Worker(session, url)
        finally:
            process.kill()
            await process.wait()
