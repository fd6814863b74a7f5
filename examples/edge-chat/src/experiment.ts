// A/B test: half of the visitors see one page, half the other, and each stays with it.
import { getCookie, setCookie } from "hono/cookie";
import type { Ctx } from "./env";

const COOKIE = "variant";
const KEEP_S = 30 * 24 * 60 * 60;

export const VARIANTS = {
  a: { name: "A", greeting: "What would you like to know?", button: "Ask" },
  b: { name: "B", greeting: "Ask the edge anything.", button: "Send it" },
};

/** Return the visitor's variant, drawn at the first visit; `?variant=b` chooses. */
export function variantOf(c: Ctx) {
  const wanted = c.req.query("variant") ?? getCookie(c, COOKIE);
  const key = wanted === "a" || wanted === "b" ? wanted : Math.random() < 0.5 ? "a" : "b";
  setCookie(c, COOKIE, key, { path: "/", maxAge: KEEP_S, sameSite: "Lax", httpOnly: true });
  return { key, ...VARIANTS[key] };
}
