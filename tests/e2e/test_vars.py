"""Variables, secrets, modules that are no code, and the version."""

import json
import re

from harness import Nodes, worker

ENV = """
    export default {
      fetch: (request: Request, env: Record<string, unknown>) => Response.json(env),
    };
"""


def test_vars_and_secrets(dev: Nodes) -> None:
    """Each source is there, the stronger wins, JSON stays JSON, we add nothing."""
    node = dev(
        worker(
            ENV,
            """
            [vars]
            TEXT = "plain"
            NUMBER = 42
            SWITCH = true
            TABLE = { list = [1, "two"], deep = { er = true } }
            BOTH = "from the wrangler file"
            OPTION = "from the wrangler file"
            """,
            files={".dev.vars": 'SECRET="s3cr3t"\nBOTH=from .dev.vars\n'},
        ),
        "--var",
        "OPTION:from the option",
        "--var",
        "MORE:a:b",
    )
    assert node.request().json() == {
        "TEXT": "plain",
        "NUMBER": 42,
        "SWITCH": True,
        "TABLE": {"list": [1, "two"], "deep": {"er": True}},
        "BOTH": "from .dev.vars",
        "OPTION": "from the option",
        "MORE": "a:b",
        "SECRET": "s3cr3t",
    }
    assert "s3cr3t" not in node.output


def test_environment_of_the_wrangler_file(dev: Nodes) -> None:
    """--env takes its own vars and its own local secrets."""
    node = dev(
        worker(
            ENV,
            """
            [vars]
            STAGE = "top"
            [env.staging.vars]
            STAGE = "staging"
            """,
            files={".dev.vars": "KEY=top\n", ".dev.vars.staging": "KEY=staging\n"},
        ),
        "--env",
        "staging",
    )
    assert node.request().json() == {"STAGE": "staging", "KEY": "staging"}


def test_changed_secret_arrives_at_the_next_save(dev: Nodes) -> None:
    node = dev(worker(ENV, files={".dev.vars": "KEY=one\n"}))
    assert node.request().json() == {"KEY": "one"}
    node.save(".dev.vars", "KEY=two\n")
    node.wait_until(lambda answer: answer.json() == {"KEY": "two"})


# (module (func (export "add") (param i32 i32) (result i32)
#   local.get 0 local.get 1 i32.add))
ADD_WASM = bytes.fromhex(
    "0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b"
)


def test_text_data_and_wasm_modules(dev: Nodes) -> None:
    """Imports that are no code arrive as string, ArrayBuffer and WebAssembly.Module."""
    node = dev(
        worker(
            """
            import text from "./words.txt";
            import page from "./page.html";
            import data from "./bytes.bin";
            import wasm from "./add.wasm";
            import settings from "./settings.json";
            export default {
              async fetch() {
                const { exports } = await WebAssembly.instantiate(wasm);
                return Response.json({
                  text, page, settings,
                  data: [...new Uint8Array(data)],
                  sum: (exports.add as (a: number, b: number) => number)(40, 2),
                });
              },
            };
            """,
            files={
                "words.txt": "héllo\n",
                "page.html": "<p>hi</p>",
                "bytes.bin": bytes([0, 255, 7]),
                "add.wasm": ADD_WASM,
                "settings.json": '{"a": [1]}',
            },
        )
    )
    assert node.request().json() == {
        "text": "héllo\n",
        "page": "<p>hi</p>",
        "settings": {"a": [1]},
        "data": [0, 255, 7],
        "sum": 42,
    }


def test_changed_module_arrives_at_the_next_save(dev: Nodes) -> None:
    """Files that are imported as text are watched too."""
    node = dev(
        worker(
            """
            import text from "./words.txt";
            export default { fetch: () => new Response(text) };
            """,
            files={"words.txt": "one"},
        )
    )
    assert node.request().text == "one"
    node.reload("words.txt", "two")
    assert node.request().text == "two"


def test_version_metadata(dev: Nodes) -> None:
    """Each save is a version with an id of its own."""
    files = worker(ENV, '[version_metadata]\nbinding = "VERSION"\n')
    node = dev(files)
    version = node.request().json()["VERSION"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", version["id"])
    assert version["tag"] == ""
    assert version["timestamp"].startswith("20")
    node.save("index.ts", str(files["index.ts"]).replace("(env)", "({ ...env })"))
    node.wait_until(lambda answer: answer.json()["VERSION"]["id"] != version["id"])


def test_wrangler_file_in_jsonc(dev: Nodes) -> None:
    """wrangler.jsonc with comments and trailing commas is read too."""
    config = {"name": "app", "main": "index.ts", "compatibility_date": "2026-01-01"}
    text = json.dumps({**config, "vars": {"A": 1}})
    node = dev(
        {
            "wrangler.jsonc": text[:-1] + ", /* the end */ }",
            "index.ts": "export default { fetch: (r, env) => Response.json(env) };",
        }
    )
    assert node.request().json() == {"A": 1}
