"""A Worker over D1, with migrations, and the commands that reach its database."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from harness import Node, worker

COMMAND = Path(sys.executable).with_name("selfedge")
ID = "11111111-1111-4111-8111-111111111111"
TABLES = f"""
[[d1_databases]]
binding = "DB"
database_name = "people"
database_id = "{ID}"

[[d1_databases]]
binding = "NO_ID"
"""
CODE = """
export default {
  async fetch(request, { DB, NO_ID }) {
    const url = new URL(request.url);
    const db = url.pathname === "/no-id" ? NO_ID : DB;
    if (request.method === "POST") {
      const number = Number(url.searchParams.get("n") ?? Math.random());
      await DB.prepare("INSERT INTO numbers VALUES (?)").bind(number).run();
      return new Response(String(number));
    }
    const found = await db.prepare(url.searchParams.get("sql")).all().catch((e) => e);
    return Response.json(found.results ?? { error: found.message });
  },
};
"""
FILES = {
    "migrations/0001_people.sql": (
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);\n"
        "INSERT INTO people (name) VALUES ('Ada; Countess');\n"
    ),
    "migrations/0002_trigger.sql": (
        "ALTER TABLE people ADD COLUMN age INTEGER;\n"
        "CREATE TRIGGER grown AFTER INSERT ON people BEGIN\n"
        "  UPDATE people SET age = 1 WHERE id = new.id;\nEND;\n"
    ),
    "more.sql": "INSERT INTO people (name) VALUES ('Grace');\n" * 3,
    "bad.sql": "DELETE FROM people;\nINSERT INTO nowhere VALUES (1);\n",
}
PROJECT = worker(CODE, TABLES, files=FILES)


def ask(node: Node, sql: str, path: str = "/") -> object:
    """Return what the Worker sees."""
    return node.request(f"{path}?sql={quote(sql)}").json()


def selfedge(folder: Path, *arguments: str, text: str = "") -> tuple[int, str]:
    """Run `selfedge d1 …`; return its exit code, and what it printed or complained."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CLOUDFLARE_")}
    done = subprocess.run(
        [COMMAND, "d1", *arguments],
        cwd=folder,
        env=kept,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def printed(folder: Path, *arguments: str) -> object:
    """Return the JSON that a command prints; it must succeed."""
    code, text = selfedge(folder, *arguments, "--json")
    assert code == 0, text
    return json.loads(text)
