// Conversations in KV. Each one goes away by itself, an hour after its last message.
import type { Ctx } from "./env";

const PREFIX = "conversation:";
const KEEP_S = 60 * 60;
const TITLE_MAX_CHARS = 60;
const LISTED = 20;

interface Message {
  role: string;
  content: string;
}

interface Summary {
  title: string;
  at: string;
  messages: number;
}

export function saveConversation(kv: KVNamespace, id: string, messages: Message[]) {
  const summary: Summary = {
    title: (messages[0]?.content ?? "").slice(0, TITLE_MAX_CHARS),
    at: new Date().toISOString(),
    messages: messages.length,
  };
  return kv.put(PREFIX + id, JSON.stringify(messages), {
    expirationTtl: KEEP_S,
    metadata: summary, // comes with `list`, so that a list needs no read per key
  });
}

export const listConversations = async (c: Ctx) => {
  const list = await c.env.KV.list<Summary>({ prefix: PREFIX, limit: LISTED });
  const conversations = list.keys.map(({ name, expiration, metadata }) => ({
    id: name.slice(PREFIX.length),
    expires: expiration,
    ...metadata,
  }));
  return c.json({ conversations });
};

export const readConversation = async (c: Ctx) => {
  const messages = await c.env.KV.get<Message[]>(PREFIX + c.req.param("id"), "json");
  if (messages === null) return c.json({ error: "No such conversation, or it has expired." }, 404);
  return c.json({ messages });
};

export const deleteConversation = async (c: Ctx) => {
  await c.env.KV.delete(PREFIX + c.req.param("id"));
  return c.body(null, 204);
};
