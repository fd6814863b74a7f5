// Each case is what a Worker may do with D1; it returns what the Worker then sees.

async function attempt(action) {
  try {
    return { value: (await action()) ?? null };
  } catch (error) {
    return { error: String(error.message), cause: error.cause?.message };
  }
}

const shown = ({ success, meta, results }) => ({
  success,
  results,
  changes: meta.changes,
  last_row_id: meta.last_row_id,
  changed_db: meta.changed_db,
});

const read = ({ meta }) => [meta.rows_read, meta.rows_written];

async function people(DB) {
  await DB.exec("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INT)");
  await DB.exec("CREATE INDEX people_age ON people (age)");
  await DB.prepare("INSERT INTO people (name, age) VALUES (?, ?), (?, ?), (?, ?)")
    .bind("Ada", 36, "Grace", 85, "Alan", 41)
    .run();
}

const all = async (DB, sql, ...values) =>
  (await DB.prepare(sql).bind(...values).all()).results;

const cases = {
  async all_first_raw_run({ DB }) {
    await people(DB);
    const query = DB.prepare("SELECT name, age FROM people WHERE age > ? ORDER BY age");
    return [
      shown(await query.bind(40).all()),
      shown(await query.bind(40).run()),
      await query.bind(40).first(),
      await query.bind(40).first("age"),
      await query.bind(100).first(),
      await query.bind(40).raw(),
      await query.bind(40).raw({ columnNames: true }),
      await query.bind(100).raw({ columnNames: true }),
      await attempt(() => query.bind(40).first("zzz")),
    ];
  },

  async writes_tell_what_they_did({ DB }) {
    await people(DB);
    const run = async (sql, ...values) => shown(await DB.prepare(sql).bind(...values).run());
    return [
      await run("INSERT INTO people (name) VALUES (?)", "Kurt"),
      await run("INSERT INTO people (name) VALUES (?) RETURNING id, name", "Emmy"),
      await run("UPDATE people SET age = age + 1 WHERE age IS NOT NULL"),
      await run("DELETE FROM people WHERE id = ?", 1),
      await run("DELETE FROM people WHERE id = ?", 1),
      await run("SELECT count(*) AS n FROM people"),
    ];
  },

  async rows_read_and_written({ DB }) {
    await people(DB);
    const run = async (sql) => read(await DB.prepare(sql).run());
    return [
      await run("SELECT * FROM people"),
      await run("SELECT * FROM people WHERE id = 2"),
      await run("SELECT * FROM people WHERE name = 'nobody'"),
      await run("SELECT * FROM people WHERE age > 40"),
      await run("INSERT INTO people (name, age) VALUES ('a', 1), ('b', 2)"),
      await run("UPDATE people SET name = 'c' WHERE id = 1"),
      await run("UPDATE people SET age = 9 WHERE id = 1"),
      await run("DELETE FROM people WHERE id = 1"),
    ];
  },

  async values({ DB }) {
    await DB.exec("CREATE TABLE v (i INTEGER, r REAL, t TEXT, b BLOB, x)");
    const put = DB.prepare("INSERT INTO v VALUES (?1, ?2, ?3, ?4, ?5)");
    await put.bind(1, 1.5, "grün 😀", new Uint8Array([0, 255]), null).run();
    await put.bind(true, false, 7, [1, 2], "x").run();
    await put.bind(9007199254740991, -0.1, "", new ArrayBuffer(2), "\u0000'\"").run();
    return [
      await all(DB, "SELECT * FROM v"),
      await all(DB, "SELECT typeof(i), typeof(r), typeof(t), typeof(b), typeof(x) FROM v"),
      await all(DB, "SELECT typeof(?) AS a, ? AS b, json_array(?) AS c", 5, 5, 5),
      await all(DB, "SELECT 1e999 AS inf, 9007199254740993 AS big, x'' AS none"),
      await attempt(() => DB.prepare("SELECT ?").bind(undefined).all()),
      await attempt(() => DB.prepare("SELECT ?").bind({ a: 1 }).all()),
    ];
  },

  async columns_of_one_name({ DB }) {
    const query = DB.prepare("SELECT 1 AS a, 2 AS a, 3 AS 'b c'");
    return [await query.all().then(shown), await query.raw()];
  },

  async bindings_must_fit({ DB }) {
    return [
      await attempt(() => all(DB, "SELECT ?", 1, 2)),
      await attempt(() => all(DB, "SELECT ?, ?", 1)),
      await attempt(() => all(DB, "SELECT ?1, ?1", 1)),
      await attempt(() => all(DB, "SELECT 1", 1)),
    ];
  },

  async a_batch_is_one_transaction({ DB }) {
    await people(DB);
    const put = DB.prepare("INSERT INTO people (name) VALUES (?)");
    const good = await DB.batch([put.bind("a"), DB.prepare("SELECT count(*) AS n FROM people")]);
    const bad = await attempt(() =>
      DB.batch([put.bind("b"), DB.prepare("INSERT INTO nowhere VALUES (1)")]),
    );
    return [
      good.map(shown),
      bad,
      await all(DB, "SELECT name FROM people WHERE name IN ('a', 'b')"),
      await attempt(() => DB.batch([])),
      (await DB.batch([DB.prepare("SELECT 1 AS a"), DB.prepare("SELECT 2 AS b")])).map(
        (one) => one.results,
      ),
    ];
  },

  async foreign_keys_hold({ DB }) {
    await DB.exec("CREATE TABLE p (id INTEGER PRIMARY KEY)");
    await DB.exec("CREATE TABLE c (p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)");
    const orphan = DB.prepare("INSERT INTO c VALUES (7)");
    return [
      await attempt(() => orphan.run().then(shown)),
      (await DB.batch([orphan, DB.prepare("INSERT INTO p VALUES (7)")])).map(shown),
      await attempt(() => DB.batch([
        DB.prepare("PRAGMA defer_foreign_keys = on"),
        DB.prepare("DELETE FROM p"),
        DB.prepare("DELETE FROM c"),
      ]).then((found) => found.map(shown))),
    ];
  },

  async exec_takes_lines({ DB }) {
    return [
      (await DB.exec("CREATE TABLE e (a)\nINSERT INTO e VALUES (1)")).count,
      (await DB.exec("INSERT INTO e VALUES (2);\n-- a comment\nINSERT INTO e VALUES (3)")).count,
      await all(DB, "SELECT a FROM e"),
      await attempt(() => DB.exec("INSERT INTO e VALUES (4);\nSELEC 1")),
      await all(DB, "SELECT count(*) AS n FROM e"),
    ];
  },

  async several_statements_in_one({ DB }) {
    return [
      await all(DB, "CREATE TABLE s (a); INSERT INTO s VALUES (1); SELECT a FROM s"),
      await attempt(() => all(DB, "INSERT INTO s VALUES (2); SELECT a FROM nowhere")),
      await all(DB, "SELECT a FROM s;"),
    ];
  },

  async bad_sql({ DB }) {
    await people(DB);
    const tries = [
      "SELEC 1",
      "SELECT * FROM nowhere",
      "SELECT nothing FROM people",
      "INSERT INTO people (id) VALUES (1)",
      "INSERT INTO people (id) VALUES ('x')",
      "SELECT 'open",
      "",
      "-- nothing",
      "/* nothing */ ;",
    ];
    return Promise.all(tries.map((sql) => attempt(() => all(DB, sql))));
  },

  async transactions_are_refused({ DB }) {
    const tries = ["BEGIN", "BEGIN IMMEDIATE", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a", "RELEASE a"];
    return Promise.all(tries.map((sql) => attempt(() => all(DB, sql))));
  },

  async what_is_unsafe_is_refused({ DB }) {
    await people(DB);
    const tries = [
      "ATTACH DATABASE 'x' AS y",
      "DETACH DATABASE main",
      "VACUUM",
      "VACUUM INTO 'x'",
      "CREATE TEMP TABLE t (a)",
      "PRAGMA journal_mode = DELETE",
      "PRAGMA journal_mode",
      "PRAGMA synchronous = OFF",
      "PRAGMA writable_schema = ON",
      "PRAGMA user_version",
      "PRAGMA page_count",
      "PRAGMA max_page_count = 9",
      "PRAGMA query_only = ON",
      "PRAGMA compile_options",
      "PRAGMA wal_checkpoint",
    ];
    return Promise.all(tries.map((sql) => attempt(() => all(DB, sql))));
  },

  async what_is_safe_is_allowed({ DB }) {
    await people(DB);
    const tries = [
      "PRAGMA table_info(people)",
      "PRAGMA index_list(people)",
      "PRAGMA foreign_keys",
      "PRAGMA foreign_key_check",
      "PRAGMA quick_check",
      "PRAGMA defer_foreign_keys",
      "SELECT name FROM pragma_table_info('people')",
      "SELECT name FROM sqlite_schema WHERE type = 'index'",
      "EXPLAIN QUERY PLAN SELECT * FROM people WHERE id = 1",
      "SELECT json_extract('{\"a\": [1, 2]}', '$.a[1]') AS j",
      "SELECT value FROM json_each('[1, 2]')",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
      "WITH one AS (SELECT 'w') INSERT INTO people (name) SELECT * FROM one",
      "SELECT round(sqrt(2), 3) AS r, iif(1, 2, 3) AS i",
    ];
    return Promise.all(tries.map((sql) => attempt(() => all(DB, sql))));
  },

  async full_text_search({ DB }) {
    await DB.exec("CREATE VIRTUAL TABLE notes USING fts5(body)");
    await DB.prepare("INSERT INTO notes VALUES (?), (?)").bind("a red fox", "a blue dog").run();
    return all(DB, "SELECT body, bm25(notes) < 0 AS ranked FROM notes WHERE notes MATCH ?", "fox");
  },

  async triggers_with_semicolons({ DB }) {
    await people(DB);
    await DB.prepare("CREATE TABLE log (what)").run();
    await DB.prepare(
      "CREATE TRIGGER t AFTER INSERT ON people BEGIN INSERT INTO log VALUES (new.name); SELECT CASE WHEN 1 THEN 2 END; END;",
    ).run();
    await DB.prepare("INSERT INTO people (name) VALUES ('z')").run();
    return all(DB, "SELECT what FROM log");
  },

  async limits({ DB }) {
    const list = (n, part) => Array(n).fill(part).join(",");
    const tries = [
      [`SELECT ${list(101, "?")}`, Array(101).fill(1)],
      [`SELECT ${list(101, "1")}`, []],
      [`SELECT 1 WHERE 'a' LIKE '${"%a".repeat(40)}'`, []],
      [`SELECT ${"1+".repeat(150)}1`, []],
      ["SELECT length(zeroblob(3000000000))", []],
    ];
    return Promise.all(tries.map(([sql, values]) => attempt(() => all(DB, sql, ...values))));
  },

  async sessions({ DB }) {
    await people(DB);
    const first = DB.withSession("first-primary");
    const before = first.getBookmark();
    await first.prepare("INSERT INTO people (name) VALUES ('s')").run();
    const one = first.getBookmark();
    await first.prepare("INSERT INTO people (name) VALUES ('t')").run();
    const two = first.getBookmark();
    const other = DB.withSession(two);
    const seen = await other.prepare("SELECT count(*) AS n FROM people").first("n");
    const batched = await DB.withSession().batch([DB.prepare("SELECT 1 AS a")]);
    return [
      before,
      typeof one,
      one.localeCompare(two),
      seen,
      two.localeCompare(other.getBookmark()) <= 0,
      DB.withSession("first-unconstrained").getBookmark(),
      batched[0].results,
      await attempt(() => DB.withSession("of another time").prepare("SELECT 1 AS a").first()),
    ];
  },

  async many_at_once({ DB }) {
    await DB.exec("CREATE TABLE m (a)");
    const put = DB.prepare("INSERT INTO m VALUES (?)");
    await Promise.all(Array.from({ length: 50 }, (_, i) => put.bind(i).run()));
    return all(DB, "SELECT count(*) AS n, sum(a) AS s FROM m");
  },
};

async function emptied(DB) {
  const found = await all(
    DB,
    "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'notes\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  );
  const drops = found.map(({ name, type }) => DB.prepare(`DROP ${type} "${name}"`));
  if (drops.length) await DB.batch([DB.prepare("PRAGMA defer_foreign_keys = on"), ...drops]);
}

export default {
  async fetch(request, { DB }) {
    const name = new URL(request.url).pathname.slice(1);
    if (!name) return Response.json(Object.keys(cases));
    await emptied(DB);
    return Response.json(await cases[name]({ DB }));
  },
};
