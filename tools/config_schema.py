# ruff: noqa: INP001 - a script, no part of a package
"""Write the table of wrangler's configuration keys from its npm package.

    npm pack wrangler@4.164.0 && tar xzf wrangler-4.164.0.tgz
    python tools/config_schema.py package

`config-schema.json` gives names, types and descriptions; the interfaces in
`wrangler-dist/cli.d.ts` tell which keys an environment inherits.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent.parent / "src/selfedge/manifest/wrangler_keys.json"
DESCRIPTION_MAX = 160
FIELD = re.compile(r"^    (\w+)\??:", re.MULTILINE)


def kinds(schema: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """Return the JSON types that `schema` allows: ["array"]."""
    if "$ref" in schema:
        return kinds(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    found: set[str] = set()
    for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        found.update(kinds(part, definitions))
    given = schema.get("type", ())
    found.update([given] if isinstance(given, str) else given)
    return sorted(found)


def interface(name: str, declarations: str) -> set[str]:
    """Return the fields of the TypeScript interface `name`."""
    start = declarations.index(f"\ninterface {name} {{")
    body = declarations[start : declarations.index("\n}", start)]
    return set(FIELD.findall(body))


def sentence(description: str) -> str:
    """Return the first sentence of `description`, in one line."""
    line = " ".join(description.split("\n\n", 1)[0].split())
    first = re.split(r"(?<=\.) ", line, maxsplit=1)[0]
    return first[:DESCRIPTION_MAX]


def table(package: Path) -> dict[str, Any]:
    """Return what `wrangler_keys.json` holds for this wrangler."""
    schema = json.loads((package / "config-schema.json").read_text("utf-8"))
    version = json.loads((package / "package.json").read_text("utf-8"))["version"]
    declarations = (package / "wrangler-dist/cli.d.ts").read_text("utf-8")
    inherited = interface("EnvironmentInheritable", declarations)
    own = interface("EnvironmentNonInheritable", declarations)
    definitions = schema["definitions"]
    keys = {}
    for name, value in sorted(definitions["RawConfig"]["properties"].items()):
        scope = "inherited" if name in inherited else "own" if name in own else "top"
        keys[name] = {
            "scope": scope,
            "types": kinds(value, definitions),
            "about": sentence(value.get("description", "")),
        }
    return {"wrangler": version, "keys": keys}


if __name__ == "__main__":
    text = json.dumps(table(Path(sys.argv[1])), indent=1)
    TABLE.write_text(text + "\n", encoding="utf-8")
