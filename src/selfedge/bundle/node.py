"""Which modules of Node.js a Worker may import, by its compatibility date and flags."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

NodeMode: TypeAlias = Literal["none", "als", "v1", "v2"]
"""`v1`: only with `node:`; `v2`: bare names too; `als`: AsyncLocalStorage alone."""

V2_DATE = "2024-09-23"
"""From here on the flag `nodejs_compat` means `v2`."""

DEFAULT_DATE = "2026-08-04"
"""From here on the engine acts as if the flag were set."""

# fmt: off
BUILTINS = frozenset({
    "assert", "assert/strict", "async_hooks", "buffer", "child_process", "cluster",
    "console", "constants", "crypto", "dgram", "diagnostics_channel", "dns",
    "dns/promises", "domain", "events", "fs", "fs/promises", "http", "http2", "https",
    "inspector", "inspector/promises", "module", "net", "os", "path", "path/posix",
    "path/win32", "perf_hooks", "process", "punycode", "querystring", "readline",
    "readline/promises", "repl", "stream", "stream/consumers", "stream/promises",
    "stream/web", "string_decoder", "sys", "timers", "timers/promises", "tls",
    "trace_events", "tty", "url", "util", "util/types", "v8", "vm", "wasi",
    "worker_threads", "zlib",
})
# fmt: on
"""Names that may stand without `node:`."""


SINCE = {
    "_http_agent": "2025-08-15",
    "child_process": "2026-03-17",
    "cluster": "2025-12-04",
    "console": "2025-09-21",
    "dgram": "2026-01-29",
    "domain": "2025-12-04",
    "fs": "2025-09-15",
    "http": "2025-08-15",
    "http2": "2025-09-01",
    "https": "2025-08-15",
    "inspector": "2026-01-29",
    "inspector/promises": "2026-01-29",
    "os": "2025-09-15",
    "perf_hooks": "2026-03-17",
    "punycode": "2025-12-04",
    "readline": "2026-03-17",
    "readline/promises": "2026-03-17",
    "repl": "2026-03-17",
    "sqlite": "2026-01-29",
    "trace_events": "2025-12-04",
    "tty": "2026-03-17",
    "v8": "2026-03-17",
    "vm": "2025-10-01",
    "wasi": "2025-12-04",
    "worker_threads": "2026-03-17",
}
"""First compatibility date with the module, tried on the pinned engine."""


def node_mode(date: str, flags: Sequence[str]) -> NodeMode:
    """Return what the engine offers a Worker with this date and these flags."""
    asked, by_default = "nodejs_compat" in flags, date >= DEFAULT_DATE
    second = "nodejs_compat_v2" in flags or (asked and date >= V2_DATE) or by_default
    if second and "no_nodejs_compat_v2" not in flags:
        return "v2"
    if asked or (by_default and "no_nodejs_compat" not in flags):
        return "v1"
    return "als" if "nodejs_als" in flags else "none"


def is_builtin(specifier: str) -> bool:
    """Tell whether `specifier` names a module of Node.js."""
    return specifier.startswith("node:") or specifier in BUILTINS


def engine_modules(mode: NodeMode) -> str | None:
    """Return a regular expression for the imports that the engine answers itself."""
    if mode == "none":
        return None
    if mode == "als":
        return r"^node:async_hooks$"
    if mode == "v1":
        return r"^node:"
    return rf"^(node:.*|{'|'.join(sorted(re.escape(name) for name in BUILTINS))})$"


def missing_until(specifier: str, date: str, flags: Sequence[str]) -> str | None:
    """Return the date that `specifier` waits for; None: the engine has it."""
    since = SINCE.get(specifier.removeprefix("node:"))
    if since is None or date >= since:
        return None
    if any(flag.startswith("enable_nodejs_") for flag in flags):
        return None  # single modules are switched on by flags of their own
    return since


def stub(specifier: str, since: str) -> str:
    """Return a CommonJS module in whose place every function throws.

    Packages often import a module that they never use in a Worker.
    """
    return f"""\
const none = new Set(["__esModule", "then", "default"]);
module.exports = Object.create(new Proxy({{}}, {{
  get(_, name) {{
    if (typeof name === "symbol" || none.has(name)) return undefined;
    return function () {{
      throw new Error("{specifier}: " + name +
        "() needs compatibility_date {since} or later");
    }};
  }},
}}));
"""


def bridge(specifier: str) -> str:
    """Return a CommonJS module that hands on an ES module, so that `require` works."""
    return f'import whole from "{specifier}";\nmodule.exports = whole;\n'


def remedy(specifier: str, mode: NodeMode) -> str:
    """Say what makes the import of a Node.js module work."""
    if mode == "v1":
        return (
            f'Write "node:{specifier}", or set compatibility_date to {V2_DATE} or later'
        )
    return (
        f'"{specifier}" is a module of Node.js: '
        'add compatibility_flags = ["nodejs_compat"] to the wrangler file'
        f" (with compatibility_date {V2_DATE} or later)"
    )
