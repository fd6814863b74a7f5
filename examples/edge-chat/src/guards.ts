// Who may call the API.
import { bearerAuth } from "hono/bearer-auth";
import { cors } from "hono/cors";
import type { App, Middleware } from "./env";

/** Let pages of one other origin call the API; the page here needs no leave. */
export const allowOrigin: Middleware = (c, next) =>
  cors({
    origin: c.env.ALLOWED_ORIGIN,
    allowMethods: ["GET", "POST", "DELETE"],
    exposeHeaders: ["x-cache", "x-model-served", "ratelimit-remaining"],
  })(c, next);

const refused = { message: { error: "Send the header `Authorization: Bearer <API_TOKEN>`." } };

/** Ask for the token; compared in constant time. */
export const authenticate: Middleware = (c, next) =>
  bearerAuth<App>({
    token: c.env.API_TOKEN,
    noAuthenticationHeader: refused,
    invalidAuthenticationHeader: refused,
    invalidToken: refused,
  })(c, next);
