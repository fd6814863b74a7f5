"""The engine's log, as a developer reads it."""

import json

from selfedge.supervisor.console import Console

UNCAUGHT = "uncaught exception; source = Uncaught (in promise); stack = "
WORKER = "workerd/io/worker.c++:3042"


def heard(*lines):
    shown = []
    console = Console(
        lambda level, text: shown.append((level, text)),
        lambda text: text.replace("hello.js:1:5", "src/index.ts:7:3"),
    )
    for line in lines:
        console.hear(line if isinstance(line, str) else json.dumps(line))
    return shown, console


def test_console_calls_keep_their_level_and_get_typescript_positions():
    shown, _ = heard(
        {"level": "warn", "message": "careful"},
        {"level": "error", "message": "Error: x\n    at fetch (hello.js:1:5)"},
    )
    assert shown == [
        ("warn", "careful"),
        ("error", "Error: x\n    at fetch (src/index.ts:7:3)"),
    ]


def test_an_uncaught_exception_is_shown_once_though_its_caller_sees_it_too():
    stack = "Error: boom\n    at D.alarm (hello.js:1:5)"
    shown, console = heard(
        {"level": "info", "source": WORKER, "message": UNCAUGHT + stack},
        {"level": "info", "source": WORKER, "message": UNCAUGHT + "Error: boom"},
    )
    assert shown == [
        ("error", "[hello] Uncaught Error: boom\n    at D.alarm (src/index.ts:7:3)")
    ]
    assert console.stack_of("Error: boom") == (
        "Error: boom\n    at D.alarm (src/index.ts:7:3)",
        True,
    )


def test_what_our_own_modules_throw_is_the_workers_to_catch():
    stack = "Error: no\n    at Object.fetch (selfedge-outbound.js:9:1)"
    shown, _ = heard({"level": "info", "source": WORKER, "message": UNCAUGHT + stack})
    assert shown == []


def test_the_engines_own_words_are_for_debugging():
    shown, _ = heard(
        {"level": "error", "source": "workerd/x.c++:1", "message": "hm"}, "not json"
    )
    assert shown == [("debug", "engine: hm"), ("debug", "not json")]
