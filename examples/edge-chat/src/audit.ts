// A journal of what was changed, written after the answer is on its way.
import type { Ctx, Middleware } from "./env";
import { newestFirst } from "./keys";

const PREFIX = "audit:";
const KEEP_S = 60 * 60;
const SHOWN = 12;

interface Entry {
  at: string;
  what: string;
  status: number;
  country: string;
}

/** Note every request that is not a plain read. */
export const audit: Middleware = async (c, next) => {
  await next();
  if (c.req.method === "GET") return;
  const entry: Entry = {
    at: new Date().toISOString(),
    what: `${c.req.method} ${c.req.path}`,
    status: c.res.status,
    country: c.req.header("cf-ipcountry") ?? "XX",
  };
  // Nobody waits for this: the client already has its answer.
  c.executionCtx.waitUntil(
    c.env.KV.put(PREFIX + newestFirst(), "", { expirationTtl: KEEP_S, metadata: entry }),
  );
};

/** `list` brings the metadata along: no further read is needed. */
export const listAudit = async (c: Ctx) => {
  const list = await c.env.KV.list<Entry>({ prefix: PREFIX, limit: SHOWN });
  return c.json({ entries: list.keys.map((key) => key.metadata) });
};
