"""The whole life of a Worker, by the official Python SDK."""

import cloudflare
import pytest

from harness.serve import ServeNodes

MODULE = "application/javascript+module"
CODE = b"""
export default {
  fetch(request, env) {
    return Response.json({ v: env.VERSION.id, plain: env.PLAIN, secret: env.SECRET });
  },
};
"""
BINDINGS = [
    {"name": "VERSION", "type": "version_metadata"},
    {"name": "PLAIN", "type": "plain_text", "text": "p"},
]


@pytest.fixture(scope="module")
def node(shared_serve: ServeNodes):
    return shared_serve()


@pytest.fixture(scope="module")
def sdk(node):
    api = node.api
    with cloudflare.Cloudflare(
        api_token=api.token, base_url=api.url, max_retries=0
    ) as client:
        yield client


@pytest.fixture
def scripts(sdk):
    return sdk.workers.scripts


def metadata(**more):
    return {
        "main_module": "index.mjs",
        "compatibility_date": "2026-10-01",
        "bindings": BINDINGS,
        **more,
    }


def files(code=CODE):
    return [("index.mjs", code, MODULE)]


def put(scripts, account, name, **more):
    return scripts.update(
        name, account_id=account, metadata=metadata(**more), files=files()
    )


def ask(node, name):
    return node.get(f"{name}.local").json()


def test_the_whole_life_of_a_worker(node, scripts):
    account = node.api.account
    made = put(scripts, account, "sdk")
    assert made.id == "sdk"
    first = ask(node, "sdk")["v"]
    assert [one.id for one in scripts.list(account_id=account)] == ["sdk"]
    shown = scripts.settings.get("sdk", account_id=account)
    assert shown.logpush is False

    answer = scripts.versions.with_raw_response.create(
        "sdk", account_id=account, metadata=metadata(), files=files()
    )
    second = answer.http_response.json()["result"]["id"]
    listed = list(scripts.versions.list("sdk", account_id=account))
    assert [one.id for one in listed] == [second, first]
    assert [one.number for one in listed] == [2, 1]
    raw = scripts.versions.with_raw_response  # it cannot read its own type of version
    one = raw.get(second, script_name="sdk", account_id=account).http_response.json()
    runtime = one["result"]["resources"]["script_runtime"]
    assert runtime["compatibility_date"] == "2026-10-01"

    shares = [
        {"version_id": first, "percentage": 60},
        {"version_id": second, "percentage": 40},
    ]
    scripts.deployments.create(
        "sdk", account_id=account, strategy="percentage", versions=shares
    )
    assert {ask(node, "sdk")["v"] for _ in range(40)} == {first, second}
    back = [{"version_id": first, "percentage": 100}]
    scripts.deployments.create(
        "sdk", account_id=account, strategy="percentage", versions=back
    )
    assert {ask(node, "sdk")["v"] for _ in range(10)} == {first}

    scripts.delete("sdk", account_id=account)
    assert node.get("sdk.local").status == 404
    with pytest.raises(cloudflare.NotFoundError) as caught:
        scripts.versions.list("sdk", account_id=account)
    assert caught.value.errors[0].code == 10007


def test_secrets_and_settings(node, sdk, scripts):
    account = node.api.account
    put(scripts, account, "keeper")
    scripts.secrets.update(
        "keeper", account_id=account, name="SECRET", text="s", type="secret_text"
    )
    assert ask(node, "keeper")["secret"] == "s"
    names = [one.name for one in scripts.secrets.list("keeper", account_id=account)]
    assert names == ["SECRET"]
    scripts.script_and_version_settings.edit(
        "keeper",
        account_id=account,
        settings={
            "bindings": [
                *BINDINGS[:1],
                {"name": "PLAIN", "type": "plain_text", "text": "q"},
                {"name": "SECRET", "type": "inherit"},
            ]
        },
    )
    answer = ask(node, "keeper")
    assert (answer["plain"], answer["secret"]) == ("q", "s")
    scripts.secrets.delete("SECRET", script_name="keeper", account_id=account)
    assert "secret" not in ask(node, "keeper")
    scripts.subdomain.create("keeper", account_id=account, enabled=False)
    assert node.get("keeper.local").status == 404
    schedules = scripts.schedules.update(
        "keeper", account_id=account, body=[{"cron": "*/5 * * * *"}]
    )
    assert [one.cron for one in schedules.schedules] == ["*/5 * * * *"]
    tail = scripts.tail.create("keeper", account_id=account)
    scripts.tail.delete(tail.id, script_name="keeper", account_id=account)
    subdomain = sdk.workers.subdomains.get(account_id=account)
    assert subdomain.subdomain == "local"


def test_code_that_does_not_start_is_a_bad_request(node, scripts):
    account = node.api.account
    with pytest.raises(cloudflare.BadRequestError) as caught:
        scripts.update(
            "broken",
            account_id=account,
            metadata=metadata(),
            files=files(b"nothing.here; export default {}"),
        )
    assert caught.value.errors[0].code == 10021
    assert "nothing is not defined" in caught.value.errors[0].message
    with pytest.raises(cloudflare.NotFoundError):
        scripts.settings.get("broken", account_id=account)
