// Server-sent events, as Workers AI writes them: `data: {"response": "…"}`.

/**
 * Return the text of a stream of answers, read to its end.
 *
 * It takes each piece as it comes: a reader that waits for more, as `Response.text()`
 * does, would hold up the other branch of a tee, too.
 */
export async function readAnswer(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let events = "";
  for await (const chunk of stream) events += decoder.decode(chunk, { stream: true });
  return events.split("\n").map(piece).join("");
}

function piece(line: string): string {
  if (!line.startsWith("data: {")) return ""; // an empty line, or [DONE]
  return JSON.parse(line.slice("data: ".length)).response ?? "";
}
