"""A node of `selfedge serve`, measured: `.venv/bin/python benchmarks/serve/run.py`.

- hello world through the front, beside `wrangler dev` and the bare engine, in turns;
- 24 releases under load: failed requests, and the longest that one waited;
- 50 Workers: the private memory of each, and the first answer of one that sleeps.

Figures are medians of the rounds. Run it on a quiet machine.
"""

import argparse
import asyncio
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from deploys import SCRATCH, Node, node  # noqa: E402 - after the path is set
from load import CONNECTIONS, THREADS, parse_rate  # noqa: E402
from systems import Workerd, Wrangler, copied, running  # noqa: E402

from selfedge.settings import cache_dir  # noqa: E402
from selfedge.supervisor.usage import private_bytes  # noqa: E402
from selfedge.workerd.install import engine  # noqa: E402

HELLO = "export default { fetch: () => new Response('hello') }"
VERSIONS = "export default {{ fetch: () => new Response('{}') }}"
CLIENTS = 16
RELEASES = 24
WORKERS = 50
BOUNDARY = "selfedge-benchmark"


class Calls:
    """Calls the API of a node."""

    def __init__(self, at: Node) -> None:
        self._url = at.environ["CLOUDFLARE_API_BASE_URL"]
        self._token = at.environ["CLOUDFLARE_API_TOKEN"]
        self.account = at.environ["CLOUDFLARE_ACCOUNT_ID"]

    def deploy(self, name: str, code: str) -> None:
        """Put a Worker, and fail unless it runs."""
        metadata = {"main_module": "i.js", "compatibility_date": "2026-10-01"}
        said = "Content-Disposition: form-data; name="
        lines = [
            f"--{BOUNDARY}",
            f'{said}"metadata"',
            "",
            json.dumps(metadata),
            f"--{BOUNDARY}",
            f'{said}"i.js"; filename="i.js"',
            "Content-Type: application/javascript+module",
            "",
            code,
            f"--{BOUNDARY}--",
            "",
        ]
        body = "\r\n".join(lines)
        path = f"/accounts/{self.account}/workers/scripts/{name}"
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        self.call("PUT", path, body.encode(), kind)

    def processes(self) -> Sequence[Mapping[str, object]]:
        """Return what runs."""
        return self.call("GET", "/node/status")["result"]["processes"]

    def call(self, method: str, path: str, body: bytes = b"", kind: str = "") -> dict:
        """Return the envelope of a call that succeeds."""
        host, _, below = self._url.removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(host, timeout=60)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        connection.request(method, f"/{below}{path}", body or None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == 200, text
        return json.loads(text)


async def wrk(port: int, seconds: int, host: str | None = None) -> float:
    """Return requests per second at `port`."""
    command = [f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    if host:
        command += ["-H", f"Host: {host}"]
    process = await asyncio.create_subprocess_exec(
        "wrk",
        *command,
        f"http://127.0.0.1:{port}/",
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return parse_rate(output.decode())


async def hello(at: Node, rounds: int, seconds: int) -> Mapping[str, list[float]]:
    """Return the rates of all systems, in turns."""
    found = await asyncio.to_thread(engine, cache_dir(), os.environ)
    systems = [Workerd(found), Wrangler.installed(SCRATCH)]
    rates: dict[str, list[float]] = {
        name: [] for name in ("serve", "workerd", "wrangler")
    }
    for _ in range(rounds):
        await wrk(at.port, 1, "hello.localhost")
        rates["serve"].append(await wrk(at.port, seconds, "hello.localhost"))
        for system in systems:
            with (
                copied(HERE.parent / "workers" / "hello", SCRATCH) as project,
                running(system, project) as server,
            ):
                server.answers("/")
                await wrk(server.port, 1)
                rates[system.name].append(await wrk(server.port, seconds))
    return rates


async def releases(at: Node, calls: Calls) -> tuple[int, int, float]:
    """Release again and again under load; return requests, failures, longest wait."""
    stop = asyncio.Event()
    waits: list[float] = []
    failures: list[str] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        request = b"GET / HTTP/1.1\r\nHost: busy.localhost\r\n\r\n"
        while not stop.is_set():
            began = time.monotonic()
            try:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split()[0])
                await reader.readexactly(length)
            except (OSError, asyncio.IncompleteReadError, IndexError) as error:
                failures.append(repr(error))
                reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
                continue
            waits.append(time.monotonic() - began)
            if b" 200 " not in head.partition(b"\r\n")[0]:
                failures.append(head.decode())
            await asyncio.sleep(0.002)
        writer.close()

    await asyncio.to_thread(calls.deploy, "busy", VERSIONS.format(0))
    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    for number in range(1, RELEASES + 1):
        await asyncio.to_thread(calls.deploy, "busy", VERSIONS.format(number))
    stop.set()
    await asyncio.gather(*clients)
    return len(waits), len(failures), max(waits)


def answer(port: int, host: str) -> float:
    """Return the seconds until a Worker has answered."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/", headers={"Host": host})
    assert connection.getresponse().read() == b"hello"
    connection.close()
    return time.monotonic() - began


def crowd(folder: Path) -> tuple[float, float]:
    """Return the private MiB of each of many Workers, and seconds until one wakes."""
    with node(folder, "--idle", "0") as at:
        calls = Calls(at)
        for number in range(WORKERS):
            calls.deploy(f"w{number}", HELLO)
            answer(at.port, f"w{number}.localhost")
        pids = [one["pid"] for one in calls.processes() if one["kind"] == "group"]
        mib = [private_bytes(int(str(pid))) / 2**20 for pid in pids if pid]
    with node(folder) as at:  # started again, all of them sleep
        wakes = [answer(at.port, f"w{number}.localhost") for number in range(WORKERS)]
    return statistics.median(mib), statistics.median(wakes)


async def measure(arguments: argparse.Namespace) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as raw:
        with node(Path(raw) / "one") as at:
            calls = Calls(at)
            calls.deploy("hello", HELLO)
            rates = await hello(at, arguments.rounds, arguments.seconds)
            middle = {name: statistics.median(list_) for name, list_ in rates.items()}
            for name, rate in middle.items():
                print(f"hello, {name:9} {rate:9.0f} req/s")
            print(f"of bare workerd {middle['serve'] / middle['workerd']:9.2f}")
            print(f"of wrangler dev {middle['serve'] / middle['wrangler']:9.2f}")
            count, failed, longest = await releases(at, calls)
            print(
                f"{RELEASES} releases under load: {count} requests, {failed} failed, "
                f"longest {longest * 1000:.0f} ms"
            )
        mib, wake = await asyncio.to_thread(crowd, Path(raw) / "many")
        print(f"{WORKERS} Workers: {mib:.1f} MiB private each")
        print(f"first answer of one that sleeps: {wake * 1000:.0f} ms")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
