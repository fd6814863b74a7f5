"""From frames of a bundle to places in TypeScript."""

import json
from pathlib import Path

import pytest
from bundle_project import Project, Run
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bundle import Origin, SourceMap, remap
from selfedge.bundle.vlq import encode_vlq
from selfedge.errors import BuildError

THROWS = """import { inner } from "./deep/inner";

interface Unused {
  a: string;
}

class Box {
  async open(): Promise<never> {
    await null;
    return inner("no" as string);
  }
}

export default {
  async fetch(): Promise<Response> {
    try {
      return await new Box().open();
    } catch (error) {
      return new Response((error as Error).stack);
    }
  },
};
"""
INNER = """type T = string;

export function inner(why: T): never {
  throw new Error(why);
}
"""


@pytest.mark.parametrize("minify", [False, True])
def test_an_exception_in_the_engine_maps_to_typescript(
    project: Project, run: Run, *, minify: bool
) -> None:
    project.write({"src/index.ts": THROWS, "src/deep/inner.ts": INNER})
    made = project.bundle(minify=minify)
    assert made.source_map
    maps = {"hello.js": SourceMap.parse(made.source_map)}
    stack = remap(run(made), maps, project.root).splitlines()
    places = [line.rpartition("(")[2].rstrip(")") for line in stack[1:]]
    assert stack[0] == "Error: no"
    assert places == [
        "src/deep/inner.ts:4:9",
        "src/index.ts:10:12",
        "src/index.ts:17:14",
    ]


def test_the_other_module_registry_names_modules_by_url(
    project: Project, run: Run
) -> None:
    project.write({"src/index.ts": THROWS, "src/deep/inner.ts": INNER})
    made = project.bundle()
    stack = run(made, flags=["new_module_registry"])
    assert "file:///bundle/hello.js" in stack
    assert made.source_map
    maps = {"hello.js": SourceMap.parse(made.source_map)}
    assert "(src/deep/inner.ts:4:9)" in remap(stack, maps, project.root)


SEGMENTS = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 300),
            st.none()
            | st.tuples(
                st.integers(0, 2),
                st.integers(0, 500),
                st.integers(0, 300),
                st.none() | st.integers(0, 3),
            ),
        ),
        max_size=6,
        unique_by=lambda segment: segment[0],
    ),
    max_size=6,
)
SOURCES = ["a.ts", "b.ts", "c.ts"]
NAMES = ["w", "x", "y", "z"]


@given(SEGMENTS)
def test_every_segment_is_found_again(lines: list) -> None:
    lines = [sorted(line, key=lambda segment: segment[0]) for line in lines]
    raw = {"version": 3, "sources": SOURCES, "names": NAMES, "mappings": _encode(lines)}
    read = SourceMap.parse(json.dumps(raw).encode())
    for number, line in reversed(list(enumerate(lines, 1))):
        for column, target in line:
            origin = read.original(number, column + 1)
            assert origin == (_origin(target) if target else None)
        if line:
            last = line[-1][1]
            assert read.original(number, 9999) == (_origin(last) if last else None)
    assert read.original(len(lines) + 2, 1) is None


def _origin(target: tuple) -> Origin:
    source, line, column, name = target
    return Origin(
        SOURCES[source], line + 1, column + 1, None if name is None else NAMES[name]
    )


def _encode(lines: list) -> str:
    last = [0, 0, 0, 0]
    groups = []
    for line in lines:
        at = 0
        segments = []
        for column, target in line:
            numbers = [column - at]
            at = column
            for index, value in enumerate(target or ()):
                if value is not None:
                    numbers.append(value - last[index])
                    last[index] = value
            segments.append(b"".join(map(encode_vlq, numbers)).decode())
        groups.append(",".join(segments))
    return ";".join(groups)


FIXED = SourceMap.parse(
    b'{"version":3,"sources":["src/a.ts"],"names":[],"mappings":"AAAA;AACA;AACA"}'
)


@pytest.mark.parametrize(
    ("frame", "mapped"),
    [
        ("    at fetch (hello.js:2:3)", "    at fetch (src/a.ts:2:1)"),
        ("    at hello.js:2:3", "    at src/a.ts:2:1"),
        ("    at async hello.js:2:3", "    at async src/a.ts:2:1"),
        (
            "    at async Object.f (hello.js:3:1)",
            "    at async Object.f (src/a.ts:3:1)",
        ),
        ("    at new X (file:///hello.js:1:1)", "    at new X (src/a.ts:1:1)"),
        ("    at f (file:///bundle/hello.js:1:1)", "    at f (src/a.ts:1:1)"),
        ("    at Array.map (<anonymous>)", "    at Array.map (<anonymous>)"),
        ("    at f (node:internal:2:3)", "    at f (node:internal:2:3)"),
        ("    at f (other/hello.js:2:3)", "    at f (other/hello.js:2:3)"),
        ("    at f (hello.js:99:3)", "    at f (hello.js:99:3)"),
        ("hello.js:2:3", "src/a.ts:2:1"),
    ],
)
def test_each_kind_of_frame(frame: str, mapped: str) -> None:
    stack = f"TypeError: see hello.js:2:3 for more\n{frame}\n"
    wanted = f"TypeError: see hello.js:2:3 for more\n{mapped}\n"
    assert remap(stack, {"hello.js": FIXED}, Path("/project")) == wanted


def test_absolute_sources_are_shown_relative_to_the_project() -> None:
    raw = b'{"version":3,"sources":["file:///p/a%20b.ts"],"mappings":"AAAA"}'
    maps = {"m.js": SourceMap.parse(raw)}
    assert remap("at m.js:1:1", maps, Path("/p")) == "at a b.ts:1:1"


@pytest.mark.parametrize("mappings", ["!", "g", "AZZZ", "AAAAAAAAAA"])
def test_a_damaged_map_leaves_frames_alone(mappings: str) -> None:
    raw = json.dumps({"version": 3, "sources": ["a"], "mappings": mappings}).encode()
    frame = "at m.js:1:1"
    assert remap(frame, {"m.js": SourceMap.parse(raw)}, Path("/p")).startswith("at ")


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"version":3}', b"\xff"])
def test_something_else_than_a_map_is_a_build_error(raw: bytes) -> None:
    with pytest.raises(BuildError, match="source map is damaged"):
        SourceMap.parse(raw)


def test_another_version_is_a_build_error() -> None:
    with pytest.raises(BuildError, match="version 2"):
        SourceMap.parse(b'{"version": 2, "mappings": ""}')
