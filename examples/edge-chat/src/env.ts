import type { Context, MiddlewareHandler } from "hono";
import type { RateLimiter } from "./limiter";

/** What wrangler.jsonc binds. */
export interface Env {
  API_TOKEN: string;
  ALLOWED_ORIGIN: string;
  REQUESTS_PER_MINUTE: string;
  KV: KVNamespace;
  RATE_LIMITER: DurableObjectNamespace<RateLimiter>;
  AI: Ai;
  DOCUMENTS: Vectorize;
}

export type App = { Bindings: Env };
export type Ctx = Context<App>;
export type Middleware = MiddlewareHandler<App>;
