// A read that costs something, kept in the cache of this data centre for a while.
import type { Ctx } from "./env";

const FRESH_S = 10;

export const digest = async (c: Ctx) => {
  const cache = caches.default;
  const key = new URL("/api/digest", c.req.url).href;

  const kept = await cache.match(key);
  if (kept) return c.json(await kept.json(), 200, { "x-cache": "HIT", "cache-control": "no-store" });

  const fresh = await count(c);
  const stored = Response.json(fresh, { headers: { "cache-control": `max-age=${FRESH_S}` } });
  c.executionCtx.waitUntil(cache.put(key, stored));
  return c.json(fresh, 200, { "x-cache": "MISS", "cache-control": "no-store" });
};

async function count(c: Ctx) {
  const [index, list] = await Promise.all([
    c.env.DOCUMENTS.describe(),
    c.env.KV.list({ prefix: "conversation:" }),
  ]);
  return {
    documents: index.vectorCount,
    conversations: list.keys.length,
    countedAt: new Date().toISOString(),
    freshSeconds: FRESH_S,
  };
}
