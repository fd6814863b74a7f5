// Reading what clients send, which may be anything.
import { HTTPException } from "hono/http-exception";
import type { Ctx } from "./env";

export const TEXT_MAX_CHARS = 2000;

export async function readObject(c: Ctx): Promise<Record<string, unknown>> {
  const body: unknown = await c.req.json().catch(() => undefined);
  if (typeof body !== "object" || body === null) throw bad("The body must be a JSON object.");
  return body as Record<string, unknown>;
}

export function text(value: unknown, name: string): string {
  if (typeof value !== "string" || value.trim() === "") {
    throw bad(`${name} must be a text that is not empty.`);
  }
  if (value.length > TEXT_MAX_CHARS) {
    throw bad(`${name} has ${value.length} characters; ${TEXT_MAX_CHARS} are allowed.`);
  }
  return value.trim();
}

export const bad = (message: string) => new HTTPException(400, { message });
