import { Hono } from "hono";

interface Env {
  AI: Ai;
  KV: KVNamespace;
}

interface Exchange {
  message: string;
  answer: string;
}

const MODEL = "@cf/meta/llama-2-7b-chat-int8";
const KEEP_S = 24 * 60 * 60;

const app = new Hono<{ Bindings: Env }>();

app.get("/", (c) => {
  const { origin } = new URL(c.req.url);
  return c.text(
    `Ask:      curl ${origin}/chat --json '{"message": "Why is the sky blue?"}'\n` +
      `History:  curl ${origin}/history\n`,
  );
});

app.post("/chat", async (c) => {
  const body = await c.req.json().catch(() => null);
  const message = body?.message;
  if (typeof message !== "string" || message === "") {
    return c.json({ error: 'Send {"message": "…"}.' }, 400);
  }
  const { response } = await c.env.AI.run(MODEL, {
    messages: [
      { role: "system", content: "You are a helpful assistant. Answer briefly." },
      { role: "user", content: message },
    ],
  });
  const exchange: Exchange = { message, answer: response ?? "" };
  // The client does not wait for what is given to waitUntil.
  c.executionCtx.waitUntil(
    c.env.KV.put(`chat:${Date.now()}`, "", { expirationTtl: KEEP_S, metadata: exchange }),
  );
  return c.json(exchange);
});

app.get("/history", async (c) => {
  const list = await c.env.KV.list<Exchange>({ prefix: "chat:" });
  return c.json(list.keys.map((key) => key.metadata));
});

export default app;
