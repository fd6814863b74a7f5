"""The page for what went wrong."""

import json

from selfedge.edge.problem import Problem

PROBLEM = Problem(
    where="hello: GET /",
    title="TypeError: <script>alert(1)</script>",
    detail="    at fetch (src/index.ts:3:9)",
    hint="Save to try again.",
)


def test_a_browser_gets_html_in_which_nothing_of_the_error_is_markup():
    body, content_type = PROBLEM.answer("text/html,application/xhtml+xml")
    assert content_type == "text/html; charset=utf-8"
    assert "&lt;script&gt;" in body
    assert "<script>" not in body
    assert "src/index.ts:3:9" in body


def test_a_program_gets_json():
    body, content_type = PROBLEM.answer("application/json")
    assert content_type == "application/json"
    assert json.loads(body)["error"]["detail"] == ["    at fetch (src/index.ts:3:9)"]


def test_a_terminal_gets_text():
    body, content_type = PROBLEM.answer("*/*")
    assert content_type == "text/plain; charset=utf-8"
    assert body.splitlines()[0] == "hello: GET /"
    assert body.endswith("Save to try again.\n")
