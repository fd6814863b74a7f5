"""A node over TLS is trusted if its certificate is named."""

import asyncio
import ssl
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from harness.api import TOKEN
from selfedge.binding import Route
from selfedge.client.address import Address
from selfedge.client.api import Api
from selfedge.control.estate import OneAccount
from selfedge.control.listen import listen_loopback
from selfedge.control.server import Control, serving
from selfedge.control.table import Tables
from selfedge.control.who import OneToken
from selfedge.errors import UsageError
from selfedge.node.certificates import self_signed


async def user(call):
    return call.caller.scope


@contextmanager
def tls_server(files):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.chain, files.key)
    lent, ready, stop = listen_loopback(0), Event(), Event()
    port = lent.getsockname()[1]

    async def serve():
        tables = Tables([Route(method="GET", path="/user", answer=user)], (), None)
        control = Control(OneToken(TOKEN, "dev"), OneAccount("local"), tables)
        async with serving(control, lent, context):
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield Address(
            url=f"https://localhost:{port}/client/v4", token=TOKEN, account="local"
        )
    finally:
        stop.set()
        thread.join(10)


def test_a_certificate_must_be_known(tmp_path, monkeypatch):
    files = self_signed(tmp_path, ["localhost"])
    with tls_server(files) as address:
        with pytest.raises(UsageError, match=r"not trusted .* SSL_CERT_FILE"):
            Api(address).call("GET", "/user")
        monkeypatch.setenv("SSL_CERT_FILE", str(files.chain))
        assert Api(address).call("GET", "/user") == "admin"
