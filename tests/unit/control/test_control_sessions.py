"""Sessions: what a cookie opens, and what it does not."""

import json
from dataclasses import dataclass, field

import pytest

from harness.control import serve_api

CSRF = "X-Selfedge-CSRF"
SESSION = "/node/session"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with serve_api(tmp_path_factory.mktemp("sessions")) as api:
        yield api


@dataclass
class Browser:
    """Signed in: the headers that its calls carry."""

    answer: object
    headers: dict[str, str] = field(default_factory=dict)


def signed_in(api, who="admin"):
    body = json.dumps({"token": api.tokens[who]})
    answer = api.server.ask(SESSION, method="POST", token=None, body=body)
    assert answer.status == 200, answer.body
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    csrf = answer.envelope()["result"]["csrf"]
    return Browser(answer, {"Cookie": cookie, CSRF: csrf})


def ask(api, path, headers, method="GET"):
    return api.server.ask(path, method=method, headers=headers, token=None)


def test_a_session_may_what_its_token_may(api):
    reader = signed_in(api, "a-read").headers
    assert ask(api, f"/accounts/{api.a}/workers/scripts", reader).status == 200
    assert ask(api, f"/accounts/{api.b}/workers/scripts", reader).code == 10000
    assert ask(api, "/accounts", reader, method="POST").status == 403
    assert ask(api, SESSION, reader).envelope()["result"] == {
        "name": "a-read",
        "scope": "read",
        "account": api.a,
    }


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(api):
    attributes = signed_in(api).answer.headers["Set-Cookie"].split("; ")[1:]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert not any(one.startswith("Domain") for one in attributes)


def test_no_answer_holds_the_token(api):
    browser = signed_in(api)
    shown = ask(api, SESSION, browser.headers)
    for answer in (browser.answer, shown):
        said = answer.body.decode() + str(answer.headers)
        assert api.tokens["admin"] not in said


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("csrf", [None, "", "wrong", "wröng"])
def test_a_cookie_without_its_other_half_opens_nothing(api, csrf, method):
    headers = signed_in(api).headers
    del headers[CSRF]
    if csrf is not None:
        headers[CSRF] = csrf
    heard = ask(api, SESSION, headers, method)
    assert (heard.status, heard.code) == (403, 9109)


def test_the_other_half_without_a_cookie_opens_nothing(api):
    headers = signed_in(api).headers
    del headers["Cookie"]
    assert ask(api, SESSION, headers).status == 401


def test_halves_of_two_sessions_do_not_fit(api):
    one, other = signed_in(api).headers, signed_in(api).headers
    assert ask(api, SESSION, {**one, CSRF: other[CSRF]}).status == 403


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_may_not_use_a_session(api, foreign):
    headers = {**signed_in(api).headers, **foreign}
    assert ask(api, "/accounts", headers).status == 403


def test_another_site_may_not_sign_in(api):
    body = json.dumps({"token": api.tokens["admin"]})
    headers = {"Origin": "https://evil.example"}
    heard = api.server.ask(
        SESSION, method="POST", token=None, body=body, headers=headers
    )
    assert heard.status == 403
    assert "Set-Cookie" not in heard.headers


@pytest.mark.parametrize("body", [None, "{", "[]", '{"token": 1}', '{"token": "x"}'])
def test_a_wrong_token_signs_nobody_in(api, body):
    heard = api.server.ask(SESSION, method="POST", token=None, body=body)
    assert (heard.status, heard.code) == (401, 10000)
    assert "Set-Cookie" not in heard.headers


def test_a_session_ends_when_its_owner_signs_out(api):
    headers = signed_in(api).headers
    gone = ask(api, SESSION, headers, method="DELETE")
    assert "Max-Age=0" in gone.headers["Set-Cookie"]
    assert ask(api, SESSION, headers).status == 401


def test_a_session_ends_with_its_token(api):
    made = api.ask(
        "/user/tokens",
        method="POST",
        body=json.dumps({"name": "short", "scope": "read"}),
    ).envelope()["result"]
    api.tokens["short"] = made["value"]
    headers = signed_in(api, "short").headers
    assert ask(api, SESSION, headers).status == 200
    api.ask(f"/user/tokens/{made['id']}", method="DELETE")
    assert ask(api, SESSION, headers).status == 401


@pytest.mark.parametrize("cookie", ["selfedge_session_0=x", ";;=", 'a="', "x" * 9000])
def test_cookies_that_are_none_of_ours_are_no_session(api, cookie):
    assert ask(api, SESSION, {"Cookie": cookie}).status == 401
    token = {"Authorization": f"Bearer {api.tokens['read']}", "Cookie": cookie}
    assert ask(api, SESSION, token).status == 200
