const BODY = "cached ".repeat(64);
const KEYS = 1000;

export default {
  async fetch(): Promise<Response> {
    const key = `http://cached.example/${Math.floor(Math.random() * KEYS)}`;
    await caches.default.put(
      key,
      new Response(BODY, { headers: { "Cache-Control": "max-age=600" } }),
    );
    const hit = await caches.default.match(key);
    return new Response(await hit?.text(), { status: hit ? 200 : 500 });
  },
};
