"""No web page gets in, and nobody without the token."""

import pytest

from selfedge.control.guard import bearer, check_site, known
from selfedge.control.who import OneToken
from selfedge.errors import ApiError

TOKEN = "secret-token"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:8000"},
        {"Host": "LOCALHOST:8000"},
        {"Host": "localhost"},
        {"Host": "[::1]:8000"},
        {"Host": "localhost:1", "Origin": "http://localhost:1"},
        {"Host": "localhost:1", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:1", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "cors"},
    ],
)
def test_programs_of_this_machine_may_ask(headers):
    check_site(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": ""},
        {"Host": "evil.example:8000"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "evil.example:localhost"},
        {"Host": "192.168.0.2"},
        {"Host": "localhost:1", "Origin": "null"},
        {"Host": "localhost:1", "Origin": ""},
        {"Host": "localhost:1", "Origin": "http://localhost:2"},
        {"Host": "localhost:1", "Origin": "http://127.0.0.1:1"},
        {"Host": "localhost:1", "Origin": "https://localhost:1"},
        {"Host": "localhost:1", "Origin": "http://evil.example"},
        {"Host": "localhost:1", "Sec-Fetch-Site": "same-site"},
        {"Host": "localhost:1", "Sec-Fetch-Site": "Cross-Site"},
    ],
)
def test_web_pages_may_not(headers):
    with pytest.raises(ApiError) as caught:
        check_site(headers)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "node.example:8443"},
        {"Host": "10.0.0.1"},
        {"Host": "Node.example", "Origin": "https://node.example"},
        {"Host": "node.example", "Origin": "http://node.example"},
    ],
)
def test_a_listener_for_others_has_the_names_that_its_operator_gave_it(headers):
    check_site(headers, any_host=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "node.example", "Origin": "https://evil.example"},
        {"Host": "node.example", "Origin": "https://node.example:8443"},
        {"Host": "node.example", "Origin": "null"},
        {"Host": "node.example", "Sec-Fetch-Site": "cross-site"},
        {"Host": "node.example", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_listener_for_others_refuses_web_pages_too(headers):
    with pytest.raises(ApiError) as caught:
        check_site(headers, any_host=True)
    assert caught.value.status == 403


def opened(headers):
    return known(OneToken(TOKEN, "dev"), bearer(headers))


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
def test_the_token_opens(value):
    assert opened({"Authorization": value}).scope == "admin"


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({}, 9106),
        ({"Authorization": ""}, 10000),
        ({"Authorization": "Bearer"}, 10000),
        ({"Authorization": TOKEN}, 10000),
        ({"Authorization": f"Basic {TOKEN}"}, 10000),
        ({"Authorization": f"Bearer {TOKEN}x"}, 10000),
        ({"Authorization": "Bearer \udcff\u00e9"}, 10000),
    ],
)
def test_nothing_else_does(headers, number):
    with pytest.raises(ApiError) as caught:
        opened(headers)
    assert (caught.value.status, caught.value.number) == (401, number)
    assert TOKEN not in str(caught.value)
