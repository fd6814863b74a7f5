// Chat: the answer streams while the model writes it.
import { run } from "./ai";
import { saveConversation } from "./conversations";
import type { Ctx } from "./env";
import { bad, readObject, text } from "./input";
import { newestFirst } from "./keys";
import { readAnswer } from "./sse";

const MODEL = "@cf/meta/llama-2-7b-chat-int8";
const INSTRUCTIONS = "You are a helpful assistant. Answer in one or two short sentences.";
const ANSWER_MAX_TOKENS = 160;
const HISTORY_MAX = 6; // messages that the model gets to see again

interface Message {
  role: "user" | "assistant";
  content: string;
}

/** `POST {message, history?, conversation?}` → server-sent events. */
export const chat = async (c: Ctx) => {
  const body = await readObject(c);
  const message = text(body.message, "message");
  const history = readHistory(body.history ?? []);
  const id = text(body.conversation ?? newestFirst(), "conversation");

  const messages: Message[] = [...history, { role: "user", content: message }];
  const answer = await run(c.env.AI, MODEL, {
    messages: [{ role: "system", content: INSTRUCTIONS }, ...messages.slice(-HISTORY_MAX - 1)],
    max_tokens: ANSWER_MAX_TOKENS,
    temperature: 0.3,
    repetition_penalty: 1.1,
    stream: true,
  });

  // One branch goes to the client. The other one is read after the answer, to its
  // end, also when the client has left.
  const [live, copy] = answer.body!.tee();
  c.executionCtx.waitUntil(
    readAnswer(copy).then((content) =>
      saveConversation(c.env.KV, id, [...messages, { role: "assistant", content }]),
    ),
  );
  return c.body(live, 200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-conversation": id,
    "x-model-asked": MODEL,
    "x-model-served": answer.headers.get("cf-ai-model-served") ?? MODEL,
  });
};

function readHistory(value: unknown): Message[] {
  if (!Array.isArray(value)) throw bad("history must be a list.");
  return value.map((item, index) => {
    const { role, content } = Object(item);
    if (role !== "user" && role !== "assistant") {
      throw bad(`history[${index}].role must be "user" or "assistant".`);
    }
    return { role, content: text(content, `history[${index}].content`) };
  });
}
