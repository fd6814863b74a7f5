"""`selfedge kv` against the real API, as a person types it."""

import json

import pytest
from click.testing import CliRunner

from harness.api import TOKEN, bindings_server
from selfedge.bindings.kv import BINDING
from selfedge.bindings.kv.commands import group
from selfedge.errors import ApiError, UsageError


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with bindings_server([BINDING], tmp_path_factory.mktemp("kv")) as server:
        yield server


@pytest.fixture
def kv(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ = {
        "SELFEDGE_URL": server.address.url,
        "SELFEDGE_TOKEN": TOKEN,
        "SELFEDGE_ACCOUNT": "local",
    }

    def run(*arguments, **options):
        found = CliRunner().invoke(group, arguments, env=environ, **options)
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found

    return run


@pytest.fixture
def ns(kv, request):
    made = kv("namespace", "create", f"for {request.node.name}"[:500], "--json")
    return json.loads(made.stdout)["id"]


def test_namespaces_are_made_listed_renamed_and_deleted(kv):
    made = kv("namespace", "create", "first title")
    assert 'id = "' in made.stdout
    assert "first title" in kv("namespace", "list").stdout
    kv("namespace", "rename", "first title", "--new-name", "second title")
    listed = json.loads(kv("namespace", "list", "--json").stdout)
    assert "second title" in [one["title"] for one in listed]
    asked = kv("namespace", "delete", "second title", input="n\n")
    assert asked.exit_code == 1
    kv("namespace", "delete", "second title", "-y")
    assert "second title" not in kv("namespace", "list").stdout
    with pytest.raises(UsageError, match="second title"):
        kv("namespace", "delete", "second title", "-y")


def test_a_key_is_put_read_listed_and_deleted(kv, ns):
    which = ("--namespace-id", ns)
    kv("key", "put", "a/b c", "välue", "--metadata", '{"m": 1}', *which)
    assert kv("key", "get", "a/b c", *which).stdout_bytes == "välue".encode()
    kv("key", "put", "other", "v", "--ttl", "100", *which)
    assert kv("key", "list", *which).stdout.split("\n") == ["a/b c", "other", ""]
    listed = json.loads(kv("key", "list", "--json", "--prefix", "a", *which).stdout)
    assert listed == [{"name": "a/b c", "metadata": {"m": 1}}]
    kv("key", "delete", "a/b c", *which)
    with pytest.raises(ApiError, match="key not found") as missing:
        kv("key", "get", "a/b c", *which)
    assert missing.value.number == 10009


@pytest.mark.parametrize("metadata", [(), ("--metadata", "[1]")])
def test_a_file_becomes_a_value_byte_for_byte(kv, ns, tmp_path, metadata):
    value = bytes(range(256)) * 1000
    (tmp_path / "value.bin").write_bytes(value)
    kv("key", "put", "k", "--path", "value.bin", "--namespace-id", ns, *metadata)
    assert kv("key", "get", "k", "--namespace-id", ns).stdout_bytes == value


def test_a_binding_of_the_wrangler_file_names_its_namespace(kv, ns, tmp_path):
    (tmp_path / "index.js").write_text("export default {}")
    (tmp_path / "wrangler.toml").write_text(
        'name = "app"\nmain = "index.js"\ncompatibility_date = "2026-01-01"\n'
        f'[[kv_namespaces]]\nbinding = "KV"\nid = "{ns}"\n'
    )
    kv("key", "put", "k", "v", "--binding", "KV")
    assert kv("key", "get", "k", "--text", "--namespace-id", ns).stdout == "v\n"
    with pytest.raises(UsageError, match="no KV binding 'NOPE'"):
        kv("key", "get", "k", "--binding", "NOPE")


def test_of_two_ids_one_must_be_chosen(kv, ns, tmp_path):
    (tmp_path / "index.js").write_text("export default {}")
    (tmp_path / "wrangler.toml").write_text(
        'name = "app"\nmain = "index.js"\ncompatibility_date = "2026-01-01"\n'
        f'[[kv_namespaces]]\nbinding = "KV"\nid = "{ns}"\npreview_id = "absent"\n'
    )
    kv("key", "put", "k", "v", "--binding", "KV", "--no-preview")
    with pytest.raises(UsageError, match="--preview or --no-preview"):
        kv("key", "get", "k", "--binding", "KV")
    with pytest.raises(ApiError, match="namespace not found: 'absent'"):
        kv("key", "get", "k", "--binding", "KV", "--preview")


def test_many_keys_go_in_and_out_by_files(kv, ns, tmp_path):
    names = [f"k{number:04}" for number in range(1500)]
    pairs = [{"key": name, "value": name[1:]} for name in names]
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    which = ("--namespace-id", ns)
    assert "1500" in kv("bulk", "put", "pairs.json", *which).stdout
    listed = kv("key", "list", "--json", *which).stdout
    (tmp_path / "keys.json").write_text(listed)
    assert [one["name"] for one in json.loads(listed)] == names
    got = json.loads(kv("bulk", "get", "keys.json", *which).stdout)
    assert got == {name: name[1:] for name in names}
    kv("bulk", "delete", "keys.json", "--force", *which)
    assert kv("key", "list", *which).stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("key", "put", "k", "v"), "--namespace-id and --binding"),
        (("key", "put", "k", "--namespace-id", "x"), "VALUE and --path"),
        (("namespace", "rename", "--new-name", "x"), "TITLE and --namespace-id"),
        (("bulk", "put", "absent.json", "--namespace-id", "x"), "cannot read absent"),
        (("bulk", "put", "bad.json", "--namespace-id", "x"), "is not JSON"),
        (("bulk", "put", "object.json", "--namespace-id", "x"), "JSON array"),
        (("bulk", "get", "numbers.json", "--namespace-id", "x"), "must list keys"),
    ],
)
def test_what_is_wrong_is_said(kv, tmp_path, arguments, said):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "object.json").write_text("{}")
    (tmp_path / "numbers.json").write_text("[1]")
    with pytest.raises(UsageError, match=said):
        kv(*arguments)
