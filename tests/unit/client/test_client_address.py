"""Commands find the node that is meant, and keep its token to its user."""

import os
import stat

import pytest

from selfedge.client.address import Address, locate, published, read, write_login
from selfedge.errors import StorageError, UsageError

HERE = Address(url="http://127.0.0.1:1/client/v4", token="t", account="local")
ENVIRON = {
    "CLOUDFLARE_API_BASE_URL": "http://127.0.0.1:2/client/v4/",
    "CLOUDFLARE_API_TOKEN": "e",
}


def test_a_published_address_is_there_while_the_node_runs(tmp_path):
    with published(tmp_path, HERE):
        assert read(tmp_path) == HERE
        assert [path.name for path in tmp_path.iterdir()] == ["api.json"]
    assert list(tmp_path.iterdir()) == []


def test_only_its_user_may_read_it_even_where_another_lay(tmp_path):
    (tmp_path / "api.json").write_text("old")
    (tmp_path / "api.new").write_text("half-written by a run that was killed")
    (tmp_path / "api.json").chmod(0o666)
    before = os.umask(0)
    try:
        with published(tmp_path, HERE):
            mode = (tmp_path / "api.json").stat().st_mode
            assert stat.S_IMODE(mode) == 0o600
            assert read(tmp_path) == HERE
    finally:
        os.umask(before)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with (
        pytest.raises(StorageError, match=r"api\.json.*--no-api"),
        published(tmp_path / "absent", HERE),
    ):
        pass


def test_the_nearest_node_is_found_from_a_folder_below(tmp_path):
    state, below = tmp_path / ".selfedge", tmp_path / "a" / "b"
    state.mkdir()
    below.mkdir(parents=True)
    with published(state, HERE):
        assert locate(below, {}) == HERE


def test_a_named_state_wins_then_the_environment(tmp_path):
    state = tmp_path / ".selfedge"
    state.mkdir()
    with published(state, HERE):
        assert locate(tmp_path, ENVIRON, state) == HERE
        assert locate(tmp_path, ENVIRON) == Address(
            url="http://127.0.0.1:2/client/v4", token="e", account=""
        )
        assert locate(tmp_path, {"CLOUDFLARE_API_TOKEN": "e"}) == HERE


def test_the_exports_lead_back_to_the_node():
    words = " ".join(HERE.exports()).replace("export ", "").split()
    assert locate(None, dict(word.split("=", 1) for word in words)) == HERE


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no node runs in .* selfedge dev"),
        ({**ENVIRON, "CLOUDFLARE_API_TOKEN": ""}, "CLOUDFLARE_API_TOKEN is not"),
        ({**ENVIRON, "CLOUDFLARE_API_BASE_URL": "localhost:1"}, "must be a URL"),
    ],
)
def test_what_is_missing_is_said(tmp_path, environ, said):
    with pytest.raises(UsageError, match=said):
        locate(tmp_path, environ)


def test_a_named_state_without_a_node_is_said(tmp_path):
    with pytest.raises(UsageError, match="--state-dir"):
        locate(tmp_path, ENVIRON, tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff", b'{"url": 1}'])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "api.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"cannot read .*api\.json"):
        read(tmp_path)


LOGIN = Address(url="http://127.0.0.1:9/client/v4", token="l", account="of-login")


def test_a_node_of_login_is_meant_where_no_other_is(tmp_path):
    environ = {"HOME": str(tmp_path)}
    write_login(LOGIN, environ)
    assert locate(tmp_path, environ) == LOGIN
    assert locate(tmp_path, {**environ, "SELFEDGE_ACCOUNT": "x"}).account == "x"
    state = tmp_path / ".selfedge"
    state.mkdir()
    with published(state, HERE):
        assert locate(tmp_path, environ) == HERE
        assert locate(tmp_path, environ, dev=False) == LOGIN
        own = {"SELFEDGE_URL": "http://127.0.0.1:3", "SELFEDGE_TOKEN": "s"}
        assert locate(tmp_path, {**environ, **ENVIRON, **own}) == Address(
            url="http://127.0.0.1:3/client/v4", token="s", account=""
        )


def test_a_directory_without_its_token_takes_that_of_the_environment_or_login(tmp_path):
    environ = {"HOME": str(tmp_path)}
    with published(tmp_path, Address(url=LOGIN.url, token="", account="a")):
        with pytest.raises(UsageError, match="selfedge login http"):
            locate(tmp_path, environ, tmp_path)
        given = {**environ, "SELFEDGE_TOKEN": "s"}
        assert locate(tmp_path, given, tmp_path).token == "s"
        write_login(LOGIN, environ)
        assert locate(tmp_path, environ, tmp_path) == LOGIN


def test_nothing_is_deployed_to_a_node_of_dev(tmp_path):
    state = tmp_path / ".selfedge"
    state.mkdir()
    with (
        published(state, HERE),
        pytest.raises(UsageError, match="which node of selfedge serve"),
    ):
        locate(tmp_path, {"HOME": str(tmp_path)}, dev=False)
