"""A running `selfedge serve`, as a test sees it, and uploads to it."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.client import Answer, fetch
from harness.node import Node
from selfedge.client.address import Address

DATE = "2026-10-01"
_BOUNDARY = "selfedge-test-boundary"
_POLL_S = 0.02

Bindings = Sequence[Mapping[str, Any]]


class ServeNode(Node):
    """One process of `selfedge serve`, on a data directory of its own."""

    command = "serve"

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self.data = folder / "data"
        self._address: Address | None = None
        if "--data-dir" in arguments:
            self.data = Path(arguments[list(arguments).index("--data-dir") + 1])
            chosen = []
        else:
            chosen = ["--data-dir", str(self.data)]
        if "--listen" not in arguments:
            chosen += ["--listen", "127.0.0.1:0"]
        if "--api" not in arguments:
            chosen += ["--api", "127.0.0.1:0"]
        super().__init__(folder, [*chosen, *arguments])

    @property
    def api(self) -> Address:
        """The address of its control API; the token is that of the first start."""
        found = self.wait_for_line(r"^Control API on (\S+)")
        if self._address is None:
            first = super().api
            self._address = first
        return Address(
            url=found[1], token=self._address.token, account=self._address.account
        )

    def ready(self) -> "ServeNode":
        super().ready()
        _ = self.api  # the token is printed once: keep it
        return self

    def call(
        self,
        method: str,
        path: str,
        json_body: object = None,
        *,
        token: str | None = None,
        **options: Any,
    ) -> Answer:
        """Call the API; `path` is below the account unless it starts with "//"."""
        api = self.api
        below = path[1:] if path.startswith("//") else f"/accounts/{api.account}{path}"
        headers = {"authorization": f"Bearer {token or api.token}"}
        headers |= options.pop("headers", {})
        return fetch(
            api.url + below,
            method=method,
            json_body=json_body,
            headers=headers,
            **options,
        )

    def result(self, method: str, path: str, body: object = None) -> Any:
        """Call the API, and fail unless it succeeds."""
        answer = self.call(method, path, body)
        assert answer.status == 200, answer.text
        return answer.json()["result"]

    def upload(
        self,
        name: str,
        code: str,
        bindings: Bindings = (),
        *,
        modules: Mapping[str, tuple[str, bytes]] | None = None,
        at: str = "",
        **metadata: Any,
    ) -> Answer:
        """Deploy a Worker; `at` "/versions" only uploads a version of it."""
        told = {
            "main_module": "index.js",
            "bindings": list(bindings),
            "compatibility_date": DATE,
            **metadata,
        }
        parts = {"index.js": ("application/javascript+module", code.encode())}
        return self.call(
            "POST" if at else "PUT",
            f"/workers/scripts/{name}{at}",
            headers={"content-type": f"multipart/form-data; boundary={_BOUNDARY}"},
            body=_multipart(told, {**parts, **(modules or {})}),
        )

    def deploy(
        self, name: str, code: str, bindings: Bindings = (), **metadata: Any
    ) -> str:
        """Deploy a Worker; return the id of its version."""
        answer = self.upload(name, code, bindings, **metadata)
        assert answer.status == 200, answer.text
        return answer.json()["result"]["deployment_id"]

    def kv(self, title: str, binding: str = "KV") -> Mapping[str, str]:
        """Return a binding to the KV namespace of a title, made if it is not there."""
        path = "/storage/kv/namespaces"
        known = {one["title"]: one["id"] for one in self.result("GET", path)}
        found = known.get(title)
        found = found or self.result("POST", path, {"title": title})["id"]
        return {"type": "kv_namespace", "name": binding, "namespace_id": found}

    def get(self, name: str, path: str = "/", **options: Any) -> Answer:
        """Ask the Worker `name`."""
        headers = {"host": f"{name}.localhost", **options.pop("headers", {})}
        return self.request(path, headers=headers, **options)

    def processes(self) -> Sequence[Mapping[str, Any]]:
        """What runs, as the node reports it."""
        return self.call("GET", "//node/status").json()["result"]["processes"]

    def process_of(self, name: str) -> Mapping[str, Any]:
        return next(one for one in self.processes() if name in one["scripts"])

    def until_asleep(self, name: str, *, within_s: float = 20.0) -> None:
        """Wait until the process of a Worker has been stopped."""
        deadline = time.monotonic() + within_s
        while self.process_of(name)["pid"] is not None:
            assert time.monotonic() < deadline, self.output
            time.sleep(_POLL_S)


def _multipart(
    metadata: Mapping[str, Any], modules: Mapping[str, tuple[str, bytes]]
) -> bytes:
    lines = [
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="metadata"\r\n\r\n'
        f"{json.dumps(metadata)}\r\n".encode()
    ]
    for name, (kind, content) in modules.items():
        disposition = f'form-data; name="{name}"; filename="{name}"'
        head = (
            f"--{_BOUNDARY}\r\nContent-Disposition: {disposition}\r\n"
            f"Content-Type: {kind}\r\n\r\n"
        )
        lines += [head.encode(), content, b"\r\n"]
    lines.append(f"--{_BOUNDARY}--\r\n".encode())
    return b"".join(lines)


class ServeNodes:
    """Starts nodes below a folder, and ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[ServeNode] = []

    def launch(self, *arguments: str) -> ServeNode:
        """Start a node; it may fail to start."""
        folder = self._folder / f"node{len(self._started)}"
        folder.mkdir()
        node = ServeNode(folder, arguments)
        self._started.append(node)
        return node

    def __call__(self, *arguments: str) -> ServeNode:
        """Start a node and wait until clients can connect."""
        return self.launch(*arguments).ready()

    def close(self) -> None:
        """End all nodes."""
        for node in reversed(self._started):
            node.close()
