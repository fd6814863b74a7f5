// The page: one HTML file with places to fill, and no request to anybody else.
import type { Ctx } from "./env";
import { variantOf } from "./experiment";
import html from "./page.html";

export const page = (c: Ctx) => {
  const variant = variantOf(c);
  const nonce = crypto.randomUUID();
  const values: Record<string, string> = {
    nonce,
    token: c.env.API_TOKEN,
    limit: c.env.REQUESTS_PER_MINUTE,
    variant: variant.key,
    variantName: variant.name,
    greeting: variant.greeting,
    button: variant.button,
  };
  const filled = html.replace(/\{\{(\w+)\}\}/g, (_, name: string) => escaped(values[name] ?? ""));
  return c.html(filled, 200, {
    "cache-control": "no-store",
    "content-security-policy":
      `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; ` +
      "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
};

function escaped(text: string) {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character]!);
}
