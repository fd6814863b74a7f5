"""What a Worker hears of its client: request.cf and the CF-* headers."""

import re
from pathlib import Path

import pytest

from harness import Node, Nodes, worker
from harness.mmdb import write_mmdb

ECHO = """
    export default {
      fetch(request: Request) {
        return Response.json({
          url: request.url,
          method: request.method,
          cf: request.cf,
          headers: Object.fromEntries(request.headers),
        });
      },
    };
"""
RAY = re.compile(r"[0-9a-f]{16}-[A-Z]{3}")


@pytest.fixture(scope="module")
def echo(shared_dev: Nodes) -> Node:
    return shared_dev(worker(ECHO))


def test_hello(dev: Nodes) -> None:
    """The smallest Worker answers."""
    node = dev(worker("export default { fetch: () => new Response('hello') };"))
    answer = node.request()
    assert (answer.status, answer.text) == (200, "hello")


def test_request_cf(echo: Node) -> None:
    """A local client is in no country; what is known is there, nothing invented."""
    cf = echo.request(headers={"accept-encoding": "gzip, br"}).json()["cf"]
    assert cf["colo"] == "LAB"
    assert cf["httpProtocol"] == "HTTP/1.1"
    assert cf["clientAcceptEncoding"] == "gzip, br"
    assert "country" not in cf


def test_documented_headers(echo: Node) -> None:
    """Each header that Cloudflare adds is there."""
    headers = echo.request().json()["headers"]
    assert headers["cf-connecting-ip"] == "127.0.0.1"
    assert headers["x-real-ip"] == "127.0.0.1"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["cf-ipcountry"] == "XX"
    assert headers["cf-visitor"].replace(" ", "") == '{"scheme":"http"}'
    assert headers["cdn-loop"]


def test_ray_is_the_same_inside_and_outside_and_new_each_time(echo: Node) -> None:
    answers = [echo.request() for _ in range(5)]
    rays = [answer.headers["cf-ray"] for answer in answers]
    assert rays == [answer.json()["headers"]["cf-ray"] for answer in answers]
    assert len(set(rays)) == len(rays)
    assert all(RAY.fullmatch(ray) for ray in rays)


def test_client_cannot_forge_what_the_edge_says(echo: Node) -> None:
    """Headers of ours that a client sends are replaced; x-forwarded-for is kept."""
    forged = {
        "cf-connecting-ip": "8.8.8.8",
        "cf-ipcountry": "FR",
        "cf-ray": "0000000000000000-XXX",
        "cf-visitor": "{}",
        "x-real-ip": "8.8.8.8",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "198.51.100.7",
    }
    headers = echo.request(headers=forged).json()["headers"]
    assert headers["cf-connecting-ip"] == "127.0.0.1"
    assert headers["cf-ipcountry"] == "XX"
    assert headers["cf-ray"] != forged["cf-ray"]
    assert headers["cf-visitor"] != "{}"
    assert headers["x-real-ip"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-for"] == "198.51.100.7, 127.0.0.1"


def test_client_chooses_its_country(echo: Node) -> None:
    """Any two letters are taken, and the header is for us alone."""
    seen = echo.request(headers={"selfedge-country": "DE"}).json()
    assert seen["cf"]["country"] == seen["headers"]["cf-ipcountry"] == "DE"
    assert seen["cf"]["continent"] == "EU"
    assert seen["cf"]["isEUCountry"] == "1"
    assert not [name for name in seen["headers"] if name.startswith("selfedge")]
    assert echo.request(headers={"selfedge-country": "EU"}).json()["cf"]["country"] == (
        "EU"
    )


def test_client_chooses_its_address(echo: Node) -> None:
    """The address is looked up, and the header is for us alone."""
    seen = echo.request(headers={"selfedge-client-ip": "8.8.8.8"}).json()
    assert seen["headers"]["cf-connecting-ip"] == "8.8.8.8"
    assert seen["cf"]["country"] == "US"
    assert not [name for name in seen["headers"] if name.startswith("selfedge")]


def test_request_body_and_method_pass_unchanged(dev: Nodes) -> None:
    """The edge hands a body on, streamed or not."""
    node = dev(
        worker(
            """
            export default {
              async fetch(request: Request) {
                const size = (await request.arrayBuffer()).byteLength;
                return Response.json([request.method, size]);
              },
            };
            """
        )
    )
    assert node.request(method="PUT", body=b"x" * 100_000).json() == ["PUT", 100_000]
    chunks = (b"y" * 1000 for _ in range(100))
    assert node.request(method="POST", body=chunks).json() == ["POST", 100_000]
    assert node.request(method="DELETE").json() == ["DELETE", 0]


def test_country_option(dev: Nodes) -> None:
    """--country places all local clients; a header still wins."""
    node = dev(worker(ECHO), "--country", "us")
    assert node.request().json()["cf"]["country"] == "US"
    seen = node.request(headers={"selfedge-country": "FR"}).json()
    assert seen["cf"]["country"] == "FR"


def test_client_ip_option(dev: Nodes) -> None:
    """--client-ip gives all local clients an address."""
    node = dev(worker(ECHO), "--client-ip", "8.8.8.8")
    seen = node.request().json()
    assert seen["headers"]["cf-connecting-ip"] == "8.8.8.8"
    assert seen["cf"]["country"] == "US"


def test_own_database(dev: Nodes, tmp_path: Path) -> None:
    """--geoip-db tells city and coordinates, in MaxMind's layout."""
    database = tmp_path / "city.mmdb"
    place = {
        "country": {"iso_code": "DE"},
        "city": {"names": {"en": "Berlin"}},
        "subdivisions": [{"iso_code": "BE", "names": {"en": "State of Berlin"}}],
        "postal": {"code": "10178"},
        "location": {
            "latitude": 52.5,
            "longitude": 13.25,
            "time_zone": "Europe/Berlin",
        },
    }
    write_mmdb(database, {"203.0.113.0/24": place})
    node = dev(worker(ECHO), "--geoip-db", str(database), "--client-ip", "203.0.113.9")
    cf = node.request().json()["cf"]
    assert cf["country"] == "DE"
    assert cf["city"] == "Berlin"
    assert cf["region"] == "State of Berlin"
    assert cf["regionCode"] == "BE"
    assert cf["postalCode"] == "10178"
    assert (cf["latitude"], cf["longitude"]) == ("52.5", "13.25")
    assert cf["timezone"] == "Europe/Berlin"


def test_ipv6_listener(dev: Nodes) -> None:
    """--ip ::1 is loopback too, and clients have IPv6 addresses."""
    node = dev(worker(ECHO), "--ip", "::1")
    seen = node.request(headers={"selfedge-country": "SE"}).json()
    assert seen["headers"]["cf-connecting-ip"] == "::1"
    assert seen["cf"]["country"] == "SE"


def test_nobody_chooses_a_place_on_an_open_listener(dev: Nodes) -> None:
    """Where strangers can connect, the headers of ours are dropped, unread."""
    node = dev(worker(ECHO), "--ip", "0.0.0.0")
    chosen = {"selfedge-country": "SE", "selfedge-client-ip": "203.0.113.9"}
    seen = node.request(headers=chosen).json()
    assert seen["headers"]["cf-connecting-ip"] == "127.0.0.1"
    assert "country" not in seen["cf"]
    assert not [name for name in seen["headers"] if name.startswith("selfedge")]
    assert (
        node.request("/cdn-cgi/handler/scheduled")
        .json()["url"]
        .endswith("/cdn-cgi/handler/scheduled")
    )
