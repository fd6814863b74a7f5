const ROWS = 1000;

export default {
  async fetch(request: Request, { DB }: { DB: any }): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/seed") return seed(DB);
    const id = 1 + Math.floor(Math.random() * ROWS);
    if (pathname === "/select") {
      const row = await DB.prepare("SELECT id, name, age FROM people WHERE id = ?").bind(id).first();
      return answer(row?.name === `person ${id}`);
    }
    const { meta } = await DB.prepare("INSERT INTO visits (person, at) VALUES (?, ?)")
      .bind(id, Date.now())
      .run();
    return answer(meta.changes === 1);
  },
};

async function seed(DB: any): Promise<Response> {
  const put = DB.prepare("INSERT INTO people (id, name, age) VALUES (?, ?, ?)");
  await DB.batch([
    DB.prepare("DROP TABLE IF EXISTS people"),
    DB.prepare("DROP TABLE IF EXISTS visits"),
    DB.prepare("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)"),
    DB.prepare("CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, at INTEGER)"),
    ...Array.from({ length: ROWS }, (_, i) => put.bind(i + 1, `person ${i + 1}`, i % 90)),
  ]);
  return answer(true);
}

function answer(right: boolean): Response {
  return new Response(right ? "right" : "wrong", { status: right ? 200 : 500 });
}
