"""What the engine says when it does not start."""

import json

from selfedge.supervisor.startup import rules_fault, said


def line(message):
    return json.dumps({"level": "error", "source": "entry.rs:170", "message": message})


def test_an_exception_at_the_top_level_is_told_without_what_follows_from_it():
    lines = [
        line("service worker:app: Uncaught TypeError: no\n  at app.js:6:7"),
        line('Socket "client" refers to service "worker:app" with a named entrypoint'),
    ]
    assert said(lines) == "TypeError: no\n  at app.js:6:7"


def test_lines_that_are_not_structured_stay():
    assert said(["Fatal: out of memory", ""]) == "Fatal: out of memory"


def test_if_nothing_else_was_said_the_consequence_is():
    assert said([line('Socket "client": bind(): in use')]).startswith("Socket")


def test_a_warning_about_rules_of_static_files_is_for_the_developer():
    text = "service assets:app: Found 1 invalid redirect rule(s):\n  at _redirects:1"
    line = rules_fault(json.dumps({"message": text, "level": "warn"}))
    assert json.loads(line) == {
        "level": "warn",
        "message": "[app] Found 1 invalid redirect rule(s):\n  at _redirects:1",
    }
    assert rules_fault(json.dumps({"message": "service assets:app: else"})) is None
    assert rules_fault("service worker:app: Uncaught Error") is None
