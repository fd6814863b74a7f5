// Search by meaning: texts become vectors, near vectors have near meanings.
import { run } from "./ai";
import type { Ctx } from "./env";
import { bad, readObject, text } from "./input";

const MODEL = "@cf/baai/bge-base-en-v1.5"; // 768 numbers for a text
const DOCUMENTS_MAX = 50; // in one request
const FOUND_MAX = 4;

/** `POST {documents: [text, …]}`: remember them. */
export const addDocuments = async (c: Ctx) => {
  const { documents } = await readObject(c);
  if (!Array.isArray(documents) || documents.length === 0 || documents.length > DOCUMENTS_MAX) {
    throw bad(`documents must be a list of 1 to ${DOCUMENTS_MAX} texts.`);
  }
  const texts = documents.map((item, index) => text(item, `documents[${index}]`));
  const [vectors, ids] = await Promise.all([embed(c.env.AI, texts), Promise.all(texts.map(idOf))]);
  // The id comes from the text: adding it again replaces it.
  const { mutationId } = await c.env.DOCUMENTS.upsert(
    texts.map((document, index) => ({
      id: ids[index]!,
      values: vectors[index]!,
      metadata: { text: document },
    })),
  );
  return c.json({ ids, mutationId }, 201);
};

export const deleteDocument = async (c: Ctx) => {
  await c.env.DOCUMENTS.deleteByIds([c.req.param("id") ?? ""]);
  return c.body(null, 204);
};

/** `GET ?q=…`: the nearest documents; the score is 1 for the same meaning. */
export const search = async (c: Ctx) => {
  const question = text(c.req.query("q"), "q");
  const [vector] = await embed(c.env.AI, [question]);
  const { matches } = await c.env.DOCUMENTS.query(vector!, {
    topK: FOUND_MAX,
    returnMetadata: "all",
  });
  const found = matches.map(({ id, score, metadata }) => ({ id, score, text: metadata?.text }));
  return c.json({ found });
};

async function embed(ai: Ai, texts: string[]): Promise<number[][]> {
  const answer = await run(ai, MODEL, { text: texts });
  const { data } = await answer.json<{ data: number[][] }>();
  return data;
}

async function idOf(document: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(document));
  return [...new Uint8Array(hash, 0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
