"""Expressions, held against the engine's own scheduler, `/workerd/cron.js`."""

import os
import socket
import subprocess
from contextlib import ExitStack

import pytest

from harness import fetch
from selfedge.bindings.cron.errors import InvalidCron
from selfedge.bindings.cron.expression import parse
from selfedge.settings import cache_dir
from selfedge.workerd.config import encode
from selfedge.workerd.install import engine

DATE = "2026-10-01"
ASKING = """
import { next, parse } from "./cron.js";
const told = (text, after) => {
  try { return next(parse(text), after * 1000) / 1000; }
  catch { return "refused"; }
};
export default {
  async fetch(request) {
    return Response.json((await request.json()).map((one) => told(...one)));
  },
};
"""
MINUTES = ("*", "0", "*/7", "3-50/9", "59", "10/20", "1,2,5-8", "60", "5-1", "1,*", "?")
HOURS = ("*", "0", "4,16", "*/6", "23", "24", "1-2-3", "")
DAYS = (
    *("*", "1", "13", "29", "31", "1-7", "L", "LW", "L-3", "L-2W", "L-27W", "L-30W"),
    *("1W", "2W", "15W", "28W", "30W", "31W", "L-31", "0", "32W", "W", "l"),
)
MONTHS = ("*", "2", "JAN-JUL/2", "feb,dec", "1-12/5", "13", "0", "FEB-JAN")
WEEKDAYS = (
    *("*", "1", "7", "MON", "SUN-TUE", "2-6", "L", "1L", "FRIL", "2#1", "sat#5"),
    *("0", "8", "MON#6", "MON#", "6L,1", "SAT-SUN", "#2"),
)
STARTS = (0, 951_782_399, 1_795_575_600, 1_798_761_599, 4_107_542_399)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """Return what tells the next time of each (expression, seconds)."""
    folder = tmp_path_factory.mktemp("cron")
    parts = engine(cache_dir(), os.environ)
    worker = {
        "modules": [
            {"name": "ask.js", "esModule": ASKING},
            {"name": "cron.js", "bundled": "/workerd/cron.js"},
        ],
        "compatibilityDate": DATE,
        "compatibilityFlags": ["service_binding_extra_handlers"],
    }
    config = {
        "services": [{"name": "ask", "worker": worker}],
        "sockets": [{"name": "http", "service": {"name": "ask"}}],
    }
    path = folder / "config.bin"
    path.write_bytes(encode(config, parts.schema))
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        log = stack.enter_context((folder / "log").open("wb"))
        process = subprocess.Popen(
            [
                *(parts.workerd, "serve", "-b", "--experimental", path),
                f"--socket-fd=http={listener.fileno()}",
            ],
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield lambda asked: fetch(url, json_body=asked).json()


def ours(text, after):
    try:
        return parse(text).next(after)
    except InvalidCron:
        return "refused"


def expressions():
    """Yield each day with each weekday, and each of the others with some days."""
    for at, day in enumerate(DAYS):
        for weekday in WEEKDAYS:
            yield f"0 12 {day} {MONTHS[at % 5]} {weekday}"
    for at, minute in enumerate(MINUTES):
        for hour in HOURS:
            for month in MONTHS:
                yield f"{minute} {hour} {DAYS[at]} {month} *"


@pytest.mark.slow
def test_each_expression_means_what_the_engine_takes_it_for(oracle):
    asked = [(text, after) for text in expressions() for after in STARTS[:2]]
    asked += [(text, after) for text in list(expressions())[::9] for after in STARTS]
    told = oracle(asked)
    assert told.count("refused") < len(told) * 0.9
    differ = [
        (text, after, theirs, mine)
        for (text, after), theirs in zip(asked, told, strict=True)
        if theirs != (mine := ours(text, after))
    ]
    assert differ == []
