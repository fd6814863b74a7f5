"""The life of a Worker through the API: what clients read is what they wrote."""

import json
import resource
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.workers import BROKEN, ENDLESS, ES_MODULE, HELLO, workers_api

SECRET_V1 = {"name": "S", "type": "secret_text", "text": "hunter2"}


@pytest.fixture
def api(tmp_path):
    with workers_api(tmp_path) as api:
        yield api


def running(api, name="w"):
    return api.fleet.running.get(("local", name))


def test_a_worker_that_is_not_there_is_10007(api):
    for path in (
        "/services/w",
        "/scripts/w",
        "/scripts/w/deployments",
        "/scripts/w/settings",
        "/scripts/w/secrets",
        "/scripts/w/subdomain",
        "/workers/w",
    ):
        heard = api.ask("GET", path)
        assert (heard.status, heard.code) == (404, 10007), path
    assert api.upload("/scripts/w/versions", method="POST").code == 10007


def test_a_first_deploy_makes_a_version_a_deployment_and_a_worker(api):
    version = api.deploy("w", {"annotations": {"workers/message": "first"}})
    assert running(api) == [version]
    service = api.result("GET", "/services/w")["default_environment"]["script"]
    assert service["last_deployed_from"] == "wrangler"
    assert service["migration_tag"] is None
    (deployment,) = api.result("GET", "/scripts/w/deployments")["deployments"]
    assert deployment["versions"] == [{"version_id": version, "percentage": 100}]
    assert deployment["annotations"]["workers/message"] == "first"
    assert deployment["author_email"] == "me"
    shown = api.result("GET", f"/scripts/w/versions/{version}")
    assert shown["number"] == 1
    runtime = shown["resources"]["script_runtime"]
    assert runtime["compatibility_date"] == "2026-01-01"
    assert api.result("GET", "/workers/w")["subdomain"]["url"] == (
        "http://w.local.localhost:8080"
    )
    assert [one["id"] for one in api.result("GET", "/scripts")] == ["w"]
    assert api.result("GET", "/scripts?page=2") == []


def test_code_that_does_not_start_is_10021_and_changes_nothing(api):
    version = api.deploy("w")
    revision = api.catalog.state.revision
    for path, method in (("/scripts/w", "PUT"), ("/scripts/w/versions", "POST")):
        heard = api.upload(path, source=BROKEN, method=method)
        assert (heard.status, heard.code) == (400, 10021)
        message = heard.envelope()["errors"][0]["message"]
        assert message == "Uncaught Error: at the start at index.ts:1:7"
    assert api.catalog.state.revision == revision
    assert running(api) == [version]


def test_code_that_never_starts_is_given_up(api):
    heard = api.upload("/scripts/w", source=ENDLESS)
    assert (heard.status, heard.code) == (400, 10021)
    assert "within 0.2 s" in heard.envelope()["errors"][0]["message"]
    assert api.ask("GET", "/scripts/w").code == 10007


@pytest.mark.parametrize("is_first", [True, False])
def test_a_worker_that_cannot_be_started_is_taken_back(api, is_first):
    if not is_first:
        api.deploy("w")
    before = api.catalog.state
    api.fleet.ailing = True
    heard = api.upload("/scripts/w")
    assert (heard.status, heard.code) == (500, 10021)
    assert "the engine died" in heard.envelope()["errors"][0]["message"]
    after = api.catalog.state
    assert after.accounts == before.accounts


def test_versions_are_uploaded_split_and_rolled_back(api):
    one = api.deploy("w")
    two = api.add_version("w", {"annotations": {"workers/tag": "v2"}})
    assert running(api) == [one]
    listed = api.result("GET", "/scripts/w/versions?deployable=true")["items"]
    assert [version["number"] for version in listed] == [2, 1]
    assert listed[0]["annotations"]["workers/tag"] == "v2"
    shares = [
        {"version_id": one, "percentage": 60},
        {"version_id": two, "percentage": 40},
    ]
    made = api.result("POST", "/scripts/w/deployments", {"versions": shares})
    assert running(api) == [one, two]
    assert api.result("GET", f"/scripts/w/deployments/{made['id']}") == made
    whole = {"strategy": "percentage", "versions": [{**shares[0], "percentage": 100}]}
    api.result("POST", "/scripts/w/deployments", whole)
    assert running(api) == [one]
    deployments = api.result("GET", "/scripts/w/deployments")["deployments"]
    assert [len(each["versions"]) for each in deployments] == [1, 2, 1]
    past_the_end = api.result("GET", "/scripts/w/deployments?page=2")
    assert past_the_end["items"] == []


def test_a_deployment_that_makes_no_whole_is_refused(api):
    one = api.deploy("w")
    for versions in (
        [],
        [{"version_id": one, "percentage": 99}],
        [{"version_id": "00000000-0000-4000-8000-000000000000", "percentage": 100}],
        [{"version_id": "../../x", "percentage": 100}],
        "all",
    ):
        heard = api.ask("POST", "/scripts/w/deployments", {"versions": versions})
        assert heard.status in (400, 404), versions
    assert len(api.result("GET", "/scripts/w/deployments")["deployments"]) == 1


def test_modules_come_back_as_they_were_sent(api):
    api.upload(
        "/scripts/w",
        others={
            "./lib/a.wasm": ("application/wasm", b"\0asm\r\n--x"),
            "note.txt": ("text/plain", b"hi"),
            "index.js.map": ("application/source-map", b"{}"),
        },
    )
    heard = api.ask("GET", "/scripts/w/content/v2")
    assert heard.headers["cf-entrypoint"] == "index.js"
    assert heard.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="lib/a.wasm"' in heard.body
    assert b"\0asm\r\n--x" in heard.body
    assert b"index.js.map" not in heard.body
    assert api.ask("GET", "/scripts/w").body == HELLO.encode()


def test_code_alone_can_be_replaced(api):
    first = api.deploy("w", {"bindings": [SECRET_V1], "tags": ["a"]})
    heard = api.upload("/scripts/w/content", source=f"// new\n{HELLO}")
    assert heard.status == 200
    assert api.ask("GET", "/scripts/w/content").body == f"// new\n{HELLO}".encode()
    (live,) = running(api)
    assert live != first
    assert api.catalog.version(live).bindings == api.catalog.version(first).bindings
    assert api.upload("/scripts/w/content", source=BROKEN).code == 10021
    assert running(api) == [live]


def test_what_the_main_module_exports_is_kept(api):
    source = f"export class A {{}}\n{HELLO}"
    version = api.upload("/scripts/w", source=source).envelope()["result"]
    kept = api.catalog.version(version["deployment_id"])
    assert sorted(kept.exports) == ["A", "default"]
    assert kept.startup_ms == 5


def test_secrets_are_put_listed_and_deleted_and_never_shown(api):
    api.deploy("w")
    api.result("PUT", "/scripts/w/secrets", SECRET_V1)
    assert api.result("GET", "/scripts/w/secrets") == [
        {"name": "S", "type": "secret_text"}
    ]
    assert api.result("GET", "/scripts/w/secrets/S")["name"] == "S"
    bulk = {"secrets": {"A": {"name": "A", "text": "a"}, "S": None}}
    api.result("PATCH", "/scripts/w/secrets-bulk", bulk)
    names = [one["name"] for one in api.result("GET", "/scripts/w/secrets")]
    assert names == ["A"]
    api.result("PUT", "/scripts/w/secrets", SECRET_V1)
    newest = api.result("GET", "/scripts/w/versions")["items"][0]
    assert newest["annotations"]["workers/triggered_by"] == "secret"
    assert running(api) == [newest["id"]]
    for path in (
        "/scripts/w/settings",
        "/scripts/w/versions",
        f"/scripts/w/versions/{newest['id']}",
        "/services/w/environments/production/bindings",
        "/scripts/w",
        "/scripts/w/secrets/S",
    ):
        assert b"hunter2" not in api.ask("GET", path).body
    kept = api.catalog.version(newest["id"])
    assert [api.catalog.reveal(one["secret"]) for one in kept.bindings] == [
        "a",
        "hunter2",
    ]
    api.result("DELETE", "/scripts/w/secrets/S?url_encoded=true")
    assert api.ask("DELETE", "/scripts/w/secrets/S?url_encoded=true").code == 10056


def test_a_sealed_value_of_another_cannot_be_asked_for(api):
    api.deploy("w")
    api.result("PUT", "/scripts/w/secrets", SECRET_V1)
    newest = api.result("GET", "/scripts/w/versions")["items"][0]
    stolen = api.catalog.version(newest["id"]).bindings[0]["secret"]
    forged = {"name": "S", "type": "secret_text", "secret": stolen}
    assert api.upload("/scripts/x", {"bindings": [forged]}).code == 10021


def test_a_secret_survives_a_deploy_that_does_not_name_it(api):
    api.deploy("w", {"bindings": [SECRET_V1]})
    for keep in ({}, {"keep_bindings": ["secret_text"]}):
        version = api.deploy("w", keep)
        names = [one["name"] for one in api.catalog.version(version).bindings]
        assert names == ["S"]
    version = api.deploy("w", {"keep_bindings": []})
    assert api.catalog.version(version).bindings == ()


def test_a_secret_needs_the_latest_version_deployed_and_a_free_name(api):
    api.deploy("w", {"bindings": [{"name": "V", "type": "plain_text", "text": "v"}]})
    taken = {**SECRET_V1, "name": "V"}
    assert api.ask("PUT", "/scripts/w/secrets", taken).code == 10053
    api.add_version("w")
    assert api.ask("PUT", "/scripts/w/secrets", SECRET_V1).code == 10215
    bulk = {"secrets": {"S": None}}
    assert api.ask("PATCH", "/scripts/w/secrets-bulk", bulk).code == 10215


def test_versions_secret_put_makes_a_version_that_nobody_reaches(api):
    assert api.ask("PATCH", "/workers/w/versions/latest", {}).code == 10007
    api.result("POST", "/workers", {"name": "empty"})
    assert api.ask("PATCH", "/workers/empty/versions/latest", {}).code == 10222
    one = api.deploy("w", {"bindings": [SECRET_V1]})
    patch = {
        "env": {"V": {"type": "secret_text", "text": "vs"}, "S": None},
        "annotations": {"workers/message": "Updated"},
    }
    made = api.result("PATCH", "/workers/w/versions/latest", patch)
    assert running(api) == [one]
    assert made["resources"]["bindings"] == [{"name": "V", "type": "secret_text"}]
    assert made["annotations"]["workers/message"] == "Updated"
    assert api.result("GET", "/scripts/w/versions")["items"][0]["id"] == made["id"]


def test_a_rollback_over_changed_secrets_must_be_forced(api):
    one = api.deploy("w")
    api.result("PUT", "/scripts/w/secrets", SECRET_V1)
    back = {"versions": [{"version_id": one, "percentage": 100}]}
    heard = api.ask("POST", "/scripts/w/deployments", back)
    assert heard.code == 10220
    message = heard.envelope()["errors"][0]["message"]
    assert message == "The following secrets have changed: S"
    api.result("POST", "/scripts/w/deployments?force=true", back)
    assert running(api) == [one]


def test_an_inherited_binding_comes_from_the_latest_version(api):
    kv = {"name": "KV", "type": "kv_namespace", "namespace_id": "n1"}
    inherit = {"bindings": [{"name": "KV", "type": "inherit"}]}
    strict = "/scripts/w?bindings_inherit=strict"
    assert api.upload(strict, inherit).code == 10057
    api.deploy("w", {"bindings": [kv]})
    version = api.upload(strict, inherit).envelope()["result"]["deployment_id"]
    assert dict(api.catalog.version(version).bindings[0]) == kv


def test_settings_are_read_and_patched(api):
    kv = {"name": "KV", "type": "kv_namespace", "namespace_id": "n1"}
    api.deploy("w", {"bindings": [kv, SECRET_V1], "observability": {"enabled": True}})
    settings = api.result("GET", "/scripts/w/settings")
    assert settings["observability"] == {"enabled": True}
    assert settings["bindings"] == [kv, {"name": "S", "type": "secret_text"}]
    patch = {
        "bindings": [
            {"name": "KV", "type": "kv_namespace"},
            {"name": "N", "type": "secret_text", "text": "new"},
        ],
        "compatibility_flags": ["nodejs_compat"],
    }
    patched = api.result("PATCH", "/scripts/w/settings", patch)
    assert patched["bindings"] == [kv, {"name": "N", "type": "secret_text"}]
    assert patched["compatibility_flags"] == ["nodejs_compat"]
    newest = api.result("GET", "/scripts/w/versions")["items"][0]["id"]
    assert running(api) == [newest]
    script = {"logpush": True, "tags": ["a"], "observability": {"enabled": False}}
    assert api.result("PATCH", "/scripts/w/script-settings", script) == {
        **script,
        "tail_consumers": [],
    }
    assert api.result("GET", "/scripts/w/script-settings")["tags"] == ["a"]
    assert api.result("GET", "/scripts/w/versions")["items"][0]["id"] == newest


def test_migrations_are_applied_once_and_their_classes_can_be_bound(api):
    objects = {"name": "O", "type": "durable_object_namespace", "class_name": "A"}
    source = f"export class A {{}}\n{HELLO}"
    assert api.upload("/scripts/w", {"bindings": [objects]}, source).code == 10061
    first = {
        "bindings": [objects],
        "migrations": {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["A"]}]},
    }
    assert api.upload("/scripts/w", first).code == 10064  # A is not exported
    assert api.upload("/scripts/w", first, source).status == 200
    service = api.result("GET", "/services/w")
    assert service["default_environment"]["script"]["migration_tag"] == "v1"
    assert api.upload("/scripts/w", first, source).code == 10079
    assert api.upload("/scripts/w", {"bindings": [objects]}, source).status == 200
    again = {"old_tag": "v1", "new_tag": "v2", "steps": [{"new_classes": ["A"]}]}
    assert api.upload("/scripts/w", {"migrations": again}, source).code == 10021
    heard = api.upload("/scripts/w/versions", first, source, method="POST")
    assert heard.code == 10211
    path = "/accounts/local/workers/durable_objects/namespaces?per_page=1000&page="
    (namespace,) = api.server.ask(f"{path}1").envelope()["result"]
    assert (namespace["script"], namespace["class"]) == ("w", "A")
    assert api.server.ask(f"{path}2").envelope()["result"] == []


@pytest.mark.parametrize("name", ["..", "a/b", "", "A" * 101, "A B", "1", "A\0"])
def test_a_class_has_a_name_that_a_file_can_have(api, name):
    source = f"class A {{}} export {{ A as {json.dumps(name)} }};\n{HELLO}"
    migrations = {"new_tag": "v1", "steps": [{"new_sqlite_classes": [name]}]}
    heard = api.upload("/scripts/w", {"migrations": migrations}, source)
    assert heard.code == 10021
    assert "identifier" in heard.envelope()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("source", "number"),
    [("", 10021), ("1 + 1", 10021), ("export default {", None)],
)
def test_code_without_exports_is_refused_and_a_syntax_left_to_the_engine(
    api, source, number
):
    assert api.upload("/scripts/w", source=source).code == number


def test_a_worker_that_others_use_is_deleted_only_by_force(api):
    source = f"export class A {{}}\n{HELLO}"
    migrations = {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["A"]}]}
    api.upload("/scripts/w", {"migrations": migrations}, source)
    objects = {
        "name": "O",
        "type": "durable_object_namespace",
        "class_name": "A",
        "script_name": "w",
    }
    api.deploy("user", {"bindings": [objects]})
    api.deploy(
        "caller", {"bindings": [{"name": "W", "type": "service", "service": "w"}]}
    )
    references = api.result("GET", "/scripts/w/references")
    assert [one["name"] for one in references["services"]["incoming"]] == ["caller"]
    assert [one["service"] for one in references["durable_objects"]] == ["user"]
    assert api.ask("DELETE", "/services/w?force=false").code == 10064
    assert running(api) is not None
    assert api.fleet.forgotten == []
    api.result("DELETE", "/services/w?force=true")
    assert running(api) is None
    assert api.fleet.forgotten == ["w"]
    assert api.ask("GET", "/services/w").code == 10007


def test_a_service_that_is_not_there_cannot_be_bound(api):
    service = {"name": "W", "type": "service", "service": "nobody"}
    assert api.upload("/scripts/w", {"bindings": [service]}).code == 10143


def test_subdomains_are_turned_on_off_and_renamed(api):
    api.deploy("w")
    wanted = {"enabled": False}
    path = "/scripts/w/subdomain"
    assert api.result("POST", path, wanted) == {
        "enabled": False,
        "previews_enabled": False,
    }
    assert "url" not in api.result("GET", "/workers/w")["subdomain"]
    assert api.result("GET", "/subdomain") == {"subdomain": "local"}
    assert api.result("PUT", "/subdomain", {"subdomain": "lab"}) == {"subdomain": "lab"}
    assert api.ask("PUT", "/subdomain", {"subdomain": "a.b"}).status == 400
    assert api.fleet.routed == 2


def test_routes_domains_and_schedules_are_put(api):
    api.deploy("w")
    api.deploy("v")
    route = [{"pattern": "lab.example/api/*", "zone_name": "lab.example"}]
    (made,) = api.result("PUT", "/scripts/w/routes", route)
    assert made["pattern"] == "lab.example/api/*"
    assert api.ask("PUT", "/scripts/v/routes", route).code == 10020
    assert api.ask("PUT", "/scripts/v/routes", [{"pattern": "x.org/"}]).status == 400
    origins = [{"hostname": "app.lab.example"}]
    changes = api.result("POST", "/scripts/w/domains/changeset", origins)
    assert [one["hostname"] for one in changes["added"]] == ["app.lab.example"]
    records = {"origins": origins, "override_existing_origin": False}
    (domain,) = api.result("PUT", "/scripts/w/domains/records", records)
    assert domain["service"] == "w"
    assert api.ask("PUT", "/scripts/v/domains/records", records).code == 100116
    query = "page=0&per_page=5&service=w&environment=production"
    assert api.result("GET", f"/domains/records?{query}") == [domain]
    assert api.result("GET", f"/domains/{domain['id']}") == domain
    attached = {"hostname": "x.lab.example", "service": "v", "zone_id": "z1"}
    made = api.result("PUT", "/domains", attached)
    api.result("DELETE", f"/domains/{made['id']}")
    crons = [{"cron": "*/5  * * * *"}, {"cron": "0 0 1 1 MON"}]
    schedules = api.result("PUT", "/scripts/w/schedules", crons)["schedules"]
    assert [one["cron"] for one in schedules] == ["*/5 * * * *", "0 0 1 1 MON"]
    assert api.ask("PUT", "/scripts/w/schedules", [{"cron": "every day"}]).code == 10100
    assert len(api.result("GET", "/scripts/w/schedules")["schedules"]) == 2


def test_tails_begin_and_end(api):
    api.deploy("w")
    tail = api.result("POST", "/scripts/w/tails", {"filters": [{"query": "x"}]})
    assert tail["url"] == f"ws://127.0.0.1:1/{tail['id']}"
    assert [one["id"] for one in api.result("GET", "/scripts/w/tails")] == [tail["id"]]
    api.result("DELETE", f"/scripts/w/tails/{tail['id']}")
    assert api.ask("DELETE", f"/scripts/w/tails/{tail['id']}").status == 404
    assert api.result("POST", "/scripts/w/tails")["expires_at"].endswith("Z")


def test_workers_are_found_by_name_and_id(api):
    for name in ("b-one", "a-one", "two"):
        api.deploy(name)
    found = api.result("GET", "/scripts-search?name=one&order_by=name")
    assert [one["script_name"] for one in found] == ["a-one", "b-one"]
    (same,) = api.result("GET", f"/scripts-search?id={found[1]['id']}&name=one")
    assert same == found[1]
    assert api.result("GET", "/scripts-search?page=2") == []


@pytest.mark.parametrize("name", ["A", "-a", "a.b", "a" * 64, "ä", "..", "a%2Fb"])
def test_a_name_that_cannot_be_a_label_is_refused(api, name):
    assert api.upload(f"/scripts/{name.replace('ä', '%C3%A4')}").code == 10016


def test_what_a_worker_is_survives_a_restart(tmp_path):
    with workers_api(tmp_path) as api:
        version = api.deploy("w", {"bindings": [SECRET_V1]})
    with workers_api(tmp_path) as api:
        api.catalog.sweep()
        assert api.catalog.version(version).main_module == "index.js"
        assert api.ask("GET", "/scripts/w").body == HELLO.encode()


def test_the_newer_routes_name_workers_by_id_and_take_modules_as_json(api):
    made = api.result(
        "POST", "/workers", {"name": "w", "subdomain": {"enabled": False}}
    )
    assert "url" not in made["subdomain"]
    assert api.ask("POST", "/workers", {"name": "w"}).code == 10040
    path = f"/workers/{made['id']}"
    module = {
        "name": "index.js",
        "content_type": ES_MODULE,
        "content_base64": b64encode(HELLO.encode()).decode(),
    }
    said = {"main_module": "index.js", "modules": [module]}
    version = api.result("POST", f"{path}/versions", said)
    assert running(api) is None
    assert [one["id"] for one in api.result("GET", f"{path}/versions")] == [
        version["id"]
    ]
    shown = api.result("GET", f"{path}/versions/{version['id']}?include=modules")
    assert shown["modules"] == [module]
    newer = api.result("POST", f"{path}/versions?deploy=true", said)
    assert running(api) == [newer["id"]]
    damaged = {**said, "modules": [{**module, "content_base64": "!"}]}
    assert api.ask("POST", f"{path}/versions", damaged).code == 10021
    patched = api.result("PATCH", path, {"subdomain": {"enabled": True}, "tags": ["a"]})
    assert patched["tags"] == ["a"]
    assert patched["subdomain"]["enabled"] is True
    api.result("DELETE", path)
    assert api.ask("GET", path).code == 10007


@pytest.mark.parametrize(
    "said",
    [
        {"observability": {"x": "y" * 20_000}},
        {"tags": ["t" * 20_000]},
        {"annotations": {f"workers/{n}": "x" for n in range(20)}},
        {"migrations": {"steps": [{"new_classes": [f"C{n}" for n in range(20_000)]}]}},
        {"bindings": [{"name": "K", "type": "ai", "more": "x" * 3_000_000}]},
    ],
)
def test_the_catalog_does_not_grow_without_bounds(api, said):
    assert api.upload("/scripts/w", said).code == 10021
    assert api.ask("GET", "/scripts/w").code == 10007


def test_deploys_at_the_same_time_do_not_mix(api):
    with ThreadPoolExecutor(8) as pool:
        names = [f"w{number % 2}" for number in range(16)]
        versions = list(pool.map(api.deploy, names))
    for name in ("w0", "w1"):
        listed = api.result("GET", f"/scripts/{name}/versions")["items"]
        assert [one["number"] for one in listed] == list(range(8, 0, -1))
        assert {one["id"] for one in listed} <= set(versions)
        assert running(api, name) == [listed[0]["id"]]


def test_a_full_disk_changes_nothing_and_is_got_over(api):
    """RLIMIT_FSIZE stands for the disk: writes over it fail alike."""
    version = api.deploy("w")
    before = api.catalog.state
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        assert api.upload("/scripts/w", source=f"{HELLO} // {'x' * 200}").status == 500
        assert api.ask("PUT", "/scripts/w/secrets", SECRET_V1).status == 500
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert api.catalog.state == before
    assert running(api) == [version]
    assert running(api) != [api.deploy("w")]
