"""Answers come in Cloudflare's envelope."""

import json

from selfedge.binding import Page
from selfedge.control.envelope import failure, success


def test_a_result():
    assert json.loads(success({"a": 1})) == {
        "result": {"a": 1},
        "success": True,
        "errors": [],
        "messages": [],
    }


def test_a_page_brings_its_numbers():
    assert json.loads(success(Page(items=[1], info={"cursor": ""}))) == {
        "result": [1],
        "success": True,
        "errors": [],
        "messages": [],
        "result_info": {"cursor": ""},
    }


def test_a_failure_says_code_and_message_whatever_bytes_are_in_it():
    assert json.loads(failure(7003, "no \udcff")) == {
        "result": None,
        "success": False,
        "errors": [{"code": 7003, "message": "no ?"}],
        "messages": [],
    }


def test_numbers_that_json_lacks_become_null():
    assert json.loads(success([float("nan"), float("inf")]))["result"] == [None, None]
