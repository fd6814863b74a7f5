// Server-sent events, as Workers AI writes them: `data: {"response": "…"}`.

/** Return the text of a stream of answers, read to its end. */
export async function readAnswer(stream: ReadableStream<Uint8Array>): Promise<string> {
  const lines = (await new Response(stream).text()).split("\n");
  return lines.map(piece).join("");
}

function piece(line: string): string {
  if (!line.startsWith("data: {")) return ""; // an empty line, or [DONE]
  return JSON.parse(line.slice("data: ".length)).response ?? "";
}
