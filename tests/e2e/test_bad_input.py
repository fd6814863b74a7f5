"""Bad input gives a clear error, never a traceback, a hang or a crash."""

import pytest

from harness import Nodes, worker

HELLO = "export default { fetch: () => new Response('hello') };"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param(
            {"wrangler.toml": 'name = "app\nmain = "index.ts"\n', "index.ts": HELLO},
            r"wrangler\.toml:1:\d+: ",
            id="malformed TOML",
        ),
        pytest.param(
            {"wrangler.jsonc": '{"name": "app",, }', "index.ts": HELLO},
            r"wrangler\.jsonc:1:16: ",
            id="malformed JSON",
        ),
        pytest.param({"index.ts": HELLO}, "wrangler.toml", id="no wrangler file"),
        pytest.param(
            worker(HELLO, "[vars]\nA = 1\n[[kv_namespaces]]\nbinding = 'A'\n"),
            "'A' stands twice",
            id="a binding twice",
        ),
        pytest.param(
            worker(HELLO, 'compatibility_flags = ["experimental"]\n'),
            "experimental",
            id="an experimental flag",
        ),
    ],
)
def test_wrong_wrangler_file(dev: Nodes, files: dict[str, str], message: str) -> None:
    """Exit code 2, with file, line and column."""
    node = dev.launch(files)
    node.wait_for_line(message)
    assert node.wait_exit() == 2
    assert "Traceback" not in node.output
    node.check_nothing_left()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--country", "Germany"], "two letters"),
        (["--client-ip", "not-an-address"], "not-an-address"),
        (["--origin", "no-url"], "HOST=URL"),
        (["--upstream", "ftp://x"], "--upstream takes a URL"),
        (["--var", "novalue"], "novalue"),
        (["--geoip-db", "absent.mmdb"], "absent.mmdb"),
        (["--geoip-db", "index.ts"], "not a MaxMind-format database"),
        (["--env", "absent"], "absent"),
        (["--ip", "203.0.113.1"], "203.0.113.1"),
        (["--config", "absent.toml"], "absent.toml"),
        (["--port", "99999"], "99999"),
    ],
)
def test_wrong_option(dev: Nodes, arguments: list[str], message: str) -> None:
    """Exit code 2 and a sentence about the option; nothing was started."""
    node = dev.launch(worker(HELLO, "[env.staging]\n"), *arguments)
    assert node.wait_exit() == 2
    assert message in node.output
    assert "Traceback" not in node.output
    assert "Ready on" not in node.output
    node.check_nothing_left()


def test_huge_headers(dev: Nodes) -> None:
    """Headers up to 128 KB or so: an answer; far over it: a refusal; then it serves."""
    node = dev(worker(HELLO))
    small = node.request(headers={f"x-{n}": "v" * 1000 for n in range(20)})
    assert small.status == 200
    try:
        huge = node.request(headers={"x-huge": "v" * 2_000_000})
    except ConnectionError:
        pass
    else:
        assert 400 <= huge.status < 500
    assert node.request().text == "hello"


def test_garbage_instead_of_http(dev: Nodes) -> None:
    import socket  # noqa: PLC0415

    node = dev(worker(HELLO))
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as one:
        one.sendall(b"\x16\x03\x01\x02\x00\x01\x00 this is no HTTP\r\n\r\n")
        reply = one.recv(1000)
    assert b" 200 " not in reply.partition(b"\r\n")[0]
    assert node.request().text == "hello"
