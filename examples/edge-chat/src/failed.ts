// What the client sees when a handler threw.
import { HTTPException } from "hono/http-exception";
import type { Ctx } from "./env";

export const failed = (error: Error, c: Ctx) => {
  if (error instanceof HTTPException) {
    if (error.res) return error.res; // with its own headers: bearerAuth's
    return c.json({ error: error.message }, error.status);
  }
  console.error(error);
  return c.json({ error: error.message }, 500);
};
