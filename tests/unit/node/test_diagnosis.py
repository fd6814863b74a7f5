"""What `selfedge doctor` finds, and what it says to do."""

import json
import shutil
import socket

import pytest
from click.testing import CliRunner

from selfedge.cli.doctor import command
from selfedge.node.diagnosis import machine, parts


def test_a_port_in_use_is_told_with_its_owner():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        number = one.getsockname()[1]
        found = machine.port(number)
    assert found.state == "warn"
    assert "pid" in found.found
    assert "--listen" in found.remedy
    assert machine.port(number).state == "ok"


def test_a_folder_that_is_not_there_yet_is_measured_by_its_parent(tmp_path):
    found = machine.disk("disk", tmp_path / "a" / "b")
    assert str(tmp_path) in found.found
    assert "MiB free" in found.found


def test_little_room_is_told(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = machine.disk("disk", tmp_path)
    assert (found.state, found.found.split(" at ")[0]) == ("warn", "1 MiB free")
    assert "Make room" in found.remedy


def test_a_machine_without_proc_is_told(tmp_path):
    assert machine.proc(tmp_path).state == "warn"
    assert machine.proc().state == "ok"


def test_user_namespaces_that_are_off_are_told(tmp_path, monkeypatch):
    setting = tmp_path / "sys/user/max_user_namespaces"
    setting.parent.mkdir(parents=True)
    setting.write_text("0\n")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    found = machine.namespaces(tmp_path)
    assert (found.state, found.found) == ("warn", "user.max_user_namespaces is 0")
    setting.write_text("1000\n")
    assert machine.namespaces(tmp_path).state == "ok"


def test_an_engine_that_is_not_there_is_not_fetched(tmp_path):
    for found in (parts.engine_starts(tmp_path), parts.sandboxed(tmp_path)):
        assert found.state == "warn"
        assert "selfedge setup" in found.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_does_not_answer_is_bad(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFEDGE_URL", "http://127.0.0.1:1/client/v4")
    monkeypatch.setenv("SELFEDGE_TOKEN", "x")
    found = parts.node(None)
    assert found.state == "bad"
    assert "does not answer" in found.found


@pytest.mark.slow
def test_json_tells_every_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SELFEDGE_CACHE_DIR", str(tmp_path))
    done = CliRunner().invoke(command, ["--json", "--port", "8787"])
    told = json.loads(done.output)
    assert {"platform", "/proc", "engine", "models", "port 8787", "node"} <= {
        one["check"] for one in told["checks"]
    }
    assert all(one["remedy"] for one in told["checks"] if one["state"] != "ok")
