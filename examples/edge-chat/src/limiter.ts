// A Durable Object that counts requests: one object for each client address.
import { DurableObject } from "cloudflare:workers";
import type { Env, Middleware } from "./env";

const WINDOW_MS = 60_000;

interface Window {
  count: number;
  endsAt: number;
}

/**
 * There is one object for a name in the whole world, and it does one thing at a time
 * between its awaits on storage. So two requests can never read the same count.
 */
export class RateLimiter extends DurableObject<Env> {
  /** Count one request; the caller decides what is too many. */
  async count(): Promise<Window> {
    const now = Date.now();
    const known = await this.ctx.storage.get<Window>("window");
    const open = known && known.endsAt > now;
    const window = open ? known : { count: 0, endsAt: now + WINDOW_MS };
    window.count += 1;
    await this.ctx.storage.put("window", window);
    if (!open) await this.ctx.storage.setAlarm(window.endsAt);
    return window;
  }

  /** Forget clients that are gone: an object without data costs nothing. */
  async alarm() {
    await this.ctx.storage.deleteAll();
  }
}

/** Answer 429 to a client that asks too often. */
export const limitRate: Middleware = async (c, next) => {
  const client = c.req.header("cf-connecting-ip") ?? "unknown";
  const stub = c.env.RATE_LIMITER.getByName(client);
  const window = await stub.count();
  const limit = Number(c.env.REQUESTS_PER_MINUTE);
  const seconds = Math.max(1, Math.ceil((window.endsAt - Date.now()) / 1000));
  c.header("ratelimit-limit", String(limit));
  c.header("ratelimit-remaining", String(Math.max(0, limit - window.count)));
  c.header("ratelimit-reset", String(seconds));
  if (window.count > limit) {
    c.header("retry-after", String(seconds));
    return c.json({ error: `More than ${limit} requests in a minute. Wait ${seconds} s.` }, 429);
  }
  await next();
};
